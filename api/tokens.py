"""Tokens: made, found, revoked. All writes to them."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from api.models import ApiToken, Scope

PREFIX = "wb_"
"""By it a token is recognised where it should not be: in a log, in a repository."""
_HINT = len(PREFIX) + 4
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}", re.ASCII)
_USED_EVERY = timedelta(minutes=1)


def make_token(*, name: str, scopes: Iterable[str], user: User | None = None, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """A new token: its row, and the token itself, which nobody can see again. ValueError for a scope that does not exist or none."""
    wanted = list(dict.fromkeys(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown or not wanted:
        raise ValueError(f"{', '.join(unknown) or 'Nothing'} is no scope; there are {', '.join(Scope.values)}.")
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(name=name, digest=digest_of(token), hint=token[:_HINT], scopes=wanted, user=user, expires_at=expires_at)
    return row, token


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def find_token(token: str) -> ApiToken | None:
    """The row of a token that is valid now: one query, none for a text that cannot be a token."""
    if not _FORM.fullmatch(token):
        return None
    row = ApiToken.objects.select_related("user").filter(digest=digest_of(token)).first()
    return row if row is not None and row.is_valid() else None


def note_use(row: ApiToken) -> None:
    """Writes when a token was last used, at most once a minute, also where several processes see it."""
    now = timezone.now()
    if row.last_used_at is None or row.last_used_at <= now - _USED_EVERY:
        long_ago = Q(last_used_at=None) | Q(last_used_at__lte=now - _USED_EVERY)
        ApiToken.objects.filter(long_ago, pk=row.pk).update(last_used_at=now)


def revoke(rows: Iterable[ApiToken]) -> int:
    """Ends these tokens for good; how many of them were still in force."""
    return ApiToken.objects.filter(pk__in=[row.pk for row in rows], revoked_at=None).update(revoked_at=timezone.now())
