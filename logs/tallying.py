"""From the tally of a log to what is kept of it: all of it as JSON, and what its page shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from knowledge.current import knowledge
from logs.models import LogReading
from whybounce.triage import Tally, to_json
from whybounce.triage.reporting import summary

_MOST_ROWS = 50
_MOST_GROUPS = 2000
_MOST_PLACES = 72
"""Hours, days or months that a chart shows apart."""
_LENGTHS = {"hour": 13, "day": 10, "month": 7, "year": 4}
"""Letters of an hour (`2026-11-25T09`) that name the one, the day, the month, the year."""


def keep(log: LogReading, tally: Tally, path: str) -> str:
    """Fills `shown`, `sentence`, `tally`, `read` of `log`, not stored. Returns "" or, where nothing could be read, why.
    `path`: where the log lies, which nobody needs to know."""
    name = log.name or _("What was pasted")
    tally.notes = {note.replace(path, name): times for note, times in tally.notes.items()}
    told = to_json(tally, knowledge())
    log.read = tally.bytes
    if not tally.lines:
        return " ".join([*told["notes"], _("Upload a mail server's log as text, or packed as .gz, .bz2, .xz or .zst.")])
    log.sentence = summary(told, knowledge())
    log.shown = shown_of(told)
    log.keep_tally(told)
    return ""


def shown_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """The object of `triage --json` with its lists cut short, and `by_time` instead of its hours: {"unit": "hour" | "day" | "month" |
    "year", "rows": [{"at", "causes": {slug: count}, "deferred", "delivered"}]}, without gaps."""
    out = {name: told[name] for name in ("lines", "bytes", "unread", "failures", "deferred", "delivered", "first", "last", "by_cause", "notes")}
    for name in ("by_code", "by_provider", "by_domain", "by_sending_ip", "by_sender_domain"):
        out[name] = told[name][:_MOST_ROWS]
    out["groups"] = told["groups"][:_MOST_GROUPS]
    out["by_time"] = by_time(told["by_hour"])
    return out


def by_time(hours: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Hours added up so that few enough are left to be drawn; the newest where there are more of the longest unit."""
    known = [row for row in hours if row["hour"]]
    if not known:
        return {"unit": "hour", "rows": []}
    unit, places = _places(known[0]["hour"], known[-1]["hour"])
    sums: dict[str, dict[str, Any]] = {place: {"at": place, "causes": Counter(), "deferred": 0, "delivered": 0} for place in places}
    for row in known:
        mine = sums.get(row["hour"][: _LENGTHS[unit]])
        if mine is not None:
            mine["causes"].update(row["causes"])
            mine["deferred"] += row["deferred"]
            mine["delivered"] += row["delivered"]
    return {"unit": unit, "rows": list(sums.values())}


def _places(first: str, last: str) -> tuple[str, list[str]]:
    """The unit, and the names of all of it from the first hour to the last."""
    start, end = datetime.fromisoformat(f"{first}:00"), datetime.fromisoformat(f"{last}:00")
    if end - start < timedelta(hours=_MOST_PLACES):
        return "hour", [(start + timedelta(hours=number)).strftime("%Y-%m-%dT%H") for number in range(int((end - start) / timedelta(hours=1)) + 1)]
    if end - start < timedelta(days=_MOST_PLACES - 1):
        days = (end.date() - start.date()).days
        return "day", [(start.date() + timedelta(days=number)).isoformat() for number in range(days + 1)]
    months = (end.year - start.year) * 12 + end.month - start.month
    if months < _MOST_PLACES:
        return "month", [f"{start.year + (start.month - 1 + n) // 12:04d}-{(start.month - 1 + n) % 12 + 1:02d}" for n in range(months + 1)]
    return "year", [f"{year:04d}" for year in range(max(start.year, end.year - _MOST_PLACES + 1), end.year + 1)]
