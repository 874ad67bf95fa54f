"""What comes out of a case, in a real browser: steps ticked off, letters, the report, a link that a stranger reads."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ZONE, accessible, paste
from tests.servers.dns import DnsServer

GMAIL = Path(__file__).resolve().parents[2] / "samples" / "gmail-dsn.eml"
PHONE = {"width": 390, "height": 800}


@pytest.fixture
def case(page: Page) -> str:
    """The address of a case, open in `page`."""
    paste(page, GMAIL.read_text())
    return page.url


def test_a_step_is_ticked_off_by_keyboard_and_taken_back(page: Page, case: str):
    page.locator("#tick-1").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Asked the customer")
    page.keyboard.press("Enter")
    expect(page.locator("#done-1")).to_contain_text("Asked the customer")
    expect(page.locator("#done-1")).to_be_focused()
    accessible(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#tick-1")).to_be_focused()
    expect(page.locator("#done-1")).to_have_count(0)


def test_a_check_that_turns_good_offers_to_tick_its_step_off(page: Page, case: str, dns_server: DnsServer):
    dns_server.replace(ZONE)
    page.get_by_role("button", name="that can look").click()
    expect(page.locator("#check-spf .check-line .tag")).to_be_visible()
    expect(page.locator("#steps")).not_to_contain_text("found it good")
    dns_server.add('sender.example. TXT "v=spf1 ip4:192.0.2.0/28 ip4:198.51.100.0/28 -all"')
    page.get_by_role("button", name="Verify: check SPF again").first.click()
    offer = page.locator(".tick").filter(has_text="The check of SPF found it good").first
    expect(offer).to_be_visible()
    offer.get_by_role("button", name="It is done").click()
    expect(page.locator(".step-ticked").first).to_contain_text("the check found it good")
    accessible(page)


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, PHONE])
def test_the_pages_are_accessible_and_fit(page: Page, case: str, size: Any):
    page.set_viewport_size(size)
    for path in ("report/", "report/?masked=1", "links/", "letters/", "letters/postmaster-facts/"):
        page.goto(case + path)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_letter_is_edited_and_its_link_and_its_blanks_follow(page: Page, case: str):
    page.get_by_role("link", name="Letters", exact=True).click()
    page.get_by_role("link", name="A message that your server refused").click()
    body = page.get_by_label("Text")
    expect(body).to_have_value(re.compile(r"198\.51\.100\.7"))
    page.locator("#blanks").get_by_role("button", name="the queue ID").click()
    page.keyboard.type("4bXyZ1")
    expect(body).to_have_value(re.compile("4bXyZ1"))
    expect(page.locator("#blanks")).not_to_contain_text("the queue ID")
    body.fill("x" * 3000)
    expect(page.locator("#mailto-short")).to_be_visible()
    assert "&body=" not in (page.locator("#mailto").get_attribute("href") or "")
    body.fill("Grüße\nund Dank")
    page.get_by_label("Subject").fill("5.7.26 & mehr")
    expect(page.locator("#blanks")).to_be_hidden()
    expect(page.locator("#mailto-short")).to_be_hidden()
    assert unquote(page.locator("#mailto").get_attribute("href") or "") == (
        "mailto:postmaster@example.com?subject=5.7.26 & mehr&body=Grüße\r\nund Dank"
    )
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a message").click()
    message = message_from_bytes(Path(download.value.path()).read_bytes(), policy=policy.default)
    assert download.value.suggested_filename.endswith("-postmaster-facts.eml")
    assert (message["To"], message["Subject"]) == ("postmaster@example.com", "5.7.26 & mehr")
    assert message.get_content().split() == ["Grüße", "und", "Dank"]


def test_the_report_is_read_by_a_link_until_it_is_withdrawn(page: Page, case: str, browser: Any, base_url: str):
    page.get_by_role("link", name="Share by a link").click()
    page.get_by_label("For whom").fill("The customer")
    page.get_by_role("button", name="Make the link").click()
    address = page.locator("#made-link").inner_text()
    accessible(page)
    other = browser.new_context(base_url=base_url, viewport=PHONE)
    stranger = other.new_page()
    answer = stranger.goto(address)
    assert answer is not None
    assert answer.status == 200
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert other.cookies() == [] or {cookie["name"] for cookie in other.cookies()} <= {"timezone"}
    expect(stranger.locator("h1")).to_contain_text("neither SPF nor DKIM")
    expect(stranger.locator("main")).not_to_contain_text("mila")
    accessible(stranger)
    assert stranger.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(case + "links/")
    expect(page.locator(".links")).to_contain_text("Read 1 time")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator(".links")).to_contain_text("withdrawn")
    answer = stranger.reload()
    assert answer is not None
    assert answer.status == 410
    expect(stranger.locator("h1")).to_contain_text("no longer shared")
    accessible(stranger)
    other.close()


def test_printed_the_report_stands_alone(page: Page, case: str):
    page.goto(case + "report/")
    page.emulate_media(media="print")
    for hidden in (".masthead", ".report-do", "footer"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator(".report-steps > li").first).to_be_visible()


def test_all_of_it_without_javascript(no_script: Page):
    page = no_script
    paste(page, GMAIL.read_text())
    case = page.url
    page.locator("#tick-1").click()
    page.locator("#note-1").fill("Asked")
    page.locator("#steps").get_by_role("button", name="It is done").first.click()
    expect(page.locator("#done-1")).to_contain_text("Asked")
    page.goto(case + "letters/customer-we-are-mending-it/")
    page.get_by_label("Text").fill("Mine")
    page.get_by_role("button", name="Take over my changes").click()
    assert (page.locator("#mailto").get_attribute("href") or "").endswith("&body=Mine")
    page.goto(case + "links/")
    page.get_by_role("button", name="Make the link").click()
    page.goto(page.locator("#made-link").inner_text())
    expect(page.locator("h1")).to_contain_text("neither SPF nor DKIM")
    expect(page.locator("main")).to_contain_text("Asked")
