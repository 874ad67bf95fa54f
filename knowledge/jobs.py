"""Publishing in the background: a job is asked for, a thread of this process does it, everybody can watch.

A process that dies in the middle leaves the old revision serving, and a job whose heartbeat has stopped: it is shown as
interrupted and can be started again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from knowledge.current import knowledge
from knowledge.models import KnowledgeRevision, PublishJob
from knowledge.models.desk import DEAD_AFTER
from knowledge.moved import Report, what_moved
from knowledge.publishing import CannotPublish, publish
from whybounce.compiled import Knowledge

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

State = PublishJob.State
_HEARTBEAT_SECONDS = 3.0
_LONGEST_WAIT = 30.0
_logger = logging.getLogger(__name__)


class AlreadyPublishing(Exception):
    """Another job is under way: `job`."""

    def __init__(self, job: PublishJob) -> None:
        self.job = job
        super().__init__(_("Somebody is publishing already."))


class NeedsConfirmation(Exception):
    """Example cases that were right would end elsewhere; `report` lists them under cases, broken."""

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__("example cases end elsewhere")


def start(*, by: AbstractBaseUser | None, reason: str, confirmed: str = "", confirmed_cases: tuple[str, ...] = ()) -> PublishJob:
    """Stores a job and sets a thread to work on it as soon as the present transaction is over. AlreadyPublishing where a job is
    under way. `confirmed`: why the cases named may end elsewhere."""
    bury_the_dead()
    job = PublishJob(active=True, by_id=by.pk if by else None, reason=reason, confirmed=confirmed, confirmed_cases=list(confirmed_cases))
    try:
        with transaction.atomic():
            job.save()
    except IntegrityError:
        other = PublishJob.objects.filter(active=True).first()
        if other is None:  # it ended in this very moment
            return start(by=by, reason=reason, confirmed=confirmed, confirmed_cases=confirmed_cases)
        raise AlreadyPublishing(other) from None
    if getattr(settings, "KNOWLEDGE_PUBLISH_IN_THREAD", True):
        transaction.on_commit(lambda: threading.Thread(target=_in_thread, args=(job.pk,), name=f"publishing-{job.pk}", daemon=True).start())
    else:
        run(job.pk)
    return job


def bury_the_dead() -> None:
    """Jobs that no process works on any more are marked as interrupted."""
    dead = PublishJob.objects.filter(active=True, heartbeat_at__lt=timezone.now() - DEAD_AFTER)
    if dead:
        dead.update(active=None, state=State.INTERRUPTED, finished_at=timezone.now())


def newest() -> PublishJob | None:
    """The job last asked for."""
    bury_the_dead()
    return PublishJob.objects.select_related("by", "revision").first()


def _in_thread(pk: int) -> None:
    try:
        with _heart(pk):
            run(pk, until_served=True)
    finally:
        connection.close()


@contextmanager
def _heart(pk: int) -> Iterator[None]:
    """Renews the job's heartbeat from a thread of its own: fitting the text model is one long call."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(_HEARTBEAT_SECONDS):
                try:
                    PublishJob.objects.filter(pk=pk, active=True).update(heartbeat_at=timezone.now())
                except DatabaseError:  # one that is busy with a long import, or was restarted: the job lives as long as its process
                    _logger.warning("The heartbeat of publishing %s was not stored", pk, exc_info=True)
                    connection.close()
        finally:
            connection.close()

    heart = threading.Thread(target=beat, name=f"heart-{pk}", daemon=True)
    heart.start()
    try:
        yield
    finally:
        stop.set()
        heart.join()


def run(pk: int, *, until_served: bool = False) -> None:
    """Does the job, in this thread, and stores how it ended. Raises nothing. `until_served`: done means that this process serves
    the new revision already."""
    job = PublishJob.objects.select_related("by").get(pk=pk)
    _store(job, state=State.RUNNING, started_at=timezone.now(), progress=_("The rules between rows are checked, then the text model is fitted."))
    before = KnowledgeRevision.objects.order_by("-pk").values_list("pk", flat=True).first()
    try:
        revision = publish(by=job.by, reason=job.reason, confirmed=job.confirmed, review=_review(job))
        if until_served:
            _store(job, progress=_("Revision %(number)d is stored and is made ready.") % {"number": revision.pk})
            _wait_until_served(revision.pk)
    except CannotPublish as error:
        problems = [[problem.row, problem.message] for problem in error.problems]
        _end(job, State.FAILED, problems=problems, progress=_("Rows contradict each other. Nothing was published."))
    except NeedsConfirmation as stop:
        _end(job, State.UNCONFIRMED, report=stop.report, progress=_("Example cases would end at another cause. Nothing was published yet."))
    except Exception:
        _logger.exception("Publishing %s failed", pk)
        _end(job, State.FAILED, progress=_("Something failed that is no fault of the rows; the server's log says what. Nothing was published."))
    else:
        said = _("Nothing had changed: revision %(number)d still serves.") if revision.pk == before else _("Revision %(number)d serves.")
        _end(job, State.DONE, revision=revision, report=revision.report if revision.pk != before else {}, progress=said % {"number": revision.pk})


def _wait_until_served(revision: int) -> None:
    """Returns when this process serves that revision, or a later one; after _LONGEST_WAIT in any case: it is stored, and will be."""
    until = time.monotonic() + _LONGEST_WAIT
    while time.monotonic() < until and knowledge().snapshot.revision < revision:
        time.sleep(0.2)


def _review(job: PublishJob) -> Callable[[Knowledge | None, Knowledge], Report]:
    def review(before: Knowledge | None, after: Knowledge) -> Report:
        _store(job, progress=_("The example cases and a sample of the example texts are worked through."))
        report = what_moved(before, after, with_texts=True)
        if {line["name"] for line in report["cases"]["broken"]} - set(job.confirmed_cases):
            raise NeedsConfirmation(report)
        return report

    return review


def _store(job: PublishJob, **fields: object) -> None:
    PublishJob.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now(), **fields)


def _end(job: PublishJob, state: PublishJob.State, **fields: object) -> None:
    _store(job, state=state, active=None, finished_at=timezone.now(), **fields)
