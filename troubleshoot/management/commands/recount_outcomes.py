"""`manage.py recount_outcomes`: counts anew which causes closed cases had."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from troubleshoot.learning import recount


class Command(BaseCommand):
    help = "Counts anew which causes closed cases had, for the ranking to learn from. Needed after cases were deleted or restored by hand."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{recount()} closed cases counted.")
