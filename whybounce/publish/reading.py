"""What the checks saw, as what a domain publishes. Asks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from whybounce.checks.result import CheckResult
from whybounce.publish.behind import behind_in
from whybounce.publish.values import Published, Seen

Facts = Mapping[str, Any]


def seen_in(results: Iterable[CheckResult], domain: str) -> Seen:
    """What results of the checks spf, dmarc, mx, mtasts and tlsrpt tell of `domain` (lower case, no trailing dot); of a check that
    looked at another domain, or could not look, nothing."""
    seen = Seen(domain)
    for result in results:
        read = _READ.get(result.check)
        if read is not None and str(result.facts.get("domain", "")).lower() == domain:
            seen = read(seen, result, result.facts)
    return seen


def _spf(seen: Seen, result: CheckResult, facts: Facts) -> Seen:
    if facts.get("identity") == "helo" or any(finding.finding == "dns.nxdomain" for finding in result.findings):
        return replace(seen, exists=facts.get("identity") == "helo")
    tree: Facts = facts.get("tree") or {}
    texts = [str(text) for text in tree.get("records") or ([facts["record"]] if facts.get("record") else [])]
    if not texts and result.answer != "none":
        return seen
    of_address = result.answer if facts.get("sending_ip") else ""
    return replace(
        seen,
        spf=Published(tuple(texts), facts.get("ttl")),
        spf_result=of_address,
        spf_ip=str(facts.get("sending_ip") or ""),
        spf_lookups=facts.get("lookups_in_all"),
        behind={**seen.behind, **behind_in(tree, {})},
    )


def _mx(seen: Seen, result: CheckResult, facts: Facts) -> Seen:
    if result.answer == "nxdomain":
        return replace(seen, exists=False)
    if facts.get("status") not in ("answered", "nodata"):
        return seen
    texts = tuple(f"{mx['preference']} {mx['host']}" for mx in facts.get("mx") or ())
    if len(texts) < int(facts.get("count") or 0):
        return seen
    return replace(seen, mx=Published(texts, facts.get("ttl")))


def _dmarc(seen: Seen, result: CheckResult, facts: Facts) -> Seen:
    """Without a record of its own, a domain above that could not be looked up may hold the one for it."""
    records = facts.get("records")
    if records is None or (not records and result.answer in ("temperror", "unknown")):
        return seen
    return replace(seen, dmarc=Published(tuple(str(text) for text in records), facts.get("ttl")), dmarc_above=str(facts.get("above") or ""))


def _mta_sts(seen: Seen, _: CheckResult, facts: Facts) -> Seen:
    if facts.get("records") is None:
        return seen
    return replace(seen, mta_sts=Published(tuple(facts["records"]), facts.get("ttl")), policy=facts.get("policy"))


def _tls_rpt(seen: Seen, _: CheckResult, facts: Facts) -> Seen:
    return seen if facts.get("records") is None else replace(seen, tls_rpt=Published(tuple(facts["records"]), facts.get("ttl")))


_READ = {"spf": _spf, "mx": _mx, "dmarc": _dmarc, "mtasts": _mta_sts, "tlsrpt": _tls_rpt}
