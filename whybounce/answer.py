"""What the engine says of a paste, as the JSON that other programs rely on (docs/json.md), and as lines for a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from whybounce.compiled import Knowledge
from whybounce.failure import DeliveryFailure, IntakeReport
from whybounce.reasoning import Hypothesis, LedgerLine, Ranking, Sum, rank
from whybounce.remedies import fill, values_of
from whybounce.snapshot import Strength
from whybounce.terms import Term, TermKind

_MOST_CAUSES = 6
_LEAST_PROBABILITY = 0.01

# From this many nats upwards a line of the ledger is called so.
_WORDS = (
    (5.0, Strength.PROVES),
    (2.0, Strength.STRONGLY_FOR),
    (1.0, Strength.FOR),
    (0.3, Strength.SLIGHTLY_FOR),
    (-0.3, None),
    (-1.0, Strength.SLIGHTLY_AGAINST),
    (-2.0, Strength.AGAINST),
    (-20.0, Strength.STRONGLY_AGAINST),
    (float("-inf"), Strength.RULES_OUT),
)


def strength_in_words(nats: float) -> str:
    """How strongly a ledger line speaks, in the words curators use; "" for next to nothing."""
    word = next(strength for least, strength in _WORDS if nats >= least)
    return word.value if word else ""


def explain(knowledge: Knowledge, report: IntakeReport, name: str = "") -> dict[str, Any]:
    """The contract's `explain` object for one paste; `name` is the file it came from."""
    return {
        "file": name or None,
        "format": report.format,
        "failures": [failure_json(rank(knowledge, failure)) for failure in report.failures],
        "notes": list(report.notes),
        "error": report.error,
    }


def explain_text(knowledge: Knowledge, report: IntakeReport, name: str = "") -> str:
    """`explain` as JSON text, for many pastes: what is said of a reply is written once for all replies that read the same."""
    failures = ", ".join(_failure_text(rank(knowledge, failure)) for failure in report.failures)
    head = f'{{"file": {_encoded(name or None)}, "format": {_encoded(report.format)}, "failures": [{failures}], '
    return f'{head}"notes": {_encoded(list(report.notes))}, "error": {_encoded(report.error)}}}'


def failure_json(ranking: Ranking) -> dict[str, Any]:
    """The contract's FAILURE object."""
    return {**_facts(ranking), **_said(ranking, ranking.terms)}


def _facts(ranking: Ranking) -> dict[str, Any]:
    failure = ranking.failure
    return {
        "recipient": failure.recipient or None,
        "action": failure.action.value,
        "code": failure.code,
        "enhanced": failure.enhanced,
        "text": failure.text,
        "stage": failure.stage.value or None,
        "remote_mta": failure.remote_mta or None,
        "reporting_mta": failure.reporting_mta or None,
        "sending_ip": failure.sending_ip or None,
        "envelope_sender": failure.envelope_sender or None,
        "message_id": failure.message_id or None,
        "provider": ranking.provider or None,
    }


def _said(ranking: Ranking, terms: Sequence[Term]) -> dict[str, Any]:
    """Verdict and causes: what depends on the sum alone, but for the words in which a pattern was found."""
    verdict = ranking.verdict
    shown = [h for i, h in enumerate(ranking.best(_MOST_CAUSES)) if i == 0 or h.probability >= _LEAST_PROBABILITY]
    return {
        "verdict": {
            "permanent": verdict.permanent,
            "who_acts": [who.value for who in verdict.who_acts],
            "certainty": verdict.certainty.value,
        },
        "causes": [
            {
                "cause": hypothesis.cause.slug,
                "title": hypothesis.cause.title,
                "category": hypothesis.cause.category,
                "probability": round(hypothesis.probability, 4),
                "because": list(_because(hypothesis, ranking.ledger_of(terms, hypothesis.cause.slug))),
            }
            for hypothesis in shown
        ],
    }


_MAY_PROVE = (TermKind.PATTERN, TermKind.ANSWER, TermKind.CHECK)


def _because(hypothesis: Hypothesis, lines: list[LedgerLine]) -> Iterator[dict[str, str]]:
    """The lines that say something. Only what a curator vouched for proves; words and codes, however clear, speak strongly."""
    for line in lines:
        strength = strength_in_words(line.nats)
        if strength == Strength.PROVES and not (hypothesis.proved and line.kind in _MAY_PROVE):
            strength = Strength.STRONGLY_FOR.value
        if strength and line.kind is not TermKind.PRIOR:
            yield {"observation": ":".join(part for part in (line.kind.value, line.ref, line.value) if part), "strength": strength}


_encoded = json.JSONEncoder(ensure_ascii=False).encode
# A place for a pattern's words: nothing else of what is kept has this character, which JSON writes as an escape.
_PLACE = re.compile(r"\\u0000(\d+)\\u0000")
_texts: WeakKeyDictionary[Sum, dict[bool, list[str]]] = WeakKeyDictionary()


def _failure_text(ranking: Ranking) -> str:
    """`failure_json` as JSON text, made of parts kept with the sum."""
    words = [ranking.failure.text[match.span.start : match.span.end] for match in ranking.matches]
    if not all(words):  # then a line of the ledger is written without words
        return _encoded(failure_json(ranking))
    permanent = ranking.verdict.permanent
    kept = _texts.setdefault(ranking.sum, {})
    parts = kept.get(permanent)
    if parts is None:
        places = ranking.terms_with([f"\0{number}\0" for number in range(len(words))])
        parts = kept[permanent] = _PLACE.split(_encoded(_said(ranking, places))[1:])
    said = parts[0] + "".join([_encoded(words[int(number)])[1:-1] + part for number, part in zip(parts[1::2], parts[2::2], strict=True)])
    return f"{_encoded(_facts(ranking))[:-1]}, {said}"


_CERTAINTY = {"proved": "This is why", "likely": "Most likely", "possible": "Possibly", "unclear": "The text says too little; perhaps"}
# Who must act, in words.
WHO_ACTS = {
    "sender": "the sender",
    "sender-admin": "the sender's mail administrator",
    "recipient": "the recipient",
    "recipient-admin": "the recipient's mail administrator",
    "nobody": "nobody: wait",
}


def for_people(knowledge: Knowledge, report: IntakeReport) -> Iterator[str]:
    """The same in plain lines: facts, verdict, causes, steps of the first one."""
    if report.error:
        yield report.error
    for failure in report.failures:
        yield from _failure_lines(knowledge, failure)
    yield from report.notes


def _failure_lines(knowledge: Knowledge, failure: DeliveryFailure) -> Iterator[str]:
    ranking = rank(knowledge, failure)
    verdict, hypotheses = ranking.verdict, ranking.best(4)
    provider = knowledge.providers.get(ranking.provider)
    facts = (
        ("recipient", failure.recipient),
        ("reply", failure.text),
        ("refused by", failure.remote_mta),
        ("stage", failure.stage.value),
        ("sending IP", failure.sending_ip),
        ("envelope sender", failure.envelope_sender),
        ("provider", provider.name if provider else ""),
    )
    for label, value in facts:
        if value:
            yield f"{label + ':':<17}{value}"
    if not hypotheses:
        return
    top = hypotheses[0].cause
    yield f"\n{_CERTAINTY[verdict.certainty.value]}: {top.title} ({hypotheses[0].probability:.0%})"
    yield f"{'Permanent: sending it again unchanged will not help' if verdict.permanent else 'Temporary: it may go through later'}. To act: " + (
        ", then ".join(WHO_ACTS[who.value] for who in verdict.who_acts) + "."
    )
    for hypothesis in hypotheses[1:]:
        if hypothesis.probability >= 0.05:
            yield f"   or: {hypothesis.cause.title} ({hypothesis.probability:.0%})"
    values = values_of(failure, provider.name if provider else "")
    for number, step in enumerate(top.steps, 1):
        yield f"{number:>3}. [{WHO_ACTS[step.who.value]}] " + "".join(part.text for part in fill(step.text, values))
    yield ""
