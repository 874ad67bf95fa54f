"""Which blocklists to ask: the shipped ones, or those that an operator or a command names. The others are known by their names only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from whybounce.snapshot import Blocklist


def chosen_lists(shipped: Sequence[Blocklist], zones: Sequence[str]) -> tuple[Blocklist, ...]:
    """The lists to ask: those of `shipped` that anybody may ask, or the `zones` that were named instead; a zone that begins with +
    is asked besides them. A named zone that is shipped keeps its meaning; of any other nothing is known but its answers.
    The rest of `shipped` follows without a zone: never asked, but recognised where a reply names it."""
    askable = tuple(item for item in shipped if item.zone and item.public and not item.closed)
    named = [_named(shipped, zone.lstrip("+").strip().strip(".").lower()) for zone in zones if zone.strip("+. ")]
    only_named = any(not zone.startswith("+") for zone in zones)
    asked = tuple(named) if only_named else askable + tuple(item for item in named if item not in askable)
    return asked + tuple(replace(item, zone="") for item in shipped if item not in asked)


def _named(shipped: Sequence[Blocklist], zone: str) -> Blocklist:
    known = next((item for item in shipped if item.zone == zone), None)
    return known or Blocklist(slug=zone, name=zone, kind="any", meaning="", zone=zone)
