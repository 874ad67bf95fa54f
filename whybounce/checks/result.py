"""What a check is given, and what it gives back. Plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Union

Fact = Union[str, int, float, bool, None, Sequence["Fact"], Mapping[str, "Fact"]]
"""JSON: what a fact or a finding's data may hold."""


class State(StrEnum):
    """How an answer looks to a person. UNKNOWN: the check could not look; it is never evidence."""

    GOOD = "good"
    INFO = "info"
    WARNING = "warning"
    BAD = "bad"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How grave a finding is. UNKNOWN: could not find out, which is never "missing"."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    OK = "ok"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Subject:
    """What to look at; an empty field is not known. Domains in lower case without a trailing dot (A-labels or as typed),
    addresses of hosts as literals without brackets.

    selectors       DKIM selectors, "name" or "name@domain"
    message_size    octets
    reply           what the server said: a list that it names is looked for there
    """

    domain: str = ""
    recipient: str = ""
    sending_ip: str = ""
    mail_from: str = ""
    header_from: str = ""
    helo: str = ""
    selectors: tuple[str, ...] = ()
    message_size: int | None = None
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing seen: an id of the contract ("mx.null"), how grave, and the data that shows it."""

    finding: str
    severity: Severity
    data: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeclaredAnswer:
    """An answer that a check can give. `informative` is False for "could not look"."""

    slug: str
    state: State
    informative: bool = True


@dataclass(frozen=True, slots=True)
class CheckResult:
    """
    answer      one of the check's declared answers
    detail      one English sentence that says what was seen, names filled in
    facts       records seen, TTLs in seconds, who answered: what a person reads and a remedy quotes
    elapsed_ms  wall time of this check in milliseconds
    """

    check: str
    answer: str
    state: State
    detail: str
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    elapsed_ms: int = 0
