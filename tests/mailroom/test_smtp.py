"""What the server says to SMTP and LMTP clients: sizes, strangers, faults, hostile input."""

from __future__ import annotations

import resource
import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mailroom import answering
from mailroom.answering import CannotSendYet
from mailroom.models import ReceivedMail
from mailroom.receiving import TooManyHops, receive
from mailroom.senders import parse_senders
from mailroom.smtp import MAX_BYTES
from tests.mailroom.conftest import SUE, forward
from tests.mailroom.running import running, sink
from troubleshoot.limits import Limited

TO = "bounce@help.example"


class Taken:
    """Takes mails, or raises what it was told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.mails: list[tuple[bytes, str]] = []
        self.error = error

    def __call__(self, content: bytes, sender: str) -> None:
        if self.error:
            raise self.error
        self.mails.append((content, sender))


@contextmanager
def client(taken: Taken, *, lmtp: bool = False) -> Iterator[smtplib.SMTP]:
    with running(taken, lmtp=lmtp) as port, (smtplib.LMTP if lmtp else smtplib.SMTP)("127.0.0.1", port, timeout=20) as connection:
        yield connection


@pytest.mark.parametrize("lmtp", [False, True])
def test_a_mail_arrives_byte_for_byte(lmtp: bool) -> None:
    taken = Taken()
    content = forward(text="A line\n.\n..two dots\n") + b"8-bit: \xc3\xa4\r\n" + b"long: " + b"x" * 50_000 + b"\r\n"
    with client(taken, lmtp=lmtp) as connection:
        connection.sendmail(SUE, [TO], content)
    assert taken.mails == [(content, SUE)]


@pytest.mark.parametrize("lmtp", [False, True])
def test_the_size_limit_is_announced_and_held_before_the_mail_is_sent(lmtp: bool) -> None:
    with client(Taken(), lmtp=lmtp) as connection:
        connection.ehlo_or_helo_if_needed()
        assert connection.esmtp_features["size"] == str(MAX_BYTES)
        code, text = connection.mail(SUE, [f"size={MAX_BYTES + 1}"])
        assert (code, text[:5]) == (552, b"5.3.4")
        assert connection.mail(SUE, [f"size={MAX_BYTES}"])[0] == 250


@pytest.mark.parametrize("lmtp", [False, True])
@pytest.mark.parametrize("line", [b"x" * 998 + b"\r\n", b"x" * 5_000_000], ids=["lines", "one line"])
def test_sixty_megabytes_are_refused_and_not_kept_and_the_session_goes_on(lmtp: bool, line: bytes) -> None:
    taken = Taken()
    with client(taken, lmtp=lmtp) as connection:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        connection.ehlo_or_helo_if_needed()
        connection.mail(SUE)
        connection.rcpt(TO)
        assert connection.docmd("DATA")[0] == 354
        for _number in range(60_000_000 // len(line)):
            connection.sock.sendall(line)
        connection.sock.sendall(b"\r\n.\r\n")
        code, text = connection.getreply()
        assert (code, text[:5]) == (552, b"5.3.4")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 70_000  # kB
        connection.sendmail(SUE, [TO], forward())
    assert len(taken.mails) == 1


def test_a_stranger_is_refused_at_rcpt() -> None:
    taken = Taken()
    with client(taken) as connection:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            connection.sendmail("stranger@elsewhere.example", [TO], forward())
        code, text = refused.value.recipients[TO]
        assert (code, text[:5]) == (550, b"5.7.1")
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            connection.sendmail("", [TO], forward())  # a bounce is a stranger's too, unless <> is on the list
        connection.sendmail(SUE, [TO], forward())
    assert len(taken.mails) == 1


def test_strangers_can_be_dropped_instead(settings: Any) -> None:
    settings.WHYBOUNCE_MAIL_DROP = True
    taken = Taken()
    with client(taken) as connection:
        assert connection.sendmail("stranger@elsewhere.example", [TO], forward()) == {}
    assert not taken.mails


def test_bounces_are_taken_where_the_null_sender_is_on_the_list(settings: Any) -> None:
    settings.WHYBOUNCE_MAIL_SENDERS = parse_senders(["<>"])
    taken = Taken()
    with client(taken) as connection:
        connection.sendmail("", [TO], forward())
    assert [sender for _content, sender in taken.mails] == [""]


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (RuntimeError("disk full"), b"4.3.0"),
        (CannotSendYet("The answer could not be sent: ConnectionRefusedError"), b"4.3.0"),
        (Limited("There came many mails.", 60), b"4.7.1"),
    ],
)
@pytest.mark.parametrize("lmtp", [False, True])
def test_a_fault_makes_the_mail_server_try_again(error: Exception, reply: bytes, lmtp: bool) -> None:
    with client(Taken(error), lmtp=lmtp) as connection:
        with pytest.raises(smtplib.SMTPDataError) as failed:
            connection.sendmail(SUE, [TO], forward())
        assert failed.value.smtp_code == 451
        assert bytes(failed.value.smtp_error).startswith(reply)
        assert b"disk full" not in bytes(failed.value.smtp_error)


def test_a_mail_in_circles_is_refused_for_good() -> None:
    with client(Taken(TooManyHops())) as connection, pytest.raises(smtplib.SMTPDataError, match=r"5\.4\.6"):
        connection.sendmail(SUE, [TO], forward())


def test_lmtp_takes_one_recipient_at_a_time() -> None:
    taken = Taken()
    with client(taken, lmtp=True) as connection:
        assert connection.sendmail(SUE, [TO, "help@help.example"], forward())["help@help.example"][0] == 452
    assert len(taken.mails) == 1


def test_a_connection_that_breaks_off_leaves_nothing() -> None:
    taken = Taken()
    with running(taken) as port:
        for tail in (b"", b"EHLO x\r\n", b"EHLO x\r\nMAIL FROM:<sue@help.example>\r\nRCPT TO:<b@help.example>\r\nDATA\r\nSubject: x\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
                plain.recv(1000)
                plain.sendall(tail)
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as connection:
            connection.sendmail(SUE, [TO], forward())
    assert len(taken.mails) == 1


def test_a_mail_that_ends_with_bare_line_feeds_has_not_ended() -> None:
    """SMTP smuggling: <LF>.<LF> is no end of the mail."""
    taken = Taken()
    with client(taken) as connection:
        connection.ehlo()
        connection.mail(SUE)
        connection.rcpt(TO)
        connection.docmd("DATA")
        connection.sock.sendall(b"Subject: x\r\n\r\na\n.\nMAIL FROM:<stranger@elsewhere.example>\r\n.\r\n")
        assert connection.getreply()[0] == 250
    assert len(taken.mails) == 1
    assert b"MAIL FROM" in taken.mails[0][0]


def test_a_stop_waits_for_the_mail_that_is_worked_on() -> None:
    begun, done = threading.Event(), threading.Event()

    def slow(_content: bytes, _sender: str) -> None:
        begun.set()
        threading.Event().wait(0.4)
        done.set()

    with running(slow) as port:
        connection = smtplib.SMTP("127.0.0.1", port, timeout=10)
        connection.ehlo()
        connection.mail(SUE)
        connection.rcpt(TO)
        connection.docmd("DATA")
        connection.send(forward() + b"\r\n.\r\n")
        assert begun.wait(5)
    assert done.is_set()
    assert connection.getreply()[0] == 250
    connection.close()


# --- the answers, by the SMTP backend ---


@pytest.fixture
def smtp_backend(settings: Any) -> Any:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 5
    return settings


def test_an_answer_goes_out_with_the_null_return_path(smtp_backend: Any) -> None:
    with sink() as (server, smtp_backend.EMAIL_PORT):
        receive(forward(), SUE)
    [(sender, recipients, content)] = server.taken
    assert sender in ("", "<>")
    assert recipients == [SUE]
    assert b"From: Whybounce <bounce@help.example>" in content


@pytest.mark.parametrize(("reply", "state"), [("550 5.1.1 no such user", "refused"), ("451 4.2.1 later", "due")])
def test_an_answer_that_is_refused_for_good_is_given_up_and_one_that_is_deferred_is_not(smtp_backend: Any, reply: str, state: str) -> None:
    with sink(refusing=reply) as (_server, smtp_backend.EMAIL_PORT):
        if state == "due":
            with pytest.raises(CannotSendYet):
                receive(forward(), SUE)
        else:
            receive(forward(), SUE)
    row = ReceivedMail.objects.get()
    assert row.answer_state == state
    assert bool(row.sender) is (state == "due")


def test_a_mail_server_that_is_down_defers_the_answer(smtp_backend: Any) -> None:
    with sink() as (_server, smtp_backend.EMAIL_PORT):
        pass
    with pytest.raises(CannotSendYet, match="ConnectionRefusedError"):
        receive(forward(), SUE)
    with sink() as (server, smtp_backend.EMAIL_PORT):
        answering.send(ReceivedMail.objects.get())
    assert len(server.taken) == 1
