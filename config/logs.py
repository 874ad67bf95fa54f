"""What the log of this program looks like. No personal data belongs into it; should some get in with the message of an exception, the
names in addresses are taken out, the tokens of shared links, and the numbers of cases, runs and logs."""

from __future__ import annotations

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

# Bounded, and looked for from the beginning of a word alone, so that a line of any length is read once.
_LOCAL = re.compile(r"(?:\"[^\"\r\n]{1,64}\"|(?<![^\s<>()\[\],;:\"'=@])[^\s<>()\[\],;:\"'=@…]{1,128})@(?=[^\s@])")
_TOKEN = re.compile(r"(?<=/r/)[A-Za-z0-9_-]{32}")
# What a page is reached by: whoever has a visitor's cookie or works on the staff could open it.
_NUMBER = re.compile(r"(?<=/)(cases|check|logs)/[a-z2-7]{12}(?![a-z0-9-])")
_TOLD = ("view", "status", "ms")
"""What a record may hold besides its message (request_log.py); all else that is put into one stays out: it may be a request."""

request_number: ContextVar[str] = ContextVar("request_number", default="")
"""The number of the request that is worked on (request_log.py); "" outside of one."""


def masked(text: str) -> str:
    """`"<anna@example.net>: unknown"` -> `"<…@example.net>: unknown"`."""
    return _NUMBER.sub(r"\1/…", _TOKEN.sub("…", _LOCAL.sub("…@", text)))


class MaskingFormatter(logging.Formatter):
    """Formats a record, traceback included, and masks all of it."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON, every text in it masked: time (UTC, RFC 3339), level, logger, process, message; where there is one
    request, the number of the request, and exception, the traceback; of a request's own line view, status and ms."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": masked(record.getMessage()),
        }
        if number := getattr(record, "request_number", ""):
            told["request"] = number
        told |= {name: value for name in _TOLD if isinstance(value := getattr(record, name, None), str | int)}
        if record.exc_info:
            told["exception"] = masked(self.formatException(record.exc_info))
        if record.stack_info:
            told["stack"] = masked(self.formatStack(record.stack_info))
        return json.dumps(told, ensure_ascii=False)


class NumberFilter(logging.Filter):
    """Puts the number of the request into each record: `request_number`."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_number = request_number.get()
        return True
