"""What a mail service reports, in one form whoever sent it, and the failure that it becomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from whybounce.failure import Action, DeliveryFailure, Span, domain_of
from whybounce.intake.codes import first_enhanced
from whybounce.intake.facts import bracketed
from whybounce.intake.reply import failure_of
from whybounce.intake.webhooks.document import Text, Value, span_of

_CODE = re.compile(r"[2-5]\d\d", re.ASCII)
_EPOCH = re.compile(r"([1-9]\d{8,9})(?:\d{3})?(?:\.\d{1,9})?", re.ASCII)  # seconds or milliseconds
_ADDRESSES = ("recipient", "original_recipient", "envelope_sender")


@dataclass(frozen=True, slots=True)
class Event:
    """One event about one recipient.

    outcome   "failed", "delayed", "delivered", "complaint", or "other" for opens, clicks and the like
    said      what the receiving server said, or what the service says instead
    status    basic or enhanced code, or both in any order, where they stand apart from `said`
    """

    outcome: str
    recipient: Value = None
    said: Value = None
    status: Sequence[Value] = ()
    remote_mta: Value = None
    reporting_mta: Value = None
    sending_ip: Value = None
    envelope_sender: Value = None
    header_from: Value = None
    message_id: Value = None
    queue_id: Value = None
    subject: Value = None
    sent_at: Value = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """A mail service. `knows` says whether an object is one of its events; `read` gives the events in it. `marks`: every event has one
    of these in its text, which is quick to look for."""

    slug: str
    name: str
    marks: tuple[str, ...]
    knows: Callable[[dict[str, Value]], bool]
    read: Callable[[dict[str, Value]], Iterator[Event]]


def child(value: Value, *path: str) -> Value:
    """The value at `path` below `value`, None where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def entry(value: Value, *path: str) -> dict[str, Value]:
    """The object at `path`, empty where there is none."""
    found = child(value, *path)
    return found if isinstance(found, dict) else {}


def items(value: Value, *path: str) -> list[Value]:
    """The list at `path`, empty where there is none; one value alone is a list of one."""
    found = child(value, *path)
    return found if isinstance(found, list) else [] if found is None or found is False else [found]


def word(value: Value, *path: str) -> str:
    """A string at `path` in lower case, "" where there is none."""
    found = child(value, *path)
    return found.lower() if isinstance(found, str) else ""


def first(*values: Value) -> Value:
    """The first value that says something."""
    return next((value for value in values if isinstance(value, str) and value.strip()), None)


def after(value: Value, mark: str) -> Value:
    """The part of a value behind the last `mark` and its spaces: of `dns; mx.example.net` the host."""
    if not isinstance(value, Text) or mark not in value:
        return value
    return part(value, value.rindex(mark) + len(mark), len(value))


def part(value: Text, start: int, end: int) -> Value:
    """Characters of a value as a value of its own, spaces around it left out."""
    said = value[start:end]
    start += len(said) - len(said.lstrip())
    said = said.strip()
    if not said:
        return None
    piece = Text(said)
    if value.end - value.start == len(value):
        piece.start, piece.end = value.start + start, value.start + start + len(said)
    else:  # written with escapes: the whole is marked
        piece.start, piece.end = value.start, value.end
    return piece


def failure(text: str, event: Event) -> DeliveryFailure:
    """The failure that an event tells; its spans point into `text`, the text of the document."""
    spans: dict[str, Span] = {}
    said = event.said if isinstance(event.said, Text) else None
    inner = failure_of(said) if said is not None and said.strip() else DeliveryFailure()
    if said is not None:
        for name, span in inner.spans.items():
            if name not in _ADDRESSES:
                spans[name] = span_of(text, said, span.start, span.end)
    code, enhanced = _codes(text, event.status, inner, spans)
    values = {name: _shown(text, name, getattr(event, name), spans) for name in _PLAIN}
    action = Action.DELAYED if event.outcome == "delayed" else Action.FAILED
    return DeliveryFailure(
        text=inner.text,
        action=action,
        code=code,
        enhanced=enhanced,
        stage=inner.stage,
        remote_mta=bracketed(values["remote_mta"]) or inner.remote_mta,
        sending_ip=values["sending_ip"] or inner.sending_ip,
        recipient=values["recipient"],
        reporting_mta=values["reporting_mta"],
        envelope_sender=values["envelope_sender"],
        header_from=values["header_from"],
        message_id=values["message_id"],
        queue_id=values["queue_id"],
        subject=values["subject"],
        sent_at=values["sent_at"],
        message_size=inner.message_size,
        spans=spans,
    )


_PLAIN = (
    "recipient", "remote_mta", "reporting_mta", "sending_ip", "envelope_sender", "header_from", "message_id", "queue_id", "subject", "sent_at",
)  # fmt: skip


def _codes(text: str, status: Sequence[Value], inner: DeliveryFailure, spans: dict[str, Span]) -> tuple[str | None, str | None]:
    """The reply's own codes; where it shows none, those that stand beside it."""
    code, enhanced = inner.code, inner.enhanced
    for value in status:
        if not isinstance(value, Text):
            continue
        if code is None and (match := _CODE.match(value.strip())) and value.strip()[3:4] in ("", " ", "-"):
            code = match[0]
            at = value.index(code)
            spans["code"] = span_of(text, value, at, at + 3)
        if enhanced is None and (other := first_enhanced(value)):
            enhanced = other
            at = value.index(other)
            spans["enhanced"] = span_of(text, value, at, at + len(other))
    return code, enhanced


def _shown(text: str, name: str, value: Value, spans: dict[str, Span]) -> str:
    """A value as text, an address without its name and brackets; its span noted where it stands so in the text."""
    if not isinstance(value, Text):
        return value if isinstance(value, str) else ""
    shown: Value = value
    if name == "sent_at" and (epoch := _EPOCH.fullmatch(value)):
        return datetime.fromtimestamp(int(epoch[1]), UTC).isoformat().replace("+00:00", "Z")
    if name in ("recipient", "envelope_sender") and "<" in value and domain_of(value):
        start = value.rindex("<") + 1
        end = value.find(">", start)
        shown = part(value, start, end if end >= 0 else len(value)) or value
    result = str(shown).strip()
    if isinstance(shown, Text) and text[shown.start : shown.end] == result:
        spans[name] = Span(shown.start, shown.end)
    elif name in ("recipient", "remote_mta"):
        spans[name] = span_of(text, value)
    return result
