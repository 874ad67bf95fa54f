"""`manage.py refresh_cases`: what lists show of each case and find it by, anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from troubleshoot.case_search import index_again
from troubleshoot.case_summary import summarise
from troubleshoot.models import Case


class Command(BaseCommand):
    help = "Ranks every case by the present knowledge and stores anew what the list of cases shows and finds it by. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--open", action="store_true", help="only cases that are open")

    def handle(self, *args: Any, **options: Any) -> None:
        cases = Case.objects.filter(state=Case.State.OPEN) if options["open"] else Case.objects.all()
        done = 0
        for pk in list(cases.order_by("pk").values_list("pk", flat=True)):
            done += _refresh(pk)
        self.stdout.write(f"{done} cases refreshed.")


@transaction.atomic
def _refresh(pk: int) -> bool:
    """One case; one that was deleted meanwhile is passed over."""
    case = Case.objects.select_for_update(of=("self",)).defer("pasted").filter(pk=pk).first()
    if case is None:
        return False
    summarise(case, touch=False)
    index_again(case)
    return True
