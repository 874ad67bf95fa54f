"""The null MX: says that a domain takes no mail (RFC 7505)."""

from __future__ import annotations

from whybounce.checks.spf_record import SyntaxProblem, parse_record
from whybounce.publish.values import Proposal, Seen, Wanted, nothing, proposal

NULL = "0 ."


def propose_null_mx(seen: Seen, _wanted: Wanted) -> Proposal:
    """Only for a domain without MX whose SPF record says that it sends nothing: whoever sends must be able to take bounces, and
    receivers may refuse mail from a domain with a null MX (RFC 7505 section 4.2)."""
    domain, mx = seen.domain, seen.mx
    why_not = _why_not(seen)
    if why_not or mx is None:
        return nothing(domain, why_not, mx, rdtype="MX")
    why = f"{domain} has no MX record and sends no mail (its SPF record is v=spf1 -all). The null MX tells senders at once that it takes none."
    warnings = (f"If {domain} takes mail at its own address today, this ends it.",)
    return proposal(domain, mx, NULL, why, warnings, rdtype="MX")


def _why_not(seen: Seen) -> str:
    domain = seen.domain
    if not seen.exists:
        return f"The domain {domain} does not exist in DNS, so no record can be published for it."
    if seen.mx is None or seen.spf is None:
        return f"Whether {domain} sends or receives mail could not be found out, so a null MX is not proposed."
    if any(text.split()[-1:] == ["."] for text in seen.mx.texts):
        return f"{domain} has a null MX already."
    if seen.mx.texts:
        return f"{domain} has MX hosts, so it receives mail: a null MX would end that."
    if not seen.spf.texts:
        return f"{domain} has no SPF record, so it may send mail, and receivers refuse senders with a null MX. If it sends none, publish v=spf1 -all."
    if not all(_sends_nothing(text) for text in seen.spf.texts):
        return f"The SPF record of {domain} lets somebody send for it, and receivers refuse senders with a null MX."
    return ""


def _sends_nothing(text: str) -> bool:
    try:
        record = parse_record(text.encode("latin-1", "replace"))
    except SyntaxProblem:
        return False
    return record.redirect is None and [(term.name, term.qualifier) for term in record.mechanisms[:1]] == [("all", "-")]
