"""A cause's remedy steps, filled in with the names and addresses of one case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from whybounce.failure import DeliveryFailure, domain_of
from whybounce.snapshot import Cause, RemedyStep

# name -> what stands there where the case does not know it; each reads well inside a sentence
PLACEHOLDERS: Mapping[str, str] = {
    "recipient": "the recipient's address",
    "recipient_local": "the part before the @",
    "recipient_domain": "the recipient's domain",
    "envelope_sender": "the envelope sender",
    "sender_domain": "the sender's domain",
    "header_from_domain": "the domain in From",
    "sending_ip": "the sending IP address",
    "helo": "the EHLO name",
    "remote_mta": "the server that refused",
    "reporting_mta": "the server that reported it",
    "code": "the reply code",
    "enhanced": "the enhanced status code",
    "reply": "the server's reply",
    "message_id": "the message-ID",
    "queue_id": "the queue ID",
    "sent_at": "the time of the attempt",
    "provider": "the receiving provider",
}

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}", re.ASCII)
# What stands before or after an argument of a command or a record: an option and its number (-q, --to, +short), a PowerShell
# verb, a program, a setting's equals sign; and an option, a server or the rest of a record ("{sender_domain}. IN MX").
_COMMAND_BEFORE = re.compile(
    r"(?:(?:^|\s)(?:-{1,2}|\+)[a-zA-Z][\w-]*(?: \d+)?|\b[A-Z][a-z]+-[A-Z]\w+|\b(?:grep|exigrep|host|idn2)|\bdig(?: (?:[+-]\w+|[A-Z]+))*|\w =) $"
)
_COMMAND_AFTER = re.compile(r" (?:-{1,2}[a-zA-Z]|@\d)|\. (?:\d+ )?(?:IN|MX|TXT|A|CNAME) ")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a filled text. `name` is the placeholder it came from ("" for plain text), `known` whether the case knew it."""

    text: str
    name: str = ""
    known: bool = True


@dataclass(frozen=True, slots=True)
class FilledStep:
    """A remedy step for one case: its text and wording as parts, so that a page can set the case's own values apart."""

    step: RemedyStep
    text: tuple[Part, ...]
    wording: tuple[Part, ...]

    @property
    def wording_text(self) -> str:
        """The wording as plain text, ready to copy."""
        return "".join(part.text for part in self.wording)


def placeholders_of(text: str) -> list[str]:
    """The names in braces, in order: `"Ask {recipient}"` -> `["recipient"]`."""
    return _PLACEHOLDER.findall(text)


def values_of(failure: DeliveryFailure, provider: str = "") -> dict[str, str]:
    """What a failure knows of each placeholder; "" where it knows nothing. `provider` is the provider's name."""
    return {
        "recipient": failure.recipient,
        "recipient_local": failure.recipient.rpartition("@")[0],
        "recipient_domain": failure.recipient_domain,
        "envelope_sender": failure.envelope_sender,
        "sender_domain": failure.sender_domain or domain_of(failure.header_from),
        "header_from_domain": domain_of(failure.header_from) or failure.sender_domain,
        "sending_ip": failure.sending_ip,
        "helo": failure.helo,
        "remote_mta": failure.remote_mta,
        "reporting_mta": failure.reporting_mta,
        "code": failure.code or "",
        "enhanced": failure.enhanced or "",
        "reply": failure.text,
        "message_id": failure.message_id,
        "queue_id": failure.queue_id,
        "sent_at": failure.sent_at,
        "provider": provider,
    }


def fill(text: str, values: Mapping[str, str], code: bool = False) -> tuple[Part, ...]:
    """`text` with each {placeholder} replaced by its value, or where that is empty by words that stand in for it; in `code` (lines
    to type or to publish) by a blank in capitals."""
    parts: list[Part] = []
    position = 0
    for match in _PLACEHOLDER.finditer(text):
        name = match[1]
        if name not in PLACEHOLDERS:
            continue
        if match.start() > position:
            parts.append(Part(text[position : match.start()]))
        value = values.get(name, "")
        parts.append(Part(value or _stand_in(name, text, match, code), name, bool(value)))
        position = match.end()
    if position < len(text):
        parts.append(Part(text[position:]))
    return tuple(parts)


def _stand_in(name: str, text: str, match: re.Match[str], code: bool) -> str:
    """Words where a sentence goes on; SENDER-DOMAIN in a command and inside a name, an address or a record ("mail.{sender_domain}")."""
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    inside = (
        (before and before in ".@:-=/_")
        or (after and after in "@-=/_")
        or (after in (".", ":") and text[match.end() + 1 : match.end() + 2].isalnum())
    )
    line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
    if code or inside or _COMMAND_BEFORE.search(line) or _COMMAND_AFTER.match(text, match.end()):
        return name.upper().replace("_", "-")
    words = PLACEHOLDERS[name]
    return words[:1].upper() + words[1:] if not line.strip() or line.endswith((". ", "? ")) else words


def remedy(cause: Cause, values: Mapping[str, str]) -> Iterable[FilledStep]:
    """The steps of `cause` in order, filled in with `values` (see `values_of`)."""
    for step in cause.steps:
        yield FilledStep(step, fill(step.text, values), fill(step.wording, values))
