"""`/metrics` for Prometheus: what this process counted, and how the queues stand by the database. No label names a person, a domain or an address.

With PROMETHEUS_MULTIPROC_DIR all processes of a machine that share that folder are counted together; without it each answers for itself.
"""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Max, Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from knowledge.models import KnowledgeRevision, PublishJob, UnrecognisedReply
from logs.models import LogReading
from mailroom.models import Delivery
from troubleshoot.client import client_address, is_behind_unknown_proxy
from troubleshoot.models import Case, CheckOutcome
from troubleshoot.signals import case_closed, case_opened, checks_stored

PATH = "/metrics"
NO_VIEW = "none"
"""The view of a request that no address fits, and of static files."""

REQUESTS = Counter("whybounce_requests", "Requests answered.", ["view", "status"])
LATENCY = Histogram(
    "whybounce_request_seconds",
    "Time until the answer, or the beginning of a stream.",
    ["view"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
OPENED = Counter("whybounce_cases_opened", "Cases opened.")
CLOSED = Counter("whybounce_cases_closed", "Cases closed.")
CHECKS = Counter("whybounce_checks", "Live checks that ended.", ["check", "state"])


class StoredCollector(Collector):
    """What the database says at the time of asking; the same whichever process is asked."""

    def collect(self) -> Iterator[Metric]:
        try:
            found = [
                _by_state("whybounce_cases", "Cases there are.", Case),
                _queue(),
                _by_state("whybounce_unrecognised_replies", "Wordings that the knowledge did not recognise.", UnrecognisedReply),
                GaugeMetricFamily("whybounce_knowledge_revision", "The newest published revision of the knowledge.", value=_newest_revision()),
            ]
        except DatabaseError:
            found = []
        yield GaugeMetricFamily("whybounce_database_up", "Whether the database answered.", value=1.0 if found else 0.0)
        yield from found


def _by_state(name: str, says: str, model: type[Model]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=["state"])
    counts = dict(model._default_manager.order_by().values_list("state").annotate(Count("pk")))
    for state in model.State.values:  # type: ignore[attr-defined]
        family.add_metric([state], counts.get(state, 0))
    return family


def _queue() -> GaugeMetricFamily:
    """Work that waits or is under way, by queue."""
    family = GaugeMetricFamily("whybounce_queue_jobs", "Jobs that wait or run.", labels=["queue", "state"])
    waiting: tuple[tuple[str, type[Model], tuple[str, ...]], ...] = (
        ("publishing", PublishJob, (PublishJob.State.QUEUED, PublishJob.State.RUNNING)),
        ("logs", LogReading, (LogReading.State.WAITING, LogReading.State.READING)),
        ("webhooks", Delivery, (Delivery.State.WAITING,)),
    )
    for queue, model, states in waiting:
        counts = dict(model._default_manager.order_by().filter(state__in=states).values_list("state").annotate(Count("pk")))
        for state in states:
            family.add_metric([queue, str(state)], counts.get(state, 0))
    return family


def _newest_revision() -> int:
    return KnowledgeRevision.objects.aggregate(newest=Max("pk"))["newest"] or 0


def exposition() -> bytes:
    """All metrics in the text format of Prometheus."""
    counted = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    stored = CollectorRegistry()
    stored.register(StoredCollector())
    return generate_latest(counted) + generate_latest(stored)


def may_read(request: HttpRequest) -> bool:
    """Whether the client is one of WHYBOUNCE_METRICS_FROM. Behind a proxy that is not trusted nobody is: it would be the proxy's address."""
    address = client_address(request)
    if not address or is_behind_unknown_proxy(request):
        return False
    return any(ipaddress.ip_address(address) in network for network in settings.WHYBOUNCE_METRICS_FROM)


class MetricsMiddleware:
    """Counts and times each request, by the name of its view; answers `/metrics` where the client may read it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == PATH and may_read(request):
            return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
        began = time.perf_counter()
        response = self.get_response(request)
        view = view_name(request)
        REQUESTS.labels(view, str(response.status_code)).inc()
        LATENCY.labels(view).observe(time.perf_counter() - began)
        return response


def view_name(request: HttpRequest) -> str:
    """The name that the address has in urls.py, which holds nothing of what was asked for."""
    match = request.resolver_match
    return match.view_name if match else NO_VIEW


def _count_opened(**_signal: Any) -> None:
    OPENED.inc()


def _count_closed(**_signal: Any) -> None:
    CLOSED.inc()


def _count_checks(outcomes: Iterable[CheckOutcome], **_signal: Any) -> None:
    for outcome in outcomes:
        CHECKS.labels(outcome.check_name, outcome.state).inc()


def connect() -> None:
    """Counts from now on what is opened, closed and checked."""
    case_opened.connect(_count_opened, dispatch_uid="metrics")
    case_closed.connect(_count_closed, dispatch_uid="metrics")
    checks_stored.connect(_count_checks, dispatch_uid="metrics")
