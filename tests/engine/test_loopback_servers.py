"""The servers that tests rely on, started as programs as well: what another process would use."""

from __future__ import annotations

import asyncio
import os
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.smtp import SmtpServer
from whybounce.checks.resolver import Resolver, Status

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def program(*arguments: str) -> Iterator[int]:
    """A server as a program; its port."""
    command = [sys.executable, "-m", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def status(port: int, name: str) -> Status:
    return asyncio.run(Resolver([("127.0.0.1", port)]).ask(name, "A")).status


def test_the_dns_server_runs_as_a_program_and_follows_its_file(tmp_path: Path) -> None:
    zone = tmp_path / "zone"
    zone.write_text("www.example.test. A 192.0.2.1\n;! broken.test servfail\n")
    with program("tests.servers.dns", "--zone", str(zone)) as port:
        assert status(port, "www.example.test") is Status.ANSWERED
        assert status(port, "broken.test") is Status.SERVFAIL
        zone.write_text("broken.test. A 192.0.2.1\n")
        until = time.monotonic() + 5
        while status(port, "broken.test") is not Status.ANSWERED and time.monotonic() < until:
            time.sleep(0.05)
        assert status(port, "broken.test") is Status.ANSWERED
        assert status(port, "www.example.test") is Status.NXDOMAIN


def test_the_smtp_server_runs_as_a_program() -> None:
    with program("tests.servers.smtp", "--refuse", "rcpt=550 5.1.1 No such user") as port, smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        client.ehlo("client.example.test")
        client.mail("anna@example.test")
        assert client.rcpt("bo@example.test") == (550, b"5.1.1 No such user")


REPLY = (550, b"5.7.1 Refused here")


@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data", "message"])
def test_the_smtp_server_refuses_at_the_stage_it_is_told_to(stage: str) -> None:
    with SmtpServer({stage: "550 5.7.1 Refused here"}) as server:
        client = smtplib.SMTP(timeout=5)
        replies = {"connect": client.connect(*server.address)}
        if stage != "connect":
            replies["ehlo"] = client.ehlo("client.example.test")
            client.helo("client.example.test")
            replies["mail"] = client.mail("anna@example.test")
            replies["rcpt"] = client.rcpt("bo@example.test")
            if stage not in ("mail", "rcpt"):
                replies["data"] = client.docmd("DATA")
            if stage in ("message",):
                client.send("Subject: test\r\n\r\nbody\r\n.\r\n")
                replies["message"] = client.getreply()
        client.close()
    assert replies[stage] == REPLY
    passed = [code for name, (code, _) in replies.items() if name != stage]
    assert stage in ("mail",) or all(code < 400 for code in passed)


def test_the_smtp_server_refuses_one_recipient_and_takes_another() -> None:
    with SmtpServer({"gone@example.test": "550 5.1.1 No such user"}) as server, smtplib.SMTP(*server.address, timeout=5) as client:
        refused = client.sendmail("anna@example.org", ["bo@example.test", "gone@example.test"], "Subject: test\r\n\r\nbody")
    assert refused == {"gone@example.test": (550, b"5.1.1 No such user")}
    assert len(server.messages) == 1
