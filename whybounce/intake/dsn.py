"""Delivery status notifications: RFC 3464 (message/delivery-status) and RFC 6533 (message/global-delivery-status)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from whybounce.failure import Action, DeliveryFailure, Span
from whybounce.intake.addresses import find_address
from whybounce.intake.codes import first_enhanced
from whybounce.intake.facts import Facts, bracketed, one_line, read_facts
from whybounce.intake.fields import Field, fields_of
from whybounce.intake.page import Page, Part, trim

FIELDS = frozenset(
    (
        "original-envelope-id",
        "reporting-mta",
        "dsn-gateway",
        "received-from-mta",
        "arrival-date",
        "original-recipient",
        "final-recipient",
        "action",
        "status",
        "remote-mta",
        "diagnostic-code",
        "last-attempt-date",
        "final-log-id",
        "will-retry-until",
        "localized-diagnostic-code",
        "content-type",
    )
)
_RECIPIENT_FIELDS = ("final-recipient", "original-recipient", "action")
_NO_FAILURE = ("delivered", "relayed", "expanded")


@dataclass(slots=True)
class Group:
    """The fields of one group: the message's own, or one recipient's (RFC 3464 sections 2.2 and 2.3). First value of each."""

    fields: dict[str, Field] = field(default_factory=dict)

    @property
    def of_recipient(self) -> bool:
        return any(name in self.fields for name in _RECIPIENT_FIELDS)


@dataclass(frozen=True, slots=True)
class Notification:
    """`failures` in the order of the groups; `succeeded`: recipients whose action is delivered, relayed or expanded."""

    failures: tuple[DeliveryFailure, ...] = ()
    succeeded: int = 0
    reporting_mta: str = ""
    envelope_sender: str = ""
    sender_span: Span | None = None
    queue_id: str = ""
    arrival: str = ""


def groups_of(page: Page) -> list[Group]:
    groups: list[Group] = []
    for section in page.of(Part.STATUS):
        group = Group()
        for item in fields_of(page.text, section.start, section.end, FIELDS):
            starts_next = item is not None and item.name == "final-recipient" and "final-recipient" in group.fields
            if (item is None or starts_next) and group.fields:
                groups.append(group)
                group = Group()
            if item is not None:
                group.fields.setdefault(item.name, item)
        if group.fields:
            groups.append(group)
    return _joined(groups)


def _joined(groups: list[Group]) -> list[Group]:
    """An empty line within a recipient's fields is no new recipient: a group without Final-Recipient belongs to the one before."""
    joined: list[Group] = []
    for group in groups:
        if joined and joined[-1].of_recipient and not {"final-recipient", "original-recipient", "reporting-mta"} & set(group.fields):
            for name, item in group.fields.items():
                joined[-1].fields.setdefault(name, item)
        else:
            joined.append(group)
    return joined


def read_notification(page: Page) -> Notification:
    """All recipients of the page's delivery-status sections."""
    text = page.text
    failures: list[DeliveryFailure] = []
    succeeded = 0
    groups = groups_of(page)
    if not groups:
        return Notification()
    message: dict[str, Field] = {}
    for group in groups:
        for name, item in group.fields.items():
            message.setdefault(name, item)
    reporting = _typed(text, message.get("reporting-mta"))
    arrival = _text(text, message.get("arrival-date"))
    for group in groups:
        if not group.of_recipient:
            continue
        action = _text(text, group.fields.get("action")).lower()
        if action.startswith(_NO_FAILURE):
            succeeded += 1
            continue
        failure = _failure(text, group, action, reporting, arrival)
        if failure is not None:
            failures.append(failure)
    sender = message.get("x-postfix-sender") or message.get("x-envelope-from")
    place = find_address(text, sender.start, sender.end) if sender else None
    return Notification(
        failures=tuple(failures),
        succeeded=succeeded,
        reporting_mta=reporting,
        envelope_sender=text[slice(*place)] if place else "",
        sender_span=Span(*place) if place else None,
        queue_id=_text(text, message.get("x-postfix-queue-id")),
        arrival=arrival,
    )


def _failure(text: str, group: Group, action: str, reporting: str, arrival: str) -> DeliveryFailure | None:
    fields = group.fields
    recipient, recipient_span = _recipient(text, fields)
    diagnostic = fields.get("diagnostic-code") or fields.get("localized-diagnostic-code")
    facts = _diagnostic(text, diagnostic)
    status = fields.get("status")
    enhanced, enhanced_span = facts.enhanced, facts.spans.get("enhanced")
    noted = first_enhanced(text[status.start : status.end]) if status is not None and (enhanced is None or enhanced.endswith(".0.0")) else None
    if status is not None and noted and (enhanced is None or not noted.endswith(".0.0")):
        enhanced = noted
        at = text.find(enhanced, status.start, status.end)
        enhanced_span = Span(at, at + len(enhanced))
    if not facts.text and status is not None:
        facts = _status_comment(text, status)
    remote, remote_span, source = _remote(text, fields, facts)
    if not (recipient or facts.text or enhanced):
        return None
    spans = dict(facts.spans)
    for name, span in (("recipient", recipient_span), ("enhanced", enhanced_span), ("remote_mta", remote_span)):
        if span is not None:
            spans[name] = span
    if source and not facts.sending_ip:
        spans["sending_ip"] = Span(source[1], source[1] + len(source[0]))
    return DeliveryFailure(
        text=facts.text,
        recipient=recipient,
        original_recipient=_original_recipient(text, fields),
        action=Action.DELAYED if action.startswith("delay") else Action.FAILED,
        code=facts.code,
        enhanced=enhanced,
        stage=facts.stage,
        remote_mta=remote,
        reporting_mta=reporting,
        sending_ip=facts.sending_ip or (source[0] if source else ""),
        message_size=facts.message_size,
        sent_at=_text(text, fields.get("last-attempt-date")) or arrival,
        spans=spans,
    )


def _diagnostic(text: str, item: Field | None) -> Facts:
    """The reply of a Diagnostic-Code (RFC 3464 section 2.3.6). The exit code of a local program (`x-unix; 255`) is no reply code."""
    if item is None:
        return Facts()
    start = item.start
    semicolon = text.find(";", start, min(item.end, start + 24))
    kind = text[start:semicolon].strip().lower() if semicolon > 0 else ""
    if kind and kind.replace("-", "").isalnum() and not kind[0].isdigit():
        start = semicolon + 1
    if kind == "x-unix" and text[start : item.end].strip().isdigit():
        return Facts()
    facts = read_facts(text, *trim(text, start, item.end))
    if facts.code is not None and facts.code[0] in "23":
        spans = {name: span for name, span in facts.spans.items() if name != "code"}
        return replace(facts, code=None, spans=spans)
    return facts


def _status_comment(text: str, status: Field) -> Facts:
    """`Status: 5.4.4 (Illegal host/domain name found)`: Oracle's and Sun's servers put the reason into the comment."""
    opening = text.find("(", status.start, status.end)
    if opening < 0:
        return Facts()
    closing = text.rfind(")", opening, status.end)
    start, end = trim(text, opening + 1, closing if closing > 0 else status.end)
    return Facts(text=one_line(text[start:end]), spans={"text": Span(start, end)}) if end > start else Facts()


def _recipient(text: str, fields: dict[str, Field]) -> tuple[str, Span | None]:
    """Final-Recipient (RFC 3464 section 2.3.2), else Original-Recipient; a local part alone where there is no address."""
    for name in ("final-recipient", "original-recipient", "x-actual-recipient"):
        item = fields.get(name)
        if item is None:
            continue
        start = _after_type(text, item)
        found = find_address(text, start, item.end)
        if found and (name != "final-recipient" or "." in text[slice(*found)].rpartition("@")[2] or not _original_recipient(text, fields)):
            return text[slice(*found)], Span(*found)
    item = fields.get("final-recipient")
    if item is not None:
        start, end = trim(text, _after_type(text, item), item.end)
        value = text[start:end].strip("<>")
        if value and not value.startswith(("|", "/")) and len(value) < 320 and " " not in value:
            start = text.find(value, start, end)
            return value, Span(start, start + len(value))
    return "", None


def _original_recipient(text: str, fields: dict[str, Field]) -> str:
    item = fields.get("original-recipient")
    found = find_address(text, _after_type(text, item), item.end) if item else None
    return text[slice(*found)] if found else ""


def _remote(text: str, fields: dict[str, Field], facts: Facts) -> tuple[str, Span | None, tuple[str, int] | None]:
    """The refusing host: from the reply where it is unwrapped, else Remote-MTA (section 2.3.5), and the source address of
    the connection where the server notes it (Oracle: `(TCP|source|port|destination|port)`)."""
    item = fields.get("remote-mta")
    source = None
    if item is not None:
        tcp = text.find("(TCP|", item.start, item.end)
        if tcp > 0:
            stop = text.find("|", tcp + 5, item.end)
            if stop > 0:
                source = (text[tcp + 5 : stop], tcp + 5)
    if facts.remote_mta or item is None:
        return facts.remote_mta, facts.spans.get("remote_mta"), source
    start, end = trim(text, _after_type(text, item), item.end)
    words = text[start:end].split(None, 1)
    if not words:
        return "", None, source
    host = words[0].rstrip(".")
    return bracketed(host), Span(start, start + len(host)), source


def _after_type(text: str, item: Field) -> int:
    """Where the value begins after its type (`rfc822;`, `dns;`): RFC 3464 section 2.1.2."""
    semicolon = text.find(";", item.start, min(item.end, item.start + 24))
    return semicolon + 1 if semicolon >= 0 and "@" not in text[item.start : semicolon] else item.start


def _typed(text: str, item: Field | None) -> str:
    if item is None:
        return ""
    words = text[_after_type(text, item) : item.end].split(None, 1)
    return words[0].rstrip(".") if words else ""


def _text(text: str, item: Field | None) -> str:
    return " ".join(text[item.start : item.end].split())[:200] if item else ""
