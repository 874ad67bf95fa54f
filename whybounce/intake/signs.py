"""What kind of e-mail a paste is: a bounce, or one of those that are taken for one."""

from __future__ import annotations

from whybounce.intake.addresses import find_address
from whybounce.intake.languages import AWAY_SUBJECTS, says_undelivered
from whybounce.intake.mail import Mail
from whybounce.intake.page import Part

# Words of reports, lower case. One of these in the explanation is enough.
_REPORT_MARKS = (
    "could not be delivered",
    "couldn't be delivered",
    "could not deliver",
    "cannot be delivered",
    "was not delivered",
    "wasn't delivered",
    "not been delivered",
    "unable to deliver",
    "wasn't able to deliver",
    "undeliverable",
    "delivery failure",
    "delivery has failed",
    "delivery failed",
    "delivery to the following recipient",
    "failed permanently",
    "permanent fatal errors",
    "permanent error",
    "did not reach",
    "returned mail",
    "message not delivered",
    "the following addresses had",
    "delivery status notification",
    "transcript of session follows",
    "rejected by a remote",
    "trouble delivering your message",
    "did not like our",
    "error delivering your mail",
    "remote host said",
    "final-recipient:",
    "mail delivery system",
    "failure reasons",
    "this is the mailer-daemon",
    "mail could not be",
    "in reply to rcpt to",
    "are not member",
    "are not a member of",
    "your mail sent on",  # KDDI
    "as their mailbox is full",
    "could not be sent",
)
_SUBJECT_MARKS = (
    "undeliver",
    "delivery status",
    "delivery failure",
    "delivery has failed",
    "delivery notification",
    "failure notice",
    "failure delivery",
    "failed delivery",
    "mail failure",
    "mail delivery",
    "mail system error",
    "returned mail",
    "not be delivered",
    "returning message",
    "non remis",
    "unzustellbar",
    "rejected",
    "bounce",
)
DAEMONS = ("mailer-daemon", "mailerdaemon", "postmaster", "post_master", "mail-daemon", "mail.delivery", "maildelivery", "mdaemon")
_AWAY_SUBJECTS = (
    "out of office", "out of the office", "automatic reply", "auto reply", "autoreply", "auto-reply", "auto:", "away", "vacation", "on holiday",
    *AWAY_SUBJECTS,
)  # fmt: skip
_AWAY_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-vacation", "x-autoreply-from", "x-mail-autoreply")


def is_report(mail: Mail) -> bool:
    """True where the mail says of itself, by its headers or its words, that another mail was not delivered."""
    headers = mail.headers
    subject = headers.get("subject", "").lower()
    if (
        "report-type=delivery-status" in mail.content_type
        or "x-failed-recipients" in headers
        or "message/delivery-status" in mail.types
        or "message/global-delivery-status" in mail.types
    ):
        return True
    if from_daemon(headers.get("from", "")) and not subject.startswith(_AWAY_SUBJECTS):
        return True
    explanation = " ".join(" ".join(mail.page.slice(section)[:6000].lower().split()) for section in mail.page.of(Part.HUMAN))
    explanation = explanation.replace("’", "'")
    marks = sum(1 for mark in _REPORT_MARKS if mark in explanation) + says_undelivered(explanation)
    marks += (
        any(mark in subject for mark in _SUBJECT_MARKS)
        or says_undelivered(subject)
        or "are not member" in subject
        or headers.get("return-path") == "<>"
    )
    return marks >= (4 if is_away(headers) else 2)


def from_daemon(value: str) -> bool:
    """True for a From of a mail server: mailer-daemon, postmaster, or nobody at all."""
    lowered = value.lower()
    found = find_address(lowered, max(0, lowered.rfind("<")), len(lowered))
    local = lowered[found[0] : found[1]].partition("@")[0] if found else lowered.strip("<> ")
    return local.startswith(DAEMONS) or "mailer-daemon" in lowered or (not found and "<>" in lowered)


def is_away(headers: dict[str, str]) -> bool:
    """RFC 3834 section 5 and the headers that came before it."""
    subject = headers.get("subject", "").lower()
    return (
        headers.get("auto-submitted", "").lower().startswith("auto-replied")
        or headers.get("precedence", "").lower() in ("auto_reply", "auto-reply")
        or any(name in headers for name in _AWAY_HEADERS)
        or any(mark in subject for mark in _AWAY_SUBJECTS)
    )


def says_report(text: str) -> bool:
    """True for a text that says, in some language, that a mail was not delivered."""
    lowered = " ".join(text[:8000].lower().split()).replace("’", "'")
    return any(mark in lowered for mark in _REPORT_MARKS) or says_undelivered(lowered)


def reads_as_report(text: str) -> bool:
    """True for a text that is a report's explanation or fields, pasted without the headers of its mail."""
    return text.strip().count("\n") >= 2 and text.find("@", 0, 8000) >= 0 and says_report(text)
