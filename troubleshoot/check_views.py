"""The page that checks a domain or a sending server without a case. Whoever has the address of a run may read it."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import push_url

from knowledge.current import knowledge
from troubleshoot import services
from troubleshoot.check_page import results_of
from troubleshoot.facts import subject_from_json
from troubleshoot.forms import DomainForm, typed_again
from troubleshoot.htmx import Request, wants_part
from troubleshoot.limits import Limited, too_many
from troubleshoot.models import CheckRun
from troubleshoot.people import person_of, run_for
from troubleshoot.refusal import Refused
from troubleshoot.streams import Job, job_of, release_connection, run_and_store
from troubleshoot.views import stream
from whybounce.checks.result import Subject


@require_http_methods(["GET", "POST"])
def check(request: Request) -> HttpResponse:
    """The form; sent, it plans a run and turns to its page."""
    form = DomainForm(request.POST if request.method == "POST" else None, initial=request.GET.dict())
    if not form.is_valid():
        return _ask(request, form)
    return _look(request, form.subject, form, anew=False)


def _look(request: Request, subject: Subject, form: DomainForm, *, anew: bool) -> HttpResponse:
    """Plans a run: htmx opens the stream that works it off, a browser without JavaScript waits here."""
    try:
        run = services.plan_domain_check(subject=subject, person=person_of(request, remember=True), anew=anew)
    except Refused as error:
        page = _ask(request, form, problem=str(error))
        return too_many(page, error) if isinstance(error, Limited) else page
    if request.htmx:
        return push_url(_show(request, run), run.get_absolute_url())
    run_and_store(run)
    return redirect(run)


def _ask(request: Request, form: DomainForm, problem: str = "") -> HttpResponse:
    """The form, with what is wrong where it was sent; htmx swaps nothing of an answer whose status is an error."""
    context = {"form": form, "problem": problem}
    if wants_part(request):
        return render(request, "troubleshoot/check.html#check", context)
    return render(request, "troubleshoot/check.html", context, status=422 if form.is_bound or problem else 200)


def _show(request: Request, run: CheckRun) -> HttpResponse:
    form = typed_again(subject_from_json(run.subject))
    context = {"form": form, "run": run, "results": results_of(knowledge(), run)}
    return render(request, "troubleshoot/check.html#check" if wants_part(request) else "troubleshoot/check.html", context)


def _run(public_id: str) -> CheckRun:
    run = run_for(public_id)
    if run is None:
        raise Http404(public_id)
    return run


@require_GET
def check_run(request: Request, public_id: str) -> HttpResponse:
    return _show(request, _run(public_id))


@require_POST
def check_again(request: Request, public_id: str) -> HttpResponse:
    """A new run about the same, in which everything is looked at anew; its page says what changed."""
    subject = subject_from_json(_run(public_id).subject)
    return _look(request, subject, typed_again(subject), anew=True)


def _job(public_id: str) -> Job:
    job = job_of(_run(public_id))
    release_connection()
    return job


@require_GET
async def check_events(request: Request, public_id: str) -> HttpResponseBase:
    return stream(await sync_to_async(_job)(public_id))
