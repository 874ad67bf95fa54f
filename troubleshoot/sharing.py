"""Links to the report of a case: made, found by their token, counted, revoked. A token is stored as its digest alone."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from troubleshoot.erasing import CaseIsErased
from troubleshoot.facts import storable
from troubleshoot.models import Case, SharedLink
from troubleshoot.people import Person
from troubleshoot.refusal import Refused

DAYS = (1, 7, 30, 90)
DEFAULT_DAYS = 30
MOST_OPEN = 50
_TOKEN_BYTES = 24  # 192 bits: nobody guesses one, so a plain digest keeps it, and no rate limit is needed
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


@transaction.atomic
def share_case(*, case: Case, person: Person, days: int = DEFAULT_DAYS, masks: bool = True, label: str = "") -> tuple[SharedLink, str]:
    """A new link and its token, which is told this once. `days`: until it expires, one of DAYS; `label`: for whom."""
    if case.is_erased:
        raise CaseIsErased
    if days not in DAYS:
        raise Refused(_("A link is open for %(days)s days.") % {"days": ", ".join(map(str, DAYS))})
    now = timezone.now()
    if case.links.filter(revoked_at=None, expires_at__gt=now).count() >= MOST_OPEN:
        raise Refused(_("This case has %(most)d open links. Revoke some first.") % {"most": MOST_OPEN})
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    link = SharedLink.objects.create(
        case=case,
        digest=digest_of_token(token),
        label=storable(label.strip())[:80],
        masks=masks,
        by=person.user,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    return link, token


def digest_of_token(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def link_of(token: str) -> SharedLink | None:
    """The link with this token, open or not; None where there is none."""
    if not _TOKEN.fullmatch(token):
        return None
    return SharedLink.objects.filter(digest=digest_of_token(token)).select_related("case").defer("case__pasted").first()


def count_view(*, link: SharedLink) -> None:
    """One more view of the report; one statement, so that no view is lost among many at once."""
    SharedLink.objects.filter(pk=link.pk).update(views=F("views") + 1, last_viewed_at=timezone.now())


@transaction.atomic
def revoke_link(*, case: Case, link: int, person: Person) -> None:
    """Closes a link for good. Nothing happens where it is closed already; Refused where the case has no such link."""
    row = case.links.filter(pk=link).first()
    if row is None:
        raise Refused(_("This case has no such link."))
    case.links.filter(pk=link, revoked_at=None).update(revoked_at=timezone.now(), revoked_by=person.user)
