"""The code reference: lists, a page a code and a cause, search."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from knowledge.reference import cause_page, cause_sections, code_page, code_sections
from knowledge.search import search as find


@require_GET
def code_list(request: HttpRequest) -> HttpResponse:
    return render(request, "knowledge/code_list.html", {"sections": code_sections()})


@require_GET
def code(request: HttpRequest, code: str) -> HttpResponse:
    page = code_page(code)
    if page is None:
        return render(request, "knowledge/code_unknown.html", {"code": code, "groups": find(code)}, status=404)
    return render(request, "knowledge/code.html", {"page": page})


@require_GET
def cause_list(request: HttpRequest) -> HttpResponse:
    return render(request, "knowledge/cause_list.html", {"sections": cause_sections()})


@require_GET
def cause(request: HttpRequest, slug: str) -> HttpResponse:
    page = cause_page(slug)
    if page is None:
        raise Http404(slug)
    return render(request, "knowledge/cause.html", {"page": page})


@require_GET
@vary_on_headers("HX-Request")
def search(request: HttpRequest) -> HttpResponse:
    """Results as one types (htmx asks for the part alone), or a whole page."""
    query = request.GET.get("q", "").strip()
    htmx = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
    template = "knowledge/search.html#results" if htmx and not htmx.history_restore_request else "knowledge/search.html"
    return render(request, template, {"query": query, "groups": find(query)})
