"""Reference pages, kept whole in memory and answered with 304 to whoever has them already.

A page is the same for every visitor who is not logged in: it holds no token and no name. Who is logged in gets it made anew, with
what belongs to them. A page depends on the revision, the address it is asked by and the language; its ETag is the digest of what
it says, so that it also changes with the program's templates.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from hashlib import blake2b
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date
from django.utils.translation import get_language

from knowledge.current import NoKnowledge, published_at, snapshot
from whybounce.snapshot import KnowledgeSnapshot

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

_MOST_BYTES = 64_000_000
_STARTED = timezone.now()
"""A program that was started later may have other templates: no page is called older than this."""

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Kept:
    content: bytes
    etag: str


class _Shelf:
    """Pages of one snapshot by key, the ones longest not asked for dropped first. Bounded by the bytes of the pages."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: OrderedDict[Key, _Kept] = OrderedDict()
        self._bytes = 0
        self._known: KnowledgeSnapshot | None = None

    def get(self, known: KnowledgeSnapshot, key: Key) -> _Kept | None:
        with self._lock:
            if known is not self._known:
                self._known = known
                self._pages.clear()
                self._bytes = 0
            kept = self._pages.get(key)
            if kept is not None:
                self._pages.move_to_end(key)
            return kept

    def put(self, known: KnowledgeSnapshot, key: Key, kept: _Kept) -> None:
        with self._lock:
            if known is not self._known:  # a newer one came while the page was made
                return
            self._drop(key)
            self._pages[key] = kept
            self._bytes += len(kept.content)
            while self._bytes > _MOST_BYTES:
                self._drop(next(iter(self._pages)))

    def _drop(self, key: Key) -> None:
        old = self._pages.pop(key, None)
        if old is not None:
            self._bytes -= len(old.content)


_shelf = _Shelf()


def reference_page(*reads: str) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Decorates a view of a page that depends on the knowledge and the address alone. `reads`: the parameters that it reads; a
    request with one of them is answered anew each time."""

    def decorate(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                known = snapshot()
            except NoKnowledge:
                return nothing_known(request)
            if not is_anonymous(request):
                return _private(view(request, *args, **kwargs))
            request.shared = True  # type: ignore[attr-defined]  # base.html leaves out what belongs to one visitor
            if any(name in request.GET for name in reads):
                return _varying(view(request, *args, **kwargs))
            key = (get_language() or "", f"{request.scheme}://{request.get_host()}", request.path)
            kept = _shelf.get(known, key)
            if kept is None:
                response = view(request, *args, **kwargs)
                if response.status_code != 200:
                    return _varying(response)
                kept = _Kept(response.content, f'"{known.revision}-{blake2b(response.content, digest_size=12).hexdigest()}"')
                _shelf.put(known, key, kept)
            return _answer(request, kept)

        return answer

    return decorate


def nothing_known(request: HttpRequest) -> HttpResponse:
    """503: nothing is published yet."""
    return render(request, "knowledge/none.html", status=503)


def is_anonymous(request: HttpRequest) -> bool:
    """True where nobody is logged in and no message waits to be shown. Asks no database where the browser sends no session."""
    if "messages" in request.COOKIES:
        return False
    return settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated


def _answer(request: HttpRequest, kept: _Kept) -> HttpResponseBase:
    response = _varying(HttpResponse(kept.content))
    modified = int(max(published_at() or _STARTED, _STARTED).timestamp())
    response["ETag"], response["Last-Modified"] = kept.etag, http_date(modified)
    return get_conditional_response(request, etag=kept.etag, last_modified=modified, response=response) or response


def _varying(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ("Cookie",))
    response["Cache-Control"] = "no-cache"  # may be kept, and is asked for again: a new revision shows at once
    return response


def _private(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ("Cookie",))
    response["Cache-Control"] = "private, no-store"
    return response
