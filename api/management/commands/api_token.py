"""`manage.py api_token create NAME --scope ...`, `list`, `revoke NUMBER`: tokens for programs that use the API."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from api.models import ApiToken, Scope
from api.tokens import make_token, revoke

_MOST_DAYS = 36_500


class Command(BaseCommand):
    help = "Makes, lists and revokes tokens of the API. A new token is printed once, alone on standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a token and print it")
        create.add_argument("name", metavar="NAME", help="which program uses it")
        create.add_argument("--scope", nargs="+", action="extend", required=True, choices=Scope.values, help="what it may be used for")
        create.add_argument("--user", metavar="USERNAME", help="whose cases it works on (default: those that it opens itself)")
        create.add_argument("--days", type=_days, metavar="DAYS", help="how long it is valid (default: until it is revoked)")
        actions.add_parser("list", help="all tokens: number, name, scopes, last use")
        ending = actions.add_parser("revoke", help="end a token for good")
        ending.add_argument("number", type=int, metavar="NUMBER", help="as `list` shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        {"create": self._create, "list": self._list, "revoke": self._revoke}[options["action"]](options)

    def _create(self, options: dict[str, Any]) -> None:
        name = options["name"].strip()
        if not name or len(name) > 100 or not name.isprintable():
            raise CommandError("The name must have between 1 and 100 printable characters.", returncode=2)
        user = None
        if options["user"]:
            user = User.objects.filter(username=options["user"]).first()
            if user is None:
                raise CommandError(f"There is no user {options['user']}.", returncode=2)
        expires_at = timezone.now() + timedelta(days=options["days"]) if options["days"] else None
        row, token = make_token(name=name, scopes=options["scope"], user=user, expires_at=expires_at)
        self.stdout.write(token)
        self.stderr.write(f"Token {row.pk} for {row.name}: {', '.join(row.scopes)}. It is not shown again.")

    def _list(self, options: dict[str, Any]) -> None:
        for row in ApiToken.objects.select_related("user").order_by("pk"):
            used = f"last used {row.last_used_at:%Y-%m-%d %H:%M} UTC" if row.last_used_at else "never used"
            whose = f"  {row.user.get_username()}" if row.user else ""
            self.stdout.write(f"{row.pk:>4}  {row.hint}…  {row.state():<8}  {row.name}{whose}  [{' '.join(row.scopes)}]  {used}")

    def _revoke(self, options: dict[str, Any]) -> None:
        row = ApiToken.objects.filter(pk=options["number"]).first()
        if row is None:
            raise CommandError(f"There is no token {options['number']}.", returncode=2)
        self.stdout.write(f"{row}: {'revoked' if revoke([row]) else 'was revoked already'}.")


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:8]) <= _MOST_DAYS:
        raise ArgumentTypeError(f"{text!r} is no number of days between 1 and {_MOST_DAYS}")
    return int(text)
