"""A snapshot as a document of plain lists and mappings (the shape of docs/knowledge-format.md), for YAML and JSON, and its digest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from enum import Enum
from typing import Any

from whybounce.snapshot import Evidence, GivenAnswer, KnowledgeSnapshot, Source

KINDS = ("providers", "causes", "questions", "patterns", "codes", "examples", "blocklists", "articles", "cases", "findings", "letters")


def to_document(snapshot: KnowledgeSnapshot) -> dict[str, list[dict[str, Any]]]:
    """`{"causes": [{...}], ...}`; fields with their default value are left out. `yaml_knowledge.from_document` reads it back."""
    return {kind: [row_document(row) for row in getattr(snapshot, kind)] for kind in KINDS}


def row_document(row: Any) -> dict[str, Any]:
    """One row as a mapping."""
    return {f.name: _plain(getattr(row, f.name)) for f in dataclasses.fields(row) if getattr(row, f.name) != f.default}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        if value and isinstance(value[0], Evidence):
            return {item.cause: item.strength.value for item in value}
        if value and isinstance(value[0], GivenAnswer):
            return {item.question: item.answer for item in value}
        return [_plain(item) for item in value]
    if isinstance(value, Source) and not value.url and not value.checked:
        return value.title
    if dataclasses.is_dataclass(value):
        return row_document(value)
    return value


def digest(document: Any) -> str:
    """SHA-256 of a document, the order of its mappings' keys left aside; hexadecimal."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
