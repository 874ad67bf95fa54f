"""What the page of a run without a case shows: what is wrong, worst first, and the checks in groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from knowledge.check_names import GROUPS
from troubleshoot.check_panel import CheckPanel, CheckRow, check_panel
from troubleshoot.facts import subject_from_json
from troubleshoot.models import CheckRun
from troubleshoot.recent import earlier_outcomes
from whybounce.compiled import Knowledge


@dataclass(frozen=True, slots=True)
class Group:
    """Checks that belong together: those that looked or will, and those that lack something."""

    title: str
    rows: tuple[CheckRow, ...]
    lacking: tuple[CheckRow, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line of the summary: what a check found wrong. `tone`: "fail" or "wait"."""

    name: str
    check: str
    tone: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Results:
    """A run for its page.

    headline    what is wrong in a few words; `tone` is that of its tag
    counts      how many looked, could not look, lack something
    wrong       what is at fault or worth a warning, worst first
    changed     the rows that found something else than last time; `last`: when that was, None where there was no last time
    """

    run: CheckRun
    panel: CheckPanel
    groups: tuple[Group, ...]
    headline: str
    tone: str
    counts: str
    wrong: tuple[Wrong, ...]
    changed: tuple[CheckRow, ...]
    last: datetime | None


def results_of(known: Knowledge, run: CheckRun) -> Results:
    """Reads two tables: the run's outcomes, and the earlier ones about the same subject."""
    earlier = earlier_outcomes(run)
    panel = check_panel(known, subject_from_json(run.subject), [run], earlier=earlier)
    wrong = _worst_first(panel.rows)
    changed = tuple(row for row in panel.rows if row.change and not row.change.same)
    last = max((row.at for row in earlier.values()), default=None)
    headline, tone = _headline(panel, wrong)
    return Results(run, panel, _groups(panel), headline, tone, _counts(panel), wrong, changed, last)


def _groups(panel: CheckPanel) -> tuple[Group, ...]:
    rows = {row.name: row for row in panel.rows}
    named = {name for _title, names in GROUPS for name in names}
    parts = [*GROUPS, (_("Others"), tuple(name for name in rows if name not in named))]
    found = [(str(title), [rows[name] for name in names if name in rows]) for title, names in parts]
    return tuple(
        Group(title, tuple(row for row in held if row.state != "lacking"), tuple(row for row in held if row.state == "lacking"))
        for title, held in found
        if held
    )


_BAD = ("fail", "wait")


def _worst_first(rows: Iterable[CheckRow]) -> tuple[Wrong, ...]:
    """Faults before warnings. Also a check whose answer is good may have found something that is not: then that is said."""
    found = []
    for row in rows:
        finding = next((item for item in row.findings if item.tone in _BAD), None)
        if row.tone in _BAD:
            found.append(Wrong(row.name, row.label, row.tone, row.state_label, row.detail or row.answer))
        elif finding:
            found.append(Wrong(row.name, row.label, finding.tone, finding.label, finding.title))
    return tuple(sorted(found, key=lambda item: _BAD.index(item.tone)))


def _headline(panel: CheckPanel, wrong: tuple[Wrong, ...]) -> tuple[str, str]:
    faults = sum(item.tone == "fail" for item in wrong)
    warnings = len(wrong) - faults
    words = []
    if faults:
        words.append(ngettext("%(n)d fault", "%(n)d faults", faults) % {"n": faults})
    if warnings:
        words.append(ngettext("%(n)d warning", "%(n)d warnings", warnings) % {"n": warnings})
    if panel.running:
        return _("Looking …"), "plain"
    if words:
        return _(" and ").join(words), "fail" if faults else "wait"
    blind = [row.blind for row in panel.rows if row.state == "done"]
    if not blind or all(blind):
        return _("Nothing could be found out"), "plain"
    return (_("Nothing wrong was found, as far as could be looked"), "plain") if any(blind) else (_("Nothing wrong was found"), "good")


def _counts(panel: CheckPanel) -> str:
    done = [row for row in panel.rows if row.state == "done"]
    blind = sum(row.blind for row in done)
    looked, lacking = len(done) - blind, len(panel.lacking)
    words = [ngettext("%(n)d check looked", "%(n)d checks looked", looked) % {"n": looked}]
    if blind:
        words.append(ngettext("%(n)d could not look", "%(n)d could not look", blind) % {"n": blind})
    if lacking:
        words.append(ngettext("%(n)d lacks something to look at", "%(n)d lack something to look at", lacking) % {"n": lacking})
    return _(", ").join(words) + "."
