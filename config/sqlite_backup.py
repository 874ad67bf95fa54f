"""Backup of SQLite by its own backup API (https://www.sqlite.org/backup.html)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from config.backup_error import BackupError

_WAIT_SECONDS = 15.0


def back_up(database: Mapping[str, Any], file: Path) -> None:
    """Copies the database into the file. In one step: within one reading transaction, so that writers neither wait nor are half seen."""
    try:
        with closing(_open(_path(database))) as source, closing(sqlite3.connect(file)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, without a -wal beside it
            _check(target, file)
    except sqlite3.Error as error:
        raise BackupError(f"SQLite could not be backed up: {error}.") from None


def restore(database: Mapping[str, Any], file: Path) -> None:
    """Replaces what the database holds. Programs that have it open see all of the old or all of the new."""
    try:
        with closing(_open(file)) as source:
            _check(source, file)
            if "django_migrations" not in _tables(source):
                raise BackupError(f"{file} is a database of another program.")
            with closing(sqlite3.connect(_path(database), timeout=_WAIT_SECONDS)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise BackupError(f"SQLite could not be restored: {error}.") from None


def counts(database: Mapping[str, Any], tables: Iterable[str]) -> dict[str, int]:
    """The rows of those tables that there are; nothing where there is no database yet."""
    path = _path(database)
    if not path.exists():
        return {}
    try:
        with closing(_open(path)) as opened:
            there = _tables(opened)
            return {table: opened.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in tables if table in there}  # noqa: S608
    except sqlite3.Error as error:
        raise BackupError(f"{path} cannot be read: {error}.") from None


def _path(database: Mapping[str, Any]) -> Path:
    name = str(database["NAME"])
    if ":memory:" in name or "mode=memory" in name:
        raise BackupError("The database is in memory alone.")
    return Path(name)


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT_SECONDS)


def _tables(opened: sqlite3.Connection) -> set[str]:
    return {name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _check(opened: sqlite3.Connection, file: Path) -> None:
    (said,) = opened.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise BackupError(f"{file} is damaged: {said}.")
