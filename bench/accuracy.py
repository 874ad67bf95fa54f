"""How often the cause of a reply that the knowledge was not written from is found: cross-validation over the shipped texts.

    python -m bench.accuracy [FOLDER] [--folds 8] [--confused 15]      FOLDER of knowledge; default: the shipped one

Each fold leaves whole groups out, with everything that was drawn from them: a provider's patterns, codes and examples; of the general
ones a pattern with its examples, and texts that read nearly the same together. What remains reads the texts left out. What counts is
the category of the first cause. A text that also stands nearly word by word in what remains is counted apart: it is no new wording.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.groups import Text, folds_of, nearest, texts_of
from whybounce.compiled import Knowledge
from whybounce.intake import read_line
from whybounce.reasoning import Certainty, rank
from whybounce.snapshot import KnowledgeSnapshot
from whybounce.terms import TermKind
from whybounce.yaml_knowledge import read_folder

ROOT = Path(__file__).resolve().parent.parent
SAME_WORDING = 0.75


@dataclass(frozen=True, slots=True)
class Judged:
    """What was said of one text that belongs to `category`: the categories by the words and by the patterns alone, of the first cause
    and of the verdict ("" for none). `known`: nearly the same stands in the knowledge."""

    text: Text
    known: bool
    category: str
    certainty: str
    probability: float
    words: str
    patterns: str
    top: str
    whole: str
    digit: str


def without(snapshot: KnowledgeSnapshot, out: Sequence[Text]) -> KnowledgeSnapshot:
    """The snapshot as if the texts' groups had never been seen."""
    providers = {text.provider for text in out if text.provider}
    slugs = {text.pattern for text in out if text.pattern}
    texts = {text.text for text in out}
    return dataclasses.replace(
        snapshot,
        patterns=tuple(p for p in snapshot.patterns if p.provider not in providers and p.slug not in slugs),
        codes=tuple(c for c in snapshot.codes if c.provider not in providers),
        examples=tuple(e for e in snapshot.examples if e.provider not in providers and e.text not in texts),
    )


def judge(knowledge: Knowledge, texts: Sequence[Text]) -> Iterator[Judged]:
    """Reads and ranks the texts with knowledge that has not seen them."""
    categories = {cause.slug: cause.category for cause in knowledge.causes}
    likeness = nearest([text.text for text in texts], [text.text for text in texts_of(knowledge.snapshot)])
    for text, near in zip(texts, likeness, strict=True):
        failures = read_line(text.text).failures
        if not failures:
            continue
        ranking = rank(knowledge, failures[0])
        top = ranking.top
        category = top.cause.category if top else ""
        reading = ranking.reading
        words = categories[knowledge.model.causes[int(reading.log_probability.argmax())]] if reading and reading.known else ""
        said = sum((term.nats for term in ranking.terms if term.kind is TermKind.PATTERN), np.zeros(len(knowledge.causes)))
        patterns = knowledge.causes[int(said.argmax())].category if said.max() > 0 else ""
        certainty = ranking.verdict.certainty
        whole = "" if certainty is Certainty.UNCLEAR else category
        digit = (failures[0].code or failures[0].enhanced or "")[:1]
        p = ranking.category_probability(category)
        yield Judged(text, near >= SAME_WORDING, categories[text.cause], certainty.value, p, words, patterns, category, whole, digit)


def score(name: str, pairs: Iterable[tuple[str, str]]) -> str:
    """`pairs`: the right category and the one that was said, "" for none."""
    counts = Counter("unsure" if not said else "ok" if said == right else "wrong" for right, said in pairs)
    n = sum(counts.values()) or 1
    return f"{name:<24} n {n:>5}   " + "   ".join(f"{key} {counts[key] / n:6.1%}" for key in ("ok", "wrong", "unsure"))


def report(judged: Sequence[Judged], confused: int) -> Iterator[str]:
    new = [j for j in judged if not j.known]
    yield score("words alone", ((j.category, j.words) for j in new)) + "   (new wordings)"
    yield score("patterns alone", ((j.category, j.patterns) for j in new))
    yield score("the whole sum", ((j.category, j.whole) for j in new))
    yield score("  5xx", ((j.category, j.whole) for j in new if j.digit == "5"))
    yield score("  4xx", ((j.category, j.whole) for j in new if j.digit == "4"))
    yield score("  no code", ((j.category, j.whole) for j in new if not j.digit))
    yield score("wordings known", ((j.category, j.whole) for j in judged if j.known)) + "   (another group has nearly the same)"
    yield score("all texts", ((j.category, j.whole) for j in judged))
    yield "\nby category (new wordings)"
    for category in sorted({j.category for j in new}):
        yield score(f"  {category}", ((j.category, j.whole) for j in new if j.category == category))
    yield "\ncalibration (all texts): said, how often, how often right"
    for certainty in Certainty:
        yield _calibrated(certainty.value, [j for j in judged if j.certainty == certainty.value])
    yield _calibrated("likely or better", [j for j in judged if j.certainty in ("likely", "proved")])
    yield _calibrated("  of new wordings", [j for j in new if j.certainty in ("likely", "proved")])
    for least in range(0, 100, 10):
        rows = [j for j in judged if least <= j.probability * 100 < least + 10 or (least == 90 and j.probability >= 1)]
        yield _calibrated(f"p {least / 100:.1f}-{(least + 10) / 100:.1f}", rows)
    yield "\nmost confused (new wordings): right -> said"
    pairs = Counter((j.category, j.whole) for j in new if j.whole and j.whole != j.category)
    for (right, said), count in pairs.most_common(confused):
        yield f"{count:>5}  {right} -> {said}"


def _calibrated(name: str, rows: Sequence[Judged]) -> str:
    n = len(rows) or 1
    right = sum(j.top == j.category for j in rows)
    mean = sum(j.probability for j in rows) / n
    return f"  {name:<20} n {len(rows):>5}   right {right / n:6.1%}   said {mean:6.1%}"


def cross_validate(snapshot: KnowledgeSnapshot, folds: int) -> Iterator[Judged]:
    for out in folds_of(texts_of(snapshot), folds):
        yield from judge(Knowledge(without(snapshot, out)), out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "knowledge/data")
    parser.add_argument("--folds", type=int, default=8)
    parser.add_argument("--confused", type=int, default=15)
    options = parser.parse_args()
    started = time.process_time()
    judged = list(cross_validate(read_folder(options.folder), options.folds))
    for line in report(judged, options.confused):
        print(line)
    print(f"\n{time.process_time() - started:.0f} s of CPU")


if __name__ == "__main__":
    main()
