"""A day of the support staff in a real browser: the list by keyboard, a case taken, noted, merged and undone, the dashboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, accessible, paste
from tests.browser.site import manage

MAKE = """
from django.contrib.auth.models import Group, User
user, new = User.objects.get_or_create(username="sue", defaults={"is_staff": True})
user.set_password("works-on-cases")
user.save()
user.groups.add(Group.objects.get(name="Support"))
"""
GONE = (
    "Nov 24 10:12:13 out postfix/smtp[71]: 4F2A1C0D: to=<{who}@staff.example>, relay=mx.staff.example[192.0.2.25]:25, delay=1, dsn=5.1.1, "
    "status=bounced (host mx.staff.example[192.0.2.25] said: 550 5.1.1 <{who}@staff.example>: Recipient address rejected: User unknown "
    "(in reply to RCPT TO command))"
)


def log_in(page: Page) -> None:
    page.goto("/login/")
    page.get_by_label("Username").fill("sue")
    page.get_by_label("Password").fill("works-on-cases")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1, name="Cases")).to_be_visible()


@pytest.fixture
def staff(page: Page, site: Site) -> Page:
    """The page of sue, of the group Support, who is logged in."""
    manage(site.environment, "shell", "-v", "0", "-c", MAKE)
    log_in(page)
    return page


def number_of(page: Page) -> str:
    return page.url.split("/cases/")[1].split("/")[0]


def pasted(page: Page, who: str) -> str:
    paste(page, GONE.format(who=who))
    return number_of(page)


def test_the_keyboard_alone_finds_takes_and_opens_a_case(staff: Page):
    page = staff
    first, second = pasted(page, "kay.one"), pasted(page, "kay.two")
    page.goto("/cases/")
    page.keyboard.press("/")
    expect(page.get_by_label("Address, domain, IP")).to_be_focused()
    page.keyboard.type("kay.")
    expect(page.locator("[data-row]")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"q=kay\."))
    page.keyboard.type("jka?")  # typed, not obeyed
    expect(page.get_by_label("Address, domain, IP")).to_have_value("kay.jka?")
    expect(page.locator("#keys")).not_to_be_visible()
    for _key in "jka?":
        page.keyboard.press("Backspace")
    expect(page.locator("[data-row]")).to_have_count(2)
    page.wait_for_timeout(1000)  # what was typed last may still be searched for: keys pressed while the list is swapped go elsewhere
    page.wait_for_load_state("networkidle")
    page.get_by_role("link", name="Download as CSV").focus()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=second)).to_be_focused()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=first)).to_be_focused()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=first)).to_be_focused()
    page.keyboard.press("k")
    expect(page.get_by_role("link", name=second)).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator(f"#row-{second}")).to_contain_text("sue")
    expect(page.get_by_role("link", name=second)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{second}/")
    expect(page.locator("#desk")).to_contain_text("Owner: sue")


def test_the_keys_are_told_and_can_be_turned_off(staff: Page):
    page = staff
    pasted(page, "keys")
    page.goto("/cases/?q=keys@staff.example")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    accessible(page)
    page.get_by_label("Single keys do this").uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).not_to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("[data-row] a").first).not_to_be_focused()
    page.keyboard.press("?")
    page.get_by_label("Single keys do this").check()
    page.get_by_role("button", name="Done").click()
    page.keyboard.press("j")
    expect(page.locator("[data-row] a").first).to_be_focused()


def test_a_case_is_taken_tagged_noted_merged_and_the_merge_undone(staff: Page):
    page = staff
    stays = pasted(page, "twin")
    duplicate = pasted(page, "twin")
    page.keyboard.press("a")
    expect(page.locator("#desk")).to_contain_text("Owner: sue")
    expect(page.locator("#desk")).to_contain_text("Others at staff.example lately:")
    page.get_by_role("button", name="Notes, tags, duplicates, history").click()
    page.get_by_label("New note").fill("Rang them.\nThey ring back.")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator(".desk-note")).to_contain_text("They ring back.")
    page.get_by_label("New tag").fill("Big  Customer")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".desk-tag-list")).to_contain_text("big customer")
    accessible(page)
    page.get_by_label("This is a duplicate of case").fill("aaaaaaaaaaaa")
    page.get_by_role("button", name="Merge").click()
    expect(page.locator("#desk").get_by_role("alert")).to_contain_text("no case with this number")
    page.get_by_label("This is a duplicate of case").fill(stays)
    page.get_by_role("button", name="Merge").click()
    expect(page.locator(".desk-merged")).to_contain_text(stays)
    expect(page.locator(".history")).to_contain_text("merged it into another case")
    page.goto(f"/cases/{duplicate}/")
    expect(page.locator("#case")).to_contain_text("twin@staff.example")
    accessible(page)
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.locator("#desk")).to_contain_text("Owner: sue")
    expect(page.locator(".desk-merged")).to_have_count(0)
    page.goto("/cases/?tag=big+customer")
    expect(page.get_by_role("link", name=duplicate)).to_be_visible()


def test_filters_work_while_typing_and_the_address_can_be_handed_on(staff: Page):
    page = staff
    number = pasted(page, "filtered")
    page.goto("/cases/")
    page.locator("summary").filter(has_text="More filters").click()
    page.get_by_label("Code", exact=True).fill("5.1.1")
    page.get_by_label("Recipient's domain").fill("staff.example")
    page.get_by_label("Owner").select_option("none")
    page.get_by_label("Address, domain, IP").fill("filtered")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.goto(page.url)
    expect(page.get_by_role("link", name=number)).to_be_visible()
    expect(page.get_by_label("Code", exact=True)).to_have_value("5.1.1")
    page.get_by_label("Code", exact=True).fill("5.9.9")
    page.keyboard.press("Enter")
    expect(page.locator("#rows")).to_contain_text("No case fits.")


def test_all_of_it_works_without_javascript(no_script: Page, site: Site):
    manage(site.environment, "shell", "-v", "0", "-c", MAKE)
    page = no_script
    log_in(page)
    number = pasted(page, "plain")
    page.goto("/cases/?q=plain@staff.example")
    page.get_by_role("button", name=f"Take case {number}").click()
    expect(page.locator(f"#row-{number}")).to_contain_text("sue")
    assert "q=plain" in page.url
    page.goto(f"/cases/{number}/")
    page.locator(".desk-more").click()
    page.wait_for_url("**/work/")
    page.get_by_label("New note").fill("By hand.")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator(".desk-note")).to_contain_text("By hand.")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".desk-note")).to_have_count(0)
    page.get_by_label("This is a duplicate of case").fill(number)
    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_role("alert")).to_contain_text("itself")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_pages_fit_the_screen_and_axe_finds_nothing(staff: Page, width: int, scheme: str):
    page = staff
    number = pasted(page, "seen")
    page.locator("#close summary").click()
    page.locator("#close").get_by_role("radio").first.check()
    page.get_by_role("button", name="Close the case").click()
    expect(page.get_by_role("heading", name=re.compile("It proved to be"))).to_be_visible()
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    for address in ("/cases/?cause=unclear", "/cases/", f"/cases/{number}/", f"/cases/{number}/work/", "/cases/dashboard/"):
        page.goto(address)
        for summary in page.locator("main summary").all():
            if summary.is_visible():
                summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        accessible(page)
