"""SMTP sessions as programs and terminals show them: what was refused, to whom, at which command, and what the client did wrong."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from whybounce.failure import DeliveryFailure, IntakeReport, Stage
from whybounce.intake import read
from whybounce.intake.sessions import read_lines
from whybounce.intake.sessions.dialogue import Line, Mistake, Session, Side

SESSIONS = Path(__file__).parents[1] / "data" / "sessions"
FIXTURES = sorted(path for path in SESSIONS.iterdir() if path.suffix in (".txt", ".eml"))
# A session cut at nothing: greeting and EHLO, for tests of what comes after.
BEGUN = "220 mx.example.net ESMTP\nEHLO client.sender.example\n250-mx.example.net\n250-SIZE 1000\n250 8BITMIME\n"


def shown(name: str) -> IntakeReport:
    return read((SESSIONS / name).read_bytes())


def session_of(text: str) -> Session:
    session = read(text.encode()).session
    assert session is not None
    return session


def mistakes(text: str) -> list[str]:
    return [mistake.slug for mistake in session_of(text).mistakes]


def only(text: str) -> DeliveryFailure:
    report = read(text.encode())
    assert report.format == "session"
    assert len(report.failures) == 1
    return report.failures[0]


@pytest.mark.parametrize(
    ("name", "dialect", "stage", "code", "enhanced", "recipients"),
    [
        ("swaks-rcpt.txt", "swaks", Stage.RCPT, "550", "5.1.1", ["carl@example.org"]),
        ("swaks-message.txt", "swaks", Stage.MESSAGE, "554", "5.7.1", ["anna@example.org", "carl@example.org"]),
        ("swaks-connect.txt", "swaks", Stage.CONNECT, "554", "5.7.1", [""]),
        ("swaks-auth.txt", "swaks", Stage.AUTH, "535", "5.7.8", [""]),
        ("swaks-unreachable.txt", "swaks", Stage.CONNECT, None, None, [""]),
        ("curl-rcpt.txt", "curl", Stage.RCPT, "550", "5.1.1", ["carl@example.org"]),
        ("curl-message.txt", "curl", Stage.MESSAGE, "554", "5.7.1", ["carl@example.org", "anna@example.org"]),
        ("curl-auth.txt", "curl", Stage.AUTH, "535", "5.7.8", [""]),
        ("curl-starttls.txt", "curl", Stage.RCPT, "550", "5.1.1", ["carl@example.org"]),
        ("msmtp-rcpt.txt", "msmtp", Stage.RCPT, "550", "5.1.1", ["anna@example.org"]),
        ("msmtp-data.txt", "msmtp", Stage.DATA, "451", "4.3.0", ["anna@example.org"]),
        ("smtplib-rcpt.txt", "smtplib", Stage.RCPT, "550", "5.1.1", ["carl@example.org"]),
        ("smtplib-message.txt", "smtplib", Stage.MESSAGE, "554", "5.7.1", ["anna@example.org", "carl@example.org"]),
        ("smtplib-mail.txt", "smtplib", Stage.MAIL, "530", "5.7.0", [""]),
        ("telnet-rcpt.txt", "telnet", Stage.RCPT, "550", "5.1.1", ["carl@example.org"]),
        ("telnet-message.txt", "telnet", Stage.MESSAGE, "554", "5.7.1", ["anna@example.org"]),
        ("telnet-typos.txt", "telnet", Stage.RCPT, "550", "5.1.1", ["anna@example.org"]),
        ("telnet-auth.txt", "telnet", Stage.AUTH, "535", "5.7.8", [""]),
        ("telnet-refused.txt", "telnet", Stage.CONNECT, None, None, [""]),
        ("telnet-closed.txt", "telnet", Stage.CONNECT, None, None, [""]),
        ("telnet-timeout.txt", "telnet", Stage.CONNECT, None, None, [""]),
        ("nc-mail.txt", "raw", Stage.MAIL, "553", "5.1.8", [""]),
        ("openssl-rcpt.txt", "openssl", Stage.RCPT, "550", "5.1.1", ["carl@example.org"]),
        ("phpmailer-rcpt.txt", "phpmailer", Stage.RCPT, "550", "5.1.1", ["carl@example.org"]),
        ("phpmailer-message.txt", "phpmailer", Stage.MESSAGE, "554", "5.7.1", ["carl@example.org"]),
        ("phpmailer-auth.txt", "phpmailer", Stage.AUTH, "535", "5.7.8", [""]),
        ("nodemailer-rcpt.txt", "nodemailer", Stage.RCPT, "550", "5.1.1", ["carl@example.org"]),
        ("nodemailer-json.txt", "nodemailer", Stage.MESSAGE, "554", "5.7.1", ["carl@example.org"]),
        ("nodemailer-auth.txt", "nodemailer", Stage.AUTH, "535", "5.7.8", [""]),
        ("javamail-rcpt.txt", "javamail", Stage.RCPT, "550", "5.1.1", ["carl@example.org"]),
        ("javamail-message.txt", "javamail", Stage.MESSAGE, "554", "5.7.1", ["carl@example.org"]),
        ("javamail-auth.txt", "javamail", Stage.AUTH, "535", "5.7.8", [""]),
        ("outlook.txt", "outlook", Stage.RCPT, "554", "5.7.1", ["anna@example.org"]),
        ("thunderbird.txt", "thunderbird", Stage.STARTTLS, "454", "4.7.0", [""]),
        ("thunderbird-old.txt", "thunderbird", Stage.MAIL, "552", "5.3.4", [""]),
        ("mailkit.txt", "mailkit", Stage.RCPT, "452", "4.2.2", ["carl@example.org"]),
        ("postfix-transcript.eml", "postfix", Stage.RCPT, "550", "5.1.1", ["nobody@example.net"]),
        ("postfix-verbose.txt", "postfix-smtp", Stage.RCPT, "550", "5.7.1", ["anna@example.org"]),
        ("postfix-verbose-server.txt", "postfix-smtpd", Stage.EHLO, "504", "5.5.2", [""]),
        ("exim.txt", "exim", Stage.RCPT, "451", "4.7.1", ["anna@example.org"]),
        ("ssmtp.txt", "ssmtp", Stage.EHLO, "504", "5.5.2", [""]),
        ("mutt.txt", "mutt", Stage.MAIL, "550", "5.7.1", [""]),
        ("ruby.txt", "net-smtp-ruby", Stage.RCPT, "553", "5.6.7", ["jörg@example.org"]),
        ("symfony.txt", "symfony", Stage.AUTH, "504", "5.7.4", [""]),
        ("swiftmailer.txt", "swiftmailer", Stage.MESSAGE, None, None, ["anna@example.org"]),
        ("tcp-stream.txt", "raw", Stage.RCPT, "550", "5.1.1", ["nobody@example.net"]),
        ("with-words.txt", "raw", Stage.RCPT, "550", "5.7.26", ["anna@example.org"]),
        ("quoted.txt", "telnet", Stage.RCPT, "550", "5.2.2", ["anna@example.org"]),
    ],
)
def test_it_reads_who_was_refused_at_which_command(
    name: str, dialect: str, stage: Stage, code: str | None, enhanced: str | None, recipients: list[str]
) -> None:
    report = shown(name)
    assert report.format == "session"
    assert report.session is not None
    assert report.session.dialect == dialect
    assert [(item.stage, item.code, item.enhanced, item.recipient) for item in report.failures] == [
        (stage, code, enhanced, who) for who in recipients
    ]
    assert report.kind == ""


def test_a_session_whose_message_was_taken_is_no_failure() -> None:
    report = shown("swaks-delivered.txt")
    assert (report.format, report.kind, report.failures) == ("session", "delivered", ())


def test_a_session_without_refusal_and_without_a_message_says_so() -> None:
    report = read(f"{BEGUN}QUIT\n221 Bye\n".encode())
    assert (report.kind, report.failures) == ("no-refusal", ())
    assert "No command was refused" in report.notes[-1]


def test_it_names_the_server_the_client_and_the_sender() -> None:
    failure = shown("with-words.txt").failures[0]
    assert (failure.remote_mta, failure.helo, failure.sending_ip, failure.envelope_sender) == (
        "mx.example.net", "mail.sender.example", "198.51.100.7", "ben@sender.example",
    )  # fmt: skip


def test_the_headers_of_the_message_are_read_where_they_are_shown() -> None:
    failure = shown("smtplib-message.txt").failures[0]
    assert (failure.header_from, failure.subject, failure.message_id, failure.message_size) == (
        "ben@sender.example",
        "Minutes",
        "<1@sender.example>",
        128,
    )


def test_a_transcript_mailed_to_the_postmaster_names_the_client() -> None:
    assert shown("postfix-transcript.eml").failures[0].sending_ip == "198.51.100.7"


def test_a_connection_that_failed_names_the_host_as_it_was_typed() -> None:
    failure = shown("telnet-timeout.txt").failures[0]
    assert (failure.remote_mta, failure.text) == ("mx.example.net", "telnet: connect to address 192.0.2.25: Connection timed out")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_every_span_shows_its_fact(path: Path) -> None:
    report = read(path.read_bytes())
    for failure in report.failures:
        for name, span in failure.spans.items():
            marked = report.text[span.start : span.end]
            if name == "command":
                assert marked.strip() == "." or marked.split()[0].upper() in ("EHLO", "HELO", "MAIL", "RCPT", "DATA", "AUTH", "STARTTLS")
            elif name == "text":
                assert (failure.code or failure.text[-20:]) in marked
            else:
                assert marked.strip("[]") == str(getattr(failure, name)).strip("[]")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_the_refused_command_is_marked_wherever_it_stands(path: Path) -> None:
    report = read(path.read_bytes())
    for failure in report.failures:
        if failure.code and failure.stage in (Stage.EHLO, Stage.STARTTLS, Stage.MAIL, Stage.RCPT, Stage.DATA) and path.name != "javamail-auth.txt":
            assert "command" in failure.spans


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_no_password_is_kept(path: Path) -> None:
    report = read(path.read_bytes())
    assert report.session is not None
    kept = repr((report.text, report.failures, report.notes, report.session))
    for secret in ("c2VjcmV0IHdvcmQ", "AGJlbgBzZWNyZXQ", "secret word", "AGJlbgAvKiBz"):
        assert secret not in kept


def test_the_reader_is_told_that_a_password_was_hidden() -> None:
    assert any("password" in note for note in shown("telnet-auth.txt").notes)
    assert not any("password" in note for note in shown("phpmailer-auth.txt").notes)  # PHPMailer hid it


def test_a_password_on_the_command_line_is_hidden() -> None:
    text = (
        "$ swaks --to a@example.org --auth-user ben --auth-password 'secret word' --server mx.example.net\n"
        + (SESSIONS / "swaks-auth.txt").read_text()
    )
    report = read(text.encode())
    assert "secret word" not in report.text
    assert report.failures[0].code == "535"


def test_pipelined_commands_get_their_replies_in_order() -> None:
    session = session_of((SESSIONS / "tcp-stream.txt").read_text())
    pairs = [(item.command.verb, item.reply.code) for item in session.exchanges if item.command and item.reply]
    assert pairs == [("EHLO", "250"), ("MAIL", "250"), ("RCPT", "550"), ("RCPT", "250"), ("DATA", "354"), (".", "250"), ("QUIT", "221")]


def test_lines_of_the_message_are_neither_commands_nor_replies() -> None:
    session = session_of((SESSIONS / "tcp-stream.txt").read_text())
    content = next(item.content for item in session.exchanges if item.content)
    assert "550 is a number in this message." in [line.text for line in content]


def test_a_message_whose_dot_was_cut_off_ends_at_the_reply() -> None:
    failure = only(f"{BEGUN}MAIL FROM:<ben@sender.example>\n250 Ok\nRCPT TO:<anna@example.org>\n250 Ok\nDATA\n354 Go\nHello\n554 5.6.0 No\n")
    assert (failure.stage, failure.code, failure.recipient) == (Stage.MESSAGE, "554", "anna@example.org")


@pytest.mark.parametrize("name", ["swaks-auth.txt", "mailkit.txt"])
def test_what_the_server_offers_is_read_again_after_starttls(name: str) -> None:
    session = shown(name).session
    assert session is not None
    assert session.tls
    offered = dict(session.extensions)
    assert sorted(offered["AUTH"].split()) == ["LOGIN", "PLAIN"]
    assert "STARTTLS" not in offered
    assert [item.tls for item in session.exchanges if item.command and item.command.verb == "EHLO"] == [False, True]


@pytest.mark.parametrize("name", ["thunderbird.txt", "swiftmailer.txt", "exim.txt", "phpmailer-rcpt.txt"])
def test_further_lines_of_a_reply_may_lack_the_mark(name: str) -> None:
    session = shown(name).session
    assert session is not None
    assert len(session.extensions) >= 1
    assert session.mistakes == ()


def test_what_the_server_offers_is_told() -> None:
    assert "The server offers SIZE 1000, 8BITMIME." in read(f"{BEGUN}QUIT\n221 Bye\n".encode()).notes


def test_a_refusal_that_the_client_mended_is_no_failure() -> None:
    failure = only(
        "220 mx.example.net\nEHLO c.example.org\n502 Not implemented\nHELO c.example.org\n250 Hello\nMAIL FROM:<ben@sender.example>\n550 5.7.1 No\n"
    )
    assert (failure.stage, failure.code) == (Stage.MAIL, "550")


def test_sequels_of_a_refusal_are_left_out() -> None:
    text = "MAIL FROM:<ben@sender.example>\n550 5.7.1 No\nRCPT TO:<anna@example.org>\n503 Need MAIL\nDATA\n503 Need RCPT\n"
    failure = only(BEGUN + text)
    assert (failure.stage, failure.code, failure.recipient) == (Stage.MAIL, "550", "anna@example.org")


def test_data_refused_for_want_of_recipients_is_a_sequel() -> None:
    failure = only(f"{BEGUN}RCPT TO:<anna@example.org>\n503 Need MAIL\nDATA\n554 No valid recipients\n")
    assert (failure.stage, failure.code, failure.recipient) == (Stage.RCPT, "503", "anna@example.org")


def test_a_login_that_was_refused_before_is_told_beside_the_refused_recipient() -> None:
    text = BEGUN.replace("250 8BITMIME", "250 AUTH PLAIN") + "AUTH PLAIN AGJlbgBw\n535 5.7.8 Wrong\nMAIL FROM:<ben@sender.example>\n250 Ok\n"
    report = read(f"{text}RCPT TO:<anna@example.org>\n554 5.7.1 Relay access denied\n".encode())
    assert report.failures[0].stage is Stage.RCPT
    assert "The server had refused AUTH before: 535 5.7.8 Wrong" in report.notes


def test_a_connection_closed_before_the_reply_is_a_failure_of_that_command() -> None:
    failure = only(f"Trying 192.0.2.25...\nConnected to mx.example.net.\nEscape character is '^]'.\n{BEGUN}MAIL FROM:<ben@sender.example>\n"
                   "Connection closed by foreign host.\n")  # fmt: skip
    assert (failure.stage, failure.code, failure.text) == (Stage.MAIL, None, "Connection closed by foreign host.")


def test_a_server_that_closes_with_421_unasked_is_a_failure() -> None:
    failure = only(f"{BEGUN}421 4.4.2 mx.example.net Error: timeout exceeded\nConnection closed by foreign host.\n")
    assert (failure.code, failure.enhanced) == ("421", "4.4.2")


@pytest.mark.parametrize(
    ("typed", "slug"),
    [
        ("HELLO there\n500 What?", "unknown-command"),
        ("MAIL FROM: <ben@sender.example>\n501 Syntax", "space-at-colon"),
        ("MAIL FROM:ben@sender.example\n501 Syntax", "angle-brackets"),
        ("MAIL FROM:<ben@sender.example\n501 Syntax", "angle-brackets"),
        ("MAIL ben@sender.example\n501 Syntax", "path-keyword"),
        ("MAIL FROM:<ben>\n501 Syntax", "no-domain"),
        ("MAIL FROM:<ben@x@sender.example>\n501 Syntax", "bad-address"),
        ("RCPT TO:<anna@example.org>\n503 Need MAIL", "rcpt-before-mail"),
        ("DATA\n503 Need RCPT", "data-before-mail"),
        ("MAIL FROM:<a@b.example>\n250 Ok\nDATA\n503 Need RCPT", "data-before-rcpt"),
        ("MAIL FROM:<a@b.example>\n250 Ok\nMAIL FROM:<a@b.example>\n503 Nested", "mail-twice"),
        ("MAIL FROM:<a@b.example>\n250 Ok\nRCPT TO:<>\n501 Who?", "empty-recipient"),
        ("STARTTLS\n502 No", "starttls-not-offered"),
        ("STARTTLS now\n501 No", "needless-argument"),
        ("AUTH PLAIN AGEAYg==\n503 No", "auth-not-offered"),
        ("MAIL FROM:<a@b.example> SIZE=2000\n552 Too big", "size-over-limit"),
        ("MAIL FROM:<a@b.example> RET=HDRS\n555 What?", "parameter-not-offered"),
        ("MAIL FROM:<jörg@b.example>\n553 ASCII please", "smtputf8-not-offered"),
        (f"MAIL FROM:<{'a' * 600}@b.example>\n500 Too long", "command-too-long"),
        ("MAIL FROM:<a@b.example>\nRCPT TO:<anna@example.org>\n250 Ok\n550 No", "pipelining-not-offered"),
        ("BDAT 5 LAST\n503 No", "chunking-not-offered"),
        ("EHLO 192.0.2.1\n501 No", "helo-argument"),
        ("EHLO\n501 No", "helo-argument"),
        ("EHLO my host\n501 No", "helo-argument"),
        ("EHLO a_b.example\n501 No", "helo-argument"),
        ("EHLO localhost\n501 No", "helo-argument"),
    ],
)
def test_it_sees_what_the_client_did_wrong(typed: str, slug: str) -> None:
    found = [mistake for mistake in session_of(f"{BEGUN}{typed}\n").mistakes if mistake.slug == slug]
    assert len(found) == 1
    assert "RFC " in found[0].sentence


def test_a_mistake_is_marked_and_told() -> None:
    report = read(f"{BEGUN}MAIL FROM: <ben@sender.example>\n501 5.1.7 Bad syntax\n".encode())
    assert report.session is not None
    mistake: Mistake = report.session.mistakes[0]
    assert report.text[mistake.span.start : mistake.span.end] == "MAIL FROM: <ben@sender.example>"
    assert mistake.sentence in report.notes


def test_a_session_without_fault_has_no_mistake() -> None:
    for name in (
        "swaks-message.txt",
        "curl-starttls.txt",
        "smtplib-message.txt",
        "mailkit.txt",
        "exim.txt",
        "phpmailer-message.txt",
        "openssl-rcpt.txt",
    ):
        session = shown(name).session
        assert session is not None
        assert session.mistakes == (), name


@pytest.mark.parametrize("argument", ["client.example.org", "[192.0.2.1]", "[IPv6:2001:db8::1]", "xn--bcher-kva.example", "bücher.example"])
def test_a_name_or_a_literal_is_a_good_argument_of_ehlo(argument: str) -> None:
    assert mistakes(f"220 mx.example.net\nEHLO {argument}\n550 No\n") == []


def test_mail_before_ehlo_is_a_mistake() -> None:
    assert mistakes("220 mx.example.net\nMAIL FROM:<a@b.example>\n503 Hello first\n") == ["ehlo-missing"]


def test_the_order_is_not_judged_where_the_beginning_was_cut_off() -> None:
    assert mistakes("RCPT TO:<anna@example.org>\n550 5.1.1 No such user\n") == []


def test_a_command_before_the_greeting_is_early() -> None:
    assert mistakes("EHLO client.sender.example\n220 mx.example.net\n250 Hello\n") == ["early-talker"]


def test_ehlo_is_due_again_after_starttls() -> None:
    text = f"{BEGUN.replace('8BITMIME', 'STARTTLS')}STARTTLS\n220 Go\nMAIL FROM:<a@b.example>\n503 Hello first\n"
    assert mistakes(text) == ["ehlo-after-starttls"]


@pytest.mark.parametrize(
    ("offers", "typed", "slugs"),
    [
        ("STARTTLS", "AUTH PLAIN AGEAYg==\n530 TLS first", ["auth-before-tls"]),
        ("AUTH PLAIN", "AUTH CRAM-MD5\n504 Unknown", ["mechanism-not-offered"]),
        ("AUTH PLAIN", "AUTH PLAIN AGEAYg==\n235 Ok\nAUTH PLAIN AGEAYg==\n503 Again?", ["auth-twice"]),
        ("AUTH PLAIN", "MAIL FROM:<a@b.example>\n250 Ok\nAUTH PLAIN AGEAYg==\n503 Not now", ["auth-in-transaction"]),
        ("AUTH PLAIN", "AUTH\n501 Which?", ["auth-argument"]),
    ],
)
def test_it_sees_what_is_wrong_with_a_login(offers: str, typed: str, slugs: list[str]) -> None:
    assert mistakes(f"{BEGUN.replace('8BITMIME', offers)}{typed}\n") == slugs


def test_a_line_feed_alone_is_seen_where_the_program_shows_line_ends() -> None:
    text = "send: 'ehlo c.example.org\\n'\nreply: b'501 5.5.2 Bare LF\\r\\n'\n"
    assert mistakes(text) == ["bare-lf"]


def test_lines_of_the_message_are_judged_too() -> None:
    text = f"{BEGUN}MAIL FROM:<a@b.example>\n250 Ok\nRCPT TO:<c@d.example>\n250 Ok\nDATA\n354 Go\n{'x' * 1200}\n.x\n..y\n.\n500 Line too long\n"
    assert mistakes(text) == ["text-line-too-long", "dot-not-stuffed"]


def test_lines_that_another_form_has_read_are_a_session_too() -> None:
    text = "220 mx.example.net|EHLO c.example.org|550 5.7.1 No"
    lines, at = [], 0
    for side, said in zip((Side.SERVER, Side.CLIENT, Side.SERVER), text.split("|"), strict=True):
        lines.append(Line(side, said, at, at + len(said)))
        at += len(said) + 1
    report = read_lines(text, lines, "protocol-log", "a protocol log")
    assert report is not None
    assert (report.failures[0].stage, report.failures[0].helo) == (Stage.EHLO, "c.example.org")


@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 No such user",
        "220 mx.example.net ESMTP",
        "The server said 550 to RCPT TO",
        "C: is full",
        "> quoted\n> words\n< not SMTP",
        "Trying again later",
    ],
)
def test_other_texts_are_no_session(text: str) -> None:
    assert read(text.encode()).format != "session"


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[1] / "data" / "bounces").glob("*.eml")), ids=lambda path: path.name)
def test_a_bounce_is_no_session_with_its_headers_or_without(path: Path) -> None:
    data = path.read_bytes()
    assert read(data).session is None
    if path.name != "mdaemon.eml":  # its text is a transcript, and without the headers nothing else
        assert read(data.replace(b"\r\n", b"\n").partition(b"\n\n")[2]).session is None


_MAIL = "220 mx.example.net ESMTP\nEHLO c.example.org\n250 mx.example.net\nMAIL FROM:<a@b.example>\n250 Ok\n"


@pytest.mark.parametrize(
    "text",
    [
        _MAIL + "RCPT TO:<u@b.example>\n550 5.1.1 No\n" * 100_000,
        _MAIL + "RCPT TO:<u@b.example>\n250 Ok\n" * 100_000 + "DATA\n354 Go\n.\n554 No\n",
        _MAIL + "DATA\n554 No\n" * 20_000,
        _MAIL + "MAIL FROM:<>\nRCPT TO:<a@b.example>\n" * 5000 + "550 No\n" * 10_000,
        "220 mx.example.net\nEHLO c.example.org\n" + "250-X\n" * 200_000,
        "220 mx.example.net\nEHLO " + "a" * 20_000_000 + "\n500 No\n",
        "send: 'ehlo a.b\\r\\n'\nreply: b'250 " + "\\\\" * 60_000 + "'\n",
        '{"tnx":"client","msg":"EHLO a"}\n{"tnx":"server","msg":"220 ' + '\\"' * 60_000 + '"}\n',
    ],
)
def test_a_huge_session_is_answered_in_time(text: str) -> None:
    started = time.process_time()
    report = read(text.encode())
    assert time.process_time() - started < 2
    assert len(report.failures) <= 1000


def test_the_end_of_a_session_with_a_long_message_is_read() -> None:
    body = "".join(f"line {number}\n" for number in range(100_000))
    failure = only(f"{_MAIL}RCPT TO:<anna@example.org>\n250 Ok\nDATA\n354 Go\n{body}.\n552 5.3.4 Too big\n")
    assert (failure.stage, failure.code, failure.recipient) == (Stage.MESSAGE, "552", "anna@example.org")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_a_session_cut_off_anywhere_is_answered(path: Path) -> None:
    data = path.read_bytes()
    for end in range(1, len(data), max(1, len(data) // 60)):
        report = read(data[:end] + b"\0")
        for failure in report.failures:
            assert all(0 <= span.start <= span.end <= len(report.text) for span in failure.spans.values())
