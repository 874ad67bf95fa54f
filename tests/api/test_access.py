"""Tokens, scopes, limits; cookies say nothing."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from api.models import ApiToken
from api.tokens import digest_of, revoke
from tests.api.conftest import UNKNOWN_USER, Maker, Program, problem, the_token
from troubleshoot.models import Case
from troubleshoot.rates import Limits, Rate


def made(*words: str) -> str:
    out = io.StringIO()
    call_command("api_token", *words, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def test_a_token_is_made_by_the_command_and_kept_as_a_digest(eva: User) -> None:
    token = made("create", "help desk", "--scope", "cases:read", "cases:write", "--user", "eva", "--days", "30")
    row = the_token()
    assert row.digest == digest_of(token)
    assert token.startswith(row.hint)
    assert token not in str(row.__dict__)
    assert (row.scopes, row.user) == (["cases:read", "cases:write"], eva)
    assert row.expires_at
    assert timedelta(days=29) < row.expires_at - timezone.now() < timedelta(days=31)
    assert Program(token).get("cases").status_code == 200
    assert "help desk  eva  [cases:read cases:write]" in made("list")
    assert "revoked" in made("revoke", str(row.pk))
    problem(Program(token).get("cases"), 401)


@pytest.mark.parametrize(
    "words", [["create", "x", "--scope", "explain", "--user", "nobody"], ["create", " ", "--scope", "explain"], ["revoke", "99"]]
)
def test_the_command_says_what_is_wrong(words: list[str]) -> None:
    with pytest.raises(CommandError):
        made(*words)


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic ZXZhOng=", "bearer wb_" + "x" * 43, "Bearer \u00e9", "Bearer " + "x" * 5000, ""])
def test_what_is_no_valid_token_is_refused_everywhere(header: str) -> None:
    response = Client().get("/api/v1/codes", headers={"Authorization": header})
    problem(response, 401)
    assert response["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_revoked_expired_and_inactive_tokens_are_refused(program: Maker, eva: User) -> None:
    desk, late = program("reference"), program("reference", expires_at=timezone.now() - timedelta(seconds=1))
    assert desk.get("codes").status_code == 200
    problem(late.get("codes"), 401)
    eva.is_active = False
    eva.save()
    problem(desk.get("codes"), 401)
    eva.is_active = True
    eva.save()
    assert revoke(ApiToken.objects.all()) == 2
    problem(desk.get("codes"), 401)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("post", "explain", "explain"),
        ("post", "checks", "checks"),
        ("get", "search?q=x", "reference"),
        ("get", "cases", "cases:read"),
        ("get", "cases/abcdefghijkl", "cases:read"),
        ("post", "cases", "cases:write"),
        ("post", "cases/abcdefghijkl/close", "cases:write"),
        ("delete", "cases/abcdefghijkl/answers/x", "cases:write"),
    ],
)
def test_a_token_for_another_scope_is_refused(program: Maker, method: str, path: str, scope: str) -> None:
    others = [item for item in ("explain", "checks", "reference", "cases:read", "cases:write") if item != scope]
    response = getattr(program(*others), method)(path)
    assert scope in problem(response, 403)["detail"]
    assert f'scope="{scope}"' in response["WWW-Authenticate"]


@pytest.mark.parametrize("path", ["checks", "cases"])
def test_what_is_not_open_needs_a_token(anybody: Program, path: str) -> None:
    response = anybody.post(path, {})
    problem(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"


def test_the_operator_can_close_it(anybody: Program, program: Maker, settings: Any) -> None:
    settings.WHYBOUNCE_API_OPEN = False
    problem(anybody.get("codes"), 401)
    problem(anybody.post("explain", UNKNOWN_USER, "text/plain"), 401)
    assert program("reference").get("codes").status_code == 200


def test_a_session_is_no_token(eva: User) -> None:
    browser = Client()
    browser.force_login(eva)
    problem(browser.post("/api/v1/cases", UNKNOWN_USER, content_type="text/plain"), 401)
    problem(browser.get("/api/v1/cases"), 401)
    assert not Case.objects.exists()


def test_the_use_is_noted_once_a_minute(program: Maker) -> None:
    desk = program()
    desk.get("codes")
    first = the_token().last_used_at
    assert first
    desk.get("codes")
    assert the_token().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    desk.get("codes")
    assert (the_token().last_used_at or first) >= first


# --- limits ---


def test_every_answer_says_how_the_limit_stands(program: Maker, anybody: Program, settings: Any) -> None:
    settings.WHYBOUNCE_LIMITS = Limits(api_token=Rate(10, 60), api_open=Rate(2, 60))
    response = program().get("codes")
    assert response["RateLimit-Policy"] == '"token";q=10;w=60'
    assert response["RateLimit"] == '"token";r=9;t=6'
    assert anybody.get("codes")["RateLimit"] == '"open";r=1;t=30'
    assert anybody.get("codes/999")["RateLimit"] == '"open";r=0;t=60'
    response = anybody.get("codes")
    assert "Try again in" in problem(response, 429)["detail"]
    assert 0 < int(response["Retry-After"]) <= 30
    assert response["RateLimit"].startswith('"open";r=0;t=')
    assert Program(address="203.0.113.6").get("codes").status_code == 200


def test_guessing_tokens_counts_too(settings: Any) -> None:
    settings.WHYBOUNCE_LIMITS = Limits(api_open=Rate(2, 60))
    guesser = Program("wb_" + "x" * 43)
    assert [guesser.get("codes").status_code for _number in range(3)] == [401, 401, 429]


def test_a_limit_that_is_off_says_nothing(anybody: Program, settings: Any) -> None:
    settings.WHYBOUNCE_LIMITS = Limits(api_open=Rate(0))
    assert "RateLimit" not in anybody.get("codes")


def test_bytes_count_too(anybody: Program, settings: Any) -> None:
    settings.WHYBOUNCE_LIMITS = Limits(paste_bytes=Rate(30_000, 3600))
    assert anybody.post("explain", b"x" * 20_000, "text/plain").status_code == 200
    problem(anybody.post("explain", b"x" * 20_000, "text/plain"), 429)
    assert anybody.get("codes").status_code == 200


# --- the admin ---


def test_the_admin_shows_a_token_once(admin_client: Client, admin_user: User) -> None:
    response = admin_client.post("/admin/api/apitoken/add/", {"name": "desk", "scopes": ["explain", "checks"], "user": admin_user.pk})
    html = response.content.decode()
    row = the_token()
    assert "no-store" in response["Cache-Control"]
    token = html.partition('value="wb_')[2].partition('"')[0]
    assert row.digest == digest_of(f"wb_{token}")
    assert (row.scopes, row.user) == (["explain", "checks"], admin_user)
    for path in ("/admin/api/apitoken/", f"/admin/api/apitoken/{row.pk}/change/"):
        page = admin_client.get(path).content.decode()
        assert row.hint in page
        assert token not in page
    admin_client.post(f"/admin/api/apitoken/{row.pk}/change/", {"name": "other", "scopes": ["cases:write"]})
    assert the_token().scopes == ["explain", "checks"]
    assert the_token().name == "other"
    admin_client.post("/admin/api/apitoken/", {"action": "revoke_tokens", "_selected_action": [row.pk]})
    assert the_token().revoked_at


def test_staff_make_tokens_for_themselves(eva: User, admin_user: User) -> None:
    from django.contrib.auth.models import Permission

    eva.is_staff = True
    eva.save()
    eva.user_permissions.set(Permission.objects.filter(content_type__app_label="api", codename__in=["add_apitoken", "view_apitoken"]))
    browser = Client()
    browser.force_login(eva)
    browser.post("/admin/api/apitoken/add/", {"name": "mine", "scopes": ["cases:read"], "user": admin_user.pk})
    assert the_token().user == eva
    ApiToken.objects.update(user=admin_user)
    assert "mine" not in browser.get("/admin/api/apitoken/").content.decode()
