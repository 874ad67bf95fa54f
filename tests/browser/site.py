"""The program as it is served: a real ASGI server in a process of its own, on a database of its own, asking a DNS server on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """The URL of an empty database: a SQLite file, or where DATABASE_URL names a PostgreSQL server a database made there."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield f"sqlite:///{folder / 'browser.sqlite3'}"
        return
    name = f"whybounce_browser_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[arg-type]
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@contextmanager
def served(environment: dict[str, str], log: Path, *, kill: bool = False) -> Iterator[str]:
    """The base address of a running server; what it printed is in `log`. `kill`: it ends at once, in the middle of what it does."""
    port = free_port()
    command = [str(Path(sys.executable).parent / "granian"), "--interface", "asginl", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
    with log.open("wb") as out:
        server = subprocess.Popen(
            [*command, "--log-level", "warning", "config.asgi:application"],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(f"{address}/healthz", server, log)
            yield address
        finally:
            os.killpg(server.pid, signal.SIGKILL) if kill else server.terminate()  # its worker is a process of its own
            server.wait(10)


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _try in range(150):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())
