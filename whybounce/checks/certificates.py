"""The certificate of a mail server, looked at after the handshake: its dates, its names (RFC 9525) and who vouches for it (RFC 5280)."""

from __future__ import annotations

import base64
import ssl
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import verification

from whybounce.checks.guard import shown
from whybounce.checks.result import Fact

SHOWN_NAMES = 20
MAX_CHAIN = 10


@dataclass(frozen=True, slots=True)
class CertificateView:
    """
    names        its DNS names (subjectAltName), in lower case; a certificate without them matches no host (RFC 9525 section 4.1)
    not_before, not_after  when it is valid
    valid_now    the present time lies between them
    matches      one of its names stands for the host
    trusted      its chain leads to a certificate authority that is trusted; None where there were none to hold it against
    distrust     why it does not
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    valid_now: bool
    matches: bool
    trusted: bool | None
    distrust: str
    self_signed: bool
    sha256: str

    @property
    def expired(self) -> bool:
        return not self.valid_now and self.not_after < datetime.now(UTC)

    def fact(self) -> dict[str, Fact]:
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "names": [shown(name, 253) for name in self.names[:SHOWN_NAMES]],
            "not_before": self.not_before.isoformat(timespec="seconds"),
            "not_after": self.not_after.isoformat(timespec="seconds"),
            "valid_now": self.valid_now,
            "matches": self.matches,
            "trusted": self.trusted,
            "distrust": self.distrust,
            "self_signed": self.self_signed,
            "sha256": self.sha256,
        }


def parse_chain(chain: Sequence[bytes]) -> list[x509.Certificate]:
    """The certificates of a handshake, the server's own first; those that cannot be read are left out, all of them where the first cannot be."""
    found = [_load(der) for der in chain[:MAX_CHAIN]]
    return [certificate for certificate in found if certificate is not None] if found and found[0] is not None else []


def examine(chain: Sequence[bytes], host: str, ca_file: str = "") -> CertificateView | None:
    """What there is to say of a server's certificate; None where it cannot be read.

    host      the name that the certificate is to stand for
    ca_file   PEM of the authorities to trust; "": those of the system
    """
    certificates = parse_chain(chain)
    if not certificates:
        return None
    own, now = certificates[0], datetime.now(UTC)
    try:
        names = dns_names(own)
        valid_now = own.not_valid_before_utc <= now <= own.not_valid_after_utc
        trusted, distrust = _trust(certificates, ca_file, now if valid_now else own.not_valid_after_utc - timedelta(seconds=1))
        return CertificateView(
            _name(own.subject),
            _name(own.issuer),
            names,
            own.not_valid_before_utc,
            own.not_valid_after_utc,
            valid_now,
            any(name_matches(name, host) for name in names),
            trusted,
            distrust,
            own.subject == own.issuer,
            own.fingerprint(hashes.SHA256()).hex(),
        )
    except (ValueError, TypeError, OverflowError):
        return None


def dns_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names of the subjectAltName extension. The common name is not looked at (RFC 9525 section 2)."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return ()
    return tuple(name.lower().removesuffix(".") for name in extension.value.get_values_for_type(x509.DNSName))


def name_matches(pattern: str, host: str) -> bool:
    """RFC 9525 section 6.3: label by label; a wildcard is the whole of the left-most label and stands for one label."""
    wanted, given = host.lower().removesuffix(".").split("."), pattern.lower().removesuffix(".").split(".")
    if len(wanted) != len(given) or not all(wanted):
        return False
    if given[0] == "*":
        return len(given) > 2 and wanted[1:] == given[1:]
    return wanted == given


def verify_chain(certificates: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], at: datetime) -> str:
    """Why the chain does not lead to one of the anchors at that time; "" where it does. Names are not looked at here, nor what the
    certificate of the server itself may be used for: mail servers are not held to the rules of browsers."""
    if not anchors:
        return _NOBODY
    anything = verification.ExtensionPolicy.permit_all()
    authority = anything.require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, None).may_be_present(
        x509.KeyUsage, verification.Criticality.AGNOSTIC, _may_sign
    )
    policy = verification.PolicyBuilder().store(verification.Store(list(anchors))).time(at)
    try:
        verifier = policy.extension_policies(ca_policy=authority, ee_policy=anything).build_client_verifier()
        verifier.verify(certificates[0], list(certificates[1:]))
    except verification.VerificationError as error:
        if certificates[0].subject == certificates[0].issuer:
            return "it is signed by itself"
        return _NOBODY if "no interior errors" in str(error) else shown(str(error), 300)
    return ""


_NOBODY = "no authority that is trusted here stands behind it"


def _may_sign(_: verification.Policy, __: x509.Certificate, extension: x509.KeyUsage | None) -> None:
    if extension is not None and not extension.key_cert_sign:
        raise ValueError("a certificate in the chain may not sign others")


def _trust(certificates: Sequence[x509.Certificate], ca_file: str, at: datetime) -> tuple[bool | None, str]:
    anchors = authorities(ca_file)
    if not anchors:
        return None, "no list of certificate authorities was found here"
    distrust = verify_chain(certificates, anchors, at)
    return not distrust, distrust


def authorities(ca_file: str = "") -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file, or of the system's list of authorities; none where it cannot be read."""
    defaults = ssl.get_default_verify_paths()
    path = Path(ca_file or defaults.cafile or "/etc/ssl/certs/ca-certificates.crt")
    try:
        return _read_authorities(path, path.stat().st_mtime_ns)
    except OSError:
        return ()


@lru_cache(maxsize=4)
def _read_authorities(path: Path, _: int) -> tuple[x509.Certificate, ...]:
    found = []
    for block in path.read_text(encoding="latin-1").split("-----BEGIN CERTIFICATE-----")[1:]:
        try:
            der = base64.b64decode(block.partition("-----END CERTIFICATE-----")[0])
        except ValueError:
            continue
        certificate = _load(der)
        if certificate is not None:
            found.append(certificate)
    return tuple(found)


def _load(der: bytes) -> x509.Certificate | None:
    """A certificate, also one that bends a rule at which the library only warns; None where it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return x509.load_der_x509_certificate(der)
    except (ValueError, TypeError):
        return None


def _name(name: x509.Name) -> str:
    return shown(name.rfc4514_string(), 300)
