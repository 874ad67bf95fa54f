"""Knowledge from YAML files (docs/knowledge-format.md): read, checked row by row, each error with file and line.

A folder holds files in any number and order; the top-level keys of a file say what its rows are:
`causes`, `questions`, `patterns`, `providers`, `codes`, `examples`, `blocklists`, `articles`, `cases`, `findings`, `letters`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from whybounce.checks.result import Severity
from whybounce.problem import Problem
from whybounce.snapshot import (
    Actor,
    Addressee,
    Article,
    AskedOf,
    Blocklist,
    Cause,
    Effort,
    Evidence,
    Example,
    ExampleCase,
    FindingNote,
    Frequency,
    GivenAnswer,
    KnowledgeSnapshot,
    Letter,
    Provider,
    Question,
    ReplyPattern,
    Source,
    StatusCode,
    Strength,
    Weight,
)
from whybounce.validate import validate

_T = TypeVar("_T")
_LINE = "__line__"
MAX_BYTES = 20_000_000
"""The most that one file may hold: seven times what ships."""
_DEEPEST = 20


class KnowledgeError(Exception):
    """The knowledge files cannot be used. `problems` holds one sentence each, with file and line."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """SafeLoader (in C where PyYAML has it: ten times as fast) that notes in each mapping the line it begins on, refuses a key
    given twice, and keeps dates as text."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    out: dict[str, Any] = {_LINE: node.start_mark.line + 1}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is no text; put it in quotes", key_node.start_mark)
        if key in out:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", key_node.start_mark)
        out[key] = loader.construct_object(value_node, deep=True)
    return out


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))


class _RowError(ValueError):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _evidence(value: Any, line: int) -> tuple[Evidence, ...]:
    """`{cause-slug: strongly for}` -> Evidence rows."""
    if not isinstance(value, dict):
        raise _RowError("evidence must be a mapping of cause: strength", line)
    return tuple(Evidence(cause, _convert(Strength, strength, line, "evidence")) for cause, strength in value.items() if cause != _LINE)


def _sources(value: Any, line: int) -> tuple[Source, ...]:
    """A list of titles or of {title, url, checked}; a title may stand alone."""
    items = value if isinstance(value, list) else [value]
    return tuple(Source(item) if isinstance(item, str) else _row(Source, item, line) for item in items)


def _given(value: Any, line: int) -> tuple[GivenAnswer, ...]:
    """`{question-slug: answer-slug}` -> GivenAnswer rows."""
    if not isinstance(value, dict):
        raise _RowError("answers must be a mapping of question: answer", line)
    return tuple(GivenAnswer(question, _convert(str, answer, line, "answers")) for question, answer in value.items() if question != _LINE)


_SPECIAL: dict[Any, Callable[[Any, int], Any]] = {"evidence": _evidence, "sources": _sources, tuple[GivenAnswer, ...]: _given}
"""What is written shorter than it is kept: by the field's name or by its type."""


def _convert(kind: Any, value: Any, line: int, name: str) -> Any:
    """`value` as the annotated type `kind`, or _RowError naming the field."""
    origin = typing.get_origin(kind)
    if origin is tuple:
        items = value if isinstance(value, list) else [value]
        return tuple(_convert(typing.get_args(kind)[0], item, line, name) for item in items)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return _convert(next(arg for arg in typing.get_args(kind) if arg is not type(None)), value, line, name)
    if dataclasses.is_dataclass(kind):
        return _row(typing.cast("type[Any]", kind), value, line)
    if kind in (Strength, Frequency, Actor, AskedOf, Effort, Weight, Severity, Addressee):
        try:
            return kind(value)
        except ValueError:
            raise _RowError(f"{name}: {value!r} is none of {', '.join(repr(str(k)) for k in kind)}", line) from None
    if kind is bool and not isinstance(value, bool):
        raise _RowError(f"{name}: {value!r} is neither true nor false", line)
    if kind is str:
        if not isinstance(value, str):
            raise _RowError(f"{name}: {value!r} is no text; put it in quotes", line)
        return value.strip()
    return value


def _row(kind: type[_T], value: Any, line: int) -> _T:
    """A mapping as the dataclass `kind`."""
    if not isinstance(value, dict):
        raise _RowError(f"{value!r} is no {kind.__name__}: a mapping is expected", line)
    line = value.get(_LINE, line)
    hints = typing.get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(typing.cast("Any", kind)) if f.name != "revision"}
    arguments: dict[str, Any] = {}
    for key, item in value.items():
        if key == _LINE:
            continue
        if key not in fields:
            raise _RowError(f"{kind.__name__} has no field {key!r}; it has {', '.join(fields)}", line)
        special = _SPECIAL.get(key) or _SPECIAL.get(hints[key])
        arguments[key] = special(item, line) if special else _convert(hints[key], item, line, key)
    needed = [
        name for name, f in fields.items() if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING and name not in arguments
    ]
    if needed:
        raise _RowError(f"{kind.__name__} lacks {', '.join(needed)}", line)
    return kind(**arguments)


_KINDS: dict[str, type[Any]] = {
    "causes": Cause,
    "questions": Question,
    "patterns": ReplyPattern,
    "providers": Provider,
    "codes": StatusCode,
    "examples": Example,
    "blocklists": Blocklist,
    "articles": Article,
    "cases": ExampleCase,
    "findings": FindingNote,
    "letters": Letter,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """What files hold: rows by kind, where each stands ("causes.yaml:12", by kind and name), and what is wrong with those that
    could not be read."""

    by_kind: Mapping[str, list[Any]]
    origins: Mapping[tuple[str, str], str]
    problems: tuple[str, ...]

    def snapshot(self) -> KnowledgeSnapshot:
        values: dict[str, Any] = {key: tuple(value) for key, value in self.by_kind.items()}
        return KnowledgeSnapshot(**values)

    def located(self, problem: Problem) -> str:
        """A problem between rows as a sentence with file and line."""
        where = self.origins.get((problem.kind, problem.row), problem.kind)
        return f"{where}: {problem.row}: {problem.message}"


def read_folder(folder: Path) -> KnowledgeSnapshot:
    """All `*.yaml` below `folder` as one snapshot. KnowledgeError lists every problem found, in all files."""
    rows = read_files((path.relative_to(folder).as_posix(), _bytes_of(path)) for path in sorted(folder.rglob("*.yaml")))
    problems = list(rows.problems)
    if not problems and not any(rows.by_kind.values()):  # a wrong folder: loading it would withdraw everything
        problems.append(f"{folder}: there is no knowledge in it, no *.yaml file with a row")
    snapshot = rows.snapshot()
    problems += [rows.located(problem) for problem in validate(snapshot)]
    if problems:
        raise KnowledgeError(problems)
    return snapshot


def _bytes_of(path: Path) -> bytes:
    """The file, or just enough of it to be found too long."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def read_files(files: Iterable[tuple[str, bytes]]) -> Rows:
    """The rows of files given as (name, content). Each row is read by itself; what must hold between rows is not looked at."""
    rows: dict[str, list[Any]] = {name: [] for name in _KINDS}
    origins: dict[tuple[str, str], str] = {}
    problems: list[str] = []
    for name, content in files:
        try:
            document = _document(content)
        except (yaml.YAMLError, ValueError) as error:  # ValueError: bytes that are no UTF-8, or a tag such as !!int on other text
            problems.append(_unreadable(name, error))
            continue
        if document is not None and not isinstance(document, dict):
            problems.append(f"{name}:1: a file holds lists under the keys {', '.join(_KINDS)}")
            continue
        for key, items in (document or {}).items():
            if key == _LINE:
                continue
            if key not in _KINDS or not isinstance(items, list):
                problems.append(f"{name}: {key!r} is none of {', '.join(_KINDS)}, or holds no list")
                continue
            for item in items:
                line = item.get(_LINE, 0) if isinstance(item, dict) else 0
                try:
                    row = _row(_KINDS[key], item, line)
                except _RowError as error:
                    problems.append(f"{name}:{error.line}: {error}{_named(item)}")
                    continue
                rows[key].append(row)
                origins.setdefault((key, identity(row)), f"{name}:{line}")
    return Rows(rows, origins, tuple(problems))


def _document(content: bytes) -> Any:
    """What a file holds. Refused before anything is built of it: what is too long, nests too deeply (libyaml would end the process) or
    repeats parts by aliases (a few lines would be millions of rows)."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"the file is longer than {MAX_BYTES // 1_000_000} MB; split it")
    text = content.decode("utf-8-sig")
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise _refused("aliases (*name) are not allowed; write the part out", event)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise _refused(f"more than {_DEEPEST} lists and mappings inside each other", event)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)


def _refused(why: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=why, problem_mark=event.start_mark)


def _named(item: Any) -> str:
    """The name that a row which cannot be read gives itself, for the sentence about it."""
    names = (item.get(key) for key in ("slug", "code", "text", "title")) if isinstance(item, dict) else ()
    return next((f" (in “{name[:60]}”)" for name in names if isinstance(name, str) and name), "")


def folder_digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of the files that `read_folder` reads; hexadecimal."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.yaml")):
        data = path.read_bytes()
        total.update(f"{path.relative_to(folder).as_posix()} {len(data)}\n".encode() + data)
    return total.hexdigest()


def from_document(document: Mapping[str, list[Any]], revision: int = 0) -> KnowledgeSnapshot:
    """The snapshot of a document made by `document.to_document`. It was valid when it was stored and is not checked again;
    ValueError where another version of the program stored it and the form of its rows was another."""
    rows: dict[str, Any] = {kind: tuple(_row(_KINDS[kind], item, 0) for item in items) for kind, items in document.items()}
    return KnowledgeSnapshot(**rows, revision=revision)


def identity(row: Any) -> str:
    """What names a row among its kind: its slug; code and provider for a status code; the text for an example."""
    if isinstance(row, StatusCode):
        return f"{row.code} {row.provider}".strip()
    if isinstance(row, Example):
        return row.text
    return str(row.slug)


def _unreadable(name: str, error: Exception) -> str:
    """What the YAML reader says, as `file:line: sentence` where it knows the line."""
    mark = getattr(error, "problem_mark", None)
    said = " ".join(str(part) for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part) or str(error)
    return f"{name}{f':{mark.line + 1}' if mark else ''}: {' '.join(said.split())}"


if __name__ == "__main__":
    try:
        _found = read_folder(Path(sys.argv[1]))
    except KnowledgeError as _error:
        sys.exit(str(_error))
    sys.stdout.write(", ".join(f"{len(getattr(_found, kind))} {kind}" for kind in _KINDS) + "\n")
