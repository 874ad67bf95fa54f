"""The page that checks a domain or a sending server without a case."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import push_url

from knowledge.current import knowledge
from troubleshoot import services
from troubleshoot.facts import subject_from_json
from troubleshoot.forms import DomainForm
from troubleshoot.htmx import Request, wants_part
from troubleshoot.inquiry import check_panel
from troubleshoot.models import CheckRun
from troubleshoot.people import person_of, run_for
from troubleshoot.streams import Job, job_of, release_connection, run_and_store
from troubleshoot.views import stream
from whybounce.checks.result import Subject


@require_http_methods(["GET", "POST"])
def check(request: Request) -> HttpResponse:
    """The form; sent, it plans a run and turns to its page."""
    form = DomainForm(request.POST if request.method == "POST" else None, initial=request.GET.dict())
    if not form.is_valid():
        return _ask(request, form)
    try:
        run = services.plan_domain_check(subject=Subject(**form.cleaned_data), person=person_of(request, remember=True))
    except services.Refused as error:
        form.add_error(None, str(error))
        return _ask(request, form)
    if request.htmx:
        return push_url(_show(request, run), run.get_absolute_url())
    run_and_store(run)
    return redirect(run)


def _ask(request: Request, form: DomainForm) -> HttpResponse:
    """The form, with what is wrong where it was sent; htmx swaps nothing of an answer whose status is an error."""
    if wants_part(request):
        return render(request, "troubleshoot/check.html#check", {"form": form})
    return render(request, "troubleshoot/check.html", {"form": form}, status=422 if form.is_bound else 200)


def _show(request: Request, run: CheckRun) -> HttpResponse:
    subject = subject_from_json(run.subject)
    form = DomainForm(initial={"domain": subject.domain, "sending_ip": subject.sending_ip, "mail_from": subject.mail_from})
    context = {"form": form, "run": run, "panel": check_panel(knowledge(), subject, [run])}
    return render(request, "troubleshoot/check.html#check" if wants_part(request) else "troubleshoot/check.html", context)


def _run(request: Request, public_id: str) -> CheckRun:
    run = run_for(person_of(request), public_id)
    if run is None:
        raise Http404(public_id)
    return run


@require_GET
def check_run(request: Request, public_id: str) -> HttpResponse:
    return _show(request, _run(request, public_id))


def _job(request: Request, public_id: str) -> Job:
    job = job_of(_run(request, public_id))
    release_connection()
    return job


@require_GET
async def check_events(request: Request, public_id: str) -> HttpResponseBase:
    return stream(await sync_to_async(_job)(request, public_id))
