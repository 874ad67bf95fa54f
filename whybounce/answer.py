"""What the engine says of a paste, as the JSON that other programs rely on (docs/json.md), and as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whybounce.compiled import Knowledge
from whybounce.failure import DeliveryFailure, IntakeReport
from whybounce.reasoning import Hypothesis, LedgerLine, Ranking, rank
from whybounce.remedies import fill, values_of
from whybounce.snapshot import Strength
from whybounce.terms import TermKind

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


def failure_json(ranking: Ranking) -> dict[str, Any]:
    """The contract's FAILURE object."""
    failure, verdict = ranking.failure, ranking.verdict
    hypotheses = ranking.hypotheses[:_MOST_CAUSES]
    shown = [h for i, h in enumerate(hypotheses) if i == 0 or h.probability >= _LEAST_PROBABILITY]
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
                "because": list(_because(hypothesis, ranking.ledger(hypothesis.cause.slug))),
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


_CERTAINTY = {"proved": "This is why", "likely": "Most likely", "possible": "Possibly", "unclear": "The text says too little; perhaps"}
_WHO = {
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
    verdict, hypotheses = ranking.verdict, ranking.hypotheses
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
        ", then ".join(_WHO[who.value] for who in verdict.who_acts) + "."
    )
    for hypothesis in hypotheses[1:4]:
        if hypothesis.probability >= 0.05:
            yield f"   or: {hypothesis.cause.title} ({hypothesis.probability:.0%})"
    values = values_of(failure, provider.name if provider else "")
    for number, step in enumerate(top.steps, 1):
        yield f"{number:>3}. [{_WHO[step.who.value]}] " + "".join(part.text for part in fill(step.text, values))
    yield ""
