"""The whole database to a file and back. SQLite: a database in a file, copied within one reading transaction by its backup API. PostgreSQL: an
archive of pg_dump. Nothing needs to be stopped for a backup."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from config import postgres_backup, sqlite_backup
from config.backup_error import BackupError

SQLITE = "django.db.backends.sqlite3"
POSTGRES = "django.db.backends.postgresql"
Database = Mapping[str, Any]
"""An entry of settings.DATABASES."""


class Kind(StrEnum):
    """What a file holds, by its first bytes."""

    SQLITE = SQLITE
    POSTGRES = POSTGRES


_NAMES = {SQLITE: "SQLite", POSTGRES: "PostgreSQL"}
_MAGIC = {b"SQLite format 3\0": Kind.SQLITE, b"PGDMP": Kind.POSTGRES}
# Rows that say that a database is in use. The migrations themselves make groups, so those do not.
USED = ("troubleshoot_case", "knowledge_knowledgerevision", "auth_user")


def back_up(database: Database, file: Path) -> int:
    """Writes all of a database to `file`, which only its owner may read, and returns its bytes. BackupError where that is not possible;
    then there is no such file. A file that is there already is never touched."""
    if file.exists():
        raise BackupError(f"{file} is there already.")
    engine = _engine(database)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        (sqlite_backup if engine == SQLITE else postgres_backup).back_up(database, part)
        _flush(part)
        os.link(part, file)  # fails where somebody else was quicker
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror}.") from None
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def restore(database: Database, file: Path, *, overwrite: bool = False) -> dict[str, int]:
    """Puts what `file` holds in the place of all that the database holds, in one transaction: it succeeds whole or changes nothing. The
    rows of each table of USED afterwards. BackupError where the file is none, is damaged or of another kind of database, and where
    the database is in use already and not to be overwritten."""
    engine = _engine(database)
    kind = _kind(file)
    if kind != engine:
        raise BackupError(f"{file} is a backup of {_NAMES[kind]}, but the database is {_NAMES[engine]}.")
    module = sqlite_backup if engine == SQLITE else postgres_backup
    filled = {table: rows for table, rows in module.counts(database, USED).items() if rows}
    if filled and not overwrite:
        held = ", ".join(f"{table}: {rows}" for table, rows in filled.items())
        raise BackupError(f"The database is in use already ({held}). With --overwrite all of it is replaced.")
    module.restore(database, file)
    rows: dict[str, int] = module.counts(database, USED)
    return rows


def _engine(database: Database) -> str:
    engine = str(database["ENGINE"])
    if engine not in _NAMES:
        raise BackupError(f"There is no backup of {engine}.")
    return engine


def _kind(file: Path) -> Kind:
    try:
        with file.open("rb") as opened:
            head = opened.read(16)
    except OSError as error:
        raise BackupError(f"{file} cannot be read: {error.strerror}.") from None
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    raise BackupError(f"{file} is no backup.")


def _flush(file: Path) -> None:
    """Returns when the file is on the disk."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
