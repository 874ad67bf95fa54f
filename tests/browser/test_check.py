"""Live checks in a real browser: the page that checks a domain, the checks of a case, the record to publish, verification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ZONE, Site, accessible, paste
from tests.browser.site import served
from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
RECORD = "v=spf1 ip4:192.0.2.0/28 ip4:198.51.100.7 -all"


@pytest.fixture(autouse=True)
def zone(dns_server: DnsServer) -> Iterator[None]:
    dns_server.replace(ZONE)
    yield
    dns_server.replace(ZONE)


def check(page: Page, domain: str, sending_ip: str = "") -> None:
    page.goto("/check/")
    page.get_by_label("Domain, e-mail address or IP address").fill(domain)
    if sending_ip:
        page.get_by_text("More about the message").click()
        page.get_by_label("Sending IP").fill(sending_ip)
    page.get_by_role("button", name="Check", exact=True).click()


def state_of(page: Page, name: str) -> str:
    return page.locator(f"#check-{name} .check-line .tag").inner_text()


def test_a_domain_is_checked_row_by_row_and_the_summary_says_what_is_wrong(page: Page, dns_server: DnsServer) -> None:
    dns_server.behave("sender.example", Behaviour(delay=0.8, rdtype="TXT"))
    check(page, "sender.example", "198.51.100.7")
    expect(page.locator("#check-mx.check-done")).to_be_visible()
    expect(page.locator("#check-spf .looking")).to_be_visible()  # the first row does not wait for the last
    page.wait_for_url("**/check/*/")
    expect(page.locator(".wrong")).to_contain_text("SPF")
    expect(page.locator("#results-title")).to_contain_text("fault")
    expect(page.locator("#results")).to_contain_text("looked")
    for summary in page.locator("#results summary").all():
        summary.click()
    accessible(page)


def test_looking_again_says_what_changed_and_the_address_can_be_given_to_others(page: Page, browser: Browser, dns_server: DnsServer) -> None:
    check(page, "sender.example", "198.51.100.7")
    expect(page.locator(".wrong")).to_contain_text("SPF")
    dns_server.add(f'sender.example. TXT "{RECORD}"')
    page.get_by_role("button", name="Look again now").click()
    expect(page.locator("#check-spf .change")).to_contain_text("Better")
    expect(page.locator("#results")).to_contain_text("found something else")
    accessible(page)
    other = browser.new_context().new_page()
    other.goto(page.url)
    expect(other.locator("#check-spf .change")).to_contain_text("Better")
    assert other.locator("meta[name=robots]").get_attribute("content") == "noindex"
    other.context.close()


def test_an_address_or_an_ip_address_alone_goes_into_the_same_box(page: Page) -> None:
    check(page, "198.51.100.7")
    expect(page.locator("#check-ptr.check-done")).to_be_visible()
    check(page, "lena@mail.example")
    expect(page.locator("#check-mx.check-done")).to_be_visible()
    expect(page.get_by_label("Domain, e-mail address or IP address")).to_have_value("lena@mail.example")


def test_all_of_it_works_without_javascript(no_script: Page, dns_server: DnsServer) -> None:
    page = no_script
    check(page, "sender.example", "198.51.100.7")
    expect(page.locator("#check-spf.check-done")).to_be_visible()
    expect(page.locator(".wrong")).to_contain_text("SPF")
    dns_server.add(f'sender.example. TXT "{RECORD}"')
    page.get_by_role("button", name="Look again now").click()
    expect(page.locator("#check-spf .change")).to_contain_text("Better")
    page.goto("/check/?domain=mail.example&sending_ip=192.0.2.1")
    expect(page.get_by_label("Sending IP")).to_have_value("192.0.2.1")


def test_the_keyboard_alone_runs_the_checks_and_lands_on_the_result(page: Page) -> None:
    page.goto("/check/")
    page.get_by_label("Domain, e-mail address or IP address").focus()
    page.keyboard.type("mail.example")
    page.keyboard.press("Enter")
    expect(page.locator("#check-mx.check-done")).to_be_visible()
    expect(page.locator("#results-title")).to_be_focused()


def test_what_is_typed_wrong_is_explained_in_place(page: Page) -> None:
    check(page, "two words")
    expect(page.locator(".check-form")).to_contain_text("holds a space")
    accessible(page)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_page_fits_the_screen_and_axe_finds_nothing(page: Page, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    check(page, "sender.example", "198.51.100.7")
    expect(page.locator(".wrong")).to_be_visible()
    for summary in page.locator("#results summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    accessible(page)


# --- in a case ---


def test_the_proposed_record_is_published_and_verify_sees_it_turn_good(page: Page, dns_server: DnsServer) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    paste(page, (SAMPLES / "gmail-dsn.eml").read_text())
    page.get_by_role("button", name="that can look").click()
    expect(page.locator("#check-spf .check-line .tag-fail")).to_be_visible()
    expect(page.locator("#check-spf .check-effect")).to_contain_text("%")
    record = page.locator("#steps .record")
    expect(record.locator("ins")).to_have_text("ip4:198.51.100.7")
    record.get_by_role("button", name="Copy the record").click()
    expect(record.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == RECORD
    dns_server.add(f'sender.example. TXT "{copied}"')
    page.get_by_role("button", name="Verify: check SPF again").first.click()
    proof = page.locator("#steps .change").first
    expect(proof).to_contain_text("Better")
    expect(proof.locator(".tag").first).to_have_class("tag tag-fail")
    expect(proof.locator(".tag").last).to_have_class("tag tag-good")
    expect(page.locator("#check-spf .check-line .tag-good")).to_be_visible()
    expect(page.locator("#steps .record")).to_have_count(0)
    accessible(page)


def test_verifying_works_without_javascript(no_script: Page, dns_server: DnsServer) -> None:
    page = no_script
    paste(page, (SAMPLES / "gmail-dsn.eml").read_text())
    page.get_by_role("button", name="that can look").click()
    expect(page.locator("#check-spf .check-line .tag-fail")).to_be_visible()
    dns_server.add(f'sender.example. TXT "{RECORD}"')
    page.get_by_role("button", name="Verify: check SPF again").first.click()
    expect(page.locator("#steps .change").first).to_contain_text("Better")
    page.locator("#check-spf").get_by_role("link", name="What was seen").click()
    expect(page.locator("main")).to_contain_text(RECORD)


def test_what_was_seen_is_brought_by_a_click(page: Page) -> None:
    paste(page, (SAMPLES / "gmail-dsn.eml").read_text())
    page.get_by_role("button", name="that can look").click()
    expect(page.locator("#checks .looking")).to_have_count(0, timeout=40_000)
    page.locator("#check-spf").get_by_role("link", name="What was seen").click()
    expect(page.locator("#check-spf .seen")).to_contain_text("ip4:192.0.2.0/28")
    accessible(page)


def test_a_page_that_was_left_while_checks_ran_goes_on_when_it_is_opened_again(page: Page, dns_server: DnsServer) -> None:
    dns_server.behave("sender.example", Behaviour(delay=1.5, rdtype="TXT"))
    paste(page, (SAMPLES / "gmail-dsn.eml").read_text())
    case = page.url
    page.get_by_role("button", name="that can look").click()
    expect(page.locator("#check-mx.check-done")).to_be_visible()
    page.goto("/")
    dns_server.behave("sender.example", None)
    page.goto(case)
    expect(page.locator("#check-mx.check-done")).to_be_visible()
    expect(page.locator("#check-spf.check-done")).to_be_visible()
    expect(page.locator("#checks .looking")).to_have_count(0, timeout=40_000)


def test_who_asks_too_often_is_told_when_to_go_on(page: Page, site: Site, tmp_path: Path) -> None:
    with served({**site.environment, "WHYBOUNCE_LIMIT_CLIENT": "1/h"}, tmp_path / "server.log") as address:
        page.goto(f"{address}/check/?domain=mail.example")
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.locator("#check-mx.check-done")).to_be_visible()
        page.get_by_role("button", name="Look again now").click()
        expect(page.get_by_role("alert")).to_contain_text("Try again in")
        expect(page.get_by_role("alert")).to_be_focused()
