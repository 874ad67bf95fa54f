"""What search engines are told: all reference pages, and what is none of their business."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from knowledge.current import NoKnowledge, published_at, snapshot
from knowledge.reference import check_sections, family_sections
from whybounce.snapshot import KnowledgeSnapshot

_LISTS = ("home", "code-list", "cause-list", "reply-list", "provider-list", "blocklist-list", "article-list", "live-check-list")
_PRIVATE = ("/admin/", "/cases/", "/check/", "/r/", "/paste/", "/start/", "/login/", "/logout/", "/feedback/", "/search/")


def _paths(known: KnowledgeSnapshot) -> Iterator[str]:
    yield from (reverse(name) for name in _LISTS)
    yield from dict.fromkeys(reverse("code", args=[row.code]) for row in known.codes)
    yield from (reverse("cause", args=[row.slug]) for row in known.causes)
    yield from (reverse("reply-family", args=[line.cause.slug]) for section in family_sections() for line in section.rows)
    yield from (reverse("provider", args=[row.slug]) for row in known.providers)
    yield from (reverse("blocklist", args=[row.slug]) for row in known.blocklists)
    yield from (reverse("article", args=[row.slug]) for row in known.articles)
    yield from (reverse("live-check", args=[line.name]) for group in check_sections(known) for line in group.rows)


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every reference page with the day of the revision (sitemaps.org, protocol 0.9)."""
    try:
        known, published = snapshot(), published_at()
    except NoKnowledge:
        return HttpResponse(status=503)
    day = f"<lastmod>{published:%Y-%m-%d}</lastmod>" if published else ""
    root = f"{request.scheme}://{request.get_host()}"
    urls = "".join(f"<url><loc>{escape(root + path)}</loc>{day}</url>\n" for path in _paths(known))
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n'
    return HttpResponse(xml, content_type="application/xml")


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """RFC 9309: the reference may be read; cases, reports, results of checks and the desk are nobody's but their owners'."""
    address = f"{request.scheme}://{request.get_host()}{reverse('sitemap')}"
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _PRIVATE), "", f"Sitemap: {address}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
