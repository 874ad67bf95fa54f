"""What was forwarded: the whole mail as intake reads it, else one of its attachments, else its text."""

from __future__ import annotations

import binascii
from collections.abc import Iterator

from whybounce.failure import IntakeReport
from whybounce.intake import read
from whybounce.intake.mime import Entity

_MOST_PARTS = 30
_DEEPEST = 6
_MAIL_TYPES = ("message/rfc822", "message/global", "message/delivery-status")


def bounce_in(content: bytes, head: Entity, *, attached_only: bool = False) -> tuple[bytes, IntakeReport]:
    """The bytes that tell of failed deliveries and what intake read in them; the whole mail, with no failure, where none do.

    head            the mail with LF line ends, as whybounce.intake.mime.entity_of gives it
    attached_only   what stands in the text itself does not count: it quotes something
    """
    whole = read(content)
    if whole.failures and not attached_only:
        return content, whole
    for kind, data in _parts(head, 0):
        is_text = kind.startswith("text/")
        if not data.strip() or (attached_only and is_text):
            continue
        report = read(data)
        if report.failures:
            return (content, whole) if kind in _MAIL_TYPES and whole.failures else (data, report)
    return content, IntakeReport(whole.format, whole.text, (), whole.kind, whole.notes, whole.error) if attached_only else whole


def _parts(entity: Entity, depth: int) -> Iterator[tuple[str, bytes]]:
    """The parts that hold something, attachments before texts: a covering note must not hide what it covers."""
    found = list(_leaves(entity, depth))[:_MOST_PARTS]
    yield from sorted(found, key=lambda item: item[0].startswith("text/"))


def _leaves(entity: Entity, depth: int) -> Iterator[tuple[str, bytes]]:
    parts = entity.parts() if entity.kind.startswith("multipart/") and depth < _DEEPEST else None
    if parts is None:
        if entity.kind != "text/html" or not depth:
            yield entity.kind, _decoded(entity)
        return
    for part in parts[:_MOST_PARTS]:
        yield from _leaves(part, depth + 1)


def _decoded(entity: Entity) -> bytes:
    """The body, whole; Entity.content reads only the beginning of large ones."""
    if entity.get("content-transfer-encoding").strip().lower() == "base64":
        try:
            return binascii.a2b_base64(entity.body)
        except binascii.Error:
            pass
    return entity.content() if len(entity.body) < 1_000_000 else entity.body
