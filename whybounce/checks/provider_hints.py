"""What DNS tells of the mailbox provider behind a gateway, which the MX records hide: SPF includes, autodiscover, proofs of ownership."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from whybounce.checks.dns_message import Lookup
from whybounce.checks.guard import shown
from whybounce.checks.registrable import registrable_domain
from whybounce.snapshot import Provider

# Records by which a provider lets a customer prove that a domain is theirs; Google's serves its search as well, so it says little.
_PROOFS = (
    (re.compile(rb"MS=ms\d+", re.IGNORECASE), "microsoft365", True),
    (re.compile(rb"zoho-verification=\S+", re.IGNORECASE), "zoho", True),
    (re.compile(rb"protonmail-verification=\S+", re.IGNORECASE), "proton", True),
    (re.compile(rb"google-site-verification=\S+", re.IGNORECASE), "google", False),
)
_INCLUDED = re.compile(rb"[ \t][+?~]?(?:include:|redirect=)([^ \t%]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hint:
    """`seen` is the record, for a person; `strong` False for one that many other customers have as well."""

    provider: Provider
    seen: str
    strong: bool = True


def hints(text: Lookup, autodiscover: Lookup, providers: Sequence[Provider]) -> list[Hint]:
    """The hints, the most telling first.

    text           the TXT records of the domain
    autodiscover   the CNAME of autodiscover.<domain>, by which mail programs find a mailbox
    """
    found = [_of_service(target, f"autodiscover is an alias of {shown(target)}", providers) for target in autodiscover.records]
    for record in text.texts:
        if record.lower().startswith(b"v=spf1"):
            names = (match.decode("ascii", "replace").lower() for match in _INCLUDED.findall(record))
            found += [_of_service(name, f"SPF names {shown(name)}", providers) for name in names]
    by_slug = {provider.slug: provider for provider in providers}
    for expression, slug, strong in _PROOFS:
        proof = next((record for record in text.texts if expression.fullmatch(record)), None)
        if proof is not None and slug in by_slug:
            found.append(Hint(by_slug[slug], f"TXT {shown(proof, 100)}", strong))
    return sorted((hint for hint in found if hint is not None), key=lambda hint: not hint.strong)


def _of_service(name: str, seen: str, providers: Sequence[Provider]) -> Hint | None:
    """The mailbox provider to whose MX hosts a name is related by what was registered: spf.protection.outlook.com and
    .mail.protection.outlook.com. Where several are, one that has no addresses of its own to give away serves other people's domains."""
    registered = registrable_domain(name.lower().rstrip("."))
    related = [provider for provider in providers if provider.kind == "mailbox" and registered and registered in _registered(provider)]
    related.sort(key=lambda provider: bool(provider.domains))
    return Hint(related[0], seen) if related else None


def _registered(provider: Provider) -> set[str]:
    return {registrable_domain(suffix.strip(".").lower()) for suffix in provider.mx_suffixes}
