"""Outlook's .msg files: what they hold is read as if it had come as an e-mail, and nothing in them can slow or break the reading."""

from __future__ import annotations

import random
import struct
import time
import tracemalloc
from pathlib import Path

import pytest

from tests.data.outlook.make.compound import compound
from tests.data.outlook.make.message import attached, compressed, embedded, file_of, message
from whybounce.failure import Action
from whybounce.intake import read
from whybounce.intake.outlook.rtf import text_of, unpacked

OUTLOOK = Path(__file__).parents[1] / "data" / "outlook"
ANNA = ("anna@example.net", "550", "5.1.1", "mx.example.net", "550 5.1.1 <anna@example.net>: nobody of this name")
EXPECTED = {
    "ndr": [ANNA, ("ben@example.com", "552", "5.2.2", "", "552 5.2.2 The box is full")],
    "ndr-rtf": [("gustav@example.org", "550", "5.7.1", "", "550 5.7.1 Abgelehnt –")],
    "ndr-rtf-html": [("hanna@example.org", "550", "5.1.10", "", "550 5.1.10 RESOLVER.ADR.RecipientNotFound")],
    "ndr-codepage": [("rené@exemple.example", "550", "5.1.1", "", "550 5.1.1 boîte inconnue")],
    "html": [("jörg@example.org", "554", "5.7.1", "", "554 5.7.1 Abgelehnt: Prüfung")],
    "delayed": [("anna@example.net", "451", "4.4.1", "mx.example.net", "451 4.4.1 Come back later")],
    "forwarded-embedded": [ANNA],
    "forwarded-msg": [ANNA],
}


def fixture(name: str) -> bytes:
    return (OUTLOOK / f"{name}.msg").read_bytes()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_saved_report_names_every_failed_recipient_with_its_reply(name: str) -> None:
    report = read(fixture(name))
    assert [(f.recipient, f.code, f.enhanced, f.remote_mta, f.text) for f in report.failures] == EXPECTED[name]
    assert report.kind == ""
    for failure in report.failures:
        for key in ("recipient", "code", "enhanced", "remote_mta"):
            value = getattr(failure, key)
            assert not value or report.text[failure.spans[key].start : failure.spans[key].end] == value


def test_the_report_and_the_returned_mail_within_it_tell_their_facts() -> None:
    failure = read(fixture("ndr")).failures[0]
    assert failure.reporting_mta == "mail.sender.example"
    assert failure.header_from == "news@sender.example"
    assert failure.subject == "Your November statement"
    assert failure.message_id == "<77@sender.example>"
    assert failure.envelope_sender == "news@sender.example"
    assert failure.sent_at == "Mon, 16 Nov 2026 09:12:44 +0000"


def test_a_bounce_sent_on_as_a_file_is_found_and_programs_beside_it_are_not_read() -> None:
    report = read(fixture("forwarded-eml"))
    assert [failure.recipient for failure in report.failures] == ["anna@example.net", "bert@example.org"]
    assert "MZ" not in report.text


def test_a_delay_is_no_failure() -> None:
    assert [failure.action for failure in read(fixture("delayed")).failures] == [Action.DELAYED]


@pytest.mark.parametrize(
    ("name", "kind"), [("delivered", "delivered"), ("read-receipt", "read-receipt"), ("away", "vacation"), ("ordinary", "ordinary-mail")]
)
def test_what_is_no_bounce_is_named(name: str, kind: str) -> None:
    report = read(fixture(name))
    assert (report.failures, report.kind) == ((), kind)
    assert report.notes


def test_other_compound_files_are_said_to_be_none() -> None:
    report = read(compound({"WordDocument": b"x" * 5000}))
    assert report.kind == "binary"
    assert "Office document" in report.notes[0]


@pytest.mark.parametrize("page", [1251, 932, 949, 936, 950, 1253])
def test_eight_bit_texts_are_read_in_their_code_page(page: int) -> None:
    words = {
        1251: "Ящик переполнен",
        932: "宛先が見つかりません",
        949: "받는 사람이 없습니다",
        936: "收件人不存在",
        950: "收件者不存在",
        1253: "Δεν υπάρχει",
    }[page]
    report = read(file_of(message({0x001A: "REPORT.IPM.Note.NDR", 0x0037: words, 0x1000: f"<a@example.org>\r\n550 5.1.1 {words}"}, page=page)))
    assert [failure.text for failure in report.failures] == [f"550 5.1.1 {words}"]


def test_compressed_text_comes_out_as_it_went_in() -> None:
    rtf = rb"{\rtf1\ansi " + b"one two three one two three abcabcabcabcabc " * 400 + b"}"
    packed = compressed(rtf)
    assert unpacked(packed) == rtf
    assert unpacked(packed[:4] + struct.pack("<I", 900_000) + packed[8:] + b"\0more") == rtf  # the end is marked, whatever size is stated
    assert text_of(rb"{\rtf1\fromhtml1 {\*\htmltag64 <p>}\htmlrtf for RTF alone\htmlrtf0 shown{\*\htmltag72 </p>}}") == ("<p>shown</p>", True)
    assert text_of(rb"{\rtf1\ansi\ansicpg1251 {\fonttbl\f0 Arial;}\'cf\'f0\'e8\par {\*\generator X;}\uc1\u1080?\u8364 ?}") == ("При\nи€", False)


def answered_within(data: bytes, seconds: float = 2.0) -> None:
    started = time.perf_counter()
    read(data)
    assert time.perf_counter() - started < seconds


def test_damaged_files_are_answered() -> None:
    whole = fixture("ndr")
    chance = random.Random(7)
    for cut in range(0, len(whole), 511):
        answered_within(whole[:cut] or b"x")
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(chance.randrange(1, 40)):
            broken[chance.randrange(8, len(broken))] = chance.choice((0, 1, 255, chance.randrange(256)))
        answered_within(bytes(broken))


def test_loops_in_the_tables_and_the_directory_end() -> None:
    whole = bytearray(fixture("forwarded-eml"))
    fat = struct.unpack_from("<I", whole, 76)[0]
    for sector in range(len(whole) // 512 - 1):
        struct.pack_into("<I", whole, (fat + 1) * 512 + sector * 4, 1)
    answered_within(bytes(whole))
    turned = bytearray(fixture("ndr"))
    directory = struct.unpack_from("<I", turned, 48)[0]
    for row in range(4):
        struct.pack_into("<III", turned, (directory + 1) * 512 + row * 128 + 68, 0, 1, 0)
    answered_within(bytes(turned))


def large(kind: str) -> bytes:
    text = {0x001A: "REPORT.IPM.Note.NDR", 0x0037: "Undeliverable"}
    if kind == "body":
        return file_of(message({**text, 0x1000: "<a@example.org>\n550 5.1.1 no\n" * 180_000}))
    if kind == "nested":
        inner = message({**text, 0x1000: "x" * 100_000}, embedded=True)
        for _ in range(60):
            inner = message({**text, 0x1000: "y" * 40_000}, attachments=[embedded("n", inner)], embedded=True)
        return file_of(message(text, attachments=[embedded("n", inner)]))
    if kind == "files":
        mail = b"From: a@b.example\r\nSubject: x\r\n\r\n" + b"550 no\r\n" * 2000
        return file_of(message({**text, 0x001A: "IPM.Note"}, attachments=[attached(f"{n}.eml", mail) for n in range(350)]))
    if kind == "dolls":
        doll = file_of(message({**text, 0x1000: "in the middle"}))
        for _ in range(40):
            doll = file_of(message(text, attachments=[attached("n.msg", doll)]))
        return doll
    if kind == "rtf":
        return file_of(message(text, binary={0x1009: struct.pack("<IIII", 10**6, 2**31, 0x75465A4C, 0) + b"\xff" + b"\x0c\xff" * 400_000}))
    groups = b"{" * 150_000 + rb"\'e4\u8211" * 40_000
    return file_of(message(text, binary={0x1009: struct.pack("<IIII", len(groups) + 12, len(groups), 0x414C454D, 0) + groups}))


@pytest.mark.parametrize("kind", ["body", "nested", "files", "dolls", "rtf", "groups"])
def test_a_large_file_takes_neither_long_nor_much_memory(kind: str) -> None:
    data = large(kind)
    answered_within(data)
    tracemalloc.start()
    read(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300_000_000
