"""The pasted text cut at the facts that were read from it, so that a page can mark each where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from troubleshoot.wording import STAGES
from whybounce.failure import DeliveryFailure, Span
from whybounce.visible import visible

FACTS: tuple[tuple[str, str | Promise, str], ...] = (
    ("text", gettext_lazy("Reply"), "d"),
    ("code", gettext_lazy("Reply code"), "a"),
    ("enhanced", gettext_lazy("Enhanced status code"), "a"),
    ("stage", gettext_lazy("Refused at"), "a"),
    ("command", gettext_lazy("Refused command"), "a"),
    ("recipient", gettext_lazy("Recipient"), "c"),
    ("original_recipient", gettext_lazy("Original recipient"), "c"),
    ("remote_mta", gettext_lazy("Refused by"), "b"),
    ("reporting_mta", gettext_lazy("Reported by"), "b"),
    ("sending_ip", gettext_lazy("Sending IP"), "b"),
    ("helo", gettext_lazy("EHLO name"), "b"),
    ("envelope_sender", gettext_lazy("Envelope sender"), "c"),
    ("header_from", gettext_lazy("From"), "c"),
    ("subject", gettext_lazy("Subject"), "e"),
    ("sent_at", gettext_lazy("Time"), "e"),
    ("message_id", gettext_lazy("Message-ID"), "e"),
    ("queue_id", gettext_lazy("Queue ID"), "e"),
    ("message_size", gettext_lazy("Size (bytes)"), "e"),
    ("action", gettext_lazy("Action"), "e"),
)
"""Field of a DeliveryFailure, its name for a person, its group of colour."""

_LABELS = {name: label for name, label, _group in FACTS}
_GROUPS = {name: group for name, _label, group in FACTS}
_GROUP_LABELS = {
    "d": gettext_lazy("reply"),
    "a": gettext_lazy("code or stage"),
    "c": gettext_lazy("address"),
    "b": gettext_lazy("server"),
    "e": gettext_lazy("message"),
}
_KEPT = 700


@dataclass(frozen=True, slots=True)
class FactLine:
    """A fact and its name. `group` is its colour, "" where it does not stand in the text as such; `is_code`: it has a page."""

    name: str
    label: str
    value: str
    group: str = ""
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the text. `label` and `group` are "" for what is no fact; `left_out`: characters that are not shown here."""

    text: str
    label: str = ""
    group: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class LegendEntry:
    group: str
    label: str


def fact_lines(failure: DeliveryFailure) -> tuple[FactLine, ...]:
    """The known facts, the reply first."""
    return tuple(_fact_line(failure, name) for name, _label, _group in FACTS if name not in ("action", "command") and getattr(failure, name))


def _fact_line(failure: DeliveryFailure, name: str) -> FactLine:
    value = str(STAGES[failure.stage]) if name == "stage" else str(getattr(failure, name))
    group = _GROUPS[name] if name in failure.spans else ""
    return FactLine(name, str(_LABELS[name]), visible(value), group, name in ("code", "enhanced"))


def segments(text: str, spans: Mapping[str, Span]) -> tuple[Segment, ...]:
    """`text` in pieces, those covered by a span marked with its fact; where spans overlap the shorter one shows."""
    marks = sorted(
        ((max(0, span.start), min(len(text), span.end), name) for name, span in spans.items() if name in _LABELS),
        key=lambda mark: mark[0] - mark[1],
    )
    owner: dict[tuple[int, int], str] = {}
    edges = sorted({0, len(text), *(edge for start, end, _name in marks if start < end for edge in (start, end))})
    for start, end in pairwise(edges):
        for left, right, name in marks:  # the shortest comes last and stays
            if left <= start and end <= right:
                owner[start, end] = name
    out: list[Segment] = []
    for start, end in pairwise(edges):
        held = owner.get((start, end))
        if held:
            out.append(Segment(visible(text[start:end]), str(_LABELS[held]), _GROUPS[held]))
        else:
            out += _plain(text[start:end])
    return tuple(out)


def _plain(text: str) -> list[Segment]:
    """Text without facts; of a long one the beginning and the end."""
    if len(text) <= 3 * _KEPT:
        return [Segment(visible(text))]
    return [Segment(visible(text[:_KEPT])), Segment("", left_out=len(text) - 2 * _KEPT), Segment(visible(text[-_KEPT:]))]


def legend(pieces: tuple[Segment, ...]) -> tuple[LegendEntry, ...]:
    """The colours that occur, in a fixed order."""
    present = {piece.group for piece in pieces}
    return tuple(LegendEntry(group, str(label)) for group, label in _GROUP_LABELS.items() if group in present)
