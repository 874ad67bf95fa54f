from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LogsConfig(AppConfig):
    name = "logs"
    verbose_name = _("Log analysis")

    def ready(self) -> None:
        from logs.erasing import forget_old, sweep  # not before all apps are loaded
        from troubleshoot.retention import erasing

        erasing.connect(forget_old, dispatch_uid="logs.erasing")
        sweep()
