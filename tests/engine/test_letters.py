"""Letters are filled in with what a case knows; the rest stands as blanks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from knowledge.loading import SHIPPED
from tests.engine.knowledge import FULL, SPF, UNKNOWN
from whybounce.letters import LETTER_PLACEHOLDERS, fill_letter, letters_for
from whybounce.remedies import placeholders_of
from whybounce.snapshot import Addressee, KnowledgeSnapshot, Letter
from whybounce.yaml_knowledge import read_folder

LETTER = Letter("a", "Title", Addressee.POSTMASTER, "Mail to {recipient}", "To {recipient}: {reply}\nQueue ID: {queue_id}")


@pytest.fixture(scope="module")
def shipped() -> KnowledgeSnapshot:
    return read_folder(SHIPPED)


def test_what_the_case_knows_is_filled_in_and_the_rest_is_a_blank() -> None:
    filled = fill_letter(LETTER, {"recipient": "anna@example.net", "reply": "550 no", "queue_id": ""})
    assert filled.subject == "Mail to anna@example.net"
    assert filled.body == "To anna@example.net: 550 no\nQueue ID: [FILL IN: the queue ID]\n"
    assert filled.blanks == ("the queue ID",)


def test_a_blank_that_stands_twice_is_named_once_and_a_letters_own_blanks_too() -> None:
    filled = fill_letter(replace(LETTER, body="{helo} {helo} [FILL IN: what you did]"), {"recipient": "a@b.example"})
    assert filled.blanks == ("the EHLO name", "what you did")


def test_what_a_server_said_is_not_filled_in_again() -> None:
    filled = fill_letter(replace(LETTER, body="{reply}"), {"reply": "550 {recipient} {queue_id}", "recipient": "anna@example.net"})
    assert filled.body == "550 {recipient} {queue_id}\n"


def test_a_subject_is_one_line_of_bounded_length() -> None:
    filled = fill_letter(LETTER, {"recipient": "a\r\nBcc: x@y.example " + "z" * 500})
    assert "\n" not in filled.subject
    assert "\r" not in filled.subject
    assert len(filled.subject) == 200


def test_those_of_the_cause_come_first_then_of_its_category_then_the_general_ones() -> None:
    general = replace(LETTER, slug="general")
    category = replace(LETTER, slug="category", categories=(UNKNOWN.category,))
    own = replace(LETTER, slug="own", causes=(UNKNOWN.slug,))
    other = replace(LETTER, slug="other", causes=(SPF.slug,), categories=(SPF.category,))
    letters = (general, other, category, own)
    assert [letter.slug for letter in letters_for(letters, UNKNOWN)] == ["own", "category", "general"]
    assert [letter.slug for letter in letters_for(letters, FULL)] == ["general"]
    assert [letter.slug for letter in letters_for(letters, None)] == ["general"]


def test_every_cause_has_a_letter_to_the_customer_the_postmaster_and_the_own_admin(shipped: KnowledgeSnapshot) -> None:
    for cause in shipped.causes:
        to = {letter.to for letter in letters_for(shipped.letters, cause)}
        assert to >= {Addressee.CUSTOMER, Addressee.POSTMASTER, Addressee.MAIL_ADMIN}, cause.slug


def test_a_listing_has_a_letter_to_the_lists_operator(shipped: KnowledgeSnapshot) -> None:
    listed = next(cause for cause in shipped.causes if cause.slug == "ip-listed-other-dnsbl")
    assert Addressee.BLOCKLIST in {letter.to for letter in letters_for(shipped.letters, listed)}


def test_the_letters_to_a_postmaster_name_what_finds_the_line_in_a_log(shipped: KnowledgeSnapshot) -> None:
    needed = {"sent_at", "sending_ip", "helo", "envelope_sender", "recipient", "message_id", "queue_id", "reply"}
    for letter in shipped.letters:
        if letter.to is Addressee.POSTMASTER:
            assert set(placeholders_of(letter.body)) >= needed, letter.slug


def test_letters_fit_into_a_mail_without_being_changed(shipped: KnowledgeSnapshot) -> None:
    for letter in shipped.letters:
        assert "\t" not in letter.body
        assert max(map(len, letter.body.splitlines())) < 900, letter.slug
        assert all(name in LETTER_PLACEHOLDERS for name in placeholders_of(letter.subject + letter.body))
