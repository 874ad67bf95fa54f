"""Lines of a report that name a failed recipient."""

from __future__ import annotations

from dataclasses import dataclass

from whybounce.intake.addresses import find_address
from whybounce.intake.codes import leading_code, skip
from whybounce.intake.languages import RECIPIENT_LABELS

# What stands before the address at the head of a line: indents, bullets, quotes, an opening bracket.
_BULLETS = " \t*-•>\"'(="
# Labels (lower case) before the address of a failed recipient, in the words of the programs named.
_LABELS = (
    "recipient address",  # Oracle, Sun
    "recipient",  # au, NTT docomo
    "delivered to",  # KDDI
    "addressed to",  # SurfControl
    "deliver message to",  # MailFoundry, InterScan
    "deliver mail to",
    "delivery failed",
    "delivering your mail to",  # DragonFly
    "rcpt to",  # Apache James
    "undeliverable to",  # IMail
    "rejected recipient",
    "failed address",
    "email address",
    *RECIPIENT_LABELS,
)
# Labels that are the reason themselves.
_SAYING = ("unknown user", "userid", "mailbox is full", "exceeds allowed size", "mailing list")  # IMail; fml
_NOT_LABELS = ("from:", "cc:", "reply-to:", "sender:", "subject:", "return-path:", "message-id:", "mail from:", "bcc:", "date:", "x-")


@dataclass(frozen=True, slots=True)
class Entry:
    """A recipient at text[start:end]; what is said of it may begin at `rest`. `alone`: nothing else stands on its line."""

    start: int
    end: int
    rest: int
    line_start: int
    line_end: int
    alone: bool
    head: bool = True  # the line begins with it
    verdict: bool = False  # the line is the mail server's own verdict
    says: bool = False  # the line itself is the reason


def head_entry(text: str, start: int, end: int) -> Entry | None:
    """The recipient that the line begins with: `<a@b>: reply`, `a@b`, `"a@b":`, `a@b: reply`, `a@b on <date>`, `a@b [reply]`."""
    at = skip(text, start, end, _BULLETS)
    bracket = at < end and text[at] == "<"
    if bracket:
        at += 1
    found = find_address(text, at, end)
    if found is None or found[0] != at:
        return None
    after = found[1]
    if bracket:
        if after >= end or text[after] != ">":
            return None
        after += 1
    after = skip(text, after, end, "\"'>*")
    expanded = text.find(")", after, after + 1000) if text.startswith("(expanded from", skip(text, after, end, " ")) else -1
    if expanded > 0:  # Postfix: "<a@b> (expanded from <c@d>): reply", folded anywhere
        return Entry(*found, skip(text, expanded + 1, min(expanded + 2, len(text)), ":"), start, max(end, expanded + 1), False)
    rest = text[after:end].strip()
    entry = Entry(*found, after, start, end, not rest)
    if not rest:
        return entry
    if rest in (":", ",", ";"):
        return Entry(*found, after + 1, start, end, True)
    if rest.startswith(("<mailto:", "(mailto:", "<" + text[found[0] : found[1]])):
        return Entry(*found, end, start, end, True)
    if rest[0] == ":" and (bracket or text[after + 1 : after + 2] in (" ", "")):
        return Entry(*found, text.find(":", after, end) + 1, start, end, False)
    if rest[0] in "[(":
        return entry
    if bracket and rest.startswith("... ") and text[after - 1] == " ":  # T-Online: "<a@b> ... unknown host"
        return Entry(*found, text.find("...", found[1]) + 4, start, end, False)
    lowered = rest.lower()
    if lowered.startswith("on ") and any(digit in rest for digit in "0123456789"):
        return Entry(*found, end, start, end, True)
    if (
        "error_code" in lowered
        or "error code" in lowered
        or lowered.startswith(("failed", "delivery failed", "was not delivered", "could not be delivered"))
    ):
        return entry
    return None


def labelled_entry(text: str, start: int, end: int) -> Entry | None:
    """The recipient after a label: `Recipient: <a@b>`, `Could not be delivered to: a@b`, `Unable to deliver message to <a@b>`."""
    found = find_address(text, start, end)
    if found is None:
        return None
    before = text[start : found[0]].strip(" \t<\"'(*>").lower()
    label = before.rstrip(" :：<\"'")
    if not label or label.startswith(_NOT_LABELS):
        return None
    says = label.endswith(_SAYING)
    if not says and not label.endswith(_LABELS):
        return None
    after = skip(text, found[1], end, ">\"' \t.")
    return Entry(*found, after, start, end, after >= end, head=False, says=says or after < end)


def coded_entry(text: str, start: int, end: int) -> Entry | None:
    """sendmail's own verdict: `550 5.1.1 <a@b>... User unknown`."""
    if leading_code(text, start, end) is None or "... " not in text[start:end]:
        return None
    found = find_address(text, start, end)
    if found is None or text.find("...", found[1], min(end, found[1] + 6)) < 0:
        return None
    return Entry(*found, start, start, end, False, verdict=True)
