"""Structured nonsense: what is put together from the pieces that pastes are made of is read without an error, in little time."""

from __future__ import annotations

import json
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whybounce.intake import read_line
from whybounce.intake.entrance import read_or_raise

bounded = settings(max_examples=300, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
LONGEST_ANSWER = 1.0  # seconds of CPU

_odd = st.text(
    alphabet=st.sampled_from("ab5.1- \t<>@:;,\"'()[]{}\\/=?#%&*|\0\r\n\x1bäß不\u200b\ud83d\udce7".encode("utf-8", "ignore").decode()), max_size=30
)
_address = st.one_of(
    st.sampled_from(("a@example.net", "<a@example.net>", "rfc822; a@example.net", "@", "<>", '"a b"@example.net', "a@[192.0.2.1]")), _odd
)
_code = st.sampled_from(("550", "5.1.1", "450-4.2.2", "550 5.1.1", "250", "999", "5.999.9999", "#5.7.1", "354", "220", "421", "٥٥٠"))
_said = st.sampled_from(
    (
        "User unknown",
        "host mx.example.net[192.0.2.1] said:",
        "(in reply to RCPT TO command)",
        "Remote host said:",
        "->",
        "refused to talk to me:",
        "...",
        "{LED=",
        "smtp;",
    )
)
_reply = st.lists(st.one_of(_code, _said, _address, _odd), min_size=1, max_size=9).map(" ".join)
_name = st.sampled_from(
    (
        "From", "To", "Subject", "Date", "Content-Type", "Content-Transfer-Encoding", "Message-ID", "Received", "Return-Path", "X-Failed-Recipients",
        "Final-Recipient", "Original-Recipient", "Action", "Status", "Diagnostic-Code", "Remote-MTA",
        "Reporting-MTA", "Arrival-Date", "X-Postfix-Sender", "",
    )
)  # fmt: skip
_value = st.one_of(
    _reply,
    _address,
    st.sampled_from(
        (
            "multipart/report; boundary=x", "multipart/mixed; boundary=x", "multipart/digest; boundary=x",
            "message/delivery-status", "message/rfc822",
            "text/html", "text/plain; charset=utf-7", "text/plain; charset=x", "base64", "quoted-printable", "failed", "delayed", "delivered",
            "=?utf-8?b?/w==?=", "=?x?q?a?=", "multipart/mixed; boundary*0*=x''%", "(TCP|1|2|3|4)", "[192.0.2.1] (TCP|a|",
        )
    ),
)  # fmt: skip
_field = st.tuples(_name, st.sampled_from((": ", ":", " : ", "\t:", " ")), _value).map("".join)
_fields = st.lists(st.one_of(_field, _field, st.just(""), st.sampled_from(("--x", "--x--", " folded", "\tfolded"))), max_size=25).map("\n".join)
_soup = st.lists(st.one_of(_fields, _reply), max_size=6).map("\n\n".join)
_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _reply, _address, st.sampled_from(("bounce",
    "Bounce", "dropped", "failed", "Permanent"))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                (
                    "event", "email", "reason", "type", "notificationType", "bounce", "bouncedRecipients",
                    "emailAddress", "diagnosticCode", "Message", "mail",
                    "headers", "event-data", "delivery-status", "recipient", "severity", "RecordType", "Email",
                    "Details", "msys", "message_event", "status",
                    "data", "error", "code", "message", "timestamp", "msg", "errors", "response",
                )
            ),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=25,
).map(json.dumps)  # fmt: skip
_log = st.lists(
    st.one_of(
        st.sampled_from(
            ("Nov 16 09:12:44 mx postfix/smtp[1]: 4T9xk25:", "2026-11-16 09:12:44 1tCabc-000000001-AbCd",
            "to=<a@example.net>,", "status=bounced", "dsn=5.1.1,",
             "stat=", "** a@example.net", "R=dnslookup T=remote_smtp H=mx [192.0.2.1]:", "reject: RCPT from",
             "delivery 1: failure:", '{"type":"Bounce"', ",", "\n")
        ),
        _reply,
    ),
    max_size=14,
).map(" ".join)  # fmt: skip
_session = st.lists(
    st.tuples(
        st.sampled_from(("", "> ", "< ", ">>> ", "<<< ", "C: ", "S: ", "-> ", "<- ", "<** ", " ~> ", "Out: ",
        " In: ", "send: '", "reply: b'", "<\x20\x20", "*\x20")),
        st.one_of(
            st.sampled_from(
                ("EHLO a.example", "MAIL FROM:<a@example.org> SIZE=9", "RCPT TO:<a@example.net>", "DATA", ".",
                "QUIT", "AUTH PLAIN AGEAYg==", "STARTTLS",
                 "220 mx ESMTP", "250-mx", "250 OK", "354 go", "334 ", "Trying 192.0.2.1...",
                 "Escape character is '^]'.", "BDAT 99999999999999999999 LAST")
            ),
            _reply,
        ),
    ).map("".join),
    max_size=25,
).map("\n".join)  # fmt: skip


def _answered(text: str) -> None:
    started = time.process_time()
    report = read_or_raise(text.encode("utf-8", "replace"))
    assert time.process_time() - started < LONGEST_ANSWER
    for failure in report.failures:
        for name, span in failure.spans.items():
            assert 0 <= span.start <= span.end <= len(report.text), name


@bounded
@given(_soup)
def test_header_soups_and_fields_of_reports_are_answered(text: str) -> None:
    _answered(text)


@bounded
@given(_soup)
def test_reports_with_such_fields_are_answered(text: str) -> None:
    _answered(f"From: MAILER-DAEMON@a.example\nTo: b@c.example\n{text}")


@bounded
@given(_soup)
def test_parts_with_such_fields_are_answered(text: str) -> None:
    _answered(f"From: MAILER-DAEMON@a.example\nTo: b@c.example\nContent-Type: multipart/report; boundary=x\n\n--x\n{text}\n--x--")


@bounded
@given(_fields)
def test_delivery_status_fields_are_answered(text: str) -> None:
    _answered(
        f"From: a@b.example\nTo: b@c.example\nContent-Type: multipart/report; boundary=z\n\n--z\nContent-Type: message/delivery-status\n\n{text}"
    )


@bounded
@given(_reply)
def test_replies_are_answered(text: str) -> None:
    _answered(text)
    read_line(text)


@bounded
@given(_json)
def test_json_is_answered(text: str) -> None:
    _answered(text)


@bounded
@given(_log)
def test_log_lines_are_answered(text: str) -> None:
    _answered(text)


@bounded
@given(_session)
def test_sessions_are_answered(text: str) -> None:
    _answered(text)
