"""What the log of this program looks like. No personal data belongs into it; should some get in with the message of an exception, the
names in addresses are taken out, and the tokens of shared links."""

from __future__ import annotations

import logging
import re

# Bounded, and looked for from the beginning of a word alone, so that a line of any length is read once.
_LOCAL = re.compile(r"(?:\"[^\"\r\n]{1,64}\"|(?<![^\s<>()\[\],;:\"'=@])[^\s<>()\[\],;:\"'=@…]{1,128})@(?=[^\s@])")
_TOKEN = re.compile(r"(?<=/r/)[A-Za-z0-9_-]{32}")


def masked(text: str) -> str:
    """`"<anna@example.net>: unknown"` -> `"<…@example.net>: unknown"`."""
    return _TOKEN.sub("…", _LOCAL.sub("…@", text))


class MaskingFormatter(logging.Formatter):
    """Formats a record, traceback included, and masks all of it."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))
