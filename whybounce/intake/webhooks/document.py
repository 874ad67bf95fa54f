"""JSON as it is pasted, with the place of each value: complete, cut off, several documents in a row, between words of a log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed leaves it out
from typing import Any

from whybounce.failure import Span

MAX_DEPTH = 60
MAX_DOCUMENTS = 2000
_MAX_FAILED = 200
_START = re.compile(r'\{\s*"|\{\s*\}|\[\s*[\[{]')
_SPACE = re.compile(r"\s*")
_ATOM = re.compile(r"[^\s,\]}:\[{\"]+")
_ESCAPED = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_QUOTED = re.compile(r"\\(.)", re.DOTALL)
_CONSTANTS = {"true": True, "false": False, "null": None}


class Text(str):
    """A string or number of a document; characters `start` to `end` of the document's text hold it, with its escapes."""

    __slots__ = ("end", "start")
    start: int
    end: int


def placed(value: str, start: int, end: int) -> Text:
    text = Text(value)
    text.start, text.end = start, end
    return text


Value = Any
"""dict, list, Text, bool or None."""


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON value and where it ended. `whole`: False where the text broke off within."""

    value: Value
    end: int
    whole: bool = True


def documents(text: str) -> Iterator[Document]:
    """The objects and lists in `text`, in order, whatever stands between them."""
    at = count = failed = 0
    while count < MAX_DOCUMENTS and failed < _MAX_FAILED:
        opening = _START.search(text, at)
        if opening is None:
            return
        document = parse(text, opening.start())
        if document is None:
            at = opening.start() + 1
            failed += 1
            continue
        yield document
        count += 1
        at = document.end


def parse(text: str, start: int) -> Document | None:
    """The JSON value that begins at `start`; None: it is none, or nests deeper than MAX_DEPTH."""
    stack: list[Value] = []
    keys: list[str] = []
    key: str | None = None
    at = start
    size = len(text)
    while True:
        at = _skip(text, at)
        if at >= size:
            return Document(stack[0], size, False) if stack else None
        char = text[at]
        value: Value = None
        if char in "{[":
            if len(stack) >= MAX_DEPTH:
                return None
            value = {} if char == "{" else []
            if stack and not _put(stack[-1], key, value):
                return None
            stack.append(value)
            keys.append(key or "")
            key = None
            at += 1
            continue
        if char in "}]":
            if not stack or isinstance(stack[-1], dict) != (char == "}"):
                return None
            value = stack.pop()
            keys.pop()
            at += 1
            if not stack:
                return Document(value, at)
            key = None
            continue
        if char == ",":
            at += 1
            continue
        if char == '"':
            end, value = _string(text, at)
            if end < 0:
                return Document(stack[0], size, False) if stack else None
        else:
            atom = _ATOM.match(text, at)
            if atom is None:
                return None
            end = atom.end()
            value = _CONSTANTS[atom[0]] if atom[0] in _CONSTANTS else placed(atom[0], at, end) if atom[0][0] in "-0123456789" else ...
            if value is ...:
                return None
        if stack and isinstance(stack[-1], dict) and key is None:
            end = _skip(text, end)
            if char != '"' or (end < size and text[end] != ":"):
                return None
            key = str(value)
            at = end + 1
            continue
        if not stack or not _put(stack[-1], key, value):
            return None
        key = None
        at = end


def _put(into: Value, key: str | None, value: Value) -> bool:
    if isinstance(into, list):
        into.append(value)
    elif key is None:
        return False
    else:
        into[key] = value
    return True


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _string(text: str, at: int) -> tuple[int, Text | None]:
    """The string whose quote stands at `at`, and where it ends; -1 where it does not."""
    try:
        value, end = scanstring(text, at + 1, False)
    except ValueError:
        return -1, None
    return end, placed(value, at + 1, end - 1)


def span_of(text: str, value: Text, start: int = 0, end: int | None = None) -> Span:
    """Where characters `start` to `end` of a value stand in the document's text."""
    end = len(value) if end is None else end
    if value.end - value.start == len(value):
        return Span(value.start + start, value.start + end)
    return Span(_raw(text, value, start), _raw(text, value, end))


def _raw(text: str, value: Text, index: int) -> int:
    """The place of a character of a value that is written with escapes."""
    at, passed = value.start, 0
    while passed < index:
        escape = _PAIR.match(text, at, value.end) or _ESCAPED.match(text, at, value.end)
        following = text.find("\\", at, value.end)
        if escape:
            at, passed = escape.end(), passed + 1
        elif following < 0 or following - at >= index - passed:
            return at + index - passed
        else:
            passed += following - at
            at = following
    return at


def unquoted(text: str) -> str:
    r"""A document that was copied out of a string (`{\"event\":\"bounce\"}`) as the document it is."""
    return _QUOTED.sub(lambda match: {"n": "\n", "r": "\r", "t": "\t"}.get(match[1], match[1] if match[1] in '"\\/' else match[0]), text)
