"""Fixtures of the browser tests: one served site and one DNS server for all of them, a Chromium for each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.site import database, manage, served
from tests.servers.dns import DnsServer

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""

ZONE = """
mail.example. MX 10 mx1.mail.example.
mx1.mail.example. A 127.0.0.1
sender.example. TXT "v=spf1 ip4:192.0.2.0/28 -all"
sender.example. MX 10 mx1.mail.example.
gone.example. MX 10 mx.gone.example.
example.com. MX 10 mx1.mail.example.
"""


@dataclass(frozen=True, slots=True)
class Site:
    address: str
    environment: dict[str, str]
    log: Path
    password: str


@pytest.fixture(scope="session")
def dns_server() -> Iterator[DnsServer]:
    with DnsServer(ZONE) as server:
        yield server


@pytest.fixture(scope="session")
def site(dns_server: DnsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site with the shipped knowledge and the administrator that `prepare` made."""
    if not CHROMIUM:
        pytest.skip("no Chromium is installed")
    folder = tmp_path_factory.mktemp("site")
    with database(folder) as url:
        environment = {
            **os.environ,
            "DEBUG": "1",
            "DATABASE_URL": url,
            "WHYBOUNCE_NAMESERVERS": f"127.0.0.1:{dns_server.port}",
            "WHYBOUNCE_ALLOW_NETWORKS": "127.0.0.0/8",
            "WHYBOUNCE_SMTP_PROBE": "off",
            "WHYBOUNCE_LOG_FOLDER": str(folder / "logs"),
            # All tests are one client and ask about the same domains, whose records change from test to test.
            "WHYBOUNCE_CHECKS_KEPT": "0",
            **{f"WHYBOUNCE_LIMIT_{name}": "off" for name in ("CLIENT", "DOMAIN", "PASTES", "PASTE_MB")},
        }
        said = manage(environment, "prepare")
        password = said.split("password", 1)[1].split()[0]
        with served(environment, folder / "server.log") as address:
            yield Site(address, environment, folder / "server.log", password)


@pytest.fixture(scope="session")
def base_url(site: Site) -> str:
    """What pytest-playwright puts before "/"."""
    return site.address


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's Chromium, without the services that it would look for on the Internet."""
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    return {"executable_path": CHROMIUM, "args": [*quiet, "--disable-sync"]}


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page on which no script error and no breach of the content security policy goes unseen."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None)
    page.set_default_timeout(15_000)
    yield page
    assert not problems


@pytest.fixture
def no_script(browser: Any, base_url: str) -> Iterator[Page]:
    """A page in a browser without JavaScript."""
    context = browser.new_context(base_url=base_url, java_script_enabled=False)
    yield context.new_page()
    context.close()


def accessible(page: Page) -> None:
    """Fails where axe finds anything wrong with the page as it stands."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def paste(page: Page, text: str) -> None:
    """Pastes on the home page, and waits for the case."""
    page.goto("/")
    page.get_by_label("Paste the bounce").fill(text)
    page.get_by_role("button", name="Why did it bounce?").click()
    page.wait_for_url("**/cases/*/")
