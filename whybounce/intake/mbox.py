"""Several mails in one paste (RFC 4155): each is read alone, the reports are joined."""

from __future__ import annotations

from dataclasses import replace

from whybounce.failure import DeliveryFailure, IntakeReport, Span
from whybounce.intake.mail import looks_like_mail

MAX_MESSAGES = 500
MAX_BYTES = 6_000_000
"""What is read of an mbox: reading costs about a microsecond a byte, and a page must not wait for long."""

_MAX_TRIES = 50_000
"""Lines with "From " behind an empty line that are looked at."""


def split(data: bytes) -> list[bytes]:
    """The mails of an mbox (LF line ends): cut at "From " lines that header fields follow. One item where it is none."""
    if not data.lstrip(b"\n").startswith(b"From "):
        return [data]
    starts = [0]
    at = data.find(b"\n\nFrom ")
    tries = 0
    while at >= 0 and len(starts) < MAX_MESSAGES and tries < _MAX_TRIES:
        tries += 1
        following = data.find(b"\n", at + 7, at + 1000) + 1
        if following and data.find(b":", following, following + 80) > 0 and looks_like_mail(data[at + 2 : at + 40_000]):
            starts.append(at + 2)
        at = data.find(b"\n\nFrom ", at + 2)
    return [data[start:stop].lstrip(b"\n") for start, stop in zip(starts, [*starts[1:], len(data)], strict=True)]


def readable(messages: list[bytes]) -> list[bytes]:
    """The first messages, as many as MAX_BYTES hold; at least one."""
    kept: list[bytes] = []
    total = 0
    for message in messages:
        total += len(message)
        if kept and total > MAX_BYTES:
            break
        kept.append(message)
    return kept


def join(reports: list[IntakeReport], count: int) -> IntakeReport:
    """One report of the mails read: texts one after the other, spans moved along, notes once. `count`: how many were pasted."""
    texts: list[str] = []
    failures: list[DeliveryFailure] = []
    notes: dict[str, None] = {}
    offset = 0
    for report in reports:
        for failure in report.failures:
            failures.append(replace(failure, spans={name: Span(s.start + offset, s.end + offset) for name, s in failure.spans.items()}))
        notes.update(dict.fromkeys(report.notes))
        texts.append(report.text)
        offset += len(report.text) + 2
    without = sum(1 for report in reports if not report.failures)
    summary = f"{count} e-mails were pasted; {without} of them report no failed delivery." if without else f"{count} e-mails were pasted."
    if len(reports) < count:
        summary += f" Only the first {len(reports)} were read; paste the others in a second go."
    kind = "" if failures else reports[0].kind
    return IntakeReport(
        "mbox",
        "\n\n".join(texts),
        tuple(failures),
        kind,
        (summary, *notes) if not failures else (summary,),
        hidden=any(report.hidden for report in reports),
    )
