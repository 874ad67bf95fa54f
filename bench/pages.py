"""How many reference pages a second are served, beside an empty view behind the same server and middleware in the same run.

    DEBUG=1 python -m bench.pages [SECONDS]       needs wrk (apt install wrk); default: 4 seconds a round

Serves the database that DATABASE_URL names (`manage.py prepare` makes it) with granian on a free port, and asks in turn for an empty view,
for pages of each kind, and for pages that the browser has already (304). Prints ratios; exits with 1 where the median of the pages is less
than 70 % of the empty view (one alone swings with what else the machine does).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

from tests.browser.site import free_port

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "/codes/550/",
    "/codes/5.7.26/",
    "/causes/spf-fail/",
    "/providers/google/",
    "/replies/recipient-mailbox-full/",
    "/blocklists/spamhaus-zen/",
    "/codes/",
)
EMPTY = "/bench-empty/"
LEAST = 0.7
ROUNDS = 3

# The site's own addresses and an empty view beside them.
URLS = f"""
from django.http import HttpResponse
from django.urls import path
from config.urls import urlpatterns as site

urlpatterns = [path("{EMPTY.strip("/")}/", lambda request: HttpResponse()), *site]
"""
SETTINGS = """
from config.settings import *
ROOT_URLCONF = "bench_urls"
LOGGING_CONFIG = None
DEBUG = False
"""


def asked(address: str, path: str, seconds: int, *headers: str) -> float:
    """Requests a second that wrk gets answered, with one connection for each of the two threads."""
    options = [part for header in headers for part in ("-H", header)]
    done = subprocess.run(
        ["wrk", "-t2", "-c8", f"-d{seconds}s", *options, address + path], capture_output=True, text=True, check=True, timeout=seconds + 20
    )
    if "Non-2xx" in done.stdout and not headers:
        raise SystemExit(f"{path}: not every answer was a page\n{done.stdout}")
    match = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert match, done.stdout
    return float(match[1])


def warmed(address: str) -> str:
    """Asks for a page once. Its ETag."""
    with urllib.request.urlopen(address) as response:
        response.read()
        return str(response.headers["ETag"])


@contextmanager
def served(environment: dict[str, str]) -> Iterator[str]:
    """The address of a server. It is not waited for long: what wrk broke off may keep a worker."""
    address = f"127.0.0.1:{free_port()}"
    command = [str(Path(sys.executable).parent / "granian"), "--interface", "asginl", "--host", "127.0.0.1", "--port", address.split(":")[1]]
    command += ["--no-ws", "--log-level", "error", "--workers-kill-timeout", "2", "config.asgi:application"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as server:
        try:
            for _try in range(150):
                with suppress(OSError):
                    warmed(f"http://{address}/healthz")
                    break
                time.sleep(0.1)
            yield f"http://{address}"
        finally:
            server.terminate()


def main() -> int:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed: apt install wrk")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bench_urls.py").write_text(URLS)
        (folder / "bench_settings.py").write_text(SETTINGS)
        environment = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "DJANGO_SETTINGS_MODULE": "bench_settings"}
        with served(environment) as address:
            etags = {path: warmed(address + path) for path in (EMPTY, *PAGES)}
            best: dict[str, float] = {}
            for _round in range(ROUNDS):  # in turn, so that what else the machine does falls on all of them
                for path in (EMPTY, *PAGES):
                    best[path] = max(best.get(path, 0.0), asked(address, path, seconds))
                best["304"] = max(best.get("304", 0.0), asked(address, PAGES[0], seconds, f"If-None-Match: {etags[PAGES[0]]}"))
    empty = best.pop(EMPTY)
    print(f"an empty view: {empty:,.0f}/s")
    for path, rate in best.items():
        print(f"  {path:<36} {rate:>8,.0f}/s   {rate / empty:.2f} x the empty view")
    typical = median(best.values())
    print(f"the median of them: {typical / empty:.2f} x the empty view")
    return int(typical < LEAST * empty)


if __name__ == "__main__":
    sys.exit(main())
