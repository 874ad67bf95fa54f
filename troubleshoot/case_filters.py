"""The staff's list of cases: what its address says, and which cases that leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from knowledge.current import NoKnowledge, knowledge
from troubleshoot.case_search import word_query
from troubleshoot.casework import as_tag, staff
from troubleshoot.models import Case, CaseTag, Failure, Outcome
from troubleshoot.wording import clipped, percent
from whybounce.visible import visible

PAGE_SIZE = 25
UNCLEAR = "unclear"
_MOST = 200  # characters of a field

AGES: dict[str, tuple[str | Promise, timedelta, bool]] = {
    "1": (gettext_lazy("in the last 24 hours"), timedelta(days=1), True),
    "7": (gettext_lazy("in the last 7 days"), timedelta(days=7), True),
    "30": (gettext_lazy("in the last 30 days"), timedelta(days=30), True),
    "90": (gettext_lazy("in the last 90 days"), timedelta(days=90), True),
    "over-1": (gettext_lazy("over a day ago"), timedelta(days=1), False),
    "over-7": (gettext_lazy("over 7 days ago"), timedelta(days=7), False),
    "over-30": (gettext_lazy("over 30 days ago"), timedelta(days=30), False),
}
"""Values of `age`: what they say, how long, and whether it is within (True) or before (False)."""

SORTS: dict[str, tuple[str | Promise, tuple[str, ...]]] = {
    "": (gettext_lazy("newest first"), ("-created_at", "-pk")),
    "oldest": (gettext_lazy("oldest first"), ("created_at", "pk")),
    "changed": (gettext_lazy("changed last first"), ("-updated_at", "-pk")),
    "domain": (gettext_lazy("by domain"), ("domain", "-created_at", "-pk")),
    "cause": (gettext_lazy("by cause"), ("cause", "-created_at", "-pk")),
    "owner": (gettext_lazy("by owner"), ("assignee__username", "-created_at", "-pk")),
}

Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address of the list says; "" where it says nothing, or nothing that there is.

    state   a Case.State; owner: "me", "none" or the key of a user; cause: a slug or UNCLEAR; age, sort: keys of AGES and SORTS
    """

    state: str = ""
    owner: str = ""
    cause: str = ""
    domain: str = ""
    code: str = ""
    tag: str = ""
    age: str = ""
    q: str = ""
    sort: str = ""

    @property
    def narrows(self) -> bool:
        return any((self.state, self.owner, self.cause, self.domain, self.code, self.tag, self.age, self.q))

    @property
    def more(self) -> bool:
        """Whether one of those is set that the page folds away."""
        return any((self.cause, self.domain, self.code, self.tag, self.age, self.sort))


def filters_of(query: Mapping[str, str]) -> Filters:
    """The filters of a query string."""
    given = {name: query.get(name, "").replace("\0", "").strip()[:_MOST] for name in Filters.__slots__}
    owner = given["owner"]
    return Filters(
        state=given["state"] if given["state"] in Case.State.values else "",
        owner=owner if owner in ("me", "none") or (owner.isdecimal() and len(owner) < 10) else "",
        cause=given["cause"],
        domain=given["domain"].lower().rstrip("."),
        code=given["code"],
        tag=as_tag(given["tag"]),
        age=given["age"] if given["age"] in AGES else "",
        q=given["q"],
        sort=given["sort"] if given["sort"] in SORTS else "",
    )


def fitting(filters: Filters, me: User | None) -> QuerySet[Case]:
    """The cases that fit, in order. Duplicates that were merged only where they are asked for."""
    cases = Case.objects.order_by(*SORTS[filters.sort][1])
    cases = cases.filter(state=filters.state) if filters.state else cases.exclude(state=Case.State.MERGED)
    if filters.owner == "none":
        cases = cases.filter(assignee=None)
    elif filters.owner:
        cases = cases.filter(assignee=me if filters.owner == "me" else int(filters.owner))
    if filters.cause:
        cases = cases.filter(cause="" if filters.cause == UNCLEAR else filters.cause)
    if filters.domain:
        cases = cases.filter(at_domain(filters.domain))
    if filters.code:
        failures = Failure.objects.filter(Q(code=filters.code) | Q(enhanced=filters.code))
        cases = cases.filter(pk__in=failures.values("case"))
    if filters.tag:
        cases = cases.filter(pk__in=CaseTag.objects.filter(name=filters.tag).values("case"))
    if filters.age:
        _label, span, within = AGES[filters.age]
        limit = timezone.now() - span
        cases = cases.filter(created_at__gte=limit) if within else cases.filter(created_at__lt=limit)
    if filters.q:
        cases = cases.filter(word_query(filters.q) | Q(cause__in=_causes_named(filters.q)))
    return cases


def at_domain(domain: str) -> Q:
    """Cases of which a failed recipient is at this domain, or that are about it by what was added by hand."""
    return Q(domain=domain) | Q(pk__in=Failure.objects.filter(recipient_domain=domain).values("case"))


def _causes_named(query: str) -> list[str]:
    query = query.lower()
    return [slug for slug, title in cause_titles().items() if query in title.lower() or query in slug]


def cause_titles() -> dict[str, str]:
    """Slug and title of every published cause."""
    try:
        return {cause.slug: cause.title for cause in knowledge().causes}
    except NoKnowledge:
        return {}


# --- the choices of the form ---


def owner_choices() -> Choices:
    """One query."""
    people = [(str(user.pk), user.get_username()) for user in staff()]
    return [("", _("Anybody")), ("me", _("Me")), ("none", _("Nobody")), *people]


def cause_choices() -> Choices:
    """The causes that cases have: one query."""
    titles = cause_titles()
    slugs = Case.objects.exclude(cause="").order_by().values_list("cause", flat=True).distinct()
    found = sorted(((slug, titles.get(slug, slug)) for slug in slugs), key=lambda pair: pair[1])
    return [("", _("Any")), (UNCLEAR, _("Not clear yet")), *found]


def tag_choices(most: int = 100) -> Choices:
    """The tags that are on cases, the most used: one query."""
    names = CaseTag.objects.values("name").annotate(n=Count("pk")).order_by("-n", "name").values_list("name", flat=True)[:most]
    return [("", _("Any")), *((name, name) for name in sorted(names))]


# --- the rows ---


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A case in the list. `title`: what it proved to be, or what leads with `share`; "" where that is unclear. `more`: further recipients."""

    case: Case
    domain: str
    title: str
    share: str
    more: int
    tags: tuple[str, ...]


def with_staff_rows(cases: QuerySet[Case]) -> QuerySet[Case]:
    """The queryset with all that `staff_rows` reads: three queries, whatever its length."""
    return (
        cases.defer("pasted", "text", "notes")
        .select_related("assignee", "merged_into")
        .defer("pasted", "text", "notes", "merged_into__pasted", "merged_into__text", "merged_into__notes")
        .prefetch_related("tags", Prefetch("outcomes", Outcome.objects.filter(reopened_at=None)))
    )


def staff_rows(cases: Iterable[Case]) -> list[StaffRow]:
    titles = cause_titles()
    return [_row(case, titles) for case in cases]


def _row(case: Case, titles: Mapping[str, str]) -> StaffRow:
    outcome = next(iter(case.outcomes.all()), None)
    title = titles.get(case.cause, case.cause) or (clipped(outcome.sentence, 100) if outcome else "")
    share = "" if case.share is None or outcome else percent(case.share)
    return StaffRow(case, visible(case.domain), title, share, max(0, case.failure_count - 1), tuple(item.name for item in case.tags.all()))
