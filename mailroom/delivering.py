"""The queue of webhooks: what is due is sent, tried again with growing pauses, given up after two days.

A thread of the server does it while something waits, `manage.py deliver_webhooks` does it alone; many may at once: each claims what it sends.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.db.models import F, Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from mailroom.models import Delivery, Webhook
from mailroom.posting import Posted, post, signature
from troubleshoot.retention import in_event_loop

PAUSES = (60, 300, 1800, 7200, 21_600, 43_200, 86_400)
"""Seconds between the attempts: a minute at first, a day at last. Then it is given up."""
_CLAIM = timedelta(minutes=2)
_MOST_A_WEBHOOK = 5  # at once: one that hangs must not hold up the others
_LOG_DAYS = timedelta(days=30)
_LONGEST_SLEEP = 30.0
_LOOK_SECONDS = 60.0
_log = logging.getLogger(__name__)
State = Delivery.State


def deliver_due() -> int:
    """Sends everything that is due now, once, and says how many attempts that were."""
    count = 0
    while rows := _claim(timezone.now()):
        _send(rows)
        count += len(rows)
    return count


def deliver(row: Delivery) -> Delivery:
    """Sends one delivery at once, whenever it is due, unless another process is sending it; gives it as it is then."""
    if _is_claimed(row.pk, timezone.now()):
        _send([row])
    row.refresh_from_db()
    return row


def _claim(now: datetime) -> list[Delivery]:
    """Some of what is due, a few of each webhook, which no other process sends from now on."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - _CLAIM)
    found: list[Delivery] = []
    for hook in Webhook.objects.filter(pk__in=Delivery.objects.filter(state=State.WAITING, next_at__lte=now).values("webhook")):
        due = Delivery.objects.filter(free, webhook=hook, state=State.WAITING, next_at__lte=now).order_by("next_at", "pk")
        found += [row for row in due.select_related("webhook")[:_MOST_A_WEBHOOK] if _is_claimed(row.pk, now)]
    return found


def _is_claimed(pk: int, now: datetime) -> bool:
    """Claims a row: False where another process was quicker, or it was sent meanwhile."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - _CLAIM)
    return bool(Delivery.objects.filter(free, pk=pk, state=State.WAITING).update(claimed_at=now))


def _send(rows: Sequence[Delivery]) -> None:
    active = [row for row in rows if row.webhook.active or row.event == "test"]
    results = asyncio.run(_post_all(active)) if active else []
    for row, posted in zip(active, results, strict=True):
        _store(row, posted)
    for row in rows:
        if row not in active:
            _end(row, State.GIVEN_UP, problem=_("The webhook was switched off."))


async def _post_all(rows: Sequence[Delivery]) -> list[Posted]:
    return await asyncio.gather(*(_post(row) for row in rows))


async def _post(row: Delivery) -> Posted:
    body = row.body.encode()
    headers = {
        "Whybounce-Event": row.event,
        "Whybounce-Delivery": row.public_id,
        "Whybounce-Signature": signature(row.webhook.secret, int(time.time()), body),
    }
    try:
        return await post(row.webhook.url, body, headers)
    except Exception as error:  # noqa: BLE001 (one fault must not stop the queue)
        _log.exception("A webhook could not be sent")
        return Posted(problem=_("Fault: %(name)s.") % {"name": type(error).__name__})


def _store(row: Delivery, posted: Posted) -> None:
    attempts = row.attempts + 1
    told: dict[str, Any] = {"attempts": F("attempts") + 1, "status": posted.status}
    if posted.is_taken:
        _end(row, State.DONE, **told, problem="")
    elif attempts > len(PAUSES) or row.event == "test":
        _end(row, State.GIVEN_UP, **told, problem=posted.problem[:300])
    else:
        again = timezone.now() + timedelta(seconds=PAUSES[attempts - 1])
        Delivery.objects.filter(pk=row.pk).update(**told, problem=posted.problem[:300], next_at=again, claimed_at=None)


def _end(row: Delivery, state: Delivery.State, **told: Any) -> None:
    Delivery.objects.filter(pk=row.pk).update(state=state, finished_at=timezone.now(), claimed_at=None, **told)


def try_again(rows: Any) -> int:
    """Puts deliveries that were given up, or wait, to the front of the queue. `rows`: a QuerySet of Delivery."""
    count = rows.exclude(state=State.DONE).update(state=State.WAITING, attempts=0, next_at=timezone.now(), claimed_at=None, finished_at=None)
    wake()
    return int(count)


def forget_old() -> None:
    """Drops what ended long ago from the log."""
    Delivery.objects.filter(finished_at__lt=timezone.now() - _LOG_DAYS).delete()


def seconds_until_due() -> float | None:
    """Seconds until the next delivery is due, 0 or less where one is; None where none waits."""
    first = Delivery.objects.filter(state=State.WAITING).aggregate(first=Min("next_at"))["first"]
    return None if first is None else float((first - timezone.now()).total_seconds())


# --- a thread of the server ---


class _Worker:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self.called = threading.Event()
        self.looked_at = 0.0


_worker = _Worker()


def wake() -> None:
    """Has a thread of this process deliver what waits; it ends when nothing does."""
    if not settings.WHYBOUNCE_WEBHOOKS_IN_SERVER:
        return
    with _worker.lock:
        _worker.called.set()
        if _worker.thread is None:
            _worker.thread = threading.Thread(target=_work, name="webhooks", daemon=True)
            _worker.thread.start()


def _work() -> None:
    try:
        while True:
            _worker.called.clear()
            wait = _work_once()
            if wait is None:
                with _worker.lock:
                    if not _worker.called.is_set():
                        _worker.thread = None
                        return
            else:
                connection.close()
                _worker.called.wait(min(max(wait, 1.0), _LONGEST_SLEEP))
    finally:
        connection.close()


def _work_once() -> float | None:
    """Delivers what is due: seconds until there is more, None where nothing waits."""
    try:
        deliver_due()
        forget_old()
        return seconds_until_due()
    except DatabaseError:
        _log.warning("Webhooks could not be delivered; it is tried again", exc_info=True)
        return _LONGEST_SLEEP


def in_passing(**_signal: Any) -> None:
    """After a response, about once a minute in each process: what waits since this process began, or another one died, is taken up."""
    now = time.monotonic()
    looked = bool(_worker.looked_at) and now - _worker.looked_at < _LOOK_SECONDS
    if looked or not settings.WHYBOUNCE_WEBHOOKS_IN_SERVER or in_event_loop() or connection.in_atomic_block:
        return
    _worker.looked_at = now
    try:
        if Delivery.objects.filter(state=State.WAITING).exists():
            wake()
    except DatabaseError:
        _log.warning("Whether webhooks wait could not be seen", exc_info=True)
    finally:
        close_old_connections()
