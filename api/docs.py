"""The OpenAPI document, and the same as a page for people: plain HTML, without a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from api.addresses import OPENAPI
from api.openapi import Document, document
from api.problems import KINDS

_CACHED = "public, max-age=300"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a member: its name, its type in words, where it stands, what it means."""

    name: str
    type: str
    place: str
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Body:
    media: str
    example: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    about: str
    schema: str
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """`scopes`: what a token needs; `to_all`: it also works without one."""

    name: str
    method: str
    path: str
    summary: str
    about: str
    scope: str
    to_all: bool
    parameters: tuple[Field, ...]
    bodies: tuple[Body, ...]
    fields: tuple[Field, ...]
    answers: tuple[Answer, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    name: str
    about: str
    fields: tuple[Field, ...]


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(document(), headers={"Cache-Control": _CACHED, "Access-Control-Allow-Origin": "*"})


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    request.shared = True  # type: ignore[attr-defined]  # base.html leaves out what belongs to one visitor
    said = document()
    sections = [(tag["name"], tag["description"], list(_operations(said, tag["name"]))) for tag in said["tags"]]
    problems = [(status, slug, title) for status, (slug, title) in KINDS.items()]
    context = {"said": said, "sections": sections, "schemas": list(_schemas(said)), "problems": problems, "openapi": OPENAPI}
    response = render(request, "api/docs.html", context)
    response["Cache-Control"] = _CACHED
    return response


def _operations(said: Document, tag: str) -> Iterator[Operation]:
    for path, methods in said["paths"].items():
        for method, item in methods.items():
            if tag in item["tags"]:
                yield _operation(said, path, method, item)


def _operation(said: Document, path: str, method: str, item: Document) -> Operation:
    content = item.get("requestBody", {}).get("content", {})
    schema = next((_resolved(said, media["schema"]) for name, media in content.items() if name == "application/json"), {})
    answers = [(status, answer) for status, answer in item["responses"].items() if status.startswith("2")]
    return Operation(
        name=item["operationId"],
        method=method.upper(),
        path=path,
        summary=item["summary"],
        about=item["description"],
        scope=item["security"][0]["token"][0],
        to_all={} in item["security"],
        parameters=tuple(_parameter(_resolved(said, parameter)) for parameter in item["parameters"]),
        bodies=tuple(Body(name, _pretty(media.get("example", ""))) for name, media in content.items()),
        fields=tuple(_fields(schema)),
        answers=tuple(_answer(status, answer) for status, answer in answers),
        problems=tuple(status for status in item["responses"] if not status.startswith("2")),
    )


def _parameter(item: Document) -> Field:
    return Field(item["name"], _type(item["schema"]), item["in"], bool(item.get("required")), item.get("description", ""))


def _answer(status: str, item: Document) -> Answer:
    media: Document = next(iter(item.get("content", {}).values()), {})
    return Answer(status, item["description"], _type(media.get("schema", {})), _pretty(media.get("example", "")))


def _schemas(said: Document) -> Iterator[Schema]:
    for name, schema in sorted(said["components"]["schemas"].items()):
        yield Schema(name, schema.get("description", ""), tuple(_fields(schema)))


def _fields(schema: Document) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, item in schema.get("properties", {}).items():
        yield Field(name, _type(item), "body", name in required, item.get("description", ""))


def _resolved(said: Document, item: Document) -> Document:
    """What a reference within the document names."""
    found: Any = item
    while "$ref" in found:
        place, found = found["$ref"], said
        for name in place.split("/")[1:]:
            found = found[name]
    return dict(found)


def _type(schema: Document) -> str:
    """A schema in a few words: `"list of Finding"`, `"string or null"`."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_type(item) for item in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"“{value}”" if value == "" else str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", "any"))


def _pretty(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
