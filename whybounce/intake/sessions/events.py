"""What programs say of the connection itself, around the dialogue."""

from __future__ import annotations

import re

from whybounce.failure import Span
from whybounce.intake.sessions.dialogue import Event

FATAL = frozenset({"closed", "timeout", "refused", "unresolved", "tls-failed"})
# Lower case; the first kind that fits counts.
_MARKS = (
    (
        "unresolved",
        ("name or service not known", "could not resolve", "couldn't resolve", "name resolution", "nodename nor servname", "enotfound",
         "could not open connection to the host", "no such host is known", "unknownhostexception", "unknown host", "cannot locate"),
    ),
    (
        "tls-failed",
        ("tls startup failed", "ssl_connect", "handshake failure", "handshake_failure", "handshake failed", "wrong version number",
         "certificate_verify_failed",
         "ssl certificate problem", "certificate verification failed", "could not convert socket to tls", "sslhandshakeexception", "tlsv1 alert",
         "peer certificate cannot", "unable to verify the first certificate", "no peer certificate available"),
    ),
    ("timeout", ("timed out", "timeout exceeded", "connection timeout", "etimedout", "sockettimeoutexception")),
    ("refused", ("connection refused", "econnrefused", "no route to host", "network is unreachable", "host is unreachable", "actively refused")),
    (
        "closed",
        ("connection closed by foreign host", "remote host closed connection", "connection reset", "connection unexpectedly closed", "econnreset",
         "closed the connection", "server disconnected", "connection lost", "connection to host lost", "read:errno=", "broken pipe", "[eof]",
         "server closed connection", "smtpserverdisconnected", "unexpected eof"),
    ),
)  # fmt: skip
_HOST = r"[\"'(\[<]{0,3}(?:ipv6:|smtp://|smtps://)?([a-z0-9_][a-z0-9_.-]{0,252}[a-z0-9]|[0-9a-f:]{3,45})"
_CONNECTED = re.compile(
    rf"\b(?:connected to(?: host)?|connection (?:established )?to|connect: (?:to )?|connecting to:?|trying)[ ]*{_HOST}", re.IGNORECASE | re.ASCII
)
_TYPED = re.compile(rf"(?:^|[$#>%] ?)(?:telnet|nc|ncat|netcat)(?: -\w+)* {_HOST}[ :]\d{{1,5}}|-connect {_HOST}:\d{{1,5}}", re.IGNORECASE | re.ASCII)
_TLS = ("tls started", "ssl connection using", "new, tlsv", "starting tls", "tls handshake done", "cipher is ", "connection upgraded")


def read_event(text: str, start: int, end: int, after: int) -> Event | None:
    """The event in one line, text[start:end], after `after` exchanges; None for anything else."""
    line = text[start : min(end, start + 400)]
    lowered = line.lower()
    span = Span(start, end)
    for kind, marks in _MARKS:
        if any(mark in lowered for mark in marks):
            return Event(kind, _said(line), span, after=after)
    if lowered.strip() == "closed":
        return Event("closed", _said(line), span, after=after)
    if any(mark in lowered for mark in _TLS):
        return Event("tls", _said(line), span, after=after)
    connected = _CONNECTED.search(line) or _TYPED.search(line)
    if connected:
        group = connected.lastindex or 0
        return Event("connected", _said(line), Span(start + connected.start(group), start + connected.end(group)), connected[group], after)
    return Event("connected", _said(line), span, after=after) if lowered.startswith("connected(") else None


def _said(line: str) -> str:
    return " ".join(line.split()).lstrip("*=!- ")
