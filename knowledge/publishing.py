"""Publishing: the published rows become a revision, whole, with the text model fitted on them. Nobody but curators sees a row
before; nobody sees half of a change."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import transaction

from knowledge.models import KnowledgeRevision
from knowledge.moved import Report, what_moved
from knowledge.rows import to_snapshot
from whybounce.compiled import Knowledge, labelled_examples
from whybounce.document import digest, to_document
from whybounce.problem import Problem
from whybounce.snapshot import KnowledgeSnapshot
from whybounce.validate import validate
from whybounce.words import TextModel, fit
from whybounce.yaml_knowledge import from_document

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

KEEP = 20
Review = Callable[[Knowledge | None, Knowledge], Report]
"""Looks at what serves and at what would: gives the report to be kept with the revision, or raises to stop the publishing."""


class CannotPublish(Exception):
    """The rows contradict each other; `problems` says where."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.row}: {problem.message}" for problem in problems))


def publishable() -> KnowledgeSnapshot:
    """The published rows as a snapshot. CannotPublish where a rule between rows is broken."""
    snapshot = to_snapshot()
    if problems := validate(snapshot):
        raise CannotPublish(problems)
    return snapshot


def publish(
    *, by: AbstractBaseUser | None, reason: str, shipped_files: str = "", confirmed: str = "", review: Review = what_moved
) -> KnowledgeRevision:
    """Stores the published rows as the newest revision and returns it; the newest one itself where nothing changed.
    `shipped_files`: digest of the files just loaded; "" keeps the one known. `confirmed`: why it goes on although cases end elsewhere.

    Takes the seconds that fitting the text model takes. CannotPublish where a rule between rows is broken. The oldest revisions
    over KEEP are dropped.
    """
    while True:
        newest = KnowledgeRevision.objects.only("pk", "digest", "shipped_files").first()
        snapshot = publishable()
        document = to_document(snapshot)
        fingerprint = digest(document)
        files = shipped_files or (newest.shipped_files if newest else "")
        if newest and newest.digest == fingerprint:
            KnowledgeRevision.objects.filter(pk=newest.pk).update(shipped_files=files)
            return newest
        weights = fit(labelled_examples(snapshot)).to_bytes()
        revision = KnowledgeRevision(
            created_by_id=by.pk if by else None,
            reason=reason,
            digest=fingerprint,
            shipped_files=files,
            content=zlib.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()),
            weights=weights,
            report=review(_serving(newest), Knowledge(snapshot, TextModel.from_bytes(weights))),  # rounded, as it will serve
            confirmed=confirmed,
        )
        if _stored(revision, after=newest.pk if newest else 0):
            return revision


def _serving(newest: KnowledgeRevision | None) -> Knowledge | None:
    """What a reader sees now, compiled; None where nothing is published, or by another version of the program that kept it otherwise."""
    revision = KnowledgeRevision.objects.filter(pk=newest.pk).first() if newest else None
    try:
        return compiled(revision) if revision else None
    except ValueError:
        return None


def _stored(revision: KnowledgeRevision, *, after: int) -> bool:
    """Stores `revision`, unless `after` (0: none) is no longer the newest one: somebody published while the model was fitted, and what was
    read before must not overrule what they published."""
    with transaction.atomic():
        # Two who come at once wait here for each other; on SQLite the transaction itself does that.
        list(KnowledgeRevision.objects.select_for_update().filter(pk=after).values_list("pk"))
        if KnowledgeRevision.objects.filter(pk__gt=after).exists():
            return False
        revision.save()
        old = KnowledgeRevision.objects.order_by("-pk").values_list("pk", flat=True)[KEEP:]
        KnowledgeRevision.objects.filter(pk__in=list(old)).delete()
    return True


def compiled(revision: KnowledgeRevision) -> Knowledge:
    """The knowledge of a stored revision, ready for reasoning. About a second; the seconds of a fit where another version of the
    program stored the model: an upgrade serves at once, and the next publishing stores a model that it can read."""
    document = json.loads(zlib.decompress(bytes(revision.content)))
    try:
        model = TextModel.from_bytes(bytes(revision.weights))
    except ValueError:
        model = None
    return Knowledge(from_document(document, revision.pk), model)


def unpublished_changes() -> bool:
    """True where the published rows are no longer what the newest revision holds."""
    newest = KnowledgeRevision.objects.only("digest").first()
    return newest is None or newest.digest != digest(to_document(to_snapshot()))
