"""Unrecognised replies, to be worked through: dismissed, or made a pattern or an example text."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from knowledge import models
from knowledge.admin.history import HistoryAdmin
from knowledge.models.unrecognised import UnrecognisedReply
from knowledge.proposing import Proposal, example_of, propose
from knowledge.unrecognised import weigh_for
from whybounce.snapshot import Strength

State = UnrecognisedReply.State


class StateFilter(admin.SimpleListFilter):
    """What is still to be worked through comes first."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("All")), *[choice for choice in State.choices if choice[0] != State.NEW]]

    def choices(self, changelist: Any) -> Any:
        yield {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": State.NEW.label,
        }
        for value, label in self.lookup_choices:
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(state=self.value() or State.NEW)


class CodeClassFilter(admin.SimpleListFilter):
    title = _("code")
    parameter_name = "class"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("4", _("4xx: temporary")), ("5", _("5xx: permanent")), ("none", _("None"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("4", "5"):
            return queryset.filter(code__startswith=self.value()) | queryset.filter(code="", enhanced__startswith=f"{self.value()}.")
        return queryset.filter(code="", enhanced="") if self.value() == "none" else queryset


class CauseChoice(forms.ModelChoiceField):
    def label_from_instance(self, cause: Any) -> str:
        return f"{cause.get_category_display()}: {cause.title}"


class UnrecognisedForm(forms.ModelForm):
    """The note, and the cause that an example text made of the reply would be labelled with."""

    cause = CauseChoice(
        queryset=models.Cause.objects.order_by("category", "title"),
        required=False,
        label=_("Cause of the example text"),
        help_text=_("Proposed: the cause that ranked first. It labels the text when you press “Add as example text”."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial["cause"] = models.Cause.objects.filter(slug=self.instance.guess).first()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "_example" in self.data and not cleaned.get("cause") and "cause" not in self.errors:
            self.add_error("cause", _("Choose the cause that this text means."))
        return cleaned


@admin.register(UnrecognisedReply)
class UnrecognisedReplyAdmin(admin.ModelAdmin):
    """Cases write them; nobody adds one by hand."""

    form = UnrecognisedForm
    change_form_template = "admin/knowledge/unrecognised_form.html"
    list_display = ("text_begun", "make", "count", "code_shown", "guess_shown", "last_day", "provider")
    list_filter = (StateFilter, CodeClassFilter, "category", "certainty", "provider")
    search_fields = ("shape", "provider", "guess", "note")
    actions = ("add_examples", "dismiss", "reopen")
    list_per_page = 50
    fields = (
        "text",
        "example_text",
        ("count", "first_seen", "last_seen"),
        ("provider", "code_shown"),
        "guess_shown",
        "state",
        "made",
        "cause",
        "note",
    )
    readonly_fields = ("text", "example_text", "count", "first_seen", "last_seen", "provider", "code_shown", "guess_shown", "state", "made")

    class Media:
        css = {"all": ("desk-files.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("What was pasted and no pattern knows"), **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        title = models.Cause.objects.filter(slug=OuterRef("guess")).values("title")[:1]
        rows: QuerySet[Any] = super().get_queryset(request).select_related("pattern", "example").annotate(guess_title=Subquery(title))
        return rows

    @admin.display(description=_("reply, masked"), ordering="shape")
    def text_begun(self, reply: UnrecognisedReply) -> str:
        return reply.text if len(reply.text) <= 200 else f"{reply.text[:199]}…"

    @admin.display(description=_("last seen"), ordering="last_seen")
    def last_day(self, reply: UnrecognisedReply) -> str:
        return date_format(timezone.localtime(reply.last_seen), "SHORT_DATE_FORMAT")

    @admin.display(description=_("as an example text"))
    def example_text(self, reply: UnrecognisedReply) -> str:
        return example_of(reply.text)

    @admin.display(description=_("code"), ordering="code")
    def code_shown(self, reply: UnrecognisedReply) -> str:
        return f"{reply.code} {reply.enhanced}".strip() or "—"

    @admin.display(description=_("guessed cause"), ordering="guess")
    def guess_shown(self, reply: UnrecognisedReply) -> str:
        return f"{reply.guess_title or reply.guess} ({reply.certainty})" if reply.guess else "—"  # type: ignore[attr-defined]  # annotated

    @admin.display(description=_("made of it"))
    def made(self, reply: UnrecognisedReply) -> str:
        return _made(reply.pattern, "replypattern") or _made(reply.example, "example") or "—"

    @admin.display(description=_("make"))
    def make(self, reply: UnrecognisedReply) -> str:
        if reply.state == State.NEW:
            return format_html('<a class="button" href="{}">{}</a>', pattern_page(reply), _("Make a pattern"))
        return format_html("{} {}", reply.get_state_display(), _made(reply.pattern, "replypattern") or _made(reply.example, "example"))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        reply = self.get_object(request, object_id)
        context = {
            "pattern_page": pattern_page(reply) if reply and request.user.has_perm("knowledge.add_replypattern") else "",
            "may_add_example": request.user.has_perm("knowledge.add_example"),
            "state": State,
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """The buttons beside “Save”: what they do, and back to the list."""
        if "_example" in request.POST and request.user.has_perm("knowledge.add_example"):
            cause = models.Cause.objects.get(pk=request.POST["cause"])
            self._tell(request, *make_example(obj, cause, request.user))
        elif "_dismiss" in request.POST or "_reopen" in request.POST:
            obj.state = State.DISMISSED if "_dismiss" in request.POST else State.NEW
            obj.save(update_fields=["state"])
            self.message_user(request, _("“%(reply)s” is now: %(state)s.") % {"reply": obj, "state": obj.get_state_display()}, messages.SUCCESS)
        else:
            return super().response_change(request, obj)
        return self.response_post_save_change(request, obj)

    def _tell(self, request: HttpRequest, example: Any, new: bool) -> None:
        address = reverse("admin:knowledge_example_change", args=[example.pk])
        said = _("A draft was made of it:") if new else _("This text is there already:")
        self.message_user(request, format_html('{} <a href="{}">{}</a>', said, address, example), messages.SUCCESS if new else messages.WARNING)

    @admin.action(permissions=["change"], description=_("Dismiss"))
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = queryset.update(state=State.DISMISSED)
        self.message_user(request, _("%(count)d dismissed.") % {"count": count}, messages.SUCCESS)

    @admin.action(permissions=["change"], description=_("Reopen"))
    def reopen(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = queryset.update(state=State.NEW)
        self.message_user(request, _("%(count)d are to be worked through again.") % {"count": count}, messages.SUCCESS)

    @admin.action(permissions=["change"], description=_("Add as example texts of the guessed causes (drafts)"))
    def add_examples(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        if not request.user.has_perm("knowledge.add_example"):
            self.message_user(request, _("You may not add example texts."), messages.ERROR)
            return
        causes = {cause.slug: cause for cause in models.Cause.objects.filter(slug__in=[reply.guess for reply in queryset])}
        made = [make_example(reply, causes[reply.guess], request.user)[1] for reply in queryset if reply.guess in causes]
        self.message_user(request, _("%(count)d drafts of example texts made.") % {"count": sum(made)}, messages.SUCCESS)
        if len(made) - sum(made) or len(made) < len(queryset):
            left = len(queryset) - sum(made)
            self.message_user(
                request, _("%(count)d were left: their text is there already, or their cause is not.") % {"count": left}, messages.WARNING
            )


def _made(row: Any, name: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse(f"admin:knowledge_{name}_change", args=[row.pk]), row) if row else ""


def pattern_page(reply: UnrecognisedReply) -> str:
    """The address of the page for a new pattern, filled in from the reply."""
    return f"{reverse('admin:knowledge_replypattern_add')}?{_SHAPE}={reply.pk}"


@transaction.atomic
def make_example(reply: UnrecognisedReply, cause: models.Cause, user: Any) -> tuple[models.Example, bool]:
    """A draft of an example text with this cause, and whether it is new: the same text is not stored twice."""
    text = example_of(reply.text)
    example = models.Example.objects.filter(text=text, pattern=None).first()
    new = example is None
    if example is None:
        example = models.Example(text=text, cause=cause, provider=models.Provider.objects.filter(slug=reply.provider).first())
        example._history_user = user  # type: ignore[attr-defined]
        example._change_reason = str(_("made of an unrecognised reply"))  # type: ignore[attr-defined]
        example.save()
    reply.example, reply.state = example, State.EXAMPLE
    reply.save(update_fields=["example", "state"])
    return example, new


_SHAPE = "unrecognised"


class FromUnrecognised(HistoryAdmin):
    """The page for a new pattern, filled in where `?unrecognised=` names a reply, which is linked when the pattern is saved."""

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        initial.pop(_SHAPE, None)
        if (reply := _reply_of(request)) is None:
            return initial
        proposal = _proposal(reply)
        provider = models.Provider.objects.filter(slug=reply.provider).first()
        return {**initial, "slug": _free(proposal.slug), "pattern": proposal.pattern, "provider": provider.pk if provider else None}

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        inlines: list[Any] = super().get_inline_instances(request, obj)
        reply = _reply_of(request) if obj is None else None
        for inline in inlines:
            inline.extra = max(inline.extra, len(_inline_initial(reply, inline))) if reply else inline.extra
        return inlines

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """What is proposed, when the page is asked for. Not when it is sent: what equals its initial value would not be saved."""
        arguments: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if request.method == "GET" and not getattr(obj, "pk", None) and (reply := _reply_of(request)):
            arguments["initial"] = _inline_initial(reply, inline)
        return arguments

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change and (reply := _reply_of(request)):
            reply.pattern, reply.state = form.instance, State.PATTERN
            reply.save(update_fields=["pattern", "state"])


def _reply_of(request: HttpRequest) -> UnrecognisedReply | None:
    """The unrecognised reply that the address names, for those who may see it."""
    number = request.GET.get(_SHAPE, "")
    if not number.isdecimal() or len(number) > 15 or not request.user.has_perm("knowledge.view_unrecognisedreply"):
        return None
    return UnrecognisedReply.objects.filter(pk=number).first()


def _proposal(reply: UnrecognisedReply) -> Proposal:
    return propose(reply.text, reply.provider, weigh_for(reply.guess))


def _inline_initial(reply: UnrecognisedReply | None, inline: Any) -> list[dict[str, Any]]:
    if reply is None:
        return []
    if inline.model is models.Example:
        return [{"text": example_of(reply.text), "status": models.Row.Status.PUBLISHED, "position": 0}]
    cause = models.Cause.objects.filter(slug=reply.guess).first() if inline.model is models.Evidence else None
    return [{"cause": cause.pk, "strength": Strength.FOR.value}] if cause else []


def _free(slug: str) -> str:
    """The slug, with a number behind where a pattern has it already."""
    taken = set(models.ReplyPattern.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    return next(name for name in (slug, *(f"{slug}-{number}" for number in range(2, len(taken) + 3))) if name not in taken)
