"""The record to publish beside the one that is published now, from what the checks of a subject found. Asks DNS nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from django.utils import timezone
from django.utils.translation import gettext as _

from troubleshoot.facts import result_of
from troubleshoot.models import CheckOutcome
from whybounce.checks.result import Subject
from whybounce.publish import Change, Kind, Proposal, Wanted, propose, seen_in

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
                found[result.check] = _with_caution(proposal, subject.sending_ip)
    return found


def _with_caution(proposal: Proposal, sending_ip: str) -> Proposal:
    """A bounce also names addresses that are nobody's own: of a forwarder, of a list, of somebody who forges."""
    named = [word.text for word in proposal.diff if word.change is Change.ADDED and word.text.partition(":")[2].partition("/")[0] == sending_ip]
    if not sending_ip or not named:
        return proposal
    caution = _("Only if %(ip)s is a server that sends for you: the address of a forwarder or a stranger does not belong into SPF.") % {
        "ip": sending_ip
    }
    return replace(proposal, warnings=(caution, *proposal.warnings))


def first_places(checks: Iterable[str]) -> dict[str, int]:
    """Where each check is named first: a record is shown once on a page."""
    places: dict[str, int] = {}
    for number, check in enumerate(checks, 1):
        places.setdefault(check, number)
    return places
