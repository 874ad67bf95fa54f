"""What an answer says, as plain text: the verdict, the steps and where the whole report is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from troubleshoot.models import Case
from troubleshoot.report import Report, ReportStep, report_of
from troubleshoot.sharing import DEFAULT_DAYS
from whybounce.visible import visible

_WIDTH = 76
_LONGEST_REPLY = 600


def site_url(path: str) -> str:
    """A path of this site as a whole address."""
    return f"{settings.WHYBOUNCE_SITE_URL}{path}"


def verdict_text(case: Case, token: str) -> str:
    """The answer about a case. `token`: of a link to its report."""
    report = report_of(case, masks=False)
    return "\n".join([*_verdict(report), *_facts(report), *_steps(report), *_where(case, token), *_foot()]) + "\n"


def nothing_text(notes: tuple[str, ...]) -> str:
    """The answer to a mail in which no bounce was found."""
    lines = [
        *_wrapped(_("No report of a failed delivery was found in your mail.")),
        "",
        *_wrapped(_("Forward the bounce as an attachment, or forward it inline with everything that it says: the reply of the mail server decides.")),
    ]
    lines += [line for note in notes for line in ("", *_wrapped(note))]
    lines += ["", *_wrapped(_("It can also be pasted here: %(url)s") % {"url": site_url(reverse("home"))}), *_foot()]
    return "\n".join(lines) + "\n"


def reply_text() -> str:
    """The answer to somebody who replied to an answer."""
    lines = _wrapped(_("Nobody reads this address. To ask about another bounce, forward it to this address as an attachment."))
    return "\n".join([*lines, *_foot()]) + "\n"


def _wrapped(text: str, indent: str = "", first: str | None = None) -> list[str]:
    """Lines of at most _WIDTH characters; an address longer than that stays whole."""
    flat = " ".join(visible(text).split())
    return textwrap.wrap(
        flat, _WIDTH, initial_indent=indent if first is None else first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _verdict(report: Report) -> Iterator[str]:
    yield from _wrapped(report.verdict.headline)
    if report.verdict.certainty:
        yield from _wrapped(report.verdict.certainty)
    yield ""
    if report.actors:
        yield from _wrapped(_("Who must act: %(who)s") % {"who": ", ".join(report.actors)})
    if report.verdict.retry:
        yield from _wrapped(_("Send again? %(retry)s") % {"retry": report.verdict.retry})
    if report.verdict.until:
        yield from _wrapped(report.verdict.until)
    for sentence in report.contradictions:
        yield from ("", *_wrapped(sentence))


def _facts(report: Report) -> Iterator[str]:
    told = {fact.name: fact for fact in report.facts}
    yield ""
    if report.failures > 1:
        yield _("%(n)d recipients failed; this is about one of them:") % {"n": report.failures}
    for name in ("recipient", "remote_mta", "text"):
        if name in told:
            yield from _wrapped(f"{told[name].label}: {told[name].value[:_LONGEST_REPLY]}", "  ")


def _steps(report: Report) -> Iterator[str]:
    if not report.steps:
        return
    yield ""
    yield from _wrapped(_("What to do, if it is “%(cause)s”:") % {"cause": report.steps_for} if report.unsure else _("What to do:"))
    for number, step in enumerate(report.steps, 1):
        yield from _step(number, step)


def _step(number: int, step: ReportStep) -> Iterator[str]:
    first = f"{number}. {step.actor}: " if step.actor else f"{number}. "
    yield ""
    for passage in step.text:
        text = "".join(part.text for part in passage.parts)
        if passage.code:
            yield from (f"      {visible(line)}" for line in text.splitlines() if line.strip())
        else:
            yield from _wrapped(first + text if first else text, "   ", "" if first else None)
        first = ""
    for link in step.links:
        yield f"   {link.text}: {link.url}"


def _where(case: Case, token: str) -> Iterator[str]:
    yield ""
    days = _("The whole report, open for %(days)d days to whoever has the link; addresses and names are left out there:")
    yield from _wrapped(days % {"days": DEFAULT_DAYS})
    yield site_url(reverse("shared", args=[token]))
    yield ""
    yield from _wrapped(_("For those who may work on it, case %(number)s:") % {"number": case.public_id})
    yield site_url(case.get_absolute_url())


def _foot() -> Iterator[str]:
    yield from ("", "-- ", "Whybounce")
    yield from _wrapped(_("A program wrote this answer."))
