"""Log lines of each program, most of them written by the program itself, give exactly these failures."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from whybounce.failure import Action, DeliveryFailure, IntakeReport, Stage
from whybounce.intake import read
from whybounce.intake.facts import one_line
from whybounce.intake.logs import Event, LogEvent, columns_of, failure_of, parse_line, parse_row

LOGS = Path(__file__).parents[1] / "data" / "logs"

# fixture: (recipient, action, code, enhanced, stage, remote_mta, envelope_sender, queue_id, how the text begins), one for each failure
EXPECTED: dict[str, list[list[str]]] = json.loads((LOGS / "expected" / "failures.json").read_text(encoding="utf-8"))


def log(name: str) -> str:
    return (LOGS / name).read_text(encoding="utf-8")


def lines_with(name: str, word: str) -> str:
    return "".join(line + "\n" for line in log(name).splitlines() if word in line)


def only(text: str) -> DeliveryFailure:
    report = read(text.encode())
    assert report.format == "log"
    assert len(report.failures) == 1
    return report.failures[0]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_log_gives_the_failure_of_each_recipient(name: str) -> None:
    report = read(log(name).encode())
    assert report.format == "log"
    found = [[f.recipient, f.action, f.code, f.enhanced, f.stage, f.remote_mta, f.envelope_sender, f.queue_id] for f in report.failures]
    assert found == [row[:8] for row in EXPECTED[name]]
    for failure, row in zip(report.failures, EXPECTED[name], strict=True):
        assert failure.text.startswith(row[8])


def shown(report: IntakeReport) -> set[str]:
    """Asserts that every span shows its fact; gives the names of those that are marked somewhere."""
    names = set()
    for failure in report.failures:
        for name, span in failure.spans.items():
            marked = report.text[span.start : span.end]
            fact = getattr(failure, name)
            if name == "text":
                assert one_line(marked) == fact
            elif name != "stage":
                assert marked == fact.strip("[]")
            names.add(name)
    return names


@pytest.mark.parametrize("path", sorted(LOGS.glob("*.*")), ids=lambda path: path.name)
def test_every_span_shows_its_fact(path: Path) -> None:
    if path.name != "README.md":
        assert {"recipient", "queue_id"} <= shown(read(path.read_bytes()))


@pytest.mark.parametrize("name", ["postfix.log", "exim.log", "sendmail.log", "qmail.log", "opensmtpd.log", "haraka.log", "postfix-lmtp.log"])
def test_recipient_text_and_codes_are_marked_in_the_lines_of_a_log(name: str) -> None:
    for failure in read(log(name).encode()).failures:
        for fact in ("recipient", "text", "code", "enhanced", "envelope_sender", "message_id"):
            assert fact in failure.spans or not getattr(failure, fact)


def test_the_lines_of_one_queue_id_make_one_failure() -> None:
    failure = only(lines_with("postfix.log", "87A9220E77A"))
    assert failure.recipient == "unknown@example.net"
    assert failure.envelope_sender == "news@sender.example"
    assert failure.message_id == "<20261125.1@client.sender.example>"
    assert failure.message_size == 356
    assert failure.queue_id == "87A9220E77A"
    assert failure.reporting_mta == "mail"
    assert failure.sent_at == "Nov 25 03:04:33"


@pytest.mark.parametrize(
    ("name", "queue_id", "sender", "message_id", "size", "sent_at"),
    [
        ("exim.log", "1xW3Qy-00001B-0i", "news@sender.example", "20261125.1@client.sender.example", 381, "2026-11-25 03:12:36"),
        ("sendmail.log", "6AP3GICQ000160", "news@sender.example", "<20261125.1@client.sender.example>", 159, "Nov 25 03:16:18"),
        ("opensmtpd.log", "ca3baa3f", "news@sender.example", "", 346, ""),
        ("haraka.log", "3FD0F015", "news@sender.example", "<20261125.5@client.sender.example>", 166, "2026-11-25T03:16:18.759Z"),
    ],
)
def test_sender_message_id_and_size_come_from_the_other_lines_of_the_message(
    name: str, queue_id: str, sender: str, message_id: str, size: int, sent_at: str
) -> None:
    text = log(name) if name == "opensmtpd.log" else lines_with(name, queue_id)
    failure = next(f for f in read(text.encode()).failures if f.queue_id.startswith(queue_id))
    assert (failure.envelope_sender, failure.message_id, failure.message_size, failure.sent_at) == (sender, message_id, size, sent_at)


def test_retries_of_one_recipient_are_one_failure_and_the_last_one_counts() -> None:
    lines = [line for line in log("postfix.log").splitlines() if "9FC0B20E77D" in line and "status=deferred" in line]
    assert len(lines) > 3
    failure = only("\n".join(lines))
    assert failure.action is Action.DELAYED
    assert failure.sent_at == lines[-1][:15]


def test_what_was_delivered_at_last_did_not_fail() -> None:
    deferred = next(line for line in log("postfix.log").splitlines() if "9FC0B20E77D" in line and "status=deferred" in line)
    sent = deferred.partition(", dsn=")[0] + ", dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4Xy1Zz2Qq3)"
    report = read(f"{deferred}\n{sent}".encode())
    assert (report.kind, report.failures) == ("delivered", ())
    assert report.notes == ("2 lines of a Postfix log: one delivery succeeded. Nothing failed.",)


def test_a_delay_after_a_refusal_does_not_undo_it() -> None:
    refused = next(line for line in log("postfix.log").splitlines() if "87A9220E77A" in line and "status=bounced" in line)
    assert only(f"{refused}\n{refused.replace('bounced', 'deferred').replace('550', '450')}").code == "550"


@pytest.mark.parametrize(
    ("name", "queue_id", "text"),
    [
        ("postfix.log", "9FC0B20E77D", "451 4.7.1 <grey@example.org>"),
        ("exim.log", "1xW3Qy-00001Z-23", "451 4.7.1 <grey@example.org>"),
        ("exim.log", "1xW3Qz-00002L-2A", "Connection refused"),
        ("sendmail.log", "6AP3GIPQ000183", "451 4.7.1 <grey@example.org>"),
        ("opensmtpd.log", "91e41576", "451 4.7.1 <grey@example.org>"),
        ("haraka.log", "C5BE166A-1E11-47BE-944F-AA8D32330B91", "451 4.7.1 <grey@example.org>"),
    ],
)
def test_where_the_queue_gave_up_the_last_attempt_tells_why(name: str, queue_id: str, text: str) -> None:
    report = read(lines_with(name, queue_id).encode())
    assert len(report.failures) == 1
    assert report.failures[0].action is Action.FAILED
    assert report.failures[0].text.startswith(text)
    assert any("gave up" in note for note in report.notes)


@pytest.mark.parametrize("line", log("prefixes.log").splitlines())
def test_any_logger_s_prefix_is_passed_over(line: str) -> None:
    failure = only(line)
    assert (failure.recipient, failure.code, failure.enhanced, failure.stage) == ("unknown@example.net", "550", "5.1.1", "rcpt")
    assert failure.text == "550 5.1.1 User unknown"
    assert failure.queue_id.startswith("87A9220E7")
    assert failure.reporting_mta == ("" if line.startswith(("87A", "postfix")) else "mail")


def test_the_time_is_given_as_written() -> None:
    times = [failure.sent_at for failure in read(log("prefixes.log").encode()).failures]
    assert times == [
        "2026-11-25T03:04:33.123456+00:00",
        "2026-11-25T03:04:33.123Z",
        "Nov 25 03:04:33",
        "Nov 25 03:04:33",
        "Wed 2026-11-25 03:04:33 UTC",
        "",
        "",
        "1795576473123456",
        "Nov 25 03:04:33",
        "Nov 25 03:04:33",
    ]


def test_the_client_that_was_refused_is_named() -> None:
    failure = only(lines_with("postfix.log", "454 4.7.1 <b@example.com>"))
    assert (failure.sending_ip, failure.helo, failure.envelope_sender) == ("192.0.2.11", "client.sender.example", "a@example.net")
    assert (failure.action, failure.stage, failure.remote_mta) == (Action.DELAYED, Stage.RCPT, "mail")


def test_a_refused_header_is_a_refused_message() -> None:
    failure = only(lines_with("postfix-lmtp.log", "reject: header"))
    assert (failure.stage, failure.text, failure.recipient) == (Stage.MESSAGE, "5.7.1 no tests here", "anna@sender.example")


def test_a_subject_with_from_in_it_does_not_hide_the_client() -> None:
    line = lines_with("postfix-lmtp.log", "reject: header").replace("test 10", "news from home")
    event = parse_line(line.strip())
    assert event is not None
    assert (event.client, event.client_ip, event.text) == ("localhost", "127.0.0.1", "5.7.1 no tests here")


def test_opensmtpd_lines_that_syslog_wrote_have_time_and_host() -> None:
    text = "".join(f"Nov 25 03:12:36 mail smtpd[25]: {line}\n" for line in log("opensmtpd.log").splitlines())
    first = read(text.encode()).failures[0]
    assert (first.recipient, first.sent_at, first.reporting_mta) == ("unknown@example.net", "Nov 25 03:12:36", "mail")


def test_lines_within_words_are_found() -> None:
    line = next(line for line in log("exim.log").splitlines() if " ** multi@" in line)
    failure = only(f"Hello,\n\nwe see this in our log since Tuesday:\n\n{line}\n\nWhat can we do?\n")
    assert failure.text.startswith("550-5.7.26 Unauthenticated email from sender.example is not accepted due to domain's DMARC policy.")


def test_a_long_log_is_summed_up() -> None:
    assert read(log("postfix.log").encode()).notes[0] == "266 lines of a Postfix log: of the recipients 15 failed, 2 delayed, 16 delivered."


def test_of_a_very_long_log_the_beginning_is_read_and_that_is_said() -> None:
    line = next(line for line in log("postfix.log").splitlines() if "status=bounced" in line)
    report = read("".join(f"{line.replace('unknown@', f'user{number}@')}\n" for number in range(2000)).encode())
    assert report.notes[1:] == ("Only the first 200,000 characters were read.",)
    assert report.notes[0].endswith("The first 500 are shown.")
    assert len(report.failures) == 500
    assert all(failure.code == "550" for failure in report.failures)


def test_one_line_alone_needs_no_summary() -> None:
    line = next(line for line in log("postfix.log").splitlines() if "status=bounced" in line)
    assert read(line.encode()).notes == ()


# A line alone, as it is pasted: (line, recipient, code, enhanced, stage, action)
ALONE: list[list[str]] = json.loads((LOGS / "expected" / "lines.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", ALONE, ids=lambda row: row[0][:60])
def test_a_line_alone_is_read(row: list[str]) -> None:
    line, recipient, *facts = row
    first = read(line.encode()).failures[0]
    assert read(line.encode()).format == "log"
    assert [first.recipient, first.code, first.enhanced, first.stage, first.action] == [recipient, *facts]
    event = parse_line(line)
    assert event is not None
    if event.event is not Event.OTHER:
        assert failure_of(event).text == first.text


def test_several_recipients_on_one_line_are_several_failures() -> None:
    line = next(row[0] for row in ALONE if "sm-mta" in row[0])
    assert [failure.recipient for failure in read(line.encode()).failures] == ["a@b.example", "c@b.example"]


def test_an_event_says_what_the_line_says() -> None:
    line = next(line for line in log("postfix.log").splitlines() if "87A9220E77A" in line and "status=bounced" in line)
    assert parse_line(line) == LogEvent(
        program="postfix",
        event=Event.FAILED,
        time="Nov 25 03:04:33",
        host="mail",
        queue_id="87A9220E77A",
        recipient="unknown@example.net",
        remote_mta="mx.example.net",
        remote_ip="192.0.2.25",
        code="550",
        enhanced="5.1.1",
        text="host mx.example.net[192.0.2.25] said: 550 5.1.1 <unknown@example.net>: Recipient address rejected: "
        "User unknown in virtual mailbox table (in reply to RCPT TO command)",
    )


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("postfix.log", {"failed": 11, "deferred": 36, "delivered": 16, "expired": 4, "rejected": 2}),
        ("exim.log", {"failed": 12, "deferred": 15, "delivered": 16, "expired": 3, "rejected": 2}),
    ],
)
def test_the_events_of_a_log_are_counted_as_they_stand(name: str, counts: dict[str, int]) -> None:
    events = [event.event for line in log(name).splitlines() if (event := parse_line(line))]
    assert {kind: events.count(Event(kind)) for kind in counts} == counts


@pytest.mark.parametrize(
    ("name", "commands"),
    [("exchange-smtpsend.log", ["EHLO", "MAIL", "RCPT", "RCPT", "DATA"]), ("exchange-smtpreceive.log", ["EHLO", "MAIL", "RCPT"])],
)
def test_a_protocol_log_of_one_session_shows_the_dialogue(name: str, commands: list[str]) -> None:
    session = read(log(name).encode()).session
    assert session is not None
    verbs = [exchange.command.verb for exchange in session.exchanges if exchange.command]
    assert verbs[: len(commands)] == commands


def test_the_columns_of_a_table_may_stand_in_any_order() -> None:
    columns = columns_of("Status;Recipient;Date (UTC);Message ID")
    assert columns is not None
    event = parse_row("Failed;a@b.example;2026-11-25 03:12:36;<1@c.example>", columns)
    assert event is not None
    assert (event.event, event.recipient, event.message_id) == (Event.FAILED, "a@b.example", "<1@c.example>")


def test_a_tracking_row_without_its_header_is_read_in_the_usual_order() -> None:
    failure = only(lines_with("exchange-tracking.csv", ",FAIL,"))
    assert (failure.recipient, failure.code, failure.remote_mta) == ("unknown@example.net", "550", "mx.example.net")


@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown",
        "host mx.b.example[192.0.2.25] said: 550 5.1.1 no (in reply to RCPT TO command)",
        "Hello,\nthe mail of 2026-11-25 03:12:36 was rejected by the recipient: what now?",
        "delivery failed",
        '{"event": "bounce", "recipient": "a@b.example", "id": "1", "reason": "550 no"}',
        '{"status": "failed", "log": 1}',
        "2026-11-25 03:12:36 ERROR app: mail to a@b.example failed: 550 no",
        "date,event,amount\n2026-11-25,fail,3",
        "Nov 25 03:04:33 mail postfix/smtpd[185]: connect from localhost[127.0.0.1]",
        "Nov 25 03:04:33 mail postfix/qmgr[110]: 87A9220E77A: from=<news@sender.example>, size=356, nrcpt=1 (queue active)",
    ],
)
def test_what_is_no_log_of_a_failure_is_left_to_the_other_forms(text: str) -> None:
    assert read(text.encode()).format != "log"


@pytest.mark.parametrize("path", sorted(LOGS.glob("*.*")), ids=lambda path: path.name)
def test_a_line_cut_anywhere_is_no_error(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines()[:60]:
        for stop in range(0, len(line), 5):
            parse_line(line[:stop])
            parse_line(line[stop:])


@pytest.mark.parametrize("path", sorted(LOGS.glob("*.*")), ids=lambda path: path.name)
def test_a_log_cut_anywhere_or_with_nul_bytes_is_read_as_far_as_it_goes(path: Path) -> None:
    data = path.read_bytes()[:8000]
    for stop in range(0, len(data), 397):
        assert read(data[:stop]).error is None
        assert read(data[:stop] + b"\0\0" + data[stop:]).error is None


_LINE = "Nov 25 03:04:33 mail postfix/smtp[1]: 87A9220E77A: to=<a@b.example>, relay=none, delay=1, dsn=5.0.0, status=bounced ("
_HOSTILE = {
    "one long line": _LINE + "a: 550 " * 3_000_000,
    "colons": _LINE + ": " * 5_000_000,
    "many lines": "".join(f"{_LINE.replace('a@b', f'a{n}@b')}550 5.1.1 no)\n" for n in range(100_000)),
    "short lines": "status=\n" * 1_000_000,
    "deep JSON": '{"type":' + "[" * 10_000 + "]" * 10_000 + "}",
    "JSON lines": '{"type":"Bounce","recipient":[],"response":{}}\n' * 100_000,
    "quotes": "2026-11-25 03:12:36 1xW3Qy-00001B-0i ** a@b.example" + ' A="' * 2_000_000,
    "a table": "date-time,event-id,recipient-address\n" + '2026-11-25T03:12:36Z,FAIL,"a@b.example\n' * 100_000,
    "recipients": "Nov 25 03:04:33 mail sm-mta[9]: 6AP3GICQ000160: to=" + "<a@b.example>," * 500_000 + " stat=no, stat=User unknown",
    "sessions": "".join(f"2026-11-25T03:12:36.001Z,c,{n},0,,192.0.2.25:25,<,550 no,\n" for n in range(100_000)),
    "names": "#Fields: " + "date-time,event-id,recipient-address," * 200_000,
}


@pytest.mark.parametrize("name", sorted(_HOSTILE))
def test_a_hostile_log_is_answered_in_time(name: str) -> None:
    data = _HOSTILE[name].encode()
    started = time.process_time()
    assert read(data).error is None
    assert time.process_time() - started < 2


def test_a_log_of_many_lines_is_read_fast() -> None:
    lines = log("postfix.log").splitlines() * 100
    started = time.process_time()
    assert all(parse_line(line) is not None for line in lines)
    assert len(lines) / (time.process_time() - started) > 40_000
