"""`manage.py explain [FILE ...]`: why did this fail? Each file is one paste; `--lines FILE`: each line is one."""

from __future__ import annotations

import errno
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError

from knowledge.current import NoKnowledge, knowledge
from whybounce.answer import explain_text, for_people
from whybounce.compiled import Knowledge
from whybounce.failure import IntakeReport
from whybounce.intake import read, read_line
from whybounce.shapes import Shapes


class Command(BaseCommand):
    help = "Says why mail bounced, who must act and what to do. Reads bounces, replies and log lines; - is standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", metavar="FILE", help="a paste each (.eml, text); none: standard input")
        parser.add_argument("--lines", metavar="FILE", help="a file of which each line is a paste")
        parser.add_argument("--json", action="store_true", help="one JSON object a paste, a line each")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["lines"] and options["files"]:
            raise CommandError("--lines takes the place of the files: give one or the other.", returncode=2)
        try:
            known = knowledge()
        except NoKnowledge as error:
            raise CommandError(str(error), returncode=2) from error
        unreadable = 0
        if options["lines"] and options["json"]:
            self._write_lines(known, options["lines"])
            return
        for name, report in _lines(options["lines"]) if options["lines"] else _files(options["files"] or ["-"]):
            unreadable += report.error is not None
            self._print(known, name, report, as_json=options["json"])
        if unreadable:
            raise CommandError(f"{unreadable} of the inputs could not be read.", returncode=2)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Ends quietly where whoever reads the output has seen enough (`explain ... | head`)."""
        try:
            return super().execute(*args, **options)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try again to write on leaving
            return None

    def _write_lines(self, known: Knowledge, name: str) -> None:
        """A JSON object for each line, the fast road: what is said of one line is kept for all that read the same."""
        shapes = Shapes(lambda line: explain_text(known, read_line(line)))
        try:
            with _opened(name) as stream:
                for line in stream:
                    self.stdout.write(shapes.tell(line.decode("utf-8", "replace").rstrip("\r\n")))
        except BrokenPipeError:
            raise
        except OSError as error:
            self.stdout.write(explain_text(known, _unreadable(name, error)))
            raise CommandError("1 of the inputs could not be read.", returncode=2) from error

    def _print(self, known: Knowledge, name: str, report: IntakeReport, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(explain_text(known, report, name))
            return
        for line in for_people(known, report):
            self.stdout.write(_visible(line))


def _visible(line: str) -> str:
    """A line for the terminal: control characters of a pasted text shown, not obeyed."""
    return "".join(letter if letter.isprintable() or letter == "\n" else f"\\x{ord(letter):02x}" for letter in line)


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    """A file, or for "-" standard input, which stays open. OSError where there is none."""
    if name != "-":
        return Path(name).open("rb")
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    return nullcontext(sys.stdin.buffer)


def _files(names: list[str]) -> Iterator[tuple[str, IntakeReport]]:
    for name in names:
        try:
            with _opened(name) as stream:
                data = stream.read()
        except OSError as error:
            yield name, _unreadable(name, error)
            continue
        yield name, read(data)


def _unreadable(name: str, error: OSError) -> IntakeReport:
    return IntakeReport("unreadable", error=f"{name}: {error.strerror}")


def _lines(name: str) -> Iterator[tuple[str, IntakeReport]]:
    try:
        with _opened(name) as stream:
            for line in stream:
                yield "", read_line(line.decode("utf-8", "replace").rstrip("\r\n"))
    except OSError as error:
        yield name, _unreadable(name, error)
