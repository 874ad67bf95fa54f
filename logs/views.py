"""/logs/: upload a log, watch it being read, see what failed. A view parses, calls one function, chooses a template."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

from logs import erasing, reading, storage, uploading
from logs.cases import open_case_of
from logs.models import LogReading
from logs.page import csv_of, groups_of, new_groups, page_of
from logs.sample import SAMPLE_NAME, sample_bytes
from logs.uploading import PIECE_BYTES, TooLarge, log_and_person, logs_of
from troubleshoot.htmx import Request, wants_part
from troubleshoot.limits import Limited, too_many
from troubleshoot.people import Person, person_of
from troubleshoot.refusal import Refused

State = LogReading.State
_MOST_LISTED = 20
_FORM_OVERHEAD = 100_000


def _home(request: Request, problem: str = "", text: str = "", status: int = 200) -> HttpResponse:
    person = person_of(request)
    context = {
        "problem": problem,
        "text": text,
        "logs": logs_of(person)[:_MOST_LISTED],
        "everybody": person.supports,
        "most": filesizeformat(settings.WHYBOUNCE_LOG_BYTES),
        "most_bytes": settings.WHYBOUNCE_LOG_BYTES,
        "piece": PIECE_BYTES,
        "days": settings.WHYBOUNCE_KEEP_DAYS,
    }
    return render(request, "logs/home.html", context, status=status)


@csrf_exempt  # of a form that is too large the body is not read; then `_take` is protected
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: Request) -> HttpResponse:
    """The form; what it sends without JavaScript, a text or a short file, comes here whole."""
    if request.method != "POST":
        return _home(request)
    with suppress(ValueError):
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.WHYBOUNCE_LOG_BYTES + _FORM_OVERHEAD:
            return _home(request, str(TooLarge()), status=413)
    return _take(request)


@csrf_protect
def _take(request: Request) -> HttpResponse:
    person, text, file = person_of(request, remember=True), request.POST.get("text", ""), request.FILES.get("file")
    try:
        if "sample" in request.POST:
            log = uploading.upload_whole(person=person, name=SAMPLE_NAME, data=sample_bytes())
        elif file is not None:
            log = uploading.upload_whole(person=person, name=file.name or "", data=file)
        elif text.strip():
            log = uploading.upload_whole(person=person, name="", data=text.encode("utf-8", "replace"))
        else:
            return _home(request, _("Choose a file, or paste a piece of a log."), status=422)
    except Refused as error:
        return _refused(_home(request, str(error), text[:100_000]), error)
    return redirect(log)


def _refused(page: HttpResponse, error: Refused) -> HttpResponse:
    if isinstance(error, Limited):
        return too_many(page, error)
    page.status_code = _status(error)
    return page


def _status(error: Refused) -> int:
    """413 too large (RFC 9110 section 15.5.14), 507 no room (RFC 4918 section 11.5), 422 anything else."""
    return 413 if isinstance(error, TooLarge) else 507 if isinstance(error, storage.DiskFull) else 422


# --- upload in pieces, spoken by logs.js ---


def _json(error: Refused) -> HttpResponse:
    return _refused(JsonResponse({"problem": str(error)}), error)


@require_POST
def begin(request: Request) -> HttpResponse:
    """Announces a file: `name`, `size` and `modified` (milliseconds). Answers where its pieces go."""
    try:
        size, modified = int(request.POST.get("size", "")), int(request.POST.get("modified") or 0)
    except ValueError:
        return JsonResponse({"problem": _("The size of the file is missing.")}, status=400)
    try:
        log = uploading.begin(person=person_of(request, remember=True), name=request.POST.get("name", ""), size=size, modified=modified)
    except Refused as error:
        return _json(error)
    return JsonResponse(_progress(log, 0), status=201)


@require_http_methods(["GET", "POST"])
def piece(request: Request, public_id: str) -> HttpResponse:
    """POST adds the body as the piece that begins at byte `?at=`. GET, and each answer, says how much has arrived."""
    log, _person = log_and_person(request, public_id)
    if request.method == "GET":
        return JsonResponse(_progress(log, storage.arrived(log)))
    try:
        at = int(request.GET.get("at", ""))
        if at < 0 or int(request.META.get("CONTENT_LENGTH") or 0) > uploading.MOST_PIECE_BYTES:
            raise ValueError
    except ValueError:
        return JsonResponse({"problem": _("That is no piece of a file.")}, status=400)
    try:
        return JsonResponse(_progress(log, uploading.add_piece(log=log, at=at, piece=request.body)))
    except storage.OutOfStep as error:
        return JsonResponse(_progress(log, error.arrived), status=409)
    except Refused as error:
        return _json(error)


def _progress(log: LogReading, arrived: int) -> dict[str, Any]:
    addresses = {"pieces": reverse("log-piece", args=[log.public_id]), "page": log.get_absolute_url()}
    return {"id": log.public_id, "state": log.state, "arrived": arrived, "size": log.size, "piece": PIECE_BYTES, **addresses}


# --- the page of a log ---


@require_GET
@vary_on_headers("HX-Request")
def log(request: Request, public_id: str) -> HttpResponse:
    """How far it is, or what was found. With `?q=` the groups that fit, with `?since=` what an earlier log had not."""
    found, person = log_and_person(request, public_id)
    if found.under_way:
        reading.look_after()
        found, person = log_and_person(request, public_id)
    if wants_part(request) and not found.under_way and "q" not in request.GET:
        return HttpResponseClientRefresh()  # it was watched while it was read, and that is over
    if found.state != State.DONE:
        context = {"log": found, "arrived": storage.arrived(found) if found.state == State.UPLOADING else 0, "piece": PIECE_BYTES}
        return render(request, "logs/log.html#progress" if wants_part(request) else "logs/log.html", context)
    query = request.GET.get("q", "")[:200]
    if wants_part(request):
        return render(request, "logs/result.html#groups", {"log": found, "groups": groups_of(found.shown, query)})
    return render(request, "logs/result.html", _result(request, found, person, query))


def _result(request: Request, found: LogReading, person: Person, query: str, problem: str = "") -> dict[str, Any]:
    page = page_of(found.shown, query)
    context: dict[str, Any] = {"log": found, "page": page, "groups": page.groups, "problem": problem, "days": settings.WHYBOUNCE_KEEP_DAYS}
    others = logs_of(person).filter(state=State.DONE).exclude(pk=found.pk)
    context["others"] = list(others[:_MOST_LISTED])
    since = request.GET.get("since", "")
    if since:
        earlier = others.filter(public_id=since).first()
        if earlier is None:
            raise Http404(since)
        context["since"], context["new"] = earlier, new_groups(found.shown, earlier.shown)
    return context


@require_POST
def cancel(request: Request, public_id: str) -> HttpResponse:
    """Ends upload or reading; the log is erased."""
    found, _person = log_and_person(request, public_id)
    uploading.cancel(log=found)
    return redirect(found)


@require_POST
def erase(request: Request, public_id: str) -> HttpResponse:
    """Erases the log and its tally at once."""
    found, _person = log_and_person(request, public_id)
    erasing.forget(found)
    return redirect("logs")


@require_POST
def open_case(request: Request, public_id: str) -> HttpResponse:
    """A case with the example of the group of this number."""
    found, _person = log_and_person(request, public_id)
    try:
        case = open_case_of(found, request.POST.get("group", ""), person_of(request, remember=True))
    except Refused as error:
        return _refused(render(request, "logs/result.html", _result(request, found, person_of(request), "", str(error))), error)
    return redirect(case)


def _done(request: Request, public_id: str) -> LogReading:
    found, _person = log_and_person(request, public_id)
    if found.state != State.DONE:
        raise Http404(public_id)
    return found


@require_GET
def tally(request: Request, public_id: str) -> HttpResponse:
    """All of the tally: the object of `triage --json`."""
    found = _done(request, public_id)
    return HttpResponse(found.tally_json(), content_type="application/json", headers=_saved(found, "json"))


@require_GET
def groups_csv(request: Request, public_id: str) -> HttpResponse:
    """The groups as CSV."""
    found = _done(request, public_id)
    return HttpResponse(csv_of(found.shown), content_type="text/csv; charset=utf-8", headers=_saved(found, "csv"))


def _saved(found: LogReading, kind: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="log-{found.public_id}.{kind}"', "X-Robots-Tag": "noindex"}
