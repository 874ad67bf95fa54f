"""Lines that belong together: from the events of a log to what became of each recipient of each message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from whybounce.intake.logs.event import Event, LogEvent

_OUTCOMES = frozenset((Event.FAILED, Event.DEFERRED, Event.DELIVERED, Event.REJECTED, Event.EXPIRED))
_FINAL = frozenset((Event.FAILED, Event.DELIVERED, Event.REJECTED, Event.EXPIRED))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recipient. `event` is of the line that decided, `line` its number; `gave_up`: the queue expired after it.

    `sources`: name of a fact that another line of the message told -> that line's number.
    """

    event: LogEvent
    line: int
    gave_up: bool = False
    attempts: int = 1
    sources: dict[str, int] = field(default_factory=dict, compare=False)


@dataclass(slots=True)
class _Message:
    """What is known of the message with one queue id. `facts`: name -> (value, line)."""

    facts: dict[str, tuple[object, int]] = field(default_factory=dict)
    known: dict[str, tuple[str, int]] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    said: dict[str, Outcome] = field(default_factory=dict)


# Facts that one line of a message tells and the others lack.
_NO_NEWS = "retry time not reached"
"""Exim did not try again: the reason of the attempt before stays."""
_SAYS_NOTHING = ("", "Tried all MXs")
"""Reasons that give way to what another line of the message said."""
_SHARED = ("queue_id", "envelope_sender", "message_id", "size", "helo", "client_ip", "client")


@dataclass(slots=True)
class Joiner:
    """Takes events in the order of the log; `outcomes()` gives the last word on each recipient."""

    messages: dict[str, _Message] = field(default_factory=dict)
    deliveries: dict[str, tuple[str, str]] = field(default_factory=dict)
    counts: dict[Event, int] = field(default_factory=dict)

    def add(self, event: LogEvent, line: int) -> str:
        """`line`: any number that the caller knows the line by. Gives the key of the message."""
        self.counts[event.event] = self.counts.get(event.event, 0) + 1
        event = self._numbered(event)
        key = _key(event)
        message = self.messages.setdefault(key, _Message())
        for name in _SHARED:
            value = getattr(event, name)
            if value and name not in message.facts:
                message.facts[name] = (value, line)
        recipients = (event.recipient, *event.more_recipients)
        if event.event in _OUTCOMES:
            for recipient in recipients:
                _decide(message, event._replace(recipient=recipient, more_recipients=()) if event.more_recipients else event, line)
        else:
            for recipient in recipients if event.event is Event.OTHER else ():
                if recipient:
                    message.known.setdefault(recipient.lower(), (recipient, line))
            if event.text:
                message.said[event.recipient.lower()] = Outcome(event, line)
        return key

    def key_of(self, event: LogEvent) -> str:
        """The key under which `add` would put it."""
        queue_id = self.deliveries[event.delivery][0] if event.program == "qmail" and event.delivery in self.deliveries else ""
        return event.queue_id or queue_id or _key(event)

    def take(self, key: str) -> list[Outcome]:
        """The last word on each recipient of one message, which is forgotten: for logs of any length."""
        message = self.messages.pop(key, None)
        return list(_completed(message)) if message else []

    def _numbered(self, event: LogEvent) -> LogEvent:
        """qmail names the message only where a delivery starts."""
        if event.program != "qmail" or not event.delivery:
            return event
        if event.queue_id:
            self.deliveries[event.delivery] = (event.queue_id, event.recipient)
            return event
        queue_id, recipient = self.deliveries.pop(event.delivery, ("", ""))
        return event._replace(queue_id=queue_id or f"delivery {event.delivery}", recipient=event.recipient or recipient)

    def outcomes(self) -> list[Outcome]:
        """The last word on each recipient, in the order in which their fate first stood in the log; deliveries included."""
        found = [outcome for message in self.messages.values() for outcome in _completed(message)]
        return found or [outcome for message in self.messages.values() for outcome in message.said.values() if _says_failure(outcome)][:1]


def _key(event: LogEvent) -> str:
    """A queue id, a session, or for refusals before there is an id who wanted to send; retries have the same."""
    if event.queue_id:
        return event.queue_id
    if event.delivery:
        return f"session {event.delivery}"
    return f"{event.client_ip} {event.envelope_sender} {event.helo}" if event.event in _OUTCOMES else ""


def _decide(message: _Message, event: LogEvent, line: int) -> None:
    if event.recipient[:1] == "@":
        for key, (recipient, _) in list(message.known.items()):
            if key.endswith(event.recipient.lower()) and not _decided(message, key):
                _decide(message, event._replace(recipient=recipient), line)
        return
    if not event.recipient and event.event is Event.EXPIRED:
        waiting = [key for key, outcome in message.outcomes.items() if outcome.event.event is Event.DEFERRED]
        for key in waiting:
            message.outcomes[key] = replace(message.outcomes[key], gave_up=True)
        if waiting:
            return
    if not event.recipient:
        pending = [recipient for key, (recipient, _) in message.known.items() if not _decided(message, key)]
        for recipient in pending:
            _decide(message, event._replace(recipient=recipient), line)
        if pending:
            return
    key = event.recipient.lower()
    before = message.outcomes.get(key)
    if before is None:
        message.outcomes[key] = Outcome(event, line, event.event is Event.EXPIRED)
    elif event.event is Event.EXPIRED and before.event.event is Event.DEFERRED:
        message.outcomes[key] = replace(before, gave_up=True)
    elif event.event is Event.DEFERRED and event.text.startswith(_NO_NEWS):
        message.outcomes[key] = replace(before, attempts=before.attempts + 1)
    elif event.event is not Event.DEFERRED or before.event.event is Event.DEFERRED:
        message.outcomes[key] = Outcome(event, line, event.event is Event.EXPIRED, before.attempts + 1)


def _decided(message: _Message, key: str) -> bool:
    return key in message.outcomes and (message.outcomes[key].gave_up or message.outcomes[key].event.event in _FINAL)


def _completed(message: _Message) -> Iterable[Outcome]:
    for key, outcome in message.outcomes.items():
        event, sources = outcome.event, {}
        changes: dict[str, object] = {}
        for name, (value, line) in message.facts.items():
            if not getattr(event, name):
                changes[name] = value
            if getattr(event, name) in (value, "", None):
                sources[name] = line
        if key in message.known:
            sources["recipient"] = message.known[key][1]
        said = message.said.get(key) or message.said.get("")
        if said and event.text in _SAYS_NOTHING and event.event is not Event.DELIVERED:
            changes |= {"text": said.event.text, "code": said.event.code, "enhanced": event.enhanced or said.event.enhanced}
            sources["text"] = said.line
        if not event.remote_mta and not event.remote_ip and "" in message.said and event.event is Event.DEFERRED:  # Exim: the host, on a line before
            peer = message.said[""]
            if peer.event.remote_mta and peer.event.text.endswith(event.text):
                changes |= {"remote_mta": peer.event.remote_mta, "remote_ip": peer.event.remote_ip}
                sources["remote_mta"] = peer.line
        yield replace(outcome, event=event._replace(**changes), sources=sources)  # type: ignore[arg-type]


def _says_failure(outcome: Outcome) -> bool:
    code = outcome.event.code
    return code is None or code[0] in "45"
