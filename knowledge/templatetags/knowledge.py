"""Filters for texts that curators write and servers send."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from django import template
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

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


@register.filter
def visible(text: str) -> str:
    """Control and direction-changing characters as code points (U+202E), so that a server's text cannot disguise itself."""
    return "".join(letter if _plain(letter) else f"⟨U+{ord(letter):04X}⟩" for letter in text)


def _plain(letter: str) -> bool:
    """Printable, a line end or a tab, or one of the spaces that Python calls unprintable (no-break, ideographic)."""
    return letter.isprintable() or letter in "\n\t" or unicodedata.category(letter) == "Zs"


@register.filter
def joined(values: tuple[str, ...]) -> str:
    """A tuple as "RCPT, MAIL"."""
    return ", ".join(str(value) for value in values)
