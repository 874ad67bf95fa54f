"""What readers said of the pages, to be worked through."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from knowledge import models


@admin.register(models.Feedback)
class FeedbackAdmin(admin.ModelAdmin):
    """Readers write it; curators note what they did about it."""

    list_display = ("created_at", "page_link", "helpful", "text_begun", "state")
    list_display_links = ("created_at",)
    list_filter = ("state", "helpful", "created_at")
    search_fields = ("page", "text", "note")
    fields = ("created_at", "page_link", "helpful", "text", "state", "note")
    readonly_fields = ("created_at", "page_link", "helpful", "text")
    actions = ("mark_done",)
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("page"), ordering="page")
    def page_link(self, feedback: models.Feedback) -> str:
        return format_html('<a href="{}" title="{}">{}</a>', feedback.page, _("view page"), feedback.page)

    @admin.display(description=_("text"))
    def text_begun(self, feedback: models.Feedback) -> str:
        return feedback.text if len(feedback.text) <= 160 else f"{feedback.text[:159]}…"

    @admin.action(permissions=["change"], description=_("Mark as done"))
    def mark_done(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = queryset.update(state=models.Feedback.State.DONE)
        self.message_user(request, _("%(count)d marked as done.") % {"count": count}, messages.SUCCESS)
