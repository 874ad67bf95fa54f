"""The log analysis in a real browser: an upload in pieces, a reading in a process of its own that is killed, the page, without JavaScript."""

from __future__ import annotations

import gzip
import os
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, accessible

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "busy-morning.log"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of several pieces: 12 MB."""
    path = tmp_path_factory.mktemp("logs") / "mail.log"
    text = SAMPLE.read_bytes()
    path.write_bytes(text * (12_000_000 // len(text) + 1))
    return path


def test_the_sample_says_what_is_wrong_and_its_groups_filter(page: Page):
    page.goto("/logs/")
    accessible(page)
    page.get_by_role("button", name="Try a sample").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("91% of the failures since 2026-11-25 09:00 have one cause: The DMARC policy")
    accessible(page)
    page.get_by_label("Words of the cause").press_sequentially("mailbox full")
    expect(page.locator("#groups tbody tr")).to_have_count(1)
    page.locator(".log-cause").first.get_by_role("button", name="Open a case").click()
    page.wait_for_url("**/cases/*/")
    expect(page.locator("#verdict")).to_contain_text("DMARC policy")


def test_a_file_goes_up_in_pieces_and_is_read_by_another_process(page: Page, log: Path):
    pieces: list[str] = []
    page.on("request", lambda request: pieces.append(request.url) if "/piece/?at=" in request.url else None)
    page.goto("/logs/")
    page.get_by_label("A log:").set_input_files(log)
    page.get_by_role("button", name="Read the log").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("of the failures", timeout=60_000)
    assert len(pieces) == 3
    expect(page.get_by_text("mail.log, 11.")).to_be_visible()


def test_an_upload_goes_on_by_itself_when_the_server_answers_again(page: Page, log: Path):
    page.goto("/logs/")
    page.route("**/piece/?at=4194304", lambda route: route.abort())
    page.get_by_label("A log:").set_input_files(log)
    page.get_by_role("button", name="Read the log").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute("**/piece/?at=4194304")
    expect(page.get_by_role("heading", level=1)).to_contain_text("of the failures", timeout=60_000)


def test_an_upload_goes_on_when_the_same_file_is_chosen_again(page: Page, log: Path):
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/logs/")
    page.route("**/piece/?at=4194304", lambda route: route.abort())
    page.get_by_label("A log:").set_input_files(log)
    page.get_by_role("button", name="Read the log").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.goto("/logs/")
    page.unroute("**/piece/?at=4194304")
    pieces: list[str] = []
    page.on("request", lambda request: pieces.append(request.url) if "/piece/?at=" in request.url else None)
    page.get_by_label("A log:").set_input_files(log)
    page.get_by_role("button", name="Read the log").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("of the failures", timeout=60_000)
    assert [url.rpartition("=")[2] for url in pieces] == ["4194304", "8388608"]


def test_an_upload_is_cancelled(page: Page, log: Path):
    page.goto("/logs/")
    page.route("**/piece/?at=4194304", lambda route: route.abort())
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("A log:").set_input_files(log)
    page.get_by_role("button", name="Read the log").click()
    expect(page.locator("#upload-said")).to_contain_text("4.2 of 12")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".log-list")).to_contain_text("Cancelled")


def test_a_reader_that_is_killed_loses_nothing(page: Page, site: Site, tmp_path: Path):
    big = tmp_path / "big.log.gz"
    text = SAMPLE.read_bytes()
    with gzip.open(big, "wb", compresslevel=1) as file:
        for _copy in range(120_000_000 // len(text)):
            file.write(text)
    page.goto("/logs/")
    page.get_by_label("A log:").set_input_files(big)
    page.get_by_role("button", name="Read the log").click()
    expect(page.locator("#state")).to_have_text("Being read", timeout=60_000)
    page.get_by_role("button", name="Cancel, and erase the log").focus()
    os.kill(reader_of(site), signal.SIGKILL)
    expect(page.get_by_text("this is attempt 2")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Cancel, and erase the log")).to_be_focused()  # what is swapped leaves it alone
    expect(page.get_by_role("heading", level=1)).to_contain_text("of the failures", timeout=90_000)


def reader_of(site: Site) -> int:
    """The process that reads, of this site's database."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for entry in Path("/proc").iterdir():
            try:
                command, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            except OSError:
                continue
            if b"read_logs" in command and f"DATABASE_URL={site.environment['DATABASE_URL']}\0".encode() in environment:
                return int(entry.name)
        time.sleep(0.1)
    raise AssertionError("no process reads")


def test_without_javascript_it_works_too(no_script: Page):
    no_script.goto("/logs/")
    no_script.get_by_label("A log:").set_input_files(SAMPLE)
    no_script.get_by_role("button", name="Read the log").click()
    expect(no_script.get_by_role("heading", level=1)).to_contain_text("of the failures")
    no_script.get_by_label("Words of the cause").fill("mailbox full")
    no_script.get_by_role("button", name="Find").click()
    expect(no_script.locator("#groups tbody tr")).to_have_count(1)
