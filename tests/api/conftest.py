"""Fixtures of the API's tests: the made-up knowledge published, tokens, and clients that send them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from api import idempotency
from api.models import ApiToken, Scope
from api.tokens import make_token
from tests.troubleshoot.conftest import UNCLEAR, UNKNOWN_USER, dns_server, no_collected_files, revision

__all__ = ["UNCLEAR", "UNKNOWN_USER", "dns_server", "no_collected_files", "revision"]

ROOT = "/api/v1/"


class Program:
    """A program that uses the API with a token ("" for none)."""

    def __init__(self, token: str = "", address: str = "203.0.113.5") -> None:
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = Client(REMOTE_ADDR=address, raise_request_exception=False, enforce_csrf_checks=True)

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.client.get(ROOT + path, headers=self.headers | headers)

    def post(self, path: str, data: Any = b"", kind: str = "application/json", **headers: str) -> HttpResponse:
        body = data if isinstance(data, (bytes, str)) else json.dumps(data)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(ROOT + path, body, content_type=kind, headers=self.headers | sent)

    def delete(self, path: str) -> HttpResponse:
        return self.client.delete(ROOT + path, headers=self.headers)


Maker = Callable[..., Program]


@pytest.fixture(autouse=True)
def _purge_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency._Purge, "at", 0.0)


@pytest.fixture
def eva() -> User:
    return User.objects.create_user("eva")


@pytest.fixture
def program(eva: User) -> Maker:
    """`program("explain", ...)`: a program with a token of eva's for these scopes; all of them where none is named."""

    def make(*scopes: str, user: User | None = eva, **fields: Any) -> Program:
        _row, token = make_token(name="desk", scopes=scopes or Scope.values, user=user, **fields)
        return Program(token)

    return make


@pytest.fixture
def anybody() -> Program:
    return Program()


def problem(response: HttpResponse, status: int) -> dict[str, Any]:
    """The problem of an answer that must be one of this status."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert told["type"].startswith("/api/v1/docs#")
    return told


def the_token() -> ApiToken:
    return ApiToken.objects.get()
