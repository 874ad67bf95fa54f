"""The argument of MAIL and RCPT taken apart (RFC 5321 sections 4.1.1.2, 4.1.1.3 and 4.1.2), as lenient servers read it."""

from __future__ import annotations

from dataclasses import dataclass

_WORDS = {"MAIL": "FROM", "RCPT": "TO"}


@dataclass(frozen=True, slots=True)
class PathArgument:
    """`keyword`: FROM or TO stood there; `spaces`: blanks beside the colon; `parameters`: keyword in capitals -> value."""

    address: str = ""
    keyword: bool = False
    colon: bool = False
    spaces: bool = False
    brackets: bool = False
    closed: bool = True
    parameters: tuple[tuple[str, str], ...] = ()


def read_path(verb: str, argument: str) -> PathArgument:
    """`"FROM:<a@b> SIZE=9"` -> its address and parameters, and what is wrong with its form."""
    word = _WORDS.get(verb, "")
    keyword = argument[: len(word)].upper() == word
    rest = argument[len(word) :] if keyword else argument
    stripped = rest.lstrip(" ")
    colon = stripped.startswith(":")
    after = stripped[1:] if colon else stripped
    spaces = colon and (rest != stripped or after != after.lstrip(" "))
    after = after.strip()
    opening = after.find("<")
    brackets = opening >= 0 and ">" in after[opening:]
    if opening >= 0:
        closing = after.find(">", opening)
        address = after[opening + 1 : closing if closing >= 0 else None]
        tail = after[closing + 1 :] if closing >= 0 else ""
    else:
        address, _, tail = after.partition(" ")
        closing = 0
    if address.startswith("@") and ":" in address:  # a source route, to be ignored (RFC 5321 appendix C)
        address = address.rpartition(":")[2]
    return PathArgument(address.strip(), keyword, colon, spaces, brackets and opening == 0, opening < 0 or closing >= 0, _parameters(tail))


def _parameters(tail: str) -> tuple[tuple[str, str], ...]:
    out = []
    for word in tail.split()[:50]:
        name, _, value = word.partition("=")
        out.append((name.upper(), value))
    return tuple(out)
