"""Limits on what visitors may have done, kept in the database so that they hold across processes.

Each is a token bucket kept as one number, the time at which the bucket will be full again (the generic cell rate algorithm, ITU-T
I.371): taking is one UPDATE whose condition is the limit, so no two processes can both take the last token.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.http import HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from publicsuffixlist import PublicSuffixList

from troubleshoot.client import network_of
from troubleshoot.models import Allowance
from troubleshoot.people import Person
from troubleshoot.rates import Limits, Rate
from troubleshoot.refusal import Refused
from whybounce.checks.result import Subject
from whybounce.failure import domain_of

_PURGE_SECONDS = 60.0
_EPSILON = 1e-6  # seconds: what adding floats loses


@dataclass(frozen=True, slots=True)
class Want:
    """Something to be counted. `kind` and `whose` name the bucket, `sentence` says why there is a limit where it is full."""

    kind: str
    whose: str
    rate: Rate
    sentence: str
    cost: int = 1


class Limited(Refused):
    """There was too much of something; nothing was counted. `retry_after`: seconds until it can be done."""

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(_("%(why)s Try again in %(when)s.") % {"why": sentence, "when": in_words(retry_after)})
        self.retry_after = retry_after


def too_many(page: HttpResponse, error: Limited) -> HttpResponse:
    """A page as the answer 429 (RFC 6585 section 4), which says when to come back."""
    page.status_code = 429
    page["Retry-After"] = str(error.retry_after)
    return page


def in_words(seconds: int) -> str:
    """`"40 seconds"`, `"12 minutes"`."""
    if seconds < 100:
        return _("%(n)d seconds") % {"n": seconds} if seconds != 1 else _("1 second")
    return _("%(n)d minutes") % {"n": math.ceil(seconds / 60)}


def take(wants: Iterable[Want]) -> None:
    """Counts all of `wants`, or none of them and raises Limited for the one that takes longest to be free again."""
    asked = sorted((want for want in wants if want.rate.count), key=lambda want: (want.kind, want.whose))  # one order: no deadlock
    now = time.time()
    with transaction.atomic():
        refused = [Limited(want.sentence, wait) for want in asked if (wait := _take(want, now))]
        if refused:
            raise max(refused, key=lambda item: item.retry_after)
    _purge(now)


def may(want: Want) -> int:
    """Counts one thing alone: 0, or nothing is counted and the answer is the seconds until it can be done."""
    try:
        take((want,))
    except Limited as error:
        return error.retry_after
    return 0


@dataclass(frozen=True, slots=True)
class Left:
    """What a bucket still holds, and in how many seconds it is full again."""

    count: int
    full_in: int


def left(want: Want) -> Left:
    """How the bucket of `want` stands now: one query."""
    now = time.time()
    due = Allowance.objects.filter(key=_key(want)).values_list("due", flat=True).first() or now
    each = want.rate.seconds / want.rate.count
    return Left(max(0, math.floor((now + want.rate.seconds - due + _EPSILON) / each)), max(0, math.ceil(due - now)))


def _take(want: Want, now: float) -> int:
    """Takes from one bucket: 0, or the seconds until it holds enough."""
    key = _key(want)
    cost = min(want.cost, want.rate.count) * want.rate.seconds / want.rate.count
    enough = Allowance.objects.filter(key=key, due__lte=now + want.rate.seconds - cost + _EPSILON)
    taken = {"due": Greatest(F("due"), Value(now)) + Value(cost)}
    if enough.update(**taken):
        return 0
    Allowance.objects.bulk_create([Allowance(key=key, due=now)], ignore_conflicts=True)  # a full bucket, where there was none
    if enough.update(**taken):
        return 0
    due = Allowance.objects.values_list("due", flat=True).get(key=key)
    return max(1, math.ceil(due + cost - want.rate.seconds - now))


def _key(want: Want) -> str:
    """Not the address or domain itself: who asked for what is nobody's business, and a key has one length."""
    return salted_hmac("troubleshoot.limits", f"{want.kind}\0{want.whose}", algorithm="sha256").hexdigest()


class _Purge:
    at = 0.0


def _purge(now: float) -> None:
    """Forgets full buckets, which say nothing, once a minute in each process."""
    if now - _Purge.at >= _PURGE_SECONDS:
        _Purge.at = now
        Allowance.objects.filter(due__lt=now - _PURGE_SECONDS).delete()


# --- what is limited ---


def run_wants(person: Person, subject: Subject) -> list[Want]:
    """What a run of checks about `subject` takes: one of its client's, and one of each domain's that it looks at."""
    limits: Limits = settings.WHYBOUNCE_LIMITS
    if person.user:
        whose = Want("user", str(person.user.pk), limits.user, _("You had many checks run in a short time."))
        kind, rate = "user-domain", limits.user_domain
    else:
        whose = Want("client", network_of(person.address), limits.client, _("Many checks were run from your address in a short time."))
        kind, rate = "domain", limits.domain
    return [whose, *(Want(kind, name, rate, _domain_sentence(name)) for name in targets(subject))]


def _domain_sentence(name: str) -> str:
    return _("%(name)s was checked very often in a short time, and its servers should not be troubled more.") % {"name": name}


def targets(subject: Subject) -> list[str]:
    """The registered domains that a run asks about; where there is none, the address."""
    named = (subject.domain or domain_of(subject.recipient), domain_of(subject.mail_from), domain_of(subject.header_from), subject.helo)
    found = dict.fromkeys(registered(name) for name in named if name and "." in name)
    return list(found) or [subject.sending_ip]


def registered(domain: str) -> str:
    """The domain as it was registered: each of its sub-domains is served by the same people."""
    return str(_suffixes().privatesuffix(domain.lower().strip("."), accept_unknown=True) or domain.lower())


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def paste_wants(person: Person, size: int) -> list[Want]:
    """What a paste of so many bytes takes."""
    limits: Limits = settings.WHYBOUNCE_LIMITS
    whose = network_of(person.address)
    sentence = _("Many bounces were pasted from your address in a short time.")
    return [Want("pastes", whose, limits.pastes, sentence), Want("paste-bytes", whose, limits.paste_bytes, sentence, max(1, size))]


def conversation_want(address: str) -> Want:
    """What a conversation with the mail server at this address takes: by its address, since anybody can give it another name."""
    limits: Limits = settings.WHYBOUNCE_LIMITS
    return Want("mx", address, limits.mx, _("This mail server was asked very often in a short time."))
