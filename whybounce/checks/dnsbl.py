"""Whether the sending address or the sender's domain stands on blocklists, and on the one that the reply names: RFC 5782."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable, Sequence

from whybounce.checks.dnsbl_ask import Budget, Entry, Standing, ask, entries_for, fetch_text, passes_test
from whybounce.checks.dnsbl_named import named_lists, stands_for
from whybounce.checks.guard import DomainError, parse_domain, parse_networks, shown
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, Finding, Severity, State, Subject
from whybounce.checks.tools import Tools
from whybounce.snapshot import Blocklist, Weight

ANSWERS = (
    DeclaredAnswer("not-listed", State.GOOD),
    DeclaredAnswer("listed-named", State.BAD),
    DeclaredAnswer("listed", State.BAD),
    DeclaredAnswer("listed-minor", State.WARNING),
    DeclaredAnswer("domain-listed", State.BAD),
    DeclaredAnswer("refused", State.UNKNOWN, informative=False),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}

# Of the questions of a case, which are a hundred: those to the lists, and with them those about what is listed.
MAX_LISTS = 50
MAX_QUESTIONS = 60
MAX_DOMAINS = 2

_ORDER = (Weight.HEAVY, Weight.MEDIUM, Weight.LIGHT, Weight.NONE)
_GRAVE = (Weight.HEAVY, Weight.MEDIUM)
# No list is about these.
_INTERNAL = parse_networks(["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "::1", "fc00::/7", "fe80::/10"])


def needs(subject: Subject) -> str:
    return "" if subject.sending_ip or _domains(subject) else "the IP address of the sending server, or the sender's domain"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Ask all lists at once; then, of those that list, why, and whether they list everything."""
    try:
        address = _address(subject.sending_ip)
    except ValueError:
        return _unknown(f"{shown(subject.sending_ip, 100)} is no IP address, so no blocklist can be asked.")
    domains = _domains(subject)
    internal = bool(address) and any(ipaddress.ip_address(address) in network for network in _INTERNAL)
    if internal and not domains:
        return _unknown(f"{address} is an internal address. Blocklists are about the public address from which the mail leaves.")
    named = named_lists(tools.blocklists, subject.reply)
    entries, left_out = _plan(tools.blocklists, "" if internal else address, domains, named)
    if not entries:
        return _unknown("There is no blocklist to ask.")
    await asyncio.gather(*(ask(entry, tools.resolver) for entry in entries))
    await _look_closer(entries, tools.resolver, Budget(MAX_QUESTIONS - len(entries)))
    return _result(entries, address, domains, named, left_out)


def _plan(lists: Sequence[Blocklist], address: str, domains: Sequence[str], named: Sequence[Blocklist]) -> tuple[list[Entry], tuple[str, ...]]:
    """The questions, those to the list that the reply names first, then by weight; and the names of the lists for which there is no room."""
    entries = entries_for(lists, address, domains)
    for entry in entries:
        entry.named = any(stands_for(entry.list, item) for item in named)
    entries.sort(key=lambda entry: (not entry.named, _ORDER.index(entry.list.weight)))
    return entries[:MAX_LISTS], tuple(dict.fromkeys(entry.list.name for entry in entries[MAX_LISTS:]))


async def _look_closer(entries: Sequence[Entry], resolver: Resolver, budget: Budget) -> None:
    """A list that lists the world is not believed (RFC 5782 section 5); one that the reply names and that denies is asked whether it
    works at all. What is listed brings its text with it."""
    listed = [entry for entry in entries if entry.standing is Standing.LISTED]
    denying = [entry for entry in entries if entry.named and entry.standing is Standing.NOT_LISTED]
    texts = max(0, budget.left - len(listed) - len(denying))
    await asyncio.gather(
        *(_believe(entry, resolver, budget) for entry in listed),
        *(_works(entry, resolver, budget) for entry in denying),
        *(fetch_text(entry, resolver) for entry in listed[:texts]),
    )


async def _believe(entry: Entry, resolver: Resolver, budget: Budget) -> None:
    if await passes_test(entry, False, resolver, budget) is False:
        entry.standing, entry.answers = Standing.ERROR, ()
        entry.reason = "it lists even its test entry that must not be listed, so it is closed or broken (RFC 5782 section 5)"


async def _works(entry: Entry, resolver: Resolver, budget: Budget) -> None:
    if await passes_test(entry, True, resolver, budget) is False:
        entry.standing = Standing.ERROR
        entry.reason = "it does not list its own test entry, so it is closed or does not answer us (RFC 5782 section 5)"


def _result(entries: Sequence[Entry], address: str, domains: Sequence[str], named: Sequence[Blocklist], left_out: Sequence[str]) -> CheckResult:
    block = [entry for entry in entries if entry.list.kind != "allow"]
    silent = [item for item in named if not item.zone and not any(stands_for(entry.list, item) for entry in entries)]
    answer = _answer(block)
    if answer == "not-listed" and not all(item.closed for item in silent):
        answer = "unknown"
    findings = [*_findings(entries), *_error_findings(entries)]
    subjects: list[Fact] = [*filter(None, [address]), *domains]
    clear = [entry for entry in block if entry.standing is Standing.NOT_LISTED]
    if clear and not any(entry.standing is Standing.LISTED for entry in block):
        findings.insert(0, Finding("dnsbl.not_listed", Severity.OK, {"subjects": subjects, "lists": len({entry.list.slug for entry in clear})}))
    facts: dict[str, Fact] = {
        "ip": address,
        "domains": list(domains),
        "lists": [entry.fact() for entry in entries],
        "named": [item.name for item in named],
        "left_out": list(left_out),
    }
    return CheckResult("dnsbl", answer, _STATES[answer], _sentence(answer, block, subjects, silent), tuple(findings), facts)


def _answer(block: Sequence[Entry]) -> str:
    """What the blocklists say in all. Not listed needs that every list that weighs heavy, and the one that is named, could tell."""
    listed = [entry for entry in block if entry.standing is Standing.LISTED]
    if any(entry.named for entry in listed):
        return "listed-named"
    if any(entry.list.weight in _GRAVE and not entry.of_domain for entry in listed):
        return "listed"
    if any(entry.list.weight in _GRAVE for entry in listed):
        return "domain-listed"
    if listed:
        return "listed-minor"
    failed = [entry for entry in block if entry.standing is Standing.ERROR]
    grave = [entry for entry in failed if entry.named or entry.list.weight is Weight.HEAVY]
    if block and len(failed) < len(block) and not grave:
        return "not-listed"
    return "refused" if any(entry.refused for entry in grave or failed) else "unknown"


def _findings(entries: Iterable[Entry]) -> Iterable[Finding]:
    for entry in entries:
        if entry.standing is Standing.LISTED:
            name = "dnsbl.domain_listed" if entry.of_domain else "dnsbl.listed"
            allowed = entry.list.kind == "allow"
            yield Finding("dnsbl.allowlisted" if allowed else name, Severity.INFO if allowed else Severity.ERROR, entry.fact())


def _error_findings(entries: Iterable[Entry]) -> Iterable[Finding]:
    """One for each reason: a resolver that fails fails for all lists alike."""
    by_reason: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.standing is Standing.ERROR:
            by_reason.setdefault(entry.reason, []).append(entry)
    for reason, failed in by_reason.items():
        names: list[Fact] = [*dict.fromkeys(entry.list.name for entry in failed)]
        zones: list[Fact] = [*dict.fromkeys(entry.list.zone for entry in failed)]
        yield Finding("dnsbl.error", Severity.UNKNOWN, {"lists": names, "zones": zones, "reason": reason})


def _sentence(answer: str, block: Sequence[Entry], subjects: Sequence[Fact], silent: Sequence[Blocklist]) -> str:
    who = " and ".join(str(subject) for subject in subjects)
    sentences = [_about(answer, block, who)]
    denied = [entry for entry in block if entry.named and entry.standing is Standing.NOT_LISTED]
    if denied and answer != "listed-named":
        names = " and ".join(dict.fromkeys(entry.list.name for entry in denied))
        sentences.append(f"the reply names {names}, which does not list {denied[0].subject} now")
    for item in silent[:2]:
        why = "is closed: who still asks it refuses mail by mistake" if item.closed else "cannot be asked from here"
        sentences.append(f"the reply names {item.name}, which {why}")
    failed = list(dict.fromkeys(entry.list.name for entry in block if entry.standing is Standing.ERROR))
    if failed and answer not in ("refused", "unknown"):
        sentences.append(f"{_some(failed)} could not tell")
    return "; ".join(sentences) + "."


def _about(answer: str, block: Sequence[Entry], who: str) -> str:
    listed = [entry for entry in block if entry.standing is Standing.LISTED]
    if listed:
        chosen = [entry for entry in listed if entry.named] or [entry for entry in listed if entry.list.weight in _GRAVE] or listed
        names = _some([*dict.fromkeys(entry.list.name for entry in chosen)])
        subject = " and ".join(dict.fromkeys(entry.subject for entry in chosen))
        return {
            "listed-named": f"{subject} is listed by {names}, which the reply names",
            "listed-minor": f"{subject} is listed by {names}, to which receivers give little weight",
        }.get(answer, f"{subject} is listed by {names}")
    failed = [entry for entry in block if entry.standing is Standing.ERROR]
    clear = len({entry.list.slug for entry in block if entry.standing is Standing.NOT_LISTED})
    who = f"{who} {'are' if ' and ' in who else 'is'}"
    if clear and not [entry for entry in failed if entry.named or entry.list.weight is Weight.HEAVY]:
        return f"{who} on none of the {clear} blocklists that answered" if clear > 1 else f"{who} not on the blocklist that was asked"
    names = _some([*dict.fromkeys(entry.list.name for entry in failed)])
    rest = f"; {clear} others do not list it" if clear else ""
    said = f"Whether {who} listed is not known: {names} could not tell ({failed[0].reason}){rest}"
    return said if failed else "No blocklist was asked"


def _some(names: Sequence[str], most: int = 4) -> str:
    """`A, B and C`, and how many more."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _address(text: str) -> str:
    literal = text.strip().removeprefix("[").removesuffix("]")
    literal = literal[5:] if literal.lower().startswith("ipv6:") else literal
    if not literal:
        return ""
    ip = ipaddress.ip_address(literal.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return str(mapped or ip)


def _domains(subject: Subject) -> tuple[str, ...]:
    """The sender's: of MAIL FROM and of From; a domain alone is the sender's only where there is no recipient."""
    texts = [subject.mail_from, subject.header_from, "" if subject.recipient else subject.domain]
    found = []
    for text in texts:
        try:
            found.append(parse_domain(text.strip().strip("<>").rpartition("@")[2]))
        except DomainError:
            continue
    return tuple(dict.fromkeys(found))[:MAX_DOMAINS]


def _unknown(detail: str) -> CheckResult:
    return CheckResult("dnsbl", "unknown", State.UNKNOWN, detail)
