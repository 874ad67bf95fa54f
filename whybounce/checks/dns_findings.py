"""What the answer to a question about a domain tells of its DNS, in the same words wherever the question was asked."""

from __future__ import annotations

from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.guard import shown
from whybounce.checks.result import Finding, Severity

# A name server that needs this long makes mail servers give up now and then.
SLOW_MS = 900


def dns_findings(domain: str, lookup: Lookup) -> list[Finding]:
    """The findings about the answer itself, not about the records in it: dns.domain_is_cname, dns.nxdomain, dns.servfail,
    dns.timeout, dns.slow."""
    findings = []
    if lookup.chain:
        findings.append(Finding("dns.domain_is_cname", Severity.INFO, {"name": domain, "target": shown(lookup.chain[-1])}))
    if lookup.status is Status.NXDOMAIN:
        findings.append(Finding("dns.nxdomain", Severity.ERROR, {"name": shown(lookup.chain[-1]) if lookup.chain else domain}))
    elif lookup.status is Status.SERVFAIL:
        findings.append(Finding("dns.servfail", Severity.ERROR, {"name": domain, "dns_errors": list(lookup.ede)}))
    elif lookup.status in (Status.REFUSED, Status.ERROR):
        # The name server that we use failed us: that says nothing certain of the domain.
        findings.append(Finding("dns.servfail", Severity.UNKNOWN, {"name": domain, "reason": shown(lookup.detail)}))
    elif lookup.status is Status.TIMEOUT:
        findings.append(Finding("dns.timeout", Severity.ERROR, {"name": domain}))
    elif lookup.elapsed_ms >= SLOW_MS:
        findings.append(Finding("dns.slow", Severity.INFO, {"name": domain, "milliseconds": lookup.elapsed_ms}))
    return findings
