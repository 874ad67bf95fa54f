"""A record as a line of a zone file: RFC 1035 section 5.1."""

from __future__ import annotations

# RFC 1035 section 3.3: one character-string.
MAX_STRING = 255


def zone_line(name: str, ttl: int, rdtype: str, text: str) -> str:
    """`example.com. 3600 IN TXT "v=spf1 -all"`; a text over 255 octets as several strings, which receivers join without a space
    (RFC 7208 section 3.3). For other types `text` is the record in presentation format, with absolute names."""
    value = " ".join(_quoted(part) for part in strings(text)) if rdtype == "TXT" else text
    return f"{name}. {ttl} IN {rdtype} {value}"


def strings(text: str) -> tuple[str, ...]:
    """An ASCII text cut after 255 characters, as often as needed."""
    return tuple(text[start : start + MAX_STRING] for start in range(0, len(text), MAX_STRING)) or ("",)


def _quoted(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
