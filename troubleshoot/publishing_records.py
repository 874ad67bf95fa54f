"""The record to publish beside the one that is published now, from what the checks of a subject found. Asks DNS nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils import timezone

from troubleshoot.facts import result_of
from troubleshoot.models import CheckOutcome
from whybounce.checks.result import Subject
from whybounce.publish import Kind, Proposal, Wanted, propose, seen_in

KINDS: Mapping[str, Kind] = {"spf": Kind.SPF, "dmarc": Kind.DMARC, "mtasts": Kind.MTA_STS, "tlsrpt": Kind.TLS_RPT, "mx": Kind.NULL_MX}
"""By the check that proves the record."""


def records_to_publish(outcomes: Mapping[str, CheckOutcome], subject: Subject) -> dict[str, Proposal]:
    """By check: the record that its domain should publish. None for what is in order, or was not found out.

    The sending address is only wanted in SPF where SPF was looked at for it: a domain alone is nobody's sender.
    """
    results = [result_of(row) for row in outcomes.values() if row.check_name in KINDS]
    wanted = Wanted(now=timezone.now(), sending_ip=subject.sending_ip)
    found = {}
    for result in results:
        domain = str(result.facts.get("domain") or "").lower()
        if domain:
            proposal = propose(KINDS[result.check], seen_in(results, domain), wanted)
            if proposal:
                found[result.check] = proposal
    return found


def first_places(checks: Iterable[str]) -> dict[str, int]:
    """Where each check is named first: a record is shown once on a page."""
    places: dict[str, int] = {}
    for number, check in enumerate(checks, 1):
        places.setdefault(check, number)
    return places
