"""One answer, and the sentence for it, from what the mail servers of a domain showed."""

from __future__ import annotations

from collections.abc import Sequence

from whybounce.checks.conversation_wire import Ending
from whybounce.checks.guard import shown
from whybounce.checks.result import DeclaredAnswer, State
from whybounce.checks.smtp_findings import Seen
from whybounce.checks.smtp_refusals import Refused

ANSWERS = (
    DeclaredAnswer("ok", State.GOOD),
    DeclaredAnswer("rcpt-accepted", State.GOOD),
    DeclaredAnswer("catch-all", State.INFO),
    DeclaredAnswer("greylisting", State.INFO),
    DeclaredAnswer("rcpt-rejected", State.BAD),
    DeclaredAnswer("mailbox-full", State.BAD),
    DeclaredAnswer("sender-rejected", State.BAD),
    DeclaredAnswer("client-blocked", State.BAD),
    DeclaredAnswer("banner-reject", State.BAD),
    DeclaredAnswer("refused", State.BAD),
    DeclaredAnswer("open-relay", State.BAD),
    DeclaredAnswer("size-limit", State.WARNING),
    DeclaredAnswer("no-starttls", State.WARNING),
    DeclaredAnswer("tls-broken", State.WARNING),
    DeclaredAnswer("tempfail", State.UNKNOWN, informative=False),
    DeclaredAnswer("timeout", State.UNKNOWN, informative=False),
    DeclaredAnswer("off", State.UNKNOWN, informative=False),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
STATES = {answer.slug: answer.state for answer in ANSWERS}
_UNINFORMATIVE = frozenset(answer.slug for answer in ANSWERS if not answer.informative)
# A sending server goes on to the next MX host (RFC 5321 section 5.1): bad only where none is left.
_ONLY_OF_THIS_ONE = frozenset(("refused", "banner-reject"))

# An answer of the check, and the sentence that says what was seen.
Verdict = tuple[str, str]


def overall(servers: Sequence[Seen]) -> Verdict:
    """The verdict on the best server that took us; bad because of servers that did not only where that is certain of all of them."""
    verdicts = [verdict(seen) for seen in servers]
    took_us = [each for each in verdicts if each[0] not in _UNINFORMATIVE | _ONLY_OF_THIS_ONE]
    unclear = [each for each in verdicts if each[0] in _UNINFORMATIVE and each[0] != "unknown"] or [each for each in verdicts if each[0] == "unknown"]
    answer, detail = (took_us or unclear or verdicts)[0]
    others = [each[1] for each in verdicts if each[1] != detail and (each[0] in _ONLY_OF_THIS_ONE or each[0] in _UNINFORMATIVE)]
    return answer, f"{detail} {others[0]}" if others else detail


def verdict(seen: Seen) -> Verdict:
    """What one conversation comes to."""
    return _before_ehlo(seen) or _refusal(seen) or _cut_short(seen) or _what_it_can_do(seen)


def _where(seen: Seen) -> str:
    server = seen.conversation.server
    return f"{shown(server.host, 253)} ({server.address})"


def _before_ehlo(seen: Seen) -> Verdict | None:
    talk, where = seen.conversation, _where(seen)
    match talk.ending:
        case Ending.NOT_ALLOWED:
            return "unknown", f"{where} was not contacted: {talk.reason}."
        case Ending.CONNECT_TIMEOUT | Ending.UNREACHABLE:
            return "timeout", f"{where} could not be reached from here: {talk.reason}."
        case Ending.REFUSED:
            return "refused", f"{where} refuses connections: port {talk.server.port} is closed."
    greeting = talk.replies.get("greeting")
    if greeting is not None and greeting.kind == 4:
        return "tempfail", f"{where} put us off as we connected: {greeting.text}"
    if greeting is not None and greeting.kind == 5:
        return "banner-reject", f"{where} refuses to serve this machine at all: {greeting.text}"
    hello = talk.replies.get("helo") or talk.replies.get("ehlo")
    if hello is not None and hello.kind == 4:
        return "tempfail", f"{where} put us off at EHLO: {hello.text}"
    if hello is not None and hello.kind == 5:
        return "client-blocked", f"{where} refuses this machine at EHLO: {hello.text}"
    return None


def _refusal(seen: Seen) -> Verdict | None:
    """What stops mail, in the order of what it says most about."""
    talk, where, refused = seen.conversation, _where(seen), seen.refused
    if seen.relays:
        return "open-relay", f"{where} takes mail for a foreign domain from a stranger: it is an open relay."
    if refused is None:
        return None
    stage = seen.refused_stage
    text = talk.replies["recipient" if stage == "RCPT" else "mail"].text
    match refused:
        case Refused.CLIENT:
            return "client-blocked", f"{where} refuses this machine because of its address: {text}"
        case Refused.SENDER:
            return "sender-rejected", f"{where} refuses the sender of the probe: {text}"
        case Refused.MAILBOX_FULL:
            return "mailbox-full", f"{where} says that the mailbox is full: {text}"
        case Refused.RECIPIENT:
            return "rcpt-rejected", f"{where} refuses the recipient: {text}"
    return None


def _cut_short(seen: Seen) -> Verdict | None:
    """The conversation did not come to its end, and nobody was refused before."""
    talk, where = seen.conversation, _where(seen)
    match talk.ending:
        case Ending.COMPLETE:
            return None
        case Ending.SILENT if talk.stage == "greeting":
            return "timeout", f"{where} took the connection, but gave no greeting within {seen.limits.seconds:g} seconds."
        case Ending.SILENT | Ending.TIMEOUT:
            return "timeout", f"{where} did not come to an end in time (at {_step(talk.stage)})."
        case Ending.CLOSED:
            return "unknown", f"{where} closed the connection early (at {_step(talk.stage)})."
        case _:
            return "unknown", f"{where} does not speak SMTP as it should (at {_step(talk.stage)}): {talk.reason}."


def _step(stage: str) -> str:
    names = {
        "greeting": "the greeting",
        "tls": "the TLS handshake",
        "ehlo-tls": "EHLO within TLS",
        "recipient": "RCPT",
        "stranger": "the second RCPT",
    }
    return names.get(stage, stage.upper())


def _what_it_can_do(seen: Seen) -> Verdict:
    """The conversation came to its end."""
    talk, where, refused = seen.conversation, _where(seen), seen.refused
    if seen.too_small:
        than = f"the message of {seen.message_size} octets is larger" if seen.message_size is not None else "nearly every message is larger"
        return "size-limit", f"{where} takes messages of at most {seen.size_limit} octets, and {than}."
    if talk.tls_error:
        return "tls-broken", f"{where} offers STARTTLS, but TLS fails: {talk.tls_error}."
    if refused in (Refused.LATER, Refused.TOO_MUCH, Refused.COMMAND):
        return _not_now(seen, refused)
    accepted = refused is Refused.NOBODY
    takes = f"{where} accepts the recipient" if accepted else f"{where} answers"
    answer = "catch-all" if seen.catch_all else "rcpt-accepted" if accepted else ""
    also = ", and every other name at this domain" if seen.catch_all else ""
    warning, lacking = _tls_trouble(seen)
    if warning:
        return answer or warning, f"{takes}{also}, but {lacking}."
    version = f" ({talk.tls.version})" if talk.tls else ""
    return answer or "ok", f"{takes}{also}{version}." if accepted else f"{takes} as it should{version}."


def _not_now(seen: Seen, refused: Refused) -> Verdict:
    where, stage = _where(seen), seen.refused_stage
    text = seen.conversation.replies["recipient" if stage == "RCPT" else "mail"].text
    if refused is Refused.COMMAND:
        return "unknown", f"{where} did not judge the {'recipient' if stage == 'RCPT' else 'sender'}: {text}"
    if refused is Refused.LATER and stage == "RCPT":
        return "greylisting", f"{where} asks to come back later, as greylisting does, which says nothing against the recipient: {text}"
    return "tempfail", f"{where} put us off at {stage}: {text}"


def _tls_trouble(seen: Seen) -> tuple[str, str]:
    """The answer that stands for what is wrong with TLS, and the end of a sentence; two "" where nothing is."""
    talk, certificate = seen.conversation, seen.certificate
    if "STARTTLS" not in talk.offered:
        return "no-starttls", "offers no STARTTLS, so mail comes to it in the clear or not at all"
    if certificate is not None and not certificate.valid_now:
        when = f"expired on {certificate.not_after:%Y-%m-%d}" if certificate.expired else f"is not valid before {certificate.not_before:%Y-%m-%d}"
        return "tls-broken", f"its certificate {when}"
    if certificate is not None and not certificate.matches:
        names = ", ".join(shown(name, 253) for name in certificate.names[:3]) or "no host at all"
        return "tls-broken", f"its certificate is for {names}"
    return "", ""
