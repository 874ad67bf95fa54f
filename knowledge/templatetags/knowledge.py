"""Filters for texts that curators write and servers send."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from whybounce.visible import visible

register = template.Library()

# "commonmark" without raw HTML: what a curator writes cannot bring script onto a page.
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


@lru_cache(maxsize=4096)
def _rendered(text: str) -> str:
    return str(_markdown.render(text))


@register.filter
def markdown(text: str) -> SafeString:
    """Markdown as HTML; raw HTML in it is shown as text."""
    return mark_safe(_rendered(text))  # noqa: S308 (rendered with html disabled)


register.filter("visible", visible)


@register.filter
def joined(values: tuple[str, ...]) -> str:
    """A tuple as "RCPT, MAIL"."""
    return ", ".join(str(value) for value in values)
