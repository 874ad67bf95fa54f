"""From a session to the failures that it shows: each refused recipient, or the command that was refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from whybounce.failure import DeliveryFailure, Span, Stage
from whybounce.intake.addresses import find_address
from whybounce.intake.facts import Facts, bracketed, read_facts
from whybounce.intake.sessions.dialogue import Event, Exchange, Session
from whybounce.intake.sessions.events import FATAL
from whybounce.intake.sessions.paths import read_path

MOST_FAILURES = 1000
_RAISED = re.compile(r"\w{1,80}(?:Exception|Error): ([45]\d\d[ -].{0,1000})", re.ASCII)
_HEADERS = {"from:": "header_from", "subject:": "subject", "message-id:": "message_id"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A value and where it stands; `span` None where it cannot be marked."""

    value: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """The facts that hold when a command was refused; `recipients` are those that the server accepted."""

    helo: Fact = Fact()
    sender: Fact = Fact()
    recipients: list[Fact] = field(default_factory=list)
    size: Fact = Fact()

    def facts(self) -> dict[str, Fact]:
        return {"helo": self.helo, "envelope_sender": self.sender}


def failures_of(text: str, session: Session) -> tuple[DeliveryFailure, ...]:
    """The failures of a session; `text` is what its spans point into."""
    chosen = frozenset(_decisive(session))
    out: list[DeliveryFailure] = []
    held = Transaction()
    for number, exchange in enumerate(session.exchanges[: max(chosen, default=-1) + 1]):
        held = _after(text, held, exchange)
        if number in chosen and len(out) < MOST_FAILURES:
            out += _of_exchange(text, session, number, held)
    if not out and not delivered(session):
        lost = _raised(text, session) or _lost(text, session)
        out = [lost] if lost else []
    return tuple(out[:MOST_FAILURES])


def _decisive(session: Session) -> list[int]:
    """The exchanges for which mail failed: refused recipients and messages, else the first command that stayed refused, its last try."""
    exchanges, accepted = session.exchanges, _accepted(session)
    refused = [number for number, exchange in enumerate(exchanges) if _counts(session, number, exchange, accepted)]
    recipient = next((number for number in refused if exchanges[number].stage is Stage.RCPT), len(exchanges))
    # DATA refused after a recipient was: a sequel, there being no recipient
    refused = [number for number in refused if number < recipient or exchanges[number].stage is not Stage.DATA]
    real = [number for number in refused if not _only_order(exchanges[number])] or refused
    chosen = [number for number in real if exchanges[number].stage in (Stage.RCPT, Stage.MESSAGE)]
    if chosen and exchanges[real[0]].stage is not Stage.MAIL:
        return chosen
    if not real or delivered(session):
        return chosen
    staged = [number for number in real if exchanges[number].stage] or real
    first = exchanges[staged[0]].stage
    return [[number for number in staged if exchanges[number].stage is first][-1]]


def delivered(session: Session) -> bool:
    """True where the server took the message after its final dot, or the last chunk."""
    return any(exchange.stage is Stage.MESSAGE and exchange.reply is not None and exchange.reply.code[0] == "2" for exchange in session.exchanges)


def _counts(session: Session, number: int, exchange: Exchange, accepted: dict[tuple[Stage, str], int]) -> bool:
    """True for a refusal that the client did not mend later: the same command, or the same recipient, accepted."""
    reply, command = exchange.reply, exchange.command
    if reply is None or not reply.refused:
        return False
    if command is None:
        return number == 0 or number == len(session.exchanges) - 1
    if command.verb in ("RSET", "NOOP", "QUIT", "HELP"):
        return False
    mendable = bool(exchange.stage) and exchange.stage is not Stage.MESSAGE
    return not (mendable and accepted.get(_subject(exchange), -1) > number)


def _accepted(session: Session) -> dict[tuple[Stage, str], int]:
    """Command (and recipient) -> the last exchange in which it was accepted."""
    return {
        _subject(item): number
        for number, item in enumerate(session.exchanges)
        if item.reply is not None and item.reply.code[0] in "23" and item.reply.code != "334"
    }


def _subject(exchange: Exchange) -> tuple[Stage, str]:
    return exchange.stage, _address(exchange).lower() if exchange.stage is Stage.RCPT else ""


def _only_order(exchange: Exchange) -> bool:
    """503 says that another refusal came first; 500 and 502 that the command is not known."""
    return exchange.reply is not None and (exchange.reply.code == "503" or (not exchange.stage and exchange.reply.code in ("500", "502")))


def _address(exchange: Exchange) -> str:
    command = exchange.command
    return read_path(command.verb, command.argument).address if command and command.verb in ("RCPT", "MAIL") else ""


# --- the facts ---


def _of_exchange(text: str, session: Session, number: int, held: Transaction) -> Iterator[DeliveryFailure]:
    exchange = session.exchanges[number]
    if exchange.stage is Stage.RCPT:
        people = [_path_fact(text, exchange)]
    elif exchange.stage is Stage.MAIL:  # recipients that follow, where MAIL did not wait for its reply
        following = session.exchanges[number + 1 : number + 1 + MOST_FAILURES]
        people = [_path_fact(text, item) for item in following if item.stage is Stage.RCPT]
    else:
        people = held.recipients
    known = {"remote_mta": _server(text, session), "sending_ip": _client_ip(text, session, number)}
    for person in people[:MOST_FAILURES] or [Fact()]:
        yield _failure(text, session, exchange, {**known, **held.facts(), "recipient": person}, held.size)


def _after(text: str, held: Transaction, exchange: Exchange) -> Transaction:
    """What is known after the exchange; recipients are those accepted since MAIL."""
    command = exchange.command
    if command is None:
        return held
    if exchange.stage is Stage.EHLO and command.argument:
        return replace(held, helo=_in(text, command.span, command.argument.strip()))
    if exchange.stage is Stage.MAIL:
        return replace(held, sender=_path_fact(text, exchange), recipients=[], size=_size(text, exchange))
    if exchange.stage is Stage.RCPT and exchange.reply is not None and exchange.reply.code[0] == "2":
        held.recipients.append(_path_fact(text, exchange))
    return held


def _path_fact(text: str, exchange: Exchange) -> Fact:
    address = _address(exchange)
    return _in(text, exchange.command.span, address) if exchange.command and address else Fact()


def _size(text: str, exchange: Exchange) -> Fact:
    command = exchange.command
    if command is None:
        return Fact()
    value = dict(read_path("MAIL", command.argument).parameters).get("SIZE", "")
    return _in(text, command.span, value, command.text.upper().find("SIZE=")) if value.isdecimal() and len(value) < 16 else Fact()


def _in(text: str, span: Span, value: str, offset: int = 0) -> Fact:
    """A value that stands in `span`, its last occurrence there: an address follows the keyword."""
    at = text.rfind(value, span.start + max(0, offset), span.end) if value else -1
    return Fact(value, Span(at, at + len(value)) if at >= 0 else None)


def _server(text: str, session: Session) -> Fact:
    """The server's name in its greeting or its reply to EHLO (RFC 5321 section 4.2), else the host that was connected to."""
    for exchange in session.exchanges:
        if exchange.reply is None or exchange.stage not in (Stage.CONNECT, Stage.EHLO) or exchange.reply.code[0] not in "2":
            continue
        first = exchange.reply.lines[0].split(None, 1)
        name = first[0].strip("[]<>,;:").rstrip(".") if first else ""
        if "." in name and name.replace(".", "").replace("-", "").isalnum() and not name.replace(".", "").isdigit():
            at = text.find(name, exchange.reply.span.start, exchange.reply.span.end)
            return Fact(name, Span(at, at + len(name)) if at >= 0 else None)
    hosts = [event for event in session.events if event.kind == "connected" and event.host]
    named = [event for event in hosts if not event.host.replace(".", "").isdigit() and ":" not in event.host]
    for event in named[::-1] or hosts:
        return Fact(bracketed(event.host.rstrip(".")), Span(event.span.start, event.span.start + len(event.host.rstrip("."))))
    return Fact()


def _client_ip(text: str, session: Session, number: int) -> Fact:
    """The client's address as the server greets it in reply to EHLO: `Hello client.example.org [198.51.100.7]`."""
    for exchange in session.exchanges[: number + 1][::-1]:
        if exchange.stage is not Stage.EHLO or exchange.reply is None or exchange.reply.code[0] != "2":
            continue
        said = exchange.reply.lines[0]
        inside = said.rpartition("[")[2].partition("]")[0] if "[" in said else ""
        if inside.count(".") == 3 and inside.replace(".", "").isdigit() and not inside.startswith("127."):
            at = text.find(inside, exchange.reply.span.start, exchange.reply.span.end)
            return Fact(inside, Span(at, at + len(inside)) if at >= 0 else None)
        return Fact()
    return Fact()


def _failure(text: str, session: Session, exchange: Exchange, known: dict[str, Fact], size: Fact) -> DeliveryFailure:
    reply = exchange.reply
    if reply is None:
        return DeliveryFailure()
    said = reply.text
    facts = read_facts(said, 0, len(said))
    values = {**known, **_headers(text, exchange)}
    if facts.remote_mta:
        values["remote_mta"] = _quoted_in(text, reply.span, facts.remote_mta)
    if facts.sending_ip:
        values["sending_ip"] = _quoted_in(text, reply.span, facts.sending_ip)
    spans = _reply_spans(text, reply.span, facts)
    command = _refused_command(session, exchange)
    if command is not None and text[command.start : command.end].strip():
        spans["command"] = command
    if size.span:
        spans["message_size"] = size.span
    failure = DeliveryFailure(
        text=facts.text,
        code=facts.code,
        enhanced=facts.enhanced,
        stage=exchange.stage,
        message_size=int(size.value) if size.value else facts.message_size,
    )
    return _filled(failure, values, spans)


def _filled(failure: DeliveryFailure, values: dict[str, Fact], spans: dict[str, Span]) -> DeliveryFailure:
    """The failure with `values`, each marked where it stands."""

    def value(name: str) -> str:
        return values[name].value if name in values else ""

    return replace(
        failure,
        recipient=value("recipient"),
        remote_mta=value("remote_mta"),
        sending_ip=value("sending_ip"),
        envelope_sender=value("envelope_sender"),
        header_from=value("header_from"),
        helo=value("helo"),
        message_id=value("message_id"),
        subject=value("subject"),
        spans={**spans, **{name: fact.span for name, fact in values.items() if fact.span is not None}},
    )


def _refused_command(session: Session, exchange: Exchange) -> Span | None:
    """Where the refused command stands: AUTH for an answer within it; of a message its dot alone, or DATA."""
    if exchange.command is None:
        return None
    if exchange.stage is not Stage.AUTH or exchange.command.verb:
        span = exchange.command.span
        return span if exchange.command.verb != "." or span.end - span.start <= 8 else None
    before = session.exchanges[: session.exchanges.index(exchange)]
    return next((item.command.span for item in before[::-1] if item.command and item.command.verb == "AUTH"), None)


def _quoted_in(text: str, span: Span, value: str) -> Fact:
    """A value from the reply; one in brackets is marked without them."""
    return Fact(value, _in(text, span, value.strip("[]")).span)


def _reply_spans(text: str, span: Span, facts: Facts) -> dict[str, Span]:
    """Code and enhanced code at their first place in the reply; the text is the whole reply as it stands."""
    spans = {"text": span}
    for name, value in (("code", facts.code), ("enhanced", facts.enhanced)):
        at = text.find(value, span.start, span.end) if value else -1
        if value and at >= 0:
            spans[name] = Span(at, at + len(value))
    return spans


def _headers(text: str, exchange: Exchange) -> dict[str, Fact]:
    """From, Subject and Message-ID of the message, where the session shows it."""
    found: dict[str, Fact] = {}
    if exchange.stage is not Stage.MESSAGE:
        return found
    for line in exchange.content[:200]:
        if not line.text.strip():
            break
        for mark, name in _HEADERS.items():
            if name in found or not line.text[:12].lower().startswith(mark):
                continue
            value = line.text[len(mark) :].strip()[:998]
            if name == "header_from":
                place = find_address(value, max(0, value.rfind("<")), len(value))
                value = value[slice(*place)] if place else ""
            if value:
                found[name] = _in(text, Span(line.start, line.end), value)
    return found


def _raised(text: str, session: Session) -> DeliveryFailure | None:
    """A reply that only the program's exception tells, its exchange being kept out of the output: `AuthenticationFailedException: 535 ...`."""
    match = _RAISED.search(text)
    if match is None:
        return None
    facts = read_facts(text, *match.span(1))
    known = Transaction()
    for exchange in session.exchanges:
        known = _after(text, known, exchange)
    stage = Stage.AUTH if "Auth" in match[0] else facts.stage
    failure = DeliveryFailure(text=facts.text, code=facts.code, enhanced=facts.enhanced, stage=stage)
    return _filled(failure, {**known.facts(), "remote_mta": _server(text, session)}, {**facts.spans, "text": Span(*match.span(1))})


def _lost(text: str, session: Session) -> DeliveryFailure | None:
    """The failure of a connection that broke: which command was without a reply when it did."""
    event = next((item for item in session.events if item.kind in FATAL and not _after_the_end(session, item)), None)
    if event is None:
        return None
    number = next((index for index, item in enumerate(session.exchanges) if item.reply is None), len(session.exchanges) - 1)
    unanswered = bool(session.exchanges) and session.exchanges[number].reply is None
    held = Transaction()
    for exchange in session.exchanges:
        held = _after(text, held, exchange)
    stage = session.exchanges[number].stage if unanswered else Stage.EMPTY
    if event.kind == "tls-failed":
        stage = Stage.STARTTLS
    elif not session.exchanges:
        stage = Stage.CONNECT
    elif not unanswered and session.exchanges[number].stage is Stage.DATA:
        stage = Stage.MESSAGE
    values = {**held.facts(), "remote_mta": _server(text, session), "sending_ip": _client_ip(text, session, number)}
    if stage is Stage.RCPT:
        values["recipient"] = _path_fact(text, session.exchanges[number])
    elif len(held.recipients) == 1:
        values["recipient"] = held.recipients[0]
    spans = {"text": event.span}
    command = session.exchanges[number].command if unanswered else None
    if command is not None:
        spans["command"] = command.span
    return _filled(DeliveryFailure(text=event.text, stage=stage), values, spans)


def _after_the_end(session: Session, event: Event) -> bool:
    """True where the connection ended as it should: after QUIT."""
    before = session.exchanges[: event.after]
    return bool(before) and (
        (before[-1].command is not None and before[-1].command.verb == "QUIT") or (before[-1].reply is not None and before[-1].reply.code == "221")
    )
