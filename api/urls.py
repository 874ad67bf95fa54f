"""Addresses of the API."""

from typing import NoReturn

from django.http import Http404, HttpRequest
from django.urls import path

from api import docs
from api.addresses import DOCS, OPENAPI, ROOT
from api.site import api


def nothing_here(request: HttpRequest, rest: str) -> NoReturn:
    """What is under the API and nothing else is no page either: middleware makes it a problem."""
    raise Http404(rest)


urlpatterns = [
    path(OPENAPI[1:], docs.openapi, name="api-openapi"),
    path(DOCS[1:], docs.docs, name="api-docs"),
    path(ROOT[1:], api.urls),
    path(f"{ROOT[1:]}<path:rest>", nothing_here),
]
