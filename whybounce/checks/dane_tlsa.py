"""TLSA records and whether a certificate matches them: RFC 6698 section 2, as RFC 7672 section 3 has it for mail."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from whybounce.checks.certificates import dns_names, name_matches, parse_chain, verify_chain

DANE_TA, DANE_EE = 2, 3
WHOLE, KEY = 0, 1
_DIGESTS = {1: hashlib.sha256, 2: hashlib.sha512}
_LENGTHS = {1: 32, 2: 64}
SHOWN_HEX = 128


@dataclass(frozen=True, slots=True)
class Tlsa:
    """
    usage      3 the server's own certificate (DANE-EE), 2 an authority above it (DANE-TA); 0 and 1 are not for mail
    selector   0 the whole certificate, 1 its public key
    matching   0 itself, 1 its SHA-256, 2 its SHA-512
    """

    usage: int
    selector: int
    matching: int
    data: bytes

    @classmethod
    def parse(cls, record: str) -> Tlsa:
        """`"3 1 1 0123..."` -> Tlsa. ValueError where it is none."""
        usage, selector, matching, *data = record.split()
        return cls(int(usage), int(selector), int(matching), bytes.fromhex("".join(data)))

    def __str__(self) -> str:
        text = self.data.hex()
        return f"{self.usage} {self.selector} {self.matching} {text[:SHOWN_HEX]}{'...' if len(text) > SHOWN_HEX else ''}"

    @property
    def unusable(self) -> str:
        """Why a mail server does not use it (RFC 7672 section 3.1), as the end of a sentence; "" where it does."""
        if self.usage not in (DANE_TA, DANE_EE):
            return f"its usage is {self.usage}, and mail servers use only 2 and 3"
        if self.selector not in (WHOLE, KEY):
            return f"its selector is {self.selector}, which means nothing"
        if self.matching != 0 and self.matching not in _DIGESTS:
            return f"its matching type is {self.matching}, which means nothing"
        if self.matching and len(self.data) != _LENGTHS[self.matching]:
            return f"it holds {len(self.data)} octets where a digest has {_LENGTHS[self.matching]}"
        return ""

    def names(self, certificate: x509.Certificate) -> bool:
        """The record stands for this certificate or its key."""
        selected = certificate.public_bytes(Encoding.DER) if self.selector == WHOLE else public_key_info(certificate)
        return self.data == (selected if self.matching == 0 else _DIGESTS[self.matching](selected).digest())


def mismatch(record: Tlsa, chain: Sequence[bytes], hosts: Sequence[str]) -> str:
    """Why the certificates of a handshake do not match a usable record, as the end of a sentence; "" where they do.

    hosts   the names that the server's certificate may be for; they count for usage 2 only, as dates do (RFC 7672 section 3.1)
    """
    certificates = parse_chain(chain)
    if not certificates:
        return "the certificate cannot be read"
    if record.usage == DANE_EE:
        return "" if record.names(certificates[0]) else "the server's certificate is another"
    anchors = [certificate for certificate in certificates if record.names(certificate)]
    if not anchors and (record.selector, record.matching) == (WHOLE, 0):
        anchors = parse_chain([record.data])
    if not anchors:
        return "no certificate that the server sends is the one that the record names"
    broken = verify_chain(certificates, anchors, datetime.now(UTC))
    if broken:
        return f"the certificate does not lead to the authority that the record names: {broken}"
    if not any(name_matches(name, host) for name in dns_names(certificates[0]) for host in hosts):
        return "the certificate is for another name"
    return ""


def would_match(chain: Sequence[bytes]) -> str:
    """The record that would match the certificate of a handshake, in the form that RFC 7672 section 3.1 recommends: 3 1 1."""
    certificates = parse_chain(chain)
    if not certificates:
        return ""
    return str(Tlsa(DANE_EE, KEY, 1, hashlib.sha256(public_key_info(certificates[0])).digest()))


def public_key_info(certificate: x509.Certificate) -> bytes:
    """The SubjectPublicKeyInfo just as it stands in the certificate (RFC 5280 section 4.1): encoding the key anew could change it."""
    fields = _elements(_content(certificate.tbs_certificate_bytes))
    # version [0] (where it is not 1), serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
    return fields[6] if fields[0][0] == 0xA0 else fields[5]


def _content(element: bytes) -> bytes:
    start, length = _header(element, 0)
    return element[start : start + length]


def _elements(data: bytes) -> list[bytes]:
    """The DER elements one after the other, each with its header."""
    found, at = [], 0
    while at < len(data):
        start, length = _header(data, at)
        found.append(data[at : start + length])
        at = start + length
    return found


def _header(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins, and its length (X.690 section 8.1.3; tags of one octet only)."""
    first = data[at + 1]
    if first < 0x80:
        return at + 2, first
    octets = first & 0x7F
    return at + 2 + octets, int.from_bytes(data[at + 2 : at + 2 + octets], "big")
