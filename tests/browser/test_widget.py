"""A shared report in a frame of a help desk's page, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, accessible, paste
from tests.browser.site import served

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
DESK = "https://desk.example.org/"
OTHER = "https://elsewhere.example.com/"


@pytest.fixture(scope="module")
def framing(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same site, served again with a help desk that may frame reports."""
    environment = site.environment | {"WHYBOUNCE_FRAME_ANCESTORS": DESK}
    with served(environment, tmp_path_factory.mktemp("framing") / "server.log") as address:
        yield address


def widget_of(page: Page) -> str:
    """Shares a case by a link and gives the path of its widget."""
    paste(page, (SAMPLES / "postfix-bounce.eml").read_text())
    page.goto(f"{page.url}links/")
    page.get_by_role("button", name="Make the link").click()
    return "/widget/" + page.locator("#made-link").get_attribute("href").split("/r/")[1]


def framed(page: Page, outer: str, address: str, path: str) -> None:
    """A page of another site with the widget in a frame. Both are served from here: a browser keeps public pages away from loopback."""
    inner = "https://bounce.example.org"
    page.route(f"{inner}/**", lambda route: route.fulfill(response=route.fetch(url=route.request.url.replace(inner, address))))
    page.route(
        f"{outer}**", lambda route: route.fulfill(content_type="text/html", body=f"<iframe src='{inner}{path}' width='800' height='600'></iframe>")
    )
    page.goto(outer)


def test_a_help_desk_that_is_named_shows_the_report(page: Page, framing: str) -> None:
    path = widget_of(page)
    framed(page, DESK, framing, path)
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    expect(frame.get_by_text("What to do")).to_be_visible()
    assert frame.locator("form, header.masthead, footer").count() == 0


def test_another_site_does_not(browser: Browser, page: Page, framing: str) -> None:
    path = widget_of(page)
    other = browser.new_page()  # the refusal is told as a breach of the policy, which `page` would not let pass
    framed(other, OTHER, framing, path)
    other.wait_for_timeout(500)
    assert other.frame_locator("iframe").get_by_text("What to do").count() == 0
    other.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_axe_finds_nothing(page: Page, framing: str, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(framing + widget_of(page))
    expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    accessible(page)
