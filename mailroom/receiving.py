"""Taking a mail in: read, a case opened, its answer written, all of it or nothing. The same mail is taken in once."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from mailroom import answering, letter
from mailroom.forwarded import bounce_in
from mailroom.manners import ids_in, is_own, is_reply_to_own, unanswerable
from mailroom.models import ReceivedMail
from troubleshoot.limits import Want, take
from troubleshoot.people import Person
from troubleshoot.services import open_case
from troubleshoot.sharing import share_case
from whybounce.failure import IntakeReport
from whybounce.intake.mail import parse
from whybounce.intake.mime import Entity, entity_of

MAX_HOPS = 100
"""RFC 5321 section 6.3."""
_KEPT = timedelta(days=30)
"""For how long a mail is known again: queues give up after five days."""
_ANSWERED_WITHIN = timedelta(days=6)
_PURGE_SECONDS = 3600.0
_log = logging.getLogger(__name__)
Outcome = ReceivedMail.Outcome
AnswerState = ReceivedMail.AnswerState


class TooManyHops(Exception):
    """The mail goes round in circles."""


def receive(content: bytes, sender: str) -> ReceivedMail:
    """Takes a mail in and answers it where that is due. `sender`: the envelope sender, `""` or `"<>"` for the null sender.

    TooManyHops where it goes in circles. troubleshoot.limits.Limited, answering.CannotSendYet and whatever fails otherwise: the mail is to
    be handed over again; nothing that was done for it is done twice then.
    """
    sender = sender.strip("<> ")
    data = content.replace(b"\r\n", b"\n")
    head = entity_of(data)
    if sum(name == "received" for name, _value in head.fields) > MAX_HOPS:
        raise TooManyHops
    key = key_of(head)
    mail = ReceivedMail.objects.filter(key=key).first() or _take_in(key, content, head, sender)
    if mail.answer_state == AnswerState.DUE:
        answering.send(mail)
    _purge()
    return mail


def key_of(head: Entity) -> str:
    """By what a mail is known again: its Message-ID and body; without one (RFC 5322 section 3.6.4 does not demand it) by what else the sender
    wrote. Not its trace fields: another way here makes it no other mail."""
    names = ids_in(head.get("message-id"))[:1] or [head.get(name) for name in ("date", "from", "subject", "to")]
    digest = hashlib.sha256("\0".join(names).encode("utf-8", "replace") + b"\0")
    digest.update(head.body.rstrip(b"\n"))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Read:
    outcome: ReceivedMail.Outcome
    pasted: bytes = b""
    report: IntakeReport | None = None


def _take_in(key: str, content: bytes, head: Entity, sender: str) -> ReceivedMail:
    take([_want(sender)])
    found = _read(content, head)  # before the transaction: it may take seconds
    why_not = "own" if found.outcome is Outcome.OWN else unanswerable(head, sender)
    try:
        with transaction.atomic():
            mail = ReceivedMail.objects.create(key=key, outcome=found.outcome, unanswered=why_not)
            _make_of_it(mail, found, head, sender)
    except IntegrityError:
        mail = ReceivedMail.objects.get(key=key)  # it was handed over twice at once
    _log.info("a mail came in: %s, %s", mail.outcome, mail.unanswered or "to be answered")
    return mail


def _want(sender: str) -> Want:
    sentence = _("There came many mails from this sender in a short time.")
    return Want("mail-in", sender.lower(), settings.WHYBOUNCE_LIMIT_MAIL, sentence)


def _read(content: bytes, head: Entity) -> _Read:
    if is_own(head, answering.own_address()):
        return _Read(Outcome.OWN)
    is_reply = is_reply_to_own(head, answering.own_domain())
    pasted, report = bounce_in(content, head, attached_only=is_reply)
    if report.failures:
        return _Read(Outcome.CASE, pasted, report)
    return _Read(Outcome.REPLY if is_reply else Outcome.NOTHING, pasted, report)


def _make_of_it(mail: ReceivedMail, found: _Read, head: Entity, sender: str) -> None:
    """Opens the case, and writes the answer that is due."""
    body, name = "", found.outcome.value
    if found.outcome is Outcome.CASE and found.report is not None:
        person = _person(sender)
        mail.case = open_case(pasted=found.pasted, report=found.report, person=person)
        name = mail.case.public_id
        if not mail.unanswered:
            _link, token = share_case(case=mail.case, person=person, label=_("the answer by mail"))
            body = letter.verdict_text(mail.case, token)
    elif not mail.unanswered:
        notes = found.report.notes if found.report else ()
        body = letter.reply_text() if found.outcome is Outcome.REPLY else letter.nothing_text(notes)
    if body:
        subject = parse(head.head.encode("utf-8", "replace") + b"\n\n").headers.get("subject", "")
        mail.answer = answering.as_stored(answering.answer_to(head, subject, body, name))
        mail.sender, mail.answer_state = sender, AnswerState.DUE
    mail.save()


def _person(sender: str) -> Person:
    """Whose case it is: of the one active user with this address, else of nobody: then staff alone sees it."""
    users = list(User.objects.filter(email__iexact=sender, is_active=True)[:2]) if sender else []
    return Person(user=users[0] if len(users) == 1 else None)


class _Purge:
    at = 0.0


def _purge() -> None:
    """Forgets mails that no queue holds any more, and answers that no queue asks for any more, once an hour in each process."""
    now = time.monotonic()
    if now - _Purge.at >= _PURGE_SECONDS or not _Purge.at:
        _Purge.at = now
        ReceivedMail.objects.filter(received_at__lt=timezone.now() - _KEPT).delete()
        late = ReceivedMail.objects.filter(answer_state=AnswerState.DUE, received_at__lt=timezone.now() - _ANSWERED_WITHIN)
        late.update(answer_state=AnswerState.NONE, sender="", answer={})
