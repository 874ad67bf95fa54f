"""How programs show a session: the marks before what the client and what the server said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from whybounce.intake.page import lines_of
from whybounce.intake.sessions.dialogue import Line, Side, is_reply

_HEAD = 200  # characters of a line in which a mark may stand: time, level, thread and session before it
_BEFORE = " \t]>)|:\"'"
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\", "'": "'", '"': '"', "/": "/"}
_ESCAPED_CODE = re.compile(r"[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}")


@dataclass(frozen=True, slots=True)
class Dialect:
    """Marks of a program. `inside`: they may follow a time and a name on the line; `quoted`: the line is a string literal."""

    slug: str
    name: str
    client: tuple[str, ...]
    server: tuple[str, ...]
    inside: bool = False
    quoted: bool = False


DIALECTS = (
    Dialect("smtplib", "Python's smtplib", ("send: '", 'send: "', "send: b'", 'send: b"'), ("reply: b'", 'reply: b"', "reply: '"), True, True),
    Dialect("net-smtp-ruby", "Ruby's Net::SMTP", ('<- "',), ('-> "',), quoted=True),
    Dialect("swaks", "swaks", ("-> ", "~> "), ("<- ", "<** ", "<~* ", "<~ ")),
    Dialect("msmtp", "msmtp", ("--> ",), ("<-- ",)),
    Dialect("ssmtp", "ssmtp or Mutt", ("[->] ",), ("[<-] ",), inside=True),
    Dialect("mutt", "Mutt", ("5> ", "4> ", "3> "), ("5< ", "4< ", "3< "), inside=True),
    Dialect("phpmailer", "PHPMailer", ("CLIENT -> SERVER:",), ("SERVER -> CLIENT:", "SMTP -> FROM SERVER:"), inside=True),
    Dialect("exim", "Exim", ("SMTP>> ", "SMTP|> ", "SMTP+> "), ("SMTP<< ",), inside=True),
    Dialect("outlook", "Outlook", ("<tx> ", "[tx] ", "<tx>: "), ("<rx> ", "[rx] ", "<rx>: "), inside=True),
    Dialect("postfix", "Postfix", ("In: ",), ("Out: ",)),
    Dialect("postfix-smtp", "Postfix's smtp -v", (": > ",), (": < ",), inside=True),
    Dialect("postfix-smtpd", "Postfix's smtpd -v", (": < ",), (": > ",), inside=True),
    Dialect("thunderbird", "Thunderbird", ("SMTP Send: ",), ("SMTP Response: ",), inside=True),
    Dialect("perl", "Net::SMTP", (">>> ",), ("<<< ",), inside=True),
    Dialect("swiftmailer", "Swift Mailer", (">> ",), ("<< ",), inside=True),
    Dialect("letters", "a log with C: and S:", ("C: ",), ("S: ",), inside=True),
    Dialect("curl", "curl", ("> ",), ("< ",), inside=True),
)
_LETTERS = (
    ("mailnews.smtp", "thunderbird", "Thunderbird"),
    ("DEBUG [", "nodemailer", "Nodemailer"),
    ("Connected to smtp", "mailkit", "MailKit"),
)


def _named(dialect: Dialect, text: str) -> tuple[str, str]:
    """The program's slug and its name for a person; what marks with C: and S: is told apart by other words."""
    if dialect.slug == "curl" and "] < " in text:
        return "symfony", "Symfony Mailer"
    if dialect.slug != "letters":
        return dialect.slug, dialect.name
    return next(((slug, name) for mark, slug, name in _LETTERS if mark in text), (dialect.slug, dialect.name))


def candidates(text: str) -> Iterator[tuple[str, str, list[Line]]]:
    """Slug, name and lines for each dialect whose marks for both sides, or for the server, stand in the text."""
    if '"tnx":"' in text or '"tnx": "' in text:
        yield "nodemailer", "Nodemailer", list(_json_lines(text))
    for dialect in DIALECTS:
        verbose = dialect.slug.startswith("postfix-smtp")
        if verbose and ("postfix/smtp" not in text or " status=" in text):  # other lines of the log say what became of the mail
            continue
        if any(mark in text for mark in dialect.server):
            yield *_named(dialect, text), list(_marked(text, dialect))


def _marked(text: str, dialect: Dialect) -> Iterator[Line]:
    previous, more = Side.EVENT, False
    for start, end in lines_of(text, 0, len(text)):
        side, at = _side(text, start, end, dialect)
        if side is Side.EVENT:
            stripped = text[start : min(end, start + 4000)].strip()
            if previous is Side.SERVER and more and is_reply(stripped):  # further lines of a reply, unmarked
                more = stripped[3:4] == "-"
                at = start + text[start:end].find(stripped[:3])
                yield Line(Side.SERVER, stripped, at, end)
                continue
            previous = Side.EVENT
            yield Line(Side.EVENT, stripped, start, end)
            continue
        previous, more = side, text[at:end].strip()[3:4] == "-"
        if dialect.quoted:
            yield from _literal(text, side, at, end, text[at - 1])
            continue
        if side is Side.SERVER or dialect.slug in ("phpmailer", "postfix"):
            while at < end and text[at] == " ":
                at += 1
        if dialect.slug.startswith("postfix-smtp"):  # "< mx.example.net[192.0.2.1]:25: 220 ..."
            peer = text.find("]", at, min(end, at + 300))
            colon = text.find(": ", peer, peer + 9) if peer >= 0 else -1
            at = colon + 2 if colon >= 0 else at
        stop = end
        if text.endswith(("<br>", "<br />"), at, end):  # PHPMailer with Debugoutput "html"
            stop = at + text[at:end].rindex("<br")
        yield Line(side, text[at:stop], at, stop)


def _side(text: str, start: int, end: int, dialect: Dialect) -> tuple[Side, int]:
    """Whose line it is, and where what was said begins."""
    head = text[start : min(end, start + _HEAD)]
    stripped = head.lstrip()
    lead = len(head) - len(stripped)
    for side, marks in ((Side.SERVER, dialect.server), (Side.CLIENT, dialect.client)):
        for mark in marks:
            if stripped.startswith(mark) or stripped == mark.rstrip():
                return side, min(end, start + lead + len(mark))
    if not dialect.inside:
        return Side.EVENT, start
    best = (Side.EVENT, start, _HEAD)
    for side, marks in ((Side.SERVER, dialect.server), (Side.CLIENT, dialect.client)):
        for mark in marks:
            at = head.find(mark)
            at = len(head) - len(mark) + 1 if at < 0 and head.endswith(mark.rstrip()) and mark[-1] == " " else at
            if 0 < at < best[2] and head[at - 1] in _BEFORE:
                best = (side, min(end, start + at + len(mark)), at)
    if dialect.slug == "curl" and best[0] is not Side.EVENT and not _looks_timed(head[: best[2]]):
        return Side.EVENT, start
    return best[0], best[1]


def _looks_timed(lead: str) -> bool:
    """True for a time before curl's and Symfony's one-character marks: `[2024-05-01T10:00:00.123456+00:00] > EHLO`."""
    return lead.count(":") >= 2 and not any(letter in lead for letter in "<>")


def _literal(text: str, side: Side, start: int, end: int, quote: str) -> Iterator[Line]:
    """The lines in a string literal that begins at `start`; its end may be cut off."""
    stop = text.rfind(quote, start, end)
    yield from _unescaped(text, side, start, stop if stop >= start else end)


def _unescaped(text: str, side: Side, start: int, end: int) -> Iterator[Line]:
    """Lines of an escaped string, each with its range in the text; shows whether a line ended with LF alone."""
    out: list[str] = []
    at = begin = start
    while at < end:
        stop = text.find("\\", at, end)
        if stop < 0 or stop + 1 >= end:
            out.append(text[at:end])
            break
        out.append(text[at:stop])
        letter = text[stop + 1]
        code = _ESCAPED_CODE.match(text, stop + 1, end)
        if letter == "n":
            said = "".join(out)
            yield Line(side, said.removesuffix("\r"), begin, stop - 2 if said.endswith("\r") else stop, bare=not said.endswith("\r"))
            out, begin = [], stop + 2
            at = stop + 2
        elif code:
            out.append(chr(int(code[0][1:], 16)))
            at = code.end()
        else:
            out.append(_ESCAPES.get(letter, letter))
            at = stop + 2
    said = "".join(out).removesuffix("\r")
    if said:
        yield Line(side, said, begin, end)


def _json_lines(text: str) -> Iterator[Line]:
    """Nodemailer with a JSON logger: `tnx` says who spoke, `msg` (or `message`) holds what was said."""
    for start, end in lines_of(text, 0, len(text)):
        head = text[start : min(end, start + 4000)]
        side = Side.EVENT
        for name, value in (("server", Side.SERVER), ("client", Side.CLIENT), ("message", Side.CLIENT)):
            if f'"tnx":"{name}"' in head or f'"tnx": "{name}"' in head:
                side = value
        at = next((found + len(key) for key in ('"msg":"', '"msg": "', '"message":"', '"message": "') if (found := head.find(key)) >= 0), -1)
        if at < 0:
            yield Line(Side.EVENT, head, start, end)
            continue
        stop = _closing(text, start + at, end)
        if side is Side.EVENT or '"inByteCount"' in head:
            yield Line(Side.EVENT, text[start + at : stop][:400], start + at, stop)
            continue
        for line in _unescaped(text, side, start + at, stop):
            yield Line(line.side, line.text, line.start, line.end)


def _closing(text: str, start: int, end: int) -> int:
    """The quote that closes a JSON string."""
    at = text.find('"', start, end)
    while at >= 0:
        slashes = at
        while slashes > start and text[slashes - 1] == "\\":
            slashes -= 1
        if (at - slashes) % 2 == 0:
            return at
        at = text.find('"', at + 1, end)
    return end
