"""The app, and the permissions of the group Admins."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core.signals import request_finished
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

_NOT_FOR_ADMINS = {"contenttypes", "sessions"}


class TroubleshootConfig(AppConfig):
    name = "troubleshoot"
    verbose_name = _("Cases")

    def ready(self) -> None:
        from troubleshoot.retention import in_passing  # not before all apps are loaded

        request_finished.connect(in_passing, dispatch_uid="troubleshoot.retention")
        post_migrate.connect(give_admins_everything, dispatch_uid="give_admins_everything")


def give_admins_everything(sender: AppConfig, using: str, **more: Any) -> None:
    """After `migrate`: the group Admins, where there is one, may do whatever can be permitted on the tables of the app `sender`."""
    from django.contrib.auth.models import Group, Permission  # not before all apps are loaded

    if sender.label in _NOT_FOR_ADMINS:
        return
    for group in Group.objects.using(using).filter(name="Admins"):
        group.permissions.add(*Permission.objects.using(using).filter(content_type__app_label=sender.label))
