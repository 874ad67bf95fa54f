"""Checks, their findings and ages in words. What a finding means is knowledge; here is how it is set on a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from knowledge.check_names import SEVERITIES, check_label
from troubleshoot.wording import clipped
from whybounce.checks.result import Severity
from whybounce.compiled import Knowledge
from whybounce.snapshot import FindingNote, KnowledgeSnapshot
from whybounce.visible import visible

_GRAVEST = {severity: number for number, severity in enumerate((Severity.ERROR, Severity.WARNING, Severity.UNKNOWN, Severity.INFO, Severity.OK))}
_FRESH_SECONDS = 20


@dataclass(frozen=True, slots=True)
class FindingLine:
    """A finding on the page. `title` is the knowledge's, or its id in plain letters; `seen` the data that shows it."""

    slug: str
    label: str
    tone: str
    title: str
    meaning: str
    mend: str
    seen: str


def finding_lines(known: Knowledge, findings: list[dict[str, Any]]) -> tuple[FindingLine, ...]:
    """The stored findings of an outcome, the gravest first."""
    ranked = sorted(findings, key=lambda item: _GRAVEST[Severity(item["severity"])])
    return tuple(_line(known, item) for item in ranked)


def _line(known: Knowledge, item: Mapping[str, Any]) -> FindingLine:
    label, tone = SEVERITIES[Severity(item["severity"])]
    note = finding_note(known, item["finding"])
    seen = "; ".join(f"{str(name).replace('_', ' ')}: {in_line(value)}" for name, value in item["data"].items() if value not in ("", None, [], {}))
    meaning, mend = (note.meaning, note.mend) if note else ("", "")
    return FindingLine(item["finding"], str(label), tone, finding_title(known, item["finding"]), meaning, mend, visible(clipped(seen, 300)))


def finding_note(known: Knowledge, slug: str) -> FindingNote | None:
    return _notes(known.snapshot).get(slug)


def finding_title(known: Knowledge, slug: str) -> str:
    """What a finding is called; one that the knowledge does not know by its id, made readable: `"spf.too_many_mx"` -> `"SPF: too many MX"`."""
    note = finding_note(known, slug)
    if note:
        return note.title
    check, _dot, rest = slug.partition(".")
    return f"{check_label(check)}: {rest.replace('_', ' ')}" if rest else slug


@lru_cache(maxsize=2)
def _notes(snapshot: KnowledgeSnapshot) -> Mapping[str, FindingNote]:
    return {note.slug: note for note in snapshot.findings}


def in_line(value: object) -> str:
    """JSON as a person reads it, in one line."""
    if isinstance(value, Mapping):
        return "; ".join(f"{str(name).replace('_', ' ')} {in_line(item)}" for name, item in value.items() if item not in ("", None, [], {}))
    if isinstance(value, list):
        return ", ".join(in_line(item) for item in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value if isinstance(value, str) else json.dumps(value)


def age(at: datetime) -> str:
    """How long ago a check looked, `"3 minutes ago"`; "" where that is just now."""
    seconds = int((timezone.now() - at).total_seconds())
    if seconds < _FRESH_SECONDS:
        return ""
    if seconds < 90:
        return ngettext("%(n)d second ago", "%(n)d seconds ago", seconds) % {"n": seconds}
    if seconds < 90 * 60:
        minutes = round(seconds / 60)
        return ngettext("%(n)d minute ago", "%(n)d minutes ago", minutes) % {"n": minutes}
    if seconds < 36 * 3600:
        hours = round(seconds / 3600)
        return ngettext("%(n)d hour ago", "%(n)d hours ago", hours) % {"n": hours}
    days = round(seconds / 86400)
    return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}
