"""`manage.py prepare`: makes a checkout ready to serve. Run again it finds nothing to do."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

ADMINISTRATOR = "admin"


class Command(BaseCommand):
    help = "Migrates, loads the shipped knowledge and makes a first administrator where there is none."

    def handle(self, *args: Any, **options: Any) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Preparing the database ...")
            call_command("migrate", verbosity=0)
        call_command("load_knowledge", stdout=self.stdout)
        self._administrator()

    def _administrator(self) -> None:
        users = get_user_model()
        if users.objects.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(12)
        users.objects.create_superuser(ADMINISTRATOR, password=password)
        self.stdout.write(f"\nAdministrator made. It is shown only now:\n\n    name      {ADMINISTRATOR}\n    password  {password}\n")
