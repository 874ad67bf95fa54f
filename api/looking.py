"""POST checks: the live checks of a domain, waited for."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.decorators import decorate_view

from api.access import caller_of, guarded
from api.models import Scope
from api.schemas import Checked, ChecksIn
from api.subjects import known_checks, subject_of
from troubleshoot import services
from troubleshoot.models import CheckOutcome
from troubleshoot.streams import run_and_store
from whybounce.checks.registry import CHECKS

router = Router(tags=["checks"])


@router.post("/checks", response=Checked, operation_id="runChecks", summary="Check a domain or a sending server")
@decorate_view(guarded(Scope.CHECKS, takes_json=True))
def run_checks(request: HttpRequest, body: ChecksIn) -> dict[str, Any]:
    """Runs the live checks that the given facts allow and waits for them, 30 seconds at most: the JSON of `manage.py check_domain --json`.
    What a check found in the last five minutes about the same is given again. Name servers, blocklists and how far mail servers are spoken
    with are the operator's to set. Each run counts against the limits of the domains that it asks about, whoever asks.
    """
    subject = subject_of(body)
    names = known_checks(body.only, "/only") or list(CHECKS)
    began = time.monotonic()
    run = services.plan_domain_check(subject=subject, person=caller_of(request).person, names=names, anew=body.anew)
    queries = run_and_store(run)
    found = {row.check_name: row for row in run.outcomes.all()}
    return {
        "subject": {name: value for name, value in dataclasses.asdict(subject).items() if value},
        "elapsed_ms": round((time.monotonic() - began) * 1000),
        "queries": queries,
        "checks": [outcome_json(found[name]) for name in run.names if name in found],
        "url": request.build_absolute_uri(run.get_absolute_url()),
    }


def outcome_json(row: CheckOutcome) -> dict[str, Any]:
    """The contract's object for what a check found."""
    return {
        "check": row.check_name,
        "answer": row.answer,
        "state": row.state,
        "detail": row.detail,
        "findings": row.findings,
        "facts": row.facts,
        "elapsed_ms": row.elapsed_ms,
    }
