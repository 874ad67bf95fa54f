"""How often something may be done: values of the settings. Reads no table, so that settings can import it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FORM = re.compile(r"(\d{1,12})/(\d{0,6})([smhd])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` at once, and then so many more in each `seconds` (a token bucket). `count` 0: no limit."""

    count: int
    seconds: int = 3600


def parse_rate(text: str, unit: int = 1) -> Rate:
    """`"20/10m"`, `"60/h"` or `"off"` as a Rate; each of the count stands for `unit`. ValueError says what is wrong with it."""
    if text.strip().lower() == "off":
        return Rate(0)
    match = _FORM.fullmatch(text.strip())
    if match is None or not int(match[1]) or match[2] == "0":
        raise ValueError(f"{text!r} is no rate: one looks like 20/10m, 60/h or off")
    return Rate(int(match[1]) * unit, int(match[2] or 1) * _UNITS[match[3]])


@dataclass(frozen=True, slots=True)
class Limits:
    """
    client          runs of checks of one client address without a login
    user            runs of one person who is logged in
    domain          runs about one registered domain, of all visitors together
    user_domain     the same, of all who are logged in together
    mx              conversations with one mail server, of everybody together
    pastes          pastes of one client address
    paste_bytes     their bytes
    api_token       requests to the API with one token
    api_open        requests to the API of one client address without a token
    """

    client: Rate = Rate(20, 600)
    user: Rate = Rate(200, 600)
    domain: Rate = Rate(60, 3600)
    user_domain: Rate = Rate(600, 3600)
    mx: Rate = Rate(60, 3600)
    pastes: Rate = Rate(120, 3600)
    paste_bytes: Rate = Rate(250_000_000, 3600)
    api_token: Rate = Rate(1200, 600)
    api_open: Rate = Rate(120, 600)
