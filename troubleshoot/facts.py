"""Engine values <-> what a database can hold. Text keeps its length: the spans of a failure point into it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from troubleshoot.models import CheckOutcome
from whybounce.checks.result import CheckResult, Finding, Severity, State, Subject
from whybounce.failure import Action, DeliveryFailure, Span, Stage

# PostgreSQL refuses U+0000 in text and JSON, and UTF-8 cannot hold a lone surrogate.
_UNSTORABLE = {0: "\u2400", **{code: "\ufffd" for code in range(0xD800, 0xE000)}}


def storable(value: Any) -> Any:
    """`value` (text, or JSON with text in it) without the characters that no database holds, each replaced by one other."""
    if isinstance(value, str):
        return value.translate(_UNSTORABLE)
    if isinstance(value, Mapping):
        return {storable(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(item) for item in value]
    return value


def failure_to_json(failure: DeliveryFailure) -> dict[str, Any]:
    """The facts that are known; empty ones are left out."""
    out: dict[str, Any] = {}
    for field in dataclasses.fields(failure):
        value = getattr(failure, field.name)
        if field.name == "spans":
            value = {name: [span.start, span.end] for name, span in value.items()}
        if value not in ("", None, {}):
            out[field.name] = storable(value)
    return out


_FIELDS = frozenset(field.name for field in dataclasses.fields(DeliveryFailure))


def failure_from_json(facts: Mapping[str, Any]) -> DeliveryFailure:
    """The DeliveryFailure whose facts `failure_to_json` wrote; facts that are no longer known are passed over."""
    values = {name: value for name, value in facts.items() if name in _FIELDS}
    values["action"] = Action(values.get("action", Action.FAILED))
    values["stage"] = Stage(values.get("stage", Stage.EMPTY))
    values["spans"] = {name: Span(start, end) for name, (start, end) in values.get("spans", {}).items()}
    return DeliveryFailure(**values)


def subject_to_json(subject: Subject) -> dict[str, Any]:
    """What is known of a subject; empty fields are left out."""
    return {name: storable(value) for name, value in dataclasses.asdict(subject).items() if value not in ("", None, ())}


def subject_from_json(values: Mapping[str, Any]) -> Subject:
    known = {field.name for field in dataclasses.fields(Subject)}
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in known}
    return Subject(**given)


def result_to_json(result: CheckResult) -> dict[str, Any]:
    """The columns of a CheckOutcome."""
    findings = [{"finding": item.finding, "severity": item.severity.value, "data": storable(item.data)} for item in result.findings]
    return {
        "check_name": result.check,
        "answer": result.answer,
        "state": result.state.value,
        "detail": storable(result.detail),
        "findings": findings,
        "facts": storable(result.facts),
        "elapsed_ms": max(0, result.elapsed_ms),
    }


def result_of(row: CheckOutcome) -> CheckResult:
    """The CheckResult that a row holds."""
    findings = tuple(Finding(item["finding"], Severity(item["severity"]), item["data"]) for item in row.findings)
    return CheckResult(row.check_name, row.answer, State(row.state), row.detail, findings, row.facts, row.elapsed_ms)
