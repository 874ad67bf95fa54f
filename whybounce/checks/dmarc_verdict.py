"""Whether one mail passes DMARC: which domains SPF and DKIM vouch for, and whether one of them is aligned with that of From. RFC 9989 section 4.4."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from whybounce.checks.dkim_keys import Dkim, is_certain_failure, look, selectors_of
from whybounce.checks.dkim_verify import Verified
from whybounce.checks.dmarc_record import DmarcRecord
from whybounce.checks.dmarc_walk import Walk, aligned, walk
from whybounce.checks.guard import DomainError, parse_domain, shown
from whybounce.checks.result import Fact, Subject
from whybounce.checks.spf_shared import Evaluated, Identity, evaluated, identity_of, sender_of
from whybounce.checks.tools import Tools

MAX_WALKS = 4


class Result(StrEnum):
    """Whether a mechanism vouches for its domain. UNKNOWN: it may or may not."""

    PASS = "pass"  # noqa: S105 (no password)
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Voucher:
    """SPF or one DKIM signature: for which domain it speaks, what it gave, whether that domain is aligned (None: not known), and `said`: what is
    told of it ("pass", "softfail", "its key can be used")."""

    kind: str
    domain: str
    result: Result
    aligned: bool | None
    said: str

    @property
    def passes(self) -> bool:
        return self.result is Result.PASS and self.aligned is True

    @property
    def cannot(self) -> bool:
        """It is certain that it does not make the mail pass."""
        return self.result is Result.FAIL or self.aligned is False

    def fact(self) -> dict[str, Fact]:
        return {"by": self.kind, "domain": shown(self.domain, 300), "result": self.result.value, "aligned": self.aligned, "said": self.said}


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    result      PASS or FAIL where that is certain
    spf         None where MAIL FROM is not known
    signatures  of DKIM, those that are known
    all_known   these are all that the mail has, as far as anybody said
    """

    result: Result
    spf: Voucher | None = None
    signatures: tuple[Voucher, ...] = ()
    all_known: bool = False

    @property
    def vouchers(self) -> tuple[Voucher, ...]:
        return (*([self.spf] if self.spf else []), *self.signatures)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was looked at for the mail: its MAIL FROM and SPF result, its DKIM keys and signatures, the walks of their domains."""

    spf_domain: str
    spf: Evaluated | None
    dkim: Dkim
    walks: Mapping[str, Walk]


async def see(subject: Subject, tools: Tools) -> Seen:
    """SPF, DKIM and the tree walks of the domains that they speak for, all at once; shared with the checks of SPF and DKIM."""
    identity = _mail_from(subject)
    spf_domain = identity.domain if identity else ""
    domains = [spf_domain, *(selector.domain for selector in selectors_of(subject, tools.message))]
    spf, dkim, walks = await asyncio.gather(_spf(identity, subject, tools), look(subject, tools), _walks(domains, tools))
    return Seen(spf_domain, spf, dkim, {item.domain: item for item in walks})


def judge(seen: Seen, author: Walk, record: DmarcRecord) -> Verdict:
    """PASS where an aligned domain is vouched for; FAIL only where nothing that is known or could be known makes it pass."""
    spf = None
    if seen.spf_domain:
        result, said = _spf_result(seen.spf)
        spf = Voucher("spf", seen.spf_domain, result, _aligned(seen.spf_domain, seen, author, strict=record.strict_spf), said)
    signatures = tuple(
        Voucher("dkim", domain, result, _aligned(domain, seen, author, strict=record.strict_dkim), said)
        for domain, result, said in _signatures(seen.dkim)
    )
    all_known = bool(signatures) or seen.dkim.pasted.whole
    if any(voucher.passes for voucher in (spf, *signatures) if voucher):
        overall = Result.PASS
    elif spf is not None and spf.cannot and all_known and all(voucher.cannot for voucher in signatures):
        overall = Result.FAIL
    else:
        overall = Result.UNKNOWN
    return Verdict(overall, spf, signatures, all_known)


def _mail_from(subject: Subject) -> Identity | None:
    """DMARC counts SPF for MAIL FROM alone (section 4.4.2), which for the null sender is postmaster at the EHLO name (RFC 7208 section 2.4)."""
    if not subject.mail_from.strip():
        return None
    identity = identity_of(subject)
    if identity is None:
        return None
    try:
        return Identity(identity.kind, identity.local, parse_domain(identity.domain))
    except DomainError:
        return None


async def _spf(identity: Identity | None, subject: Subject, tools: Tools) -> Evaluated | None:
    try:
        sender = sender_of(identity, subject) if identity else None
    except ValueError:
        return None
    return await evaluated(sender, tools) if sender else None


def _spf_result(spf: Evaluated | None) -> tuple[Result, str]:
    if spf is None:
        return Result.UNKNOWN, "not evaluated: the sending address is not known"
    known = {"pass": Result.PASS, "temperror": Result.UNKNOWN, "unknown": Result.UNKNOWN}
    return known.get(spf.result, Result.FAIL), spf.result


async def _walks(domains: list[str], tools: Tools) -> list[Walk]:
    """The walks of these domains; of a hostile message with many only the first few."""
    wanted = [domain for domain in dict.fromkeys(domains) if domain][:MAX_WALKS]
    return await asyncio.gather(*(walk(domain, tools.resolver) for domain in wanted))


def _aligned(domain: str, seen: Seen, author: Walk, *, strict: bool) -> bool | None:
    if domain == author.domain or strict:
        return domain == author.domain
    other = seen.walks.get(domain)
    return aligned(author, other, strict=strict) if other else None


_KEYS = {True: (Result.UNKNOWN, "its key can be used"), False: (Result.FAIL, "its key cannot be used")}


def _signatures(dkim: Dkim) -> list[tuple[str, Result, str]]:
    """Each signature that is known: its domain, whether it vouches for it, and what is told of it. A selector that is only named stands for a
    signature that nobody verified: it cannot pass without a key, and may pass with one."""
    found = [(item.signature.selector.domain, *_signature(item, dkim)) for item in dkim.signatures if item.signature.selector]
    verified = {item.signature.selector for item in dkim.signatures}
    for entry in dkim.keys:
        if entry.selector in verified:
            continue
        if entry.usable is None:
            found.append((entry.selector.domain, Result.UNKNOWN, "its key could not be looked up"))
        else:
            found.append((entry.selector.domain, *_KEYS[entry.usable]))
    return found


def _signature(item: Verified, dkim: Dkim) -> tuple[Result, str]:
    if item.good:
        return Result.PASS, "the signature verifies"
    if is_certain_failure(item, dkim.at(item.signature.selector)):
        return Result.FAIL, "the signature does not verify"
    return Result.UNKNOWN, "the signature could not be verified"
