"""How fast a mail log is read and tallied, beside pflogsumm and grep on the same file in the same run.

    python -m bench.triage [--mb 200] [--keep FILE]     FILE: a log that bench.maillog made, or where to make it

Takes turns, so that what else the machine does hits all alike, and keeps the best of each. "In process": reading and tallying; "command":
all of `manage.py triage`, from the start of Python on. Two jobs are measured by the clock, all others by the processor's time.
The tally is held against the generator's ledger. pflogsumm: apt-get install pflogsumm.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.maillog import write
from whybounce.compiled import Knowledge
from whybounce.triage import Tally, read_logs
from whybounce.yaml_knowledge import read_folder

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5


def spent_by(command: list[str]) -> float:
    """Seconds of CPU that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.PIPE, check=False)  # grep stops early where nobody reads
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def spent_here(path: Path, knowledge: Knowledge) -> tuple[float, float, Tally]:
    """Seconds of CPU and by the clock to read it in this process, and what it told."""
    cpu, clock = time.process_time(), time.perf_counter()
    tally = read_logs([str(path)], knowledge).tally
    return time.process_time() - cpu, time.perf_counter() - clock, tally


def in_jobs(path: Path, knowledge: Knowledge, jobs: int) -> float:
    clock = time.perf_counter()
    read_logs([str(path)], knowledge, jobs=jobs)
    return time.perf_counter() - clock


def loop(path: Path) -> float:
    """Seconds of CPU of a bare loop over the lines: what any line-by-line program takes in Python."""
    started = time.process_time()
    number = 0
    with path.open("rb") as stream:
        for line in stream:
            number += b"status=bounced" in line
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=float, default=200)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.keep or Path(folder) / "mail.log"
        beside = path.with_name(path.name + ".json")
        if not (path.exists() and beside.exists()):
            beside.write_text(json.dumps(vars(write(path, int(options.mb * 1e6)))))
        measure(path, json.loads(beside.read_text()), options.rounds)


def measure(path: Path, ledger: dict[str, object], rounds: int) -> None:
    size = path.stat().st_size / 1e6
    knowledge = Knowledge(read_folder(ROOT / "knowledge/data"))
    knowledge.matcher.find("550 5.1.1 user unknown")  # the matcher is built at its first use
    pflogsumm = shutil.which("pflogsumm")
    best: dict[str, float] = {}

    def keep(name: str, seconds: float) -> None:
        best[name] = min(seconds, best.get(name, seconds))

    for _ in range(rounds):
        keep("grep", spent_by(["grep", "-c", "status=bounced", str(path)]))
        if pflogsumm:
            keep("pflogsumm", spent_by([pflogsumm, str(path)]))
        keep("loop", loop(path))
        cpu, clock, tally = spent_here(path, knowledge)
        keep("one", cpu)
        keep("one by the clock", clock)
        keep("two by the clock", in_jobs(path, knowledge, 2))
    told = {name: getattr(tally, name) for name in ("lines", "failures", "deferred", "delivered")}
    right = told == {name: ledger[name] for name in told}
    print(f"{size:.0f} MB, {tally.lines:,} lines: {told}; {'equals' if right else 'IS NOT'} the generator's ledger")
    print(f"{'grep -c status=bounced':<34}{best['grep']:6.2f} s  {size / best['grep']:>6,.0f} MB/s")
    print(f"{'bare loop over the lines':<34}{best['loop']:6.2f} s  {size / best['loop']:>6,.0f} MB/s  {best['loop'] / best['grep']:.1f} x grep")
    if pflogsumm:
        print(f"{'pflogsumm':<34}{best['pflogsumm']:6.2f} s  {size / best['pflogsumm']:>6,.0f} MB/s")
    ratio = f", pflogsumm takes {best['pflogsumm'] / best['one']:.1f} x as long" if pflogsumm else ""
    print(
        f"{'triage, one core, in process':<34}{best['one']:6.2f} s  {size / best['one']:>6,.0f} MB/s  {best['one'] / best['grep']:.1f} x grep{ratio}"
    )
    gain = best["one by the clock"] / best["two by the clock"]
    print(f"{'triage, two jobs, by the clock':<34}{best['two by the clock']:6.2f} s  {gain:.2f} x one job ({best['one by the clock']:.2f} s)")
    if not right:
        sys.exit("The tally is wrong.")


if __name__ == "__main__":
    main()
