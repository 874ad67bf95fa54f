"""The log to try: a morning of a server that Gmail refuses."""

from __future__ import annotations

from pathlib import Path

SAMPLE_NAME = "busy-morning.log"
_PATH = Path(__file__).resolve().parent.parent / "samples" / SAMPLE_NAME


def sample_bytes() -> bytes:
    return _PATH.read_bytes()
