"""Backup of PostgreSQL by its own programs: pg_dump, pg_restore and psql must be installed, not older than the server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from config.backup_error import BackupError

# Options of a connection that say whom to trust and how: libpq takes them from the environment too.
_PASSED_ON = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "passfile": "PGPASSFILE"}
_OF_DATABASE = {"NAME": "PGDATABASE", "HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}


def back_up(database: Mapping[str, Any], file: Path) -> None:
    """Writes an archive of pg_dump's custom format: one snapshot of the database, whoever writes meanwhile."""
    _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={file}"], database)


def restore(database: Mapping[str, Any], file: Path) -> None:
    """Drops the tables there are and makes those of the archive, in one transaction."""
    _run(["pg_restore", f"--file={os.devnull}", str(file)], database)  # a damaged archive is found before anything is begun
    read, write = _program("pg_restore"), _program("psql")
    environment = _environment(database)
    with tempfile.TemporaryFile() as complaints, tempfile.NamedTemporaryFile("w", suffix=".sql") as drop:
        drop.write(_drop_all(database))
        drop.flush()
        into = [write, "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={drop.name}", "--file=-"]
        source = subprocess.Popen(  # noqa: S603
            [read, "--no-owner", "--no-privileges", "--file=-", str(file)], env=environment, stdout=subprocess.PIPE, stderr=complaints
        )
        target = subprocess.Popen(into, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints)  # noqa: S603
        assert source.stdout is not None and target.stdin is not None  # noqa: S101, PT018 (they are pipes)
        whole = _pass_on(source, target)
        if not whole:
            target.kill()  # before the end of its input: what it was given is not kept
        target.communicate()
        if not whole or target.returncode:
            raise BackupError(f"Nothing was restored: {_last_line(complaints)}")


def _pass_on(source: subprocess.Popen[bytes], target: subprocess.Popen[bytes]) -> bool:
    """Whether all that `source` writes reached `target`, and `source` ended well."""
    assert source.stdout is not None and target.stdin is not None  # noqa: S101, PT018 (they are pipes)
    try:
        shutil.copyfileobj(source.stdout, target.stdin)
        target.stdin.flush()
    except BrokenPipeError:
        source.kill()
    source.stdout.close()
    return source.wait() == 0


def counts(database: Mapping[str, Any], tables: Iterable[str]) -> dict[str, int]:
    """The rows of those tables that there are."""
    with _connect(database) as opened:
        there = {name for (name,) in opened.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")}
        found = {}
        for table in tables:
            if table in there:
                row = opened.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
                found[table] = row[0] if row else 0
        return found


def _drop_all(database: Mapping[str, Any]) -> str:
    """Statements that drop the tables of the program's schema, and with them their sequences, indexes and constraints."""
    with _connect(database) as opened:
        tables = opened.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
        drop = sql.SQL("DROP TABLE IF EXISTS {} CASCADE;\n")
        return "".join(drop.format(sql.Identifier(schema, table)).as_string(opened) for schema, table in tables)


def _connect(database: Mapping[str, Any]) -> psycopg.Connection[Any]:
    given = {"dbname": "NAME", "host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    parameters = {name: database[key] for name, key in given.items() if database.get(key)}
    options = {name: value for name, value in database.get("OPTIONS", {}).items() if name in _PASSED_ON}
    try:
        return psycopg.connect(**parameters, **options, connect_timeout=10)
    except psycopg.Error as error:
        raise BackupError(f"PostgreSQL does not answer ({type(error).__name__}).") from None


def _environment(database: Mapping[str, Any]) -> dict[str, str]:
    """The connection as libpq reads it: in the environment, for arguments can be seen by everybody on the machine."""
    given = {name: str(database[key]) for key, name in _OF_DATABASE.items() if database.get(key)}
    options = database.get("OPTIONS", {})
    return os.environ | given | {name: str(options[key]) for key, name in _PASSED_ON.items() if options.get(key)}


def _program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise BackupError(f"{name} is not installed (Debian: apt install postgresql-client). It must not be older than the server.")
    return found


def _run(command: list[str], database: Mapping[str, Any]) -> None:
    command = [_program(command[0]), *command[1:]]
    with tempfile.TemporaryFile() as complaints:
        if subprocess.run(command, env=_environment(database), stdin=subprocess.DEVNULL, stderr=complaints, check=False).returncode:  # noqa: S603
            raise BackupError(_last_line(complaints))


def _last_line(complaints: Any) -> str:
    """The last thing that a program complained of."""
    complaints.seek(0)
    lines = complaints.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it was broken off."
