"""A tally as the JSON that other programs rely on (docs/json.md), and as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from whybounce.answer import WHO_ACTS
from whybounce.compiled import Knowledge
from whybounce.triage.counts import DEFERRED, DELIVERED, FAILED
from whybounce.triage.tally import Moments, Tally

_SHOWN = 10
_MOST = 0.5
"""The share from which on one cause is what is wrong."""
_LEAST_UNREAD = 0.5


def to_json(tally: Tally, knowledge: Knowledge, since: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The contract's `triage` object of a settled tally. `since`: the same of an earlier tally; "new" holds what it had not."""
    groups = _groups(tally)
    out: dict[str, Any] = {
        "lines": tally.lines,
        "bytes": tally.bytes,
        "unread": tally.unread,
        "failures": tally.failures,
        "deferred": tally.deferred,
        "delivered": tally.delivered,
        "first": tally.times.first or None,
        "last": tally.times.last or None,
        "by_cause": _by_cause(tally, knowledge, groups),
        "by_code": _by_code(groups),
        "by_provider": _by_provider(tally, knowledge),
        "by_domain": _dimension(tally, "domain"),
        "by_sending_ip": _dimension(tally, "sending_ip"),
        "by_sender_domain": _dimension(tally, "sender_domain"),
        "by_hour": sorted(_dimension(tally, "hour"), key=lambda row: row["hour"] or ""),
        "groups": groups,
        "capped": _capped(tally),
        "notes": notes_of(tally),
    }
    if since is not None:
        out["new"] = _new(groups, since)
    return out


def notes_of(tally: Tally) -> list[str]:
    """Sentences for a person on what the tally does not hold."""
    notes = [note if times == 1 else f"{note} ({times:,} times)" for note, times in sorted(tally.notes.items())]
    if tally.early:
        notes.append(
            f"More messages were open at once than are kept: {tally.early:,} were counted as deferred or failed before their end was seen;"
            " what came later counts again."
        )
    for name, under in _capped(tally).items():
        notes.append(f"{name} holds the values that came first or count most; {under['count']:,} failures belong to others.")
    if tally.unread > tally.lines * _LEAST_UNREAD:
        notes.append(f"{tally.unread:,} of {tally.lines:,} lines have no form of a mail server's log that is known here.")
    return notes


def _groups(tally: Tally) -> list[dict[str, Any]]:
    rows = [(reason, row) for reason, row in tally.reasons.rows.items() if row[FAILED] or row[DEFERRED]]
    rows.sort(key=lambda item: (-item[1][FAILED], -item[1][DEFERRED], item[0]))
    return [
        {
            "cause": reason.cause or None,
            "category": reason.category,
            "code": reason.code or None,
            "enhanced": reason.enhanced or None,
            "provider": reason.provider or None,
            "count": row[FAILED],
            "deferred": row[DEFERRED],
            "first": tally.moments.get(reason, Moments()).first or None,
            "last": tally.moments.get(reason, Moments()).last or None,
            "example": tally.examples.get(reason) or None,
        }
        for reason, row in rows
    ]


def _by_cause(tally: Tally, knowledge: Knowledge, groups: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    titles = {cause.slug: cause.title for cause in knowledge.causes}
    rows: dict[str | None, dict[str, Any]] = {}
    for group in groups:
        row = rows.get(group["cause"])
        if row is None:
            row = rows[group["cause"]] = {
                "cause": group["cause"],
                "title": titles.get(group["cause"] or "", "Not told by the text"),
                "category": group["category"],
                "count": 0,
                "deferred": 0,
                "first": None,
                "last": None,
                "example": None,
            }
        row["count"] += group["count"]
        row["deferred"] += group["deferred"]
        row["first"] = min(filter(None, (row["first"], group["first"])), default=None)
        row["last"] = max(filter(None, (row["last"], group["last"])), default=None)
        row["example"] = row["example"] or group["example"]
    return sorted(rows.values(), key=lambda row: (-row["count"], -row["deferred"], row["cause"] or ""))


def _by_code(groups: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    counts: dict[tuple[str | None, str | None], list[int]] = {}
    for group in groups:
        row = counts.setdefault((group["code"], group["enhanced"]), [0, 0])
        row[0] += group["count"]
        row[1] += group["deferred"]
    ranked = sorted(counts.items(), key=lambda item: (-item[1][0], -item[1][1], str(item[0])))
    return [{"code": code, "enhanced": enhanced, "count": count, "deferred": deferred} for (code, enhanced), (count, deferred) in ranked]


def _by_provider(tally: Tally, knowledge: Knowledge) -> list[dict[str, Any]]:
    sums: dict[str, list[int]] = {}
    causes: dict[str, Counter[str]] = {}
    for reason, row in tally.reasons.rows.items():
        mine = sums.setdefault(reason.provider, [0, 0, 0])
        for place, number in enumerate(row):
            mine[place] += number
        if row[FAILED]:
            causes.setdefault(reason.provider, Counter())[reason.cause] += row[FAILED]
    rows = sorted(sums.items(), key=lambda item: (-item[1][FAILED], -item[1][DEFERRED], -item[1][DELIVERED], item[0]))
    return [
        {
            "provider": slug or None,
            "name": knowledge.providers[slug].name if slug in knowledge.providers else None,
            **_numbers(row),
            "causes": dict(causes.get(slug, Counter()).most_common()),
        }
        for slug, row in rows
    ]


def _dimension(tally: Tally, name: str) -> list[dict[str, Any]]:
    """One kind of value, those first that failed most."""
    table = tally.tables[name]
    causes: dict[str, dict[str, int]] = {}
    for (value, cause), row in sorted(table.rows.items(), key=lambda item: (-item[1][FAILED], item[0])):
        if row[FAILED]:
            causes.setdefault(value, {})[cause] = row[FAILED]
    sums = sorted(table.by_first().items(), key=lambda item: (-item[1][FAILED], -item[1][DEFERRED], -item[1][DELIVERED], item[0]))
    delivered_too = name != "sending_ip"
    return [{name: value or None, **_numbers(row, delivered=delivered_too), "causes": causes.get(value, {})} for value, row in sums]


def _numbers(row: Sequence[int], *, delivered: bool = True) -> dict[str, int]:
    numbers = {"count": row[FAILED], "deferred": row[DEFERRED]}
    return {**numbers, "delivered": row[DELIVERED]} if delivered else numbers


def _capped(tally: Tally) -> dict[str, dict[str, int]]:
    tables = {"groups": tally.reasons, **{f"by_{name}": table for name, table in tally.tables.items()}}
    return {name: _numbers(table.under_cap) for name, table in tables.items() if any(table.under_cap)}


def _new(groups: Iterable[dict[str, Any]], since: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Groups that the earlier tally had not: by cause, codes and provider."""
    known = {_identity(group) for group in since.get("groups", ()) if isinstance(group, dict)}
    return [group for group in groups if _identity(group) not in known]


def _identity(group: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(group.get(name) for name in ("cause", "code", "enhanced", "provider"))


Row = Mapping[str, Any]
_TABLES: tuple[tuple[str, str, Callable[[Row], str]], ...] = (
    ("code", "by_code", lambda row: " ".join(filter(None, (row["code"], row["enhanced"]))) or "no code"),
    ("provider", "by_provider", lambda row: str(row["name"] or row["provider"] or "others")),
    ("receiving domain", "by_domain", lambda row: str(row["domain"] or "not told")),
    ("sending address", "by_sending_ip", lambda row: str(row["sending_ip"])),
    ("sender's domain", "by_sender_domain", lambda row: str(row["sender_domain"] or "none (bounces)")),
    ("hour", "by_hour", lambda row: f"{row['hour']}h".replace("T", " ") if row["hour"] else "no time"),
)


def for_people(tally: Tally, knowledge: Knowledge, since: Mapping[str, Any] | None = None) -> Iterator[str]:
    """One sentence that says what is wrong, then tables, then notes."""
    told = to_json(tally, knowledge, since)
    yield summary(told, knowledge)
    yield ""
    if told["by_cause"]:
        yield from _cause_lines(told, knowledge)
    for title, name, shown in _TABLES:
        rows = [row for row in told[name] if row["count"] or row["deferred"]]
        if rows:
            yield from _table(title, [(shown(row), row) for row in rows], last=name == "by_hour")
    if since is not None:
        yield from _new_lines(told["new"], knowledge)
    yield from told["notes"]


def summary(told: Mapping[str, Any], knowledge: Knowledge) -> str:
    """What is wrong, in a sentence; `told` as `to_json` gives it."""
    failures, deferred, delivered = told["failures"], told["deferred"], told["delivered"]
    rest = f"{deferred:,} deferred, {delivered:,} delivered"
    if not failures and not deferred:
        return f"Nothing failed: {delivered:,} delivered." if delivered else "No line tells what became of a message."
    what = "failures" if failures else "deferrals"
    key = "count" if failures else "deferred"
    total = failures or deferred
    top = max(told["by_cause"], key=lambda row: row[key])
    groups = [group for group in told["groups"] if group["cause"] == top["cause"]]
    by_provider: Counter[str] = Counter()
    for group in groups:
        by_provider[group["provider"] or ""] += group[key]
    provider, number = by_provider.most_common(1)[0]
    named = _name(knowledge, provider) if number > top[key] * _MOST else ""
    count = number if named else top[key]
    since, total_since = _since(told, top, total) if failures else ("", total)
    share = count / total_since
    amount = f"{count:,} of {total_since:,} {what}{since}"
    what_it_is = f"{top['title']}{f' ({named})' if named else ''}"
    head = "" if failures else "Nothing failed for good. "
    if share > _MOST:
        return f"{head}{share:.0%} of the {what}{since} have one cause: {what_it_is} ({count:,} of {total_since:,}; {rest})."
    return f"{head}No one cause leads: the most frequent, with {share:.0%}, is: {what_it_is} ({amount}; {rest})."


def _name(knowledge: Knowledge, slug: str) -> str:
    """Who refuses; not what program."""
    provider = knowledge.providers.get(slug)
    return provider.name if provider and provider.kind != "mta" else ""


def _since(told: Mapping[str, Any], top: Mapping[str, Any], total: int) -> tuple[str, int]:
    """ " since 2026-11-25 09:00" and the failures from then on, where the cause began after the log did."""
    hours = [row for row in told["by_hour"] if row["hour"]]
    first = next((row["hour"] for row in hours if row["causes"].get(top["cause"] or "")), "")
    before = [row for row in hours if row["hour"] < first]
    if not first or not any(row["count"] or row["delivered"] for row in before):
        return "", total
    return f" since {first.replace('T', ' ')}:00", sum(row["count"] for row in hours if row["hour"] >= first)


def _cause_lines(told: Mapping[str, Any], knowledge: Knowledge) -> Iterator[str]:
    who = {cause.slug: ", ".join(WHO_ACTS[actor.value] for actor in cause.who_acts) for cause in knowledge.causes}
    yield f"{'failed':>9} {'deferred':>9}  cause"
    for row in told["by_cause"][:_SHOWN]:
        yield f"{row['count']:>9,} {row['deferred']:>9,}  {row['title']}"
        yield f"{'':>21}{_span(row)}{'; to act: ' + who[row['cause']] if row['cause'] in who else ''}"
        if row["example"]:
            yield f"{'':>21}{row['example']}"
    if len(told["by_cause"]) > _SHOWN:
        left = told["by_cause"][_SHOWN:]
        yield f"{sum(row['count'] for row in left):>9,} {sum(row['deferred'] for row in left):>9,}  {len(left)} other causes"
    yield ""


def _span(row: Mapping[str, Any]) -> str:
    first, last = row["first"], row["last"]
    if not first:
        return "no time"
    first, last = first.replace("T", " "), last.replace("T", " ")
    return first if first == last else f"{first} to {last[11:] if last[:10] == first[:10] else last}"


def _table(title: str, rows: Sequence[tuple[str, Mapping[str, Any]]], *, last: bool) -> Iterator[str]:
    """The first ten; of hours the newest ten."""
    yield f"{'failed':>9} {'deferred':>9} {'delivered':>10}  {title}"
    for label, row in rows[-_SHOWN:] if last else rows[:_SHOWN]:
        delivered = f"{row['delivered']:,}" if "delivered" in row else ""
        yield f"{row['count']:>9,} {row['deferred']:>9,} {delivered:>10}  {label}"
    if len(rows) > _SHOWN:
        yield f"{'':>32}and {len(rows) - _SHOWN:,} {'before' if last else 'more'}"
    yield ""


def _new_lines(new: Sequence[Mapping[str, Any]], knowledge: Knowledge) -> Iterator[str]:
    if not new:
        yield "Nothing is new since the earlier tally."
        return
    titles = {cause.slug: cause.title for cause in knowledge.causes}
    yield "New since the earlier tally:"
    for group in new[:_SHOWN]:
        code = " ".join(filter(None, (group["code"], group["enhanced"])))
        provider = group["provider"]
        name = knowledge.providers[provider].name if provider in knowledge.providers else ""
        of = f" ({', '.join(filter(None, (code, name)))})" if code or name else ""
        yield f"{group['count']:>9,} {group['deferred']:>9,}  {titles.get(group['cause'] or '', 'Not told by the text')}{of}"
    yield ""
