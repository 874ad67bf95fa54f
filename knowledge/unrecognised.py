"""Replies that no pattern knows: kept, masked and counted by their shape, when a case is opened."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection, transaction
from django.dispatch import Signal
from django.utils import timezone

from knowledge.current import NoKnowledge, knowledge
from knowledge.models.unrecognised import MAX_SHAPE, UnrecognisedReply
from knowledge.moved import example_texts
from whybounce.compiled import Knowledge
from whybounce.failure import DeliveryFailure
from whybounce.masking import mask, names_in, shape_of, words_of
from whybounce.reasoning import Certainty, rank
from whybounce.snapshot import KnowledgeSnapshot
from whybounce.status import is_enhanced_code, is_reply_code

MOST_A_PASTE = 20
MOST_ROWS = 20_000
_MOST_LOOKED_AT = 200  # failures of one paste: a mailing to thousands must not cost seconds
_DROPPED_AT_ONCE = 500

shapes_met = Signal()
"""Sent with `keys` (UnrecognisedReply.key) of shapes that came for the first time, in the transaction that stores them."""


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """One shape of a paste, with what is kept of it. Fields as in models.UnrecognisedReply."""

    key: str
    text: str
    shape: str
    provider: str
    code: str
    enhanced: str
    guess: str
    category: str
    certainty: str


def record(failures: Iterable[DeliveryFailure]) -> int:
    """Counts the shapes of one paste that no pattern knows, each once, and says how many. Nothing where nothing is published yet."""
    try:
        found = find(knowledge(), failures)
    except NoKnowledge:
        return 0
    if found:
        with transaction.atomic():
            new = _upsert(found)
            if new:
                shapes_met.send(UnrecognisedReply, keys=new)
        _keep_bounded()
    return len(found)


def find(known: Knowledge, failures: Iterable[DeliveryFailure]) -> list[Unrecognised]:
    """At most MOST_A_PASTE shapes: of texts in which no pattern stands, or which leave the cause unclear."""
    shapes: dict[str, Unrecognised] = {}
    seen: set[str] = set()
    for failure in list(failures)[:_MOST_LOOKED_AT]:
        if not failure.text or failure.text in seen or len(shapes) >= MOST_A_PASTE:
            continue
        seen.add(failure.text)
        if item := _look_at(known, failure, shapes):
            shapes[item.key] = item
    return list(shapes.values())


def _look_at(known: Knowledge, failure: DeliveryFailure, shapes: dict[str, Unrecognised]) -> Unrecognised | None:
    masked = mask(failure, lambda word: is_known_word(known, word), MAX_SHAPE)
    shape = shape_of(masked)
    key = hashlib.sha256(shape.encode("utf-8", "replace")).hexdigest()[:32]
    if key in shapes or not words_of(masked):
        return None
    matched = bool(known.matcher.find(failure.text))
    ranking = rank(known, failure)
    verdict, top = ranking.verdict, ranking.top
    if matched and verdict.certainty is not Certainty.UNCLEAR:
        return None
    guess, category = (top.cause.slug, top.cause.category) if top else ("", "")
    code = failure.code if failure.code and is_reply_code(failure.code) else ""
    enhanced = failure.enhanced if failure.enhanced and is_enhanced_code(failure.enhanced) else ""
    return Unrecognised(key, _storable(masked), _storable(shape), ranking.provider, code, enhanced, guess, category, verdict.certainty.value)


def is_known_word(known: Knowledge, word: str) -> bool:
    """Whether servers use this word, so that it is nobody's name (masking.Known)."""
    return word.lower() not in _names_in_examples(known.snapshot) and known.model.read(word.lower()).known > 0


@lru_cache(maxsize=1)
def _names_in_examples(known: KnowledgeSnapshot) -> frozenset[str]:
    """Words that the text model knows from the addresses in example texts."""
    return names_in([text for text, _cause in example_texts(known)])


def _storable(text: str) -> str:
    """Without what a database refuses: the null character, half characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


_COLUMNS = (
    "key",
    "text",
    "shape",
    "provider",
    "code",
    "enhanced",
    "guess",
    "category",
    "certainty",
    "count",
    "first_seen",
    "last_seen",
    "state",
    "note",
)
_RENEWED = ("text", "provider", "code", "enhanced", "guess", "category", "certainty", "last_seen")


def _upsert(found: list[Unrecognised]) -> list[str]:
    """In one statement; sorted, so that two pastes at once do not wait for each other in a ring. What a curator decided stays. Gives the keys
    of those that were not there before."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    rows = [
        (*(getattr(item, name) for name in _COLUMNS[:9]), 1, now, now, UnrecognisedReply.State.NEW.value, "")
        for item in sorted(found, key=lambda item: item.key)
    ]
    quote = connection.ops.quote_name
    table = quote(UnrecognisedReply._meta.db_table)
    names = ", ".join(quote(name) for name in _COLUMNS)
    values = ", ".join([f"({', '.join(['%s'] * len(_COLUMNS))})"] * len(rows))
    renewed = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in _RENEWED)
    statement = (
        f"INSERT INTO {table} ({names}) VALUES {values} "  # noqa: S608 (names of the table's own columns; values are parameters)
        f"ON CONFLICT ({quote('key')}) DO UPDATE SET {quote('count')} = {table}.{quote('count')} + 1, {renewed} "
        f"RETURNING {quote('key')}, {quote('count')}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row])
        return [key for key, count in cursor.fetchall() if count == 1]


def _keep_bounded() -> None:
    """Above MOST_ROWS the shapes that were met once and longest ago go, some at a time; if there are too few of those, the oldest
    that nobody made anything of."""
    over = UnrecognisedReply.objects.count() - MOST_ROWS
    if over <= 0:
        return
    unused = UnrecognisedReply.objects.filter(state__in=[UnrecognisedReply.State.NEW, UnrecognisedReply.State.DISMISSED], note="")
    once = list(unused.filter(count=1).order_by("last_seen").values_list("pk", flat=True)[: over + _DROPPED_AT_ONCE])
    if len(once) < over:
        once += unused.exclude(pk__in=once).order_by("last_seen").values_list("pk", flat=True)[: over - len(once)]
    UnrecognisedReply.objects.filter(pk__in=once).delete()


def weigh_for(cause: str) -> Callable[[str], float] | None:
    """How much a sentence says of this cause by the text model in force, for `proposing.propose`; None where it knows no such cause."""
    try:
        model = knowledge().model
    except NoKnowledge:
        return None
    if cause not in model.causes:
        return None
    column = model.causes.index(cause)
    return lambda sentence: float(model.read(sentence).log_probability[column])
