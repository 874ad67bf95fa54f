"""What a check did to the ranking: the causes ranked without its answer, against with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from troubleshoot.wording import percent
from whybounce.compiled import Knowledge
from whybounce.failure import DeliveryFailure
from whybounce.reasoning import Ranking, rank

_NOTICEABLE = 0.005


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ranking of a case is made from; `observations`: question slug -> answer slug."""

    known: Knowledge
    failure: DeliveryFailure
    observations: Mapping[str, str]

    def with_check(self, check: str, answer: str) -> Standing:
        """The same with what a check found, in the place of what it found before."""
        question = self.known.by_check.get(check)
        return Standing(self.known, self.failure, {**self.observations, question.slug: answer}) if question else self

    def without_check(self, check: str) -> Standing:
        question = self.known.by_check.get(check)
        rest = {slug: answer for slug, answer in self.observations.items() if question is None or slug != question.slug}
        return Standing(self.known, self.failure, rest)

    def ranking(self) -> Ranking:
        return rank(self.known, self.failure, self.observations)


@dataclass(frozen=True, slots=True)
class Effect:
    """What an answer did, in words; `moved`: the ranking is another with it."""

    words: str
    moved: bool


def effect_of(standing: Standing, check: str) -> Effect | None:
    """What the answer of `check` in `standing` does there: leader and probability without it, then with it. None where the check asks
    no question of the knowledge, or where its answer is none that could be evidence."""
    question = standing.known.by_check.get(check)
    compiled = standing.known.questions.get(question.slug) if question else None
    if compiled is None or standing.observations.get(compiled.question.slug) not in compiled.rows:
        return None
    before, after = standing.without_check(check).ranking().top, standing.ranking().top
    if before is None or after is None:
        return None
    words = {"before": before.cause.title, "was": percent(before.probability), "after": after.cause.title, "now": percent(after.probability)}
    if before.cause.slug != after.cause.slug:
        return Effect(_("Before: “%(before)s” (%(was)s). With it: “%(after)s” (%(now)s).") % words, True)
    if abs(before.probability - after.probability) < _NOTICEABLE or words["was"] == words["now"]:
        return Effect(_("changes nothing in the ranking"), False)
    return Effect(_("“%(after)s”: %(was)s before, %(now)s with it.") % words, True)
