"""The failed recipients of a case, grouped by what their replies point to, as the page shows them and moves between them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Substr
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from troubleshoot.models import Case
from troubleshoot.scopes import UNCLEAR
from troubleshoot.wording import clipped
from whybounce.compiled import Knowledge
from whybounce.visible import visible

_GROUPS_SHOWN = 12
_REPLY = 91  # characters
_NEAR = 20  # recipients of the group to choose from, on either side of the one looked at


@dataclass(frozen=True, slots=True)
class RecipientChoice:
    position: int
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Recipients whose replies point to the same. `first`: position of its first; `gone`: its cause has been withdrawn since."""

    label: str
    count: int
    first: int
    chosen: bool
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Recipients:
    """The recipients of a case with several.

    groups      the largest first; `more` further ones are not shown
    members     those of the group looked at that are near the one looked at; `left_out` further ones
    number, of  the one looked at is the `number`th of `of` in its group
    previous, next  positions of its neighbours in the group
    """

    total: int
    groups: tuple[Group, ...]
    more: int
    members: tuple[RecipientChoice, ...]
    left_out: int
    number: int
    of: int
    previous: int | None
    next: int | None

    @property
    def gone(self) -> str:
        """What is to be said where the cause by which the group was made has been withdrawn since."""
        named = next((group.label for group in self.groups if group.chosen and group.gone), "")
        return _("When this was pasted, the text pointed to “%(cause)s”. That cause has been withdrawn since.") % {"cause": named} if named else ""


def recipients_of(case: Case, known: Knowledge) -> Recipients | None:
    """None for a case with less than two. One query."""
    if case.failure_count < 2:
        return None
    reply = Substr(KeyTextTransform("text", "facts"), 1, _REPLY)
    rows = list(case.failures.order_by("position").values_list("position", "recipient", "group", reply))
    firsts: dict[str, tuple[int, str]] = {}
    for position, _recipient, group, said in rows:
        firsts.setdefault(group, (position, said or ""))
    here = next((group for position, _recipient, group, _said in rows if position == case.position), "")
    members = [(position, recipient) for position, recipient, group, _said in rows if group == here]
    counted = Counter(group for _position, _recipient, group, _said in rows).most_common()  # of as many the first in the paste
    shown = _shown(counted, here)
    at = bisect_left([position for position, _recipient in members], case.position)
    near = members[max(0, at - _NEAR) : at + _NEAR + 1]
    titles = {cause.slug: cause.title for cause in known.causes}
    return Recipients(
        total=case.failure_count,
        groups=tuple(_group(group, n, firsts[group], titles, chosen=group == here) for group, n in shown),
        more=len(counted) - len(shown),
        members=tuple(_choice(position, recipient, case.position) for position, recipient in near),
        left_out=len(members) - len(near),
        number=at + 1,
        of=len(members),
        previous=members[at - 1][0] if at else None,
        next=members[at + 1][0] if at + 1 < len(members) else None,
    )


def everyone(case: Case) -> tuple[RecipientChoice, ...]:
    """All recipients of a case, in the order of the paste."""
    rows = case.failures.order_by("position").values_list("position", "recipient")
    return tuple(_choice(position, recipient, case.position) for position, recipient in rows)


def _shown(counted: list[tuple[str, int]], here: str) -> list[tuple[str, int]]:
    """The largest groups, and the one looked at wherever it stands."""
    shown = counted[:_GROUPS_SHOWN]
    return shown + [item for item in counted[_GROUPS_SHOWN:] if item[0] == here]


def _group(group: str, n: int, first: tuple[int, str], titles: dict[str, str], *, chosen: bool) -> Group:
    position, reply = first
    if group.startswith(UNCLEAR):
        said = clipped(visible(reply), _REPLY - 1)
        return Group(_("Not clear from the text: “%(reply)s”") % {"reply": said} if said else _("Nothing is told of the reason"), n, position, chosen)
    if not group:
        return Group(ngettext("%(n)d recipient", "%(n)d recipients", n) % {"n": n}, n, position, chosen)
    return Group(titles.get(group, group), n, position, chosen, gone=group not in titles)


def _choice(position: int, recipient: str, chosen: int) -> RecipientChoice:
    return RecipientChoice(position, visible(recipient) or _("Failure %(number)s") % {"number": position + 1}, position == chosen)
