"""What was found a short time ago about the same subject, by whoever asked: it is shown with its age instead of being asked again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from troubleshoot.facts import subject_to_json
from troubleshoot.models import CheckOutcome, CheckRun
from whybounce.checks.result import State, Subject

SWITCHED_OFF = "off"
"""The answer of a check that may not look here at all."""


def digest_of(subject: Subject, message: bytes = b"") -> str:
    """What runs about the same have in common: every fact that a check may use, and the message whose signature one verifies."""
    facts = json.dumps(subject_to_json(subject), sort_keys=True)
    return hashlib.sha256(facts.encode() + b"\0" + hashlib.sha256(message).digest()).hexdigest()


def recent_outcomes(about: str, names: Collection[str]) -> list[CheckOutcome]:
    """The newest outcome of each of these checks about `about` that is not older than
    WHYBOUNCE_CHECKS_KEPT says (in seconds). What could not look is looked at again,
    but for what the operator switched off."""
    kept: int = settings.WHYBOUNCE_CHECKS_KEPT
    if not kept:
        return []
    rows = CheckOutcome.objects.filter(run__about=about, check_name__in=names, at__gte=timezone.now() - timedelta(seconds=kept))
    looked = rows.exclude(~Q(answer=SWITCHED_OFF), state=State.UNKNOWN)
    return list({row.check_name: row for row in looked.order_by("at", "pk")}.values())


def take_over(run: CheckRun, outcomes: Iterable[CheckOutcome]) -> None:
    """Stores these as outcomes of `run` too, as old as they are."""
    fields = ("check_name", "answer", "state", "detail", "findings", "facts", "elapsed_ms", "at")
    copies = [CheckOutcome(run=run, **{name: getattr(row, name) for name in fields}) for row in outcomes]
    CheckOutcome.objects.bulk_create(copies, ignore_conflicts=True)


def earlier_outcomes(run: CheckRun) -> dict[str, CheckOutcome]:
    """The newest outcome of each check about the same subject from before this run: what its own are compared with."""
    own = {row.check_name: row.at for row in run.outcomes.all()}
    if not run.about or not own:
        return {}
    rows = CheckOutcome.objects.filter(run__about=run.about, run__case=run.case_id, run__lt=run.pk).order_by("-at", "-pk")[: 30 * len(own)]
    found: dict[str, CheckOutcome] = {}
    for row in rows:
        if row.check_name in own and row.at < own[row.check_name]:
            found.setdefault(row.check_name, row)
    return found
