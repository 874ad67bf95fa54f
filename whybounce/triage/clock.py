"""The times of log lines as ISO 8601, without a zone: the server's own, as written.

RFC 3164 section 4.1.2 writes no year. It follows from when the log was last written: the newest line is not after that, and within a log
the month falls only where a year begins.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

MONTHS = {name: number for number, name in enumerate(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1)}
_BACKWARDS = timedelta(minutes=10)
_TOLERANCE = timedelta(days=1)
_TAI_OFFSET = 2**62 + 10
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) ([ \d]\d) (?:(\d{4}) )?(\d\d:\d\d:\d\d)")
_ISO = re.compile(r"(?:[A-Z][a-z]{2} )?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2}):(\d\d)(?::(\d\d))?(?: ([AP])M)?", re.IGNORECASE)
_EPOCH = re.compile(r"(\d{10})(\d{3})?(\d{3})?(?:\.\d+)?(?!\d)")


class Clock:
    """Reads the times of one log in the order of its lines.

    `written`: when the log was last written. `year`: of its first line, where somebody knows. `jumps`: how often time went back by more
    than ten minutes.
    """

    def __init__(self, written: datetime, year: int | None = None) -> None:
        self.written = written
        self._latest = written.date() + _TOLERANCE
        self._year = year
        self._month = 0
        self._before: datetime | None = None
        self.jumps = 0
        self.guessed = False
        """Whether a year was missing."""

    def hour(self, written: bytes) -> bytes:
        """`b"Nov 25 03"`, `b"2026-11-25T03"` -> `b"2026-11-25T03"`; to be asked when the hour changes. b"" for no date."""
        if written[4:5] == b"-":
            iso = written[:10] + b"T" + written[11:13]
        else:
            day = self._dated(written[:3].decode("ascii", "replace"), written[4:6].decode("ascii", "replace"))
            if day is None:
                return b""
            iso = f"{day.isoformat()}T{written[7:9].decode()}".encode()
        return iso if self._follows(iso + b":59:59") else b""

    def stamp(self, written: str) -> str:
        """The time of a line of any program as `2026-11-25T03:04:33`; "" where it shows none."""
        found = self._read(written)
        if not found:
            return ""
        return found if self._follows(found.encode()) else ""

    def _read(self, written: str) -> str:
        if match := _SYSLOG.match(written):
            month, day, year, time = match.groups()
            if year:
                return f"{year}-{MONTHS.get(month, 1):02d}-{int(day):02d}T{time}"
            dated = self._dated(month, day)
            return f"{dated.isoformat()}T{time}" if dated else ""
        if match := _ISO.match(written):
            return f"{match[1]}T{match[2]}" + (":00" if len(match[2]) == 5 else "")
        if written[:1] == "@" and len(written) >= 17:
            try:
                return _utc(int(written[1:17], 16) - _TAI_OFFSET)
            except ValueError:
                return ""
        if match := _EPOCH.match(written):
            return _utc(int(match[1]))
        if match := _AMERICAN.match(written):
            month, day, year, hour, minute, second, half = match.groups()
            hours = int(hour) % 12 + (12 if half.upper() == "P" else 0) if half else int(hour)
            return f"{year}-{int(month):02d}-{int(day):02d}T{hours:02d}:{minute}:{second or '00'}"
        return ""

    def _dated(self, month: str, day: str) -> date | None:
        self.guessed = True
        number = MONTHS.get(month, 0)
        if not number or not day.strip().isdigit():
            return None
        if self._year is None:
            latest = self._latest
            self._year = latest.year if (number, int(day)) <= (latest.month, latest.day) else latest.year - 1
        year = self._year
        if self._month - number > 6:  # December, then January: a new year, or a clock that starts from nothing
            later = _day(year + 1, number, int(day))
            if later is None or later > self._latest:
                return _day(year, number, int(day))
            year = self._year = year + 1
        elif self._month and number - self._month > 6:  # a late line of the year before
            return _day(year - 1, number, int(day))
        self._month = number
        return _day(year, number, int(day))

    def _follows(self, iso: bytes) -> bool:
        """Counts where time goes back. False where this is no time at all."""
        try:
            now = datetime.fromisoformat(iso.decode())
        except ValueError:
            return False
        if self._before is not None and self._before - now > _BACKWARDS:
            self.jumps += 1
        self._before = now
        return True


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, 2, 28) if (month, day) == (2, 29) else None  # of another year


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") if 0 < seconds < 2**33 else ""
