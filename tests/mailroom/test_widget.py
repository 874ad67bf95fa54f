"""A shared report within another page: read-only, framed by the sites of the setting alone, gone with its link."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailroom.ancestors import parse_ancestors
from tests.troubleshoot.conftest import Paster
from troubleshoot.models import SharedLink
from troubleshoot.people import Person
from troubleshoot.sharing import revoke_link, share_case

DESK = "https://desk.example.org"


@pytest.fixture
def path(paste: Paster) -> str:
    _link, token = share_case(case=paste(), person=Person())
    return f"/widget/{token}/"


def directive(response: Any) -> str:
    found = [part.strip() for part in response["Content-Security-Policy"].split(";")]
    return next(part for part in found if part.startswith("frame-ancestors"))


def test_it_is_the_masked_report_without_the_frame_of_the_site(path: str) -> None:
    response = Client().get(path)
    html = response.content.decode()
    assert "Title of unknown-user" in html
    assert "anna" not in html
    assert "masthead" not in html
    assert "<form" not in html
    assert "<footer" not in html
    assert '<base target="_blank">' in html
    assert not response.cookies


def test_the_sites_of_the_setting_may_frame_it_and_nothing_else(path: str, settings: Any) -> None:
    settings.WHYBOUNCE_FRAME_ANCESTORS = (DESK, "https://*.example.com")
    response = Client().get(path)
    assert directive(response) == f"frame-ancestors {DESK} https://*.example.com"
    assert "X-Frame-Options" not in response
    assert "default-src 'self'" in response["Content-Security-Policy"]
    for other in ("/", path.replace("/widget/", "/r/")):
        response = Client().get(other)
        assert directive(response) == "frame-ancestors 'none'"
        assert response["X-Frame-Options"] == "DENY"


def test_nobody_may_frame_it_unless_told(path: str, settings: Any) -> None:
    settings.WHYBOUNCE_FRAME_ANCESTORS = ()
    response = Client().get(path)
    assert directive(response) == "frame-ancestors 'none'"
    assert response["X-Frame-Options"] == "DENY"


def test_the_address_is_kept_secret(path: str) -> None:
    response = Client().get(path)
    assert response["Referrer-Policy"] == "no-referrer"
    assert "noindex" in response["X-Robots-Tag"]
    assert response["Cache-Control"] == "private, no-store"


def test_it_ends_with_its_link(path: str, settings: Any) -> None:
    settings.WHYBOUNCE_FRAME_ANCESTORS = (DESK,)
    link = SharedLink.objects.get()
    SharedLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    expired = Client().get(path)
    assert expired.status_code == 410
    assert directive(expired) == f"frame-ancestors {DESK}", "the help desk must show why there is nothing"
    assert "masthead" not in expired.content.decode()
    SharedLink.objects.update(expires_at=timezone.now() + timedelta(days=1))
    revoke_link(case=link.case, link=link.pk, person=Person())
    assert "no longer shared" in Client().get(path).content.decode()
    assert Client().get(f"/widget/{'A' * 32}/").status_code == 404


def test_views_are_counted(path: str) -> None:
    Client().head(path)
    Client().get(path)
    assert SharedLink.objects.get().views == 1


def test_nothing_can_be_sent_to_it(path: str) -> None:
    assert Client().post(path).status_code == 405


def test_sites_are_named_by_their_address() -> None:
    assert parse_ancestors(["self", "https://Desk.example.org/", "https://*.example.org:8443"]) == (
        "'self'",
        "https://desk.example.org",
        "https://*.example.org:8443",
    )


@pytest.mark.parametrize("item", ["*", "https://*", "http://desk.example.org", "desk.example.org", "https://desk.example.org; script-src *", "none"])
def test_what_is_no_site_is_refused(item: str) -> None:
    with pytest.raises(ValueError, match="is no site"):
        parse_ancestors([item])
