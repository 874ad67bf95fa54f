"""Letters: what to write to whom, filled in with what a case knows. What it does not know stands as a blank, marked, to be filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from whybounce.remedies import PLACEHOLDERS
from whybounce.snapshot import Cause, Letter

LETTER_PLACEHOLDERS: Mapping[str, str] = {
    **PLACEHOLDERS,
    "cause": "what it was",
    "summary": "what happened, in two or three sentences",
    "stage": "the SMTP command that was refused",
    "subject": "the subject of the message",
    "blocklist": "the name of the blocklist",
    "removal_page": "the blocklist's page for removal",
    "case": "the number of the case",
}
"""name -> what is to be filled in where the case does not know it; those of remedy steps and some that only letters need."""

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}", re.ASCII)
_BLANK = re.compile(r"\[FILL IN: ([^\[\]]{1,200})\]")
_MOST_OF_A_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class FilledLetter:
    """A letter for one case, in plain text. `blanks`: what is still to be filled in, each as it stands in the text in brackets."""

    letter: Letter
    subject: str
    body: str
    blanks: tuple[str, ...]


def fill_letter(letter: Letter, values: Mapping[str, str]) -> FilledLetter:
    """`letter` with each {placeholder} replaced by its value (remedies.values_of and those that letters add), or by a blank:
    `"[FILL IN: the queue ID]"`. The subject is one line whatever a value holds."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in LETTER_PLACEHOLDERS:
            return match[0]
        return values.get(name, "") or f"[FILL IN: {LETTER_PLACEHOLDERS[name]}]"

    subject = " ".join(_PLACEHOLDER.sub(value, letter.subject).split())[:_MOST_OF_A_SUBJECT]
    body = _PLACEHOLDER.sub(value, letter.body).strip() + "\n"
    return FilledLetter(letter, subject, body, blanks_in(f"{subject}\n{body}"))


def blanks_in(text: str) -> tuple[str, ...]:
    """What is still to be filled in, each once; letters may hold blanks of their own, which no case knows."""
    return tuple(dict.fromkeys(_BLANK.findall(text)))


def letters_for(letters: Iterable[Letter], cause: Cause | None) -> list[Letter]:
    """Those offered where `cause` leads (None: where none does): first those of the cause itself, then those of its category, then
    those for any; each of these in the curators' order."""

    def rank(letter: Letter) -> int | None:
        if cause and cause.slug in letter.causes:
            return 0
        if cause and cause.category in letter.categories:
            return 1
        return None if letter.causes or letter.categories else 2

    ranked = [(place, letter) for letter in letters if (place := rank(letter)) is not None]
    return [letter for _place, letter in sorted(ranked, key=lambda item: item[0])]
