"""The DKIM-Signature fields of a message (RFC 6376 section 3.5), and whether what was pasted holds enough to verify them."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from whybounce.checks.dkim_record import TagProblem, parse_tags
from whybounce.checks.guard import shown

# What verifying may cost: a message, its header, one signature field. Real ones have a few kB of header and 3 kB of signature at most.
MAX_MESSAGE = 5_000_000
MAX_HEADER = 256_000
MAX_FIELDS = 1000
MAX_FIELD = 8192
MAX_SIGNATURES = 5

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"(?im)^([!-9;-~]+)[ \t]*:((?:[^\r\n]|\r?\n[ \t]|\r(?!\n))*)")
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.ASCII)
_SPACE = re.compile(rb"[ \t\r\n]+")
_LONG_SPACE = 200


@dataclass(frozen=True, slots=True)
class Selector:
    """Where a key is: RFC 6376 section 3.1. Both in lower case."""

    name: str
    domain: str

    @property
    def place(self) -> str:
        return f"{self.name}._domainkey.{self.domain}"

    def __str__(self) -> str:
        return f"{self.name}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Signature:
    """
    index      the how-manieth DKIM-Signature field of the message, from 0
    selector   s= and d=; None where they are no names that DNS can hold
    algorithm  a=, in lower case
    identity   the domain of i=, that of d= where there is none
    expires    x= in seconds since 1970, None where there is none
    body_hash  bh= without white space
    problem    why it cannot be verified whatever the key is, as the end of a sentence; "" where it can
    """

    index: int
    selector: Selector | None
    algorithm: str = ""
    identity: str = ""
    expires: int | None = None
    body_hash: bytes = b""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Pasted:
    """A message as it was pasted.

    whole   it holds a body (or one that is rightly empty), so that signatures can be verified
    sent    when it was last seen on its way, in seconds since 1970: the later of its Date and its first Received; None where neither is read
    reason  why signatures cannot be verified, as the end of a sentence; "" where they can
    """

    signatures: tuple[Signature, ...] = ()
    whole: bool = False
    sent: int | None = None
    reason: str = ""


def read_message(message: bytes) -> Pasted:
    """What a pasted message says about its signatures; never raises."""
    if len(message) > MAX_MESSAGE:
        return Pasted(reason=f"the message has more than {MAX_MESSAGE // 1_000_000} MB")
    message = message.lstrip(b"\r\n")
    end = _HEAD_END.search(message)
    header = message[: end.start()] if end else message
    fields = [(match[1].lower(), match[2]) for match in _FIELD.finditer(header[:MAX_HEADER])]
    values = [value for name, value in fields if name == b"dkim-signature"]
    signatures = tuple(_signature(index, value) for index, value in enumerate(values[:MAX_SIGNATURES]))
    sent = _last_seen(fields)
    reason = _why_not(header, len(fields), end, message, signatures)
    return Pasted(signatures, not reason, sent, reason)


def parse_selector(text: str, domain: str) -> Selector | None:
    """`"name"` or `"name@domain"`, also `"name._domainkey.domain"`, as a person gives it; None where it cannot be one."""
    name, _, given = text.strip().lower().rstrip(".").partition("@")
    if not given and "._domainkey." in name:
        name, _, given = name.partition("._domainkey.")
    return _selector(name.removesuffix("._domainkey"), given.rstrip(".") or domain)


def _selector(name: str, domain: str) -> Selector | None:
    place = f"{name}._domainkey.{domain}"
    if not (_NAME.fullmatch(name) and _NAME.fullmatch(domain) and "." in domain and len(place) <= 253):
        return None
    return Selector(name, domain) if all(len(label) <= 63 for label in place.split(".")) else None


def _signature(index: int, value: bytes) -> Signature:
    """One DKIM-Signature field."""
    if len(value) > MAX_FIELD:
        return Signature(index, None, problem="the DKIM-Signature field is longer than any real one")
    try:
        tags = {name: _SPACE.sub(b"", text) for name, text in parse_tags(value).items()}
    except TagProblem as error:
        return Signature(index, None, problem=str(error))
    texts = {name: text.decode("latin-1").lower() for name, text in tags.items()}
    selector = _selector(texts.get("s", ""), texts.get("d", ""))
    expires = int(texts["x"]) if re.fullmatch(r"[0-9]{1,12}", texts.get("x", ""), re.ASCII) else None
    identity = texts.get("i", "").rpartition("@")[2] or texts.get("d", "")
    problem = _field_problem(texts, selector, identity) or ("the field holds a long run of spaces" if _runs_on(value) else "")
    return Signature(index, selector, shown(texts.get("a", ""), 40), identity, expires, tags.get("bh", b""), problem)


def _field_problem(texts: dict[str, str], selector: Selector | None, identity: str) -> str:
    """RFC 6376 section 6.1.1."""
    for name in ("v", "a", "b", "bh", "d", "h", "s"):
        if not texts.get(name):
            return f"{name}= is missing"
    if selector is None:
        return "s= and d= are no name that DNS can hold"
    if texts["v"] != "1":
        return "v= must be 1"
    if any(not re.fullmatch(r"[a-z0-9+/]+={0,2}", texts[name], re.ASCII) or len(texts[name]) % 4 for name in ("b", "bh")):
        return "b= or bh= is not base64"
    if identity != texts["d"] and not identity.endswith("." + texts["d"]):
        return f"i= is not of the domain {shown(texts['d'], 100)}"
    if "from" not in texts["h"].split(":"):
        return "h= does not name From"
    return ""


def _why_not(header: bytes, fields: int, end: re.Match[bytes] | None, message: bytes, signatures: tuple[Signature, ...]) -> str:
    """Why no signature can be verified; "" where they can."""
    if len(header) > MAX_HEADER or fields > MAX_FIELDS:
        return "the header is longer than any real one"
    body = message[end.end() :] if end else b""
    if body.strip():
        return ""
    # An empty body is the message's own only where a signature says so.
    empty = {base64.b64encode(make(text).digest()) for make in (hashlib.sha256, hashlib.sha1) for text in (b"", b"\r\n")}
    rightly = end is not None and any(signature.body_hash in empty for signature in signatures)
    return "" if rightly else "only the header of the message is there, and a signature covers the body too"


def _runs_on(value: bytes) -> bool:
    return any(len(match[0]) > _LONG_SPACE for match in _SPACE.finditer(value))


def _last_seen(fields: list[tuple[bytes, bytes]]) -> int | None:
    date = next((value for name, value in fields if name == b"date"), b"")
    received = next((value for name, value in fields if name == b"received"), b"")
    return max((time for time in (_seconds(date), _seconds(received.rpartition(b";")[2])) if time is not None), default=None)


def _seconds(date: bytes) -> int | None:
    try:
        return int(parsedate_to_datetime(date[:100].decode("ascii").strip()).timestamp())
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None
