"""The answer to a forwarded bounce: what it says, and sending it by Django's e-mail backend."""

from __future__ import annotations

import secrets
import smtplib
from dataclasses import asdict, dataclass
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from mailroom.manners import OWN_HEADER, ids_in
from mailroom.models import ReceivedMail
from whybounce.intake.mime import Entity
from whybounce.visible import visible

_CLAIM = timedelta(minutes=10)
"""For how long nobody else sends an answer that a process began to send."""
_MOST_REFERENCES = 10
_SUBJECT = 200


class CannotSendYet(Exception):
    """The answer could not be sent now; the mail should be handed over again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers`: those of RFC 3834 section 3.1 and RFC 5322 section 3.6.4."""

    subject: str
    body: str
    headers: dict[str, str]


def own_address() -> str:
    """The bare address that answers come from."""
    return parseaddr(settings.WHYBOUNCE_MAIL_FROM)[1]


def own_domain() -> str:
    return own_address().rpartition("@")[2].lower()


def new_message_id(name: str) -> str:
    """A Message-ID by which `manners.is_reply_to_own` knows an answer again."""
    return f"<{name}.{secrets.token_hex(8)}.whybounce@{own_domain()}>"


def answer_to(head: Entity, subject: str, body: str, name: str) -> Answer:
    """An answer to the mail with this header. `name`: what it is about, for the Message-ID."""
    headers = {
        "Message-ID": new_message_id(name),
        "Auto-Submitted": "auto-replied",  # RFC 3834 section 3.1.7
        "X-Auto-Response-Suppress": "All",
        OWN_HEADER: "answer",
    }
    asked = ids_in(head.get("message-id"))[:1]
    if asked:
        headers["In-Reply-To"] = asked[0]
        headers["References"] = " ".join([*ids_in(head.get("references") or head.get("in-reply-to"))[-_MOST_REFERENCES:], asked[0]])
    subject = " ".join(visible(subject).split())[:_SUBJECT]
    if not subject.lower().startswith("re:"):
        subject = f"Re: {subject}".strip()
    return Answer(subject, body, headers)


def as_stored(answer: Answer) -> dict[str, Any]:
    return asdict(answer)


def send(mail: ReceivedMail) -> None:
    """Sends the answer that a mail is due, once; CannotSendYet where it should be tried again. What is refused for good is not tried again."""
    now = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - _CLAIM)
    if not ReceivedMail.objects.filter(free, pk=mail.pk, answer_state=ReceivedMail.AnswerState.DUE).update(claimed_at=now):
        mail.refresh_from_db()
        if mail.answer_state == ReceivedMail.AnswerState.DUE:
            raise CannotSendYet(_("Its answer is being sent at this moment."))
        return
    try:
        _deliver(Answer(**mail.answer), mail.sender)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
        if not _is_final(error):
            _release(mail)
            raise CannotSendYet(_("The answer was not taken: %(why)s") % {"why": _said(error)}) from error
        _finish(mail, ReceivedMail.AnswerState.REFUSED)
    except Exception as error:
        _release(mail)
        raise CannotSendYet(_("The answer could not be sent: %(why)s") % {"why": type(error).__name__}) from error
    else:
        _finish(mail, ReceivedMail.AnswerState.SENT)


def _codes(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> list[int]:
    return [code for code, _text in error.recipients.values()] if isinstance(error, smtplib.SMTPRecipientsRefused) else [error.smtp_code]


def _is_final(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> bool:
    return all(500 <= code < 600 for code in _codes(error))


def _said(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> str:
    return ", ".join(map(str, _codes(error)))


def _release(mail: ReceivedMail) -> None:
    ReceivedMail.objects.filter(pk=mail.pk).update(claimed_at=None)


def _finish(mail: ReceivedMail, state: ReceivedMail.AnswerState) -> None:
    ReceivedMail.objects.filter(pk=mail.pk).update(answer_state=state, sender="", answer={}, claimed_at=None)


def _deliver(answer: Answer, to: str) -> None:
    """By the SMTP backend with the null return path (RFC 3834 section 3.3), so that no bounce of an answer is ever sent; other backends
    choose theirs by themselves."""
    connection = get_connection()
    message = EmailMessage(answer.subject, answer.body, settings.WHYBOUNCE_MAIL_FROM, [to], headers=answer.headers, connection=connection)
    if not isinstance(connection, EmailBackend):
        message.send()
        return
    connection.open()
    try:
        client: Any = connection.connection
        content: Any = message.message()
        client.sendmail("", message.recipients(), content.as_bytes(linesep="\r\n"))
    finally:
        connection.close()
