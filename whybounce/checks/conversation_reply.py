"""Replies of mail servers, read strictly: RFC 5321 section 4.2, and the extensions that EHLO lists: section 4.1.1.1."""

from __future__ import annotations

import re
from dataclasses import dataclass

from whybounce.checks.guard import shown
from whybounce.status import EnhancedStatusCode, is_enhanced_code

# RFC 5321 section 4.5.3.1.5 allows lines of 512 octets; no server needs more lines than this to say what it can do.
MAX_REPLY_OCTETS = 32 * 1024
MAX_REPLY_LINES = 100
SHOWN_LINE = 512

# RFC 5321 section 4.2: Reply-code [ SP textstring ] CRLF, "-" instead of SP on all lines but the last. The grammar lets the second digit
# be 0 to 5; 571 and others like it are in use, and nothing is lost by reading them. Any octet may stand in the text: it is escaped when shown.
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*", re.ASCII)


class ReplyError(Exception):
    """What came is no reply. The message ends a sentence: "the server sent ..."."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole reply. `lines` is the text of each line without its code; `octets` counts what came over the wire."""

    code: int
    lines: tuple[bytes, ...]
    octets: int = 0

    @property
    def kind(self) -> int:
        """The first digit: 2 done, 3 go on, 4 not now, 5 no."""
        return self.code // 100

    @property
    def enhanced(self) -> EnhancedStatusCode | None:
        """The enhanced status code (RFC 2034), which stands first in the text and is of the same class as the code."""
        word = self.lines[0].split(b" ", 1)[0].decode("ascii", errors="replace")
        if not is_enhanced_code(word):
            return None
        code = EnhancedStatusCode.parse(word)
        return code if code.class_ == self.kind else None

    @property
    def text(self) -> str:
        """All of it in one line for a person: "550 5.1.1 No such user"."""
        return shown(b" ".join((str(self.code).encode(), *self.lines)).rstrip(), 1024)

    def shown_lines(self) -> list[str]:
        """The text of each line, escaped."""
        return [shown(line, SHOWN_LINE) for line in self.lines]


def take_reply(buffer: bytearray) -> Reply | None:
    """Take the first whole reply out of `buffer`; None where its end has not come. Lines end by CRLF alone: a bare LF is text,
    so that no reply can be hidden in another. ReplyError where what stands there can be no reply."""
    lines: list[bytes] = []
    code, at = b"", 0
    while (end := buffer.find(b"\r\n", at)) >= 0:
        match = _LINE.fullmatch(bytes(buffer[at:end]))
        at = end + 2
        if match is None:
            raise ReplyError("a line that is no SMTP reply" if not code else "a reply of several lines, one of them without a code")
        if code and match[1] != code:
            raise ReplyError("a reply of several lines with different codes")
        code = match[1]
        lines.append(match[3] or b"")
        _check_size(at, len(lines))
        if match[2] != b"-":
            del buffer[:at]
            return Reply(int(code), tuple(lines), at)
    _check_size(len(buffer), len(lines))
    return None


def _check_size(octets: int, lines: int) -> None:
    if octets > MAX_REPLY_OCTETS:
        raise ReplyError(f"a reply of more than {MAX_REPLY_OCTETS // 1024} kB")
    if lines > MAX_REPLY_LINES:
        raise ReplyError(f"a reply of more than {MAX_REPLY_LINES} lines")


def parse_extensions(reply: Reply) -> dict[str, str]:
    """The EHLO keywords in upper case with what follows each; the first line is the server's name. Lines that hold no keyword are left out."""
    extensions: dict[str, str] = {}
    for line in reply.lines[1:]:
        words = line.decode("ascii", errors="replace").strip()
        match = _KEYWORD.match(words)
        if match:
            extensions.setdefault(match[0].upper(), shown(words[match.end() :].lstrip(" ="), SHOWN_LINE))
    return extensions
