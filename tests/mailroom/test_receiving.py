"""A forwarded bounce opens a case, once, and is answered, once, with the verdict, the steps and a link."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.db import DatabaseError
from django.test import Client

from mailroom import receiving
from mailroom.answering import CannotSendYet
from mailroom.models import ReceivedMail
from mailroom.receiving import receive
from mailroom.senders import parse_senders
from tests.mailroom.conftest import ATTACHED, BOUNCES, POSTFIX, SUE, forward
from troubleshoot.limits import Limited
from troubleshoot.models import Case, SharedLink
from troubleshoot.rates import Rate

INLINE = (BOUNCES / "forwarded-inline.eml").read_bytes()
Outcome = ReceivedMail.Outcome
AnswerState = ReceivedMail.AnswerState


def test_a_bounce_as_an_attachment_opens_a_case() -> None:
    mail = receive(ATTACHED, "walter@customer.example")
    case = Case.objects.get()
    assert mail.case == case
    assert [row.recipient for row in case.failures.all()] == ["anna@example.net", "bert@example.org"]
    assert bytes(case.pasted) == ATTACHED


def test_a_bounce_within_the_text_opens_a_case() -> None:
    receive(INLINE, "udo@customer.example")
    assert Case.objects.get().failures.get().recipient == "viola@example.org"


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/plain", "message/rfc822"])
def test_the_attachment_may_be_of_any_type(kind: str) -> None:
    receive(forward(kind=kind), SUE)
    assert Case.objects.get().failures.exists()


def test_an_outlook_message_is_read_too() -> None:
    msg = (BOUNCES.parents[2] / "samples" / "outlook-message.msg").read_bytes()
    receive(forward(msg, kind="application/vnd.ms-outlook"), SUE)
    case = Case.objects.get()
    assert case.failures.exists()
    assert bytes(case.pasted) == msg


def test_a_reply_of_a_server_copied_into_a_mail_is_read() -> None:
    receive(forward(None, text="550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown\n"), SUE)
    assert Case.objects.get().code == "5.1.1"


def test_the_answer_tells_the_verdict_the_steps_and_the_link() -> None:
    receive(ATTACHED, "walter@customer.example")
    [answer] = outbox.outbox
    case = Case.objects.get()
    assert answer.to == ["walter@customer.example"]
    assert answer.from_email == "Whybounce <bounce@help.example>"
    assert answer.subject == "Re: This came back"
    assert "Who must act: " in answer.body
    assert "1. Sender: Compare anna@example.net letter by letter." in answer.body
    assert "      dig +short example.net MX" in answer.body
    assert "2 recipients failed" in answer.body
    assert f"https://bounce.example.org/cases/{case.public_id}/" in answer.body
    assert max(len(line) for line in answer.body.splitlines() if "://" not in line) <= 76


def test_the_link_in_it_leads_to_the_masked_report() -> None:
    receive(ATTACHED, "walter@customer.example")
    path = re.search(r"https://bounce\.example\.org(/r/[^/]+/)", outbox.outbox[0].body)[1]
    html = Client().get(path).content.decode()
    assert "Title of unknown-user" in html
    assert "anna" not in html


def test_the_answer_says_of_itself_that_a_program_wrote_it() -> None:
    receive(forward(references="<0@help.example>"), SUE)
    headers = outbox.outbox[0].message()
    assert headers["Auto-Submitted"] == "auto-replied"
    assert headers["In-Reply-To"] == "<1@help.example>"
    assert headers["References"] == "<0@help.example> <1@help.example>"
    assert headers["X-Whybounce"] == "answer"
    assert headers["Message-ID"].endswith(".whybounce@help.example>")


def test_no_header_can_be_slipped_into_the_answer() -> None:
    hostile = forward().replace(b"Fwd: Undelivered Mail", b"=?utf-8?q?a=0D=0ABcc=3A_x=40example=2Ecom?=")
    hostile = hostile.replace(b"<1@help.example>", b"<1@help.example>\r\n Bcc: x@example.com")
    receive(hostile, SUE)
    message = outbox.outbox[0].message()
    assert message["Bcc"] is None
    assert outbox.outbox[0].recipients() == [SUE]
    assert message["In-Reply-To"] == "<1@help.example>"


def test_the_same_mail_twice_opens_one_case_and_is_answered_once() -> None:
    first = receive(forward(), SUE)
    again = receive(b"Received: from elsewhere; Mon, 16 Nov 2026 09:12:44 +0000\r\n" + forward(), SUE)
    assert again.pk == first.pk
    assert Case.objects.count() == 1
    assert len(outbox.outbox) == 1


@pytest.mark.parametrize("other", [forward(message_id="<2@help.example>"), forward(text="Another one.\n")])
def test_another_message_id_or_another_body_is_another_mail(other: bytes) -> None:
    receive(forward(), SUE)
    receive(other, SUE)
    assert Case.objects.count() == 2


def test_mails_without_a_message_id_are_told_apart_by_what_was_written() -> None:
    plain = forward(message_id="")
    receive(plain, SUE)
    receive(plain, SUE)
    receive(forward(message_id="", subject="Fwd: another"), SUE)
    assert Case.objects.count() == 2


def test_a_mail_without_a_bounce_is_answered_with_how_to_forward_one() -> None:
    mail = receive(forward(None, text="Hello, are you there?\n"), SUE)
    assert mail.outcome == Outcome.NOTHING
    assert not Case.objects.exists()
    assert "No report of a failed delivery was found" in outbox.outbox[0].body


def test_a_reply_to_an_answer_opens_no_case_but_what_is_attached_to_one_does() -> None:
    receive(forward(), SUE)
    ours = outbox.outbox[0].message()["Message-ID"]
    quoting = "> 550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown\nThank you!\n"
    reply = receive(forward(None, text=quoting, message_id="<2@help.example>", in_reply_to=ours), SUE)
    assert reply.outcome == Outcome.REPLY
    assert Case.objects.count() == 1
    assert "Nobody reads this address" in outbox.outbox[1].body
    assert receive(forward(message_id="<3@help.example>", in_reply_to=ours), SUE).outcome == Outcome.CASE


def test_the_case_belongs_to_the_user_with_this_address_else_to_staff_alone(supporter: Client) -> None:
    sue = User.objects.create_user("sue", email="Sue@Help.example")
    receive(forward(), SUE)
    receive(ATTACHED, "walter@customer.example")
    mine, nobodys = Case.objects.order_by("pk")
    assert mine.owner == sue
    assert nobodys.owner is None
    assert Client().get(nobodys.get_absolute_url()).status_code == 404
    assert supporter.get(nobodys.get_absolute_url()).status_code == 200


def test_a_sender_who_shares_an_address_with_another_user_owns_nothing() -> None:
    for name in ("a", "b"):
        User.objects.create_user(name, email=SUE)
    receive(forward(), SUE)
    assert Case.objects.get().owner is None


# --- nothing is lost, nothing is done twice ---


class Broken(EmailBackend):
    """A mail server that cannot be reached."""

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError


def test_an_answer_that_cannot_be_sent_is_sent_when_the_mail_is_handed_over_again(settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.mailroom.test_receiving.Broken"
    for _time in range(2):
        with pytest.raises(CannotSendYet):
            receive(forward(), SUE)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail = receive(forward(), SUE)
    mail.refresh_from_db()
    assert mail.answer_state == AnswerState.SENT
    assert len(outbox.outbox) == 1
    assert Case.objects.count() == SharedLink.objects.count() == 1


def test_a_fault_in_the_middle_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise DatabaseError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(receiving.letter, "verdict_text", fail)
        with pytest.raises(DatabaseError):
            receive(forward(), SUE)
    assert not Case.objects.exists()
    assert not ReceivedMail.objects.exists()
    receive(forward(), SUE)
    assert Case.objects.count() == len(outbox.outbox) == 1


def test_an_answer_that_another_process_sends_is_not_sent_twice(settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.mailroom.test_receiving.Broken"
    with pytest.raises(CannotSendYet):
        receive(forward(), SUE)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    ReceivedMail.objects.update(claimed_at=receiving.timezone.now())
    with pytest.raises(CannotSendYet, match="being sent"):
        receive(forward(), SUE)
    assert not outbox.outbox


class Slow(EmailBackend):
    """A mail server so slow that the mail is handed over again meanwhile."""

    def send_messages(self, messages: Any) -> int:
        with pytest.raises(CannotSendYet, match="being sent"):
            receive(forward(), SUE)
        return super().send_messages(messages)


def test_a_mail_that_is_handed_over_again_while_it_is_answered_is_answered_once(settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.mailroom.test_receiving.Slow"
    receive(forward(), SUE)
    assert len(outbox.outbox) == 1


def test_nothing_of_the_sender_is_kept_once_the_answer_is_out() -> None:
    receive(forward(), SUE)
    [row] = ReceivedMail.objects.values()
    assert row["sender"] == ""
    assert row["answer"] == {}
    assert SUE not in str(row)


def test_mails_are_forgotten_after_a_month_and_unsent_answers_within_a_week(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMAIL_BACKEND = "tests.mailroom.test_receiving.Broken"
    with pytest.raises(CannotSendYet):
        receive(forward(), SUE)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    now = receiving.timezone.now()
    for days, left in ((7, AnswerState.NONE), (31, None)):
        ReceivedMail.objects.filter(outcome=Outcome.CASE).update(received_at=now - receiving.timedelta(days=days))
        monkeypatch.setattr(receiving._Purge, "at", 0.0)
        receiving._purge()
        row = ReceivedMail.objects.filter(outcome=Outcome.CASE).first()
        assert (row.answer_state if row else None) == left
        assert row is None or row.answer == {}


def test_a_sender_who_mails_too_much_waits(settings: Any) -> None:
    settings.WHYBOUNCE_LIMIT_MAIL = Rate(2, 3600)
    for number in (1, 2):
        receive(forward(message_id=f"<{number}@help.example>"), SUE)
    with pytest.raises(Limited, match="many mails from this sender"):
        receive(forward(message_id="<3@help.example>"), SUE.upper())
    receive(forward(message_id="<2@help.example>"), SUE)  # known already: it costs nothing
    receive(ATTACHED, "walter@customer.example")
    assert Case.objects.count() == 3


# --- RFC 3834 ---


@pytest.mark.parametrize(
    ("headers", "sender", "why"),
    [
        ({}, "", "null-sender"),
        ({}, "<>", "null-sender"),
        ({"auto_submitted": "auto-replied"}, SUE, "auto-submitted"),
        ({"auto_submitted": "auto-generated (by a program)"}, SUE, "auto-submitted"),
        ({"precedence": "bulk"}, SUE, "precedence"),
        ({"precedence": "List"}, SUE, "precedence"),
        ({"list_id": "<news.help.example>"}, SUE, "list"),
        ({"list_unsubscribe": "<mailto:x@help.example>"}, SUE, "list"),
        ({"x_auto_response_suppress": "DR, OOF"}, SUE, "suppressed"),
        ({}, "owner-staff@help.example", "machine"),
        ({}, "staff-bounces+sue=help.example@help.example", "machine"),
        ({}, "MAILER-DAEMON@help.example", "machine"),
    ],
)
def test_what_must_not_be_answered_opens_a_case_without_an_answer(headers: dict[str, str], sender: str, why: str) -> None:
    mail = receive(forward(**headers), sender)
    assert mail.unanswered == why
    assert mail.outcome == Outcome.CASE
    assert not outbox.outbox
    assert not SharedLink.objects.exists()


@pytest.mark.parametrize("headers", [{"auto_submitted": "no"}, {"auto_submitted": "No; x=y"}, {"precedence": "first-class"}])
def test_what_a_person_wrote_is_answered(headers: dict[str, str]) -> None:
    receive(forward(**headers), SUE)
    assert len(outbox.outbox) == 1


def test_a_bounce_itself_is_never_answered_whoever_sends_it() -> None:
    mail = receive(POSTFIX, SUE)
    assert mail.unanswered
    assert Case.objects.count() == 1
    assert not outbox.outbox


def test_an_absence_note_leads_to_nothing() -> None:
    receive(forward(None, text="I am out of the office.\n", auto_submitted="auto-replied"), SUE)
    assert not Case.objects.exists()
    assert not outbox.outbox


@pytest.mark.parametrize("headers", [{"x_whybounce": "answer"}, {"from": "bounce@help.example"}])
def test_a_mail_of_our_own_that_comes_back_leads_to_nothing(headers: dict[str, str]) -> None:
    assert receive(forward(**headers), SUE).outcome == Outcome.OWN
    assert not Case.objects.exists()
    assert not outbox.outbox


def test_two_programs_do_not_answer_each_other() -> None:
    receive(forward(), SUE)
    ours = outbox.outbox[0].message().as_bytes()
    receive(ours, "other-program@customer.example")
    assert len(outbox.outbox) == 1


def test_a_mail_that_goes_in_circles_is_refused() -> None:
    with pytest.raises(receiving.TooManyHops):
        receive(b"Received: from a by b; Mon, 16 Nov 2026 09:12:44 +0000\r\n" * 101 + forward(), SUE)


@pytest.mark.parametrize(
    "hostile",
    [b"", b"\r\n", b"\0" * 1000, b"Subject: x", b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" * 500, bytes(range(256)) * 50],
    ids=["empty", "blank", "nul", "head", "nested", "binary"],
)
def test_no_mail_breaks_it(hostile: bytes) -> None:
    receive(hostile, SUE)


# --- who is taken ---


@pytest.mark.parametrize(
    ("items", "sender", "taken"),
    [
        (["sue@help.example"], "SUE@Help.Example", True),
        (["sue@help.example"], "sam@help.example", False),
        (["help.example"], "sam@help.example", True),
        (["help.example"], "sam@mail.help.example", False),
        (["help.example"], "sam@evilhelp.example", False),
        ([".help.example"], "sam@mail.help.example", True),
        ([".help.example"], "sam@help.example", True),
        ([".help.example"], "sam@evilhelp.example", False),
        (["*"], "x@y.example", True),
        (["*"], "<>", False),
        (["<>"], "", True),
        (["help.example"], "<>", False),
        ([], "x@y.example", False),
    ],
)
def test_senders(items: list[str], sender: str, taken: bool) -> None:
    assert parse_senders(items).takes(sender) is taken


@pytest.mark.parametrize("item", ["a b", "@help.example", "sue@", "http://help.example", "..", "a@b@c"])
def test_what_is_no_sender_is_named(item: str) -> None:
    with pytest.raises(ValueError, match="is neither"):
        parse_senders([item])
