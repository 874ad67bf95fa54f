"""Until when somebody still tries: from the kind of failure and the dates in the text."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from tests.troubleshoot.conftest import UNKNOWN_USER, Paster
from troubleshoot.until import moment, until_words
from whybounce.failure import Action, DeliveryFailure

NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)
SENT = "Mon, 16 Nov 2026 01:12:41 -0800 (PST)"
DELAYED = DeliveryFailure(action=Action.DELAYED, code="451", sent_at=SENT)


def said(failure: DeliveryFailure, text: str = "", form: str = "dsn", *, permanent: bool = False, now: datetime = NOW) -> str:
    return until_words(failure, text, form, permanent=permanent, now=now)


def test_after_a_permanent_refusal_nobody_tries():
    assert said(DELAYED, permanent=True).startswith("Stop")


def test_a_delay_is_counted_from_the_attempt_for_four_to_five_days():
    assert said(DELAYED) == "The sending server keeps trying: counted from 16 November 2026 until about 20 November 2026 or 21 November 2026."


def test_a_delay_is_counted_from_the_arrival_where_the_notice_gives_it():
    assert "counted from 15 November 2026" in said(DELAYED, "Arrival-Date: Sun, 15 Nov 2026 09:00:00 +0000\n")


def test_the_time_that_the_server_names_itself_goes_before_the_rule():
    text = "Will-Retry-Until: Wed, 18 Nov 2026 09:00:00 +0100\n"
    assert said(DELAYED, text) == "The sending server says that it tries until 18 November 2026 08:00 UTC."
    assert "That is over" in said(DELAYED, text, now=datetime(2026, 11, 19, tzinfo=UTC))


def test_two_times_in_one_paste_are_not_taken_for_one():
    text = "Will-Retry-Until: Wed, 18 Nov 2026 09:00:00 +0100\nWill-Retry-Until: Thu, 19 Nov 2026 09:00:00 +0100\n"
    assert "counted from" in said(DELAYED, text)


def test_a_delay_of_long_ago_is_over():
    assert "delivered since, or given up" in said(DELAYED, now=datetime(2026, 12, 24, tzinfo=UTC))


def test_a_message_that_was_sent_back_is_tried_by_nobody():
    assert "has given up" in said(DeliveryFailure(code="451"))


def test_in_a_queue_a_mail_server_still_tries():
    assert "until about 20 November 2026 or 21 November 2026; a program" in said(DeliveryFailure(code="451", sent_at=SENT), form="log")
    assert "four to five days" in said(DeliveryFailure(code="451"), form="reply")


@pytest.mark.parametrize("written", ["", "yesterday", "Nov 25 03:04:33", "2026-13-45", "99999999999999", "Mon, 16 Nov 99999 01:12:41 +0000"])
def test_what_is_no_full_date_is_none(written: str):
    assert moment(written) is None


@pytest.mark.parametrize("written", ["2026-11-16T09:12:41Z", SENT, "1794820361", "Mon, 16 Nov 2026 09:12:41"])
def test_dates_are_read_in_the_forms_in_which_they_come(written: str):
    assert moment(written) == datetime(2026, 11, 16, 9, 12, 41, tzinfo=UTC)


def test_the_page_says_until_when(client: Client, paste: Paster) -> None:
    assert "Stop: no server tries this message again." in client.get(paste(UNKNOWN_USER).get_absolute_url()).content.decode()
    assert "four to five days" in client.get(paste("452 4.2.2 mailbox over quota").get_absolute_url()).content.decode()
