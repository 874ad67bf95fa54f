"""Whether a text is an address that SMTP can carry: RFC 5321 section 4.1.2, RFC 6531 for characters outside ASCII."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import idna
from email_validator import EmailNotValidError, validate_email

from whybounce.checks.guard import DomainError, parse_domain, shown

# RFC 5321 section 4.5.3.1: a local part of 64 octets, a path of 256 octets with its angle brackets.
MAX_LOCAL = 64
MAX_ADDRESS = 254

_QUOTED = re.compile(r'("(?:[^"\\]|\\.)*")@(.*)', re.DOTALL)
_LDH = re.compile(r"[a-z0-9.-]+", re.ASCII)
# Seen as nothing although they are letters or marks to Unicode (DerivedCoreProperties, Default_Ignorable_Code_Point).
_IGNORABLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))}
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Address:
    """`domain` as it was typed; `ascii_domain` in lower-case A-labels, "" for an address literal ("[192.0.2.1]")."""

    local: str
    domain: str
    ascii_domain: str

    @property
    def internationalised(self) -> bool:
        """The local part needs SMTPUTF8 (RFC 6531); a domain alone can be written in A-labels."""
        return not self.local.isascii()


class AddressError(ValueError):
    """A text that is no address. The message is the end of a sentence that begins with it: "it has two @ signs"."""


def invisible_characters(text: str) -> list[tuple[int, str]]:
    """(position, character) of what nobody sees or takes for an ordinary space: zero-width, bidi and control characters, no-break and
    other spaces. Joiners that the spelling of a script needs (RFC 5892 appendix A) are none."""
    return [(at, char) for at, char in enumerate(text) if _is_invisible(char) and not _is_needed_joiner(text, at)]


def character_name(char: str) -> str:
    """`"U+200B zero width space"`"""
    return f"U+{ord(char):04X} {unicodedata.name(char, 'control character').lower()}"


def parse_address(text: str) -> Address:
    """The address that `text` is; AddressError says why it is none. Surrounding spaces and angle brackets are passed over."""
    text = unwrapped(text)
    if not text:
        raise AddressError("it is empty")
    local, domain = _split(text)
    _refuse_bad_local_part(local)
    if domain.startswith("["):
        _library(f"a@{domain}")
        return Address(local, domain, "")
    ascii_domain = _ascii_domain(domain)
    octets = len(local.encode()) + 1 + len(ascii_domain)
    if octets > MAX_ADDRESS:
        raise AddressError(f"it has {octets} octets, and an address has at most {MAX_ADDRESS} (RFC 5321)")
    return Address(local, domain, ascii_domain)


def unwrapped(text: str) -> str:
    """` <anna@example.com> ` -> `anna@example.com`"""
    text = text.strip(" \t\r\n")
    return text[1:-1].strip(" \t") if text.startswith("<") and text.endswith(">") else text


def _split(text: str) -> tuple[str, str]:
    quoted = _QUOTED.fullmatch(text)
    local, domain = (quoted[1], quoted[2]) if quoted else (text.partition("@")[0], text.partition("@")[2])
    if "@" not in text:
        raise AddressError("it has no @")
    if "@" in domain:
        raise AddressError(f"it has {text.count('@')} @ signs, and an address has one")
    if not domain:
        raise AddressError("nothing stands after the @")
    return local, domain


def _refuse_bad_local_part(local: str) -> None:
    """Reasons of our own for the usual mistakes, the library's for the others."""
    octets = len(local.encode("utf-8", "surrogatepass"))
    if not local:
        raise AddressError("nothing stands before the @")
    if octets > MAX_LOCAL:
        raise AddressError(f"the part before the @ has {octets} octets, and at most {MAX_LOCAL} are allowed (RFC 5321)")
    if local.endswith("."):
        raise AddressError("the part before the @ ends in a dot")
    if local.startswith("."):
        raise AddressError("the part before the @ begins with a dot")
    if ".." in local and not local.startswith('"'):
        raise AddressError("two dots stand together before the @")
    _library(f"{local}@example.com")


def _library(text: str) -> None:
    """Let email-validator look; its own lists of domains that it likes or not are kept out of it."""
    try:
        validate_email(
            text,
            check_deliverability=False,
            globally_deliverable=False,
            allow_smtputf8=True,
            allow_quoted_local=True,
            allow_domain_literal=True,
            strict=True,
        )
    except (EmailNotValidError, UnicodeError) as error:
        reason = shown(str(error), 300).rstrip(".")
        raise AddressError(f"{reason[:1].lower()}{reason[1:]}") from error


def _ascii_domain(domain: str) -> str:
    if domain.endswith("."):
        raise AddressError("it ends in a dot")
    try:
        ascii_domain = parse_domain(domain)
    except DomainError as error:
        reason = str(error).rstrip(".")
        raise AddressError(f"its domain cannot be used: {reason[:1].lower() if reason.startswith('The ') else reason[:1]}{reason[1:]}") from error
    if not _LDH.fullmatch(ascii_domain):
        raise AddressError("its domain holds an underscore, which no mail domain may (RFC 5321)")
    return ascii_domain


def _is_invisible(char: str) -> bool:
    return char in _IGNORABLE or (char != " " and unicodedata.category(char) in ("Cc", "Cf", "Zs", "Zl", "Zp"))


def _is_needed_joiner(text: str, at: int) -> bool:
    if text[at] not in _JOINERS:
        return False
    try:
        return idna.core.valid_contextj(text, at)
    except (ValueError, IndexError):
        return False
