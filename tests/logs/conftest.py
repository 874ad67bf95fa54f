"""Fixtures of the log analysis: the made-up knowledge, a folder of its own, logs, and an upload as logs.js does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from logs.models import LogReading
from tests.troubleshoot.conftest import no_collected_files as no_collected_files
from tests.troubleshoot.conftest import revision as revision
from tests.troubleshoot.conftest import supporter as supporter
from troubleshoot.rates import Rate

Upload = Callable[..., LogReading]


def line(number: int, *, hour: int = 9, user: str = "anna", status: str = "") -> str:
    """A line of Postfix: message `number` bounced, unless `status` says otherwise."""
    said = "bounced (host mx.example.net[192.0.2.7] said: 550 5.1.1 <%s@example.net>: Recipient address rejected: User unknown (in reply to RCPT TO))"
    return (
        f"2026-11-25T{hour:02d}:{number % 60:02d}:00+00:00 mail postfix/smtp[812]: 4{number:011d}: to=<{user}@example.net>, "
        f"relay=mx.example.net[192.0.2.7]:25, delay=1, dsn=5.1.1, status={status or said % user}\n"
    )


LOG = "".join(
    [*(line(n) for n in range(8)), line(20, hour=8, status="sent (250 2.0.0 Ok)"), line(21, hour=11, status="sent (250 2.0.0 Ok)")]
).encode()


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where logs lie; what waits is read in the process of the test as soon as somebody looks after it."""
    settings.WHYBOUNCE_LOG_FOLDER = tmp_path / "logs"
    settings.WHYBOUNCE_LOG_PROCESS = False
    settings.WHYBOUNCE_LIMIT_LOGS = settings.WHYBOUNCE_LIMIT_LOG_MB = Rate(0)
    return tmp_path / "logs"


@pytest.fixture
def upload(client: Client) -> Upload:
    """`upload(data)` uploads it in pieces and gives the log as it is then; what waits was looked after."""

    def do(data: bytes = LOG, *, name: str = "mail.log", by: Client = client, piece: int = 1000) -> LogReading:
        begun = by.post("/logs/upload/", {"name": name, "size": len(data)})
        assert begun.status_code == 201, begun.content
        told = begun.json()
        for at in range(0, len(data), piece):
            sent = by.post(f"{told['pieces']}?at={at}", data[at : at + piece], content_type="application/octet-stream")
            assert sent.status_code == 200, sent.content
        by.get(told["page"])
        return LogReading.objects.get(public_id=told["id"])

    return do
