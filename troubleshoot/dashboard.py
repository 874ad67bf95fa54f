"""What the cases of a period tell together: how many, what they proved to be, how quickly, and what the knowledge missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from knowledge.current import NoKnowledge, knowledge
from knowledge.models import UnrecognisedReply
from troubleshoot.case_filters import cause_titles
from troubleshoot.charts import Chart, chart
from troubleshoot.models import Case, Observation, Outcome

_CAUSES = 5
_PROVIDERS = 8


def _day(day: date) -> date:
    return day


def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date) -> date:
    return day.replace(day=1)


@dataclass(frozen=True, slots=True)
class Period:
    """`bucket`: the first day of that which a day is counted in (the day, its week, its month)."""

    slug: str
    label: str | Promise
    days: int
    bucket: Callable[[date], date]
    form: str


PERIODS = {
    period.slug: period
    for period in (
        Period("7", gettext_lazy("7 days"), 7, _day, "%a %d %b"),
        Period("30", gettext_lazy("30 days"), 30, _day, "%d %b"),
        Period("90", gettext_lazy("90 days"), 90, _week, "%d %b"),
        Period("365", gettext_lazy("a year"), 365, _month, "%b %Y"),
    )
}
DEFAULT = "30"


@dataclass(frozen=True, slots=True)
class Told:
    """An outcome as the figures need it. `minutes`: from opening to closing; `questions`: answered by a person."""

    day: date
    cause: str
    right: bool
    minutes: float
    questions: int
    provider: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure. `url`: where what it counts can be seen, "" for nowhere."""

    label: str
    figure: str
    note: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ProviderLine:
    """`usual`: the title of the cause that was confirmed most, "" where none was."""

    slug: str
    name: str
    cases: int
    confirmed: int
    usual: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`empty`: there was no case and no outcome in the period."""

    period: Period
    tiles: tuple[Tile, ...]
    charts: tuple[Chart, ...]
    providers: tuple[ProviderLine, ...]
    empty: bool


def dashboard_of(slug: str, queue: str = "") -> Dashboard:
    """The figures of the period with this slug (PERIODS), or of the usual one: five queries. `queue`: address of the unrecognised replies."""
    period = PERIODS.get(slug, PERIODS[DEFAULT])
    today = timezone.localdate()
    first = today - timedelta(days=period.days - 1)
    since = timezone.make_aware(datetime.combine(first, time.min))
    opened, told = _opened(since), _told(since)
    buckets = sorted({period.bucket(first + timedelta(days=n)) for n in range(period.days)})
    providers = _providers(since, told)
    charts = [_over_time(period, buckets, opened, told)]
    if told:
        charts.append(_causes(period, buckets, told))
    if providers:
        charts.append(_by_provider(providers))
    return Dashboard(period, _tiles(since, sum(opened.values()), told, queue), tuple(charts), tuple(providers), not opened and not told)


# --- what is read ---


def _opened(since: datetime) -> Counter[date]:
    """How many cases were opened on each day; duplicates that were merged are no cases of their own."""
    rows = Case.objects.exclude(state=Case.State.MERGED).filter(created_at__gte=since).order_by()
    return Counter(dict(rows.annotate(day=TruncDate("created_at")).values("day").annotate(n=Count("pk")).values_list("day", "n")))


def _told(since: datetime) -> list[Told]:
    """The outcomes in force of a period."""
    asked = Count("case__observations", filter=Q(case__observations__asked_of=Observation.AskedOf.PERSON))
    rows = (
        Outcome.objects.filter(at__gte=since, reopened_at=None)
        .exclude(case__state=Case.State.MERGED)
        .annotate(questions=asked)
        .order_by("at")
        .values_list("at", "cause", "first_guess", "questions", "case__created_at", "case__provider")
    )
    return [
        Told(timezone.localtime(at).date(), cause, bool(cause) and cause == guess, max(0.0, (at - opened).total_seconds() / 60), questions, provider)
        for at, cause, guess, questions, opened, provider in rows.iterator()
    ]


def _providers(since: datetime, told: Sequence[Told]) -> list[ProviderLine]:
    """The providers that most cases are about; those of which none is known are left out."""
    rows = Case.objects.exclude(state=Case.State.MERGED).exclude(provider="").filter(created_at__gte=since).order_by()
    counted = list(rows.values("provider").annotate(n=Count("pk")).order_by("-n", "provider").values_list("provider", "n")[:_PROVIDERS])
    names, titles = _provider_names(), cause_titles()
    lines = []
    for slug, n in counted:
        causes = Counter(item.cause for item in told if item.provider == slug and item.cause)
        usual = causes.most_common(1)[0][0] if causes else ""
        lines.append(ProviderLine(slug, names.get(slug, slug), n, causes.total(), titles.get(usual, usual)))
    return lines


def _provider_names() -> dict[str, str]:
    try:
        return {slug: provider.name for slug, provider in knowledge().providers.items()}
    except NoKnowledge:
        return {}


# --- figures ---


def _tiles(since: datetime, opened: int, told: Sequence[Told], queue: str) -> tuple[Tile, ...]:
    known = [item for item in told if item.cause]
    right = sum(item.right for item in known)
    now = Case.objects.filter(state=Case.State.OPEN).aggregate(all=Count("pk"), free=Count("pk", filter=Q(assignee=None)))
    missed = UnrecognisedReply.objects.aggregate(
        new=Count("pk", filter=Q(first_seen__gte=since)),
        times=Sum("count", filter=Q(first_seen__gte=since), default=0),
        waiting=Count("pk", filter=Q(state=UnrecognisedReply.State.NEW)),
    )
    dash = "–"
    return (
        Tile(_("Cases opened"), str(opened)),
        Tile(
            _("Causes confirmed"),
            str(len(known)),
            ngettext("and %(n)d closed as none of them", "and %(n)d closed as none of them", len(told) - len(known)) % {"n": len(told) - len(known)}
            if len(told) > len(known)
            else "",
        ),
        Tile(
            _("First guess right"),
            f"{round(100 * right / len(known))} %" if known else dash,
            _("%(right)d of %(all)d") % {"right": right, "all": len(known)} if known else "",
        ),
        Tile(_("Questions to a cause, median"), _number(median(item.questions for item in known)) if known else dash),
        Tile(
            _("Time to a cause, median"),
            in_time(median(item.minutes for item in known)) if known else dash,
            _("from opening to closing") if known else "",
        ),
        Tile(_("Open now"), str(now["all"]), _("%(n)d of them with nobody") % {"n": now["free"]}, "?state=open"),
        Tile(_("Replies not recognised"), str(missed["new"]), _("new kinds, met %(times)d times; %(waiting)d wait for a curator") % missed, queue),
    )


def _number(value: float) -> str:
    return f"{value:g}"


def in_time(minutes: float) -> str:
    """Minutes as people say them: `"12 min"`, `"3.5 h"`, `"2 days"`."""
    if minutes < 1:
        return _("under 1 min")
    if minutes < 120:
        return _("%(n)d min") % {"n": round(minutes)}
    if minutes < 48 * 60:
        return _("%(n)s h") % {"n": _number(round(minutes / 60, 1))}
    return _("%(n)s days") % {"n": _number(round(minutes / 1440, 1))}


# --- charts ---


def _series(period: Period, buckets: Sequence[date], days: Iterable[date]) -> list[int]:
    counted = Counter(period.bucket(day) for day in days)
    return [counted[bucket] for bucket in buckets]


def _over_time(period: Period, buckets: Sequence[date], opened: Counter[date], told: Sequence[Told]) -> Chart:
    labels = [f"{bucket:{period.form}}" for bucket in buckets]
    series = [
        (_("Opened"), _series(period, buckets, opened.elements())),
        (_("Cause confirmed"), _series(period, buckets, (item.day for item in told if item.cause))),
    ]
    told_of = {"opened": sum(series[0][1]), "confirmed": sum(series[1][1])}
    about = _("%(opened)d cases were opened, the cause of %(confirmed)d was confirmed.") % told_of
    return chart("cases", _("Cases over time"), about, labels, series, stacked=False)


def _causes(period: Period, buckets: Sequence[date], told: Sequence[Told]) -> Chart:
    """The causes that were confirmed most, and all others together."""
    titles = cause_titles()
    counted = Counter(item.cause for item in told)
    counted.pop("", None)
    first = [slug for slug, _n in counted.most_common(_CAUSES)]
    series = [(titles.get(slug, slug), _series(period, buckets, (item.day for item in told if item.cause == slug))) for slug in first]
    if len(counted) > len(first):
        series.append((_("Other causes"), _series(period, buckets, (item.day for item in told if item.cause and item.cause not in first))))
    if none := _series(period, buckets, (item.day for item in told if not item.cause)):
        series += [(_("None of the known causes"), none)] if sum(none) else []
    about = "; ".join(f"{name}: {sum(values)}" for name, values in series)
    return chart("causes", _("Confirmed causes over time"), about, [f"{bucket:{period.form}}" for bucket in buckets], series, stacked=True)


def _by_provider(lines: Sequence[ProviderLine]) -> Chart:
    series = [(_("Cases"), [line.cases for line in lines]), (_("Cause confirmed"), [line.confirmed for line in lines])]
    about = "; ".join(f"{line.name}: {line.cases}" for line in lines)
    return chart("providers", _("Cases by provider"), about, [line.name for line in lines], series, stacked=False)
