"""Webhooks: what is told, signed, tried again, given up, and where nothing is ever sent."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from knowledge import unrecognised
from mailroom import delivering, telling
from mailroom.delivering import PAUSES, deliver_due
from mailroom.models import Delivery, Event, Webhook
from mailroom.posting import post
from mailroom.target import BadTarget, target_of
from tests.servers.dns import DnsServer
from tests.servers.https import PolicyServer
from tests.troubleshoot.conftest import Paster
from troubleshoot.models import Case
from troubleshoot.people import Person
from troubleshoot.services import close_case
from whybounce.checks.guard import parse_networks

NAME = "hooks.example.org"
OK = b"HTTP/1.1 204 No Content\r\n\r\n"
State = Delivery.State


@pytest.fixture(autouse=True)
def reach(settings: Any) -> Iterator[None]:
    """A name server that knows the host, and loopback as a network that may be reached."""
    settings.WHYBOUNCE_WEBHOOKS_IN_SERVER = False
    settings.WHYBOUNCE_ALLOW_NETWORKS = parse_networks(["127.0.0.0/8", "::1"])
    with DnsServer(f"{NAME}. 60 A 127.0.0.1\nprivate.example.org. 60 A 10.0.0.1\nprivate.example.org. 60 AAAA fd00::1\n") as dns:
        settings.WHYBOUNCE_NAMESERVERS = [dns.address]
        yield


@pytest.fixture
def server(settings: Any) -> Iterator[PolicyServer]:
    with PolicyServer(NAME, response=OK) as server:
        settings.WHYBOUNCE_REACH = replace(settings.WHYBOUNCE_REACH, ca_file=server.ca_file)
        yield server


@pytest.fixture
def hook(server: PolicyServer) -> Webhook:
    return hook_to(server)


def hook_to(server: PolicyServer, *events: str, **fields: Any) -> Webhook:
    url = f"https://{NAME}:{server.port}/in?from=whybounce"
    return Webhook.objects.create(name="desk", url=url, events=list(events or Event.values), **fields)


def due_again() -> None:
    """Lets the time pass until the next attempt."""
    Delivery.objects.update(next_at=timezone.now())


# --- what is told ---


def test_a_case_that_is_opened_is_told_without_anything_that_names_somebody(server: PolicyServer, hook: Webhook, paste: Paster) -> None:
    case = paste()
    assert deliver_due() == 1
    [request] = server.requests
    told = json.loads(request.body)
    assert request.line == "POST /in?from=whybounce HTTP/1.1"
    assert (request.host, request.sni) == (f"{NAME}:{server.port}", NAME)
    assert told["event"] == request.headers["whybounce-event"] == "case.opened"
    assert told["id"] == request.headers["whybounce-delivery"]
    assert told["case"] == {
        "number": case.public_id,
        "url": f"https://bounce.example.org/cases/{case.public_id}/",
        "state": "open",
        "failures": 1,
        "code": "5.1.1",
        "provider": case.provider or None,
        "cause": "unknown-user",
        "title": "Title of unknown-user",
        "probability": round(case.share, 3),
    }
    assert b"anna" not in request.body
    assert b"example.net" not in request.body


def test_a_case_that_is_closed_is_told_with_what_it_proved_to_be(server: PolicyServer, paste: Paster) -> None:
    hook_to(server, Event.CASE_CLOSED)
    close_case(case=paste(), cause="mailbox-full", sentence="anna had moved", person=Person())
    deliver_due()
    told = json.loads(server.requests[0].body)
    assert told["event"] == "case.closed"
    assert told["case"]["cause"] == "mailbox-full"
    assert told["case"]["state"] == "closed"
    assert told["first_guess"]["cause"] == "unknown-user"
    assert b"anna" not in server.requests[0].body


def test_a_wording_is_told_when_it_comes_for_the_first_time_masked(
    server: PolicyServer, paste: Paster, django_capture_on_commit_callbacks: Any
) -> None:
    hook_to(server, Event.SHAPE_NEW)
    for name in ("anna", "bert"):
        with django_capture_on_commit_callbacks(execute=True):
            paste(f"550 5.9.9 <{name}@example.net> Zyxw frobnication of the mail item went sideways")
    deliver_due()
    [request] = server.requests
    told = json.loads(request.body)
    assert told["event"] == "reply.unrecognised"
    assert "frobnication" in told["reply"]["text"]
    assert b"anna" not in request.body


def test_what_is_rolled_back_is_not_told(hook: Webhook) -> None:
    with transaction.atomic():
        Case.objects.create()
        assert Delivery.objects.exists()
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()


def test_only_active_webhooks_of_the_event_are_told(server: PolicyServer, paste: Paster) -> None:
    hook_to(server, Event.CASE_CLOSED)
    hook_to(server, active=False)
    paste()
    assert not Delivery.objects.exists()


def test_without_webhooks_an_event_costs_one_query(django_assert_num_queries: Any) -> None:
    case = Case(public_id="a" * 12)
    with django_assert_num_queries(1):
        telling.on_case_saved(instance=case, created=True)


# --- the signature ---


def test_the_other_side_can_check_who_sent_it_and_when(server: PolicyServer, hook: Webhook, paste: Paster) -> None:
    paste()
    deliver_due()
    [request] = server.requests
    parts = dict(part.split("=", 1) for part in request.headers["whybounce-signature"].split(","))
    assert abs(int(parts["t"]) - time.time()) < 30
    expected = hmac.new(hook.secret.encode(), parts["t"].encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts["v1"], expected)
    assert len(hook.secret) >= 40


# --- failing, hanging, redirecting ---


def test_it_is_tried_again_with_growing_pauses_and_given_up_at_last(server: PolicyServer, hook: Webhook, paste: Paster) -> None:
    server.response = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    paste()
    for attempt, pause in enumerate(PAUSES, 1):
        assert deliver_due() == 1
        row = Delivery.objects.get()
        assert (row.state, row.attempts, row.status) == (State.WAITING, attempt, 503)
        assert abs((row.next_at - timezone.now()).total_seconds() - pause) < 20
        assert deliver_due() == 0
        due_again()
    assert (PAUSES[0], PAUSES[-1]) == (60, 86_400)
    assert deliver_due() == 1
    row = Delivery.objects.get()
    assert row.state == State.GIVEN_UP
    assert row.problem == "The answer is 503 Busy."
    due_again()
    assert deliver_due() == 0
    assert len({request.headers["whybounce-delivery"] for request in server.requests}) == 1
    assert len({request.body for request in server.requests}) == 1


def test_one_that_recovers_gets_what_it_missed(server: PolicyServer, hook: Webhook, paste: Paster) -> None:
    server.response = b"HTTP/1.1 500 Oops\r\n\r\n"
    paste()
    deliver_due()
    server.response = OK
    due_again()
    deliver_due()
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.status, row.problem) == (State.DONE, 2, 204, "")


def test_a_redirect_is_not_followed(server: PolicyServer, hook: Webhook, paste: Paster) -> None:
    server.response = b"HTTP/1.1 307 Moved\r\nLocation: https://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n"
    paste()
    deliver_due()
    row = Delivery.objects.get()
    assert row.status == 307
    assert "redirects are not followed" in row.problem
    assert len(server.requests) == 1


def test_one_that_hangs_is_left_within_seconds(server: PolicyServer, hook: Webhook) -> None:
    server.silent = True
    began = time.monotonic()
    posted = asyncio.run(post(hook.url, b"{}", {}, seconds=0.5))
    assert time.monotonic() - began < 3
    assert posted.problem == "No answer came within 1 seconds."


def test_one_that_drips_without_end_is_not_read(server: PolicyServer, hook: Webhook) -> None:
    server.response, server.endless = b"HTTP/1.1 200 OK\r\n\r\n", True
    assert asyncio.run(post(hook.url, b"{}", {}, seconds=3)).is_taken


@pytest.mark.parametrize("response", [b"\0\1\2", b"HTTP/1.1 2OO\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000 + b"\r\n"])
def test_nonsense_is_a_failure(server: PolicyServer, hook: Webhook, response: bytes) -> None:
    server.response = response
    posted = asyncio.run(post(hook.url, b"{}", {}, seconds=3))
    assert not posted.is_taken
    assert posted.problem


def test_a_certificate_that_nobody_vouches_for_is_a_failure(server: PolicyServer, hook: Webhook, settings: Any) -> None:
    settings.WHYBOUNCE_REACH = replace(settings.WHYBOUNCE_REACH, ca_file="")
    posted = asyncio.run(post(hook.url, b"{}", {}))
    assert posted.status is None
    assert "certificate" in posted.problem
    assert not server.requests


def test_a_host_that_does_not_answer_holds_up_nobody_else(server: PolicyServer, hook: Webhook, paste: Paster, settings: Any) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        Webhook.objects.create(name="a", url=f"https://{NAME}:{deaf.getsockname()[1]}/", events=Event.values)
        paste()
        deliver_due()
    assert sorted(Delivery.objects.values_list("state", flat=True)) == [State.DONE, State.WAITING]


def test_a_webhook_that_was_switched_off_gets_nothing_more(server: PolicyServer, hook: Webhook, paste: Paster) -> None:
    paste()
    Webhook.objects.update(active=False)
    deliver_due()
    assert Delivery.objects.get().state == State.GIVEN_UP
    assert not server.requests


# --- where nothing is sent ---


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "ftp://hooks.example.org/",
        "https://",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://intranet/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://user:password@hooks.example.org/",
        "https://hooks.example.org:99999/",
        "https://hooks.example.org/\r\nX: y",
        "https://hooks.example.org/ä",
        "javascript:alert(1)",
        "",
    ],
)
def test_an_address_that_is_not_public_https_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Webhook(name="x", url=url, events=["case.opened"]).full_clean()
    with pytest.raises(BadTarget):
        target_of(url)
    assert not asyncio.run(post(url, b"{}", {})).is_taken


@pytest.mark.parametrize(
    "url", ["https://hooks.example.org/a?b=c", "https://hooks.example.org:8443", "https://bücher.example/", "https://192.0.0.1.example/"]
)
def test_a_public_address_is_taken(url: str) -> None:
    Webhook(name="x", url=url, events=["case.opened"]).full_clean()


def test_a_name_that_leads_to_a_private_address_is_refused_at_delivery() -> None:
    posted = asyncio.run(post("https://private.example.org/", b"{}", {}))
    assert posted.problem == "private.example.org has a private address; nothing is sent there."


def test_loopback_is_refused_unless_the_operator_allows_it(server: PolicyServer, hook: Webhook, settings: Any) -> None:
    settings.WHYBOUNCE_ALLOW_NETWORKS = ()
    assert "private address" in asyncio.run(post(hook.url, b"{}", {})).problem
    assert not server.requests


def test_a_name_that_changes_its_address_in_the_middle_is_looked_up_once(server: PolicyServer, hook: Webhook, settings: Any) -> None:
    """DNS rebinding: what was checked is what is connected to."""
    with DnsServer(f"{NAME}. 0 A 127.0.0.1\n") as dns:
        settings.WHYBOUNCE_NAMESERVERS = [dns.address]
        assert asyncio.run(post(hook.url, b"{}", {})).is_taken
        assert sum(query.rdtype == "A" for query in dns.queries) == 1


def test_a_host_without_an_address_says_so() -> None:
    assert "No address of" in asyncio.run(post("https://nowhere.example.org/", b"{}", {})).problem


# --- the queue ---


def test_what_another_process_sends_is_left_to_it_until_it_dies(server: PolicyServer, hook: Webhook, paste: Paster) -> None:
    paste()
    Delivery.objects.update(claimed_at=timezone.now())
    assert deliver_due() == 0
    Delivery.objects.update(claimed_at=timezone.now() - timedelta(minutes=3))
    assert deliver_due() == 1


def test_many_are_sent_in_one_go(server: PolicyServer, hook: Webhook) -> None:
    for _number in range(12):
        telling.tell("case.opened", {}, [hook])
    assert deliver_due() == 12
    assert len({json.loads(request.body)["id"] for request in server.requests}) == 12


def test_the_command_sends_what_is_due(server: PolicyServer, hook: Webhook, paste: Paster) -> None:
    paste()
    out = StringIO()
    call_command("deliver_webhooks", "--once", stdout=out)
    assert out.getvalue() == "Attempts: 1\n"
    assert len(server.requests) == 1


def test_the_log_is_kept_for_a_month(server: PolicyServer, hook: Webhook, paste: Paster) -> None:
    paste()
    deliver_due()
    delivering.forget_old()
    assert Delivery.objects.count() == 1
    Delivery.objects.update(finished_at=timezone.now() - timedelta(days=31))
    delivering.forget_old()
    assert not Delivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_thread_of_the_server_delivers_and_ends(server: PolicyServer, hook: Webhook, settings: Any) -> None:
    settings.WHYBOUNCE_WEBHOOKS_IN_SERVER = True
    telling.tell("case.opened", {}, [hook])
    until = time.monotonic() + 10
    while delivering._worker.thread is not None or not server.requests:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert Delivery.objects.get().state == State.DONE


@pytest.mark.django_db(transaction=True)
def test_what_a_process_left_behind_is_taken_up_after_a_response(server: PolicyServer, hook: Webhook, settings: Any, client: Client) -> None:
    telling.tell("case.opened", {}, [hook])
    settings.WHYBOUNCE_WEBHOOKS_IN_SERVER = True
    delivering._worker.looked_at = 0.0
    delivering.in_passing()
    until = time.monotonic() + 10
    while delivering._worker.thread is not None or not server.requests:
        assert time.monotonic() < until
        time.sleep(0.02)


# --- the admin ---


@pytest.fixture
def admin(db: None) -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("root", password="a long password"))
    return browser


def test_a_webhook_is_made_in_the_admin(admin: Client) -> None:
    page = admin.get(reverse("admin:mailroom_webhook_add"))
    secret = page.context["adminform"].form["secret"].value()
    fields = {"name": "desk", "url": f"https://{NAME}/in", "events": ["case.opened", "case.closed"], "secret": secret, "active": "on"}
    assert admin.post(reverse("admin:mailroom_webhook_add"), fields).status_code == 302
    assert Webhook.objects.get().events == ["case.opened", "case.closed"]
    wrong = admin.post(reverse("admin:mailroom_webhook_add"), fields | {"url": "https://10.0.0.1/"})
    assert "private address" in wrong.content.decode()


def test_the_test_button_says_what_came_of_it(server: PolicyServer, hook: Webhook, admin: Client) -> None:
    page = reverse("admin:mailroom_webhook_change", args=[hook.pk])
    button = reverse("admin:mailroom_webhook_test", args=[hook.pk])
    assert button in admin.get(page).content.decode()
    assert admin.get(button).status_code == 405
    assert "The test was taken: 204." in admin.post(button, follow=True).content.decode()
    assert json.loads(server.requests[0].body)["event"] == "test"
    server.response = b"HTTP/1.1 401 No\r\n\r\n"
    assert "The test failed. The answer is 401 No." in admin.post(button, follow=True).content.decode()
    assert Delivery.objects.filter(state=State.GIVEN_UP).count() == 1


def test_the_test_button_is_for_those_who_may_change_webhooks(hook: Webhook, supporter: Client) -> None:
    User.objects.update(is_staff=True)
    assert supporter.post(reverse("admin:mailroom_webhook_test", args=[hook.pk])).status_code == 403
    assert not Delivery.objects.exists()


def test_the_log_shows_what_failed_and_lets_it_be_tried_again(server: PolicyServer, hook: Webhook, admin: Client, paste: Paster) -> None:
    server.response = b"HTTP/1.1 500 Oops\r\n\r\n"
    paste()
    for _attempt in range(len(PAUSES) + 1):
        deliver_due()
        due_again()
    page = reverse("admin:mailroom_delivery_changelist")
    assert "The answer is 500 Oops." in admin.get(page).content.decode()
    server.response = OK
    admin.post(page, {"action": "again", "_selected_action": [Delivery.objects.get().pk]})
    deliver_due()
    assert Delivery.objects.get().state == State.DONE
    assert admin.get(reverse("admin:mailroom_delivery_change", args=[Delivery.objects.get().pk])).status_code == 200
    assert admin.get(reverse("admin:mailroom_receivedmail_changelist")).status_code == 200


def test_a_new_wording_is_told_once_by_its_key(db: None) -> None:
    met: list[str] = []

    def note(keys: list[str], **_signal: Any) -> None:
        met.extend(keys)

    unrecognised.shapes_met.connect(note)
    try:
        found = [unrecognised.Unrecognised("k" * 32, "a", "a", "", "550", "", "", "", "")]
        for _time in range(2):
            unrecognised.shapes_met.send(None, keys=new) if (new := unrecognised._upsert(found)) else None
    finally:
        unrecognised.shapes_met.disconnect(note)
    assert met == ["k" * 32]
