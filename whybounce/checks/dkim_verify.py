"""Verifies DKIM signatures of a pasted message (RFC 6376 section 6), with keys that were fetched before: dkimpy asks DNS nothing here."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import dkim  # type: ignore[import-untyped]
from dkim.util import parse_tag_value  # type: ignore[import-untyped]

from whybounce.checks.dkim_record import MIN_BITS
from whybounce.checks.dkim_signature import Pasted, Signature
from whybounce.checks.guard import shown

VERIFY_SECONDS = 5.0

_log = logging.getLogger(__name__)
# dkimpy writes what is wrong with a stranger's key as an error of its own.
logging.getLogger("dkimpy").addHandler(logging.NullHandler())
logging.getLogger("dkimpy").propagate = False


class Outcome(StrEnum):
    """PASS: it verifies. BODY: the body is not the one that was signed. HEADER: header fields are not, or another key signed.
    MALFORMED: the field or its algorithm can never verify. UNKNOWN: it could not be verified."""

    PASS = "pass"  # noqa: S105 (no password)
    BODY = "body hash"
    HEADER = "header"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"

    @property
    def failed(self) -> bool:
        return self in (Outcome.BODY, Outcome.HEADER, Outcome.MALFORMED)


@dataclass(frozen=True, slots=True)
class Verified:
    """
    header_intact  for BODY: whether the header fields are as they were signed; None where that was not looked at
    expired        x= is past now
    expired_sent   x= was past already when the message was last seen on its way
    detail         the end of a sentence about why; "" for PASS
    """

    signature: Signature
    outcome: Outcome
    header_intact: bool | None = None
    expired: bool = False
    expired_sent: bool = False
    detail: str = ""

    @property
    def bad(self) -> bool:
        """Receivers need not accept it (RFC 6376 section 6.1.3 for one that has expired)."""
        return self.outcome.failed or (self.outcome is Outcome.PASS and self.expired_sent)

    @property
    def good(self) -> bool:
        return self.outcome is Outcome.PASS and not self.expired_sent


async def verify_all(message: bytes, pasted: Pasted, keys: Mapping[str, bytes], seconds: float = VERIFY_SECONDS) -> tuple[Verified, ...]:
    """Each signature of the message, in a thread, within so many seconds.

    keys  the one usable key record by its place ("sel._domainkey.example.com"); a signature without one is UNKNOWN
    """
    work = asyncio.to_thread(_verify_each, message.lstrip(b"\r\n"), pasted, keys)
    try:
        return await asyncio.wait_for(work, seconds)
    except TimeoutError:
        return tuple(Verified(signature, Outcome.UNKNOWN, detail=f"verifying took more than {seconds:g} s") for signature in pasted.signatures)


def _verify_each(message: bytes, pasted: Pasted, keys: Mapping[str, bytes]) -> tuple[Verified, ...]:
    return tuple(_verify(message, signature, pasted, keys) for signature in pasted.signatures)


def _verify(message: bytes, signature: Signature, pasted: Pasted, keys: Mapping[str, bytes]) -> Verified:
    expired = signature.expires is not None and signature.expires < time.time()
    expired_sent = signature.expires is not None and pasted.sent is not None and signature.expires < pasted.sent
    if signature.problem:
        return Verified(signature, Outcome.MALFORMED, None, expired, expired_sent, signature.problem)
    if signature.algorithm == "rsa-sha1":
        return Verified(signature, Outcome.MALFORMED, None, expired, expired_sent, "it is made with SHA-1, which verifiers must refuse (RFC 8301)")
    if not pasted.whole:
        return Verified(signature, Outcome.UNKNOWN, None, expired, expired_sent, pasted.reason)
    place = signature.selector.place if signature.selector else ""
    if place not in keys:
        return Verified(signature, Outcome.UNKNOWN, None, expired, expired_sent, "its key could not be used")
    try:
        outcome, intact, detail = _try(message, signature, keys[place])
    except Exception as error:  # noqa: BLE001 (dkimpy raises IndexError, KeyError and more for fields it did not foresee)
        _log.debug("dkimpy failed", exc_info=True)
        return Verified(signature, Outcome.UNKNOWN, None, expired, expired_sent, f"it could not be read ({type(error).__name__})")
    return Verified(signature, outcome, intact, expired, expired_sent, detail)


def _try(message: bytes, signature: Signature, key: bytes) -> tuple[Outcome, bool | None, str]:
    """What dkimpy makes of one signature; whether the header is intact where the body is not; why."""
    verifier = _Verifier(message, minkey=MIN_BITS)
    try:
        if verifier.verify(signature.index, dnsfunc=lambda name, timeout=0: key):
            return Outcome.PASS, True, ""
    except dkim.ValidationError as error:
        if "body hash mismatch" not in str(error):
            return Outcome.MALFORMED, None, shown(str(error), 200)
        return Outcome.BODY, verifier.header_verifies(), "the body is not the one that was signed"
    except dkim.MessageFormatError as error:
        return Outcome.UNKNOWN, None, shown(str(error), 200)
    return Outcome.HEADER, False, "the header fields are not those that were signed, or they were signed with another key"


class _Verifier(dkim.DKIM):  # type: ignore[misc]
    """dkimpy's, without its judgement of time (x= is for the receiver at that time, not for who looks afterwards), and with a body whose
    white space is reduced before: dkimpy takes quadratic time for long runs of spaces."""

    body: bytes

    def verify_headerprep(self, idx: int = 0) -> object:
        fields = [(name, value) for name, value in self.headers if name.lower() == b"dkim-signature"]
        tags = parse_tag_value(fields[idx][1])
        dkim.validate_signature_fields({name: value for name, value in tags.items() if name not in (b"x", b"t", b"q")})
        names = [name.lower() for name in re.split(rb"\s*:\s*", tags[b"h"].strip())]
        if tags.get(b"c", b"").lower().endswith(b"/relaxed"):
            self.body = re.sub(rb"[\t ]+", b" ", self.body).replace(b" \r\n", b"\r\n")
        self._prepared = (tags, names, fields[idx])
        return tags, list(names), fields

    def header_verifies(self) -> bool | None:
        """Whether the header fields alone are those that were signed, with bh= as it stands."""
        tags, names, field = self._prepared
        try:
            return bool(self.verify_sig_process({name: value for name, value in tags.items() if name != b"bh"}, list(names), field, None))
        except dkim.DKIMException:
            return None
