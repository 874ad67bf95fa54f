"""The OpenAPI 3.1 document: what ninja reads from the operations, and what it cannot know: scopes, limits, problems, pastes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from ninja.openapi.schema import REF_TEMPLATE
from ninja.schema import NinjaGenerateJsonSchema

from api.access import Guard
from api.addresses import ROOT
from api.bodies import JSON, PASTES
from api.examples import ANSWERS, DSN, PROBLEM, REPLY, REQUESTS
from api.models import Scope
from api.problems import KINDS, MEDIA_TYPE
from api.schemas import ProblemOut
from api.site import api

_PASTING = ("explain", "openCase")
_LISTING = ("listCodes", "listCauses", "listCases")
_HEADERS: Mapping[str, str] = {
    "RateLimit": 'How the limit stands: r requests are left, in t seconds all of them: "token";r=1199;t=1.',
    "RateLimit-Policy": 'The limit: q requests in w seconds: "token";q=1200;w=600.',
}

Document = dict[str, Any]


@cache
def document() -> Document:
    """The whole document, as plain JSON. The same for every caller."""
    said: Document = dict(api.get_openapi_schema(path_prefix=ROOT))
    guards = {operation.operation_id or "": operation.run.guard for operation in _operations()}
    for path, methods in said["paths"].items():
        for method, operation in methods.items():
            _complete(path, method, operation, guards[operation["operationId"]])
    said["components"] |= _components()
    said["components"]["schemas"] |= _problem_schemas()
    said["tags"] = [
        {"name": "explain", "description": "Read what was pasted."},
        {"name": "checks", "description": "Look at DNS and mail servers."},
        {"name": "reference", "description": "What is known."},
        {"name": "cases", "description": "From the paste to the outcome, step by step."},
    ]
    del said["servers"]
    return said


def _operations() -> Iterator[Any]:
    for router in api._get_bound_routers():
        for view in router.path_operations.values():
            yield from view.operations


def _complete(path: str, method: str, operation: Document, guard: Guard) -> None:
    name = operation["operationId"]
    operation["description"] = " ".join(operation.get("description", "").split())
    operation["security"] = [{"token": [guard.scope.value]}, *([{}] if guard.to_all else [])]
    if name in _PASTING:
        operation["requestBody"] = _paste_body(required=name == "explain")
    elif name in REQUESTS:
        operation["requestBody"]["content"][JSON]["example"] = REQUESTS[name]
    if method == "post":
        operation["parameters"].append({"$ref": "#/components/parameters/IdempotencyKey"})
    _answers(operation, name)
    for status in _problems(path, method, operation, guard):
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/{_response_name(status)}"}
    operation["responses"] = {str(status): operation["responses"][status] for status in sorted(operation["responses"], key=str)}


def _answers(operation: Document, name: str) -> None:
    for status, answer in operation["responses"].items():
        answer["headers"] = {header: {"$ref": f"#/components/headers/{header}"} for header in _HEADERS}
        if name in _LISTING:
            answer["headers"]["Link"] = {"description": "The other pages (RFC 8288): first, prev, next, last.", "schema": {"type": "string"}}
        if status == 201:
            answer["headers"]["Location"] = {"description": "Where the case stands in the API.", "schema": {"type": "string", "format": "uri"}}
        if name in ANSWERS:
            answer["content"][JSON]["example"] = ANSWERS[name]


def _problems(path: str, method: str, operation: Document, guard: Guard) -> list[int]:
    """The errors that the operation can answer with."""
    found = [401, 403, 429, 500, 503]
    if "{" in path:
        found.append(404)
    if method == "post":
        found += [400, 409, 413]
    if "/cases/" in path and method == "delete":
        found.append(409)
    if guard.takes_json or "text/plain" in operation.get("requestBody", {}).get("content", {}):
        found.append(415)
    if method == "post" or any("schema" in item for item in operation["parameters"]):
        found.append(422)
    return found


def _paste_body(*, required: bool) -> Document:
    schema = {"type": "object", "properties": {"text": {"type": "string", "description": "What was pasted."}}, "required": ["text"]}
    texts = {"text/plain": {"schema": {"type": "string"}, "example": REPLY}, "message/rfc822": {"schema": {"type": "string"}, "example": DSN}}
    raw = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in PASTES if kind not in texts}
    return {
        "description": "The paste byte for byte, 25 MB at most, or its text in JSON.",
        "required": required,
        "content": {**texts, **raw, JSON: {"schema": schema | {"additionalProperties": False}, "example": {"text": REPLY}}},
    }


def _response_name(status: int) -> str:
    return "".join(word.capitalize() for word in KINDS[status][0].split("-"))


def _components() -> Document:
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses: Document = {_response_name(status): {"description": title, "content": problem} for status, (_slug, title) in KINDS.items()}
    responses["Invalid"] = {"description": KINDS[422][1], "content": {MEDIA_TYPE: {**problem[MEDIA_TYPE], "example": PROBLEM}}}
    wait = {"description": "Seconds until it can be tried again.", "schema": {"type": "integer"}}
    responses["TooManyRequests"]["headers"] = {"Retry-After": wait, **{name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}}
    responses["Unauthorized"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    scopes = "; ".join(str(label) for label in Scope.labels)
    return {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": f"A token of the admin or of manage.py api_token. Its scopes: {scopes}."}
        },
        "parameters": {
            "IdempotencyKey": {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "For 24 hours the same key with the same request gets the same answer, and nothing is done twice.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            }
        },
        "headers": {name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()},
        "responses": responses,
    }


def _problem_schemas() -> Document:
    schema = ProblemOut.model_json_schema(ref_template=REF_TEMPLATE, schema_generator=NinjaGenerateJsonSchema)
    return {**schema.pop("$defs"), "Problem": {**schema, "title": "Problem"}}
