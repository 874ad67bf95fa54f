"""Events and errors of mail services in JSON: each failed recipient with what the server said, wherever the JSON stands."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from whybounce.failure import Action, DeliveryFailure, IntakeReport
from whybounce.intake import read
from whybounce.intake.facts import one_line
from whybounce.intake.webhooks.document import documents, parse, span_of

DATA = Path(__file__).parents[1] / "data" / "webhooks"
FILES = sorted(path for path in DATA.iterdir() if path.suffix != ".md")
UNKNOWN = "<anna@example.net>: Recipient address rejected: User unknown"
SES_BOUNCE = [
    ("anna@example.net", "failed", "550", "5.1.1", "550 5.1.1 " + UNKNOWN),
    ("bert@example.org", "failed", "552", "5.2.2", '552 5.2.2 "bert" is over quota'),
]
SENDGRID_BOUNCE = ("anna@example.net", "failed", "550", "5.1.1", "550 5.1.1 " + UNKNOWN)
SENDGRID_BLOCK = (
    "bert@example.org", "failed", "554", "5.7.1", "554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using list.example",
)  # fmt: skip

# file: (recipient, action, code, enhanced, text) of each failure
EXPECTED: dict[str, tuple[str, list[tuple[str, str, str | None, str | None, str]]]] = {
    "ses-bounce.json": ("ses-notification", SES_BOUNCE),
    "ses-sns.json": ("ses-notification", SES_BOUNCE),
    "ses-lambda.json": ("ses-notification", SES_BOUNCE),
    "ses-sqs.json": ("ses-notification", SES_BOUNCE),
    "ses-event-bounce.json": ("ses-notification", SES_BOUNCE),
    "ses-suppressed.json": (
        "ses-notification",
        [(
            "anna@example.net", "failed", None, "5.1.1",
            "Amazon SES did not send the message to this address because it is on the suppression list for your account. For more information about "
            "removing addresses from the suppression list, see the Amazon SES Developer Guide.",
        )],
    ),
    "ses-delay.json": ("ses-notification", [("anna@example.net", "delayed", "421", "4.4.1", "421 4.4.1 Unable to connect to remote host")]),
    "ses-reject.json": ("ses-notification", [("anna@example.net", "failed", None, None, "Bad content")]),
    "ses-rendering.json": (
        "ses-notification", [("anna@example.net", "failed", None, None, "Attribute 'attributeName' is not present in the rendering data.")],
    ),
    "sendgrid-events.json": (
        "sendgrid-event",
        [
            SENDGRID_BOUNCE,
            SENDGRID_BLOCK,
            ("carl@example.com", "failed", None, "5.0.0", "Bounced Address"),
            ("dora@example.org", "delayed", "451", "4.7.1", "451 4.7.1 Greylisted, try again later"),
        ],
    ),
    "sendgrid-lines.jsonl": ("sendgrid-event", [SENDGRID_BOUNCE, SENDGRID_BLOCK]),
    "sendgrid-log.txt": ("sendgrid-event", [SENDGRID_BOUNCE]),
    "sendgrid-escaped.txt": ("sendgrid-event", [SENDGRID_BOUNCE]),
    "sendgrid-bounces-api.json": ("sendgrid-event", [("anna@example.net", "failed", "550", "5.1.1", "550 5.1.1 No such user")]),
    "mailgun-permanent.json": ("mailgun-event", [("anna@example.net", "failed", "550", "5.1.1", "5.1.1 " + UNKNOWN)]),
    "mailgun-temporary.json": ("mailgun-event", [("anna@example.net", "delayed", "452", "4.2.2", "4.2.2 The mailbox is over its quota")]),
    "mailgun-suppressed.json": ("mailgun-event", [("anna@example.net", "failed", None, None, "Not delivering to previously bounced address")]),
    "mailgun-legacy.json": ("mailgun-event", [("anna@example.net", "failed", "550", "5.1.1", "5.1.1 The mailbox does not exist")]),
    "postmark-bounce.json": ("postmark-event", [("anna@example.net", "failed", "550", "5.1.1", "550 5.1.1 " + UNKNOWN)]),
    "postmark-transient.json": ("postmark-event", [("anna@example.net", "delayed", "451", "4.7.1", "451 4.7.1 Try again later")]),
    "sparkpost-bounce.json": ("sparkpost-event", [("Anna@example.net", "failed", "550", "5.1.1", "550 5.1.1 " + UNKNOWN)]),
    "sparkpost-events.json": (
        "sparkpost-event",
        [
            ("delay@example.net", "delayed", "454", "4.4.4", "454 4.4.4 [internal] no MX or A for domain"),
            ("out_of_band@example.net", "failed", "550", "5.2.1", "550 5.2.1 Mailbox disabled"),
            ("policy_rejection@example.net", "failed", "550", None, "550 [internal] recipient is suppressed"),
        ],
    ),
    "mailjet-bounce.json": (
        "mailjet-event", [("anna@example.net", "failed", "550", "5.1.1", "550 5.1.1 The email account that you tried to reach does not exist")],
    ),
    "mailjet-blocked.json": ("mailjet-event", [("anna@example.net", "failed", None, None, "preblocked")]),
    "brevo-hard-bounce.json": (
        "brevo-event",
        [("anna@example.net", "failed", "550", "5.1.1", "550-5.1.1 The account does not exist. See https://example.net/help")],
    ),
    "brevo-soft-bounce.json": ("brevo-event", [("anna@example.net", "failed", "452", "4.2.2", "452 4.2.2 The mailbox is over its quota")]),
    "brevo-blocked.json": ("brevo-event", [("anna@example.net", "failed", None, None, "blocked : due to blacklist user")]),
    "brevo-invalid.json": ("brevo-event", [("anna@example.net", "failed", None, None, "invalid_email")]),
    "brevo-deferred.json": ("brevo-event", [("anna@example.net", "delayed", "421", "4.7.0", "421 4.7.0 Try again later")]),
    "resend-bounced.json": ("resend-event", [("anna@example.net", "failed", "550", "5.1.1", "550 5.1.1 No such user")]),
    "resend-suppressed.json": (
        "resend-event",
        [(
            "anna@example.net", "failed", None, None,
            "The recipient's email address is on the suppression list because it has a recent history of producing hard bounces.",
        )],
    ),
    "resend-failed.json": ("resend-event", [("anna@example.net", "failed", None, None, "reached_daily_quota")]),
    "mandrill-events.json": (
        "mandrill-event",
        [
            (
                "anna@example.net", "failed", "550", "5.1.1",
                "550 5.1.1 [198.51.100.7] The email account that you tried to reach does not exist.",
            ),
            ("bert@example.org", "delayed", "451", "4.3.5", "451 4.3.5 Temporarily unavailable, try again later."),
            ("carl@example.com", "failed", None, None, "hard-bounce"),
        ],
    ),
    "mandrill-form.txt": (
        "mandrill-event",
        [("anna@example.net", "failed", "550", "5.1.1", "550 5.1.1 [198.51.100.7] The email account that you tried to reach does not exist.")],
    ),
    "mandrill-send.json": ("mandrill-event", [("anna@example.net", "failed", None, None, "hard-bounce")]),
    "elastic-email.json": ("elastic-email-event", [("anna@example.net", "failed", None, None, "NoMailbox")]),
}  # fmt: skip
ERRORS = {
    "graph-invalid-recipients.json": ("graph-error", "ErrorInvalidRecipients", "At least one recipient is not valid."),
    "graph-send-as.json": ("graph-error", "ErrorSendAsDenied", "The user account which was used to submit this request does not have the right"),
    "graph-not-enabled.json": ("graph-error", "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive"),
    "graph-limit.json": ("graph-error", "ErrorExceededMessageLimit", "The message limit was exceeded."),
    "gmail-invalid-to.json": ("gmail-api-error", "invalidArgument", "Invalid To header"),
    "gmail-precondition.json": ("gmail-api-error", "failedPrecondition", "Precondition check failed."),
    "gmail-rate.json": ("gmail-api-error", "rateLimitExceeded", "User-rate limit exceeded."),
    "gmail-delegation.json": ("gmail-api-error", "forbidden", "Delegation denied for news@sender.example"),
    "oauth-grant.json": ("oauth-error", "invalid_grant", "Token has been expired or revoked."),
    "postmark-error.json": ("postmark-error", "406", "You tried to send to recipient(s) that have been marked as inactive."),
    "mailjet-error.json": ("mailjet-error", "send-0008", '"news@sender.example" is not an authorized sender'),
    "sendgrid-error.json": ("sendgrid-error", "from", "The from address does not match a verified Sender Identity."),
    "resend-error.json": ("resend-error", "validation_error", "The sender.example domain is not verified."),
}
NO_FAILURE = {
    "ses-complaint.json": "complaint", "ses-delivery.json": "delivered", "sendgrid-spam.json": "complaint",
    "sendgrid-deferred-delivered.json": "delivered", "mailgun-complained.json": "complaint", "postmark-spam-complaint.json": "complaint",
    "postmark-delivery.json": "delivered", "sparkpost-complaint.json": "complaint", "brevo-spam.json": "complaint",
    "resend-complained.json": "complaint",
}  # fmt: skip


def of_file(name: str) -> IntakeReport:
    return read((DATA / name).read_bytes())


def told(failure: DeliveryFailure) -> tuple[str, str, str | None, str | None, str]:
    return failure.recipient, failure.action.value, failure.code, failure.enhanced, failure.text


def test_every_file_is_expected_to_be_something() -> None:
    assert {path.name for path in FILES} == {*EXPECTED, *ERRORS, *NO_FAILURE}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_event_gives_each_failed_recipient_with_what_the_server_said(name: str) -> None:
    report = of_file(name)
    slug, failures = EXPECTED[name]
    assert (report.format, report.kind, report.error) == (slug, "", None)
    assert [told(failure) for failure in report.failures] == failures


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_of_an_interface_is_a_failure_that_no_server_told(name: str) -> None:
    slug, called, text = ERRORS[name]
    report = of_file(name)
    (failure,) = report.failures
    assert (report.format, failure.code, failure.enhanced) == (slug, None, None)
    assert failure.text.startswith(text)
    assert f"({called})" in report.notes[1]
    assert "no mail server was asked" in report.notes[1]


@pytest.mark.parametrize("name", NO_FAILURE)
def test_complaints_and_deliveries_are_no_failures(name: str) -> None:
    report = of_file(name)
    assert (report.kind, report.failures) == (NO_FAILURE[name], ())
    assert "deliver" in report.notes[0]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_service_is_named_in_a_note_and_as_the_reporting_server(name: str) -> None:
    report = of_file(name)
    service = report.notes[0].removeprefix("This comes from ").rstrip(".")
    assert all(failure.reporting_mta == service or failure.reporting_mta.endswith("amazonses.com") for failure in report.failures)
    assert len(service) > 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_span_shows_its_fact(path: Path) -> None:
    report = read(path.read_bytes())
    for failure in report.failures:
        assert {"text"} <= set(failure.spans)
        assert not failure.recipient or "recipient" in failure.spans
        for name, span in failure.spans.items():
            marked = report.text[span.start : span.end]
            if name == "text":
                assert failure.text in (one_line(marked), one_line(str(json.loads(f'"{marked}"')) if "\\" in marked else marked))
            elif name == "sent_at":
                assert failure.sent_at[:10] in (marked[:10], "2026-11-24")
            else:
                assert marked == getattr(failure, name).strip("[]")


def test_the_other_facts_of_an_event_are_read() -> None:
    failure = of_file("mailgun-permanent.json").failures[0]
    assert failure.remote_mta == "mx.example.net"
    assert failure.sending_ip == "198.51.100.7"
    assert failure.envelope_sender == "news@sender.example"
    assert failure.header_from == "News <news@sender.example>"
    assert failure.message_id == "n1@sender.example"
    assert failure.subject == "November"
    assert failure.sent_at == "2026-11-24T09:12:50Z"
    assert of_file("postmark-bounce.json").failures[0].queue_id == "883953f4-6105-42a2-a16a-77a8eac79483"
    assert of_file("ses-bounce.json").failures[0].remote_mta == "[192.0.2.25]"
    assert of_file("ses-bounce.json").failures[0].reporting_mta == "a7-10.smtp-out.eu-west-1.amazonses.com"


def test_what_a_service_refused_itself_is_said() -> None:
    notes = " ".join(of_file("sendgrid-events.json").notes)
    assert "SendGrid dropped this mail itself" in notes
    assert "SendGrid calls this a block" in notes
    assert "1 of 5 events report no failure." in notes


def test_a_bounce_after_delays_is_one_failure() -> None:
    event = json.loads((DATA / "sendgrid-events.json").read_text())[4]
    later = {**event, "event": "bounce", "type": "bounce", "reason": "550 5.4.300 Message expired", "status": "5.4.300"}
    (failure,) = read(json.dumps([event, event, later, event]).encode()).failures
    assert (failure.action, failure.code) == (Action.FAILED, "550")


def test_an_event_in_a_mail_is_read_too() -> None:
    head = "From: alerts@app.example\nTo: ops@app.example\nSubject: webhook\nMIME-Version: 1.0\nContent-Type: text/plain\n\nGot this:\n\n"
    report = read((head + (DATA / "postmark-bounce.json").read_text()).encode())
    assert [told(failure) for failure in report.failures] == EXPECTED["postmark-bounce.json"][1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_json_cut_off_anywhere_does_no_harm(path: Path) -> None:
    data = path.read_bytes()
    for end in range(0, len(data), max(1, len(data) // 40)):
        assert read(data[:end]).error is None


def test_what_stands_in_json_that_broke_off_is_read() -> None:
    data = (DATA / "sendgrid-events.json").read_bytes()
    report = read(data[: data.index(b"list.example")])
    assert [(failure.recipient, failure.text[:3]) for failure in report.failures] == [("anna@example.net", "550"), ("bert@example.org", "")]


EVENT = json.dumps({"sg_event_id": "e", "email": "a@example.net", "event": "bounce", "reason": "550 5.1.1 no", "status": "5.1.1"})


@pytest.mark.parametrize(
    "data",
    [
        b'{"sg_event_id":' * 10_000,
        b'[{"sg_event_id":' + b"[" * 100_000,
        ("[" + ",".join([EVENT] * 200_000) + "]").encode()[:25_000_000],
        (EVENT + "\n").encode() * 100_000,
        b'{"sg_event_id":"' + b"a" * 24_000_000,
        b'{"sg_event_id":"e","event":"bounce","email":"a@b.example","reason":"' + b'\\"' * 400_000 + b'"}',
        b'{"sg_event_id" ' * 60_000,
        b'{"' * 300_000 + b"sg_event_id",
        b'{"sg_event_id":' + b" " * 900_000,
        b'{"sg_event_id":' + b"9" * 900_000 + b',"event":"bounce"}',
        b'{"sg_event_id":"\\ud800","event":"bounce","reason":"550 \\ud800 x\\u0000"}',
        b'{"sg_event_id":"\0","event":"bounce","email":"a\0@b.example","reason":"550 \0x"}',
        b'{"sg_event_id":1,"event":"bounce","email":["a"],"reason":{"a":1},"status":[1]}',
        b'{"msys":[],"event-data":3,"notificationType":{},"RecordType":null,"error":{"code":[],"message":1}}',
        b'{"error":{"code":"x","message":null,"errors":[1,null,[]]}}',
        b'{"type":"email.bounced","data":{"to":[null,{}],"bounce":[]}}',
        b"mandrill_events=" + b"%7B%22" * 100_000,
    ],
    ids=lambda data: data[:30].decode(),
)
def test_hostile_json_is_answered_in_time(data: bytes) -> None:
    begin = time.perf_counter()
    report = read(data)
    assert time.perf_counter() - begin < 2
    assert report.error is None
    assert len(report.failures) <= 1000


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Anna", "email": "anna@example.net"}',
        "{}",
        "[[1, 2], {3}]",
        "550 5.1.1 {recipient} unknown",
        '{"event": "login", "email": "a@b.example"}',
    ],
)
def test_other_json_is_no_event(text: str) -> None:
    assert not read(text.encode()).format.endswith(("-event", "-error", "-notification"))


def test_values_are_found_where_they_stand_through_all_escapes() -> None:
    text = 'log {"a": ["x\\n\\u00e9\\"y\\ud83d\\ude00z", 12.5, true, null, {"b": "plain"}], "c": ""} tail {"d": 1}'
    first, second = documents(text)
    escaped, number, yes, nothing, inner = first.value["a"]
    assert (escaped, yes, nothing, second.value) == ('x\né"y😀z', True, None, {"d": "1"})
    assert [text[span_of(text, escaped, at, at + 1).start : span_of(text, escaped, at, at + 1).end] for at in range(len(escaped))] == [
        "x", "\\n", "\\u00e9", '\\"', "y", "\\ud83d\\ude00", "z",
    ]  # fmt: skip
    assert text[number.start : number.end] == "12.5"
    assert text[inner["b"].start : inner["b"].end] == "plain"


@pytest.mark.parametrize("text", ['[{"a":' * 40, "{]", '{"a" 1}', "{1: 2}", '{"a": nonsense}', '{"a":1]'])
def test_what_is_no_json_is_no_document(text: str) -> None:
    assert parse(text, 0) is None
