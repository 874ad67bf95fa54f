"""The words by which a case is found, and the search for them: a table of words, so that any database answers from an index.

An address is found by itself, by what stands before its @ and by its domain; a host by itself and by the domains above it; every
word of what is searched must begin one of the case's words.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator

from django.db import connection
from django.db.models import Q

from troubleshoot.facts import failure_from_json, storable
from troubleshoot.models import Case, CaseWord, Failure
from whybounce.failure import DeliveryFailure

MAX_WORD = 80
MOST_OF_A_TEXT = 300
"""Words of the pasted text that are kept: what a bounce says stands at its head; the message that was returned follows."""
MOST_TERMS = 8
_MOST_LOOKED_AT = 100_000
_MOST_REPLIES = 20
_SHORTEST_BEGINNING = 3
_LONGEST_PLAIN = 40  # a longer one without a dot or an @ is a piece of base64
_BATCH = 400

_COMPOUND = re.compile(r"\w(?:[\w.@+\-:]*\w)?")
_PIECE = re.compile(r"\w+")
_NUMERIC = re.compile(r"[\d.:\-+]+")


def terms_of(query: str) -> list[str]:
    """What is searched for, word by word, as words are kept: at most MOST_TERMS."""
    return list(dict.fromkeys(_compounds(query)))[:MOST_TERMS]


def words_of(text: str) -> Iterator[str]:
    """The words by which `text` is found, some of them more than once."""
    for compound in _compounds(text):
        yield compound
        if _NUMERIC.fullmatch(compound):
            continue  # 192.0.2.7 is no 192, 5.1.1 no 5
        local, at, domain = compound.rpartition("@")
        if at:
            yield local
        labels = domain.split(".")
        yield from (".".join(labels[number:]) for number in range(0 if at else 1, len(labels) - 1))
        yield from (piece for piece in _PIECE.findall(local or compound) if 2 < len(piece) <= _LONGEST_PLAIN and piece != compound)


def _compounds(text: str) -> Iterator[str]:
    for match in _COMPOUND.finditer(text[:_MOST_LOOKED_AT].lower()):
        word = match[0]
        if len(word) < 2 or len(word) > MAX_WORD or (len(word) > _LONGEST_PLAIN and "." not in word and "@" not in word):
            continue
        yield _address(word) if ":" in word else word


def _address(word: str) -> str:
    """An IPv6 address as RFC 5952 writes it, however it was typed; any other word as it is."""
    try:
        return str(ipaddress.ip_address(word))
    except ValueError:
        return word


def words_of_case(case: Case, failures: Iterable[DeliveryFailure]) -> set[str]:
    """The words of a case: its number, the facts of all its failures, what was added by hand, the beginning of its text."""
    words, replies = {case.public_id}, []
    for failure in failures:
        facts = (
            failure.recipient, failure.original_recipient, failure.envelope_sender, failure.header_from, failure.sending_ip, failure.queue_id,
            failure.remote_mta, failure.reporting_mta, failure.helo, failure.message_id, failure.code, failure.enhanced,
        )  # fmt: skip
        words.update(words_of(" ".join(fact or "" for fact in facts)))
        replies.append(failure.text)
    words.update(words_of(" ".join(str(value) for value in case.supplied.values())))
    words.update(_first_words(" ".join(replies[:_MOST_REPLIES]), words))
    words.update(_first_words(case.text, words))
    return words


def _first_words(text: str, known: set[str]) -> set[str]:
    found: set[str] = set()
    for word in words_of(text):
        if word not in known:
            found.add(word)
        if len(found) >= MOST_OF_A_TEXT:
            break
    return found


def add_words(case: Case, words: Iterable[str]) -> None:
    """The case is found by these words, too."""
    rows = (CaseWord(case=case, word=storable(word)) for word in sorted(words))
    CaseWord.objects.bulk_create(rows, batch_size=_BATCH)


def index_again(case: Case) -> None:
    """The words of a case anew, from what is stored; one that was erased keeps its number."""
    failures = [failure_from_json(facts) for facts in Failure.objects.filter(case=case).values_list("facts", flat=True)]
    words = words_of_case(case, failures)
    for sentence in case.outcomes.values_list("sentence", flat=True):
        words.update(words_of(sentence))
    forget_words(case)
    add_words(case, words)


def forget_words(case: Case) -> None:
    """The case is no longer found by its words: where its text is erased, these must go with it."""
    CaseWord.objects.filter(case=case).delete()


def word_query(query: str) -> Q:
    """The cases that have, for each word of `query`, a word that begins so; none where it holds no word. Two letters must be a whole
    word: half of all words begin with some of them."""
    terms = terms_of(query)
    found = Q() if terms else Q(pk__in=[])
    for term in terms:
        fits = begins("word", term) if len(term) >= _SHORTEST_BEGINNING else Q(word=storable(term))
        found &= Q(pk__in=CaseWord.objects.filter(fits).values("case"))
    return found


def begins(field: str, start: str) -> Q:
    """`field` begins with `start`, as its index can answer it.

    SQLite uses no index for LIKE where case counts, but for a range; PostgreSQL sorts by the rules of a language, so that a range would
    not do, but keeps an index for LIKE.
    """
    start = storable(start)
    if connection.vendor == "sqlite":
        return Q((f"{field}__gte", start), (f"{field}__lt", start + "\U0010ffff"))
    return Q((f"{field}__startswith", start))
