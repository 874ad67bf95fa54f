"""The message that bounced, found in what was pasted."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.troubleshoot.conftest import Paster
from troubleshoot.checking import current_subject, message_of
from troubleshoot.returned import returned_message, selectors_in

MESSAGE = (
    b"DKIM-Signature: v=1; a=rsa-sha256; d=Sender.example;\r\n\ts=news; h=from:to; bh=abc=; b=def=\r\n"
    b"From: news@sender.example\r\nTo: anna@example.net\r\n\r\nHello\r\n"
)


def report(kind: bytes = b"message/rfc822", encoding: bytes = b"", message: bytes = MESSAGE, quoted: bytes = b'"b=1"') -> bytes:
    return (
        b"From: mailer-daemon@out.example\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n boundary=" + quoted + b"\r\n\r\n"
        b"--b=1\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        b"--b=1\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; out.example\r\n\r\n"
        b"Final-Recipient: rfc822; anna@example.net\r\nAction: failed\r\nStatus: 5.7.1\r\n"
        b"Diagnostic-Code: smtp; 550 5.7.1 refused\r\n\r\n"
        b"--b=1\r\nContent-Type: " + kind + b"\r\n" + encoding + b"\r\n" + message + b"\r\n--b=1--\r\n"
    )


def test_the_message_that_a_report_returns_is_found_byte_for_byte() -> None:
    assert returned_message(report()) == MESSAGE
    assert returned_message(report().replace(b"\r\n", b"\n")) == MESSAGE.replace(b"\r\n", b"\n")
    assert returned_message(report(quoted=b"b=1")) == MESSAGE


def test_a_message_pasted_whole_is_itself() -> None:
    assert returned_message(MESSAGE) == MESSAGE
    assert returned_message(b"\r\n\r\n" + MESSAGE) == MESSAGE


@pytest.mark.parametrize(
    "pasted",
    [
        b"",
        b"550 5.7.1 refused",
        report(kind=b"text/rfc822-headers"),  # without the body no signature can be verified
        report(encoding=b"Content-Transfer-Encoding: base64\r\n"),
        report(message=b"From: a@b.example\r\n\r\nunsigned"),
        report().replace(b"boundary", b"boundless"),
        b"x" * 10_000_001 + MESSAGE,
    ],
)
def test_where_it_is_not_whole_and_signed_there_is_none(pasted: bytes) -> None:
    assert returned_message(pasted) == b""


def test_selectors_are_read_also_from_headers_alone_and_from_quoted_text() -> None:
    assert selectors_in(report(kind=b"text/rfc822-headers")) == ["news@sender.example"]
    quoted = b"\n".join(b"> " + line for line in MESSAGE.split(b"\r\n"))
    assert selectors_in(quoted) == ["news@sender.example"]
    assert selectors_in(MESSAGE + MESSAGE.replace(b"s=news", b"s=s2")) == ["news@sender.example", "s2@sender.example"]
    assert selectors_in(b"DKIM-Signature: v=1; s=only-half\r\n\r\n") == []
    assert selectors_in(b"DKIM-Signature: s=a b; d=c\r\n") == []


def test_a_case_looks_at_the_keys_that_its_message_was_signed_with(client: Client, paste: Paster) -> None:
    case = paste(report().decode())
    case.refresh_from_db()
    assert current_subject(case).selectors == ("news@sender.example",)
    assert message_of(case).replace(b"\r\n", b"\n") == MESSAGE.replace(b"\r\n", b"\n")
