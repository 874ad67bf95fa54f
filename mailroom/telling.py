"""Events become rows of the queue, in the transaction that makes them: what is stored will be told, and nothing else.

What is told names nobody: no address, no domain, no text that was pasted; whoever may see more follows the link.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from knowledge.current import NoKnowledge, knowledge
from knowledge.models import UnrecognisedReply
from mailroom import delivering
from mailroom.letter import site_url
from mailroom.models import Delivery, Event, Webhook, new_delivery_id
from troubleshoot.models import Case, Outcome

TEST = "test"


def tell(event: str, about: Mapping[str, Any], hooks: Iterable[Webhook], *, wake: bool = True) -> list[Delivery]:
    """A delivery for each of `hooks`. `about`: the members of the JSON besides id, event and at. `wake`: the server's thread takes it up."""
    now = timezone.now()
    rows = []
    for hook in hooks:
        number = new_delivery_id()
        body = {"id": number, "event": event, "at": now.strftime("%Y-%m-%dT%H:%M:%SZ"), **about}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        rows.append(Delivery(webhook=hook, public_id=number, event=event, body=text, created_at=now, next_at=now))
    Delivery.objects.bulk_create(rows)
    if rows and wake:
        transaction.on_commit(delivering.wake, robust=True)
    return rows


def hooks_for(event: Event) -> list[Webhook]:
    return [hook for hook in Webhook.objects.filter(active=True) if event in hook.events]


def on_case_saved(instance: Case, created: bool, raw: bool = False, **_signal: Any) -> None:
    """Receiver of post_save: a case was opened."""
    if created and not raw and (hooks := hooks_for(Event.CASE_OPENED)):
        tell(Event.CASE_OPENED, {"case": _case(instance, instance.cause, instance.share)}, hooks)


def on_outcome_saved(instance: Outcome, created: bool, raw: bool = False, **_signal: Any) -> None:
    """Receiver of post_save: a case was closed with its outcome."""
    if created and not raw and (hooks := hooks_for(Event.CASE_CLOSED)):
        guess = {"cause": instance.first_guess or None, "probability": round(instance.probability, 3)}
        tell(Event.CASE_CLOSED, {"case": _case(instance.case, instance.cause, None), "first_guess": guess}, hooks)


def on_shapes_met(keys: Iterable[str], **_signal: Any) -> None:
    """Receiver of knowledge.unrecognised.shapes_met."""
    if hooks := hooks_for(Event.SHAPE_NEW):
        for row in UnrecognisedReply.objects.filter(key__in=list(keys)).order_by("pk"):
            tell(Event.SHAPE_NEW, {"reply": _reply(row)}, hooks)


def tell_test(hook: Webhook) -> Delivery:
    """An event that says nothing, to try a webhook with."""
    return tell(TEST, {}, [hook], wake=False)[0]


def _case(case: Case, cause: str, share: float | None) -> dict[str, Any]:
    return {
        "number": case.public_id,
        "url": site_url(case.get_absolute_url()),
        "state": case.state,
        "failures": case.failure_count,
        "code": case.code or None,
        "provider": case.provider or None,
        "cause": cause or None,
        "title": _title(cause) or None,
        "probability": None if share is None else round(share, 3),
    }


def _title(slug: str) -> str:
    try:
        return next((cause.title for cause in knowledge().causes if cause.slug == slug), "") if slug else ""
    except NoKnowledge:
        return ""


def _reply(row: UnrecognisedReply) -> dict[str, Any]:
    """Its text is masked before it is stored (whybounce/masking.py)."""
    return {
        "text": row.text,
        "url": site_url(reverse("admin:knowledge_unrecognisedreply_change", args=[row.pk])),
        "code": row.code or None,
        "enhanced": row.enhanced or None,
        "provider": row.provider or None,
        "guess": row.guess or None,
        "certainty": row.certainty or None,
    }
