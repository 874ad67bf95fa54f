"""What goes into a proposal and what comes out. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from whybounce.checks.guard import shown
from whybounce.publish.diffing import Word, compare
from whybounce.publish.zone import zone_line

DEFAULT_TTL = 3600


@dataclass(frozen=True, slots=True)
class Published:
    """The records of one kind that are published now: none (an empty tuple), one, or several by mistake.

    texts   each record's text, its strings joined, one octet a character; the MX hosts with preference ("10 mx.example.com") for MX
    ttl     seconds, None where not known
    """

    texts: tuple[str, ...] = ()
    ttl: int | None = None


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind an include or a redirect of an SPF record.

    found      True: it has one SPF record; False: it surely has none, so that whoever includes it gets permerror; None: not found out
    lookups    DNS look-ups of that record and of all below it (RFC 7208 section 4.6.4), without the one for itself
    networks   the addresses for which it passes, as networks; None where they cannot be listed (exists, ptr, macros, a failed look-up)
    """

    found: bool | None = None
    lookups: int = 0
    networks: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one domain publishes. None: not looked at, or could not be found out; then nothing is proposed for it.

    spf, dmarc, mta_sts, tls_rpt   TXT records of that kind at the domain, _dmarc., _mta-sts. and _smtp._tls. of it
    mx                             its MX records, best first, as "10 mx.example.com"
    policy                         the text of its MTA-STS policy file; "" where there is none
    dmarc_above                    the domain above it whose DMARC record holds for it where it has none; "" where there is none
    spf_result, spf_ip             what SPF gave ("pass", "fail" ...) for this sending address; "" where it was not evaluated
    spf_lookups                    DNS look-ups of its SPF record in all (RFC 7208 section 4.6.4); None: they are counted from `behind`
    behind                         the domains that its SPF records include or redirect to, in lower case, and the include that is wanted
    exists                         False: the domain does not exist in DNS
    """

    domain: str
    spf: Published | None = None
    dmarc: Published | None = None
    dmarc_above: str = ""
    mta_sts: Published | None = None
    tls_rpt: Published | None = None
    mx: Published | None = None
    policy: str | None = None
    spf_result: str = ""
    spf_ip: str = ""
    spf_lookups: int | None = None
    behind: Mapping[str, Behind] = field(default_factory=dict)
    exists: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person wants.

    now           the date from which the new id of an MTA-STS policy is made
    sending_ip    an address literal that is to pass SPF; "": none
    include       the name that a provider gives to be included in SPF ("_spf.provider.example"); "": none
    report_to     mailbox for the reports of DMARC and TLS-RPT; "": postmaster of the domain
    remove_ptr    take `ptr` out of an SPF record that works today, although senders may rely on it
    """

    now: datetime
    sending_ip: str = ""
    include: str = ""
    report_to: str = ""
    remove_ptr: bool = False


def shown_lines(text: str) -> str:
    """A text of several lines from a stranger, safe to show: the line breaks stay."""
    return "\n".join(shown(line) for line in text.replace("\r\n", "\n").split("\n"))


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """The file that an MTA-STS record needs beside it: where it is served, its text now ("" where none) and the proposed one."""

    url: str
    published: str
    proposed: str

    @property
    def diff(self) -> tuple[Word, ...]:
        """The words of the proposed file and those that are taken out; a line is two words, "mx:" and the host."""
        return compare([self.published], self.proposed)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A record to publish. `proposed` is "" where there is nothing to publish, and `why` says so in a sentence; then it is falsy.

    name        where it is published, without the trailing dot
    rdtype      "TXT" or "MX"
    ttl         seconds: that of the record there is, else one hour
    published   the records that it replaces, safe to show; all of them are to be deleted
    why         sentences: what is changed and why
    warnings    sentences: what to look at before or after publishing
    file        the policy file that has to be served as well (MTA-STS)
    """

    name: str
    rdtype: str
    ttl: int
    published: tuple[str, ...]
    proposed: str
    why: str
    warnings: tuple[str, ...] = ()
    file: PolicyFile | None = None

    def __bool__(self) -> bool:
        return bool(self.proposed)

    @property
    def diff(self) -> tuple[Word, ...]:
        """The words of the proposed record and those that are taken out."""
        return compare(self.published, self.proposed) if self.proposed else ()

    @property
    def zone_line(self) -> str:
        """The record as one line of a zone file (RFC 1035 section 5.1), ready to copy; "" where there is none."""
        return zone_line(self.name, self.ttl, self.rdtype, self.proposed) if self.proposed else ""


def proposal(
    name: str, published: Published, proposed: str, why: str, warnings: tuple[str, ...] = (), *, rdtype: str = "TXT", file: PolicyFile | None = None
) -> Proposal:
    """A proposal beside what is published; nothing where that is the same already."""
    texts = tuple(shown(text) for text in published.texts)
    ttl = DEFAULT_TTL if published.ttl is None else published.ttl
    return Proposal(name, rdtype, ttl, texts, proposed, why, warnings, file)


def nothing(name: str, why: str, published: Published | None = None, warnings: tuple[str, ...] = (), *, rdtype: str = "TXT") -> Proposal:
    """No record to publish, and why."""
    return proposal(name, published or Published(), "", why, warnings, rdtype=rdtype)
