"""A DMARC policy record as values: RFC 9989 sections 4.7, 4.8 and 4.10.1. Also who is told by rua= (RFC 9990)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from whybounce.checks.guard import DomainError, parse_domain, shown

# RFC 9989 section 4.8: v= stands first, its value is case-sensitive, and a semicolon or the end follows.
_VERSION = re.compile(rb"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?=;|\Z)")
_BEGUN = re.compile(rb"[vV][ \t]*=[ \t]*DMARC1\b")
_MEANT = re.compile(rb"dmarc1|\A\s*p\s*=", re.IGNORECASE)
_SIZE = re.compile(r"!\d+[kmgt]?\Z", re.IGNORECASE | re.ASCII)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s,;!]+", re.ASCII)
_REMOVED = ("pct", "rf", "ri")
# RFC 9989 has eleven tags; a record with far more is not read to its end.
MAX_TAGS = 50
_FLAGS = {"adkim": "rs", "aspf": "rs", "psd": "ynu", "t": "yn"}


class Policy(StrEnum):
    """What receivers are asked to do with mail that fails."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"

    @property
    def milder(self) -> Policy:
        """One level below, which t=y asks for (section 4.7)."""
        return {Policy.REJECT: Policy.QUARANTINE}.get(self, Policy.NONE)


@dataclass(frozen=True, slots=True)
class ReportTo:
    """An address of rua=. `domain`: where reports go, "" where that is not by mail."""

    uri: str
    domain: str = ""


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """
    policies      the valid ones of p, sp and np by tag
    wrong         p, sp or np with a value that is no policy, as "p=rejct"
    ignored       other parts with a mistake, which receivers pass over
    removed       tags of RFC 7489 that RFC 9989 no longer has
    """

    text: str
    policies: dict[str, Policy]
    wrong: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    strict_dkim: bool = False
    strict_spf: bool = False
    psd: str = "u"
    testing: bool = False
    rua: tuple[ReportTo, ...] = ()

    @property
    def applies(self) -> bool:
        """Section 4.10.1: with a policy that is none, the record counts as p=none where reports are asked for, and not at all else."""
        return not self.wrong or bool(self.rua)

    def policy(self, *, below: bool, exists: bool) -> tuple[str, Policy]:
        """The policy for the domain of the record, or for one `below` it, which `exists` in DNS or does not; and the tag that says so."""
        tags = ("np", "sp", "p") if below and not exists else ("sp", "p") if below else ("p",)
        tag = next((name for name in tags if name in self.policies), "p")
        return tag, Policy.NONE if self.wrong else self.policies.get(tag, Policy.NONE)


def is_record(text: bytes) -> bool:
    """A TXT record that counts as a DMARC record; all others are discarded (section 4.10)."""
    return _VERSION.match(text) is not None


def is_begun(text: bytes) -> bool:
    """It begins as a record does, but no semicolon follows: receivers discard it."""
    return not is_record(text) and _BEGUN.match(text) is not None


def is_meant(text: bytes) -> bool:
    """A TXT record that was meant for DMARC, be it written wrongly."""
    return is_record(text) or _MEANT.search(text[:1000]) is not None


def parse_record(data: bytes) -> DmarcRecord:
    """The tags of a record (is_record); never raises. Unknown tags are passed over, and of a tag that stands twice the first counts."""
    tags: dict[str, str] = {}
    ignored: list[str] = []
    for part in data.decode("latin-1").split(";")[1:MAX_TAGS]:
        name, equals, value = (piece.strip(" \t\r\n") for piece in part.partition("="))
        if not equals:
            ignored += [shown(name, 100)] if name else []
        else:
            tags.setdefault(name.lower(), value)
    policies, wrong = _policies(tags)
    ignored += [shown(f"{name}={tags[name]}", 100) for name, values in _FLAGS.items() if name in tags and not _flag(tags, name, values)]
    rua, unread = _addresses(tags.get("rua", ""))
    return DmarcRecord(
        shown(data),
        policies,
        wrong,
        (*ignored, *unread),
        tuple(f"{name}={shown(tags[name], 40)}" for name in _REMOVED if name in tags),
        _flag(tags, "adkim", "rs") == "s",
        _flag(tags, "aspf", "rs") == "s",
        _flag(tags, "psd", "ynu") or "u",
        _flag(tags, "t", "yn") == "y",
        rua,
    )


def _policies(tags: dict[str, str]) -> tuple[dict[str, Policy], tuple[str, ...]]:
    """The policies, and those that are none. A p= that is missing is none's policy, not a mistake (section 4.7)."""
    policies: dict[str, Policy] = {}
    wrong = []
    for name in ("p", "sp", "np"):
        value = tags.get(name)
        if value is None:
            continue
        if value.lower() in set(Policy):
            policies[name] = Policy(value.lower())
        else:
            wrong.append(f"{name}={shown(value, 60)}")
    return policies, tuple(wrong)


def _flag(tags: dict[str, str], name: str, values: str) -> str:
    """The value of a tag of one letter; "" where it is missing or none of these."""
    value = tags.get(name, "").lower()
    return value if len(value) == 1 and value in values else ""


def _addresses(value: str) -> tuple[tuple[ReportTo, ...], tuple[str, ...]]:
    """The addresses of rua=, and what is none. The obsolete size at the end of one is passed over (section 4.8)."""
    found, unread = [], []
    for part in value.split(",")[:20]:
        uri = _SIZE.sub("", part.strip())
        if not uri:
            continue
        scheme, _, rest = uri.partition(":")
        domain = _mail_domain(rest) if scheme.lower() == "mailto" else ""
        if _URI.fullmatch(uri) and (domain or scheme.lower() != "mailto"):
            found.append(ReportTo(shown(uri, 300), domain))
        else:
            unread.append(f"rua={shown(uri, 100)}")
    return tuple(found), tuple(unread)


def _mail_domain(address: str) -> str:
    local, at, domain = unquote(address.partition("?")[0]).rpartition("@")
    if not (local and at):
        return ""
    try:
        return parse_domain(domain)
    except DomainError:
        return ""
