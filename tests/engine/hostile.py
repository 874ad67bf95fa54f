"""Pastes made to cost time or memory: name -> bytes, made when asked for."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
from collections.abc import Callable

HEAD = b"From: MAILER-DAEMON@a.example\nTo: b@c.example\nSubject: failure notice\n"
FULL = 24_900_000


def _filled(unit: bytes, head: bytes = b"") -> bytes:
    return head + unit * ((FULL - len(head)) // len(unit))


def _nested(depth: int, filling: bytes, head: bytes = HEAD) -> bytes:
    levels = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(depth))
    return head + levels + b"Content-Type: text/plain\n\n" + filling


def _same_boundary(depth: int) -> bytes:
    return HEAD + b"".join(b'Content-Type: multipart/mixed; boundary="b%s"\n\n--b%s\n' % (b"x" * level, b"x" * level) for level in range(depth))


def _mails_in_mails(depth: int) -> bytes:
    return b"".join(HEAD + b"Content-Type: message/rfc822\n\n" for _ in range(depth)) + HEAD + b"\n<a@example.net>:\nRemote host said: 550 no\n"


def _parts(count: int, kind: bytes, filling: bytes) -> bytes:
    return HEAD + b"Content-Type: multipart/mixed; boundary=x\n\n" + (b"--x\nContent-Type: " + kind + b"\n\n" + filling + b"\n") * count + b"--x--\n"


def _encoded(encoding: bytes, data: bytes, kind: bytes = b"text/plain") -> bytes:
    return HEAD + b"Content-Type: " + kind + b"\nContent-Transfer-Encoding: " + encoding + b"\n\n" + data


def _zip_in_msg() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 20_000_000)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + packed.getvalue().ljust(600_000, b"\xff")


def _dsn(count: int) -> bytes:
    group = b"Final-Recipient: rfc822; a@example.net\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 unknown\n\n"
    return HEAD + b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n" + group * count


def _line(data: bytes) -> bytes:
    return b"550 5.1.1 " + data


CASES: dict[str, Callable[[], bytes]] = {
    "25 MB in 200 nested parts": lambda: _nested(200, b"x" * 79 + b"\n" * 1 + b"x\n" * 12_000_000),
    "25 MB in nested parts with boundaries that begin alike": lambda: _filled(b"--bxxx\n", _same_boundary(200)),
    "300 mails in mails": lambda: _mails_in_mails(300),
    "1,000 text parts": lambda: _parts(1000, b"text/plain", b"<a@example.net>: 550 5.1.1 unknown"),
    "1,000 HTML parts": lambda: _parts(1000, b"text/html", b"<p>could not be delivered to <b>a@example.net" * 500),
    "1,000 attached mails": lambda: _parts(1000, b"message/rfc822", HEAD * 50),
    "1,000 digests": lambda: _parts(1000, b"multipart/digest; boundary=y", b"--y\n\n" + HEAD),
    "replies of spaces": lambda: _parts(100, b"text/plain", (b"<a@example.net>:\nRemote host said: 550" + b" " * 3900 + b"x\n\n") * 45),
    "300,000 boundaries": lambda: _filled(b"--x\n", HEAD + b"Content-Type: multipart/mixed; boundary=x\n\n"),
    "a base64 bomb": lambda: _encoded(b"base64", base64.encodebytes(b"\0" * 17_000_000)),
    "base64 that is none": lambda: _encoded(b"base64", b"=" * 20_000_000),
    "base64 in base64": lambda: _encoded(b"base64", base64.b64encode(base64.b64encode(b"550 5.1.1 x" * 900_000))),
    "quoted-printable of equals signs": lambda: _encoded(b"quoted-printable", b"=" * 20_000_000),
    "uuencode": lambda: _encoded(b"x-uuencode", b"begin 644 x\n" + (b"M" + b"!" * 60 + b"\n") * 300_000),
    "a zip in a .msg": _zip_in_msg,
    "a header of 5 MB": lambda: HEAD + b"X-Y: " + b"z" * 5_000_000 + b"\n\n<a@example.net>:\nRemote host said: 550 no\n",
    "a header folded 1,000,000 times": lambda: HEAD + b"X-Y: z\n" + b" z\n" * 1_000_000 + b"\nx",
    "100,000 header lines": lambda: HEAD + b"X-Y: z\n" * 100_000 + b"\n<a@example.net>:\nRemote host said: 550 no\n",
    "100,000 encoded header lines": lambda: HEAD + b"".join(b"X-%d: =?utf-8?q?=61?=\n" % number for number in range(100_000)) + b"\nx",
    "a header of spaces": lambda: HEAD + b"X-Y:" + b" " * 5_000_000 + b"\n\nx",
    "a name of 5 MB": lambda: HEAD + b"X" * 5_000_000 + b": y\n\nx",
    "names without a colon": lambda: _filled(b"X-Y Z\n", HEAD),
    "a subject of broken encoded words": lambda: HEAD[:-16] + b"=?utf-8?b?" + b"=?" * 1_000_000 + b"\n\nx",
    "a To list of 500,000": lambda: (
        b"From: MAILER-DAEMON@a.example\nTo: " + b"a@example.net,\n " * 500_000 + b"b@c.example\nSubject: failure notice\n\nx"
    ),
    "a To of the returned mail with 500,000": lambda: (
        HEAD + b"\nCould not be delivered. 550 no\n--- Below this line is a copy of the message.\n\nTo: " + b"a@example.net, " * 500_000
    ),
    "a Content-Type of a million parameters": lambda: HEAD + b"Content-Type: text/plain" + b";a=b" * 1_000_000 + b"\n\nx",
    "a boundary in a thousand pieces": lambda: (
        HEAD + b"Content-Type: multipart/mixed" + b"".join(b"; boundary*%d=x" % n for n in range(10_000)) + b"\n\n--x\n"
    ),
    "a line of 20 MB": lambda: _line(b"x" * 20_000_000),
    "a line of 20 MB of words": lambda: _line(b"host said " * 2_000_000),
    "the charset utf-7": lambda: _encoded(b"8bit", b"+AAA-" * 4_000_000, b"text/plain; charset=utf-7"),
    "the charset punycode": lambda: _encoded(b"8bit", b"a-" * 200_000 + b"\xff", b"text/plain; charset=punycode"),
    "the charset idna": lambda: _encoded(b"8bit", b"a." * 2_000_000 + b"\xff", b"text/plain; charset=idna"),
    "the charset unicode_escape": lambda: _encoded(b"8bit", b"\\N{BULLET}" * 500_000 + b"\xff", b"text/plain; charset=unicode_escape"),
    "the charset zlib": lambda: _encoded(b"8bit", b"x\xff" * 5_000_000, b"text/plain; charset=zlib"),
    "the charset iso-2022-jp": lambda: _filled(b"\x1b$B\x1b(B", HEAD + b"\n"),
    "NULs between": lambda: _filled(b"5\x005\x000 ", b"550 "),
    "UTF-16 of 25 MB": lambda: b"\xff\xfe" + "550 no ".encode("utf-16-le") * 1_770_000,
    "half a DSN": lambda: _dsn(3)[:-170],
    "a DSN of 100,000 recipients": lambda: _dsn(100_000),
    "a DSN of folded lines": lambda: _filled(b" x\n", _dsn(1)[:-1]),
    "JSON of depth 10,000": lambda: b'{"notificationType":"Bounce","bounce":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
    "JSON lists of depth 10,000": lambda: b'{"event":"bounce","email":"a@example.net","reason":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "JSON that is never closed": lambda: _filled(b'{"event":"bounce",'),
    "JSON strings in JSON strings": lambda: b'{"Message":"' + b'{\\"Message\\":\\"' * 100_000,
    "25 MB of JSON": lambda: _filled(b'{"event":"bounce","email":"a@example.net","reason":"550 5.1.1 no","type":"bounce"},', b"["),
    "JSON numbers": lambda: b'{"event":"bounce","timestamp":' + b"9" * 5_000_000 + b"}",
    "25 MB of <": lambda: _filled(b"<"),
    "25 MB of < in HTML": lambda: _filled(b"<", HEAD + b"Content-Type: text/html\n\n"),
    "25 MB of >>>": lambda: _filled(b">>>"),
    "25 MB of >>> lines": lambda: _filled(b">>> RCPT TO:<a@example.net>\n"),
    "25 MB of > lines": lambda: _filled(b"> > > a\n"),
    "25 MB of 550": lambda: _filled(b"550 "),
    "25 MB of 550 lines": lambda: _filled(b"550-5.1.1 no\n"),
    "25 MB of brackets": lambda: _filled(b"[("),
    "25 MB of closing brackets": lambda: _filled(b")]}", b"550 host a["),
    "25 MB of From lines": lambda: _filled(b"\n\nFrom ", b"From a\nFrom: a\nTo: b\n"),
    "an mbox of 100,000 mails": lambda: _filled(b"From a\n" + HEAD + b"\n<a@example.net>:\n550 no\n\n"),
    "25 MB of commas": lambda: _filled(b","),
    "25 MB of quotes": lambda: _filled(b"\"'"),
    "25 MB of backslashes": lambda: _filled(b"\\"),
    "25 MB of at signs": lambda: _filled(b"@"),
    "25 MB of dots": lambda: _filled(b"...", b"550 "),
    "25 MB of colons": lambda: _filled(b": "),
    "25 MB of line ends": lambda: _filled(b"\r\n", b"550 no"),
    "25 MB of CR": lambda: _filled(b"\r", b"550 no"),
    "HTML of a million tags": lambda: HEAD + b"Content-Type: text/html\n\n" + b"<p><b>a</b>" * 1_000_000,
    "HTML of scripts": lambda: HEAD + b"Content-Type: text/html\n\n" + b"<script><style>" * 1_000_000,
    "an entity bomb": lambda: HEAD + b'Content-Type: text/html\n\n<!DOCTYPE a [<!ENTITY b "&c;&c;&c;">]>' + b"&amp;&lt;&#99999999999;&b;" * 500_000,
    "numbers of a million digits as entities": lambda: HEAD + b"Content-Type: text/html\n\n&#" + b"9" * 1_000_000 + b";",
    "log lines": lambda: _filled(
        b"Nov 16 09:12:44 mx postfix/smtp[1]: 4T9xk25: to=<a@example.net>, relay=none, status=bounced (host b[1] said: 550 no)\n"
    ),
    "a log of one queue id each": lambda: b"".join(
        b"Nov 16 09:12:44 mx postfix/smtp[1]: 4T9xk%d: to=<a%d@example.net>, status=deferred (host b[1] said: 450 no)\n" % (n, n)
        for n in range(200_000)
    ),
    "a session without end": lambda: _filled(b"S: 250 ok\nC: RCPT TO:<a@example.net>\nS: 550 no\n", b"S: 220 a\nC: EHLO b\n"),
    "a session of long lines": lambda: _filled(b"x" * 50_000 + b"\n", b"220 a\nEHLO b\n250 ok\nDATA\n354 go\n"),
    "a stack trace of 25 MB": lambda: _filled(
        b'  File "x.py", line 1, in <module>\n    x()\n',
        b"Traceback (most recent call last):\nsmtplib.SMTPRecipientsRefused: {'a@example.net': (550, b'",
    ),
    "a dictionary without end": lambda: _filled(b"'a@example.net': (550, b'no'), ", b"smtplib.SMTPRecipientsRefused: {"),
}
