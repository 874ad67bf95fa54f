"""What was sent: media types, JSON that is held to its standard, pastes."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from api.problems import Problem, too_large
from whybounce.intake.entrance import MAX_BYTES

JSON = "application/json"
PASTES = ("text/plain", "message/rfc822", "application/octet-stream", "application/vnd.ms-outlook")
"""Media types of a body that is the paste itself, byte for byte."""
MAX_JSON = 200_000
"""Bytes of a JSON body that is no paste."""


class StrictParser(Parser):
    """JSON as RFC 8259 has it: no NaN."""

    def parse_body(self, request: HttpRequest) -> Any:
        return parse_json(request.body)


def parse_json(data: bytes) -> Any:
    """ValueError or RecursionError for what is no JSON."""
    return json.loads(data, parse_constant=_refuse)


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def media_type(request: HttpRequest) -> str:
    return (request.content_type or "").strip().lower()


def must_be_json(request: HttpRequest) -> None:
    """Refuses another media type and a body that is too large, before it is parsed."""
    if media_type(request) != JSON:
        raise Problem(415, f"Send JSON, with the header Content-Type: {JSON}.", headers={"Accept": JSON})
    if len(request.body) > MAX_JSON:
        raise too_large(MAX_JSON)


def pasted(request: HttpRequest) -> bytes:
    """The paste: the body itself, or `text` of a JSON object. An empty one is b""."""
    kind = media_type(request) or "application/octet-stream"  # RFC 9110 section 8.3
    if kind == JSON:
        data = _text_of(request.body)
    elif kind in PASTES:
        data = request.body
    else:
        raise Problem(
            415,
            f"Send the paste with Content-Type: text/plain, message/rfc822 or application/octet-stream, or as JSON. {kind[:80]} is not taken.",
            headers={"Accept": ", ".join((*PASTES, JSON))},
        )
    if len(data) > MAX_BYTES:
        raise too_large()
    return data


def _text_of(body: bytes) -> bytes:
    try:
        sent = parse_json(body)
    except (ValueError, RecursionError):
        raise Problem(400, "The body is not JSON that can be read: UTF-8, no NaN, nested at most a few hundred deep.") from None
    if not isinstance(sent, dict) or not isinstance(sent.get("text"), str) or len(sent) != 1:
        raise Problem(
            422, 'Send {"text": "..."} and nothing else.', errors=[{"pointer": "/text", "detail": "The one member, a string, is what was pasted."}]
        )
    return str(sent["text"]).encode("utf-8", "replace")
