"""A DKIM key record as values: RFC 6376 section 3.6.1, with RFC 8301 (no SHA-1, keys from 1024 bits) and RFC 8463 (Ed25519)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from whybounce.checks.guard import shown

# RFC 8301 section 3.2: verifiers refuse less than 1024 bits; signers should have 2048.
MIN_BITS = 1024
GOOD_BITS = 2048
# An RSA key of 16384 bits is 2.8 kB in base64; what is far longer is no key.
MAX_KEY = 8192
# One string of a TXT record holds no more (RFC 1035 section 3.3.14): what ends there was cut.
STRING_OCTETS = 255

_TAG = re.compile(rb"[ \t\r\n]*([A-Za-z][A-Za-z0-9_]*)[ \t\r\n]*=(.*)", re.DOTALL)
_SPACE = re.compile(rb"[ \t\r\n]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")


class KeyState(StrEnum):
    """What a verifier can do with what it finds at a selector."""

    OK = "ok"
    WEAK = "weak"
    SHORT = "short"
    SYNTAX = "syntax"
    REVOKED = "revoked"
    SHA1_ONLY = "sha1_only"
    WRONG_SERVICE = "wrong_service"

    @property
    def usable(self) -> bool:
        return self in (KeyState.OK, KeyState.WEAK)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """
    algorithm   k=: "rsa", "ed25519", or what stands there
    bits        length of the key, 0 where it could not be read
    testing     t=y: the domain only tries DKIM out
    strict      t=s: i= of a signature must be of the very domain
    reason      why the key cannot be used, as the end of a sentence; "" where it can
    text        the record, shown
    """

    state: KeyState
    algorithm: str = "rsa"
    bits: int = 0
    testing: bool = False
    strict: bool = False
    reason: str = ""
    text: str = ""


class TagProblem(ValueError):
    """A text that is no list of tags; the message is the end of a sentence."""


def parse_tags(data: bytes) -> dict[str, bytes]:
    """`b"v=DKIM1; p=..."` -> tags in order, white space around values taken away (RFC 6376 section 3.2). TagProblem where a part has no
    equals sign or a tag stands twice."""
    tags: dict[str, bytes] = {}
    for part in data.split(b";"):
        if not part.strip():
            continue
        match = _TAG.fullmatch(part)
        if match is None:
            raise TagProblem(f"{shown(part.strip(), 60)} is no tag=value")
        name = match[1].decode("ascii")
        if name in tags:
            raise TagProblem(f"{name}= stands twice")
        tags[name] = match[2].strip(b" \t\r\n")
    return tags


def is_key_record(text: bytes) -> bool:
    """Whether a TXT record was meant as a key: another one, such as that of a wildcard, says nothing about DKIM."""
    start = _SPACE.sub(b"", text[:200]).lower()
    return start.startswith((b"v=dkim", b"p=", b"k=rsa", b"k=ed25519")) or b";p=" in _SPACE.sub(b"", text).lower()


def parse_key(data: bytes) -> KeyRecord:
    """One key record; never raises."""
    text = shown(data)
    try:
        tags = parse_tags(data)
    except TagProblem as problem:
        return KeyRecord(KeyState.SYNTAX, reason=str(problem), text=text)
    flags = _words(tags.get("t", b""))
    algorithm = shown(tags.get("k", b"rsa"), 40).lower()
    state, bits, reason = _judge(tags, algorithm, len(data))
    return KeyRecord(state, algorithm, bits, "y" in flags, "s" in flags, reason, text)


def _judge(tags: dict[str, bytes], algorithm: str, length: int) -> tuple[KeyState, int, str]:
    if "v" in tags and (next(iter(tags)) != "v" or tags["v"] != b"DKIM1"):
        return KeyState.SYNTAX, 0, "v= must be DKIM1 and stand first"
    if "p" not in tags:
        return KeyState.SYNTAX, 0, "p=, the key itself, is missing"
    if not tags["p"]:
        return KeyState.REVOKED, 0, "p= is empty, which means that the key was withdrawn"
    bits, wrong = _bits(_SPACE.sub(b"", tags["p"]), algorithm, length)
    if wrong:
        return KeyState.SYNTAX, 0, wrong
    hashes = _words(tags["h"]) if "h" in tags else ["sha256"]
    if "sha256" not in hashes:
        named = shown(tags["h"], 60)
        state = KeyState.SHA1_ONLY if "sha1" in hashes else KeyState.SYNTAX
        return state, bits, f"it allows only the hash {named}, and verifiers take SHA-256 alone (RFC 8301)"
    services = _words(tags["s"]) if "s" in tags else ["*"]
    if not {"*", "email"} & set(services):
        return KeyState.WRONG_SERVICE, bits, f"it is for the service {shown(tags['s'], 60)}, not for mail"
    if algorithm == "rsa" and bits < MIN_BITS:
        return KeyState.SHORT, bits, f"it has {bits} bits, and verifiers refuse fewer than {MIN_BITS}"
    return (KeyState.WEAK if algorithm == "rsa" and bits < GOOD_BITS else KeyState.OK), bits, ""


def _bits(key: bytes, algorithm: str, length: int) -> tuple[int, str]:
    """The length of the key in bits, or what is wrong with it."""
    cut = f"; the record ends after {STRING_OCTETS} characters, so it was probably cut there" if length == STRING_OCTETS else ""
    if algorithm not in ("rsa", "ed25519"):
        return 0, f"k={algorithm} is no key type that verifiers know"
    if len(key) > MAX_KEY:
        return 0, f"p= has {len(key)} characters, more than any key"
    if not _BASE64.fullmatch(key):
        return 0, f"p= is not base64{cut}"
    try:
        der = base64.b64decode(key, validate=True)
    except binascii.Error:
        return 0, f"p= is not whole base64{cut}"
    if algorithm == "ed25519":
        return (256, "") if len(der) == 32 else (0, f"an Ed25519 key has 32 octets, and p= has {len(der)}{cut}")
    try:
        public = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return 0, f"p= is base64 but no RSA key in DER{cut}"
    if not isinstance(public, RSAPublicKey):
        return 0, "p= holds a key of another type than RSA"
    return public.key_size, ""


def _words(value: bytes) -> list[str]:
    return [shown(word.strip(), 40).lower() for word in value.split(b":")]
