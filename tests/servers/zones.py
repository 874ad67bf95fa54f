"""The records and the behaviour that a DNS test server serves, read from the text of a zone file.

Ordinary master file lines (RFC 1035 section 5), plus lines that say how the server behaves for a name:

    ;! slow.test delay=1.0
    ;! *.broken.test servfail ede=9
    ;! dead.test silent
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tokenizer
import dns.zonefile

RCODES = {"servfail": dns.rcode.SERVFAIL, "refused": dns.rcode.REFUSED, "formerr": dns.rcode.FORMERR, "notimp": dns.rcode.NOTIMP}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the server does for a name instead of just answering.

    rcode       "servfail", "refused", ...: an answer without records
    delay       seconds before the answer
    silent      no answer at all; `times` counts these too
    truncate    over UDP only the TC bit
    no_tcp      TCP connections are closed without an answer
    garbage     bytes that are no DNS message, then nothing
    chase       False: an alias is answered without what it points to, as an authoritative server would
    ede         extended DNS error of that number
    aa          as an authoritative server answers: its own (AA), without recursion, a referral below a zone cut
    ad          says that it validated the answer (AD)
    times       only for the first so many queries; 0: always
    rdtype      only for this type; "": for all
    """

    rcode: str = ""
    delay: float = 0.0
    silent: bool = False
    truncate: bool = False
    no_tcp: bool = False
    garbage: bool = False
    chase: bool = True
    ede: int = -1
    times: int = 0
    rdtype: str = ""
    aa: bool = False
    ad: bool = False


@dataclass(slots=True)
class Zones:
    """Records by name and type, and behaviours by name ("*" for every name, "*.sub.test" for all below, or one name)."""

    records: dict[dns.name.Name, dict[int, dns.rrset.RRset]] = field(default_factory=dict)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)

    def read(self, text: str) -> None:
        """Add what `text` holds; the records of a name and type that it names replace those there were."""
        for rrset in _parse(text):
            self.records.setdefault(rrset.name, {})[rrset.rdtype] = rrset
        for match in re.finditer(r"^;!\s*(\S+)\s+(.+)$", text, re.MULTILINE):
            self.behaviours[match[1].lower().rstrip(".") or "*"] = _behaviour(match[2].split())

    def remove(self, name: str, rdtype: str = "") -> None:
        """Forget the records of a name, of one type or of all."""
        rrsets = self.records.get(dns.name.from_text(name), {})
        for number in list(rrsets):
            if not rdtype or number == dns.rdatatype.from_text(rdtype):
                del rrsets[number]
        if not rrsets:
            self.records.pop(dns.name.from_text(name), None)

    def behaviour(self, qname: dns.name.Name, qtype: int) -> Behaviour:
        """What was programmed for this question; counts down `times`."""
        name = qname.to_text(omit_final_dot=True).lower()
        keys = [name, *("*." + name.split(".", dots)[-1] for dots in range(1, name.count(".") + 1)), "*"]
        for key in keys:
            found = self.behaviours.get(key)
            if found is None or (found.rdtype and dns.rdatatype.from_text(found.rdtype) != qtype):
                continue
            if found.times == 1:
                del self.behaviours[key]
            elif found.times:
                self.behaviours[key] = replace(found, times=found.times - 1)
            return found
        return Behaviour()

    def find(self, qname: dns.name.Name, qtype: int, chase: bool) -> tuple[list[dns.rrset.RRset], bool]:
        """The answer section, and whether the last name of it exists."""
        answer: list[dns.rrset.RRset] = []
        for _ in range(20):
            rrsets = self._at(qname)
            if rrsets is None:
                return answer, False
            if qtype in rrsets:
                return [*answer, _renamed(rrsets[qtype], qname)], True
            alias = rrsets.get(dns.rdatatype.CNAME)
            if alias is None:
                return answer, True
            answer.append(_renamed(alias, qname))
            qname = alias[0].target
            if not chase:
                return answer, True
        return answer, True

    def soa(self, qname: dns.name.Name) -> dns.rrset.RRset | None:
        """The SOA of the zone that holds the name."""
        while qname != dns.name.root:
            soa = self.records.get(qname, {}).get(dns.rdatatype.SOA)
            if soa is not None:
                return soa
            qname = qname.parent()
        return None

    def referral(self, qname: dns.name.Name) -> tuple[dns.rrset.RRset, list[dns.rrset.RRset]] | None:
        """The NS records of the zone below to which the name belongs, and the addresses of those servers; None within the own zone."""
        while qname != dns.name.root:
            rrsets = self.records.get(qname, {})
            if dns.rdatatype.SOA in rrsets:
                return None
            if dns.rdatatype.NS in rrsets:
                told = rrsets[dns.rdatatype.NS]
                glue = [self.records.get(rdata.target, {}).get(rdtype) for rdata in told for rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)]
                return told, [rrset for rrset in glue if rrset is not None]
            qname = qname.parent()
        return None

    def _at(self, qname: dns.name.Name) -> dict[int, dns.rrset.RRset] | None:
        """The records at a name, by a wildcard where there is one (RFC 4592); None where the name does not exist."""
        if qname in self.records:
            return self.records[qname]
        if self._has_below(qname):
            return {}
        encloser = qname
        while encloser != dns.name.root:
            encloser = encloser.parent()
            wildcard = dns.name.Name((b"*", *encloser.labels))
            if wildcard in self.records:
                return self.records[wildcard]
            if encloser in self.records or self._has_below(encloser):
                return None
        return None

    def _has_below(self, qname: dns.name.Name) -> bool:
        return any(name.is_subdomain(qname) for name in self.records)


class _Collector:
    """Takes what dnspython's zone file reader reads, without a zone's rules (one SOA, no data beside a CNAME)."""

    def __init__(self) -> None:
        self.manager = self
        self.rrsets: dict[tuple[dns.name.Name, int], dns.rrset.RRset] = {}

    def origin_information(self) -> tuple[dns.name.Name, bool, dns.name.Name]:
        return dns.name.root, False, dns.name.root

    def check_put_rdataset(self, _: object) -> None:
        """The reader's own check of a zone's rules is not wanted."""

    def _set_origin(self, _: object) -> None:
        pass

    def add(self, name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> None:
        rrset = self.rrsets.setdefault((name, rdata.rdtype), dns.rrset.RRset(name, rdata.rdclass, rdata.rdtype))
        rrset.add(rdata, ttl)


def _parse(text: str) -> Iterable[dns.rrset.RRset]:
    """Master file text: names are relative to the root, TTL 300 where none is given."""
    collector = _Collector()
    tokens = dns.tokenizer.Tokenizer(text, "zone")
    directives = ["$ORIGIN", "$TTL", "$GENERATE"]
    dns.zonefile.Reader(tokens, dns.rdataclass.IN, collector, allow_directives=directives, default_ttl=300).read()  # type: ignore[arg-type]
    return collector.rrsets.values()


def _renamed(rrset: dns.rrset.RRset, name: dns.name.Name) -> dns.rrset.RRset:
    copy = rrset.copy()
    copy.name = name
    return copy


def _behaviour(words: list[str]) -> Behaviour:
    values: dict[str, object] = {}
    for word in words:
        key, _, value = word.partition("=")
        if key in RCODES:
            values["rcode"] = key
        elif key in ("delay", "ede", "times", "rdtype"):
            values[key] = {"delay": float, "ede": int, "times": int, "rdtype": str}[key](value)
        elif key == "nochase":
            values["chase"] = False
        else:
            values[key] = True
    return Behaviour(**values)  # type: ignore[arg-type]


def txt(name: str, text: str | bytes) -> str:
    """A zone file line for a TXT record of any length, cut into strings of 255 octets."""
    data = text.encode() if isinstance(text, str) else text
    parts = [data[i : i + 255] for i in range(0, len(data), 255)] or [b""]
    quoted = ('"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03d}" for b in part) + '"' for part in parts)
    return f"{name} TXT ( {' '.join(quoted)} )\n"
