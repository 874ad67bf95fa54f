"""Remedy steps filled in with the names and addresses of a case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import SMALL
from whybounce.failure import DeliveryFailure
from whybounce.remedies import PLACEHOLDERS, fill, placeholders_of, remedy, values_of
from whybounce.yaml_knowledge import read_folder

FAILURE = DeliveryFailure(
    text="550 5.1.1 no such user",
    recipient="Anna@Example.NET",
    code="550",
    enhanced="5.1.1",
    envelope_sender="bounces@mail.example.org",
    header_from="News <news@Example.ORG>",
    sending_ip="192.0.2.1",
    helo="out.example.org",
    remote_mta="mx.example.net",
    reporting_mta="out.example.org",
    message_id="<1@example.org>",
    queue_id="4XyZ",
    sent_at="Mon, 23 Nov 2026 10:00:00 +0000",
)


def text(template: str, values: dict[str, str]) -> str:
    return "".join(part.text for part in fill(template, values))


def test_every_placeholder_is_filled_from_the_failure() -> None:
    values = values_of(FAILURE, "Gmail")
    assert set(values) == set(PLACEHOLDERS)
    assert all(values.values())
    assert text("{recipient} at {recipient_domain}, from {header_from_domain}: {reply}", values) == (
        "Anna@Example.NET at example.net, from example.org: 550 5.1.1 no such user"
    )
    assert values["recipient_local"] == "Anna"
    assert values["sender_domain"] == "mail.example.org"


def test_what_a_case_does_not_know_reads_well_in_a_sentence() -> None:
    assert (
        text("Ask the postmaster of {recipient_domain} about {sending_ip}.", {})
        == "Ask the postmaster of the recipient's domain about the sending IP address."
    )


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("postmaster@{recipient_domain}", "postmaster@RECIPIENT-DOMAIN"),
        ("_dmarc.{sender_domain}", "_dmarc.SENDER-DOMAIN"),
        ("v=spf1 ip4:{sending_ip} -all", "v=spf1 ip4:SENDING-IP -all"),
        ("{sender_domain}.example", "SENDER-DOMAIN.example"),
        ("Write to {sender_domain}.", "Write to the sender's domain."),
        ("Look up {sending_ip}: the page names the reason.", "Look up the sending IP address: the page names the reason."),
        ("openssl s_client -connect {remote_mta}:25", "openssl s_client -connect REMOTE-MTA:25"),
    ],
)
def test_inside_a_name_an_unknown_value_is_a_blank_in_capitals(template: str, expected: str) -> None:
    assert text(template, {}) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Run postmap -q {recipient} on the table.", "Run postmap -q RECIPIENT on the table."),
        ("Run dig +short MX {recipient_domain} first.", "Run dig +short MX RECIPIENT-DOMAIN first."),
        ("Set-Mailbox {envelope_sender} -MaxSendSize 100MB", "Set-Mailbox ENVELOPE-SENDER -MaxSendSize 100MB"),
        ('Publish "{recipient_domain}. IN MX 10 mail."', 'Publish "RECIPIENT-DOMAIN. IN MX 10 mail."'),
        ("Is the MX {remote_mta} yours?", "Is the MX the server that refused yours?"),
    ],
)
def test_in_a_command_an_unknown_value_is_a_blank_in_capitals(template: str, expected: str) -> None:
    assert text(template, {}) == expected


def test_in_code_every_unknown_value_is_a_blank_in_capitals() -> None:
    assert [part.text for part in fill("whois {sending_ip}", {}, code=True)] == ["whois ", "SENDING-IP"]


def test_a_stand_in_that_begins_a_sentence_has_a_capital() -> None:
    assert (
        text("See who refused. {remote_mta} did.\n{recipient} failed.", {})
        == "See who refused. The server that refused did.\nThe recipient's address failed."
    )


def test_a_page_can_tell_the_cases_own_values_from_stand_ins() -> None:
    parts = fill("From {envelope_sender} to {recipient}.", {"recipient": "anna@example.net"})
    assert [(part.text, part.name, part.known) for part in parts] == [
        ("From ", "", True),
        ("the envelope sender", "envelope_sender", False),
        (" to ", "", True),
        ("anna@example.net", "recipient", True),
        (".", "", True),
    ]


def test_what_is_no_placeholder_stays_as_it_is() -> None:
    assert text("{unknown} {} {Recipient} {{recipient}}", {"recipient": "x"}) == "{unknown} {} {Recipient} {x}"


def test_a_value_is_never_filled_in_itself() -> None:
    assert text("{reply}", {"reply": "550 {recipient}", "recipient": "x"}) == "550 {recipient}"


@pytest.mark.parametrize(("failure", "expected"), [(DeliveryFailure(header_from="a@From.example"), "from.example"), (DeliveryFailure(), "")])
def test_the_senders_domain_is_that_of_from_where_the_envelope_sender_is_empty(failure: DeliveryFailure, expected: str) -> None:
    assert values_of(failure)["sender_domain"] == expected


def test_a_header_from_that_is_missing_is_taken_from_the_envelope() -> None:
    assert values_of(DeliveryFailure(envelope_sender="a@env.example"))["header_from_domain"] == "env.example"


def test_the_steps_of_a_cause_come_in_order_with_text_and_wording() -> None:
    cause = read_folder(SMALL).causes[0]
    steps = list(remedy(cause, values_of(FAILURE)))
    assert [filled.step.slug for filled in steps] == ["compare-address", "ask-admin"]
    assert steps[0].wording_text == 'Your server mx.example.net said "550 5.1.1 no such user".\n\nIs Anna@Example.NET spelt right?'
    assert steps[1].wording_text == ""


@pytest.mark.parametrize("value", PLACEHOLDERS.values())
def test_stand_ins_are_words_and_no_placeholders(value: str) -> None:
    assert value
    assert placeholders_of(value) == []


@given(st.text(), st.dictionaries(st.sampled_from(sorted(PLACEHOLDERS)), st.text(min_size=1)))
def test_nothing_but_placeholders_is_changed_in_any_text(template: str, values: dict[str, str]) -> None:
    parts = fill(template, values)
    assert "".join(f"{{{part.name}}}" if part.name else part.text for part in parts) == template


def test_the_names_of_placeholders_are_found_in_order() -> None:
    assert placeholders_of("{recipient} and {code}, {recipient}") == ["recipient", "code", "recipient"]
