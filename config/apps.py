from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    default_site = "knowledge.admin_site.CuratorSite"


class OperationsConfig(AppConfig):
    """Running the program: metrics, and the commands that back it up and restore it. Has no tables."""

    name = "config"
    label = "operations"

    def ready(self) -> None:
        from config.metrics import connect  # not before all apps are loaded

        connect()
