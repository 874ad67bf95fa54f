"""The terms of an SPF record as they stand, so that a record can be changed and the rest of it stays (RFC 7208 section 4.6.1)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from whybounce.checks.guard import shown
from whybounce.checks.spf_audit import literal
from whybounce.checks.spf_record import Mechanism, SyntaxProblem, parse_record

# What people write for what they mean; each mended term must be right by the grammar.
_MEND = (
    (re.compile(r"(?i)^([+?~-]?)ip(?:v)?4[:=]+"), r"\1ip4:"),
    (re.compile(r"(?i)^([+?~-]?)ip(?:v)?6[:=]+"), r"\1ip6:"),
    (re.compile(r"(?i)^([+?~-]?)ip[:=]+(?=\d+\.)"), r"\1ip4:"),
    (re.compile(r"(?i)^([+?~-]?)includes?[:=]+"), r"\1include:"),
    (re.compile(r"(?i)^(a|mx|ptr|exists)="), r"\1:"),
    (re.compile(r"(?i)^(redirect|exp):"), r"\1="),
    (re.compile(r"[,;]+$"), ""),
)
_MECHANISMS = ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists")
_GLUED_ALL = re.compile(r"(?i)(?<=[a-z0-9])([+?~-]all)$")


@dataclass(frozen=True, slots=True)
class Term:
    """One directive, with what it says, or a modifier, with None."""

    text: str
    mechanism: Mechanism | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What it tests, whatever the qualifier: a second term that tests the same never matches."""
        term = self.mechanism
        if term is None:
            return ("modifier", self.text.lower())
        target = tuple(part.lower() if isinstance(part, str) else part for part in term.target)
        return (term.name, target, term.cidr4, term.cidr6, term.network)

    @property
    def name(self) -> str:
        """ "include", "all" ...; "redirect" or "exp" for a modifier."""
        return self.mechanism.name if self.mechanism else self.text.partition("=")[0].lower()

    @property
    def domain(self) -> str:
        """The domain of an include or a redirect, "" where it holds macros."""
        if self.mechanism is not None:
            return literal(self.mechanism.target).lower()
        target = self.text.partition("=")[2]
        return "" if "%" in target else target.removesuffix(".").lower()

    @property
    def is_address(self) -> bool:
        """An ip4 or ip6 directive that lets its addresses send."""
        return self.passes and self.mechanism is not None and self.mechanism.network is not None

    @property
    def passes(self) -> bool:
        """A directive that lets whoever it matches send."""
        return self.mechanism is not None and self.mechanism.qualifier == "+"


@dataclass(slots=True)
class Terms:
    """A record's terms, and sentences about those that were mended or cannot be kept. `broken`: the record is wrong as it stands, so
    nobody passes with it for certain."""

    terms: list[Term] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    broken: bool = False

    def place(self, risky: Collection[str] = ()) -> int:
        """Where a further include belongs: last, before `all`, so that its look-ups cost nobody who passes already anything; but before
        a term that leads to a `risky` domain, whose record may end the evaluation with an error."""
        numbers = [number for number, term in enumerate(self.terms) if term.mechanism is not None]
        ends = (number for number in numbers if self.terms[number].name == "all" or self.terms[number].domain in risky)
        return next(ends, numbers[-1] + 1 if numbers else 0)

    def drop_repeated(self) -> list[Term]:
        """Take out what an earlier term tests already, whatever its qualifier: it never matches. What was taken out."""
        seen: set[tuple[object, ...]] = set()
        kept: list[Term] = []
        dropped: list[Term] = []
        for term in self.terms:
            (dropped if term.mechanism is not None and term.key in seen else kept).append(term)
            seen.add(term.key)
        self.terms = kept
        return dropped

    @property
    def place_for_address(self) -> int:
        """Where an address belongs: after the addresses at the start, so that nothing that asks DNS can come between."""
        return next((number for number, term in enumerate(self.terms) if not term.is_address), len(self.terms))

    @property
    def has_all(self) -> bool:
        return any(term.name == "all" for term in self.terms)

    @property
    def text(self) -> str:
        return " ".join(["v=spf1", *(term.text for term in self.terms)])


def read_terms(text: str) -> Terms:
    """The terms of a record, the wrong ones mended or left out."""
    found = Terms()
    for word in text[6:].split():
        for piece in _GLUED_ALL.sub(r" \1", word).split() if _term(word) is None else [word]:
            _read(piece, word, found)
    for name in ("redirect", "exp"):
        _keep_first(found, name)
    return found


def _read(piece: str, word: str, found: Terms) -> None:
    term = _term(piece)
    if term is not None and term.mechanism is None and term.name in _MECHANISMS:
        # By the grammar an unknown modifier, which receivers pass over. An address may be mended without a risk.
        term = _term(_mended(piece)) if term.name in ("ip4", "ip6") else term
        if term is None or term.mechanism is None:
            found.warnings.append(f"Receivers pass over {shown(piece, 200)}: with a colon in place of = it would count.")
            term = _term(piece)
    if term is None:
        found.broken = True
        term = _term(_mended(piece))
    if term is None:
        found.notes.append(f"{shown(piece, 200)} is no term of SPF and is left out.")
        found.warnings.append(f"See whether something else was meant by {shown(piece, 200)}.")
        return
    if term.text != piece:
        found.notes.append(f"{shown(piece, 200)} becomes {term.text}.")
    elif piece != word:
        found.broken = True
        found.notes.append(f"A space was missing in {shown(word, 200)}.")
    found.terms.append(term)


def _mended(piece: str) -> str:
    for pattern, better in _MEND:
        piece = pattern.sub(better, piece)
    return piece


def _keep_first(found: Terms, name: str) -> None:
    """RFC 7208 section 6: redirect and exp stand at most once."""
    several = [term for term in found.terms if term.mechanism is None and term.name == name]
    for term in several[1:]:
        found.broken = True
        found.terms = [kept for kept in found.terms if kept is not term]
        found.notes.append(f"{name}= may stand only once, so {term.text} is left out.")


def _term(text: str) -> Term | None:
    """One term that is right by the grammar; None for another."""
    if "\\" in text or not text.isascii():
        return None
    try:
        record = parse_record(f"v=spf1 {text}".encode())
    except SyntaxProblem:
        return None
    return Term(text, record.mechanisms[0] if record.mechanisms else None)


def make_term(text: str) -> Term:
    """A term that is known to be right."""
    found = _term(text)
    if found is None:
        raise ValueError(f"{text!r} is no term of SPF")
    return found
