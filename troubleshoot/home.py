"""The home page: paste, or search."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from troubleshoot.doors import open_to
from troubleshoot.forms import PasteForm
from troubleshoot.samples import sample, samples


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The form, empty or with the sample that `?sample=` names."""
    form = PasteForm(initial={"text": sample(request.GET.get("sample", ""))})
    return render(request, "troubleshoot/home.html", {"form": form, "samples": samples(), "open": open_to(request)})
