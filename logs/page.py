"""What the page of a log shows, from what was kept of its tally."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from knowledge.current import knowledge
from troubleshoot.charts import Chart, chart
from troubleshoot.csv_export import safe
from troubleshoot.wording import clipped
from whybounce.answer import WHO_ACTS

MOST_SHOWN = 50
_MOST_SERIES = 5
_MOST_BARS = 10
_LONGEST_BAR = 620
_BAR_ROOM = 44
_LONGEST_NAME = 64
_MOST_CAUSES = 30
_MOST_WORDS = 10


@dataclass(frozen=True, slots=True)
class CauseLine:
    """One cause of failures. `slug`: "" where the text does not tell, or the knowledge has it no more; `group`: number of its largest
    group; `share`: per cent of all failures."""

    slug: str
    title: str
    who: str
    count: int
    deferred: int
    share: int
    first: str
    last: str
    example: str
    group: int


@dataclass(frozen=True, slots=True)
class GroupLine:
    """Failures of one cause, code and provider. `number`: its place among all groups of the tally."""

    number: int
    slug: str
    title: str
    code: str
    provider: str
    count: int
    deferred: int
    first: str
    last: str
    example: str


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups that fit what is looked for, and how many there are."""

    lines: tuple[GroupLine, ...]
    fitting: int
    total: int
    query: str = ""

    @property
    def more(self) -> int:
        return self.fitting - len(self.lines)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the chart by cause: its place, the lengths of what failed and of what was deferred behind it, in units of the viewBox."""

    y: float
    failed: float
    waits: float
    label: str
    count: int
    deferred: int

    @property
    def total(self) -> int:
        return self.count + self.deferred

    @property
    def end(self) -> float:
        return self.failed + self.waits

    @property
    def name(self) -> str:
        """The label, as long as there is room for on a telephone."""
        return clipped(self.label, _LONGEST_NAME)


@dataclass(frozen=True, slots=True)
class CauseChart:
    bars: tuple[Bar, ...]
    height: int
    description: str


@dataclass(frozen=True, slots=True)
class Table:
    """What else failures can be counted by. `lines`: value, failed, deferred, delivered ("" where that is not counted)."""

    title: str
    lines: tuple[tuple[str, int, int, int | str], ...]


@dataclass(frozen=True, slots=True)
class LogPage:
    causes: tuple[CauseLine, ...]
    by_time: Chart | None
    by_cause: CauseChart | None
    groups: Groups
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    numbers: tuple[tuple[str, int], ...]
    span: str


def page_of(shown: Mapping[str, Any], query: str = "") -> LogPage:
    """The page of what `tallying.shown_of` kept."""
    causes = tuple(_causes(shown))
    numbers = (
        (_("failed"), shown["failures"]),
        (_("deferred"), shown["deferred"]),
        (_("delivered"), shown["delivered"]),
        (_("lines"), shown["lines"]),
    )
    return LogPage(
        causes,
        _time_chart(shown),
        _cause_chart(shown),
        groups_of(shown, query),
        tuple(_tables(shown)),
        tuple(shown["notes"]),
        numbers,
        span(shown["first"], shown["last"]),
    )


def span(first: str | None, last: str | None) -> str:
    """ "2026-11-25 09:12:04 to 10:00:00"; "" where no line had a time."""
    if not first or not last:
        return ""
    start, end = first.replace("T", " "), last.replace("T", " ")
    if start == end:
        return start
    return _("%(start)s to %(end)s") % {"start": start, "end": end[11:] if end[:10] == start[:10] else end}


def _causes(shown: Mapping[str, Any]) -> Iterable[CauseLine]:
    known = {cause.slug: cause for cause in knowledge().causes}
    for row in shown["by_cause"][:_MOST_CAUSES]:
        cause = known.get(row["cause"] or "")
        group = next(number for number, item in enumerate(shown["groups"]) if item["cause"] == row["cause"])
        who = ", ".join(WHO_ACTS[actor.value] for actor in cause.who_acts) if cause else ""
        share = round(100 * row["count"] / shown["failures"]) if shown["failures"] else 0
        yield CauseLine(
            cause.slug if cause else "", row["title"], who, row["count"], row["deferred"], share, *_times(row), row["example"] or "", group
        )


def _times(row: Mapping[str, Any]) -> tuple[str, str]:
    return (row["first"] or "").replace("T", " "), (row["last"] or "").replace("T", " ")


# --- charts ---


def _time_chart(shown: Mapping[str, Any]) -> Chart | None:
    """Failures over time, by the causes that are the most frequent."""
    rows = shown["by_time"]["rows"]
    if not rows:
        return None
    sums: Counter[str] = Counter()
    for row in rows:
        sums.update(row["causes"])
    if not sums:
        return None
    leading = [slug for slug, _number in sums.most_common(_MOST_SERIES)]
    titles = {row["cause"] or "": row["title"] for row in shown["by_cause"]}
    series = [(titles.get(slug) or _("Not told by the text"), [row["causes"].get(slug, 0) for row in rows]) for slug in leading]
    if len(sums) > len(leading):
        rest = [sum(number for slug, number in row["causes"].items() if slug not in leading) for row in rows]
        series.append((_("Other causes"), rest))
    unit = {"hour": _("by hour"), "day": _("by day"), "month": _("by month"), "year": _("by year")}[shown["by_time"]["unit"]]
    highest = max(rows, key=lambda row: sum(row["causes"].values()))
    told = _("Most failed at %(at)s: %(count)s. The table below holds all numbers.")
    description = told % {"at": highest["at"].replace("T", " "), "count": f"{sum(highest['causes'].values()):,}"}
    labels = _labels([row["at"] for row in rows], shown["by_time"]["unit"])
    return chart("over-time", _("Failures over time, %(unit)s") % {"unit": unit}, description, labels, series, stacked=True)


def _labels(places: Sequence[str], unit: str) -> list[str]:
    """`25 Nov 09h` would not fit: hours as `11-25 09h`, days as they are."""
    return [f"{place[5:10]} {place[11:]}h" for place in places] if unit == "hour" else list(places)


def _cause_chart(shown: Mapping[str, Any]) -> CauseChart | None:
    rows = shown["by_cause"][:_MOST_BARS]
    highest = max((row["count"] + row["deferred"] for row in rows), default=0)
    if not highest:
        return None
    unit = _LONGEST_BAR / highest
    bars = tuple(
        Bar(n * _BAR_ROOM + _BAR_ROOM - 16.0, unit * row["count"], unit * row["deferred"], row["title"], row["count"], row["deferred"])
        for n, row in enumerate(rows)
    )
    told = _("%(title)s leads with %(count)s. The table below holds all numbers.")
    return CauseChart(bars, len(rows) * _BAR_ROOM, told % {"title": rows[0]["title"], "count": f"{rows[0]['count'] + rows[0]['deferred']:,}"})


# --- groups ---


def groups_of(shown: Mapping[str, Any], query: str = "", most: int = MOST_SHOWN) -> Groups:
    """The groups in which all words of `query` stand, the largest first."""
    words = query.lower().split()[:_MOST_WORDS]
    lines = _group_lines(shown["groups"])
    fitting = [line for line in lines if not words or _fits(line, words)]
    return Groups(tuple(fitting[:most]), len(fitting), len(lines), query)


def _group_lines(groups: Sequence[Mapping[str, Any]]) -> list[GroupLine]:
    known = knowledge()
    titles = {cause.slug: cause.title for cause in known.causes}
    lines = []
    for number, group in enumerate(groups):
        slug = group["cause"] if group["cause"] in titles else ""
        provider = known.providers.get(group["provider"] or "")
        code = " ".join(filter(None, (group["code"], group["enhanced"])))
        title = titles.get(slug) or group["cause"] or _("Not told by the text")
        name = provider.name if provider else group["provider"] or ""
        numbers = (group["count"], group["deferred"])
        lines.append(GroupLine(number, slug, title, code, name, *numbers, *_times(group), group["example"] or ""))
    return lines


def _fits(line: GroupLine, words: Iterable[str]) -> bool:
    text = f"{line.title} {line.slug} {line.code} {line.provider} {line.example}".lower()
    return all(word in text for word in words)


def new_groups(shown: Mapping[str, Any], earlier: Mapping[str, Any]) -> tuple[GroupLine, ...]:
    """The groups that an earlier tally had not, by cause, codes and provider."""
    had = {_identity(group) for group in earlier["groups"]}
    lines = _group_lines(shown["groups"])
    return tuple(line for line, group in zip(lines, shown["groups"], strict=True) if _identity(group) not in had)


def _identity(group: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(group[name] for name in ("cause", "code", "enhanced", "provider"))


def csv_of(shown: Mapping[str, Any]) -> bytes:
    """The groups as CSV (RFC 4180), with a byte order mark, so that spreadsheets read it as UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    columns = ("cause", "category", "code", "enhanced", "provider", "count", "deferred", "first", "last", "example")
    writer.writerow(("title", *columns))
    for line, group in zip(_group_lines(shown["groups"]), shown["groups"], strict=True):
        writer.writerow([safe(line.title), *(safe("" if group[name] is None else group[name]) for name in columns)])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


# --- the rest ---


def _tables(shown: Mapping[str, Any]) -> Iterable[Table]:
    kinds: tuple[tuple[str, str, Callable[[Mapping[str, Any]], object]], ...] = (
        (_("Providers"), "by_provider", lambda row: row["name"] or row["provider"] or _("others")),
        (_("Receiving domains"), "by_domain", lambda row: row["domain"] or _("not told")),
        (_("Sending addresses"), "by_sending_ip", lambda row: row["sending_ip"]),
        (_("Senders' domains"), "by_sender_domain", lambda row: row["sender_domain"] or _("none (bounces)")),
    )
    for title, name, label in kinds:
        rows = [row for row in shown[name] if row["count"] or row["deferred"]][:_MOST_BARS]
        if rows:
            yield Table(title, tuple((str(label(row)), row["count"], row["deferred"], row.get("delivered", "")) for row in rows))
