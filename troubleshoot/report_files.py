"""A report as Markdown, to paste into a ticket, and as JSON (docs/handing-on.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from troubleshoot.check_panel import CheckRow
from troubleshoot.report import Done, Report, ReportCause, ReportStep

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")
_TICKS = re.compile(r"`+")


def as_markdown(report: Report) -> str:
    """The report as CommonMark. Nothing that a stranger wrote is read as a mark: it is escaped or stands as code."""
    return "\n".join(_lines(report)).strip() + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {_text(report.verdict.headline)}"
    yield ""
    opened = _("Case %(number)s, opened %(opened)s, %(state)s; report of %(made)s.")
    yield opened % {
        "number": report.number,
        "opened": _time(report.opened_at),
        "state": report.state_label.lower(),
        "made": _time(report.made_at),
    }
    if report.masked:
        yield _("The local parts of addresses, the subject and names are left out.")
    yield from _verdict(report)
    yield from _section(_("What happened"), _facts(report))
    yield from _section(_("Why"), _causes(report))
    yield from _section(_("What was answered"), (_answer(item.question, item.answer, item.at, item.by) for item in report.answers))
    yield from _section(_("What was checked"), (line for row in report.checks for line in _check(row)))
    yield from _section(_("What to do"), _steps(report))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    """Nothing where there are no lines."""
    first = next(lines, None)
    if first is not None:
        yield from ("", f"## {title}", "", first)
        yield from lines


def _verdict(report: Report) -> Iterator[str]:
    if report.closed:
        outcome = report.closed.outcome
        words = {"when": _time(outcome.at), "what": _text(report.closed.title or _("none of the known causes"))}
        yield from ("", _("Closed %(when)s. It proved to be: %(what)s.") % words)
        if outcome.sentence:
            yield from ("", f"> {_text(outcome.sentence)}")
    if report.verdict.certainty:
        yield from ("", _text(report.verdict.certainty))
    said = ((_("Who must act"), ", ".join(report.actors)), (_("Send again?"), report.verdict.retry))
    held = [f"- **{label}:** {_text(value)}" for label, value in said if value]
    yield from ("", *held) if held else ()
    yield from (f"- {_text(sentence)}" for sentence in report.contradictions)


def _facts(report: Report) -> Iterator[str]:
    if report.failures > 1:
        yield ngettext("One of %(n)d failed recipients.", "One of %(n)d failed recipients.", report.failures) % {"n": report.failures}
        yield ""
    for fact in report.facts:
        yield f"- **{fact.label}:** {_code(fact.value) if fact.name != 'stage' else _text(fact.value)}"
    if report.provider:
        yield f"- **{_('Provider')}:** {_text(report.provider)}"
    if report.way.told:
        yield f"- {_text(report.way.sentence)}"


def _causes(report: Report) -> Iterator[str]:
    for number, cause in enumerate(report.causes, 1):
        yield from _cause(number, cause)
    if report.ruled_out:
        yield from ("", f"{_('Ruled out:')} {_text('; '.join(report.ruled_out))}.")


def _cause(number: int, cause: ReportCause) -> Iterator[str]:
    yield f"{number}. **{_text(cause.title)}** ({cause.percent})"
    yield from (f"   - {_text(line.kind)}{': ' if line.said else ''}{_text(line.said)} ({line.strength})" for line in cause.because)


def _answer(question: str, answer: str, at: datetime, by: str) -> str:
    return f"- {_text(question)} **{_text(answer)}** ({_time(at)}{f', {_text(by)}' if by else ''})"


def _check(row: CheckRow) -> Iterator[str]:
    yield f"- **{_text(row.label)}: {row.state_label}.** {_text(row.detail or row.answer)} ({_time(row.at) if row.at else ''})"
    yield from (f"  - {item.label}: {_text(item.title)}{f' ({_text(item.seen)})' if item.seen else ''}" for item in row.findings)


def _steps(report: Report) -> Iterator[str]:
    if report.steps and report.unsure:
        yield from (_("If it is “%(cause)s”:") % {"cause": _text(report.steps_for)}, "")
    for step in (*report.steps, *report.done_beside):
        yield from _step(step)


def _step(step: ReportStep) -> Iterator[str]:
    """A task of a list (GitHub Flavored Markdown section 5.3)."""
    mark, actor = "x" if step.done else " ", f"**{_text(step.actor)}:** " if step.actor else ""
    first = True
    for passage in step.text:
        text = "".join(part.text for part in passage.parts)
        if passage.code:
            yield from ("  ```", *(f"  {line}" for line in text.replace("```", "'''").splitlines()), "  ```")
        else:
            yield f"- [{mark}] {actor}{_text(text)}" if first else f"  {_text(text)}"
        first = False
    if step.done:
        yield f"  - {_done(step.done)}"
    yield from (f"  - {_text(link.text)}: <{link.url}>" for link in step.links)


def _done(done: Done) -> str:
    words = _("Done %(when)s") % {"when": _time(done.at)}
    words += f", {_text(done.by)}" if done.by else ""
    words += _("; the check of %(check)s found it good") % {"check": _text(done.check)} if done.check else ""
    return words + (f": {_text(done.note)}" if done.note else "")


def _text(text: str) -> str:
    """Text on one line in which nothing is a mark."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """A code span (CommonMark section 6.1) that may hold backticks."""
    flat = " ".join(text.split())
    ticks = "`" * (1 + max((len(run) for run in _TICKS.findall(flat)), default=0))
    space = " " if "`" in flat else ""
    return f"{ticks}{space}{flat}{space}{ticks}"


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def as_json(report: Report) -> str:
    """The report as JSON, times in UTC (RFC 3339)."""
    return json.dumps(_document(report), ensure_ascii=False, indent=2) + "\n"


def _document(report: Report) -> dict[str, Any]:
    return {
        "case": report.number,
        "state": report.state,
        "opened": _stamp(report.opened_at),
        "made": _stamp(report.made_at),
        "masked": report.masked,
        "knowledge_revision": report.revision,
        "failures": report.failures,
        "failure": report.machine,
        "facts": {fact.name: fact.value for fact in report.facts},
        "way": [{"place": stop.label, "name": stop.name, "state": stop.state} for stop in report.way.stops],
        "contradictions": list(report.contradictions),
        "answers": [
            {"question": item.slug, "text": item.question, "answer": item.answer, "at": _stamp(item.at), "by": item.by or None}
            for item in report.answers
        ],
        "checks": [{**row, "at": _stamp(row["at"])} for row in report.machine_checks],
        "steps": [_step_json(step) for step in (*report.steps, *report.done_beside)],
        "outcome": _outcome(report),
    }


def _step_json(step: ReportStep) -> dict[str, Any]:
    done = step.done
    told = {"at": _stamp(done.at), "by": done.by or None, "note": done.note, "check": done.check or None} if done else None
    return {"cause": step.cause, "step": step.slug, "who_acts": step.actor or None, "text": step.plain, "check": step.check or None, "done": told}


def _outcome(report: Report) -> dict[str, Any] | None:
    if report.closed is None:
        return None
    outcome = report.closed.outcome
    return {"cause": outcome.cause or None, "title": report.closed.title or None, "sentence": outcome.sentence, "at": _stamp(outcome.at)}


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
