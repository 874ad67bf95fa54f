"""A reply alone: one line or several, with the words around it that people paste."""

from __future__ import annotations

import pytest

from whybounce.failure import DeliveryFailure, Stage
from whybounce.intake import read, read_line


def only(text: str) -> DeliveryFailure:
    report = read(text.encode())
    assert len(report.failures) == 1
    return report.failures[0]


def test_it_joins_continuation_lines_and_drops_their_codes() -> None:
    failure = only("550-5.7.26 This mail is not\n550-5.7.26 authenticated. See\n550 5.7.26 https://example.com/auth")
    assert failure.text == "550-5.7.26 This mail is not authenticated. See https://example.com/auth"
    assert (failure.code, failure.enhanced) == ("550", "5.7.26")


def test_it_keeps_a_number_within_the_text_that_only_looks_like_the_code() -> None:
    assert only("550 5.2.3 Limit is 550 bytes").text == "550 5.2.3 Limit is 550 bytes"


@pytest.mark.parametrize(
    ("text", "code", "enhanced"),
    [
        ("550 5.1.1 User unknown", "550", "5.1.1"),
        ("550 User unknown", "550", None),
        ("550-5.1.1 User unknown", "550", "5.1.1"),
        ("550 #5.1.0 Address rejected.", "550", "5.1.0"),
        ("550: 5.2.2 <a@example.net>: mailbox full", "550", "5.2.2"),
        ("smtp; 550 5.1.1 User unknown", "550", "5.1.1"),
        ("smtp;550 5.1.1 User unknown", "550", "5.1.1"),
        ("5.7.1 Relaying denied", None, "5.7.1"),
        ("sorry, no mailbox here by that name (#5.1.1)", None, "5.1.1"),
        ("The server said no: 554 5.7.1 rejected", "554", "5.7.1"),
        ("(550, b'5.7.1 <a@example.org>: Relay access denied')", "550", "5.7.1"),
        ("SMTPRecipientsRefused: {'a@example.org': (550, b'5.1.1 No such user')}", "550", "5.1.1"),
        ("550 550 5.1.1 User unknown", "550", "5.1.1"),
        ("#< #5.7.1 smtp;550 5.7.1 Unable to relay> #SMTP#", "550", "5.7.1"),
        ("#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##", "550", "5.1.1"),
        ("Message too old, gave up after 450 minutes on port 587", None, None),
        ("connect to mx.example.net[192.0.2.1]:465: Connection refused", None, None),
        ("Refused by Exim 4.94.2", None, None),
        ("Mail rejected, host 5.1.1.2 not allowed", None, None),
        ("Error in room 550.", "550", None),
    ],
)
def test_it_reads_the_codes_of_a_reply(text: str, code: str | None, enhanced: str | None) -> None:
    failure = read_line(text).failures[0]
    assert (failure.code, failure.enhanced) == (code, enhanced)


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("host mx.example.net[192.0.2.1] said: 550 no (in reply to RCPT TO command)", Stage.RCPT),
        ("host mx.example.net[192.0.2.1] said: 550 no (in reply to end of DATA command)", Stage.MESSAGE),
        ("host mx.example.net[192.0.2.1] said: 550 no (in reply to DATA command)", Stage.DATA),
        ("host mx.example.net[192.0.2.1] said: 550 no (in reply to EHLO command)", Stage.EHLO),
        ("host mx.example.net[192.0.2.1] refused to talk to me: 554 no", Stage.CONNECT),
        ("SMTP error from remote mail server after initial connection: host mx.example.net [192.0.2.1]: 554 no", Stage.CONNECT),
        ("SMTP error from remote mail server after pipelined MAIL FROM:<a@b.example>: 550 no", Stage.MAIL),
        ("SMTP error from remote mail server after STARTTLS: host mx.example.net [192.0.2.1]: 454 no", Stage.STARTTLS),
        ("lost connection with mx.example.net[192.0.2.1] while sending RCPT TO", Stage.RCPT),
        ("lost connection with mx.example.net[192.0.2.1] while receiving the initial server greeting", Stage.CONNECT),
        ("conversation with mx.example.net[192.0.2.1] timed out while sending message body", Stage.MESSAGE),
        ("192.0.2.1 does not like recipient.\nRemote host said: 550 no", Stage.RCPT),
        ("192.0.2.1 failed after I sent the message.\nRemote host said: 550 no", Stage.MESSAGE),
        ("host mx.example.net[192.0.2.1] said: 550 no (in\n    reply to end of\n    DATA command)", Stage.MESSAGE),
        ("503 need RCPT command before DATA", Stage.EMPTY),
    ],
)
def test_it_reads_which_command_was_refused(text: str, stage: Stage) -> None:
    assert read_line(text).failures[0].stage is stage


def test_it_unwraps_nested_reports_to_the_server_that_really_refused() -> None:
    failure = read_line(
        "host relay.example.com[192.0.2.1] said: 550 5.0.0 host mx.example.net[192.0.2.2] said: "
        "554 5.7.1 Client host [198.51.100.7] refused (in reply to MAIL FROM command) (in reply to end of DATA command)"
    ).failures[0]
    assert (failure.code, failure.enhanced, failure.remote_mta) == ("554", "5.7.1", "mx.example.net")
    assert failure.sending_ip == "198.51.100.7"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("host mx.example.com [192.0.2.1]: 550 5.1.1 no such user", "550 5.1.1 no such user"),
        ("#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##rfc822;a@example.net", "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found"),
        ("Unknown address. <mail.example.com #5.1.1 smtp;550 5.1.1 <a@example.com>: nobody>", "550 5.1.1 <a@example.com>: nobody"),
        ("Remote Server at mx.example.net (192.0.2.1) returned '400 4.4.7 Message delayed'", "400 4.4.7 Message delayed"),
        ("Server mx.example.net[192.0.2.1] failed with: 550 nobody", "550 nobody"),
        ("The error that the other server returned was: 550 550 5.1.1 nobody (state 14).", "550 5.1.1 nobody"),
    ],
)
def test_what_programs_put_around_a_reply_is_not_its_text(text: str, said: str) -> None:
    assert read_line(text).failures[0].text == said


def test_the_words_of_the_person_who_asks_are_not_the_reply() -> None:
    failure = only("Hello, since Monday this comes back:\n\n550 5.7.1 Unauthenticated mail is refused\n\nWe have 24 users. What can we do?\n")
    assert failure.text == "550 5.7.1 Unauthenticated mail is refused"


def test_html_in_a_reply_is_text() -> None:
    assert only("550 5.7.1 <script>alert(1)</script>").text == "550 5.7.1 <script>alert(1)</script>"


def test_a_log_line_names_the_recipient_and_the_server() -> None:
    failure = read_line(
        "Nov 16 09:12:40 mail postfix/smtp[12]: 4T9: to=<a@example.net>, relay=mx.example.net[192.0.2.1]:25, dsn=5.1.1, "
        "status=bounced (host mx.example.net[192.0.2.1] said: 550 5.1.1 <a@example.net>: nobody (in reply to RCPT TO command))"
    ).failures[0]
    assert (failure.recipient, failure.remote_mta, failure.stage) == ("a@example.net", "mx.example.net", Stage.RCPT)
    assert failure.text == "550 5.1.1 <a@example.net>: nobody"


@pytest.mark.parametrize(
    ("text", "code", "enhanced"),
    [
        ("550", "550", None),
        (" 550 \n", "550", None),
        ("5.1.1", None, "5.1.1"),
        ("#5.7.1", None, "5.7.1"),
        ("550 5.1.1", "550", "5.1.1"),
        ("550-5.7.26", "550", "5.7.26"),
        ("X.1.1", None, "X.1.1"),
        ("Error code: 421", "421", None),
    ],
)
def test_a_code_alone_is_a_failure_that_holds_only_the_code(text: str, code: str | None, enhanced: str | None) -> None:
    report = read(text.encode())
    assert (report.format, report.kind, report.notes) == ("reply", "", ())
    assert [(f.code, f.enhanced, f.text) for f in report.failures] == [(code, enhanced, "")]


@pytest.mark.parametrize("code", ["599", "571", "199"])
def test_a_code_that_no_standard_defines_is_noted(code: str) -> None:
    report = read(code.encode())
    assert report.failures[0].code == code
    assert f"RFC 5321 section 4.2 defines no reply code {code}" in report.notes[0]


def test_a_success_is_no_failure() -> None:
    report = read_line("250 2.1.5 Ok")
    assert (report.kind, report.failures) == ("delivered", ())


def test_words_of_a_failure_without_a_code_are_kept_and_the_reader_is_told_what_would_help() -> None:
    report = read(b"Mailbox full")
    assert report.failures[0].text == "Mailbox full"
    assert "code" in report.notes[0]


def test_small_talk_holds_no_reply() -> None:
    report = read(b"Good morning, how are you?")
    assert (report.kind, report.failures) == ("no-reply-found", ())


def test_the_text_of_a_report_without_its_headers_is_read_as_the_report() -> None:
    text = """Hi. This is the qmail-send program at mail.sender.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<ida@example.net>:
192.0.2.90 does not like recipient.
Remote host said: 550 5.2.1 Mailbox of ida is closed
Giving up on 192.0.2.90.
"""
    failure = only(text)
    assert (failure.recipient, failure.code, failure.stage) == ("ida@example.net", "550", Stage.RCPT)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("450 busy - please try later 551 not our user 503 need RCPT command", "551", "551 not our user"),
        ("5.1.6 450 busy - try later 551 not our user 503 need RCPT command [data] 551 not our user", "551", "551 not our user"),
        ("550 unknown user 503-All RCPT commands were rejected with this error: 503-unknown user", "550", "550 unknown user"),
        ("503 5.5.1 Need RCPT 550 5.1.1 No such user", "550", "550 5.1.1 No such user"),
        ("452 4.5.3 Too many recipients, 100 at most", "452", "452 4.5.3 Too many recipients, 100 at most"),
        ("550 5.1.1 No such user 503 Need RCPT", "550", "550 5.1.1 No such user"),
    ],
)
def test_of_several_replies_on_one_line_the_refusal_counts(text: str, code: str, said: str) -> None:
    failure = read_line(text).failures[0]
    assert (failure.code, failure.text) == (code, said)
    assert text[failure.spans["code"].start : failure.spans["code"].end] == code
