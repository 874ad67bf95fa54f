"""`/readyz`: can this process do its work? The database answers, knowledge is compiled, the name servers of the checks answer.

Each part is looked at in a thread with a deadline, so that a database or a name server that hangs is said to hang instead of holding up the answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse

from knowledge.current import NoKnowledge, snapshot
from whybounce.checks.dns_message import Status
from whybounce.checks.resolver import Resolver

PART_SECONDS = 2.0
KEPT_SECONDS = 1.0
"""How long an answer is given again: a probe may come from many sides, the database and the name servers are asked once."""
_DNS_SECONDS = 1.5
_log = logging.getLogger(__name__)


class NotReady(Exception):
    """Why a part is not ready, in a sentence that names no host, no user and no address."""


@dataclass(frozen=True, slots=True)
class Part:
    """What was seen of one part. `why`: "" where it is ready; `ms`: how long the look took."""

    why: str
    ms: int

    @property
    def ready(self) -> bool:
        return not self.why


def database_answers() -> None:
    """NotReady where the database cannot be asked, or has no tables yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
        cursor.fetchone()


def knowledge_compiled() -> None:
    """Compiles the knowledge in force where this process has not done so yet. NotReady where none is published."""
    try:
        snapshot()
    except NoKnowledge:
        raise NotReady("No knowledge is published: run manage.py load_knowledge.") from None


def name_servers_answer() -> None:
    """NotReady where none of the name servers that the checks ask answers a question for those of the root (RFC 9609 section 3)."""
    status = async_to_sync(_ask_for_the_root)()
    if status not in {Status.ANSWERED, Status.NODATA, Status.NXDOMAIN}:  # a server that knows only some zones answers too
        raise NotReady(f"The name servers give no answer ({status}).")


async def _ask_for_the_root() -> Status:
    async with Resolver(settings.WHYBOUNCE_NAMESERVERS or None, question_seconds=_DNS_SECONDS, max_queries=8) as resolver:
        return (await resolver.ask(".", "NS")).status


PARTS: Mapping[str, Callable[[], None]] = {
    "database": database_answers,
    "knowledge": knowledge_compiled,
    "resolver": name_servers_answer,
}


class _Look:
    """One look at a part, in a thread of its own."""

    def __init__(self, name: str, look: Callable[[], None]) -> None:
        self.why = ""
        self._look = look
        self._done = threading.Event()
        self.began = self.ended = time.monotonic()
        threading.Thread(target=self._run, name=f"readyz-{name}", daemon=True).start()

    def _run(self) -> None:
        try:
            self._look()
        except NotReady as error:
            self.why = str(error)
        except Exception as error:  # noqa: BLE001 (whatever it is, the part is not ready; its message may name hosts and users)
            self.why = f"It failed ({type(error).__name__})."
        finally:
            connection.close()
            self.ended = time.monotonic()
            self._done.set()

    @property
    def done(self) -> bool:
        return self._done.is_set()

    def wait(self, seconds: float) -> Part:
        if self._done.wait(max(0.0, seconds)):
            return Part(self.why, round((self.ended - self.began) * 1000))
        waited = time.monotonic() - self.began
        return Part(f"No answer within {waited:.1f} s.", round(waited * 1000))


class Readiness:
    """Looks at the parts, each by at most one thread at a time, and keeps what was seen for a moment."""

    def __init__(self, parts: Mapping[str, Callable[[], None]] | None = None, *, seconds: float = PART_SECONDS, kept: float = KEPT_SECONDS) -> None:
        self._parts = PARTS if parts is None else parts
        self._seconds, self._kept = seconds, kept
        self._lock = threading.Lock()
        self._looks: dict[str, _Look] = {}
        self._seen: dict[str, Part] = {}
        self._until = 0.0
        self._said: frozenset[str] = frozenset()

    def look(self) -> dict[str, Part]:
        """Each part by name. Takes at most `seconds`."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._seen = self._look()
                self._until = time.monotonic() + self._kept
                self._say()
            return self._seen

    def _look(self) -> dict[str, Part]:
        for name, look in self._parts.items():
            if name not in self._looks or self._looks[name].done:  # one that hangs is waited for, not piled upon
                self._looks[name] = _Look(name, look)
        until = time.monotonic() + self._seconds
        return {name: look.wait(until - time.monotonic()) for name, look in self._looks.items()}

    def _say(self) -> None:
        """A line in the log when it changes, not with every probe."""
        missing = frozenset(name for name, part in self._seen.items() if not part.ready)
        if missing != self._said:
            if missing:
                _log.warning("Not ready: %s", "; ".join(f"{name}: {self._seen[name].why}" for name in sorted(missing)))
            else:
                _log.warning("Ready again.")
        self._said = missing


def answer(request: HttpRequest, readiness: Readiness) -> JsonResponse:
    """200 where all parts are ready, else 503; `?only=database,knowledge` goes by those alone. The body: {"ready": bool, "parts": {name:
    {"ready": bool, "ms": int, "why": sentence where it is not}}}. An unknown part is 400."""
    wanted = [name for name in request.GET.get("only", "").split(",") if name]
    seen = readiness.look()
    if set(wanted) - set(seen):
        return JsonResponse({"error": f"Parts are {', '.join(seen)}."}, status=400)
    parts = {name: part for name, part in seen.items() if not wanted or name in wanted}
    ready = all(part.ready for part in parts.values())
    told = {name: {"ready": part.ready, "ms": part.ms} | ({"why": part.why} if part.why else {}) for name, part in parts.items()}
    response = JsonResponse({"ready": ready, "parts": told}, status=200 if ready else 503)
    response["Cache-Control"] = "no-store"
    response._has_been_logged = True  # type: ignore[attr-defined]  # else Django writes an error for each probe
    return response
