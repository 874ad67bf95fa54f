"""`Was this page helpful? What did you see instead?`: taken from any visitor, read by curators.

The pages that hold the form are the same for everybody and can carry no token. What is posted changes nothing but the list that
curators read; that it comes from a page of this site is seen in the headers that browsers set (Sec-Fetch-Site, Origin).
"""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import urlsplit

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from knowledge.models.feedback import MAX_TEXT, Feedback

_HOUR = 3600
_A_SESSION = 20
_ALL = 500
"""How many an hour are taken from one session, and from everybody together: a script may throw its session away."""
_UNREAD = 10_000
"""So many that no curator worked through are kept; more would fill the disk and be read by nobody."""
_PAGES = frozenset(("code", "cause", "reply-family", "provider", "blocklist", "article", "live-check", "code-list"))
_SAID = {"yes": True, "no": False, "": None}


class FeedbackForm(forms.Form):
    """`website` is a trap: people do not see it, and programs fill it in."""

    page = forms.CharField(max_length=200)
    helpful = forms.ChoiceField(choices=[(value, value) for value in _SAID], required=False)
    text = forms.CharField(
        max_length=MAX_TEXT, required=False, error_messages={"max_length": gettext_lazy("Please keep it under %(limit_value)d characters.")}
    )
    website = forms.CharField(required=False)

    def clean_page(self) -> str:
        page: str = self.cleaned_data["page"]
        if not is_reference_page(page):
            raise forms.ValidationError(_("This is no page of the reference."))
        return page

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("helpful") and not cleaned.get("text"):
            raise forms.ValidationError(_("Say yes or no, or write what you saw."))
        return cleaned


def is_reference_page(path: str) -> bool:
    """True for the path of a page that holds the form."""
    try:
        return resolve(path).url_name in _PAGES
    except Resolver404:
        return False


def _from_elsewhere(request: HttpRequest) -> bool:
    """True where the browser says that a page of another site sent this."""
    site = request.headers.get("Sec-Fetch-Site", "")
    origin = request.headers.get("Origin", "")
    return site in ("cross-site", "same-site") or (not site and origin != "" and urlsplit(origin).netloc != request.get_host())


@csrf_exempt  # see above: the pages are shared
@require_http_methods(["GET", "HEAD", "POST"])
def feedback(request: HttpRequest) -> HttpResponse:
    """Stores what was sent and thanks for it; GET thanks again."""
    page = request.GET.get("page", "")
    if request.method != "POST":
        if not is_reference_page(page):
            raise Http404(page)
        return render(request, "knowledge/feedback.html", {"page": page, "thanks": True})
    if _from_elsewhere(request):
        return _answer(request, FeedbackForm({}), _("This can be sent from a page of this site only."), 403)
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        return _answer(request, form, " ".join(str(message) for messages in form.errors.values() for message in messages), 422)
    if not form.cleaned_data["website"]:
        if not _may_send(request):
            return _answer(request, form, _("That is a lot for an hour. Please try again later."), 429)
        said = form.cleaned_data
        Feedback.objects.create(page=said["page"], helpful=_SAID[said["helpful"]], text=said["text"])
    if request.htmx:  # type: ignore[attr-defined]  # set by HtmxMiddleware
        return render(request, "knowledge/feedback.html#thanks")
    return redirect(f"{reverse('feedback')}?{urlencode({'page': form.cleaned_data['page']})}")


def _answer(request: HttpRequest, form: FeedbackForm, problem: str, status: int) -> HttpResponse:
    context = {"problem": problem, "page": form.data.get("page", ""), "text": form.data.get("text", "")[: 4 * MAX_TEXT]}
    if request.htmx:  # type: ignore[attr-defined]  # set by HtmxMiddleware
        return render(request, "knowledge/feedback.html#form", context)  # htmx shows nothing of an answer whose status is an error
    return render(request, "knowledge/feedback.html", context, status=status)


def _may_send(request: HttpRequest) -> bool:
    """False where this session, or everybody together, has sent enough within the hour, and where too much lies unread."""
    now = time.time()
    sent = [moment for moment in request.session.get("feedback", []) if moment > now - _HOUR]
    lately = timezone.now() - timedelta(seconds=_HOUR)
    if len(sent) >= _A_SESSION or Feedback.objects.filter(created_at__gt=lately).count() >= _ALL:
        return False
    if Feedback.objects.filter(state=Feedback.State.NEW).count() >= _UNREAD:
        return False
    request.session["feedback"] = [*sent, now]
    return True
