"""Which blocklists to ask: the shipped ones, or those that an operator or a command names."""

from __future__ import annotations

from collections.abc import Sequence

from whybounce.snapshot import Blocklist


def chosen_lists(shipped: Sequence[Blocklist], zones: Sequence[str]) -> tuple[Blocklist, ...]:
    """The lists to ask: those of `shipped` that anybody may ask, or the `zones` that were named instead; a zone that begins with +
    is asked besides them. A named zone that is shipped keeps its meaning; of any other nothing is known but its answers."""
    askable = tuple(item for item in shipped if item.zone and item.public and not item.closed)
    named = [_named(shipped, zone.lstrip("+").strip().strip(".").lower()) for zone in zones if zone.strip("+. ")]
    if any(not zone.startswith("+") for zone in zones):
        return tuple(named)
    return askable + tuple(item for item in named if item not in askable)


def _named(shipped: Sequence[Blocklist], zone: str) -> Blocklist:
    known = next((item for item in shipped if item.zone == zone), None)
    return known or Blocklist(slug=zone, name=zone, kind="any", meaning="", zone=zone)
