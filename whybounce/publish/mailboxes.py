"""Where reports go: the rua and ruf values of DMARC (RFC 9989 section 4.7) and TLS-RPT (RFC 8460 section 3)."""

from __future__ import annotations

import re

from whybounce.checks.guard import shown
from whybounce.publish.values import Wanted

_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
# Printable ASCII without what separates addresses, tags or strings.
_URI = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")


def mailbox_for(domain: str, wanted: Wanted) -> str:
    """The mailbox that the person named; else postmaster, which every domain with mail has (RFC 5321 section 4.5.1)."""
    return wanted.report_to if _MAILBOX.fullmatch(wanted.report_to) else f"postmaster@{domain}"


def mended_uris(value: str) -> tuple[list[str], list[str]]:
    """The report addresses of a rua or ruf value as URIs, and sentences about what was changed."""
    joined = re.sub(r"(?i)mailto:\s+", "mailto:", value.strip())
    uris, notes = [], [] if joined == value.strip() else ["No space may stand after mailto:."]
    for piece in re.split(r"[,\s]+", joined):
        if not piece:
            continue
        scheme, colon, rest = piece.partition(":")
        if scheme.lower() in ("mailto", "https") and colon and (scheme.lower() == "https" or "@" in rest) and _URI.fullmatch(piece):
            uris.append(f"{scheme.lower()}:{rest}")
        elif _MAILBOX.fullmatch(piece):
            uris.append(f"mailto:{piece}")
            notes.append(f"{piece} needs mailto: before it.")
        else:
            notes.append(f"{shown(piece, 100)} is no address for reports and is left out.")
    unique = list(dict.fromkeys(uris))
    return unique, notes


def report_warnings(domain: str, rua: str, kind: str, named: bool = True) -> tuple[str, ...]:
    """What to look at before reports can come: the mailbox exists; a foreign domain agrees (RFC 9990, for DMARC)."""
    warnings = [] if named else [f"Reports go to postmaster@{domain}: see that this mailbox exists, or name another one."]
    for uri in rua.split(","):
        mailbox = uri.partition(":")[2].partition("!")[0]
        other = mailbox.rpartition("@")[2].lower()
        if kind == "DMARC" and uri.startswith("mailto:") and other and not _near(other, domain):
            warnings.append(f'Reports to {mailbox} need the agreement of {other}: a TXT record "v=DMARC1" at {domain}._report._dmarc.{other}.')
    return tuple(warnings)


def _near(other: str, domain: str) -> bool:
    """The same organisation for certain: one lies at or below the other."""
    return other == domain or other.endswith("." + domain) or domain.endswith("." + other)
