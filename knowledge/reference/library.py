"""Pages of blocklists and articles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import re2
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils.translation import gettext_lazy as _

from knowledge.current import snapshot
from knowledge.reference.index import Index, index_of
from whybounce.snapshot import Article, Blocklist, Cause, ListAnswer, Provider, ReplyPattern, StatusCode

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_MOST_REPLIES = 8
_FIGURE = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class ListedAnswer:
    """An answer of a list, and the cause that a listing so answered speaks for, if any."""

    row: ListAnswer
    cause: Cause | None


@dataclass(frozen=True, slots=True)
class NamingReply:
    """A reply that names the list."""

    text: str
    pattern: ReplyPattern
    provider: Provider | None


@dataclass(frozen=True, slots=True)
class BlocklistPage:
    row: Blocklist
    codes: tuple[ListedAnswer, ...]
    cause: Cause | None
    replies: tuple[NamingReply, ...]
    siblings: tuple[Blocklist, ...]
    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True)
class BlocklistSection:
    title: str | StrPromise
    lede: str | StrPromise
    rows: tuple[Blocklist, ...]


@dataclass(frozen=True, slots=True)
class ArticlePage:
    """`figure`: the template of its drawing; "" where there is none."""

    article: Article
    figure: str
    causes: tuple[Cause, ...]
    codes: tuple[StatusCode, ...]
    others: tuple[Article, ...]


def blocklist_page(slug: str) -> BlocklistPage | None:
    """The page of a blocklist; None where there is none of this slug."""
    known = snapshot()
    index = index_of(known)
    row = index.blocklists.get(slug)
    if row is None:
        return None
    return BlocklistPage(
        row=row,
        codes=tuple(ListedAnswer(code, index.causes.get(code.cause)) for code in row.codes),
        cause=index.causes.get(row.cause),
        replies=tuple(_naming(index, row)),
        siblings=tuple(other for other in known.blocklists if row.operator and other.operator == row.operator and other is not row),
        articles=index.articles_about("blocklists", slug),
    )


def _naming(index: Index, row: Blocklist) -> list[NamingReply]:
    """Known replies that name the list, one a pattern."""
    options = re2.Options()
    options.case_sensitive = False
    marks = [re2.compile(mark, options) for mark in row.reply_marks]
    found: list[NamingReply] = []
    for pattern in index.known.patterns:
        if pattern.slug in index.cause_of:
            text = next((text for text in pattern.examples if any(mark.search(text) for mark in marks)), "")
            if text:
                found.append(NamingReply(text, pattern, index.providers.get(pattern.provider)))
    return found[:_MOST_REPLIES]


def blocklist_sections() -> tuple[BlocklistSection, ...]:
    """All lists: those in use by what they list, then those closed for good."""
    known = snapshot()
    used = [row for row in known.blocklists if not row.closed]
    sections = (
        BlocklistSection(_("Lists of addresses"), _("Ask about the sending IP address."), _of(used, "ip")),
        BlocklistSection(_("Lists of domains"), _("Ask about the domain of the sender or of a link."), _of(used, "domain")),
        BlocklistSection(_("Allow lists"), _("To be listed here is good."), _of(used, "allow")),
        BlocklistSection(
            _("Closed for good"),
            _("A server that still asks one of these may refuse everything. The receiver must take it out of its settings."),
            tuple(row for row in known.blocklists if row.closed),
        ),
    )
    return tuple(section for section in sections if section.rows)


def _of(rows: list[Blocklist], kind: str) -> tuple[Blocklist, ...]:
    return tuple(row for row in rows if row.kind == kind)


def article_page(slug: str) -> ArticlePage | None:
    """The page of an article; None where there is none of this slug."""
    known = snapshot()
    index = index_of(known)
    article = index.articles.get(slug)
    if article is None:
        return None
    codes = (index.code_as_written(code) for code in article.codes)
    near = [other for other in known.articles if other is not article and set(other.causes) & set(article.causes)]
    return ArticlePage(
        article=article,
        figure=_figure(article.figure),
        causes=tuple(index.causes[name] for name in article.causes if name in index.causes),
        codes=tuple(row for row in codes if row is not None),
        others=tuple(near)[:6],
    )


def _figure(name: str) -> str:
    """The template of a drawing, "" where it is not there (an import may name one that this version does not ship)."""
    if not _FIGURE.fullmatch(name):
        return ""
    path = f"knowledge/figures/{name}.svg"
    try:
        get_template(path)
    except TemplateDoesNotExist:
        return ""
    return path


def articles() -> tuple[Article, ...]:
    """All articles, in the curators' order."""
    return snapshot().articles
