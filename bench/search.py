"""How long a search takes in process, with the whole knowledge and with ten times as much.

    DEBUG=1 python -m bench.search [FOLDER]       a folder of knowledge files; default: the shipped one

Ten times as much: every row again with altered words, so that the index holds as many more words. Prints the median, the 99th
percentile and the slowest of each kind of query, each asked once; some are asked letter by letter, as one types. The times are of the
CPU: what else the machine does is not measured. Exits with 1 where a 99th percentile is over 5 ms.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
import django

django.setup()

from knowledge.explaining import _explanation  # noqa: E402
from knowledge.search import MAX_QUERY, Searcher  # noqa: E402
from whybounce.compiled import Knowledge  # noqa: E402
from whybounce.snapshot import KnowledgeSnapshot  # noqa: E402
from whybounce.yaml_knowledge import read_folder  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 0.005
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def altered(text: str, times: int, rng: random.Random) -> str:
    """The text with every third word changed by a letter and an ending of its own."""
    words = text.split(" ")
    for number in range(0, len(words), 3):
        word = words[number]
        if word.isalpha():
            place = rng.randrange(len(word))
            words[number] = f"{word[:place]}{rng.choice(LETTERS)}{word[place:]}{LETTERS[times]}"
    return " ".join(words)


def tenfold(known: KnowledgeSnapshot, rng: random.Random) -> KnowledgeSnapshot:
    """Each row ten times, nine of them with other words and another slug."""

    def rows(kind: tuple, *fields: str) -> Iterator:  # type: ignore[type-arg]
        yield from kind
        for times in range(1, 10):
            for row in kind:
                changed = {field: altered(getattr(row, field), times, rng) for field in fields}
                if hasattr(row, "examples"):
                    changed["examples"] = tuple(altered(text, times, rng) for text in row.examples)
                yield replace(row, **({"slug": f"{row.slug}-{times}"} if hasattr(row, "slug") else {}), **changed)

    return replace(
        known,
        causes=tuple(rows(known.causes, "title", "summary")),
        codes=tuple(rows(known.codes, "title", "meaning", "usual_causes")),
        patterns=tuple(rows(known.patterns, "meaning")),
        providers=tuple(rows(known.providers, "name", "note")),
        blocklists=tuple(rows(known.blocklists, "name", "meaning", "removal")),
        articles=tuple(rows(known.articles, "title", "summary", "body")),
    )


def misspelt(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word) - 1)
    before, letter, after = word[:place], word[place], word[place + 1 :]
    return rng.choice((before + after, before + rng.choice(LETTERS) + letter + after, before + after[0] + letter + after[1:]))


def queries(known: KnowledgeSnapshot, rng: random.Random) -> dict[str, list[str]]:
    """What people type, by kind."""
    texts = [text for pattern in known.patterns for text in pattern.examples]
    titles = [cause.title for cause in known.causes]
    words = sorted({word.lower() for title in titles for word in title.split() if word.isalpha() and len(word) > 4})
    phrases = []
    for text in rng.sample(texts, 300):
        parts = text.split()
        start = rng.randrange(max(len(parts) - 4, 1))
        phrases.append(" ".join(parts[start : start + rng.randrange(2, 6)]))
    typed = [phrase[:length] for phrase in ["mailbox full", "blocked using spamhaus", "google quota"] for length in range(1, len(phrase) + 1)]
    common = ["mail", "server", "the", "recipient", "message", "address", "from", "sender", "domain", "not", "for", "blocked"]
    return {
        "codes": [code.code for code in known.codes] + ["55", "5.7", "5.", "550-5.7.26"],
        "titles": titles,
        "phrases of replies": phrases,
        "letter by letter": typed,
        "one word misspelt": [misspelt(rng.choice(words), rng) for _ in range(300)],
        "three words misspelt": [" ".join(misspelt(word, rng) for word in rng.sample(words, 3)) for _ in range(300)],
        "providers and lists": [row.name for row in (*known.providers, *known.blocklists)],
        "whole replies": rng.sample(texts, 300),
        "twelve common words": [" ".join(rng.sample(common, 12)) for _ in range(100)],
        "nonsense": ["".join(rng.choice(LETTERS) for _ in range(rng.randrange(3, 16))) for _ in range(200)],
    }


def measure(work: Callable[[str], object], asked: list[str]) -> tuple[float, float, float]:
    took = []
    for query in asked:
        started = time.thread_time()
        work(query)
        took.append(time.thread_time() - started)
    took.sort()
    return took[len(took) // 2], took[min(int(len(took) * 0.99), len(took) - 1)], took[-1]


def _ask(searcher: Searcher, query: str) -> object:
    return searcher.search(query[:MAX_QUERY])


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "knowledge/data"
    known = read_folder(folder)
    over = 0
    for name, snapshot in (("the whole knowledge", known), ("ten times as much", tenfold(known, random.Random(2)))):
        started = time.perf_counter()
        searcher = Searcher(snapshot)
        ask = partial(_ask, searcher)
        print(f"{name}: {searcher.size:,} texts, {searcher.words:,} words, index built in {time.perf_counter() - started:.1f} s")
        for kind, asked in queries(known, random.Random(1)).items():
            middle, high, worst = measure(ask, asked)
            over += high > LIMIT
            print(f"  {kind:<22} median {middle * 1000:5.2f} ms   p99 {high * 1000:5.2f} ms   slowest {worst * 1000:5.2f} ms")
    engine = Knowledge(known)
    replies = random.Random(3).sample([text for pattern in known.patterns for text in pattern.examples], 300)
    _explanation(engine, replies[0])
    middle, high, worst = measure(lambda query: _explanation(engine, query), replies[1:])
    print(f"a pasted reply explained: median {middle * 1000:.2f} ms   p99 {high * 1000:.2f} ms   slowest {worst * 1000:.2f} ms")
    return int(over > 0)


if __name__ == "__main__":
    sys.exit(main())
