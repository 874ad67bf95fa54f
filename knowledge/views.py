"""The reference: lists, a page for everything that is known, search."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from knowledge import reference
from knowledge.confirmed_words import told_to_staff
from knowledge.current import NoKnowledge, snapshot
from knowledge.explaining import explanation
from knowledge.pages import is_anonymous, nothing_known, reference_page
from knowledge.search import MAX_QUERY
from knowledge.search import search as find


def unknown(request: HttpRequest, name: str, list_url: str, list_title: str, template: str = "knowledge/unknown.html") -> HttpResponse:
    """404, with what a search for the name finds."""
    groups = find(name.replace("-", " "))[:4]
    context = {"name": name[:120], "groups": groups, "list_url": reverse(list_url), "list_title": list_title}
    return render(request, template, context, status=404)


@require_safe
@reference_page("q", "class", "sort")
def code_list(request: HttpRequest) -> HttpResponse:
    """All codes, or those that `?q=`, `?class=` and `?sort=` leave."""
    query, digit, sort = request.GET.get("q", "").strip()[:MAX_QUERY], request.GET.get("class", ""), request.GET.get("sort", "")
    digit, sort = digit if digit in reference.CLASSES else "", sort if sort in reference.SORTS else ""
    rows = reference.find_codes(query, digit, sort)
    context = {"rows": rows, "all": len(reference.code_table()), "q": query, "digit": digit, "sort": sort, "classes": reference.CLASSES}
    return render(request, "knowledge/code_list.html", context)


@require_safe
@reference_page()
def code(request: HttpRequest, code: str) -> HttpResponse:
    page = reference.code_page(code)
    if page is None:
        return unknown(request, code, "code-list", _("All codes"), "knowledge/code_unknown.html")
    return render(request, "knowledge/code.html", {"page": page})


@require_safe
@reference_page()
def cause_list(request: HttpRequest) -> HttpResponse:
    return render(request, "knowledge/cause_list.html", {"sections": reference.cause_sections()})


@require_safe
@reference_page()
def cause(request: HttpRequest, slug: str) -> HttpResponse:
    page = reference.cause_page(slug)
    if page is None:
        return unknown(request, slug, "cause-list", _("All causes"))
    confirmed = None if is_anonymous(request) or not request.user.is_staff else told_to_staff(slug)
    return render(request, "knowledge/cause.html", {"page": page, "confirmed": confirmed})


@require_safe
@reference_page()
def reply_list(request: HttpRequest) -> HttpResponse:
    return render(request, "knowledge/reply_list.html", {"sections": reference.family_sections()})


@require_safe
@reference_page()
def reply_family(request: HttpRequest, slug: str) -> HttpResponse:
    page = reference.family_page(slug)
    if page is None:
        return unknown(request, slug, "reply-list", _("All replies"))
    return render(request, "knowledge/reply_family.html", {"page": page})


@require_safe
@reference_page()
def provider_list(request: HttpRequest) -> HttpResponse:
    return render(request, "knowledge/provider_list.html", {"sections": reference.provider_sections()})


@require_safe
@reference_page()
def provider(request: HttpRequest, slug: str) -> HttpResponse:
    page = reference.provider_page(slug)
    if page is None:
        return unknown(request, slug, "provider-list", _("All providers"))
    return render(request, "knowledge/provider.html", {"page": page})


@require_safe
@reference_page()
def blocklist_list(request: HttpRequest) -> HttpResponse:
    return render(request, "knowledge/blocklist_list.html", {"sections": reference.blocklist_sections()})


@require_safe
@reference_page()
def blocklist(request: HttpRequest, slug: str) -> HttpResponse:
    page = reference.blocklist_page(slug)
    if page is None:
        return unknown(request, slug, "blocklist-list", _("All blocklists"))
    return render(request, "knowledge/blocklist.html", {"page": page})


@require_safe
@reference_page()
def article_list(request: HttpRequest) -> HttpResponse:
    return render(request, "knowledge/article_list.html", {"articles": reference.articles()})


@require_safe
@reference_page()
def article(request: HttpRequest, slug: str) -> HttpResponse:
    page = reference.article_page(slug)
    if page is None:
        return unknown(request, slug, "article-list", _("All articles"))
    return render(request, "knowledge/article.html", {"page": page})


@require_safe
@reference_page()
def check_list(request: HttpRequest) -> HttpResponse:
    return render(request, "knowledge/check_list.html", {"sections": reference.check_sections(snapshot())})


@require_safe
@reference_page()
def live_check(request: HttpRequest, name: str) -> HttpResponse:
    page = reference.check_page(name)
    if page is None:
        return unknown(request, name, "live-check-list", _("All checks"))
    return render(request, "knowledge/check.html", {"page": page})


@require_safe
@vary_on_headers("HX-Request")
def search(request: HttpRequest) -> HttpResponse:
    """Results as one types (htmx asks for the part alone), or a whole page. A pasted reply is explained above them."""
    query = request.GET.get("q", "").strip()
    htmx = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
    template = "knowledge/search.html#results" if htmx and not htmx.history_restore_request else "knowledge/search.html"
    try:
        groups, explained = find(query), explanation(query)
    except NoKnowledge:
        return nothing_known(request)
    context = {
        "query": query[:2000],
        "cut": len(query) > MAX_QUERY,
        "groups": groups,
        "count": sum(len(group.hits) for group in groups),
        "explained": explained,
    }
    return render(request, template, context)
