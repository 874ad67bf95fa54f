"""Whatever is pasted: an answer, in time, and never an exception."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.hostile import CASES
from whybounce.intake import read, read_line
from whybounce.intake.entrance import read_or_raise

ROOT = Path(__file__).parents[2]
BOUNCES = Path(__file__).parents[1] / "data" / "bounces"


def test_a_paste_over_the_limit_is_refused_with_its_size() -> None:
    report = read(b"x" * 30_500_001)
    assert report.error == "The paste is 31 MB; the limit is 25 MB."
    assert report.failures == ()


@pytest.mark.parametrize("data", [b"", b" \t\r\n ", b"\0\0"])
def test_nothing_is_empty(data: bytes) -> None:
    assert read(data).kind == "empty"


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7\n%...", b"\x89PNG\r\n\x1a\n....", b"PK\x03\x04....", bytes(range(256)) * 20, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
)
def test_a_binary_file_is_named_and_the_reader_told_what_would_help(data: bytes) -> None:
    report = read(data)
    assert (report.kind, report.failures) == ("binary", ())
    assert ".eml" in report.notes[0]


def test_nul_bytes_are_passed_over() -> None:
    assert read(b"550 5.1.1\0 User\0 unknown").failures[0].text == "550 5.1.1 User unknown"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le"])
def test_any_usual_encoding_is_read(encoding: str) -> None:
    assert read("550 5.1.1 Empfänger unbekannt, größer".encode(encoding)).failures[0].text == "550 5.1.1 Empfänger unbekannt, größer"


def test_a_charset_that_does_not_exist_does_no_harm() -> None:
    mail = (BOUNCES / "notes.eml").read_bytes().replace(b"ISO-8859-1", b"x-klingon")
    assert read(mail).failures[0].text == "Benutzer nicht im Adressbuch gefunden: größe"


def test_an_mbox_gives_the_failures_of_all_its_mails() -> None:
    names = ("qmail", "vacation", "exim")
    mbox = b"\n".join(b"From MAILER-DAEMON Mon Nov 16 09:12:44 2026\n" + (BOUNCES / f"{name}.eml").read_bytes() for name in names)
    report = read(mbox)
    assert report.format == "mbox"
    assert [f.recipient for f in report.failures] == [
        "ida@example.net",
        "jan@nowhere.example",
        "kim@example.com",
        "emil@example.com",
        "fritz@example.net",
    ]
    assert "3 e-mails" in report.notes[0]
    for failure in report.failures:
        span = failure.spans["recipient"]
        assert report.text[span.start : span.end] == failure.recipient


def test_a_mail_with_an_mbox_line_is_one_mail() -> None:
    assert read(b"From MAILER-DAEMON Mon Nov 16 09:12:44 2026\n" + (BOUNCES / "qmail.eml").read_bytes()).format == "bounce-mail"


_LONG = {
    "one character": b"a" * 5_000_000,
    "no end of line": b"550 " + b"5.1.1 " * 800_000,
    "addresses": b"Undeliverable: could not be delivered\n\n" + b"<a@example.net>:\n" * 200_000,
    "addresses and nothing else": b"From: MAILER-DAEMON@a.example\nTo: b@c.example\nSubject: failure notice\n\n" + b"\n\n<a@example.net>:" * 200_000,
    "at signs": b"550 " + b"@" * 2_000_000,
    "host said": b"host a[1] said: " * 200_000,
    "spaces": b"host" + b" " * 4_000_000 + b"said:",
    "brackets": b"From: postmaster@a.example\nTo: b@c.example\nContent-Type: text/html\n\n" + b"<" * 1_000_000,
    "styles": b"From: postmaster@a.example\nTo: b@c.example\nContent-Type: text/html\n\n" + b"<style>" * 300_000,
    "dialogue": b"Undeliverable: could not be delivered to\na@example.net\n\n" + b"<<< 550 \n" * 300_000,
    "empty lines": b"From: postmaster@a.example\nTo: b@c.example\n" + b"\n" * 2_000_000,
    "groups": b"From: postmaster@a.example\nTo: b@c.example\nContent-Type: multipart/report; boundary=x\n\n"
    + b"--x\nContent-Type: message/delivery-status\n\n"
    + b"Final-Recipient: rfc822; a@example.net\nAction: failed\nStatus: 5.1.1\n\n" * 20_000,
    "quotes": b"\n> a@example.net" * 300_000,
    "From lines": b"From a\n" + b"\n\nFrom a\nTo: b@c.example\nFrom: d@e.example\n" * 60_000,
    "JSON": b'{"notificationType":' + b"[" * 1_000_000,
    "at signs in a header": b"From: postmaster@a.example\nTo: b@c.example\nX-Failed-Recipients: " + b"@" * 1_900_000 + b"\n\nx",
    "parameters": b"From: postmaster@a.example\nTo: b@c.example\nContent-Type: text/plain" + b";a=b" * 470_000 + b"\n\nx",
    "encoded words": b"From: postmaster@a.example\nTo: b@c.example\nX-Y: " + b"=?utf-8?q?a?= " * 130_000 + b"\n\nx",
    "nested parts": b"From: postmaster@a.example\nTo: b@c.example\n"
    + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth) for depth in range(400))
    + b"x\n" * 400_000,
}


@pytest.mark.parametrize("name", sorted(_LONG))
def test_long_and_hostile_pastes_take_seconds_at_most(name: str) -> None:
    started = time.process_time()
    read(_LONG[name])
    assert time.process_time() - started < 3


_CHILD = """
import sys, time
from whybounce.intake.entrance import read_or_raise
data = open(sys.argv[1], "rb").read()
started = time.process_time()
read_or_raise(data)
spent = time.process_time() - started
peak = next((line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")), "0")
print(spent, int(peak) / 1024)
"""


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_is_made_to_cost_time_or_memory_is_answered_without_either(name: str, tmp_path: Path) -> None:
    paste = tmp_path / "paste"
    paste.write_bytes(CASES[name]())
    done = subprocess.run([sys.executable, "-c", _CHILD, str(paste)], capture_output=True, text=True, timeout=120, cwd=ROOT)
    paste.unlink()
    assert done.returncode == 0, done.stderr
    seconds, megabytes = map(float, done.stdout.split())
    assert seconds < 3  # of CPU; it is 2 on a machine that does nothing else
    assert megabytes < 300


def test_what_stands_before_the_hostile_part_is_read() -> None:
    for name in ("a header of 5 MB", "100,000 header lines"):
        failure = read(CASES[name]()).failures[0]
        assert (failure.recipient, failure.code) == ("a@example.net", "550"), name


def test_half_a_dsn_gives_the_recipients_that_it_holds() -> None:
    report = read(CASES["half a DSN"]())
    assert [(f.recipient, f.code) for f in report.failures] == [("a@example.net", "550"), ("a@example.net", None)]


def test_an_encoded_word_in_a_charset_whose_name_is_no_name_is_shown_as_it_is() -> None:
    word = b"=?\xfff-8?q?a?="
    report = read_or_raise(b"From: MAILER-DAEMON@a.example\nTo: b@c.example\nSubject: " + word + b"\n\n<a@example.net>:\n550 no\n")
    assert report.failures[0].recipient == "a@example.net"
    assert "f-8?q?a?=" in report.text


def test_an_expansion_that_ends_the_text_is_no_error() -> None:
    report = read_or_raise(b"From: MAILER-DAEMON@a.example\nTo: b@c.example\n\n<a@example.net> (expanded from <d@example.net>)")
    assert report.failures[0].recipient == "a@example.net"


def test_a_long_line_is_read_at_once() -> None:
    started = time.process_time()
    read_line("550 5.1.1 " + "host a[b] said: 550 " * 200_000)
    assert time.process_time() - started < 2


def test_deeply_nested_parts_do_no_harm() -> None:
    mail = b"From: postmaster@a.example\nTo: b@c.example\nSubject: failure notice\n"
    for depth in range(300):
        mail += b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (depth, depth)
    assert read(mail + b"Content-Type: text/plain\n\n<a@example.net>:\nRemote host said: 550 no\n").error is None


@given(st.binary(max_size=600))
def test_it_never_raises_on_any_bytes(data: bytes) -> None:
    read(data)


@given(st.text(max_size=300))
def test_it_never_raises_on_any_line(text: str) -> None:
    read_line(text)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.randoms(use_true_random=False))
def test_it_never_raises_on_a_damaged_bounce(source: random.Random) -> None:
    data = bytearray(source.choice(sorted(BOUNCES.glob("*.eml"))).read_bytes())
    for _ in range(source.randrange(1, 40)):
        if not data:
            break
        at = source.randrange(len(data))
        if source.random() < 0.5:
            data[at] = source.randrange(256)
        else:
            del data[at : at + source.randrange(1, 60)]
    read(bytes(data))
