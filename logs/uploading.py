"""Writes to uploads: begin, add a piece, cancel. Each says in its exception, in a sentence, why it refuses."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from logs import reading, storage
from logs.erasing import end_abandoned
from logs.models import LogReading
from troubleshoot.client import network_of
from troubleshoot.facts import storable
from troubleshoot.limits import Want, take
from troubleshoot.people import Person, person_of
from troubleshoot.refusal import Refused

State = LogReading.State
PIECE_BYTES = 4 * 1024 * 1024
"""What a browser sends at once."""
MOST_PIECE_BYTES = 16 * 1024 * 1024
MOST_UNFINISHED = 3
"""Uploads of one person that are not finished: they take room until they are a day old."""


class TooLarge(Refused):
    """More than WHYBOUNCE_LOG_BYTES."""

    def __init__(self) -> None:
        most = filesizeformat(settings.WHYBOUNCE_LOG_BYTES)
        super().__init__(
            _("The file has more than %(most)s, the most that is taken. Pack it (gzip, zstd), or upload the time in question alone.") % {"most": most}
        )


class NotUploading(Refused):
    """It was cancelled, or has all its bytes."""

    def __init__(self) -> None:
        super().__init__(_("This upload is over: it was finished or cancelled."))


def logs_of(person: Person) -> QuerySet[LogReading]:
    """Every log for support staff; for others those that they uploaded themselves. Without the tallies."""
    found = LogReading.objects.select_related("owner").defer("tally", "shown")
    if person.supports:
        return found
    mine = Q(pk__in=[])
    if person.visitor:
        mine |= Q(visitor=person.visitor)
    if person.user:
        mine |= Q(owner=person.user)
    return found.filter(mine)


def log_and_person(request: HttpRequest, public_id: str) -> tuple[LogReading, Person]:
    """The log and who asks for it; 404 where they may not see it, as if it did not exist."""
    person = person_of(request)
    log = logs_of(person).filter(public_id=public_id).first()
    if log is None:
        raise Http404(public_id)
    return log, person


def begin(*, person: Person, name: str, size: int, modified: int = 0) -> LogReading:
    """A log that will be uploaded. `modified`: when it was last written to, in milliseconds of Unix time; 0: not known."""
    if size > settings.WHYBOUNCE_LOG_BYTES:
        raise TooLarge
    if size <= 0:
        raise Refused(_("The file is empty."))
    if logs_of(Person(person.visitor, person.user)).filter(state=State.UPLOADING, **_own(person)).count() >= MOST_UNFINISHED:
        raise Refused(_("Some of your uploads are not finished. Go on with them, or cancel them first."))
    take(_wants(person, size))
    end_abandoned()
    storage.make_room(size)
    return LogReading.objects.create(
        visitor="" if person.user else person.visitor, owner=person.user, name=storable(name)[-200:], size=size, written=_time(modified)
    )


def _own(person: Person) -> dict[str, object]:
    return {"owner": person.user} if person.user else {"visitor": person.visitor}


def _wants(person: Person, size: int) -> list[Want]:
    whose = str(person.user.pk) if person.user else network_of(person.address)
    sentence = _("Many logs were uploaded in a short time.")
    return [Want("logs", whose, settings.WHYBOUNCE_LIMIT_LOGS, sentence), Want("log-bytes", whose, settings.WHYBOUNCE_LIMIT_LOG_MB, sentence, size)]


def _time(milliseconds: int) -> datetime | None:
    """None for what is no time, or one to come."""
    if not 0 < milliseconds <= timezone.now().timestamp() * 1000:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def add_piece(*, log: LogReading, at: int, piece: bytes) -> int:
    """Adds the piece that begins at byte `at`; returns how many bytes are there. With the last one it waits to be read.
    storage.OutOfStep where a gap would be left, storage.DiskFull where there is no room."""
    if log.state != State.UPLOADING:
        raise NotUploading
    if at + len(piece) > log.size:
        raise Refused(_("More bytes came than the file was said to have. Cancel, and upload it anew."))
    there = storage.append(log, at, piece)
    if not LogReading.objects.filter(pk=log.pk, state=State.UPLOADING).exists():  # cancelled at this very moment, in another tab
        storage.erase(log)
        raise NotUploading
    if there == log.size:
        finish(log=log)
    return there


def finish(*, log: LogReading) -> None:
    """All bytes are there: it is read."""
    if LogReading.objects.filter(pk=log.pk, state=State.UPLOADING).update(state=State.WAITING, heartbeat_at=None):
        log.state = State.WAITING
        reading.read_now(log)


def upload_whole(*, person: Person, name: str, data: UploadedFile[bytes] | bytes) -> LogReading:
    """A log that came in one request: a form without JavaScript, what was pasted, the sample."""
    size = len(data) if isinstance(data, bytes) else data.size or 0
    log = begin(person=person, name=name, size=size)
    at = 0
    try:
        for piece in [data] if isinstance(data, bytes) else data.chunks(PIECE_BYTES):
            at = storage.append(log, at, piece)
    except storage.DiskFull as error:
        LogReading.objects.filter(pk=log.pk).delete()
        storage.erase(log)
        raise storage.DiskFull(0) from error
    finish(log=log)
    return log


def cancel(*, log: LogReading) -> None:
    """Ends the upload or the reading, and erases the log. Nothing happens where it is over."""
    open_states = (State.UPLOADING, State.WAITING, State.READING)
    if LogReading.objects.filter(pk=log.pk, state__in=open_states).update(state=State.CANCELLED, finished_at=timezone.now()):
        storage.erase(log)
