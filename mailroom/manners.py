"""When a mail must not be answered by a program (RFC 3834 sections 2 and 5), and by what answers of our own are known."""

from __future__ import annotations

import re
from email.utils import parseaddr

from whybounce.intake.mime import Entity

OWN_HEADER = "X-Whybounce"
"""Stands in every answer: a mail with it is one of our own that came back."""
_PRECEDENCE = {"bulk", "list", "junk"}
_SUPPRESS = {"all", "oof", "autoreply"}  # MS-OXCMAIL section 2.2.3.2.14
# RFC 3834 section 2: addresses of lists and of mail systems. Not postmaster: a person reads that, and forwards bounces.
_MACHINES = re.compile(r"(?:owner-.*|.*-(?:request|owner|bounces?)|mailer-daemon)(?:[+=].*)?", re.IGNORECASE)
_IDS = re.compile(r"<[^<>\s]{3,250}>")


def unanswerable(head: Entity, sender: str) -> str:
    """Why a mail with this header and envelope sender gets no answer; "" where it may be answered."""
    if not sender.strip("<> "):
        return "null-sender"
    if _MACHINES.fullmatch(sender.rpartition("@")[0]):
        return "machine"
    if head.kind == "multipart/report":
        return "report"
    if head.get("auto-submitted").split(";")[0].split("(")[0].strip().lower() not in ("", "no"):
        return "auto-submitted"
    if head.get("precedence").strip().lower() in _PRECEDENCE:
        return "precedence"
    if any(name.startswith("list-") for name, _value in head.fields):
        return "list"
    if _SUPPRESS & {word.strip().lower() for word in head.get("x-auto-response-suppress").split(",")}:
        return "suppressed"
    return ""


def is_own(head: Entity, own_address: str) -> bool:
    """Whether the mail is one that we sent."""
    return bool(head.get(OWN_HEADER.lower())) or (bool(own_address) and parseaddr(head.get("from"))[1].lower() == own_address.lower())


def is_reply_to_own(head: Entity, domain: str) -> bool:
    """Whether somebody replied to an answer of ours: by the Message-IDs that `answering.new_message_id` makes."""
    return any(re.search(rf"\.whybounce@{re.escape(domain)}>$", item) for item in ids_in(head.get("in-reply-to") + head.get("references")))


def ids_in(value: str) -> list[str]:
    """The Message-IDs of a header field (RFC 5322 section 3.6.4)."""
    return _IDS.findall(value)
