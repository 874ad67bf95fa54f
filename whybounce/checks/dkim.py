"""Whether receivers can verify what the sender signs: the keys at the DKIM selectors, and the signatures of a pasted message. RFC 6376.

Selectors are taken from the case or from the message, and never guessed: a domain may have any number of them under any name.
"""

from __future__ import annotations

from whybounce.checks.dkim_findings import key_findings, key_sentence, signature_fact, signature_findings, signature_sentence
from whybounce.checks.dkim_keys import Dkim, Place, SelectorKeys, look, sender_domain
from whybounce.checks.dkim_record import KeyState
from whybounce.checks.dkim_verify import Outcome, Verified
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, State, Subject
from whybounce.checks.tools import Tools

ANSWERS = (
    DeclaredAnswer("ok", State.GOOD),
    DeclaredAnswer("weak", State.WARNING),
    DeclaredAnswer("bad-key", State.BAD),
    DeclaredAnswer("no-key", State.BAD),
    DeclaredAnswer("revoked", State.BAD),
    DeclaredAnswer("bad-signature", State.BAD),
    DeclaredAnswer("temperror", State.UNKNOWN, informative=False),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}
# The gravest of several selectors is the answer; what could not be looked up leaves the answer open where the rest is in order.
_GRAVITY = ("no-key", "revoked", "bad-key", "temperror", "unknown", "weak", "ok")


def needs(subject: Subject) -> str:
    if not subject.selectors:
        return "a DKIM selector (s= of the DKIM-Signature header)"
    named = any("@" in text or "._domainkey." in text for text in subject.selectors)
    return "" if named or sender_domain(subject) else "the sender's domain"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Look at each selector, and verify the signatures of the message where it is there whole."""
    dkim = await look(subject, tools)
    facts: dict[str, Fact] = {"selectors": [entry.fact() for entry in dkim.keys]}
    if dkim.signatures:
        facts["signatures"] = [signature_fact(verified) for verified in dkim.signatures]
    if dkim.pasted.reason:
        facts["not_verified"] = dkim.pasted.reason
    if dkim.wrong:
        facts["no_selectors"] = list(dkim.wrong)
    answer, detail = _answer(dkim, sender_domain(subject))
    findings = (*signature_findings(dkim), *key_findings(dkim))
    return CheckResult("dkim", answer, _STATES[answer], detail, findings, facts)


def _answer(dkim: Dkim, domain: str) -> tuple[str, str]:
    if not dkim.keys:
        if dkim.wrong:
            return "unknown", f"{dkim.wrong[0]} is no DKIM selector that could be looked up."
        bad = next((verified for verified in dkim.signatures if verified.bad), None)
        return ("bad-signature", signature_sentence(bad)) if bad else ("unknown", "No DKIM selector is known, and selectors cannot be guessed.")
    worst = min(dkim.keys, key=lambda entry: _GRAVITY.index(_of_place(entry)))
    answer, sentence = _of_place(worst), key_sentence(worst)
    bad = _decisive(dkim.signatures, domain)
    if bad is not None and answer not in ("no-key", "revoked", "bad-key"):
        return "bad-signature", signature_sentence(bad)
    return answer, " ".join([sentence, *_about_signatures(dkim)])


def _about_signatures(dkim: Dkim) -> list[str]:
    """What to add about the signatures of the message."""
    if dkim.pasted.signatures and dkim.pasted.reason:
        return [f"Whether the signature verifies cannot be told: {dkim.pasted.reason}."]
    return [signature_sentence(verified) for verified in dkim.signatures if verified.outcome is not Outcome.UNKNOWN][:2]


def _decisive(signatures: tuple[Verified, ...], domain: str) -> Verified | None:
    """The failed signature that decides: one of the sender's own domain or of one below or above it; of others, only where none verifies,
    as lists and relays that change a mail break earlier signatures and add their own."""
    failed = [verified for verified in signatures if verified.bad]
    own = [verified for verified in failed if verified.signature.selector and _related(verified.signature.selector.domain, domain)]
    own_passes = any(
        verified.good and verified.signature.selector and _related(verified.signature.selector.domain, domain) for verified in signatures
    )
    if own and not own_passes:
        return own[0]
    return failed[0] if failed and not any(verified.good for verified in signatures) else None


def _related(one: str, other: str) -> bool:
    return bool(other) and (one == other or one.endswith("." + other) or other.endswith("." + one))


def _of_place(entry: SelectorKeys) -> str:
    match entry.place:
        case Place.NO_KEY | Place.DANGLING:
            return "no-key"
        case Place.TEMPERROR:
            return "temperror"
        case Place.NOT_ASKED:
            return "unknown"
        case Place.SEVERAL:
            return "weak" if entry.usable else "bad-key"
    match entry.keys[0].state:
        case KeyState.OK:
            return "ok"
        case KeyState.WEAK:
            return "weak"
        case KeyState.REVOKED:
            return "revoked"
    return "bad-key"
