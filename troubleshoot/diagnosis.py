"""The read side of a case: one `Diagnosis` holds everything that its page shows, in words and in order. Writes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils.translation import gettext as _

from knowledge.current import knowledge
from knowledge.models import Category
from troubleshoot.check_panel import CheckPanel, check_panel
from troubleshoot.checking import chosen_failure, observations_of, runs_about, subject_of
from troubleshoot.contradictions import Oddity, oddities
from troubleshoot.effects import Standing
from troubleshoot.facts import failure_from_json
from troubleshoot.groups import Recipients, recipients_of
from troubleshoot.inquiry import Asking, asking
from troubleshoot.known_values import known_values
from troubleshoot.ledger import CauseLine, cause_lines
from troubleshoot.marking import FactLine, LegendEntry, Segment, fact_lines, legend, segments
from troubleshoot.models import Case, Observation, Outcome, StepDone
from troubleshoot.proofs import proofs_of
from troubleshoot.steps import Step, steps_of
from troubleshoot.steps_done import done_beside, done_steps, ticked
from troubleshoot.symptoms import Symptom, symptoms_of
from troubleshoot.until import until_words
from troubleshoot.way import Way, place_of, way_of
from troubleshoot.withdrawn import title_of, withdrawn_cause
from troubleshoot.wording import VerdictWords, percent, verdict_words
from whybounce.compiled import Knowledge
from whybounce.failure import DeliveryFailure
from whybounce.reasoning import Certainty, Ranking, rank

_CODE = re.compile(r"(?<![\w.])(?:[245]\.\d{1,3}\.\d{1,3}|[2-5][0-5]\d)(?![\w.]*\w)", re.ASCII)


@dataclass(frozen=True, slots=True)
class CodeLink:
    code: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """The causes of a category, for the select of the closing form: (slug, title)."""

    label: str
    causes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """How a case was closed, in words."""

    title: str
    url: str
    outcome: Outcome
    guess: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything about a case for its page.

    found       False where the paste told of no failure and nothing was answered yet
    bare        True where nothing is known yet at all: a problem without text, no answer
    unsure      True where the leading cause is a guess
    done_beside steps that were done and are none of those shown
    ranking     what all of it was said from
    """

    case: Case
    found: bool
    bare: bool
    unsure: bool
    verdict: VerdictWords
    recipients: Recipients | None
    facts: tuple[FactLine, ...]
    codes: tuple[CodeLink, ...]
    segments: tuple[Segment, ...]
    legend: tuple[LegendEntry, ...]
    provider: tuple[str, str] | None
    causes: tuple[CauseLine, ...]
    others: int
    ruled_out: tuple[str, ...]
    oddities: tuple[Oddity, ...]
    asking: Asking
    symptoms: tuple[Symptom, ...]
    checks: CheckPanel
    steps: tuple[Step, ...]
    steps_for: str
    done_beside: tuple[StepDone, ...]
    way: Way
    closed: Closed | None
    withdrawn: str
    groups: tuple[CauseGroup, ...]
    ranking: Ranking

    @property
    def contradictions(self) -> tuple[str, ...]:
        """What does not fit together, in sentences."""
        return tuple(item.sentence for item in self.oddities)


def diagnose(case: Case, ask: str = "") -> Diagnosis:
    """The diagnosis of a case; `ask`: slug of the question to show instead of the most worthwhile one."""
    known = knowledge()
    row = chosen_failure(case)
    failure = failure_from_json(row.facts) if row else DeliveryFailure()
    rows = observations_of(case)
    ranking = rank(known, failure, {item.question: item.answer for item in rows if item.answer != Observation.SKIPPED})
    subject = subject_of(failure, case.supplied)
    lines = cause_lines(ranking)
    pieces = segments(case.text, failure.spans)
    bare = row is None and not rows
    found = not bare or case.kind == "" or ask in known.questions
    runs = runs_about(case, subject)
    checks = check_panel(known, subject, runs, standing=Standing(known, failure, ranking.observations), brief=True)
    top = ranking.top.cause if ranking.top else None
    steps = steps_of(top, known_values(ranking, case.supplied), proofs_of(known, subject, runs, checks.able)) if top else ()
    done, top_slug = done_steps(case), top.slug if top else ""
    return Diagnosis(
        case=case,
        found=found,
        bare=bare,
        unsure=ranking.verdict.certainty in (Certainty.POSSIBLE, Certainty.UNCLEAR),
        verdict=_verdict(case, ranking, found=found, bare=bare),
        recipients=recipients_of(case, known),
        facts=fact_lines(failure),
        codes=_codes(known, failure, case.text if row is None else ""),
        segments=pieces,
        legend=legend(pieces),
        provider=_provider(ranking),
        causes=lines,
        others=max(0, len(ranking.hypotheses) - len(lines)),
        ruled_out=tuple(cause.title for cause in ranking.ruled_out[:6]),
        oddities=oddities(ranking, checks.able),
        asking=asking(ranking, rows, ask, closed=case.is_closed),
        symptoms=symptoms_of(ranking) if bare and not ask else (),
        checks=checks,
        steps=ticked(steps, top_slug, done, checks.good),
        steps_for=top.title if top else "",
        done_beside=done_beside(steps, top_slug, done),
        way=_way(ranking),
        closed=_closed(case, known),
        withdrawn=withdrawn_cause(case, known),
        groups=cause_groups(known),
        ranking=ranking,
    )


def ranking_of(case: Case, known: Knowledge) -> Ranking:
    """The ranking alone, for lists. Reads the prefetched `observations` and `failures` of the case."""
    row = next((item for item in case.failures.all() if item.position == case.position), None)
    failure = failure_from_json(row.facts) if row else DeliveryFailure()
    return rank(known, failure, {item.question: item.answer for item in case.observations.all()})


# --- the parts ---


def _kinds() -> Mapping[str, str]:
    """What a paste is in which nothing failed, by IntakeReport.kind."""
    return {
        "vacation": _("This is an automatic absence note, not a bounce"),
        "complaint": _("This is a spam complaint, not a bounce"),
        "delivered": _("This says that the message was delivered"),
        "read-receipt": _("This is a read receipt, not a bounce"),
        "challenge": _("The recipient's filter wants an answer before it delivers"),
        "moderation": _("The message waits for a mailing list's moderator"),
        "confirmation": _("This asks to confirm a subscription, and is no bounce"),
        "ordinary-mail": _("This is an ordinary e-mail, not a bounce"),
        "no-reply-found": _("No reply of a mail server was found in this text"),
        "code-only": _("A code alone"),
        "binary": _("This is a file that holds no text"),
        "empty": _("There is nothing here"),
    }


def _verdict(case: Case, ranking: Ranking, *, found: bool, bare: bool) -> VerdictWords:
    if not found:
        return VerdictWords(_kinds().get(case.kind, _("This tells of no failed delivery")))
    if bare:
        return VerdictWords(_("Let us find out"), _("There is no error text, so a few questions narrow it down. Each answer can be changed later."))
    words = verdict_words(ranking)
    if not words.retry:
        return words
    return replace(words, until=until_words(ranking.failure, case.text, case.format, permanent=ranking.verdict.permanent))


def _codes(known: Knowledge, failure: DeliveryFailure, text: str) -> tuple[CodeLink, ...]:
    """The pages of the codes that the failure names, or where there is none those that stand in the text."""
    titles = {row.code: row.title for row in known.snapshot.codes if not row.provider}
    named = [code for code in (failure.code, failure.enhanced) if code] or _CODE.findall(text[:4000])
    links = []
    for code in dict.fromkeys(named):
        title = titles.get(code) or titles.get(f"X{code[1:]}" if "." in code else "")
        if title:
            links.append(CodeLink(code, title, reverse("code", args=[code])))
    return tuple(links[:5])


def _provider(ranking: Ranking) -> tuple[str, str] | None:
    provider = ranking.knowledge.providers.get(ranking.provider)
    return (provider.slug, provider.name) if provider else None


def _way(ranking: Ranking) -> Way:
    clear = ranking.top is not None and ranking.verdict.certainty is not Certainty.UNCLEAR
    category = ranking.top.cause.category if ranking.top and clear else ""
    return way_of(ranking.failure, ranking.knowledge.providers.get(ranking.provider), place_of(category, ranking.failure.stage))


def _closed(case: Case, known: Knowledge) -> Closed | None:
    if not case.is_closed:
        return None
    outcome = case.outcomes.filter(reopened_at=None).select_related("by").first()
    if outcome is None:
        return None
    titles = {cause.slug: cause.title for cause in known.causes}
    url = reverse("cause", args=[outcome.cause]) if outcome.cause in titles else ""
    guess = ""
    if outcome.first_guess and outcome.first_guess != outcome.cause:
        guess = f"{titles.get(outcome.first_guess, outcome.first_guess)} ({percent(outcome.probability)})"
    return Closed(titles.get(outcome.cause) or title_of(known, outcome.cause), url, outcome, guess)


def cause_groups(known: Knowledge, query: str = "") -> tuple[CauseGroup, ...]:
    """The causes by category, in the order of the categories: all, or those in whose title, summary or category each word of `query`
    stands."""
    held: dict[str, list[tuple[str, str]]] = {}
    words = query.lower().split()
    for cause in known.causes:
        told = f"{cause.title} {cause.slug} {cause.summary} {Category(cause.category).label}".lower()
        if not all(word in told for word in words):
            continue
        held.setdefault(cause.category, []).append((cause.slug, cause.title))
    return tuple(CauseGroup(str(item.label), tuple(held[item.value])) for item in Category if item.value in held)
