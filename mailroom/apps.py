"""The app: events of other apps that webhooks tell of."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.signals import request_finished
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class MailroomConfig(AppConfig):
    name = "mailroom"
    verbose_name = _("Mail in and webhooks")

    def ready(self) -> None:
        from knowledge.unrecognised import shapes_met  # not before all apps are loaded
        from mailroom import delivering, telling
        from troubleshoot.models import Case, Outcome

        post_save.connect(telling.on_case_saved, sender=Case, dispatch_uid="mailroom.case")
        post_save.connect(telling.on_outcome_saved, sender=Outcome, dispatch_uid="mailroom.outcome")
        shapes_met.connect(telling.on_shapes_met, dispatch_uid="mailroom.shapes")
        request_finished.connect(delivering.in_passing, dispatch_uid="mailroom.webhooks")
