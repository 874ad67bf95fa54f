"""Which checks can look at something in a case, and the resolver they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings

from troubleshoot.effects import Standing
from troubleshoot.facts import failure_from_json, subject_from_json
from troubleshoot.models import Case, CheckOutcome, CheckRun, Failure, Observation
from troubleshoot.returned import returned_message
from whybounce.checks.dnsbl_zones import chosen_lists
from whybounce.checks.registry import CHECKS
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import Subject
from whybounce.checks.runner import possible
from whybounce.checks.tools import Admit, Tools
from whybounce.compiled import Knowledge
from whybounce.failure import DeliveryFailure

MAX_REPLY = 2000
SUPPLIABLE = ("domain", "sending_ip", "mail_from", "header_from", "helo", "selectors", "message_size")
"""What a person may add to a subject by hand."""


def subject_of(failure: DeliveryFailure, supplied: Mapping[str, Any]) -> Subject:
    """What checks can look at in a failure; what a person supplied goes before what the paste said."""
    subject = Subject(
        domain=failure.recipient_domain,
        recipient=failure.recipient,
        sending_ip=failure.sending_ip,
        mail_from=failure.envelope_sender,
        header_from=failure.header_from,
        helo=failure.helo,
        message_size=failure.message_size,
        reply=failure.text[:MAX_REPLY],
    )
    given: dict[str, Any] = {name: supplied[name] for name in SUPPLIABLE if supplied.get(name)}
    given |= {"selectors": tuple(given["selectors"])} if "selectors" in given else {}
    if given.get("domain", subject.domain) != subject.domain:
        # It is the recipient's domain: a subject with a domain and no recipient would be taken for the sender's by the spf check.
        given["recipient"] = f"postmaster@{given['domain']}"
    return replace(subject, **given)


def message_of(case: Case) -> bytes:
    """The message that bounced, where the paste holds it whole with a DKIM signature; else b"". Reads what was pasted: a query."""
    return returned_message(bytes(case.pasted)) if case.format != "none" else b""


def chosen_failure(case: Case) -> Failure | None:
    """The failure that the case's page is about; None where nothing failed. One query for each `case` in memory: failures never change."""
    if not case.failure_count:
        return None
    kept = case.__dict__.get("_chosen_failure")
    if not isinstance(kept, Failure) or kept.position != case.position:
        kept = case.__dict__["_chosen_failure"] = case.failures.filter(position=case.position).first()
    return kept


def keep_observations(case: Case) -> list[Observation]:
    """What was observed, read now; the next `observations_of` the same `case` gets it without reading again."""
    rows: list[Observation] = list(case.observations.select_related("by"))
    case.__dict__["_observations"] = rows
    return rows


def observations_of(case: Case) -> list[Observation]:
    """What was observed, with who said so: what a write of the same request left, else one query."""
    kept: list[Observation] | None = case.__dict__.pop("_observations", None)
    return list(case.observations.select_related("by")) if kept is None else kept


def current_subject(case: Case) -> Subject:
    row = chosen_failure(case)
    return subject_of(failure_from_json(row.facts) if row else DeliveryFailure(), case.supplied)


def standing_of(known: Knowledge, case: Case) -> Standing:
    """What the ranking of a case is made from, as it is stored: two queries."""
    row = chosen_failure(case)
    failure = failure_from_json(row.facts) if row else DeliveryFailure()
    return Standing(known, failure, dict(case.observations.values_list("question", "answer")))


def runnable(subject: Subject, names: Iterable[str] = CHECKS) -> list[str]:
    """Those of the checks `names` that lack nothing to look at `subject`, in the order of the registry."""
    wanted = set(names)
    return [name for name in possible(subject) if name in wanted]


def runs_about(case: Case, subject: Subject) -> list[CheckRun]:
    """The case's runs that looked at `subject`, oldest first, with their outcomes: two queries."""
    return [run for run in case.runs.prefetch_related("outcomes") if subject_from_json(run.subject) == subject]


def latest_outcomes(runs: Iterable[CheckRun]) -> dict[str, CheckOutcome]:
    """The newest outcome of each check."""
    return {outcome.check_name: outcome for run in runs for outcome in run.outcomes.all()}


MAX_ATTEMPTS = 5
"""A run whose stream broke off is gone on with so often; then it has to be asked for anew."""


def pending(run: CheckRun) -> list[str]:
    """The checks of a run that have no outcome yet and still exist; none where the run was begun too often to go on."""
    if run.attempts > MAX_ATTEMPTS:
        return []
    done = {outcome.check_name for outcome in run.outcomes.all()}
    return [name for name in run.names if name not in done and name in CHECKS]


def new_tools(known: Knowledge, *, message: bytes = b"", zones: Sequence[str] | None = None, admit: Admit | None = None) -> Tools:
    """What checks look with, by the settings and the knowledge; one for each run, used within one event loop.

    message     the one that bounced
    zones       blocklists to ask instead of the shipped ones; None: as the settings say
    admit       asked before a conversation with a mail server; None: nobody keeps count
    """
    resolver = Resolver(settings.WHYBOUNCE_NAMESERVERS or None, allow_networks=settings.WHYBOUNCE_ALLOW_NETWORKS)
    shipped = known.snapshot
    lists = chosen_lists(shipped.blocklists, settings.WHYBOUNCE_DNSBL_ZONES if zones is None else zones)
    return Tools(resolver, settings.WHYBOUNCE_REACH, lists, shipped.providers, message, admit)
