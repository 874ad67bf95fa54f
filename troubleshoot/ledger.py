"""The sum behind a ranking, line by line in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshoot.wording import STAGES, Bar, bar, category_label, clipped, percent, strength
from whybounce.failure import Stage
from whybounce.reasoning import Hypothesis, LedgerLine, Ranking
from whybounce.snapshot import Actor
from whybounce.terms import TermKind
from whybounce.visible import visible

_KINDS: dict[TermKind, str | Promise] = {
    TermKind.PRIOR: gettext_lazy("How common it is"),
    TermKind.PATTERN: gettext_lazy("Known wording"),
    TermKind.WORDS: gettext_lazy("The words"),
    TermKind.ENHANCED: gettext_lazy("Enhanced code"),
    TermKind.CODE: gettext_lazy("Reply code"),
    TermKind.STAGE: gettext_lazy("Stage"),
    TermKind.ANSWER: gettext_lazy("Answer"),
    TermKind.CHECK: gettext_lazy("Check"),
}
_SHOWN = 5
_SMALL = 0.02
_FAINT = 0.3
_MOST_OF_WORDS = 4.9


@dataclass(frozen=True, slots=True)
class WordWeight:
    """A word or pair of words of the reply and what it weighed; `bar` is on the scale of the words alone."""

    word: str
    bar: Bar


@dataclass(frozen=True, slots=True)
class LedgerWords:
    """One line: what was looked at, what it said, how strongly it speaks for or against the cause."""

    kind: str
    said: str
    strength: str
    bar: Bar
    words: tuple[WordWeight, ...] = ()


@dataclass(frozen=True, slots=True)
class CauseLine:
    """A ranked cause for the page. `share` is 0 to 100 for the bar, `percent` the number in words."""

    slug: str
    title: str
    url: str
    category: str
    summary: str
    share: int
    percent: str
    proved: bool
    actors: tuple[Actor, ...]
    ledger: tuple[LedgerWords, ...]


def kind_label(kind: TermKind) -> str:
    """What kind of evidence it is, for a person."""
    return str(_KINDS[kind])


def cause_lines(ranking: Ranking) -> tuple[CauseLine, ...]:
    """The leading causes: those above a few per cent, at least two where there are two, at most five."""
    hypotheses = ranking.hypotheses[:_SHOWN]
    return tuple(_cause_line(ranking, item) for number, item in enumerate(hypotheses) if number < 2 or item.probability >= _SMALL)


def _cause_line(ranking: Ranking, item: Hypothesis) -> CauseLine:
    cause = item.cause
    return CauseLine(
        slug=cause.slug,
        title=cause.title,
        url=reverse("cause", args=[cause.slug]),
        category=category_label(cause.category),
        summary=cause.summary,
        share=round(item.probability * 100),
        percent=percent(item.probability),
        proved=item.proved,
        actors=cause.who_acts,
        ledger=_ledger(ranking, cause.slug),
    )


def _ledger(ranking: Ranking, slug: str) -> tuple[LedgerWords, ...]:
    """A line each, but the checks that say little about this cause together in one: there may be a dozen."""
    lines = ranking.ledger(slug)
    faint = [line for line in lines if line.kind is TermKind.CHECK and abs(line.nats) < _FAINT]
    if len(faint) < 2:
        return tuple(_line(ranking, line) for line in lines)
    together = sum(line.nats for line in faint)
    said = _("%(n)d checks that say little each") % {"n": len(faint)}
    rest = tuple(_line(ranking, line) for line in lines if line not in faint)
    return (*rest, LedgerWords(str(_KINDS[TermKind.CHECK]), said, strength(together), bar(together)))


def _line(ranking: Ranking, line: LedgerLine) -> LedgerWords:
    words = tuple(WordWeight(visible(clipped(_unit(unit), 40)), bar(weight * 3)) for unit, weight in line.words)
    return LedgerWords(str(_KINDS[line.kind]), _said(ranking, line.kind, line.ref, line.value), _strength(line), bar(line.nats), words)


_MASKS = {
    "addr": gettext_lazy("an address"),
    "host": gettext_lazy("a host"),
    "ip": gettext_lazy("an IP address"),
    "url": gettext_lazy("a link"),
    "num": gettext_lazy("a number"),
}


def _unit(unit: str) -> str:
    """A word or pair of the text model as a person reads it: `"using @host:spamhaus.org"` -> `"using spamhaus.org"`."""
    return " ".join("…" if word == "_" else _masked(word) for word in unit.split(" "))


def _masked(word: str) -> str:
    if not word.startswith("@"):
        return word
    mask, _colon, domain = word[1:].partition(":")
    return domain or str(_MASKS.get(mask, word))


def _strength(line: LedgerLine) -> str:
    return strength_of(line.kind, line.nats)


def strength_of(kind: TermKind | str, nats: float) -> str:
    """Single words weigh much, but they are no proof: that is a curator's word for a known reply, an answer or a check."""
    return strength(min(nats, _MOST_OF_WORDS) if kind == TermKind.WORDS else nats)


def _said(ranking: Ranking, kind: TermKind, ref: str, value: str) -> str:
    """What an observation said, for a person."""
    if kind is TermKind.PRIOR:
        return _("among all failures, and the cases closed here") if ranking.knowledge.closings else _("among all failures")
    if kind is TermKind.WORDS:
        return ""
    if kind is TermKind.PATTERN:
        return _pattern_said(ranking, ref, value)
    if kind in (TermKind.ENHANCED, TermKind.CODE):
        return ref
    if kind is TermKind.STAGE:
        return str(STAGES[Stage(value)])
    known = ranking.knowledge.questions.get(ref)
    if known is None:
        return value
    answer = next((answer.text for answer in known.question.answers if answer.slug == value), value)
    return f"{known.question.text} {answer}"


def _pattern_said(ranking: Ranking, ref: str, value: str) -> str:
    words = visible(clipped(value))
    slug = next((match.pattern.provider for match in ranking.matches if match.pattern.slug == ref), "")
    provider = ranking.knowledge.providers.get(slug)
    return _("“%(words)s” (%(provider)s)") % {"words": words, "provider": provider.name} if provider else f"“{words}”"


def term_words(ranking: Ranking, kind: TermKind, ref: str, value: str) -> str:
    """An observation as the subject of a sentence: `"the check (Does SPF allow it? No)"`."""
    if kind is TermKind.WORDS:
        return _("the wording as a whole")
    said = _said(ranking, kind, ref, value)
    frames = {
        TermKind.PATTERN: _("the wording %(said)s"),
        TermKind.ENHANCED: _("the code %(said)s"),
        TermKind.CODE: _("the code %(said)s"),
        TermKind.STAGE: _("the refusal at %(said)s"),
        TermKind.ANSWER: _("the answer to “%(said)s”"),
        TermKind.CHECK: _("the check (%(said)s)"),
    }
    return frames[kind] % {"said": said}


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
