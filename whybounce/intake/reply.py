"""A reply alone, as people and programs paste it: RFC 5321 section 4.2, one line or several, with words around it."""

from __future__ import annotations

import re
from dataclasses import replace

from whybounce.failure import DeliveryFailure, IntakeReport, Span
from whybounce.intake.addresses import find_address
from whybounce.intake.codes import leading_code
from whybounce.intake.facts import Facts, read_facts
from whybounce.intake.languages import says_undelivered
from whybounce.intake.page import trim
from whybounce.intake.reasons import find_coded_line, find_dialogue, find_quoted
from whybounce.intake.unwrap import innermost
from whybounce.status import is_enhanced_code, is_reply_code

_TYPED = re.compile(r"\s*(?:smtp|x-[a-z0-9-]{1,30}|unknown|dns|lmtp)\s*;\s*", re.ASCII | re.IGNORECASE)
_PYTHON = re.compile(r"\(\s*(\d{3})\s*,\s*b?(['\"])", re.ASCII)
_CODE_ALONE = re.compile(
    r"(?:(?:error|code|smtp|status|reply)[\s:]+){0,3}[#(]{0,2}"
    r"(\d{3}(?:[\s-]+#?\d\.\d{1,3}\.\d{1,3})?|[Xx\d]\.\d{1,3}\.\d{1,3})[.)]{0,2}",
    re.ASCII | re.IGNORECASE,
)
# A further reply on the same line, as reports join the replies of one conversation.
_FURTHER = re.compile(r"(?<=[\s\]\"'])(?:55[0-6]|52[135]|53[0458])[ -](?=\d\.\d{1,3}\.\d|[A-Za-z<#])", re.ASCII)
_SEQUEL = re.compile(r"(?<=[\s\]\"'])503[ -](?:\d\.\d\.\d )?[^\d]{0,60}\bRCPT\b", re.ASCII | re.IGNORECASE)
_LEADING_STATUS = re.compile(r"\d\.\d{1,3}\.\d{1,3} (?=[45]\d\d )", re.ASCII)
_LOG_FIELDS = (("recipient", "to=<"), ("envelope_sender", "from=<"))
_FAILURE_WORDS = (
    "reject", "fail", "denied", "refus", "undeliver", "deliver", "unknown", "full", "quota", "bounce", "block", "not found", "timed out", "timeout",
    "error", "invalid", "disabled", "not exist", "spam", "too large", "too many", "expired", "unable", "cannot", "could not", "couldn't", "dmarc",
    "no such", "unavailable", "returned", "relay", "not allowed", "not permitted", "blacklist", "mailbox", "policy", "authentication",
)  # fmt: skip


def read_line(text: str) -> IntakeReport:
    """One reply or log line; no e-mail parsing. Always a failure, unless the line is empty or says that all went well."""
    if not text.strip():
        return IntakeReport("empty", text, (), "empty", ("There is nothing here.",))
    if len(text) < 40:
        alone = read_code_alone(text)
        if alone is not None:
            return alone
    failure = failure_of(text)
    if failure.code is not None and failure.code[0] == "2":
        note = f"{failure.code} is a success: the server accepted what was sent (RFC 5321 section 4.2.1)."
        return IntakeReport("reply", text, (), "delivered", (note,))
    return IntakeReport("reply" if failure.code or failure.enhanced else "text", text, (failure,), "", code_notes(failure))


def failure_of(text: str) -> DeliveryFailure:
    """The failure that a reply tells. `text` may have any number of lines."""
    start, end = trim(text, 0, len(text))
    typed = _TYPED.match(text, start, end)
    if typed and typed.end() < end:
        start = typed.end()
    python = _PYTHON.search(text, start, min(end, start + 200)) if "(" in text[start : start + 200] else None
    if not python and "\n" in text[start:end] and leading_code(text, start, end) is None:
        place = find_dialogue(text, start, end) or find_quoted(text, start, end) or find_coded_line(text, start, end)
        start, end = (place[0], place[1]) if place else (start, end)
    elif not python:
        start, end = _refusal(text, start, end)
    facts = _python_facts(text, python, end) if python else read_facts(text, start, end)
    spans = dict(facts.spans)
    named: dict[str, str] = {}
    for name, mark in _LOG_FIELDS:
        at = text.find(mark)
        if at >= 0:
            _note(text, name, at + len(mark), named, spans)
    if "recipient" not in named:
        _recipient(text, start, named, spans)
    return DeliveryFailure(
        text=facts.text,
        recipient=named.get("recipient", ""),
        code=facts.code,
        enhanced=facts.enhanced,
        stage=facts.stage,
        remote_mta=facts.remote_mta,
        sending_ip=facts.sending_ip,
        envelope_sender=named.get("envelope_sender", ""),
        message_size=facts.message_size,
        spans=spans,
    )


def _refusal(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the refusal stands among several replies on one line: of `450 busy 551 not our user 503 need RCPT` in the middle. A temporary
    reply before it did not end the delivery, and 503 (bad sequence, RFC 5321 section 4.2.3) only says that the refusal came first."""
    stop = min(end, start + 1000)
    first = _LEADING_STATUS.match(text, start, stop)
    begin = first.end() if first else start
    code = leading_code(text, begin, end)
    if code is None:
        return start, end
    if text[begin] == "4" or text.startswith("503", begin):
        further = _FURTHER.search(text, begin + 4, stop)
        begin = further.start() if further else start
    else:
        begin = start
    sequel = _SEQUEL.search(text, begin + 4, stop)
    return begin, trim(text, begin, sequel.start())[1] if sequel else end


def _note(text: str, name: str, at: int, named: dict[str, str], spans: dict[str, Span]) -> None:
    found = find_address(text, at, min(len(text), at + 400))
    if found and found[0] == at:
        named[name] = text[slice(*found)]
        spans[name] = Span(*found)


def _recipient(text: str, start: int, named: dict[str, str], spans: dict[str, Span]) -> None:
    """The recipient where it is certain: quoted before "Recipient address rejected", or after RCPT TO."""
    lowered = text[start : start + 1000].lower()
    at = lowered.find("rcpt to:<")
    if at >= 0:
        _note(text, "recipient", start + at + len("rcpt to:<"), named, spans)
        return
    at = lowered.find(">: recipient address rejected")
    opening = text.rfind("<", start, start + at) if at >= 0 else -1
    if opening >= 0:
        _note(text, "recipient", opening + 1, named, spans)


def _python_facts(text: str, mark: re.Match[str], end: int) -> Facts:
    """`(550, b'5.7.1 ...')`: a reply as Python's smtplib shows it."""
    closing = text.rfind(mark[2], mark.end(), end)
    inner = read_facts(text, mark.end(), closing if closing > mark.end() else end)
    spans = {**inner.spans, "code": Span(mark.start(1), mark.end(1))}
    stop = closing if closing > mark.end() else end
    spans["text"] = Span(mark.end(), stop)
    said = " ".join(text[mark.end() : stop].split())
    return Facts(said, mark[1], inner.enhanced, inner.stage, inner.remote_mta, inner.sending_ip, None, spans)


def read_code_alone(text: str) -> IntakeReport | None:
    """`550`, `5.1.1`, `550 5.1.1`, `#5.7.1`, `X.1.1`: only a code, nothing said."""
    match = _CODE_ALONE.fullmatch(text, *trim(text, 0, len(text)))
    if not match:
        return None
    words = match[1].replace("-", " ").replace("#", " ").split()
    code = next((word for word in words if len(word) == 3), None)
    enhanced = next((word for word in words if "." in word), None)
    spans = {}
    for name, value in (("code", code), ("enhanced", enhanced)):
        if value:
            at = text.find(value, match.start(1))
            spans[name] = Span(at, at + len(value))
    failure = DeliveryFailure(code=code, enhanced=enhanced, spans=spans)
    return IntakeReport("reply", text, (failure,), "", code_notes(failure))


def code_notes(failure: DeliveryFailure) -> tuple[str, ...]:
    """Notes on codes that no standard defines."""
    notes = []
    if failure.code and not is_reply_code(failure.code):
        notes.append(
            f"RFC 5321 section 4.2 defines no reply code {failure.code}: the first digit is 2 to 5, the second 0 to 5. Read it by its first digit."
        )
    if failure.enhanced and failure.enhanced[0] not in "xX" and not is_enhanced_code(failure.enhanced):
        notes.append(f"{failure.enhanced} is no enhanced status code: RFC 3463 section 2 knows the classes 2, 4 and 5 only.")
    return tuple(notes)


def _named(text: str, failure: DeliveryFailure) -> DeliveryFailure:
    """With the recipient, where a sentence without any code names one address."""
    first = find_address(text, 0, min(len(text), 4000))
    if failure.recipient or first is None:
        return failure
    address = text[slice(*first)]
    other = find_address(text, first[1], min(len(text), 4000))
    if other is not None and text[slice(*other)].lower() != address.lower():
        return failure
    return replace(failure, recipient=address, spans={**failure.spans, "recipient": Span(*first)})


def read_text(text: str) -> IntakeReport:
    """A paste that is neither a mail nor a report: a reply, or words about a failure; else nothing is found."""
    stripped = text.strip()
    if len(stripped) < 40:
        alone = read_code_alone(text)
        if alone is not None:
            return alone
    report = read_line(text)
    failure = report.failures[0] if report.failures else None
    if failure is None or failure.code or failure.enhanced or innermost(text, 0, min(len(text), 4000)).wrapped:
        return report
    lowered = stripped[:4000].lower()
    if says_undelivered(lowered) or any(word in lowered for word in _FAILURE_WORDS):
        failure = _named(text, failure)
        note = "No reply code was found, so only the words count. The whole bounce, or the server's reply with its code, would tell more."
        return IntakeReport("text", text, (failure,), "", (note,))
    note = "No reply of a mail server was found in this text. Paste the whole bounce, or the line that begins with a code such as 550."
    return IntakeReport("text", text, (), "no-reply-found", (note,))
