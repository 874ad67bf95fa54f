"""Where a domain wants reports about failed TLS: TLS-RPT, RFC 8460."""

from __future__ import annotations

import re

from whybounce.checks.dns_message import Lookup
from whybounce.checks.guard import DomainError, parse_domain, shown
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, Finding, Severity, State, Subject
from whybounce.checks.tools import Tools
from whybounce.failure import domain_of

ANSWERS = (
    DeclaredAnswer("ok", State.GOOD),
    DeclaredAnswer("none", State.INFO),
    DeclaredAnswer("invalid", State.WARNING),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}

_VERSION = "v=TLSRPTv1"
_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})[ \t]*=[ \t]*(.*)", re.ASCII)
_MAILTO = re.compile(r"(?i)mailto:[^@\s,;!]+@[^@\s,;!]+\.[^@\s,;!]+", re.ASCII)
_HTTPS = re.compile(r"(?i)https://[^\s,;!/]+[^\s,;!]*", re.ASCII)
MAX_RECORDS = 5


def needs(subject: Subject) -> str:
    return "" if _domain(subject) else "the recipient's domain"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Read the TXT record at _smtp._tls of the recipient's domain."""
    try:
        domain = parse_domain(_domain(subject))
    except DomainError as error:
        return CheckResult("tlsrpt", "unknown", State.UNKNOWN, str(error))
    lookup = await tools.resolver.ask(f"_smtp._tls.{domain}", "TXT")
    facts: dict[str, Fact] = {"domain": domain, "ttl": lookup.ttl, "server": lookup.server}
    if not lookup.found and not lookup.absent:
        return _result("unknown", f"Whether {domain} has a TLS-RPT record could not be looked up ({lookup.status.value}).", facts)
    records = tls_rpt_records(lookup)
    facts["records"] = [shown(record) for record in records[:MAX_RECORDS]]
    if not records:
        return _result("none", f"{domain} does not ask for reports about TLS (no TLS-RPT record).", facts)
    where, problem = read_record(records[0]) if len(records) == 1 else ((), f"there are {len(records)} records, and only one may be there")
    facts["rua"] = [shown(uri) for uri in where]
    if problem:
        finding = Finding("tlsrpt.syntax", Severity.WARNING, {"domain": domain, "record": shown(records[0]), "reason": problem})
        return _result("invalid", f"The TLS-RPT record of {domain} cannot be used: {problem}.", facts, finding)
    finding = Finding("tlsrpt.ok", Severity.OK, {"domain": domain, "rua": [shown(uri) for uri in where]})
    return _result("ok", f"{domain} asks for reports about TLS at {' and '.join(shown(uri) for uri in where)}.", facts, finding)


def tls_rpt_records(lookup: Lookup) -> list[str]:
    """The TXT records that are or were meant to be one for TLS-RPT, an octet a character; others, as a wildcard gives, are none."""
    texts = (text.decode("latin-1") for text in lookup.texts)
    return [text for text in texts if text.lstrip().lower().startswith("v=tlsrpt")]


def read_record(text: str) -> tuple[tuple[str, ...], str]:
    """Where the reports go, and why the record cannot be used (the end of a sentence; "" where it can): RFC 8460 section 3."""
    version, *fields = re.split(r"[ \t]*;[ \t]*", text.rstrip(" \t"))
    if version != _VERSION:
        return (), f"it does not begin with {_VERSION};"
    found: dict[str, str] = {}
    for part in fields[:-1] if fields and not fields[-1] else fields:
        match = _FIELD.fullmatch(part)
        if match is None:
            return (), f"{shown(part, 100) or 'an empty field'} is no field of the form name=value"
        found.setdefault(match[1], match[2])
    if not found.get("rua"):
        return (), "rua= is missing, which says where reports go"
    uris = tuple(re.split(r"[ \t]*,[ \t]*", found["rua"]))
    wrong = next((uri for uri in uris if not _MAILTO.fullmatch(uri) and not _HTTPS.fullmatch(uri)), None)
    if wrong is not None:
        return uris, f"{shown(wrong, 200) or 'an empty address'} is neither a mailto: nor an https: address"
    return uris, ""


def _domain(subject: Subject) -> str:
    return subject.domain or domain_of(subject.recipient)


def _result(answer: str, detail: str, facts: dict[str, Fact], *findings: Finding) -> CheckResult:
    return CheckResult("tlsrpt", answer, _STATES[answer], detail, findings, facts)
