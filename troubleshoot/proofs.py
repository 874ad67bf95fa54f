"""What the checks of a case say on the steps of its remedy: whether a step is done, and which record it needs."""

from __future__ import annotations

from collections.abc import Iterable

from troubleshoot.checking import latest_outcomes, pending
from troubleshoot.compare import Comparison, compare
from troubleshoot.models import CheckOutcome, CheckRun
from troubleshoot.publishing_records import records_to_publish
from troubleshoot.steps import Proofs
from whybounce.checks.result import Subject
from whybounce.compiled import Knowledge


def proofs_of(known: Knowledge, subject: Subject, runs: list[CheckRun], able: Iterable[str]) -> Proofs:
    """From the runs of a case about its present subject, oldest first, with their outcomes."""
    verifying = {run.verifies for run in runs[-1:] if run.verifies and run.verifies in pending(run)}
    names = {run.verifies for run in runs if run.verifies}
    verified = {name: found for name in names if (found := _verified(known, runs, name))}
    return Proofs(frozenset(able), frozenset(verifying), verified, records_to_publish(latest_outcomes(runs), subject))


def _verified(known: Knowledge, runs: list[CheckRun], name: str) -> Comparison | None:
    """What the newest verification found, beside what was found before it; None where one of the two is missing."""
    outcomes = [(run, row) for run in runs for row in run.outcomes.all() if row.check_name == name]
    proved: CheckOutcome | None = None
    for run, row in reversed(outcomes):
        if proved is not None and row.at < proved.at:
            return compare(known, row, proved)
        if proved is None and run.verifies == name:
            proved = row
    return None
