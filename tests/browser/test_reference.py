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
    "/codes/?q=mailbox&class=5",
    "/causes/",
    "/causes/spf-fail/",
    "/causes/spf-fial/",
    "/replies/",
    "/replies/recipient-mailbox-full/",
    "/providers/",
    "/providers/microsoft365/",
    "/blocklists/",
    "/blocklists/spamhaus-zen/",
    "/articles/",
    "/articles/spf-dkim-dmarc-alignment/",
    "/checks/",
    "/checks/spf/",
    "/checks/smtp/",
    "/search/?q=mailbox+full",
    "/search/?q=550+5.7.1+blocked+using+zen.spamhaus.org",
    "/check/",
    "/login/",
    "/api/v1/docs",
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


def test_search_answers_as_one_types_and_the_way_back_skips_the_letters(page: Page):
    page.goto("/causes/")
    page.goto("/search/")
    box = page.get_by_label("A code, a phrase")
    box.press_sequentially("mailbx ful", delay=30)
    expect(page.locator("#results").get_by_role("link", name="The recipient's mailbox is full").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"/search/\?q=mailbx(\+|%20)ful$"))
    box.fill("550-5.7.26")
    expect(page.locator("#results a").first).to_contain_text("7.26")
    expect(page).to_have_url(re.compile(r"5\.7\.26$"))
    page.go_back()
    expect(page).to_have_url(re.compile("/causes/$"))


def test_the_slash_key_goes_to_the_search_box_and_enter_searches(page: Page):
    page.goto("/codes/550/")
    page.keyboard.press("/")
    page.keyboard.type("502")
    page.keyboard.press("Enter")
    expect(page.locator("#results a").first).to_contain_text("502")


def test_the_header_of_every_page_searches_as_one_types_and_the_keyboard_alone_opens_a_result(page: Page):
    page.goto("/providers/google/")
    page.keyboard.press("/")
    page.keyboard.type("greylisting", delay=20)
    drop = page.locator("#site-results")
    expect(drop.get_by_role("link").first).to_be_visible()
    expect(drop.get_by_role("status")).to_contain_text("result")
    accessible(page)
    page.keyboard.press("ArrowDown")
    expect(drop.get_by_role("link").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(drop.get_by_role("link").nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Search codes")).to_be_focused()
    page.keyboard.press("ArrowDown")
    target = drop.get_by_role("link").first.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{target}")


def test_escape_clears_the_search_and_leaving_it_closes_the_results(page: Page):
    page.goto("/codes/550/")
    box, drop = page.get_by_label("Search codes"), page.locator("#site-results")
    box.press_sequentially("quota", delay=20)
    expect(drop.get_by_role("link").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    expect(drop).to_be_empty()
    box.press_sequentially("quota", delay=20)
    expect(drop.get_by_role("link").first).to_be_visible()
    page.locator("h1").click()
    expect(drop).to_be_empty()


def test_a_reply_pasted_into_the_header_is_explained_and_diagnosed(page: Page):
    page.goto("/causes/")
    page.get_by_label("Search codes").fill("550 5.7.1 Service unavailable; client [192.0.2.9] blocked using zen.spamhaus.org")
    drop = page.locator("#site-results")
    expect(drop).to_contain_text("Spamhaus")
    expect(drop).to_contain_text("To act:")
    drop.get_by_role("button", name="Open a full diagnosis").click()
    page.wait_for_url("**/cases/*/")
    expect(page.locator("#verdict")).to_contain_text("Spamhaus")


def test_the_table_of_codes_filters_as_one_types_as_the_server_does(page: Page, no_script: Page):
    page.goto("/codes/")
    rows = page.locator("#codes tbody tr:visible")
    whole = rows.count()
    page.keyboard.press("Tab")
    page.get_by_label("Number or word").press_sequentially("5.7.2", delay=20)
    page.get_by_label("Class").select_option("5")
    shown = rows.locator("th").all_inner_texts()
    assert 0 < len(shown) < whole
    expect(page.locator("[data-filter-count]")).to_have_text(f"{len(shown)} of {whole} codes")
    no_script.goto("/codes/")
    no_script.get_by_label("Number or word").fill("5.7.2")
    no_script.get_by_label("Class").select_option("5")
    no_script.get_by_role("button", name="Filter", exact=True).click()
    assert no_script.locator("#codes tbody th").all_inner_texts() == shown
    page.get_by_label("Number or word").fill("xylophone")
    expect(page.locator("[data-filter-count]")).to_have_text("No code fits.")
    page.get_by_label("Number or word").fill("")
    page.get_by_label("Class").select_option("")
    assert rows.count() == whole


def test_a_reader_says_whether_the_page_helped(page: Page, no_script: Page):
    page.goto("/causes/spf-fail/")
    page.get_by_text("What did you see instead?").click()
    page.get_by_label("What you saw instead").fill("550 5.7.23 in other words")
    accessible(page)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".helpful")).to_contain_text("Thank you")
    expect(page).to_have_url(re.compile("/causes/spf-fail/$"))
    no_script.goto("/codes/550/")
    no_script.get_by_role("button", name="Yes").click()
    expect(no_script.get_by_role("heading", level=1)).to_have_text("Thank you")
    no_script.get_by_role("link", name="Back to the page").click()
    expect(no_script).to_have_url(re.compile("/codes/550/$"))


def test_on_paper_there_is_no_navigation_and_links_show_their_addresses(page: Page):
    page.goto("/causes/spf-fail/")
    page.emulate_media(media="print", color_scheme="dark")
    for hidden in (".masthead", "footer", ".helpful", ".hint", ".crumbs"):
        expect(page.locator(hidden).first).to_be_hidden()
    link = page.locator('main a[href^="http"]').first
    assert link.get_attribute("href") in page.evaluate("element => getComputedStyle(element, '::after').content", link.element_handle())
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_search_works_without_javascript(no_script: Page):
    no_script.goto("/codes/")
    no_script.get_by_label("Search codes").fill("greylisting")
    no_script.get_by_label("Search codes").press("Enter")
    expect(no_script.locator("#results a").first).to_be_visible()


def test_what_is_searched_for_is_shown_as_text(page: Page):
    page.goto("/search/?q=<img src%3Dqqqq onerror%3Dvvvv()>")
    expect(page.locator("#results")).to_contain_text("<img src=qqqq onerror=vvvv()>")
    assert page.locator("#results img").count() == 0
