"""A curator's day in a real browser: from a reply that nobody knew to a pattern that every visitor's paste is recognised by."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, paste
from tests.browser.site import manage

UNKNOWN = "550 5.9.9 the postmaster of this house returns every letter on Sunday, ticket 4711"
CAUSE = "The message is larger than a server on its way permits"
PUBLISHED = 240_000  # milliseconds: the text model is fitted on all that ships, on a machine that may be busy
MAKE = """
from django.contrib.auth.models import Group, User
user = User.objects.create_user("cora", password="knows-her-replies", is_staff=True)
user.groups.add(Group.objects.get(name="Curators"))
"""


@pytest.fixture
def desk(page: Page, site: Site) -> Page:
    """The page of a curator who is logged in."""
    manage(site.environment, "shell", "-v", "0", "-c", MAKE)
    page.goto("/admin/")
    page.get_by_label("Username").fill("cora")
    page.get_by_label("Password").fill("knows-her-replies")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="What is known")).to_be_visible()
    return page


def choose_cause(page: Page, title: str) -> None:
    """The first line of evidence says this cause, as strongly as can be."""
    if not page.locator("#id_evidence-0-strength").count():
        page.get_by_role("link", name="Add another Evidence").click()
    page.locator("#evidence-0 .select2-selection").click()
    page.locator(".select2-search__field").fill(title)
    page.locator(".select2-results__option", has_text=title).first.click()
    page.locator("#id_evidence-0-strength").select_option("proves")


def wait_until_done(page: Page) -> None:
    """Watches the job. A new text may tip a known case that stood on the brink: then the curator says why that is right."""
    state = page.locator(".desk-state")
    expect(state).to_contain_text(re.compile("Done|Needs confirmation"), timeout=PUBLISHED)
    if "Done" not in state.inner_text():
        page.get_by_label("Why this is right").fill("It stood on the brink")
        page.get_by_role("button", name="Publish all the same").click()
        expect(state).to_contain_text("Done", timeout=PUBLISHED)


def test_from_an_unknown_reply_to_a_pattern_that_serves(desk: Page, browser, base_url: str):
    page = desk
    visitor = browser.new_context(base_url=base_url)
    before = visitor.new_page()
    paste(before, UNKNOWN)
    expect(before.locator("#verdict")).not_to_contain_text(CAUSE)

    page.goto("/admin/")
    page.get_by_role("link", name="Unrecognised replies").first.click()
    page.get_by_role("row", name="returns every letter").get_by_role("link", name="Make a pattern").click()
    assert "every" in page.get_by_label("Pattern:").input_value()
    choose_cause(page, CAUSE)
    page.get_by_label("Decisive").check()

    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#trial")).to_contain_text("RE2 compiles it")
    expect(page.locator("#trial")).to_contain_text("It matches 1 of its own examples")
    page.wait_for_load_state("load")
    expect(page.get_by_role("heading", name="Try before saving")).to_be_in_viewport()
    assert "every" in page.get_by_label("Pattern:").input_value()

    page.locator("#id_status").select_option("published")
    page.get_by_label("Why this change").fill("A visitor pasted it")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.locator(".messagelist .success")).to_be_visible()

    page.get_by_role("link", name="Revisions").first.click()
    page.get_by_role("link", name="Publish", exact=True).click()
    page.get_by_label("What changed, and why").fill("No letters on Sunday")
    page.get_by_role("button", name="Publish", exact=True).click()
    wait_until_done(page)
    done = time.monotonic()
    expect(page.locator("#job")).to_contain_text("patterns: 1 new, 0 changed, 0 gone")

    while True:
        after = visitor.new_page()
        paste(after, UNKNOWN.replace("4711", "4712"))
        if CAUSE in after.locator("#verdict").inner_text():
            break
        assert time.monotonic() - done < 5
    assert time.monotonic() - done < 5
    visitor.close()

    page.goto("/admin/knowledge/replypattern/?q=returns")
    page.locator("#result_list tbody th a").first.click()
    page.get_by_role("link", name="History").click()
    expect(page.locator("#content")).to_contain_text("A visitor pasted it")
