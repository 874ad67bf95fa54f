"""Mails that report no failure are told apart, and a note says what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from whybounce.intake import read

BOUNCES = Path(__file__).parents[1] / "data" / "bounces"


@pytest.mark.parametrize("kind", ["vacation", "complaint", "delivered", "read-receipt"])
def test_a_mail_that_is_taken_for_a_bounce_is_named(kind: str) -> None:
    report = read((BOUNCES / f"{kind}.eml").read_bytes())
    assert report.kind == kind
    assert report.failures == ()
    assert len(report.notes) == 1


def test_an_ordinary_mail_with_a_number_and_an_address_is_no_bounce() -> None:
    report = read((BOUNCES / "ordinary.eml").read_bytes())
    assert (report.kind, report.failures) == ("ordinary-mail", ())
    assert "ordinary e-mail" in report.notes[0]


def test_an_absence_note_that_speaks_of_delivery_is_no_bounce() -> None:
    mail = b"""Return-Path: <>
From: Piet <piet@example.net>
To: news@sender.example
Subject: Automatic reply: delivery on Friday
Auto-Submitted: auto-replied

I am out. Parcels could not be delivered to me this week.
"""
    assert read(mail).kind == "vacation"


def test_an_ordinary_mail_that_carries_an_ordinary_mail_is_no_bounce() -> None:
    inner = (BOUNCES / "ordinary.eml").read_bytes()
    mail = b"From: a@example.net\nTo: b@example.net\nSubject: see below\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n" + inner
    assert read(mail).kind == "ordinary-mail"


def test_a_delivery_notification_of_amazon_ses_is_a_success() -> None:
    report = read(b'{"notificationType":"Delivery","mail":{},"delivery":{"recipients":["a@example.net"]}}')
    assert (report.kind, report.failures) == ("delivered", ())


def test_a_complaint_notification_of_amazon_ses_is_a_complaint() -> None:
    assert read(b'{"notificationType":"Complaint","complaint":{}}').kind == "complaint"
