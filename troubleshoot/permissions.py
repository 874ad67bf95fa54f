"""Logging in as Django does it, with the permissions of a person in one query."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db.models import Model, Q


class OneQueryBackend(ModelBackend):
    """ModelBackend asks for a person's own permissions and for those of the groups one after the other, on every page for staff."""

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        user: User | AnonymousUser = user_obj
        if not isinstance(user, User) or not user.is_active or user.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        if not hasattr(user, "_perm_cache"):
            held = Permission.objects.filter(Q(user=user) | Q(group__user=user)).order_by().distinct()
            pairs = held.values_list("content_type__app_label", "codename")
            user._perm_cache = {f"{app}.{codename}" for app, codename in pairs}  # type: ignore[attr-defined]
        return set(user._perm_cache)  # type: ignore[attr-defined]
