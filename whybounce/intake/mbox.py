"""Several mails in one paste (RFC 4155): each is read alone, the reports are joined."""

from __future__ import annotations

from dataclasses import replace

from whybounce.failure import DeliveryFailure, IntakeReport, Span
from whybounce.intake.mail import looks_like_mail

MAX_MESSAGES = 500


def split(data: bytes) -> list[bytes]:
    """The mails of an mbox (LF line ends): cut at "From " lines that header fields follow. One item where it is none."""
    if not data.lstrip(b"\n").startswith(b"From "):
        return [data]
    starts = [0]
    at = data.find(b"\n\nFrom ")
    while at >= 0 and len(starts) < MAX_MESSAGES:
        if looks_like_mail(data[at + 2 : at + 40_000]):
            starts.append(at + 2)
        at = data.find(b"\n\nFrom ", at + 2)
    return [data[start:stop].lstrip(b"\n") for start, stop in zip(starts, [*starts[1:], len(data)], strict=True)]


def join(reports: list[IntakeReport], count: int) -> IntakeReport:
    """One report: texts one after the other, spans moved along, notes once."""
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
    kind = "" if failures else reports[0].kind
    return IntakeReport("mbox", "\n\n".join(texts), tuple(failures), kind, (summary, *notes) if not failures else (summary,))
