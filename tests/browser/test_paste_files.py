"""Files on the start page: dropped anywhere on it, or chosen where there is no JavaScript."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import accessible

ROOT = Path(__file__).resolve().parents[2]
EML = ROOT / "samples" / "gmail-dsn.eml"
MSG = ROOT / "samples" / "outlook-message.msg"

DROP = """([selector, name, content]) => {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name));
  const place = document.querySelector(selector);
  for (const kind of ["dragenter", "dragover", "drop"]) {
    place.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
  }
}"""


def drop(page: Page, place: str, path: Path) -> None:
    page.evaluate(DROP, [place, path.name, base64.b64encode(path.read_bytes()).decode("ascii")])
    page.wait_for_url("**/cases/*/")


@pytest.mark.parametrize("place", ["#id_text", "h1", ".steps-row"])
def test_a_mail_dropped_anywhere_on_the_page_is_diagnosed(page: Page, place: str):
    page.goto("/")
    drop(page, place, EML)
    expect(page.locator("#verdict")).to_contain_text("neither SPF nor DKIM")


def test_an_outlook_file_dropped_on_the_page_is_diagnosed(page: Page):
    page.goto("/")
    drop(page, "h1", MSG)
    expect(page.locator("#verdict")).to_contain_text("address does not exist")
    expect(page.locator("mark", has_text="anna@example.net").first).to_be_visible()
    accessible(page)


def test_an_outlook_file_is_read_without_javascript(no_script: Page):
    no_script.goto("/")
    no_script.get_by_label("Or a file").set_input_files(MSG)
    no_script.get_by_role("button", name="Why did it bounce?").click()
    expect(no_script.locator("#verdict")).to_contain_text("address does not exist")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_start_page_is_accessible_and_fits(page: Page, width: int, scheme: str):
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    accessible(page)
