"""The guided case: paste, answer, check, close. A view parses, calls one function, chooses a template."""

from __future__ import annotations

from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.core.exceptions import RequestDataTooBig
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import push_url

from knowledge.current import knowledge
from troubleshoot import services
from troubleshoot.casework_page import bar_of
from troubleshoot.check_panel import done_row
from troubleshoot.checking import SUPPLIABLE
from troubleshoot.diagnosis import Diagnosis, cause_groups, diagnose
from troubleshoot.erasing import CaseIsErased
from troubleshoot.forms import TOO_LARGE, CloseForm, PasteForm, SubjectForm, paste_again, written
from troubleshoot.htmx import Request, wants_part
from troubleshoot.limits import Limited, too_many
from troubleshoot.listing import PAGE_SIZE, case_rows, found_cases, with_rows
from troubleshoot.models import Case, CheckOutcome
from troubleshoot.people import case_and_person, cases_of, person_of
from troubleshoot.privacy_views import erased_page
from troubleshoot.refusal import Refused
from troubleshoot.scopes import Scope
from troubleshoot.steps_done import take_back_step, tick_off
from troubleshoot.streams import Job, events, job_of, release_connection, run_and_store
from troubleshoot.symptoms import answers_in
from whybounce.failure import IntakeReport
from whybounce.intake import read

# --- opening a case ---


@csrf_exempt  # the body is looked at first: one that is too large must get a page that says so; then `_paste` is protected
@require_POST
def paste(request: Request) -> HttpResponse:
    """What was pasted or uploaded becomes a case. The form of the home page comes here."""
    try:
        request.POST  # noqa: B018 (reads the body)
    except RequestDataTooBig:
        form = PasteForm()
        return render(request, "troubleshoot/paste.html", {"form": form, "problem": TOO_LARGE}, status=413)
    return _paste(request)


@csrf_protect
def _paste(request: Request) -> HttpResponse:
    form = PasteForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "troubleshoot/paste.html", {"form": form}, status=422)
    pasted, person = form.data_pasted, person_of(request, remember=True)
    try:
        services.admit_paste(person=person, size=len(pasted))
    except Limited as error:
        return too_many(render(request, "troubleshoot/paste.html", {"form": form, "problem": str(error)}), error)
    return redirect(services.open_case(pasted=pasted, report=read(pasted), person=person))


@require_POST
def start(request: Request) -> HttpResponse:
    """A case without any text: it begins with a question about the symptom."""
    person = person_of(request, remember=True)
    try:
        services.admit_paste(person=person, size=0)
    except Limited as error:
        return too_many(render(request, "troubleshoot/paste.html", {"form": PasteForm(), "problem": str(error)}), error)
    return redirect(services.open_case(pasted=b"", report=IntakeReport("none"), person=person))


# --- the page of a case ---


def _show(request: Request, d: Diagnosis, *, ask: str = "", problem: str = "", form: SubjectForm | None = None, status: int = 200) -> HttpResponse:
    """The page, or for htmx the part of it that changes."""
    subject = d.checks.subject
    context = {
        "case": d.case,
        "d": d,
        "ask": ask,
        "problem": problem,
        "all_causes": "causes" in request.GET or (bool(problem) and request.path.endswith("/close/")),
        "subject_form": form or SubjectForm(initial={name: getattr(subject, name) for name in SUPPLIABLE} | written(subject)),
        "paste_form": None if d.found else paste_again(b"" if d.case.kind == "binary" else bytes(d.case.pasted)),
    }
    if wants_part(request):  # htmx swaps nothing of an answer whose status is an error
        return render(request, "troubleshoot/case.html#case", context)
    person = person_of(request)
    context["desk"] = bar_of(d.case, person) if person.supports else None
    return render(request, "troubleshoot/case.html", context, status=status)


def _refuse(request: Request, case: Case, error: Refused) -> HttpResponse:
    """The page as it is, with the sentence that says why nothing was changed."""
    if case.is_erased:
        return erased_page(request, case, problem=str(error), status=409)
    page = _show(request, diagnose(case), problem=str(error), status=409)
    return too_many(page, error) if isinstance(error, Limited) else page


def _after(request: Request, case: Case, *, next_question: bool = False, anchor: str = "") -> HttpResponse:
    """After a write: the changed part for htmx, with the address of what it shows; else a redirect to it.

    next_question   the address names the question that is asked next, so that the back button finds each question again
    """
    d = diagnose(case) if next_question or request.htmx else None
    ask = d.asking.panel.slug if d and d.asking.panel and next_question else ""
    address = case.get_absolute_url() + (f"?{urlencode({'ask': ask})}" if ask else "")
    if d and request.htmx:
        return push_url(_show(request, d, ask=ask), address)
    return redirect(address + anchor)


@require_GET
@vary_on_headers("HX-Request")
def case_page(request: Request, public_id: str) -> HttpResponse:
    case, _person = case_and_person(request, public_id)
    if case.is_erased:
        return erased_page(request, case)
    ask = request.GET.get("ask", "")
    return _show(request, diagnose(case, ask), ask=ask)


@require_GET
def pasted(request: Request, public_id: str) -> HttpResponse:
    """What was pasted, byte for byte, to save."""
    case, _person = case_and_person(request, public_id)
    if case.is_erased:
        return erased_page(request, case, status=410)
    name = f"case-{case.public_id}.{'eml' if case.format not in ('reply', 'text') else 'txt'}"
    return HttpResponse(
        bytes(case.pasted), content_type="application/octet-stream", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@require_POST
def answer(request: Request, public_id: str) -> HttpResponse:
    case, person = case_and_person(request, public_id)
    question, scope = request.POST.get("question", ""), request.POST.get("scope", "")
    try:
        services.record_answer(
            case=case,
            question=question,
            answer=request.POST.get("answer", ""),
            person=person,
            scope=Scope(scope) if scope in list(Scope) else Scope.ALL,
        )
    except Refused as error:
        return _refuse(request, case, error)
    return _after(request, case, next_question=True, anchor="#question")


@require_POST
def symptoms(request: Request, public_id: str) -> HttpResponse:
    """What was chosen in the form of symptoms; chosen or not, the next question follows."""
    case, person = case_and_person(request, public_id)
    try:
        services.record_symptoms(case=case, answers=answers_in(request.POST.dict()), person=person)
    except Refused as error:
        return _refuse(request, case, error)
    return _after(request, case, next_question=True, anchor="#question")


@require_POST
def take_back(request: Request, public_id: str) -> HttpResponse:
    case, person = case_and_person(request, public_id)
    try:
        services.take_back_answer(case=case, question=request.POST.get("question", ""), person=person)
    except Refused as error:
        return _refuse(request, case, error)
    return _after(request, case, anchor="#question")


@require_POST
def choose(request: Request, public_id: str) -> HttpResponse:
    """Turns the page to another failed recipient."""
    case, person = case_and_person(request, public_id)
    position = request.POST.get("position") or request.POST.get("to", "")  # a button was pressed, or one was chosen in the list
    try:
        services.choose_failure(case=case, position=int(position) if position.isdecimal() and len(position) < 6 else -1, person=person)
    except Refused as error:
        return _refuse(request, case, error)
    return _after(request, case)


@require_POST
def step_done(request: Request, public_id: str) -> HttpResponse:
    """Ticks off a step: `step` is "cause/step" (slugs)."""
    case, person = case_and_person(request, public_id)
    cause, _slash, step = request.POST.get("step", "").partition("/")
    try:
        tick_off(case=case, cause=cause, step=step, note=request.POST.get("note", ""), person=person)
    except Refused as error:
        return _refuse(request, case, error)
    return _after(request, case, anchor="#steps")


@require_POST
def step_undo(request: Request, public_id: str) -> HttpResponse:
    case, person = case_and_person(request, public_id)
    done = request.POST.get("done", "")
    try:
        take_back_step(case=case, done=int(done) if done.isdecimal() and len(done) < 18 else 0, person=person)
    except Refused as error:
        return _refuse(request, case, error)
    return _after(request, case, anchor="#steps")


@require_POST
def checks(request: Request, public_id: str) -> HttpResponse:
    """Plans checks: htmx opens the stream that runs them, a browser without JavaScript waits here."""
    case, person = case_and_person(request, public_id)
    if case.is_erased:
        return _refuse(request, case, CaseIsErased())
    form = SubjectForm(request.POST) if "domain" in request.POST else None
    if form and not form.is_valid():
        return _show(request, diagnose(case), form=form, status=422)
    names, verifies = request.POST.getlist("name"), request.POST.get("verify", "")
    try:
        run = services.plan_checks(
            case=case,
            names=[verifies] if verifies else names,
            person=person,
            supplied=form.cleaned_data if form else None,
            anew=bool(verifies) or "anew" in request.POST,
            verifies=verifies,
        )
    except Refused as error:
        return _refuse(request, case, error)
    if not request.htmx:
        run_and_store(run)
    return _after(request, case, anchor="#steps" if verifies else "#checks")


@require_GET
@vary_on_headers("HX-Request")
def seen(request: Request, public_id: str, name: str) -> HttpResponse:
    """All that a check of the case saw when it last looked."""
    case, _person = case_and_person(request, public_id)
    outcome = CheckOutcome.objects.filter(run__case=case, check_name=name).order_by("at", "pk").last()
    if outcome is None:
        raise Http404(name)
    template = "troubleshoot/_seen.html" if wants_part(request) else "troubleshoot/seen.html"
    return render(request, template, {"case": case, "row": done_row(knowledge(), outcome)})


@require_POST
def close(request: Request, public_id: str) -> HttpResponse:
    case, person = case_and_person(request, public_id)
    form = CloseForm(request.POST)
    cause, sentence = form.outcome() if form.is_valid() else ("", "")
    try:
        services.close_case(case=case, cause=cause, sentence=sentence, person=person)
    except Refused as error:
        return _refuse(request, case, error)
    return _after(request, case)


@require_GET
def causes(request: Request, public_id: str) -> HttpResponse:
    """All causes there are, or those that fit `?q=`, for the select of the closing form, which is filled when it is opened."""
    case_and_person(request, public_id)
    query = request.GET.get("q", "").strip()[:80]
    groups = cause_groups(knowledge(), query)
    only = sum(len(group.causes) for group in groups) == 1
    return render(request, "troubleshoot/_cause_options.html", {"groups": groups, "only": only, "q": query})


@require_POST
def reopen(request: Request, public_id: str) -> HttpResponse:
    case, person = case_and_person(request, public_id)
    try:
        services.reopen_case(case=case, person=person)
    except Refused as error:
        return _refuse(request, case, error)
    return _after(request, case)


# --- the stream of a case's checks ---


def _job(request: Request, public_id: str) -> Job | None:
    """What is left to run of the case's newest plan; None where there is none. Ends without a database connection."""
    case, _person = case_and_person(request, public_id)
    run = case.runs.prefetch_related("outcomes").last()
    job = job_of(run) if run else None
    release_connection()
    return job


@require_GET
async def case_events(request: Request, public_id: str) -> HttpResponseBase:
    job = await sync_to_async(_job)(request, public_id)
    return stream(job)


def stream(job: Job | None) -> HttpResponseBase:
    """Server-sent events; 204 tells the browser to stop asking (HTML Standard section 9.2.3)."""
    if job is None:
        return HttpResponse(status=204)
    return StreamingHttpResponse(events(job), content_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


# --- the list ---


@require_GET
@vary_on_headers("HX-Request")
def case_list(request: Request) -> HttpResponse:
    """Every case for support staff, for anybody else those they opened themselves."""
    person = person_of(request)
    state, query = request.GET.get("state", ""), request.GET.get("q", "").replace("\0", "").strip()[:200]
    page = Paginator(with_rows(found_cases(cases_of(person), state=state, query=query)), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": case_rows(page.object_list),
        "state": state,
        "q": query,
        "states": Case.State.choices,
        "everybody": person.supports,
    }
    part = wants_part(request)
    return render(request, "troubleshoot/case_list.html#rows" if part else "troubleshoot/case_list.html", context)
