"""A backup is whole while others write, comes back equal, and never over a database in use unless that is wished."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from config import postgres_backup
from config.backup_error import BackupError
from config.backups import POSTGRES, SQLITE, USED, back_up, restore

ROOT = Path(__file__).resolve().parents[2]
INSERT = "INSERT INTO troubleshoot_allowance (key, due) VALUES ('{0} a', 1), ('{0} b', 2)"
COUNT = "SELECT count(*) FROM troubleshoot_allowance"
TABLES = {
    SQLITE: "SELECT name FROM sqlite_master WHERE type = 'table'",
    POSTGRES: "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}
Database = dict[str, Any]


class Place:
    """A database of the kind that the tests run on: one that is filled, and an empty one beside it."""

    def __init__(self, filled: Database, empty: Database) -> None:
        self.filled, self.empty = filled, empty

    @contextmanager
    def connected(self, database: Database) -> Iterator[Any]:
        if database["ENGINE"] == SQLITE:
            with closing(sqlite3.connect(database["NAME"], timeout=15)) as opened:
                yield opened
        else:
            with postgres_backup._connect(database) as opened:
                yield opened

    def count(self, database: Database) -> int:
        with self.connected(database) as opened:
            return opened.execute(COUNT).fetchone()[0]

    def counts(self, database: Database) -> dict[str, int]:
        with self.connected(database) as opened:
            names = [name for (name,) in opened.execute(TABLES[database["ENGINE"]]).fetchall()]
            return {name: opened.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}


@pytest.fixture
def place(tmp_path: Path, transactional_db: None) -> Iterator[Place]:
    if connection.vendor == "sqlite":
        filled, empty = tmp_path / "filled.sqlite3", tmp_path / "empty.sqlite3"
        connection.ensure_connection()
        with closing(sqlite3.connect(filled)) as target:
            connection.connection.backup(target)
            target.execute("PRAGMA journal_mode = WAL")
        yield Place({"ENGINE": SQLITE, "NAME": str(filled)}, {"ENGINE": SQLITE, "NAME": str(empty)})
        return
    filled = dict(connection.settings_dict)
    name = f"{filled['NAME']}_restored"
    with psycopg.connect(dbname="postgres", **_server(filled), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}"')
        server.execute(f'CREATE DATABASE "{name}"')
        yield Place(filled, filled | {"NAME": name})
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _server(database: Database) -> dict[str, Any]:
    keys = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    return {name: database[key] for name, key in keys.items() if database.get(key)}


def test_it_is_whole_while_others_write_and_comes_back_equal(place: Place, tmp_path: Path) -> None:
    stop, file = threading.Event(), tmp_path / "backup"

    def write() -> None:
        with place.connected(place.filled) as opened:
            number = 0
            while not stop.is_set():
                opened.execute(INSERT.format(number))  # two rows or none
                opened.commit()
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        _until(lambda: place.count(place.filled) > 20)
        size = back_up(place.filled, file)
        during = place.count(place.filled)
        _until(lambda: place.count(place.filled) > during)  # nobody was stopped
    finally:
        stop.set()
        writer.join()
    assert size == file.stat().st_size > 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".backup", "backup"))] == ["backup"]
    restore(place.empty, file)
    back = place.count(place.empty)
    assert 20 < back <= during
    assert back % 2 == 0
    again = tmp_path / "again"
    back_up(place.empty, again)
    before = place.counts(place.empty)
    restore(place.empty, again, overwrite=True)
    assert place.counts(place.empty) == before
    assert before | {"troubleshoot_allowance": 0} == place.counts(place.filled) | {"troubleshoot_allowance": 0}


def test_a_database_in_use_is_not_overwritten_unless_wished(place: Place, tmp_path: Path) -> None:
    with place.connected(place.filled) as opened:
        opened.execute("DELETE FROM knowledge_knowledgerevision")
        opened.commit()
    file = tmp_path / "backup"
    back_up(place.filled, file)
    assert set(restore(place.empty, file)) == set(USED)
    with place.connected(place.empty) as opened:
        opened.execute(_REVISION)
        opened.commit()
    with pytest.raises(BackupError, match=r"in use already \(knowledge_knowledgerevision: 1\)"):
        restore(place.empty, file)
    assert place.counts(place.empty)["knowledge_knowledgerevision"] == 1
    restore(place.empty, file, overwrite=True)
    assert place.counts(place.empty)["knowledge_knowledgerevision"] == 0


_REVISION = """INSERT INTO knowledge_knowledgerevision (reason, digest, content, weights, created_at, confirmed, report, shipped_files)
    VALUES ('r', 'd', '', '', '2026-01-01 00:00:00+00:00', '', '{}', '')"""


@pytest.mark.parametrize("damage", ["cut", "rubbish", "missing", "other kind"])
def test_a_file_that_is_no_whole_backup_changes_nothing(place: Place, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "backup"
    back_up(place.filled, file)
    content = file.read_bytes()
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "rubbish":
        file.write_bytes(b"hello")
    elif damage == "missing":
        file.unlink()
    else:
        file.write_bytes((b"SQLite format 3\0" if place.filled["ENGINE"] == POSTGRES else b"PGDMP") + content[16:])
    before = place.counts(place.filled)
    with pytest.raises(BackupError):
        restore(place.filled, file, overwrite=True)
    assert place.counts(place.filled) == before


def test_a_file_that_is_there_is_left_alone(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("precious")
    with pytest.raises(BackupError, match="there already"):
        back_up(place.filled, file)
    assert file.read_text() == "precious"
    with pytest.raises(BackupError, match="cannot be written"):
        back_up(place.filled, tmp_path / "no such folder" / "backup")


def test_without_the_programs_of_postgresql_it_says_which(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BackupError, match="pg_dump is not installed"):
        back_up({"ENGINE": POSTGRES, "NAME": "x"}, tmp_path / "backup")
    assert not list(tmp_path.iterdir())


def test_the_commands(place: Place, tmp_path: Path) -> None:
    if place.filled["ENGINE"] != SQLITE:
        pytest.skip("the commands are the same on both")
    file = tmp_path / "backup.sqlite3"
    for command, database, says in (
        (["backup", str(file)], place.filled, f"{file}: "),
        (["restore", str(file)], place.empty, "Restored (troubleshoot_case: 0"),
    ):
        environment = os.environ | {"DATABASE_URL": f"sqlite:///{database['NAME']}", "DEBUG": "1"}
        done = subprocess.run([sys.executable, "manage.py", *command], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert says in done.stdout


def _until(true: Any) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
