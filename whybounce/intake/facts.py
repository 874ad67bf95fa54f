"""The facts of one reply: text, codes, stage, the host that refused, the address that it refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from whybounce.failure import Span, Stage
from whybounce.intake.codes import leading_code, read_codes
from whybounce.intake.page import trim
from whybounce.intake.stages import read_stage
from whybounce.intake.unwrap import innermost

LONGEST_REPLY = 4000
"""Characters of a reply that are read. RFC 5321 section 4.5.3.1.5 allows 512 a line; longer texts say nothing more."""

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}(?![\w.]*\d)"
_ANY_IP = re.compile(r"\d\.\d{1,3}\.\d{1,3}\.\d|[0-9a-f]:[0-9a-f]{0,4}:[0-9a-f:]", re.ASCII | re.IGNORECASE)
# The words that servers put before the address of the client they refuse.
_CLIENT = re.compile(
    r"(?:client(?:\s+host)?|\bip(?:\s*address)?|\bmessages?\s+from|\bmail\s+from|\bconnections?\s+from|\bconnecting|\byour\s+server|\bsending|reverse\s+dns\s+for"
    rf"|\bdns\s+for|\bhost|\bsender|\?ip)(?:\s+ip)?(?:\s+address)?(?:\s+is)?[\s:=\[(<]{{1,4}}(?:IPv6:)?({_IPV4}|[0-9a-f]{{1,4}}(?::[0-9a-f]{{0,4}}){{2,7}})",
    re.ASCII | re.IGNORECASE,
)
_BRACKETED = re.compile(rf"[\s\w]\[({_IPV4})(?:\s+\d{{1,4}})?\](?!:25\b)", re.ASCII)
_PARENTHESES = re.compile(rf"\bmail\s+server\s+\(({_IPV4})\)", re.ASCII | re.IGNORECASE)
_SIZE = re.compile(r"\bSIZE=(\d{1,12})\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class Facts:
    """What one reply says; spans are offsets into the text it was read from."""

    text: str = ""
    code: str | None = None
    enhanced: str | None = None
    stage: Stage = Stage.EMPTY
    remote_mta: str = ""
    sending_ip: str = ""
    message_size: int | None = None
    spans: dict[str, Span] = field(default_factory=dict)


def one_line(raw: str) -> str:
    """A reply on one line: white space collapsed, repeated code prefixes of continuation lines dropped but for the first.

    `"550-5.1.1 No such\\n550 5.1.1 user"` -> `"550-5.1.1 No such user"` (RFC 5321 section 4.2.1; RFC 2034 section 4).
    """
    words = raw.split()
    if len(words) < 2:
        return " ".join(words)
    code = words[0][:3]
    if leading_code(words[0], 0, len(words[0])) is None or raw.count(code) < 2:
        return " ".join(words)
    return " ".join(_without_repeats(words, code))


def _without_repeats(words: list[str], code: str) -> list[str]:
    if words[1] == code or words[1].startswith(code + "-"):  # "550 550 5.1.1", as Gmail quotes
        words = words[1:]
    kept = words[:1]
    continued = words[0][3:4] == "-"
    enhanced = words[0][4:] if continued else ""
    drop_enhanced = False
    for word in words[1:]:
        if drop_enhanced and word == enhanced:
            drop_enhanced = False
            continue
        drop_enhanced = False
        if continued and word == "<<<":  # a dialogue's mark before each line
            continue
        if continued and word.startswith(code + "-"):
            if word[4:] and word[4:] != enhanced:
                kept.append(word[4:])
        elif continued and word == code:
            continued, drop_enhanced = False, True
        else:
            kept.append(word)
    return kept


def bracketed(host: str) -> str:
    """A host name as it is; an address literal in brackets (RFC 5321 section 4.1.3)."""
    if host and (host.replace(".", "").isdigit() or (":" in host and not host.startswith("["))):
        return f"[{host}]"
    return host


def read_facts(text: str, start: int, end: int, context: int | None = None) -> Facts:
    """The facts of the reply in text[start:end], unwrapped to the server that refused, whose name may stand from `context` on."""
    start, end = trim(text, start, min(end, start + LONGEST_REPLY))
    if start == end:
        return Facts()
    inner = innermost(text, start, end, context)
    spans: dict[str, Span] = {}
    codes = read_codes(text, *(inner.codes if inner.codes[1] else (inner.start, inner.end)))
    if codes.code is not None:
        spans["code"] = Span(codes.code_at, codes.code_at + len(codes.code))
    if codes.enhanced is not None:
        spans["enhanced"] = Span(codes.enhanced_at, codes.enhanced_at + len(codes.enhanced))
    stage, stage_start, stage_end = read_stage(text, start, end)
    if stage:
        spans["stage"] = Span(stage_start, stage_end)
    host = text[slice(*inner.host)].rstrip(".")
    if host:
        spans["remote_mta"] = Span(inner.host[0], inner.host[0] + len(host))
    sending_ip, at = _sending_ip(text, inner.start, inner.end, text[slice(*inner.ip)]) if codes.code or codes.enhanced else ("", 0)
    if sending_ip:
        spans["sending_ip"] = Span(at, at + len(sending_ip))
    if inner.end > inner.start:
        spans["text"] = Span(inner.start, inner.end)
    size = _SIZE.search(text, start, inner.start)
    return Facts(
        text=one_line(text[inner.start : inner.end]),
        code=codes.code,
        enhanced=codes.enhanced,
        stage=stage,
        remote_mta=bracketed(host),
        sending_ip=sending_ip,
        message_size=int(size[1]) if size else None,
        spans=spans,
    )


def _sending_ip(text: str, start: int, end: int, remote_ip: str) -> tuple[str, int]:
    """The client's address where the reply quotes it; "" where two different ones stand there or it is the server's own."""
    found: dict[str, int] = {}
    if _ANY_IP.search(text, start, end) is None:
        return "", 0
    for pattern in (_CLIENT, _BRACKETED, _PARENTHESES):
        for match in pattern.finditer(text, start, end):
            if match[1] != remote_ip and not match[1].startswith("127."):
                found.setdefault(match[1], match.start(1))
    if len(found) != 1:
        return "", 0
    return next(iter(found.items()))
