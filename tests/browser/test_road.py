"""The whole road in a real browser: paste, questions, live checks, remedy, closing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ZONE, Site, accessible, paste
from tests.servers.dns import DnsServer

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

# Says what happened, but not why: the enhanced code is vague and the words name no reason.
VAGUE = """\
Reporting-MTA: dns; out.sender.example
Final-Recipient: rfc822; lena@mail.example
Action: failed
Status: 5.7.1
Remote-MTA: dns; mx1.mail.example
Diagnostic-Code: smtp; 550 5.7.1 Rejected, unauthorised server 198.51.100.7

Return-Path: <news@sender.example>
"""


@pytest.mark.parametrize(
    ("sample", "cause"),
    [
        ("postfix-bounce.eml", "The recipient's address does not exist"),
        ("gmail-dsn.eml", "The message passes neither SPF nor DKIM"),
        ("exchange-online-ndr.eml", "The recipient's address does not exist"),
        ("reply.txt", "The sending IP address has no reverse DNS"),
    ],
)
def test_a_pasted_bounce_goes_to_its_cause_at_once(page: Page, sample: str, cause: str):
    paste(page, (SAMPLES / sample).read_text())
    expect(page.locator("#verdict")).to_contain_text(cause)
    expect(page.locator("mark").first).to_be_visible()
    accessible(page)


def test_an_eml_file_is_read_too(page: Page):
    page.goto("/")
    page.get_by_label("Or a file").set_input_files(SAMPLES / "gmail-dsn.eml")
    page.get_by_role("button", name="Why did it bounce?").click()
    expect(page.locator("#verdict")).to_contain_text("neither SPF nor DKIM")


def test_every_sample_of_the_home_page_fills_the_box(page: Page):
    page.goto("/")
    for name in page.locator(".samples a").all_inner_texts():
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_label("Paste the bounce")).not_to_be_empty()


def fill_subject(page: Page) -> None:
    page.locator("#checks summary").filter(has_text=re.compile("Look at something else|Say what to look at")).click()
    page.locator("#checks").get_by_label("Recipient's domain").fill("mail.example")
    page.locator("#checks").get_by_label("Sending IP").fill("198.51.100.7")
    page.locator("#checks").get_by_label("Envelope sender").fill("news@sender.example")
    page.get_by_role("button", name="Look at this").click()


def close_with(page: Page, cause: str) -> None:
    page.locator("#close summary").click()
    page.locator("#close").get_by_label(cause, exact=True).check()
    page.get_by_role("button", name="Close the case").click()
    expect(page.get_by_role("heading", name="It proved to be")).to_contain_text(cause)


# What the sender of VAGUE knows: a new server of theirs sends, and mail fails everywhere.
TRUE = (
    "To many or all recipients everywhere",
    "Everybody in our organisation",
    "No, it is the first contact, or it never arrived",
    "Our own mail server",
    "The recipient's server refuses it, or cannot be reached",
    "We moved mailboxes, the server or the provider",
    "Every time",
)


def answer_as_its_sender_would(page: Page) -> None:
    question = page.locator("#question-title").inner_text()
    said = [text for text in page.locator("#question .answer-text").all_inner_texts() if text in TRUE]
    page.locator("#question").get_by_role("button", name=said[0] if said else "I don't know").click()
    expect(page.locator(".answered")).to_contain_text(question)


SPF = "SPF does not allow the sending server for the sender's domain"


def test_from_a_vague_reply_to_a_closed_case(page: Page, dns_server: DnsServer):
    """Two answers, the checks against the loopback name server, the remedy with the case's own names, and what proved true."""
    dns_server.replace(ZONE)
    paste(page, VAGUE)
    accessible(page)
    for _number in range(2):
        answer_as_its_sender_would(page)
    accessible(page)
    fill_subject(page)
    expect(page.locator("#check-spf")).to_contain_text("198.51.100.7")
    expect(page.locator("#check-spf .check-line .tag")).to_be_visible()
    expect(page.locator("#check-mx .check-line .tag")).to_be_visible()
    expect(page.locator(".causes, .case-main").first).to_contain_text(SPF)
    accessible(page)
    close_with(page, SPF)
    accessible(page)
    expect(page.get_by_role("button", name="Reopen this case")).to_be_visible()


def test_the_remedy_is_verified_once_the_record_is_mended(page: Page, dns_server: DnsServer):
    """The record on the name server is mended, and the check that proves the step turns good."""
    dns_server.replace(ZONE)
    paste(page, (SAMPLES / "gmail-dsn.eml").read_text())
    page.get_by_role("button", name="that can look").click()
    expect(page.locator("#check-spf")).to_contain_text("198.51.100.7")
    expect(page.locator("#check-spf .check-line .tag")).to_be_visible()
    expect(page.locator("#steps")).to_contain_text("sender.example")
    dns_server.add('sender.example. TXT "v=spf1 ip4:192.0.2.0/28 ip4:198.51.100.0/28 -all"')
    page.get_by_role("button", name="Verify: check SPF again").first.click()
    expect(page.locator("#check-spf .check-line .tag-good")).to_be_visible()


def test_the_road_without_javascript(no_script: Page, dns_server: DnsServer):
    page = no_script
    dns_server.replace(ZONE)
    paste(page, VAGUE)
    for _number in range(2):
        answer_as_its_sender_would(page)
    page.locator(".answered").get_by_role("button", name="Take back").first.click()
    expect(page.locator(".answered li")).to_have_count(1)
    fill_subject(page)
    expect(page.locator("#check-spf .check-line .tag")).to_be_visible()
    expect(page.locator("#check-mx .check-line .tag")).to_be_visible()
    close_with(page, SPF)
    page.get_by_role("button", name="Reopen this case").click()
    expect(page.locator("#close")).to_be_visible()


def test_an_answer_can_be_changed_and_the_back_button_returns_to_the_question(page: Page):
    paste(page, VAGUE)
    first = page.locator("#question-title").inner_text()
    page.locator("#question .answer").first.click()
    expect(page.locator(".answered")).to_contain_text(first)
    page.go_back()
    expect(page.locator("#question-title")).to_have_text(first)
    page.locator("#question .answer").nth(1).click()
    expect(page.locator(".answered li")).to_have_count(1)
    page.get_by_role("link", name="Change").click()
    expect(page.locator("#question-title")).to_have_text(first)
    page.get_by_role("button", name="I don't know").click()
    expect(page.locator(".answered")).to_contain_text("know")


def test_without_any_text_the_symptoms_are_asked(page: Page):
    page.goto("/")
    page.get_by_role("button", name="Start from what you see").click()
    page.wait_for_url("**/cases/*/")
    accessible(page)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#question .answer").first).to_be_visible()
    for _number in range(3):
        question = page.locator("#question-title").inner_text()
        page.locator("#question .answer").first.click()
        expect(page.locator(".answered")).to_contain_text(question)


def test_the_keyboard_alone_answers_a_question(page: Page):
    paste(page, VAGUE)
    page.locator("#question .answer").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".answered li")).to_have_count(1)
    focused = page.evaluate("document.activeElement.id")
    assert focused == "question-title"


def test_another_browser_cannot_see_the_case_but_staff_can(page: Page, browser, base_url: str, site: Site):
    paste(page, VAGUE)
    other = browser.new_context(base_url=base_url)
    stranger = other.new_page()
    answer = stranger.goto(page.url)
    assert answer is not None
    assert answer.status == 404
    stranger.goto("/login/?next=/cases/")
    stranger.get_by_label("Username").fill("admin")
    stranger.get_by_label("Password").fill(site.password)
    stranger.get_by_role("button", name="Log in").click()
    expect(stranger.get_by_role("heading", level=1)).to_contain_text("Cases")
    accessible(stranger)
    answer = stranger.goto(page.url)
    assert answer is not None
    assert answer.status == 200
    other.close()


HOSTILE = "550 5.7.1 <script>alert(1)</script><img src=x onerror=alert(2)> \u202eevil\u202c refused"


@pytest.mark.parametrize(
    ("pasted", "says"),
    [
        ("   \n ", "nothing here yet"),
        ("550", "550"),
        ("599", "599"),
        ("hello there, how are you?", "No reply"),
        (HOSTILE, "<script>alert(1)</script>"),
    ],
)
def test_a_paste_that_holds_little_gets_a_page_that_helps(page: Page, pasted: str, says: str):
    page.goto("/")
    page.get_by_label("Paste the bounce").fill(pasted)
    page.get_by_role("button", name="Why did it bounce?").click()
    expect(page.locator("main")).to_contain_text(says)
    assert page.locator("main img, main script").count() == 0
    accessible(page)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_case_fits_the_screen_and_axe_finds_nothing(page: Page, width: int, scheme: str):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    paste(page, (SAMPLES / "postfix-bounce.eml").read_text())
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    accessible(page)
