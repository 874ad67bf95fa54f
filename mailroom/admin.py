"""Webhooks in the admin: made, tried, switched off; the log of what was sent; what came in by mail."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from mailroom.delivering import deliver, try_again
from mailroom.models import Delivery, Event, ReceivedMail, Webhook
from mailroom.telling import tell_test


class WebhookForm(forms.ModelForm):
    events = forms.MultipleChoiceField(label=_("Events"), choices=Event.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Webhook
        fields = ("name", "url", "events", "secret", "active")


@admin.register(Webhook)
class WebhookAdmin(admin.ModelAdmin):
    form = WebhookForm
    change_form_template = "admin/mailroom/webhook/change_form.html"
    list_display = ("name", "url", "shown_events", "active", "created_at")
    list_filter = ("active",)

    @admin.display(description=_("events"))
    def shown_events(self, row: Webhook) -> str:
        return ", ".join(row.events)

    def get_urls(self) -> list[URLPattern]:
        view = require_POST(self.admin_site.admin_view(self.test))
        return [path("<int:pk>/test/", view, name="mailroom_webhook_test"), *super().get_urls()]

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Sends an event of the kind "test", at once, and says what came of it."""
        hook = get_object_or_404(Webhook, pk=pk)
        if not self.has_change_permission(request, hook):
            raise PermissionDenied
        row = deliver(tell_test(hook))
        if row.state == Delivery.State.DONE:
            self.message_user(request, _("The test was taken: %(status)s.") % {"status": row.status}, messages.SUCCESS)
        else:
            self.message_user(request, _("The test failed. %(why)s") % {"why": row.problem}, messages.ERROR)
        return redirect("admin:mailroom_webhook_change", pk)


class ReadOnly(admin.ModelAdmin):
    """A table that the program alone writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    list_display = ("created_at", "webhook", "event", "state", "attempts", "status", "problem", "next_at")
    list_filter = ("state", "event", "webhook")
    list_select_related = ("webhook",)
    search_fields = ("public_id",)
    actions = ("again",)

    @admin.action(description=_("Try the selected deliveries again now"), permissions=["delete"])
    def again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self.message_user(request, _("%(count)d are tried again.") % {"count": try_again(queryset)}, messages.SUCCESS)


@admin.register(ReceivedMail)
class ReceivedMailAdmin(ReadOnly):
    list_display = ("received_at", "outcome", "case", "answer_state", "unanswered")
    list_filter = ("outcome", "answer_state", "unanswered")
    list_select_related = ("case",)
    exclude = ("sender", "answer", "claimed_at")
