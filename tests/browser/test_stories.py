"""Whole stories: a customer's forwarded bounce to a mended SPF record, no text at all to a full mailbox, a colleague on a phone with keys alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ZONE, Site, accessible, paste
from tests.browser.site import served
from tests.browser.test_road import SAMPLES, VAGUE, close_with
from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour

FORWARDED = """\
Hello, I sent our statement and this came back. What do I have to do? Mila says that she gets everybody else's mail.
Kind regards, Nora

---------- Forwarded message ---------
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
Date: Mon, 16 Nov 2026 at 10:12
Subject: Delivery Status Notification (Failure)
To: <news@sender.example>

Message blocked

Your message to mila@example.com has been blocked. See technical details below for more information.

The response from the remote server was:
550 5.7.26 This mail has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either \
SPF or DKIM. Authentication results: DKIM = did not pass, SPF [sender.example] with ip: [198.51.100.7] = did not pass.
"""
UNAUTHENTICATED = "The message passes neither SPF nor DKIM"


def test_a_customers_forwarded_gmail_bounce_to_an_spf_fix_verified(page: Page, dns_server: DnsServer):
    dns_server.replace(ZONE)
    paste(page, FORWARDED)
    expect(page.locator("#verdict")).to_contain_text(UNAUTHENTICATED)
    expect(page.locator("#case-head")).to_contain_text("Stop: no server tries this message again.")
    expect(page.locator("mark", has_text="198.51.100.7").first).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="that can look").click()
    expect(page.locator("#check-spf .check-line .tag-fail, #check-spf .check-line .tag-wait")).to_be_visible()
    expect(page.locator("#steps")).to_contain_text("sender.example")
    expect(page.locator("#steps")).to_contain_text("198.51.100.7")
    accessible(page)
    dns_server.add('sender.example. TXT "v=spf1 ip4:192.0.2.0/28 ip4:198.51.100.0/28 -all"')
    page.get_by_role("button", name="Verify: check SPF again").first.click()
    expect(page.locator("#check-spf .check-line .tag-good")).to_be_visible()
    accessible(page)
    close_with(page, UNAUTHENTICATED)
    page.get_by_role("button", name="Reopen this case").click()
    expect(page.locator("#close")).to_be_visible()


FULL = "The recipient's mailbox is full"
# What somebody knows who remembers of the notice only that it spoke of a quota.
REMEMBERED = ("A full mailbox, quota or storage", 'The recipient\'s mailbox ("over quota", "mailbox full")', "552, 5.2.2, 5.2.3 or 5.3.4")


@pytest.mark.parametrize("scripted", [True, False])
def test_no_text_at_all_to_a_full_mailbox(browser: Browser, base_url: str, scripted: bool):
    context = browser.new_context(base_url=base_url, java_script_enabled=scripted)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("button", name="Start from what you see").click()
    page.wait_for_url("**/cases/*/")
    if scripted:
        accessible(page)
    page.get_by_label("A notice came back soon that says the message could not be delivered").check()
    page.get_by_label("Only to this one recipient").check()
    page.get_by_label("Yes, until recently").check()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".answered li")).to_have_count(3)
    for number in range(3):
        if FULL in page.locator("#verdict").inner_text() and "Possibly" not in page.locator("#verdict").inner_text():
            break
        said = [text for text in page.locator("#question .answer-text").all_inner_texts() if text in REMEMBERED]
        page.locator("#question").get_by_role("button", name=said[0] if said else "I don't know").click()
        expect(page.locator(".answered li")).to_have_count(4 + number)
    expect(page.locator("#verdict")).to_contain_text(FULL)
    expect(page.locator("#verdict")).not_to_contain_text("Possibly")
    expect(page.locator(".answered")).to_contain_text("A full mailbox, quota or storage")
    if scripted:
        accessible(page)
    close_with(page, FULL)
    context.close()


def tab_to(page: Page, selector: str) -> None:
    """Presses Tab until the focus is on what the selector names."""
    for _press in range(150):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


def test_a_colleague_resumes_a_case_on_a_phone_by_keyboard_alone(page: Page, browser: Browser, base_url: str, site: Site):
    paste(page, VAGUE)
    first = page.locator("#question-title").inner_text()
    page.locator("#question .answer").first.click()
    expect(page.locator(".answered li")).to_have_count(1)
    address = page.url.partition("?")[0]

    context = browser.new_context(base_url=base_url, viewport={"width": 390, "height": 844}, has_touch=True)
    phone = context.new_page()
    phone.goto(f"/login/?next={address.removeprefix(base_url)}")
    tab_to(phone, "#id_username")
    phone.keyboard.type("admin")
    phone.keyboard.press("Tab")
    phone.keyboard.type(site.password)
    phone.keyboard.press("Enter")
    phone.wait_for_url(address)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    accessible(phone)
    expect(phone.locator(".answered")).to_contain_text(first)
    assert len(phone.request.get(f"{address}?ask=error-speaks-of").body()) < 60_000

    # By the links at the top to the question, and one answer more.
    tab_to(phone, ".case-jump a[href='#question']")
    phone.keyboard.press("Enter")
    tab_to(phone, "#question .answer")
    second = phone.locator("#question-title").inner_text()
    phone.keyboard.press("Enter")
    expect(phone.locator(".answered li")).to_have_count(2)
    expect(phone.locator(".answered")).to_contain_text(second)
    expect(phone.locator(".answered")).to_contain_text("admin")
    assert phone.evaluate("document.activeElement.id") == "question-title"
    assert phone.locator("#announce").inner_text()

    # Skips the next, changes the first, takes it back.
    tab_to(phone, "#answer-skipped")
    phone.keyboard.press("Enter")
    expect(phone.locator(".answered li")).to_have_count(3)
    expect(phone.locator(".answered")).to_contain_text("Skipped")
    tab_to(phone, ".answered a")
    phone.keyboard.press("Enter")
    expect(phone.locator("#question .eyebrow").first).to_contain_text("Change your answer")
    tab_to(phone, "#answer-dont-know")
    phone.keyboard.press("Enter")
    expect(phone.locator(".answered")).to_contain_text("I don't know")
    accessible(phone)

    # Closes it in words, and opens it again.
    tab_to(phone, "#close summary")
    phone.keyboard.press("Enter")
    tab_to(phone, "#close input[type=radio]")
    phone.keyboard.press("ArrowUp")  # the last: none of these
    expect(phone.locator("#cause-none")).to_be_checked()
    tab_to(phone, "#id_sentence")
    phone.keyboard.type("Their firewall had a rule of its own.")
    tab_to(phone, "#close .btn-primary")
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", name="It was none of the known causes")).to_be_visible()
    assert phone.evaluate("document.activeElement.id") == "verdict"
    accessible(phone)
    tab_to(phone, ".case-closed button")
    phone.keyboard.press("Enter")
    expect(phone.locator("#close")).to_be_visible()
    context.close()


def test_the_page_resumes_where_a_server_was_killed_in_the_middle_of_a_step(page: Page, browser: Browser, site: Site, dns_server: DnsServer):
    """The checks run when their server dies at once; another server on the same database goes on where it broke off."""
    dns_server.replace(ZONE)
    dns_server.behave("example.com", Behaviour(delay=2))
    with served(site.environment, site.log.with_name("killed.log"), kill=True) as address:
        context = browser.new_context(base_url=address)
        dying = context.new_page()
        paste(dying, (SAMPLES / "gmail-dsn.eml").read_text())
        dying.get_by_role("button", name="that can look").click()
        expect(dying.locator(".check-pending").first).to_be_visible()
        case = dying.url.removeprefix(address).partition("?")[0]
        cookies = context.cookies()
    context.close()
    dns_server.behave("example.com", None)
    page.context.add_cookies([{"name": item["name"], "value": item["value"], "url": site.address} for item in cookies])
    page.goto(case)
    expect(page.locator("#verdict")).to_contain_text(UNAUTHENTICATED)
    expect(page.locator(".check-pending")).to_have_count(0, timeout=40_000)
    expect(page.locator("#check-spf .check-line .tag")).to_be_visible()
    expect(page.locator("#verdict")).to_have_text(re.compile("SPF|DKIM"))


MANY = "Reporting-MTA: dns; out.sender.example\n" + "".join(
    f"\nFinal-Recipient: rfc822; {name}@mail.example\nAction: failed\nStatus: {code}\nRemote-MTA: dns; mx1.mail.example\n"
    f"Diagnostic-Code: smtp; 550 {code} {said}\n"
    for name, code, said in (
        ("anna", "5.1.1", "User unknown"),
        ("bert", "5.2.2", "mailbox is full, over quota"),
        ("carl", "5.1.1", "User unknown"),
    )
)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_one_works_on_a_group_and_moves_to_the_next(page: Page, width: int, scheme: str):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    paste(page, MANY)
    expect(page.locator(".group-chosen")).to_contain_text("2 The recipient's address does not exist")
    accessible(page)
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#id_position")).to_have_value("2")
    page.locator(".group", has_text="full").click()
    expect(page.locator("#verdict")).to_contain_text(FULL)
    assert page.evaluate("document.activeElement.id") == "verdict"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    accessible(page)
