"""What a name server answered, as plain values: no exception and no object of the DNS library goes further than this."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.txtbase
import dns.rrset

from whybounce.checks.guard import shown

# Aliases in a row that are followed; real domains have two or three.
MAX_CHAIN = 8
TOO_LONG = f"more than {MAX_CHAIN} aliases in a row"
CIRCLE = "the aliases lead in a circle"


class Status(StrEnum):
    """What became of a question. UNKNOWN: it was not asked (too many questions, no name server)."""

    ANSWERED = "answered"
    NODATA = "nodata"
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Mx:
    """An MX record (RFC 5321 section 5.1). `host` is in lower case without the trailing dot; "." for the root, the null MX."""

    preference: int
    host: str


@dataclass(frozen=True, slots=True)
class Referral:
    """A name server's "ask those": it is not in charge of the name, but knows who is (RFC 1034 section 4.3.1).

    zone       the name that is delegated; servers: the names of its name servers, in lower case, sorted
    glue       their addresses as far as the answer holds them: (name, address)
    """

    zone: str
    servers: tuple[str, ...]
    glue: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Lookup:
    """The answer to one question.

    records      in presentation format, as the server ordered them, names without the trailing dot
    texts        for TXT and SPF: the bytes of each record, its strings joined (RFC 7208 section 3.3)
    chain        the targets of the aliases (CNAME) that led to the answer, in order
    ttl          seconds that the answer may be kept: the least along the chain; for "no such thing" from the SOA; None where not told
    server       the name server that answered, "address:port"
    ede          extended DNS errors (RFC 8914), such as "9 DNSKEY Missing: ..."
    detail       why, for ERROR, TIMEOUT and UNKNOWN
    elapsed_ms   from the first time that this name server was asked until it answered
    size         octets of the answer
    open_target  an alias target of which the answer tells nothing: it has still to be asked for
    authenticated        the resolver says that it validated the whole answer by DNSSEC (AD, RFC 4035 section 3.2.3): its word, not a proof
    authoritative        the server says that the answer is its own (AA)
    recursion_available  the server says that it asks others (RA)
    zone                 the zone that holds the name, where the answer shows its SOA; else ""
    referral             the answer is no answer but a delegation
    no_way, closed       nothing could be sent to the server from here; nobody listens there, or a firewall on the way says so
    """

    name: str
    rdtype: str
    status: Status
    records: tuple[str, ...] = ()
    texts: tuple[bytes, ...] = ()
    chain: tuple[str, ...] = ()
    ttl: int | None = None
    server: str = ""
    ede: tuple[str, ...] = ()
    detail: str = ""
    elapsed_ms: int = 0
    size: int = 0
    open_target: str = ""
    authenticated: bool = False
    authoritative: bool = False
    recursion_available: bool = False
    zone: str = ""
    referral: Referral | None = None
    no_way: bool = False
    closed: bool = False

    @property
    def found(self) -> bool:
        """There are records."""
        return self.status is Status.ANSWERED

    @property
    def absent(self) -> bool:
        """There are none, for certain: the name does not exist or has no record of this type."""
        return self.status in (Status.NODATA, Status.NXDOMAIN)

    @property
    def mx(self) -> tuple[Mx, ...]:
        """For MX: the records, best preference first."""
        pairs = (record.split(" ", 1) for record in self.records)
        return tuple(sorted((Mx(int(number), host.lower()) for number, host in pairs), key=lambda mx: (mx.preference, mx.host)))


def unknown(name: str, rdtype: str, detail: str, status: Status = Status.UNKNOWN) -> Lookup:
    """A question that brought no answer."""
    return Lookup(name, rdtype, status, detail=detail)


_FAILURES = {dns.rcode.SERVFAIL: Status.SERVFAIL, dns.rcode.REFUSED: Status.REFUSED}


def read_response(asked: Lookup, response: dns.message.Message) -> Lookup:
    """`asked` (name, type, server, time) completed by what the response says; aliases are followed within it (RFC 1034 section 3.6.2)."""
    qname, qtype = dns.name.from_text(asked.name), dns.rdatatype.from_text(asked.rdtype)
    rcode = response.rcode()
    chain, ttls, end, wrong = _follow_aliases(qname, qtype, response)
    asked = replace(
        asked,
        chain=tuple(_plain_name(target) for target in chain),
        ede=_extended_errors(response),
        authenticated=bool(response.flags & dns.flags.AD),
        authoritative=bool(response.flags & dns.flags.AA),
        recursion_available=bool(response.flags & dns.flags.RA),
        zone=_zone(response, end),
        referral=_referral(response),
    )
    if wrong:
        return replace(asked, status=Status.ERROR, detail=wrong)
    if rcode == dns.rcode.NXDOMAIN:
        # With aliases before it, NXDOMAIN speaks of the last target (RFC 6604 section 3).
        return replace(asked, status=Status.NXDOMAIN, ttl=_negative_ttl(response, ttls))
    if rcode != dns.rcode.NOERROR:
        detail = f"the name server answered {dns.rcode.to_text(rcode)}"
        return replace(asked, status=_FAILURES.get(rcode, Status.ERROR), detail=detail)
    rrset = response.get_rrset(response.answer, end, dns.rdataclass.IN, qtype)
    if rrset:
        return replace(asked, status=Status.ANSWERED, ttl=min([*ttls, rrset.ttl]), records=_records(rrset), texts=_texts(rrset))
    told = any(authority.rdtype == dns.rdatatype.SOA for authority in response.authority)
    if chain and not told:
        return replace(asked, status=Status.NODATA, ttl=min(ttls), open_target=_plain_name(end))
    return replace(asked, status=Status.NODATA, ttl=_negative_ttl(response, ttls))


def _follow_aliases(
    qname: dns.name.Name, qtype: dns.rdatatype.RdataType, response: dns.message.Message
) -> tuple[list[dns.name.Name], list[int], dns.name.Name, str]:
    """The alias targets, their TTLs, the name they end in, and why they lead nowhere ("" where they do not)."""
    chain: list[dns.name.Name] = []
    ttls: list[int] = []
    end = qname
    while qtype != dns.rdatatype.CNAME:
        alias = response.get_rrset(response.answer, end, dns.rdataclass.IN, dns.rdatatype.CNAME)
        if not alias:
            break
        target = alias[0].target
        if target == qname or target in chain:
            return chain, ttls, end, CIRCLE
        if len(chain) >= MAX_CHAIN:
            return chain, ttls, end, TOO_LONG
        chain.append(target)
        ttls.append(alias.ttl)
        end = target
    return chain, ttls, end, ""


def _zone(response: dns.message.Message, end: dns.name.Name) -> str:
    """The owner of the SOA in the answer, or beside an absence (RFC 2308 section 3), where it holds `end`."""
    owners = (rrset.name for rrset in [*response.answer, *response.authority] if rrset.rdtype == dns.rdatatype.SOA)
    return next((_plain_name(owner).lower() or "." for owner in owners if end.is_subdomain(owner)), "")


def _referral(response: dns.message.Message) -> Referral | None:
    """NS records beside an empty answer that is not the server's own."""
    if response.answer or response.rcode() != dns.rcode.NOERROR or response.flags & dns.flags.AA:
        return None
    told = next((rrset for rrset in response.authority if rrset.rdtype == dns.rdatatype.NS), None)
    if told is None:
        return None
    servers = {_plain_name(rdata.target).lower() for rdata in told}
    glue = [
        (_plain_name(rrset.name).lower(), rdata.address)
        for rrset in response.additional
        if rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA) and _plain_name(rrset.name).lower() in servers
        for rdata in rrset
    ]
    return Referral(_plain_name(told.name).lower() or ".", tuple(sorted(servers)), tuple(glue))


def _negative_ttl(response: dns.message.Message, ttls: list[int]) -> int | None:
    """How long an absence may be kept: the least of the SOA's TTL and its MINIMUM (RFC 2308 section 5)."""
    soas = [min(rrset.ttl, rrset[0].minimum) for rrset in response.authority if rrset.rdtype == dns.rdatatype.SOA]
    return min(soas + ttls, default=None)


def _records(rrset: dns.rrset.RRset) -> tuple[str, ...]:
    return tuple(_without_dot(rdata.to_text()) for rdata in rrset)


def _texts(rrset: dns.rrset.RRset) -> tuple[bytes, ...]:
    return tuple(b"".join(rdata.strings) for rdata in rrset if isinstance(rdata, dns.rdtypes.txtbase.TXTBase))


def _without_dot(record: str) -> str:
    """`10 mx.example.com.` -> `10 mx.example.com`; the root stays a dot."""
    return record[:-1] if record.endswith(".") and not record.endswith((" .", "\\.")) and record != "." else record


def _plain_name(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True)


_ACRONYMS = frozenset(("DNSKEY", "DNSSEC", "RRSIGS", "NSEC", "DS"))


def _extended_errors(response: dns.message.Message) -> tuple[str, ...]:
    """`9 DNSKEY missing: no SEP ...` for each extended DNS error."""
    found = []
    for option in response.extended_errors():
        title = " ".join(word if word in _ACRONYMS else word.lower() for word in option.code.name.split("_"))
        words = f"{int(option.code)} {title}" if not title.isdigit() else title
        found.append(f"{words}: {shown(option.text, 500)}" if option.text else words)
    return tuple(found)
