"""An SPF record as values: RFC 7208 sections 4.5, 4.6.1, 5, 6 and the grammar of section 12."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from whybounce.checks.spf_macros import MacroError, MacroString, parse_macros

_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)", re.ASCII | re.DOTALL)
_DIRECTIVE = re.compile(r"([+?~-]?)([A-Za-z][A-Za-z0-9._-]*)(.*)", re.ASCII | re.DOTALL)
# dual-cidr-length, at the end of a term: leading zeros are not allowed.
_DUAL_CIDR = re.compile(r"(?:/(0|[1-9]\d?))?(?://(0|[1-9]\d{0,2}))?\Z", re.ASCII)
_CIDR = re.compile(r"(.*?)(?:/(0|[1-9]\d{0,2}))?", re.ASCII | re.DOTALL)
# domain-end: a top label, which is not all digits, after a dot; or a macro.
_TOP_LABEL = re.compile(r"\.([A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])\.?\Z", re.ASCII)
_MACRO_END = re.compile(r"%(?:\{[^{}]*\}|[%_-])\Z", re.ASCII)

RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SyntaxProblem(ValueError):
    """A record that the grammar does not allow. `term` is the part that is wrong, `reason` the end of a sentence about it."""

    def __init__(self, term: str, reason: str) -> None:
        super().__init__(f"{term}: {reason}")
        self.term = term
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A directive. `target` is its domain-spec, empty where the current domain is meant; `network` is that of ip4 and ip6."""

    text: str
    name: str
    qualifier: str = "+"
    target: MacroString = ()
    cidr4: int = 32
    cidr6: int = 128
    network: Network | None = None


@dataclass(frozen=True, slots=True)
class Modifier:
    text: str
    target: MacroString


@dataclass(frozen=True, slots=True)
class Record:
    mechanisms: tuple[Mechanism, ...]
    redirect: Modifier | None = None
    exp: Modifier | None = None

    @property
    def has_all(self) -> bool:
        return any(mechanism.name == "all" for mechanism in self.mechanisms)


def select_records(texts: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Those TXT records that are SPF records: "v=spf1" and then a space or the end (RFC 7208 section 4.5)."""
    return tuple(text for text in texts if text[:6].lower() == b"v=spf1" and text[6:7] in (b"", b" "))


def parse_record(data: bytes) -> Record:
    """The record's terms; SyntaxProblem names the first that is wrong."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        bad = data[max(0, error.start - 10) : error.start + 10].decode("ascii", "backslashreplace")
        raise SyntaxProblem(bad, "a record must be plain ASCII") from None
    mechanisms: list[Mechanism] = []
    modifiers: dict[str, Modifier] = {}
    for term in text[6:].split(" "):
        if not term:
            continue
        match = _MODIFIER.fullmatch(term)
        if match is None:
            mechanisms.append(_mechanism(term))
            continue
        name = match[1].lower()
        target = _modifier(term, name, match[2])
        if name in ("redirect", "exp"):
            if name in modifiers:
                raise SyntaxProblem(term, f"{name}= may stand only once")
            modifiers[name] = Modifier(term, target)
    return Record(tuple(mechanisms), modifiers.get("redirect"), modifiers.get("exp"))


def _modifier(term: str, name: str, value: str) -> MacroString:
    """Unknown modifiers are ignored (section 6), but their value must be a macro-string."""
    if name in ("redirect", "exp"):
        return _domain_spec(term, value)
    try:
        return parse_macros(value)
    except MacroError as error:
        raise SyntaxProblem(term, str(error)) from None


def _mechanism(term: str) -> Mechanism:
    match = _DIRECTIVE.fullmatch(term)
    if match is None:
        raise SyntaxProblem(term, "this is neither a mechanism nor a modifier")
    qualifier, name, rest = match[1] or "+", match[2].lower(), match[3]
    if name in ("ip4", "ip6"):
        return Mechanism(term, name, qualifier, network=_network(term, name, rest))
    if name == "all":
        if rest:
            raise SyntaxProblem(term, "nothing may follow all")
        return Mechanism(term, name, qualifier)
    if name in ("a", "mx"):
        cidr = _DUAL_CIDR.search(rest)
        cidr4, cidr6 = (int(cidr[1] or 32), int(cidr[2] or 128)) if cidr else (32, 128)
        if cidr4 > 32 or cidr6 > 128:
            raise SyntaxProblem(term, "the prefix length is too large")
        target = _target(term, rest[: cidr.start()] if cidr else rest, needed=False)
        return Mechanism(term, name, qualifier, target, cidr4, cidr6)
    if name in ("include", "exists", "ptr"):
        return Mechanism(term, name, qualifier, _target(term, rest, needed=name != "ptr"))
    raise SyntaxProblem(term, "there is no such mechanism")


def _target(term: str, rest: str, needed: bool) -> MacroString:
    if not rest and not needed:
        return ()
    if not rest.startswith(":"):
        raise SyntaxProblem(term, "a colon and a domain are missing" if not rest else "this is no known mechanism")
    return _domain_spec(term, rest[1:])


def _domain_spec(term: str, text: str) -> MacroString:
    if not _TOP_LABEL.search(text) and not _MACRO_END.search(text):
        raise SyntaxProblem(term, "a domain name is missing or is not complete")
    try:
        return parse_macros(text)
    except MacroError as error:
        raise SyntaxProblem(term, str(error)) from None


def _network(term: str, name: str, rest: str) -> Network:
    match = _CIDR.fullmatch(rest[1:])
    if not rest.startswith(":") or match is None or "%" in rest:
        raise SyntaxProblem(term, "a colon and an address are missing")
    try:
        if name == "ip4":
            return ipaddress.IPv4Network((ipaddress.IPv4Address(match[1]), int(match[2] or 32)), strict=False)
        return ipaddress.IPv6Network((ipaddress.IPv6Address(match[1]), int(match[2] or 128)), strict=False)
    except ValueError:
        raise SyntaxProblem(term, f"{match[1]}{'/' + match[2] if match[2] else ''} is no IPv{name[2]} network") from None
