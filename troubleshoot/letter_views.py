"""Letters of a case: chosen, edited, copied, opened in a mail program. Nothing is sent or kept."""

from __future__ import annotations

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from troubleshoot.htmx import Request
from troubleshoot.letters import (
    MOST_OF_A_BODY,
    MOST_OF_MAILTO,
    CaseLetter,
    Writing,
    as_message,
    holds_text,
    letter_of,
    mailto,
    offered,
    writing_of,
)
from troubleshoot.models import Case
from troubleshoot.people import case_and_person
from troubleshoot.privacy_views import erased_page
from whybounce.letters import blanks_in


class LetterForm(forms.Form):
    """A letter as a person edits it."""

    to = forms.CharField(
        label=_("To"), max_length=320, required=False, widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "off"})
    )
    subject = forms.CharField(label=_("Subject"), max_length=400, required=False)
    body = forms.CharField(label=_("Text"), max_length=MOST_OF_A_BODY, required=False, strip=False, widget=forms.Textarea(attrs={"rows": 22}))


@require_GET
def letters(request: Request, public_id: str) -> HttpResponse:
    """The letters that fit the case, by whom they go to."""
    case, _person = case_and_person(request, public_id)
    if case.is_erased:
        return erased_page(request, case, status=410)
    return _private(render(request, "troubleshoot/letters.html", {"case": case, "groups": offered(case)}))


@require_http_methods(["GET", "POST"])
def letter(request: Request, public_id: str, slug: str) -> HttpResponse:
    """One letter, to edit. POST gives what was edited back: as a message to save (`do=eml`), or on the page with its mailto: link."""
    case, person = case_and_person(request, public_id)
    if case.is_erased:
        return erased_page(request, case, status=410)
    chosen = letter_of(case, slug)
    if chosen is None:
        raise Http404(slug)
    if request.method == "GET":
        return _letter(request, case, chosen, writing_of(chosen))
    form = LetterForm(request.POST)
    if not form.is_valid():
        return _letter(request, case, chosen, writing_of(chosen), form=form, status=422)
    writing = Writing(form.cleaned_data["to"], form.cleaned_data["subject"], form.cleaned_data["body"].replace("\r\n", "\n"))
    if request.POST.get("do") == "eml":
        return _message(case, chosen, writing, person.user.email if person.user else "")
    return _letter(request, case, chosen, writing)


def _letter(request: Request, case: Case, chosen: CaseLetter, writing: Writing, *, form: LetterForm | None = None, status: int = 200) -> HttpResponse:
    address = mailto(writing)
    context = {
        "case": case,
        "letter": chosen.letter,
        "form": form or LetterForm(initial={"to": writing.to, "subject": writing.subject, "body": writing.body}),
        "mailto": address,
        "mailto_most": MOST_OF_MAILTO,
        "mailto_has_text": holds_text(address),
        "blanks": blanks_in(f"{writing.subject}\n{writing.body}"),
    }
    return _private(render(request, "troubleshoot/letter.html", context, status=status))


def _message(case: Case, chosen: CaseLetter, writing: Writing, sender: str) -> HttpResponse:
    response = HttpResponse(as_message(writing, sender), content_type="message/rfc822")
    response["Content-Disposition"] = f'attachment; filename="case-{case.public_id}-{chosen.letter.slug}.eml"'
    return _private(response)


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    return response
