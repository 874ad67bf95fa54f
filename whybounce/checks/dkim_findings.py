"""What was found at DKIM selectors and of DKIM signatures, as findings and as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from whybounce.checks.dkim_keys import Dkim, Place, SelectorKeys
from whybounce.checks.dkim_record import GOOD_BITS, KeyRecord, KeyState
from whybounce.checks.dkim_verify import Outcome, Verified
from whybounce.checks.guard import shown
from whybounce.checks.result import Fact, Finding, Severity

_KEY_SEVERITIES = {
    KeyState.WEAK: ("dkim.key_weak", Severity.WARNING),
    KeyState.SHORT: ("dkim.key_short", Severity.ERROR),
    KeyState.SYNTAX: ("dkim.key_syntax", Severity.ERROR),
    KeyState.REVOKED: ("dkim.revoked", Severity.ERROR),
    KeyState.SHA1_ONLY: ("dkim.sha1_only", Severity.ERROR),
    KeyState.WRONG_SERVICE: ("dkim.wrong_service", Severity.ERROR),
}


def key_findings(dkim: Dkim) -> list[Finding]:
    """What is wrong or right at each selector. What could not be looked up gives no finding."""
    findings: list[Finding] = []
    for entry in dkim.keys:
        findings += _of_selector(entry)
    return findings + _only_ed25519(dkim.keys)


def _of_selector(entry: SelectorKeys) -> list[Finding]:
    data: dict[str, Fact] = {"selector": str(entry.selector), "name": entry.selector.place}
    if entry.place is Place.DANGLING:
        target = shown(entry.lookup.chain[-1], 300)
        return [Finding("dkim.cname_dangling", Severity.ERROR, {**data, "target": target})]
    if entry.place is Place.NO_KEY:
        records: list[Fact] = [shown(text, 300) for text in entry.lookup.texts[:3]]
        return [Finding("dkim.no_key", Severity.ERROR, {**data, "records": records} if records else data)]
    findings = [_of_key(key, data) for key in entry.keys]
    if entry.place is Place.SEVERAL:
        texts: list[Fact] = [key.text for key in entry.keys]
        findings.append(Finding("dkim.multiple_keys", Severity.WARNING, {**data, "records": texts}))
    if any(key.testing for key in entry.keys):
        findings.append(Finding("dkim.testing", Severity.INFO, data))
    return findings


def _of_key(key: KeyRecord, data: dict[str, Fact]) -> Finding:
    more: dict[str, Fact] = {**data, "type": key.algorithm, "bits": key.bits}
    if key.state is KeyState.OK:
        return Finding("dkim.key_ok", Severity.OK, more)
    name, severity = _KEY_SEVERITIES[key.state]
    return Finding(name, severity, {**more, "record": key.text, "reason": key.reason} if key.reason else more)


def _only_ed25519(keys: Sequence[SelectorKeys]) -> list[Finding]:
    """Domains of which every key looked at is Ed25519: verifiers that know only RSA cannot verify (RFC 8463 section 5)."""
    findings = []
    for domain in dict.fromkeys(entry.selector.domain for entry in keys):
        types = {key.algorithm for entry in keys if entry.selector.domain == domain for key in entry.keys if key.state.usable}
        whole = all(entry.usable is not None for entry in keys if entry.selector.domain == domain)
        if types == {"ed25519"} and whole:
            findings.append(Finding("dkim.ed25519_only", Severity.INFO, {"domain": domain}))
    return findings


def signature_findings(dkim: Dkim) -> list[Finding]:
    findings = []
    for verified in dkim.signatures:
        data = signature_fact(verified)
        if verified.good:
            findings.append(Finding("dkim.signature_ok", Severity.OK, data))
        elif verified.outcome.failed:
            findings.append(Finding("dkim.signature_bad", Severity.ERROR, data))
        if verified.expired_sent:
            findings.append(Finding("dkim.signature_expired", Severity.ERROR, data))
    return findings


def signature_fact(verified: Verified) -> dict[str, Fact]:
    signature = verified.signature
    fact: dict[str, Fact] = {
        "selector": str(signature.selector) if signature.selector else "",
        "algorithm": signature.algorithm,
        "result": "pass" if verified.outcome is Outcome.PASS else "fail" if verified.outcome.failed else "unknown",
    }
    if verified.outcome.failed:
        fact["failed"] = verified.outcome.value
    if verified.header_intact is not None and verified.outcome is Outcome.BODY:
        fact["header_intact"] = verified.header_intact
    if verified.detail:
        fact["detail"] = verified.detail
    if signature.expires is not None:
        fact["expires"] = _date(signature.expires)
    return fact


def key_sentence(entry: SelectorKeys) -> str:
    """One sentence about a selector."""
    name = entry.selector.place
    if entry.place is Place.DANGLING:
        return f"The DKIM key {name} is an alias to {shown(entry.lookup.chain[-1], 300)}, where there is no key."
    if entry.place is Place.NO_KEY:
        other = ", only another TXT record" if entry.lookup.found else ""
        return f"There is no DKIM key at {name}{other}."
    if entry.place in (Place.TEMPERROR, Place.NOT_ASKED):
        why = entry.lookup.detail or f"DNS answered {entry.lookup.status.value}"
        return f"The DKIM key {name} could not be looked up: {shown(why, 200)}."
    if entry.place is Place.SEVERAL:
        return f"There are {len(entry.keys)} DKIM keys at {name}, and which of them a verifier takes is not defined."
    key = entry.keys[0]
    if not key.state.usable:
        return f"The DKIM key {name} cannot be used: {key.reason}."
    length = f"{key.bits} bits" if key.algorithm == "rsa" else "Ed25519"
    weak = f", fewer than the {GOOD_BITS} that are advised" if key.state is KeyState.WEAK else ""
    return f"The DKIM key {name} can be used ({length}{weak})."


def signature_sentence(verified: Verified) -> str:
    signature = verified.signature
    whose = f"The DKIM signature of {signature.selector.domain}" if signature.selector else "A DKIM signature"
    if verified.outcome is Outcome.PASS and verified.expired_sent:
        return f"{whose} had expired on {_date(signature.expires or 0)}, before the message was last seen on its way."
    if verified.outcome is Outcome.PASS:
        expired = "; it has expired since" if verified.expired else ""
        return f"{whose} verifies{expired}."
    if not verified.outcome.failed:
        return f"{whose} could not be verified: {verified.detail}."
    kept = ", while the signed header fields are unchanged, so the text was changed after signing" if verified.header_intact else ""
    return f"{whose} does not verify: {verified.detail}{kept}."


def _date(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return str(seconds)
