"""The remedy steps of a cause for one case: what to do, with commands and records set apart from sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

from knowledge.check_names import check_label
from troubleshoot.compare import Comparison
from troubleshoot.models import StepDone
from troubleshoot.publishing_records import first_places
from whybounce.publish import Proposal
from whybounce.remedies import Part, fill
from whybounce.snapshot import Actor, Cause, Link, RemedyStep

# A line that ends or begins a sentence is prose; in a text of several lines the others are commands, settings or records.
_PROSE = re.compile(r"[.:;!?…”]\s*$|[a-z0-9)]\. [A-Z]")


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines of a step: sentences, or where `code` is True something to type or to publish."""

    parts: tuple[Part, ...]
    code: bool


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the checks have to say on the steps of a remedy, by check.

    able        names of the checks that can look
    verifying   the checks that are being run to verify a step
    verified    before beside after, where a step was verified
    records     the record to publish
    """

    able: frozenset[str] = frozenset()
    verifying: frozenset[str] = frozenset()
    verified: Mapping[str, Comparison] = field(default_factory=dict)
    records: Mapping[str, Proposal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """`wording`: what to write to whoever must act.

    verify      the check that would prove it done, "" where none can look; `verify_label` as it is called
    verifying   that check is being run for it
    proof       what the check found before the step was done beside what it found after
    record      what to publish, at the first step that its check proves
    done        who did it and when; `offer`: it is not ticked off, but its check found that it is done
    """

    number: int
    slug: str
    actor: Actor
    text: tuple[Passage, ...]
    wording: tuple[Part, ...]
    links: tuple[Link, ...]
    verify: str
    verify_label: str = ""
    verifying: bool = False
    proof: Comparison | None = None
    record: Proposal | None = None
    done: StepDone | None = None
    offer: bool = False


def steps_of(cause: Cause, values: Mapping[str, str], proofs: Proofs) -> tuple[Step, ...]:
    """The steps of `cause` filled in with `values` (remedies.values_of)."""
    places = first_places(step.check for step in cause.steps)
    return tuple(_step(number, step, values, proofs, places[step.check] == number) for number, step in enumerate(cause.steps, 1))


def _step(number: int, step: RemedyStep, values: Mapping[str, str], proofs: Proofs, is_first: bool) -> Step:
    verify = step.check if step.check in proofs.able else ""
    return Step(
        number=number,
        slug=step.slug,
        actor=step.who,
        text=passages(step.text, values),
        wording=fill(step.wording, values),
        links=step.links,
        verify=verify,
        verify_label=check_label(verify) if verify else "",
        verifying=verify in proofs.verifying,
        proof=proofs.verified.get(verify),
        record=proofs.records.get(step.check) if is_first else None,
    )


def passages(text: str, values: Mapping[str, str]) -> tuple[Passage, ...]:
    """`text` filled in and cut where sentences and lines of code meet; the first line is always a sentence."""
    lines = text.strip().splitlines()
    marked = [(number > 0 and bool(line.strip()) and not _PROSE.search(line), line) for number, line in enumerate(lines)]
    return tuple(Passage(fill("\n".join(line for _code, line in run), values, code), code) for code, run in groupby(marked, key=lambda item: item[0]))
