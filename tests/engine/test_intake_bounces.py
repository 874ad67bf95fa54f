"""Each fixture, in the manner of one mail server, gives exactly these failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from whybounce.failure import Action, DeliveryFailure
from whybounce.intake import read

BOUNCES = Path(__file__).parents[1] / "data" / "bounces"

# fixture: (recipient, code, enhanced, stage, remote_mta, text), one for each failure
EXPECTED: dict[str, list[tuple[str, str | None, str | None, str, str, str]]] = {
    "postfix-dsn": [
        (
            "anna@example.net", "550", "5.1.1", "rcpt", "mx1.example.net",
            "550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown in virtual mailbox table",
        ),
        (
            "bert@example.org", "552", "5.2.2", "message", "mx.example.org",
            "552-5.2.2 The mailbox of this user is over its quota. See https://example.org/quota",
        ),
    ],
    "postfix-text-only": [
        (
            "carl@example.com", "554", "5.7.1", "mail", "mx.example.com",
            "554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using dnsbl.example; see https://dnsbl.example/q?198.51.100.7",
        )
    ],
    "postfix-delayed": [
        ("dora@example.org", None, "4.4.1", "connect", "mx.example.org", "connect to mx.example.org[192.0.2.80]:25: Connection timed out")
    ],
    "exim": [
        (
            "emil@example.com", "550", None, "rcpt", "mx.example.com",
            "550-Verification failed for <news@sender.example> No Such User Here Sender verify failed",
        ),
        ("fritz@example.net", "571", "5.7.1", "mail", "mx.example.net", "571 5.7.1 Message refused"),
    ],
    "exim-pipe": [("greta@sender.example", None, "5.0.0", "", "", "sort-mail: cannot open /var/spool/sort: No such file or directory")],
    "sendmail": [
        (
            "hanna@example.org", "550", "5.1.1", "rcpt", "mx.example.org",
            "550-5.1.1 No account of this name here. Look at https://example.org/addresses for a list.",
        )
    ],
    "qmail": [
        ("ida@example.net", "550", "5.2.1", "rcpt", "[192.0.2.90]", "550 5.2.1 Mailbox of ida is closed"),
        ("jan@nowhere.example", None, "5.1.2", "", "", "Sorry, I couldn't find any host named nowhere.example. (#5.1.2)"),
        ("kim@example.com", "421", "4.7.0", "mail", "[203.0.113.9]", "421 4.7.0 Too much mail from 198.51.100.7 today"),
    ],
    "opensmtpd": [
        ("lena@example.com", "550", "5.7.1", "", "", "550 5.7.1 <lena@example.com>: Relay access denied"),
        ("max@example.org", None, None, "", "", "Network error on destination MXs"),
    ],
    "dragonfly": [
        ("nora@example.net", "550", "5.7.1", "message", "mx.example.net", "550-5.7.1 This message breaks our rules. See https://example.net/rules")
    ],
    "courier": [("otto@example.org", "550", "5.7.1", "rcpt", "mx.example.org", "550 5.7.1 Policy forbids mail from outside")],
    "exchange-2003": [
        (
            "paul@example.com", None, None, "", "",
            "Nobody of this name is in the directory The MTS-ID of the original message is: c=us;a= ;p=example "
            "MSEXCH:IMS:EXAMPLE:HQ:MAIL1 0 (000C05A6) Nobody",
        )
    ],
    "exchange-online": [
        ("quirin@example.net", "550", "5.7.1", "", "mx.example.net", "550 5.7.1 Relaying of news@sender.example from 198.51.100.7 denied")
    ],
    "exchange-online-expired": [("rosa@example.org", "451", "4.7.1", "", "mx.example.org", "451 4.7.1 Greylisted, try later")],
    "gmail": [("svea@example.com", "550", "5.7.1", "", "mx.example.com", "550 5.7.1 Unauthenticated mail from sender.example is refused")],
    "gmail-text-only": [("tom@example.org", "550", "5.1.1", "", "mx.example.org", "550 5.1.1 <tom@example.org>: no mailbox by that name")],
    "yahoo": [("ute@example.net", "550", "5.1.1", "rcpt", "", "550 5.1.1 <ute@example.net>... Nobody here")],
    "gmx": [
        ("vera@example.com", None, "5.2.2", "rcpt", "mx.example.com", "5.2.2 <vera@example.com>... The box is full"),
        ("willi@example.org", "554", "5.7.1", "message", "mx.example.org", "554 5.7.1 Message content refused"),
    ],
    "ses-dsn": [
        (
            "xaver@example.net", "451", "4.3.2", "", "",
            "554 4.4.7 Message expired: unable to deliver in 840 minutes.<451 4.3.2 Try again later>",
        )
    ],
    "ses-notification": [("yvonne@example.org", "550", "5.1.1", "", "", "550 5.1.1 no user yvonne")],
    "workmail": [("zoe@example.com", "550", "5.2.2", "", "", "550 5.2.2 <zoe@example.com>: quota exceeded")],
    "domino": [("adam@example.org", None, None, "", "", "User adam (adam@example.org) is not in our directory")],
    "notes": [("berta@example.net", None, None, "", "", "Benutzer nicht im Adressbuch gefunden: größe")],
    "au-iso2022jp": [("chiyo@example.jp", "550", None, "rcpt", "", "550 <chiyo@example.jp>: User unknown")],
    "zoho": [("dirk@example.com", "550", "5.1.1", "", "", "550, ERROR_CODE :5.1.1 <dirk@example.com>: nobody of this name")],
    "interscan": [("elsa@example.org", "550", "5.1.1", "rcpt", "", "550 5.1.1 <elsa@example.org>... unknown here")],
    "mcafee": [("felix@example.net", "550", None, "", "[192.0.2.70]", "550 Unknown user felix@example.net")],
    "mimecast": [
        (
            "gerd@example.com", None, "5.4.1", "", "",
            "5.4.1 No entry for this recipient. [AM0EUR01.prod.protection.example 2026-11-16T09:12:45Z]",
        )
    ],
    "oracle": [
        ("heidi@example.org", "550", "5.7.1", "", "mx.example.org", "550 5.7.1 Relaying denied"),
        ("ingo@nowhere.example", None, "5.4.4", "", "", "There is no such domain"),
    ],
    "mailmarshal": [("jule@example.com", "550", "5.1.1", "", "", "550 5.1.1 Nobody of this name")],
    "biglobe": [("kai@example.jp", None, None, "", "", "This box holds as many letters as it may.")],
    "smtp-server-rejected": [("lutz@example.net", "550", "5.1.1", "rcpt", "mx.example.net", "550 5.1.1 nobody here")],
    "surfcontrol": [("maja@example.com", "550", None, "", "[192.0.2.5]", "550 maja@example.com... No such user")],
    "imail": [("nils@example.org", None, None, "", "", "User mailbox exceeds allowed size: nils@example.org")],
    "smtputf8": [("jürgen@müller.example", "553", "5.6.7", "", "", "553 5.6.7 Internationalised addresses are not supported")],
    "delivered-and-failed": [("olga@example.net", "550", "5.2.0", "", "", "550 Mailbox closed")],
    "forwarded-inline": [("viola@example.org", "553", "5.3.0", "rcpt", "mx.example.org", "553 5.3.0 <viola@example.org>... Closed for today")],
    "gateway-wrapped": [("hanna@example.org", "550", "5.1.1", "", "", "550 5.1.1 User unknown")],
    "html-only": [("xenia@example.com", "550", "5.7.1", "", "", "550 5.7.1 Unable to relay")],
}  # fmt: skip
EXPECTED["forwarded-attached"] = EXPECTED["boundary-lost"] = EXPECTED["postfix-dsn"]


def bounce(name: str) -> bytes:
    return (BOUNCES / f"{name}.eml").read_bytes()


def facts(failure: DeliveryFailure) -> tuple[str, str | None, str | None, str, str, str]:
    return failure.recipient, failure.code, failure.enhanced, failure.stage.value, failure.remote_mta, failure.text


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_it_reads_every_failed_recipient_with_what_the_refusing_server_said(name: str) -> None:
    report = read(bounce(name))
    assert [facts(failure) for failure in report.failures] == EXPECTED[name]
    assert report.kind == ""
    assert report.error is None


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"], ids=["CRLF", "CR"])
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_line_ends_make_no_difference(name: str, line_end: bytes) -> None:
    assert read(bounce(name).replace(b"\n", line_end)) == read(bounce(name))


def test_a_warning_is_a_delay_and_no_failure() -> None:
    assert [failure.action for failure in read(bounce("postfix-delayed")).failures] == [Action.DELAYED]
    assert [failure.action for failure in read(bounce("postfix-dsn")).failures] == [Action.FAILED, Action.FAILED]


def test_it_reads_the_facts_of_the_returned_mail_and_of_the_report() -> None:
    failure = read(bounce("postfix-dsn")).failures[0]
    assert failure.envelope_sender == "news@sender.example"
    assert failure.header_from == "news@sender.example"
    assert failure.subject == "Your November statement"
    assert failure.message_id == "<20261116091240.77@sender.example>"
    assert failure.reporting_mta == "mail.sender.example"
    assert failure.queue_id == "4T9xk25Qz1z9s"
    assert failure.sent_at == "Mon, 16 Nov 2026 09:12:40 +0000 (UTC)"
    assert failure.original_recipient == "anna@example.net"


def test_the_last_attempt_is_the_date_where_it_is_told() -> None:
    assert read(bounce("gmail")).failures[0].sent_at == "Mon, 16 Nov 2026 01:12:41 -0800 (PST)"


def test_the_size_in_mail_from_is_the_size_of_the_message() -> None:
    assert read(bounce("exim")).failures[1].message_size == 48211


@pytest.mark.parametrize(
    ("name", "number", "address"),
    [
        ("postfix-text-only", 0, "198.51.100.7"),  # "Client host [..]"
        ("qmail", 2, "198.51.100.7"),  # "mail from .."
        ("oracle", 0, "198.51.100.7"),  # the fields name both ends of the connection
        ("gmail-text-only", 0, ""),  # only the remote host's address is told
        ("postfix-delayed", 0, ""),
    ],
)
def test_the_sending_address_is_read_where_it_is_certain(name: str, number: int, address: str) -> None:
    assert read(bounce(name)).failures[number].sending_ip == address


def test_who_forwards_a_bounce_is_not_its_sender() -> None:
    assert read(bounce("forwarded-inline")).failures[0].envelope_sender == ""


def test_the_format_says_where_the_facts_came_from() -> None:
    assert read(bounce("postfix-dsn")).format == "dsn"
    assert read(bounce("qmail")).format == "bounce-mail"
    assert read(bounce("ses-notification")).format == "ses-notification"


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("gmail-dsn.eml", [("550", "5.7.26")]),
        ("postfix-bounce.eml", [("550", "5.1.1"), ("554", "5.7.1")]),
        ("exchange-online-ndr.eml", [("550", "5.1.10")]),
        ("reply.txt", [("550", "5.7.25")]),
    ],
)
def test_the_samples_for_users_are_read(name: str, codes: list[tuple[str, str]]) -> None:
    report = read((Path(__file__).parents[2] / "samples" / name).read_bytes())
    assert [(failure.code, failure.enhanced) for failure in report.failures] == codes
