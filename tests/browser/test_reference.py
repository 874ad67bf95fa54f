"""The code reference in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import accessible

PAGES = [
    "/",
    "/codes/",
    "/codes/550/",
    "/codes/502/",
    "/codes/5.7.26/",
    "/codes/599/",
    "/causes/",
    "/causes/spf-fail/",
    "/search/?q=mailbox+full",
    "/check/",
    "/login/",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(page: Page, path: str, scheme: str):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path)
    assert page.evaluate("document.documentElement.dataset.bsTheme") == scheme
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    accessible(page)


def test_search_answers_as_one_types(page: Page):
    page.goto("/search/")
    box = page.get_by_label("A code, a phrase")
    box.press_sequentially("mailbx ful", delay=30)
    expect(page.locator("#results").get_by_role("link", name="The recipient's mailbox is full").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"/search/\?q=mailbx(\+|%20)ful$"))
    box.fill("550-5.7.26")
    expect(page.locator("#results a").first).to_contain_text("7.26")


def test_the_slash_key_goes_to_the_search_box_and_enter_searches(page: Page):
    page.goto("/codes/")
    page.keyboard.press("/")
    page.keyboard.type("502")
    page.keyboard.press("Enter")
    expect(page.locator("#results a").first).to_contain_text("502")
    page.keyboard.press("Escape")


def test_search_works_without_javascript(no_script: Page):
    no_script.goto("/codes/")
    no_script.get_by_label("Search codes").fill("greylisting")
    no_script.get_by_label("Search codes").press("Enter")
    expect(no_script.locator("#results a").first).to_be_visible()


def test_what_is_searched_for_is_shown_as_text(page: Page):
    page.goto("/search/?q=<img src%3Dqqqq onerror%3Dvvvv()>")
    expect(page.locator("#results")).to_contain_text("<img src=qqqq onerror=vvvv()>")
    assert page.locator("#results img").count() == 0
