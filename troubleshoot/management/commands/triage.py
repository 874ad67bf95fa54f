"""`manage.py triage LOG ...`: what failed in these mail logs, how often and why."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledge.current import NoKnowledge, knowledge
from whybounce.triage import for_people, read_logs, to_json


def _jobs(text: str) -> int:
    """A number of processes, or `auto`: one for each core that may be used."""
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdigit() or not 1 <= int(text) <= 512:
        raise ArgumentTypeError(f"{text!r} is no number of processes from 1 to 512, nor auto.")
    return int(text)


class Command(BaseCommand):
    help = "Reads mail logs (also .gz, .bz2, .xz, .zst; - is standard input) and tallies what failed, by cause, code, provider, domain and hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("logs", nargs="+", metavar="LOG", help="a mail server's log in any form that is known; - is standard input")
        parser.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="processes to read with, or auto (default: 1)")
        parser.add_argument("--since", metavar="TALLY", help="an earlier tally (--json) that is compared: shows what is new")
        parser.add_argument("--json", action="store_true", help="one JSON object (docs/json.md)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            known = knowledge()
        except NoKnowledge as error:
            raise CommandError(str(error), returncode=2) from error
        since = _earlier(options["since"]) if options["since"] else None
        outcome = read_logs(options["logs"], known, jobs=options["jobs"])
        if len(outcome.unreadable) < len(set(options["logs"])):
            if options["json"]:
                self.stdout.write(json.dumps(to_json(outcome.tally, known, since), ensure_ascii=False))
            else:
                for line in for_people(outcome.tally, known, since):
                    self.stdout.write(_visible(line))
        if outcome.unreadable:
            problems = "; ".join(f"{name}: {why}" for name, why in sorted(outcome.unreadable.items()))
            raise CommandError(f"Could not be read: {problems}", returncode=2)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Ends quietly where whoever reads the output has seen enough (`triage ... | head`)."""
        try:
            return super().execute(*args, **options)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try again to write on leaving
            return None


def _earlier(name: str) -> dict[str, Any]:
    try:
        found = json.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}", returncode=2) from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{name} is no tally: it holds no JSON.", returncode=2) from error
    if not isinstance(found, dict) or not isinstance(found.get("groups"), list):
        raise CommandError(f"{name} is no tally as `triage --json` writes it.", returncode=2)
    return found


def _visible(line: str) -> str:
    """A line for the terminal: control characters of a log shown, not obeyed."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in line)
