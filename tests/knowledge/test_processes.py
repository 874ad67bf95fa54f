"""Several processes on one database file: each follows what another publishes; one that is killed leaves what was."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SMALL
from tests.knowledge.conftest import Files

ROOT = Path(__file__).resolve().parents[2]
STARTED = "import django; django.setup()\n"
READER = f"""{STARTED}
import sys, time
from knowledge.current import snapshot
said = None
while True:
    now = f"{{snapshot().revision}} {{next(c.summary for c in snapshot().causes if c.slug == 'greylisting')}}"
    if now != said:
        print(now, flush=True)
    said = now
    time.sleep(0.05)
"""
PUBLISHER = f"""{STARTED}
from knowledge.models import Cause
from knowledge.publishing import publish
row = Cause.objects.get(slug="greylisting")
row.summary = "Said by another process."
row.save()
publish(by=None, reason="test")
"""
STUCK = f"""{STARTED}
import sys, time
from pathlib import Path
from knowledge import loading, rows
def stop(self):
    print("in the middle", flush=True)
    time.sleep(60)
rows.Writer.flush = stop
loading.load(Path(sys.argv[1]))
"""


class Desk:
    """A database file of its own, and processes that work on it."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            **os.environ,
            "DEBUG": "1",
            "DATABASE_URL": f"sqlite:///{folder / 'test.sqlite3'}",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(ROOT),
        }

    def start(self, code: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", code, *arguments], env=self.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, env=self.environment, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.manage("migrate", "-v0")
    assert "Revision 1 serves." in desk.manage("load_knowledge", "--from", str(SMALL))
    return desk


@pytest.fixture
def reader(desk: Desk) -> Iterator[subprocess.Popen[str]]:
    """A process that prints the revision that it serves, and again whenever that changes."""
    process = desk.start(READER)
    yield process
    process.kill()
    process.communicate()


def line(process: subprocess.Popen[str], seconds: float) -> str:
    assert process.stdout
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    return process.stdout.readline().strip() if ready else ""


def test_a_process_that_is_killed_while_it_loads_leaves_what_was(desk: Desk, files: Files) -> None:
    files.change("causes", "An unknown sender is put off once.", "Half of an upgrade.")
    process = desk.start(STUCK, str(files.folder))
    assert line(process, 60) == "in the middle"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "The shipped knowledge is loaded already." in desk.manage("load_knowledge", "--from", str(SMALL))
    assert "1 rows changed: 1 causes" in desk.manage("load_knowledge", "--check", "--from", str(files.folder))


def test_another_process_sees_what_is_published_within_five_seconds(desk: Desk, reader: subprocess.Popen[str]) -> None:
    number, _, summary = line(reader, 60).partition(" ")
    assert summary == "An unknown sender is put off once."
    publisher = desk.start(PUBLISHER)
    publisher.communicate(timeout=60)
    assert publisher.returncode == 0
    published = time.monotonic()
    number_now, _, summary_now = line(reader, 5).partition(" ")
    assert time.monotonic() - published < 5
    assert summary_now == "Said by another process."
    assert int(number_now) == int(number) + 1
