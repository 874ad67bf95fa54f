"""Basic reply codes (RFC 5321 section 4.2) and enhanced status codes (RFC 3463, RFC 2034): parse, order, structure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

# RFC 3463 section 2: class 2, 4 or 5; subject and detail of one to three digits, no leading zeros.
_ENHANCED = re.compile(r"([245])\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})", re.ASCII)
# RFC 5321 section 4.2: Reply-code = %x32-35 %x30-35 %x30-39.
_BASIC = re.compile(r"[2-5][0-5]\d", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class ReplyCode:
    """A basic reply code of three digits, 200 to 559.

    `severity` is the first digit (2 done, 3 go on, 4 not now, 5 no), `category` the second
    (0 syntax, 1 information, 2 connection, 5 mail system; 3 and 4 unspecified): RFC 5321 section 4.2.1.
    """

    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`"550"` -> ReplyCode(550). ValueError for anything that the grammar of RFC 5321 4.2 does not allow."""
        if not _BASIC.fullmatch(text):
            raise ValueError(f"not an SMTP reply code: {text!r}")
        return cls(int(text))

    @property
    def severity(self) -> int:
        return self.number // 100

    @property
    def category(self) -> int:
        return self.number // 10 % 10

    @property
    def permanent(self) -> bool:
        """True for 5yz: the client should not repeat the same request (RFC 5321 section 4.2.1)."""
        return self.severity == 5

    @property
    def temporary(self) -> bool:
        """True for 4yz: the client should try again later (RFC 5321 section 4.2.1)."""
        return self.severity == 4

    def __str__(self) -> str:
        return str(self.number)


@dataclass(frozen=True, slots=True, order=True)
class EnhancedStatusCode:
    """class.subject.detail of RFC 3463 section 2, each an integer: 5.1.1 is (5, 1, 1)."""

    class_: int
    subject: int
    detail: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`"5.1.1"` -> EnhancedStatusCode(5, 1, 1). ValueError for another class than 2, 4, 5, leading zeros, other text."""
        match = _ENHANCED.fullmatch(text)
        if not match:
            raise ValueError(f"not an enhanced status code: {text!r}")
        return cls(int(match[1]), int(match[2]), int(match[3]))

    @property
    def permanent(self) -> bool:
        return self.class_ == 5

    @property
    def temporary(self) -> bool:
        return self.class_ == 4

    @property
    def registered_as(self) -> str:
        """The name under which IANA registers it, whatever its class: `X.1.1` (RFC 5248 section 2)."""
        return f"X.{self.subject}.{self.detail}"

    def __str__(self) -> str:
        return f"{self.class_}.{self.subject}.{self.detail}"


def is_reply_code(text: str) -> bool:
    """True where `text` is three digits that the grammar of RFC 5321 section 4.2 allows."""
    return bool(_BASIC.fullmatch(text))


def is_enhanced_code(text: str) -> bool:
    """True where `text` is an enhanced status code by the grammar of RFC 3463 section 2."""
    return bool(_ENHANCED.fullmatch(text))
