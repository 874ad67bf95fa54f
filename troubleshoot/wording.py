"""Numbers and slugs of the engine in words for a person. What a code or cause means is knowledge, and not here."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledge.models import Category
from whybounce.answer import strength_in_words
from whybounce.checks.result import State
from whybounce.failure import Action, DeliveryFailure, Stage
from whybounce.reasoning import SURE, Certainty, Ranking
from whybounce.snapshot import Actor, Strength

ACTORS: dict[Actor, str | Promise] = {
    Actor.SENDER: gettext_lazy("Sender"),
    Actor.SENDER_ADMIN: gettext_lazy("Sender's administrator"),
    Actor.RECIPIENT: gettext_lazy("Recipient"),
    Actor.RECIPIENT_ADMIN: gettext_lazy("Recipient's administrator"),
    Actor.NOBODY: gettext_lazy("Nobody: wait"),
}
STAGES: dict[Stage, str | Promise] = {
    Stage.CONNECT: gettext_lazy("the connection"),
    Stage.EHLO: gettext_lazy("EHLO (the greeting)"),
    Stage.STARTTLS: gettext_lazy("STARTTLS (the start of encryption)"),
    Stage.AUTH: gettext_lazy("AUTH (signing in)"),
    Stage.MAIL: gettext_lazy("MAIL FROM (the sender)"),
    Stage.RCPT: gettext_lazy("RCPT TO (the recipient)"),
    Stage.DATA: gettext_lazy("DATA (before the message)"),
    Stage.MESSAGE: gettext_lazy("the end of the message"),
}
STATES: dict[State, tuple[str | Promise, str]] = {
    State.GOOD: (gettext_lazy("Good"), "good"),
    State.INFO: (gettext_lazy("Note"), "plain"),
    State.WARNING: (gettext_lazy("Warning"), "wait"),
    State.BAD: (gettext_lazy("Fault"), "fail"),
    State.UNKNOWN: (gettext_lazy("Could not look"), "plain"),
}
"""How a check's state is called, and the tone of its tag."""


def clipped(text: str, most: int = 160) -> str:
    """`text` cut to `most` characters, with an ellipsis where something was cut."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def percent(probability: float) -> str:
    """0.873 -> `"87 %"`; what rounds to all or nothing says so without claiming it."""
    if probability >= 0.995:
        return _("over 99 %")
    if probability < 0.01:
        return _("under 1 %")
    return f"{round(probability * 100)} %"


_STRENGTHS: dict[str, str | Promise] = {
    "": gettext_lazy("says little"),
    Strength.PROVES: gettext_lazy("proves it"),
    Strength.STRONGLY_FOR: gettext_lazy("strongly for"),
    Strength.FOR: gettext_lazy("for"),
    Strength.SLIGHTLY_FOR: gettext_lazy("slightly for"),
    Strength.SLIGHTLY_AGAINST: gettext_lazy("slightly against"),
    Strength.AGAINST: gettext_lazy("against"),
    Strength.STRONGLY_AGAINST: gettext_lazy("strongly against"),
    Strength.RULES_OUT: gettext_lazy("rules it out"),
}


def strength(nats: float) -> str:
    """What a line of the ledger did, in the words that curators use."""
    return str(_STRENGTHS[strength_in_words(nats)])


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar beside a middle line at 50 of 100: where it begins and how long it is. `tone`: "for", "against" or "none"."""

    x: int
    width: int
    tone: str


def bar(nats: float) -> Bar:
    """Nats as a bar; 6 nats (a proof) fill a side."""
    length = 50 if math.isinf(nats) else min(50, round(abs(nats) / 6 * 50))
    tone = "none" if abs(nats) < 0.3 else "for" if nats > 0 else "against"
    return Bar(50 if nats > 0 else 50 - length, max(length, 1), tone)


@dataclass(frozen=True, slots=True)
class VerdictWords:
    """The line at the top of a case: `tone` is that of the tag ("fail", "wait", "good", "plain"), `actors` who must act in order,
    `until` how long a server still tries (until.py)."""

    headline: str
    certainty: str = ""
    tone: str = "plain"
    actors: tuple[Actor, ...] = ()
    retry: str = ""
    until: str = ""


def category_label(slug: str) -> str:
    return str(Category(slug).label)


def verdict_words(ranking: Ranking) -> VerdictWords:
    """The verdict of a ranking, in words."""
    verdict, top = ranking.verdict, ranking.top
    if top is None or verdict.certainty is Certainty.UNCLEAR:
        said = bool(ranking.failure.code or ranking.failure.enhanced)
        retry = _retry(verdict.permanent, ranking.failure) if said else ""
        return VerdictWords(_("Not clear yet"), _("What is known so far fits several causes. A question or two will tell them apart."), retry=retry)
    certain = verdict.certainty in (Certainty.PROVED, Certainty.LIKELY)
    headline = top.cause.title if certain else _("Possibly: %(title)s") % {"title": top.cause.title}
    tone = "fail" if verdict.permanent else "wait"
    return VerdictWords(headline, _certainty(ranking), tone, verdict.who_acts, _retry(verdict.permanent, ranking.failure))


def _certainty(ranking: Ranking) -> str:
    top, certainty = ranking.top, ranking.verdict.certainty
    if top is None:
        return ""
    share = percent(top.probability)
    if certainty is Certainty.PROVED:
        return _("Proved by what the server said or what was found (%(share)s).") % {"share": share}
    if certainty is Certainty.POSSIBLE:
        others = sum(item.probability for item in ranking.hypotheses[1:3])
        if top.probability > 2 * others:
            return _("Possible: %(share)s. No other single cause is near it, but it is not sure.") % {"share": share}
        return _("Possible: %(share)s. Other causes are near; a question can tell them apart.") % {"share": share}
    if top.probability >= 0.97:
        return _("As good as certain: %(share)s.") % {"share": share}
    if top.probability >= SURE:
        return _("Very likely: %(share)s.") % {"share": share}
    if top.probability >= 0.5:
        return _("Likely: %(share)s.") % {"share": share}
    area = {"area": category_label(top.cause.category), "all": percent(ranking.category_probability(top.cause.category)), "share": share}
    return _("Likely something about “%(area)s” (%(all)s); this cause leads with %(share)s.") % area


def _retry(permanent: bool, failure: DeliveryFailure) -> str:
    if permanent:
        return _("Permanent: sending the same message again will not help until this is mended.")
    if failure.action is Action.DELAYED:
        return _("Temporary: the sending server is still trying; nobody needs to send it again yet.")
    return _("Temporary: it can go through later. A mail server tries again by itself; a program or a person must do so.")
