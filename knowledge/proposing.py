"""What a curator is offered for an unrecognised reply: a pattern with an example and evidence, or an example text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import re2

from whybounce.masking import MASK, words_of
from whybounce.problem import re2_error

# What stands in an example for what was masked: names that RFC 2606 and RFC 5737 keep for examples.
_EXAMPLES: Mapping[str, str] = {
    "address": "anna@example.net",
    "url": "https://example.org/help",
    "ip": "192.0.2.25",
    "host": "mx.example.org",
    "date": "Mon, 23 Nov 2026 10:15:00 +0000",
    "id": "4XyZbC1g9Kz1",
    "number": "1234",
    "name": "anna",
}
_EXPRESSIONS: Mapping[str, str] = {"number": "[0-9]+", "ip": "[0-9a-f.:]+", "date": ".{4,40}"}
_ANYTHING = r"\S+"
_MOST_WORDS = 14
_FEWEST_WORDS = 3
_HEAD = re.compile(r"(?:.*?\bsaid:\s*)?(?:[245]\d\d[ -])?(?:#?[245]\.\d{1,3}\.\d{1,3}[ :]*)?", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[^\s.][.!?;])\s+(?=\S)|\s+-\s+|:\s+(?=https?:|\{url\})")
_EDGE = " \t.,;:!?()[]<>\"'`«»“”‘’-#"

Weigh = Callable[[str], float]
"""How much a sentence says of the cause that is proposed."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """`pattern`: an RE2 expression that `example` matches, "" where the reply has no words to go by."""

    slug: str
    pattern: str
    example: str


def propose(masked: str, provider: str = "", weigh: Weigh | None = None) -> Proposal:
    """A pattern for a masked reply (whybounce/masking.py): its telling part, with what was masked generalised.

    `weigh` says which of several sentences tells most; without it the longest does.
    """
    example = example_of(masked)
    telling = _telling_part(masked, weigh or (lambda sentence: float(len(list(words_of(sentence))))))
    pattern = _expression(telling)
    if not pattern or re2_error(pattern) or not _matches(pattern, example):
        pattern = ""
    return Proposal(_slug(telling, provider), pattern, example)


def example_of(masked: str) -> str:
    """The reply with realistic names in the place of the masks."""
    return MASK.sub(lambda found: _EXAMPLES[found[1]], masked)


def _telling_part(masked: str, weigh: Weigh) -> str:
    """The sentence that tells most, without codes before it, without masks at its ends, of bounded length."""
    body = masked[_HEAD.match(masked).end() :]  # type: ignore[union-attr]  # it matches the empty text too
    sentences = [trimmed for piece in _SENTENCE.split(body) if (trimmed := _trimmed(piece))]
    enough = [sentence for sentence in sentences if len(list(words_of(sentence))) >= _FEWEST_WORDS]
    return max(enough or [_trimmed(body)], key=weigh, default="")


def _trimmed(sentence: str) -> str:
    words = sentence.split()[: 3 * _MOST_WORDS]
    while words and (not _has_letters(words[0]) or _is_code(words[0])):
        del words[0]
    del words[_MOST_WORDS:]
    while words and not _has_letters(words[-1]):
        words.pop()
    return " ".join(words).strip(_EDGE)


def _has_letters(word: str) -> bool:
    return any(letter.isalpha() for letter in MASK.sub("", word))


def _is_code(word: str) -> bool:
    return bool(re.fullmatch(r"[\[(]?[245]\d\d[-\])]?|[\[(]?[245]\.\d{1,3}\.\d{1,3}[\]):]?", word))


def _expression(text: str) -> str:
    return r"\s+".join(_piece(word) for word in text.split())


def _piece(word: str) -> str:
    """One word as RE2. Brackets and quotes around what was masked vary with the server: they go with it."""
    return "".join(_parts(word))


def _parts(word: str) -> Iterator[str]:
    at = 0
    for found in re.finditer(r"[<\"'`\[(]*\{(\w+)\}[>\"'`\])]*", word):
        if not MASK.search(found.group()):
            continue
        yield _escaped(word[at : found.start()])
        expression = _EXPRESSIONS.get(found[1], _ANYTHING)
        bare = found.group() == f"{{{found[1]}}}"
        yield expression if bare or expression == ".{4,40}" else _ANYTHING
        at = found.end()
    yield _escaped(word[at:])


def _escaped(text: str) -> str:
    """Literal text for RE2, which takes letters of all scripts as they are; no more is escaped than must be, for it is read."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", lambda found: "\\" + found.group(), text)


def _matches(pattern: str, text: str) -> bool:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return re2.compile(pattern, options).search(text) is not None


def _slug(telling: str, provider: str) -> str:
    words = [word.lower() for word in words_of(telling) if word.isascii()][:6]
    return "-".join([provider, *words] if provider else words)[:80].strip("-") or "new-pattern"
