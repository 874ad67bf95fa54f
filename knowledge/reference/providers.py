"""Pages of providers, gateways and mail server programs: how each is recognised, what it says and means by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from knowledge.current import snapshot
from knowledge.reference.index import Index, index_of
from whybounce.snapshot import Article, Cause, Frequency, Link, Provider, ReplyPattern, StatusCode

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_KINDS: dict[str, StrPromise] = {
    "mailbox": _("Mailbox providers"),
    "gateway": _("Gateways and filters"),
    "mta": _("Mail server programs"),
    "esp": _("Sending services"),
    "forwarder": _("Forwarders"),
}
_OFTEN = tuple(Frequency)  # from "usual" to "very rare"


@dataclass(frozen=True, slots=True)
class SaidOfCause:
    """What a provider says where the cause is this one."""

    cause: Cause
    patterns: tuple[ReplyPattern, ...]


@dataclass(frozen=True, slots=True)
class HelpPage:
    """A page of the provider's own that a remedy step sends people to, and the cause of that step."""

    link: Link
    cause: Cause


@dataclass(frozen=True, slots=True)
class ProviderPage:
    provider: Provider
    kind: str | StrPromise
    said: tuple[SaidOfCause, ...]
    codes: tuple[StatusCode, ...]
    pages: tuple[HelpPage, ...]
    articles: tuple[Article, ...]
    count: int


@dataclass(frozen=True, slots=True)
class ProviderLine:
    """`replies`, `codes`: how many are known."""

    provider: Provider
    replies: int
    codes: int


@dataclass(frozen=True, slots=True)
class ProviderSection:
    title: str | StrPromise
    rows: tuple[ProviderLine, ...]


def kind_name(kind: str) -> str | StrPromise:
    """How a kind of provider is called, in the plural."""
    return _KINDS.get(kind, kind)


def provider_page(slug: str) -> ProviderPage | None:
    """The page of a provider; None where there is none of this slug."""
    known = snapshot()
    index = index_of(known)
    provider = index.providers.get(slug)
    if provider is None:
        return None
    patterns = index.patterns_of_provider.get(slug, []) if slug else []
    causes = dict.fromkeys(index.cause_of[row.slug] for row in patterns)
    said = [SaidOfCause(index.causes[name], tuple(row for row in patterns if index.cause_of[row.slug] == name)) for name in causes]
    said.sort(key=lambda item: (_OFTEN.index(item.cause.frequency), -len(item.patterns)))
    codes = tuple(sorted((row for row in known.codes if row.provider == slug), key=_number))
    return ProviderPage(
        provider=provider,
        kind=kind_name(provider.kind),
        said=tuple(said),
        codes=codes,
        pages=_help_pages(index, provider),
        articles=index.articles_about("providers", slug),
        count=sum(len(row.examples) for row in patterns),
    )


def _number(row: StatusCode) -> list[int]:
    return [int(part) if part.isdigit() else 0 for part in row.code.split(".")]


def _hosts(provider: Provider) -> frozenset[str]:
    """The domains that are the provider's own: of its mail, its servers and its page for postmasters."""
    names = [*provider.domains, *(suffix.lstrip(".") for suffix in provider.mx_suffixes)]
    if host := urlsplit(provider.postmaster_page).hostname:
        names.append(".".join(host.split(".")[-2:]))
    return frozenset(name for name in names if name.count(".") > 1 or len(name) > 6)


def _help_pages(index: Index, provider: Provider) -> tuple[HelpPage, ...]:
    hosts = _hosts(provider)
    found: dict[str, HelpPage] = {}
    for cause in index.known.causes:
        for step in cause.steps:
            for link in step.links:
                host = urlsplit(link.url).hostname or ""
                if any(host == name or host.endswith(f".{name}") for name in hosts) and link.url != provider.postmaster_page:
                    found.setdefault(link.url, HelpPage(link, cause))
    return tuple(found.values())[:12]


def provider_sections() -> tuple[ProviderSection, ...]:
    """All providers by kind; in each those of which most is known first."""
    known = snapshot()
    index = index_of(known)
    codes = {provider.slug: sum(row.provider == provider.slug for row in known.codes) for provider in known.providers}
    lines = [ProviderLine(row, len(index.patterns_of_provider.get(row.slug, ())), codes[row.slug]) for row in known.providers]
    lines.sort(key=lambda line: (-(line.replies + line.codes), line.provider.name.casefold()))
    kinds = dict.fromkeys([*_KINDS, *(provider.kind for provider in known.providers)])
    sections = (ProviderSection(kind_name(kind), tuple(line for line in lines if line.provider.kind == kind)) for kind in kinds)
    return tuple(section for section in sections if section.rows)
