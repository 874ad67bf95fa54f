"""A real Postfix hands mails over to `manage.py receive_mail`, and carries the answers."""

from __future__ import annotations

import os
import smtplib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest

from tests.browser.site import ROOT, database, free_port, manage
from tests.conftest import SMALL
from tests.mailroom.conftest import ATTACHED, SUE, forward
from tests.mailroom.postfix import MISSING, Postfix, is_installed, postfix
from tests.mailroom.running import Sink, sink

TO = "bounce@help.example"
TABLES = ("troubleshoot_case", "mailroom_receivedmail")
pytestmark = pytest.mark.skipif(not is_installed() and not os.environ.get("CI"), reason=MISSING)


class Site:
    """A database of its own, a Postfix, `receive_mail` behind it, and the mail server of those who wrote."""

    def __init__(self, environment: dict[str, str], mta: Postfix, answers: Sink, port: int) -> None:
        self.environment, self.mta, self.answers, self._port = environment, mta, answers, port
        self._before = rows(environment["DATABASE_URL"])

    @contextmanager
    def receiving(self, **more: str) -> Iterator[None]:
        command = [sys.executable, "manage.py", "receive_mail", "--lmtp", "--port", str(self._port)]
        with subprocess.Popen(command, cwd=ROOT, env=self.environment | more, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                assert "Takes mail by LMTP" in process.stdout.readline()
                yield
            finally:
                process.terminate()
            assert process.wait(20) == 0

    def mail(self, content: bytes, sender: str = SUE) -> None:
        with smtplib.SMTP("127.0.0.1", self.mta.port, timeout=60) as client:
            client.sendmail(sender, [TO], content)

    def answered(self, count: int) -> list[bytes]:
        until = time.monotonic() + 30
        while len(self.answers.taken) < count:
            assert time.monotonic() < until, self.mta.log
            time.sleep(0.1)
        return [content for _sender, _to, content in self.answers.taken]

    def counts(self) -> tuple[int, ...]:
        """Cases, mails taken in, since this site began."""
        return tuple(now - before for now, before in zip(rows(self.environment["DATABASE_URL"]), self._before, strict=True))


def rows(url: str) -> list[int]:
    """How many rows the two tables have."""
    with closing(psycopg.connect(url) if url.startswith("postgres") else sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES]  # type: ignore[arg-type, index]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    assert is_installed(), MISSING
    with database(tmp_path_factory.mktemp("postfix")) as url:
        environment = {**os.environ, "DEBUG": "1", "DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
        manage(environment, "migrate", "-v0")
        manage(environment, "load_knowledge", "--from", str(SMALL))
        yield environment


@pytest.fixture
def site(prepared: dict[str, str]) -> Iterator[Site]:
    port = free_port()
    with sink() as (answers, answer_port):
        home = f"smtp:[127.0.0.1]:{answer_port}"
        where = {TO: f"lmtp:inet:127.0.0.1:{port}", "help.example": home, "customer.example": home, "elsewhere.example": home}
        with postfix(where) as mta:
            settings = {
                "EMAIL_HOST": "127.0.0.1",
                "EMAIL_PORT": str(mta.port),
                "WHYBOUNCE_MAIL_FROM": f"Whybounce <{TO}>",
                "WHYBOUNCE_MAIL_SENDERS": "help.example, customer.example",
                "WHYBOUNCE_SITE_URL": "https://bounce.example.org",
            }
            yield Site(prepared | settings, mta, answers, port)


def test_a_forwarded_bounce_goes_in_and_the_answer_comes_out(site: Site) -> None:
    with site.receiving():
        site.mail(ATTACHED, "walter@customer.example")
        [answer] = site.answered(1)
    assert site.answers.taken[0][0] in ("", "<>")
    assert site.answers.taken[0][1] == ["walter@customer.example"]
    assert b"https://bounce.example.org/r/" in answer
    assert b"Auto-Submitted: auto-replied" in answer
    assert "status=sent (250 2.0.0 Taken in)" in site.mta.log
    assert site.counts() == (1, 1)


def test_what_comes_while_it_is_down_waits_and_is_taken_once(site: Site) -> None:
    once = forward(message_id="<down@help.example>")
    site.mail(once)
    site.mta.wait_for("status=deferred")
    with site.receiving():
        site.mta.run("postqueue", "-f")
        site.answered(1)
        site.mail(once)  # once more, as a mail server may that lost our reply
        site.mta.wait_for("Taken in", 2)
    assert len(site.answers.taken) == 1
    assert site.counts() == (1, 1)


def test_a_mail_whose_answer_cannot_go_out_stays_in_the_queue_until_it_can(site: Site) -> None:
    with site.receiving(EMAIL_PORT=str(free_port())):
        site.mail(forward(message_id="<unanswered@help.example>"))
        site.mta.wait_for("451 4.3.0")
    assert not site.answers.taken
    with site.receiving():
        site.mta.run("postqueue", "-f")
        site.answered(1)
    assert site.counts() == (1, 1)


def test_a_stranger_hears_of_it_from_the_mail_server(site: Site) -> None:
    with site.receiving():
        site.mail(forward(), "stranger@elsewhere.example")
        [bounce] = site.answered(1)
    assert b"5.7.1" in bounce
    assert site.counts() == (0, 0)


def test_sixty_megabytes_come_back_with_the_reason(site: Site) -> None:
    with site.receiving():
        site.mail(forward() + (b"x" * 75 + b"\r\n") * 780_000)
        [bounce] = site.answered(1)
    assert b"5.3.4" in bounce
    assert site.counts() == (0, 0)
