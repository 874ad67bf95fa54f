"""The name that DNS gives the sending address, and whether that name leads back to it: RFC 1912 section 2.1, forward-confirmed reverse DNS."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from whybounce.checks.dns_message import Lookup
from whybounce.checks.guard import shown
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, Finding, Severity, State, Subject
from whybounce.checks.tools import Tools

ANSWERS = (
    DeclaredAnswer("ok", State.GOOD),
    DeclaredAnswer("generic", State.WARNING),
    DeclaredAnswer("none", State.BAD),
    DeclaredAnswer("no-forward", State.BAD),
    DeclaredAnswer("mismatch", State.BAD),
    DeclaredAnswer("temperror", State.UNKNOWN, informative=False),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}

# Names followed to their addresses; mail servers look at no more (RFC 7208 section 5.5 stops at ten).
MAX_NAMES = 10
Address = IPv4Address | IPv6Address

# How access networks name addresses that they lend out: draft-msullivan-dnsop-generic-naming-schemes-00, and the host names of dial-up,
# DSL, cable and mobile networks that follow it. Each is a whole word of a label; "static" is not among them, for it says the opposite.
_ACCESS_WORDS = frozenset(
    (
        *("dyn", "dynamic", "dynip", "dhcp", "pool", "pools", "ppp", "pppoe", "pptp", "dip", "cgn", "cgnat"),
        *("dsl", "adsl", "sdsl", "vdsl", "xdsl", "rdsl", "cable", "cablemodem", "docsis", "ftth", "fttb", "wimax", "catv"),
        *("dial", "dialup", "dialin", "modem", "isdn", "broadband", "gprs", "umts"),
        *("cust", "customer", "customers", "subscriber", "residential", "unassigned"),
    )
)
# A mail server's name may hold its address, and be no less its own.
_MAIL_WORDS = frozenset(("mail", "smtp", "mx", "mta", "out", "outbound", "relay", "mailout", "mailer", "email"))
# Addresses of inside networks, of which the public DNS knows nothing: RFC 1918, 6598, 1122, 3927, 4193, 4291.
_INSIDE = tuple(
    ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)


@dataclass(frozen=True, slots=True)
class Name:
    """A PTR name and what it leads to. `undecided`: an address look-up failed, so it may yet lead back."""

    name: str
    addresses: tuple[str, ...]
    confirms: bool
    undecided: bool
    generic: str

    def fact(self) -> dict[str, Fact]:
        addresses = list(self.addresses[:MAX_NAMES])
        return {"name": shown(self.name, 253), "addresses": addresses, "confirms": self.confirms, "generic": self.generic}


def needs(subject: Subject) -> str:
    return "" if _address(subject) else "the address that sent the message"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Look up the PTR names of the sending address, and the addresses of these names."""
    address = _address(subject)
    if address is None:
        return CheckResult("ptr", "unknown", State.UNKNOWN, "The sending address is not known.")
    lookup = await tools.resolver.ask(address.reverse_pointer, "PTR")
    pointed = tuple(dict.fromkeys(record.lower() for record in lookup.records))
    names = tuple(await asyncio.gather(*(_follow(name, address, tools) for name in pointed[:MAX_NAMES])))
    inside = any(address in network for network in _INSIDE if network.version == address.version)
    if lookup.absent and inside and not any(address in network for network in tools.resolver.allow_networks):
        detail = f"{address} is an address of an inside network, which has no name in the public DNS: the address that receivers see is needed."
        return CheckResult("ptr", "unknown", State.UNKNOWN, detail, (), _facts(address, lookup, names))
    answer, detail, findings = _judge(address, lookup, names)
    if len(pointed) > 1:
        findings.append(
            Finding("ptr.multiple", Severity.INFO, {"address": str(address), "names": [shown(name, 253) for name in pointed[:MAX_NAMES]]})
        )
    return CheckResult("ptr", answer, _STATES[answer], detail, tuple(findings), _facts(address, lookup, names))


def _address(subject: Subject) -> Address | None:
    try:
        ip = ip_address(subject.sending_ip)
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip


async def _follow(name: str, address: Address, tools: Tools) -> Name:
    """The addresses of one name, of the family of the sending address."""
    lookup = await tools.resolver.ask(name, "A" if address.version == 4 else "AAAA")
    confirms = any(ip_address(record) == address for record in lookup.records)
    return Name(name, lookup.records, confirms, not lookup.found and not lookup.absent, generic_reason(name, address))


def _judge(address: Address, lookup: Lookup, names: Sequence[Name]) -> tuple[str, str, list[Finding]]:
    if lookup.absent:
        return "none", f"{address} has no name in reverse DNS (no PTR record).", [Finding("ptr.none", Severity.ERROR, {"address": str(address)})]
    if not lookup.found:
        finding = Finding("ptr.temperror", Severity.UNKNOWN, {"address": str(address), "status": lookup.status.value, "reason": shown(lookup.detail)})
        return "temperror", f"The name of {address} could not be looked up ({lookup.status.value}).", [finding]
    confirmed = [name for name in names if name.confirms]
    if confirmed:
        return _confirmed(address, confirmed)
    data: dict[str, Fact] = {"address": str(address), "name": shown(names[0].name, 253)}
    first = shown(names[0].name, 253)
    if any(name.undecided for name in names):
        undecided = next(name for name in names if name.undecided)
        findings = [Finding("ptr.temperror", Severity.UNKNOWN, data | {"name": shown(undecided.name, 253)})]
        return "temperror", f"The addresses of {shown(undecided.name, 253)}, the name of {address}, could not be looked up.", findings
    generic = [Finding("ptr.generic", Severity.WARNING, data | {"reason": names[0].generic})] if names[0].generic else []
    elsewhere = next((name for name in names if name.addresses), None)
    if elsewhere is None:
        finding = Finding("ptr.no_forward", Severity.ERROR, data)
        return "no-forward", f"{address} has the name {first}, which has no such address in DNS: it leads nowhere.", [finding, *generic]
    data |= {"name": shown(elsewhere.name, 253), "addresses": list(elsewhere.addresses[:MAX_NAMES])}
    detail = f"{address} has the name {shown(elsewhere.name, 253)}, but that name stands for {', '.join(elsewhere.addresses[:3])}."
    return "mismatch", detail, [Finding("ptr.mismatch", Severity.ERROR, data), *generic]


def _confirmed(address: Address, names: Sequence[Name]) -> tuple[str, str, list[Finding]]:
    """A name leads back to the address. It is generic only where none of those that do looks chosen for it."""
    chosen = next((name for name in names if not name.generic), names[0])
    name = shown(chosen.name, 253)
    findings = [Finding("ptr.fcrdns_ok", Severity.OK, {"address": str(address), "name": name})]
    if not chosen.generic:
        return "ok", f"{address} has the name {name}, which leads back to it.", findings
    findings.append(Finding("ptr.generic", Severity.WARNING, {"address": str(address), "name": name, "reason": chosen.generic}))
    return (
        "generic",
        f"{address} has the name {name}, which leads back to it but looks like that of a dial-up or home address: {chosen.generic}.",
        findings,
    )


def _facts(address: Address, lookup: Lookup, names: Sequence[Name]) -> dict[str, Fact]:
    return {
        "address": str(address),
        "asked": lookup.name,
        "status": lookup.status.value,
        "names": [name.fact() for name in names],
        "count": len(lookup.records),
        "ttl": lookup.ttl,
        "server": lookup.server,
        "aliases": [shown(alias, 253) for alias in lookup.chain],
        "dns_errors": list(lookup.ede),
    }


def generic_reason(name: str, address: Address) -> str:
    """Why a name looks given by machine to an address that is lent out, as the end of a sentence; "" where it does not."""
    own = _below_domain(name.lower())
    words = set(re.split(r"[^a-z]+", own))
    if word := next(iter(sorted(words & _ACCESS_WORDS)), ""):
        return f'it holds the word "{word}"'
    if words & _MAIL_WORDS:
        return ""
    return "it holds the address itself" if _holds_address(own, address) else ""


def _below_domain(name: str) -> str:
    """The labels below the domain that is registered: the last two are its own, or three where the last two are like co.uk."""
    labels = name.split(".")
    own = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else 2
    return ".".join(labels[:-own])


def _holds_address(text: str, address: Address) -> bool:
    """All of the address stands in it, forwards or backwards: octets with something between or as digits or hexadecimal; nibbles for IPv6."""
    if isinstance(address, IPv6Address):
        plain = re.sub(r"[^0-9a-f]", "", text)
        digits = address.exploded.replace(":", "")
        groups = [f"{int(group, 16):x}" for group in address.exploded.split(":")]
        return digits in plain or digits[::-1] in plain or "-".join(groups) in text or str(address).replace(":", "-") in text
    octets = list(address.packed)
    for order in (octets, octets[::-1]):
        if re.search(r"(?<![0-9])" + r"[^0-9a-z]+".join(f"0{{0,2}}{octet}" for octet in order) + r"(?![0-9])", text):
            return True
        if "".join(f"{octet:03d}" for octet in order) in text or re.search(rf"(?<![0-9a-f]){bytes(order).hex()}(?![0-9a-f])", text):
            return True
    return False
