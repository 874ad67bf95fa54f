"""Bounces as people copy, quote, forward and export them: what that did to the text is undone, and the spans point into what is shown."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from whybounce.intake import read
from whybounce.intake.copied import body_of, readable

TEXTS = Path(__file__).parents[1] / "data" / "copied"
# recipient, code, enhanced code, words that the reply must hold
COPIED = {
    "outlook-de": [("anna@example.net", "550", "5.1.1", "550 5.1.1 <anna@example.net> nobody there")],
    "outlook-fr": [("anna@example.net", "550", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound")],
    "outlook-es": [("anna@example.net", "550", "5.1.10", "550 5.1.10 RESOLVER")],
    "outlook-ja": [("anna@example.net", "550", "5.1.1", "550 5.1.1 RESOLVER")],
    "outlook-zh": [("anna@example.net", "550", "5.4.1", "550 5.4.1 Recipient address")],
    "outlook-new": [("anna@example.net", "550", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound")],
    "gmail-card-en": [("anna@example.net", "550", "5.1.1", "550 5.1.1 <anna@example.net>")],
    "gmail-card-de": [("anna@example.net", "550", "5.1.1", "550 5.1.1 The email account")],
    "gmail-card-fr": [("anna@example.net", "550", "5.1.1", "550 5.1.1 boîte inconnue")],
    "gmail-card-es-nocode": [("anna@example.net", None, None, "Tu mensaje no se ha entregado")],
    "gmail-card-pt": [("anna@example.net", "550", "5.2.1", "550 5.2.1 The account is disabled")],
    "gmail-card-ja": [("anna@example.net", "550", "5.1.1", "550 5.1.1 user unknown")],
    "quoted-twice": [("anna@example.net", "550", "5.1.1", "550 5.1.1 <anna@example.net>: nobody")],
    "quoted-bar": [("anna@example.net", "550", "5.1.1", "550 5.1.1 <anna@example.net>: nobody")],
    "invisible": [("anna@example.net", "550", "5.1.1", "550 5.1.1 nobody there")],
    "bullets": [("anna@example.net", "550", "5.1.1", "550 5.1.1 nobody"), ("ben@example.net", "552", "5.2.2", "552 5.2.2 full")],
    "wrapped-code": [("anna@example.net", "550", "5.1.1", "nobody here")],
    "fwd-outlook": [("anna@example.net", "550", "5.1.1", "550 5.1.1 nobody")],
    "fwd-de": [("anna@example.net", None, None, "Das Postfach des Empfängers ist voll")],
    "fwd-gmail": [("anna@example.net", "550", "5.1.1", "550 5.1.1 boîte inconnue")],
    "html-source": [("anna@example.net", "550", "5.1.1", "550 5.1.1 <anna@example.net> nobody")],
    "base64-raw": [("anna@example.net", "550", "5.1.1", "550 5.1.1 <anna@example.net>: nobody")],
    "base64-html": [("anna@example.net", "550", "5.1.1", "550 5.1.1 nobody")],
    "qp-raw": [("anna@example.net", "550", "5.1.1", "550 5.1.1 <anna@example.net>: Empfänger unbekannt, bitte prüfen")],
    "json-escaped": [("", "550", "5.1.1", "550-5.1.1 The account is not here")],
    "escaped": [("anna@example.net", "550", "5.1.1", "550 5.1.1 <anna@example.net>: Recipient address rejected: nobody")],
    "zendesk": [("anna@example.net", "550", "5.1.1", "550 5.1.1 nobody there")],
    "jira": [("anna@example.net", "550", "5.1.1", "550 5.1.1 nobody")],
    "apple-mail": [("anna@example.net", "550", "5.1.1", "550 5.1.1 nobody")],
    "thunderbird-de": [("anna@example.net", "550", "5.1.1", "550 5.1.1 nobody")],
    "de-sentence": [("anna@example.net", None, None, "Postfach voll")],
    "fr-sentence": [("anna@example.net", None, None, "pleine")],
    "ja-sentence": [("anna@example.net", None, None, "配信できません")],
    "de-nocode-only": [("", None, None, "Das Postfach ist voll")],
    "ja-nocode-only": [("", None, None, "容量がいっぱい")],
    "ru-nocode-only": [("", None, None, "переполнен")],
}


@pytest.mark.parametrize("name", sorted(COPIED))
def test_what_copying_did_is_undone(name: str) -> None:
    report = read((TEXTS / f"{name}.txt").read_bytes())
    assert [(f.recipient, f.code, f.enhanced) for f in report.failures] == [row[:3] for row in COPIED[name]]
    for failure, row in zip(report.failures, COPIED[name], strict=True):
        assert row[3] in failure.text
        for key in ("recipient", "code", "enhanced", "remote_mta"):
            span = failure.spans.get(key)
            assert span is None or report.text[span.start : span.end] == getattr(failure, key)


@pytest.mark.parametrize("mark", ["> ", ">> ", "| ", "[4711] ", "KM> "])
def test_a_whole_mail_with_a_mark_before_each_line_is_read_as_the_mail(mark: str) -> None:
    lines = (TEXTS.parent / "bounces" / "postfix-dsn.eml").read_text().split("\n")
    report = read("\n".join(mark + line for line in lines).encode())
    assert report.failures == read("\n".join(lines).encode()).failures
    assert report.failures[0].subject == "Your November statement"


def test_a_quoted_mail_has_its_parts_decoded() -> None:
    lines = (TEXTS.parent / "bounces" / "yandex.eml").read_text().split("\n")  # KOI8-R in base64
    assert [f.recipient for f in read("\n".join("> " + line for line in lines).encode()).failures] == ["daria@example.net"]


def test_an_address_that_a_line_end_broke_is_whole_again() -> None:
    assert readable("to <anna@example.\n  net>: 550 no\nnext <x\ny z>\n") == "to <anna@example.net>: 550 no\nnext <x\ny z>\n"


def test_the_address_of_a_mail_server_is_no_recipient() -> None:
    text = b"This is mailer-daemon@mail.example. Sorry.\nYour mail to anna@example.net could not be delivered.\nThat is all.\n"
    assert [failure.recipient for failure in read(text).failures] == ["anna@example.net"]


def test_a_session_keeps_its_arrows() -> None:
    dialogue = ">>> RCPT TO:<anna@example.net>\n<<< 550 5.1.1 nobody\n>>> QUIT\n<<< 221 bye\n"
    assert readable(dialogue) == dialogue


def test_texts_that_nothing_happened_to_stay_as_they_are() -> None:
    for text in ("550 5.7.1 see https://example.org/?a=3Db\n", "C:\\new\\table 550 no", "<anna@example.net>: 550 no\nmore\n", "x"):
        assert readable(text) == text
    assert body_of(b"550 5.1.1 No such user here") is None
    assert body_of(b"A" * 40 + b"\n" + b"A" * 40) is None


@pytest.mark.parametrize(
    "data",
    [
        b"<" * 200_000,
        b"> " * 100_000 + b"\n" + b"> x\n" * 50_000,
        b">" * 300 + b"\n>\n>\n>\n",
        b"From: x\nTo: y\nSubject: z\n\n\n" * 20_000,
        b"Von: MAILER-DAEMON@x.example\nBetreff: unzustellbar\nAn: y\n" * 20_000,
        b"QUJD" * 2_000_000,
        b"=41=42=\n" * 60_000,
        b"\\u003c" * 60_000,
        b"<a@b.\n" * 60_000 + b"net>",
        "•\u00a0".encode() * 100_000,
        b'"' + b"\\" * 100_001 + b'"',
        b"<p>" * 100_000,
    ],
    ids=range(12),
)
def test_hostile_texts_are_answered_in_time(data: bytes) -> None:
    started = time.perf_counter()
    read(data)
    assert time.perf_counter() - started < 2
