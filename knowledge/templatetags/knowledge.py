"""Filters for texts that curators write and servers send, and what the head of a page needs."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from knowledge.check_names import check_label
from whybounce.visible import visible

register = template.Library()

# "commonmark" without raw HTML: what a curator writes cannot bring script onto a page.
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
# As django.utils.html.json_script: nothing in the data can end the element or begin a comment.
_JSON_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


@lru_cache(maxsize=4096)
def _rendered(text: str) -> str:
    # A table wider than a phone scrolls by itself; whoever uses the keyboard can reach it.
    html = str(_markdown.render(text))
    return html.replace("<table>", '<div class="wide" tabindex="0" role="group"><table>').replace("</table>", "</table></div>")


@register.filter
def markdown(text: str) -> SafeString:
    """Markdown as HTML; raw HTML in it is shown as text."""
    return mark_safe(_rendered(text))  # noqa: S308 (rendered with html disabled)


@register.filter
def plain(text: str) -> str:
    """The first paragraph of Markdown without its marks, for a description."""
    first = next((part for part in text.split("\n\n") if part.strip()), "")
    return " ".join(first.replace("**", "").replace("`", "").split())


register.filter("visible", visible)
register.filter("check_label", check_label)


@register.filter
def joined(values: tuple[str, ...]) -> str:
    """A tuple as "RCPT, MAIL"."""
    return ", ".join(str(value) for value in values)


@register.simple_tag(takes_context=True)
def absolute(context: dict[str, Any], path: str) -> str:
    """A path of this site with scheme and host, as the page was asked for."""
    request: HttpRequest = context["request"]
    return f"{request.scheme}://{request.get_host()}{path}"


@register.simple_tag(takes_context=True)
def nav_link(context: dict[str, Any], name: str, title: str, inside: str = "") -> SafeString:
    """A link of the main navigation, marked where it is the page shown or (`inside`: an address's name) one that belongs to it."""
    match = context["request"].resolver_match if "request" in context else None
    shown = match.url_name if match else ""
    mark = ' aria-current="page"' if shown == name else ' aria-current="true"' if inside and shown == inside else ""
    return format_html('<a href="{}"{}>{}</a>', reverse(name), mark_safe(mark), title)  # noqa: S308 (one of three constants)


def _ld(data: dict[str, Any]) -> SafeString:
    text = json.dumps({"@context": "https://schema.org", **data}, ensure_ascii=False).translate(_JSON_ESCAPES)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308 (escaped above)


@register.simple_tag(takes_context=True)
def breadcrumbs_ld(context: dict[str, Any], *trail: str) -> SafeString:
    """Breadcrumbs for search engines: `trail` is title, path, title, path ... (schema.org BreadcrumbList)."""
    items = [
        {"@type": "ListItem", "position": number, "name": str(title), "item": absolute(context, path)}
        for number, (title, path) in enumerate(zip(trail[::2], trail[1::2], strict=True), 1)
    ]
    return _ld({"@type": "BreadcrumbList", "itemListElement": items})


@register.simple_tag(takes_context=True)
def article_ld(context: dict[str, Any], headline: str, description: str, path: str) -> SafeString:
    """A page as a technical article (schema.org TechArticle)."""
    address = absolute(context, path)
    about = {
        "@type": "TechArticle",
        "headline": str(headline)[:110],
        "description": str(description)[:500],
        "url": address,
        "mainEntityOfPage": address,
    }
    return _ld({**about, "inLanguage": "en", "publisher": {"@type": "Organization", "name": "Whybounce"}})


def _question(question: str, answer: str) -> dict[str, Any]:
    return {"@type": "Question", "name": question, "acceptedAnswer": {"@type": "Answer", "text": _rendered(answer)}}


@register.simple_tag
def questions_ld(*pairs: str) -> SafeString:
    """Questions that the page answers: `pairs` is question, answer (Markdown), question, answer ... (schema.org FAQPage)."""
    asked = zip(pairs[::2], pairs[1::2], strict=True)
    entities = [_question(str(question), answer) for question, answer in asked if answer]
    return _ld({"@type": "FAQPage", "mainEntity": entities}) if entities else mark_safe("")


@register.filter
def steps_text(steps: tuple[Any, ...]) -> str:
    """Remedy steps as one text, for search engines."""
    return "\n".join(f"{number}. " + "".join(part.text for part in filled.text) for number, filled in enumerate(steps, 1))
