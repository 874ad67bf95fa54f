"""What comes out of a case: its report, and the links at which others read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST, require_safe

from troubleshoot.htmx import Request
from troubleshoot.models import Case
from troubleshoot.people import case_and_person
from troubleshoot.privacy_views import erased_page
from troubleshoot.refusal import Refused
from troubleshoot.report import report_of
from troubleshoot.report_files import as_json, as_markdown
from troubleshoot.sharing import DAYS, DEFAULT_DAYS, count_view, link_of, revoke_link, share_case

_PRIVATE = {"Cache-Control": "private, no-store"}
# A link is a secret that stands in the address: it must not be told to other sites, kept by proxies or found by search engines.
# Not for pages with a form: without a referrer browsers send "Origin: null", which no site trusts.
_SECRET = {**_PRIVATE, "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow, noarchive"}
_FILES = {"md": ("text/markdown; charset=utf-8", as_markdown), "json": ("application/json", as_json)}


class ShareForm(forms.Form):
    """A new link: for whom, for how long, and whether addresses are shown."""

    label = forms.CharField(label=_("For whom (only you see this)"), max_length=80, required=False)
    days = forms.TypedChoiceField(label=_("Open for"), coerce=int, initial=DEFAULT_DAYS)
    whole = forms.BooleanField(label=_("Show addresses and names"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["days"].choices = [(n, ngettext("%(n)d day", "%(n)d days", n) % {"n": n}) for n in DAYS]  # type: ignore[attr-defined]


def _page(request: Request, template: str, context: dict[str, Any], headers: Mapping[str, str], status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    for name, value in headers.items():
        response[name] = value
    return response


# --- the report of one's own case ---


@require_GET
def report(request: Request, public_id: str) -> HttpResponse:
    """The report, to print; `?masked=1` without what names a person."""
    case, _person = case_and_person(request, public_id)
    if case.is_erased:
        return erased_page(request, case, status=410)
    value = report_of(case, masks="masked" in request.GET)
    return _page(request, "troubleshoot/report.html", {"case": case, "report": value, "own": True}, _PRIVATE)


@require_GET
def report_file(request: Request, public_id: str, kind: str) -> HttpResponse:
    """The report as a file: `kind` is "md" or "json"."""
    case, _person = case_and_person(request, public_id)
    if case.is_erased:
        return erased_page(request, case, status=410)
    content_type, write = _FILES[kind]
    disposition = f'attachment; filename="case-{case.public_id}.{kind}"'
    text = write(report_of(case, masks="masked" in request.GET))
    return HttpResponse(text, content_type=content_type, headers={**_PRIVATE, "Content-Disposition": disposition})


# --- links ---


@require_GET
def links(request: Request, public_id: str) -> HttpResponse:
    case, _person = case_and_person(request, public_id)
    return _links(request, case, ShareForm())


@require_POST
def share(request: Request, public_id: str) -> HttpResponse:
    """Makes a link. The page that answers is the only place where its address ever stands: it is not kept."""
    case, person = case_and_person(request, public_id)
    form = ShareForm(request.POST)
    if not form.is_valid():
        return _links(request, case, form, status=422)
    given = form.cleaned_data
    try:
        _link, token = share_case(case=case, person=person, days=given["days"], masks=not given["whole"], label=given["label"])
    except Refused as error:
        return _links(request, case, form, problem=str(error), status=409)
    return _links(request, case, ShareForm(), made=request.build_absolute_uri(reverse("shared", args=[token])), made_masked=not given["whole"])


@require_POST
def revoke(request: Request, public_id: str) -> HttpResponse:
    case, person = case_and_person(request, public_id)
    link = request.POST.get("link", "")
    try:
        revoke_link(case=case, link=int(link) if link.isdecimal() and len(link) < 18 else 0, person=person)
    except Refused as error:
        return _links(request, case, ShareForm(), problem=str(error), status=409)
    return redirect("case-links", public_id)


def _links(request: Request, case: Case, form: ShareForm, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {"case": case, "form": form, "links": case.links.select_related("by", "revoked_by"), **more}
    return _page(request, "troubleshoot/links.html", context, _PRIVATE, status)


# --- what others see ---


@require_safe
def shared(request: Request, token: str) -> HttpResponse:
    """The report at its link, counted; 404 where there is no such link, 410 where it expired or was revoked, or the case was erased."""
    request.shared = True  # type: ignore[attr-defined]  # base.html leaves out what belongs to one visitor
    link = link_of(token)
    if link is None:
        return _page(request, "troubleshoot/shared_closed.html", {}, _SECRET, 404)
    if not link.is_open or link.case.is_erased:
        return _page(request, "troubleshoot/shared_closed.html", {"link": link}, _SECRET, 410)
    value = report_of(link.case, masks=link.masks)
    if request.method == "GET":  # mail programs ask HEAD to draw a preview
        count_view(link=link)
    return _page(request, "troubleshoot/report.html", {"report": value, "link": link}, _SECRET)
