"""What an SPF evaluation looked at, kept as it goes, so that it can be shown even where the evaluation failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from whybounce.checks.guard import shown
from whybounce.checks.result import Fact


class Reason(StrEnum):
    """Why an evaluation ended in permerror, temperror or not at all; for most there is a finding `spf.<reason>`."""

    SYNTAX = "syntax"
    MULTIPLE = "multiple"
    INCLUDE_NONE = "include_none"
    REDIRECT_NONE = "redirect_none"
    LOOP = "loop"
    TOO_MANY_LOOKUPS = "too_many_lookups"
    TOO_MANY_VOID = "too_many_void"
    TOO_MANY_MX = "too_many_mx"
    TEMPERROR = "temperror"
    NOT_ASKED = "not_asked"


class SpfStop(Exception):
    """The evaluation ends here, all includes with it. `result`: permerror, temperror or unknown."""

    def __init__(self, result: str, reason: Reason, domain: str, detail: str, term: str = "") -> None:
        super().__init__(detail)
        self.result = result
        self.reason = reason
        self.domain = domain
        self.detail = detail
        self.term = term

    def data(self) -> dict[str, Fact]:
        data: dict[str, Fact] = {"domain": shown(self.domain), "detail": self.detail}
        return {**data, "term": shown(self.term, 300)} if self.term else data


@dataclass(slots=True)
class Step:
    """One term: what came of it, the name it was about, what was found there, the record it led to."""

    term: str
    outcome: str = "not reached"
    target: str = ""
    found: tuple[str, ...] = ()
    below: Node | None = None

    def fact(self) -> dict[str, Fact]:
        fact: dict[str, Fact] = {"term": shown(self.term, 300), "outcome": self.outcome}
        if self.target:
            fact["target"] = shown(self.target, 300)
        if self.found:
            fact["found"] = [shown(record, 300) for record in self.found[:20]]
        if self.below is not None:
            fact["record"] = self.below.fact()
        return fact


@dataclass(slots=True)
class Node:
    """One domain's record and what came of its terms. `records`: all of them, where there are several."""

    domain: str
    record: str = ""
    result: str = ""
    ttl: int | None = None
    server: str = ""
    octets: int = 0
    records: tuple[str, ...] = ()
    steps: list[Step] = field(default_factory=list)

    def fact(self) -> dict[str, Fact]:
        several: dict[str, Fact] = {"records": list(self.records)} if self.records else {}
        return several | {
            "domain": shown(self.domain, 300),
            "record": self.record,
            "result": self.result,
            "ttl": self.ttl,
            "terms": [step.fact() for step in self.steps],
        }
