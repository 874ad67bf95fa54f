"""Exceptions of mail libraries: what the server said, to which command, about whom."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from whybounce.failure import DeliveryFailure, IntakeReport, Stage
from whybounce.intake import read
from whybounce.intake.exceptions import read_exception
from whybounce.intake.exceptions.common import unescape
from whybounce.intake.facts import one_line

DATA = Path(__file__).parents[1] / "data" / "exceptions"
RUN = sorted(DATA.glob("*.txt"))
DOCUMENTED = sorted((DATA / "documented").glob("*.txt"))

# What the server said in each mode: code, enhanced code, stage, words.
SAID = {
    "connect": ("554", "5.7.1", "connect", "mx.example.net Your address 198.51.100.7 is on a block list"),
    "ehlo": ("550", "5.7.1", "ehlo", "Access denied, go away"),
    "auth": ("535", "5.7.8", "auth", "Username and password not accepted"),
    "mail": ("553", "5.7.1", "mail", "<news@sender.example>: Sender address rejected: not owned by user"),
    "rcpt": ("550", "5.1.1", "rcpt", "<anna@example.net>: Recipient address rejected: User unknown"),
    "data": ("554", "5.7.1", "data", "No valid recipients"),
    "message": ("552", "5.3.4", "message", "Message size exceeds fixed limit"),
    "starttls": ("454", "4.7.0", "starttls", "TLS not available due to local problem"),
}
NETWORK = {"refused": "connect", "dns": "connect", "timeout": "connect", "certificate": "starttls"}
# Libraries do not show everything: Go names no command, Perl no code, PHPMailer hides the greeting and the codes of some stages.
UNSEEN = {
    ("phpmailer", "connect"), ("phpmailer", "auth"), ("perl", "connect"), ("perl", "ehlo"),
}  # fmt: skip
NO_STAGE = {("swiftmailer", "ehlo"), ("swiftmailer", "mail"), ("swiftmailer", "message")}
NO_CODES = {("phpmailer", "rcpt"), ("phpmailer", "starttls")}


def named(path: Path) -> tuple[str, str]:
    library, _, mode = path.stem.partition("-")
    return library, mode


def failures(path: Path) -> tuple[DeliveryFailure, ...]:
    report = read(path.read_bytes())
    assert (report.format, report.kind, report.error) == ("exception", "", None)
    assert report.notes[0].startswith("This was read as an error of ")
    return report.failures


def shows_its_facts(report: IntakeReport) -> None:
    for failure in report.failures:
        assert failure.text
        assert "text" in failure.spans
        for name, span in failure.spans.items():
            marked = report.text[span.start : span.end]
            if name == "text":
                assert failure.text in (one_line(marked), one_line(unescape(marked)))
            else:
                assert marked == getattr(failure, name).strip("[]")


@pytest.mark.parametrize("path", [path for path in RUN if named(path)[1] in SAID and named(path) not in UNSEEN], ids=lambda path: path.stem)
def test_what_the_server_said_is_read_with_its_codes_and_the_command_it_answered(path: Path) -> None:
    library, mode = named(path)
    code, enhanced, stage, words = SAID[mode]
    failure = failures(path)[0]
    assert len(failures(path)) == 1
    assert failure.text.endswith(words)
    assert failure.stage == ("" if library == "go" or (library, mode) in NO_STAGE else stage)
    assert failure.code == (None if library == "perl" or (library, mode) in NO_CODES else code)
    assert failure.enhanced == (None if (library, mode) in NO_CODES else enhanced)
    assert failure.recipient == ("anna@example.net" if mode == "rcpt" else "")
    assert failure.envelope_sender == ("news@sender.example" if mode == "mail" else "")


@pytest.mark.parametrize("path", [path for path in RUN if named(path)[1] in NETWORK or named(path) in UNSEEN], ids=lambda path: path.stem)
def test_without_a_reply_the_error_s_own_sentence_is_the_text(path: Path) -> None:
    _, mode = named(path)
    (failure,) = failures(path)
    assert (failure.code, failure.enhanced) == (None, None)
    assert failure.text.split()
    assert "\n" not in failure.text
    assert failure.stage == ("auth" if mode == "auth" else "" if path.stem == "go-timeout" else NETWORK.get(mode, "connect"))
    assert "no reply of a mail server" in read(path.read_bytes()).notes[1]


@pytest.mark.parametrize("path", [path for path in RUN if named(path)[1] == "two"], ids=lambda path: path.stem)
def test_each_refused_recipient_that_is_shown_is_a_failure(path: Path) -> None:
    library, _ = named(path)
    found = [(failure.recipient, failure.code, failure.stage) for failure in failures(path)]
    if library in ("smtplib", "aiosmtplib", "django", "nodemailer"):
        assert found == [("anna@example.net", "550", "rcpt"), ("bert@example.org", "452", "rcpt")]
    elif library == "phpmailer":
        assert found == [("anna@example.net", None, "rcpt"), ("bert@example.org", None, "rcpt")]
        assert [failure.text for failure in failures(path)] == ["No such user: anna", "The mailbox of bert is over its quota"]
    elif library == "javamail":
        assert found == [("", "550", "rcpt"), ("", "452", "rcpt")]
    elif library == "perl":
        assert failures(path)[0].text == "all recipients were rejected during RCPT"
    else:
        assert found[0][1] == "550"


@pytest.mark.parametrize("path", [path for path in RUN if named(path)[1] == "drop"], ids=lambda path: path.stem)
def test_a_connection_that_was_closed_has_the_stage_that_the_stack_trace_tells(path: Path) -> None:
    (failure,) = failures(path)
    told = named(path)[0] in ("smtplib", "aiosmtplib", "django", "phpmailer", "symfony", "ruby", "perl")
    assert failure.stage == (Stage.MAIL if told else Stage.EMPTY)
    assert failure.code is None


@pytest.mark.parametrize(
    ("stem", "host"),
    [
        ("aiosmtplib-dns", "mx.nowhere.example"), ("symfony-dns", "mx.nowhere.example"), ("nodemailer-dns", "mx.nowhere.example"),
        ("javamail-dns", "mx.nowhere.example"), ("go-dns", "mx.nowhere.example"), ("perl-dns", "mx.nowhere.example"),
        ("nodemailer-refused", "[192.0.2.25]"), ("go-refused", "[192.0.2.25]"), ("symfony-timeout", "[192.0.2.25]"),
        ("javamail-refused", "[192.0.2.25]"), ("documented/dotnet-refused", "[192.0.2.25]"), ("documented/jenkins", "mail.example.net"),
    ],
)  # fmt: skip
def test_the_server_that_was_not_reached_is_named(stem: str, host: str) -> None:
    assert failures(DATA / f"{stem}.txt")[0].remote_mta == host


@pytest.mark.parametrize(
    ("stem", "recipient", "code", "enhanced", "stage", "text"),
    [
        ("dotnet-recipient", "anna@example.net", "550", "5.1.1", "rcpt", "5.1.1 <anna@example.net>: Recipient address rejected: User unknown"),
        ("dotnet-busy", "bert@example.org", "450", "4.7.1", "rcpt", "4.7.1 <bert@example.org>: Recipient address rejected: Greylisted"),
        ("dotnet-secure", "", "530", "5.7.0", "mail", "5.7.0 Must issue a STARTTLS command first"),
        ("dotnet-size", "", "552", "5.3.4", "message", "5.3.4 Message size exceeds fixed limit"),
        ("dotnet-dns", "", None, None, "connect", "The remote name could not be resolved: 'mx.nowhere.example'"),
        ("mailkit-recipient", "anna@example.net", None, "5.1.1", "rcpt", "5.1.1 <anna@example.net>: Recipient address rejected: User unknown"),
        ("mailkit-auth", "", "535", "5.7.8", "auth", "5.7.8 Username and password not accepted"),
        ("mailkit-tls", "", None, None, "starttls", "An error occurred while attempting to establish an SSL or TLS connection."),
        ("lettre-permanent", "anna@example.net", "550", "5.1.1", "", "5.1.1 <anna@example.net>: Recipient address rejected: User unknown"),
        ("lettre-debug", "", None, "5.7.8", "", "5.7.8 Username and password not accepted"),
        ("lettre-refused", "", None, None, "connect", "Connection error: Connection refused (os error 111)"),
        ("genserver-permanent", "", "550", "5.1.1", "", "550 5.1.1 No such user: anna"),
        ("gen-smtp-erlang", "", "552", "5.3.4", "", "552 5.3.4 Message too big"),
        ("swoosh-network", "", None, None, "connect", 'network_failure, "mx.example.net", {:error, :econnrefused}'),
        ("laravel-log", "anna@example.net", "550", "5.1.1", "rcpt", "550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown"),
        ("laravel-json", "", "554", "5.7.1", "data", "554 5.7.1 No valid recipients"),
        ("nodemailer-json", "anna@example.net", "550", "5.1.1", "rcpt", "550 5.1.1 No such user: anna"),
        (
            "nodemailer-line", "", "535", "5.7.8", "auth",
            "535-5.7.8 Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials - gsmtp",
        ),
        (
            "boto3", "", None, None, "",
            "Email address is not verified. The following identities failed the check in region EU-WEST-1: news@sender.example",
        ),
        ("wp-mail-smtp", "anna@example.net", "554", "5.7.1", "rcpt", "<anna@example.net>: Relay access denied"),
        ("jenkins", "", None, None, "starttls", "javax.net.ssl.SSLException: Unsupported or unrecognized SSL message"),
        ("spring", "", "553", "5.1.3", "rcpt", "553 5.1.3 <anna@>: not a valid address"),
        ("odoo", "", "535", "5.7.8", "auth", "5.7.8 Error: authentication failed: UGFzc3dvcmQ6"),
        ("gitlab", "", "535", "5.7.8", "auth", "535 5.7.8 Error: authentication failed:"),
        ("rails", "", "550", "5.7.1", "", "550 5.7.1 <anna@example.net>: Relay access denied"),
        ("sidekiq", "", None, None, "connect", "Net::OpenTimeout: execution expired"),
        ("gomail", "anna@example.net", "550", "5.1.1", "", "550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown"),
        ("go-struct", "", "452", "4.2.2", "", "4.2.2 The mailbox is over its quota"),
        ("go-unencrypted", "", None, None, "auth", "unencrypted connection"),
    ],
)  # fmt: skip
def test_libraries_that_could_not_be_run_are_read_by_their_documented_form(
    stem: str, recipient: str, code: str | None, enhanced: str | None, stage: str, text: str
) -> None:
    (failure,) = failures(DATA / "documented" / f"{stem}.txt")
    assert (failure.recipient, failure.code, failure.enhanced, failure.stage, failure.text) == (recipient, code, enhanced, stage, text)


@pytest.mark.parametrize("path", RUN + DOCUMENTED, ids=lambda path: path.stem)
def test_every_span_shows_its_fact(path: Path) -> None:
    shows_its_facts(read(path.read_bytes()))


@pytest.mark.parametrize("path", RUN + DOCUMENTED, ids=lambda path: path.stem)
def test_an_exception_cut_off_anywhere_does_no_harm(path: Path) -> None:
    text = path.read_text()
    for end in range(0, len(text), max(1, len(text) // 25)):
        report = read_exception(text[:end])
        if report:
            shows_its_facts(report)


def test_an_exception_at_the_end_of_a_long_log_is_found() -> None:
    log = "2026-11-25 03:14:07 INFO request took 12 ms\n" * 4000
    report = read((log + (DATA / "smtplib-two.txt").read_text()).encode())
    assert [failure.recipient for failure in report.failures] == ["anna@example.net", "bert@example.org"]
    shows_its_facts(report)


@pytest.mark.parametrize(
    "line",
    [
        '    server.login("news", "hunter2")',
        "#1 /srv/app/PHPMailer.php(2191): PHPMailer\\PHPMailer\\SMTP->authenticate('news', 'hunter2', 'LOGIN', NULL)",
        "#2 Swift_SmtpTransport->setPassword('hunter2')",
        '  auth: { user: "news", pass: "hunter2" },',
        "EMAIL_HOST_PASSWORD = 'hunter2'",
        'smtp.PlainAuth("", "news", "hunter2", "mx.example.net")',
    ],
)
def test_passwords_in_a_stack_trace_are_hidden(line: str) -> None:
    text = f"Traceback:\n{line}\nsmtplib.SMTPAuthenticationError: (535, b'5.7.8 Error: authentication failed')\n"
    report = read(text.encode())
    assert "hunter2" not in report.text
    assert len(report.text) == len(text)
    assert report.failures[0].code == "535"
    shows_its_facts(report)


@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown",
        "Nov 25 02:23:46 mail postfix/smtp[1]: 4XyZ1: to=<a@example.net>, dsn=5.1.1, status=bounced (host mx.example.net[192.0.2.1] said: 550 x)",
        "Connection refused",
        "454 4.7.0 TLS not available: tls: handshake failure, x509: certificate has expired",
        "550 5.7.1 smtp: this user takes no mail",
        "The mail was sent. 2026/11/25 is the date.",
    ],
)
def test_other_pastes_are_left_to_the_other_forms(text: str) -> None:
    assert read_exception(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "smtplib.SMTPRecipientsRefused: {" + "'a@example.net': (550, b'5.1.1 x'), " * 60_000,
        "smtplib " + "'" * 300_000,
        "SMTPDataError(" * 30_000,
        "SMTP Error: The following recipients failed: " + "a@b, " * 60_000,
        "SMTP server error: DATA command failed Detail: " * 8_000,
        "Expected response code " + '"250" but got code "550", with message "' * 10_000,
        "EENVELOPE response: '550 " + "x" * 300_000,
        "EENVELOPE " + "rejected: [" * 30_000,
        "javax.mail. nested exception is:\n" + " " * 300_000,
        "javax.mail. " + "Couldn't connect to host, port: a, " * 10_000,
        "net/smtp " + "mail: send: " * 30_000,
        "Net::SMTP" + ":1:in `a': 550 " * 20_000,
        "System.Net.Mail " + "A The server response was: " * 10_000,
        "lettre " + "permanent error (550): " * 10_000,
        "permanent_failure, " * 20_000,
        "\\" * 300_000 + "smtplib",
    ],
    ids=lambda text: text[:30],
)
def test_hostile_texts_are_answered_in_time(text: str) -> None:
    begin = time.perf_counter()
    report = read(text.encode())
    assert time.perf_counter() - begin < 2
    shows_its_facts(report)
