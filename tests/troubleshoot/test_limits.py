"""Limits hold across processes and say when they end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient, Client, RequestFactory

from tests.browser.site import ROOT, database
from tests.servers.bad_smtp import BadSmtp
from tests.servers.dns import DnsServer
from tests.troubleshoot.conftest import UNKNOWN_USER, Paster
from tests.troubleshoot.test_checks import HTMX, ZONE
from troubleshoot import limits
from troubleshoot.checking import MAX_ATTEMPTS
from troubleshoot.client import client_address, network_of
from troubleshoot.limits import Limited, Want, may, registered, take, targets
from troubleshoot.models import Allowance, Case, CheckOutcome, CheckRun
from troubleshoot.rates import Limits, Rate, parse_rate
from whybounce.checks.guard import parse_networks
from whybounce.checks.result import Subject
from whybounce.checks.tools import Reach, SmtpMode

TWO = Rate(2, 600)


def want(whose: str = "192.0.2.1", rate: Rate = TWO, cost: int = 1, kind: str = "client") -> Want:
    return Want(kind, whose, rate, "Too often.", cost)


def strict(settings: Any, **rates: Rate) -> None:
    settings.WHYBOUNCE_LIMITS = Limits(**rates)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("20/10m", Rate(20, 600)), ("60/h", Rate(60, 3600)), ("1/90s", Rate(1, 90)), ("5/2d", Rate(5, 172800)), ("off", Rate(0)), (" OFF ", Rate(0))],
)
def test_a_rate_is_read_as_operators_write_it(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "20", "0/h", "20/0m", "20 per hour", "-1/h", "1/h/h", "٢/h"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no rate"):
        parse_rate(text)


def test_so_much_can_be_taken_at_once_and_then_it_says_when(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(limits.time, "time", lambda: now)
    take([want()])
    take([want()])
    with pytest.raises(Limited, match=r"Too often\. Try again in 5 minutes\.") as caught:
        take([want()])
    assert caught.value.retry_after == 300
    now += 299
    assert may(want()) == 1
    now += 1
    assert may(want()) == 0
    assert may(want()) == 300


def test_everybody_has_a_bucket_of_their_own() -> None:
    take([want(), want()])
    take([want("192.0.2.2"), want(kind="domain")])
    assert may(want()) > 0


def test_of_several_all_are_counted_or_none() -> None:
    take([want("full"), want("full")])
    with pytest.raises(Limited):
        take([want("a"), want("full"), want("z")])
    assert [may(want("a")), may(want("a")), may(want("z"))] == [0, 0, 0]


def test_more_than_a_bucket_ever_holds_can_be_taken_from_a_full_one() -> None:
    assert may(want(cost=50)) == 0
    assert may(want(cost=1)) > 0


def test_a_limit_that_is_off_counts_nothing() -> None:
    for _number in range(50):
        take([want(rate=Rate(0))])
    assert not Allowance.objects.exists()


def test_nobody_can_read_from_the_table_who_asked_for_what() -> None:
    take([want("192.0.2.77")])
    assert "192" not in Allowance.objects.get().key


def test_full_buckets_are_forgotten_in_passing(monkeypatch: pytest.MonkeyPatch) -> None:
    Allowance.objects.create(key="old", due=0.0)
    monkeypatch.setattr(limits._Purge, "at", 0.0)
    take([want()])
    assert not Allowance.objects.filter(key="old").exists()


MAKER = """
import django
django.setup()
from django.db import connection
from troubleshoot.models import Allowance
with connection.schema_editor() as editor:
    editor.create_model(Allowance)
"""
TAKER = """
import sys, django
django.setup()
from troubleshoot.limits import Want, may
from troubleshoot.rates import Rate
print("ready", flush=True)
sys.stdin.readline()
print(sum(may(Want("client", "192.0.2.1", Rate(12, 36_000), "")) == 0 for number in range(10)))
"""


def test_of_many_at_once_in_several_processes_no_more_than_allowed_get_through(tmp_path: Path) -> None:
    with database(tmp_path) as url:
        environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "1"}
        subprocess.run([sys.executable, "-c", MAKER], cwd=ROOT, env=environment, check=True)
        command = [sys.executable, "-c", TAKER]
        takers = [subprocess.Popen(command, cwd=ROOT, env=environment, stdin=PIPE, stdout=PIPE, text=True) for _number in range(2)]
        assert all(taker.stdout and taker.stdout.readline() == "ready\n" for taker in takers)
        for taker in takers:
            assert taker.stdin
            taker.stdin.write("go\n")
            taker.stdin.flush()
        got = [int(taker.communicate(timeout=60)[0]) for taker in takers]
    assert sum(got) == 12


# --- whose request it is ---


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "1.1.1.1", "203.0.113.9"),  # nobody but the proxy is believed
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # what stands to the left the client may have written
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_the_client_is_the_last_hop_that_no_trusted_proxy_is(settings: Any, remote: str, forwarded: str, address: str) -> None:
    settings.WHYBOUNCE_TRUSTED_PROXIES = (*parse_networks(["10.0.0.0/8"]), "unix")
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == address


def test_without_the_setting_no_header_is_believed() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert client_address(request) == "127.0.0.1"


def test_a_client_of_ipv6_is_its_network() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert network_of("192.0.2.1") == "192.0.2.1"


# --- what is limited ---


def test_a_run_counts_for_each_registered_domain_that_it_asks_about() -> None:
    subject = Subject(domain="a.b.example.co.uk", recipient="x@a.b.example.co.uk", mail_from="y@mail.sender.example", helo="localhost")
    assert targets(subject) == ["example.co.uk", "sender.example"]
    assert targets(Subject(sending_ip="192.0.2.1")) == ["192.0.2.1"]
    assert registered("co.uk") == "co.uk"


def test_too_many_runs_get_429_and_the_page_says_when(client: Client, dns_server: DnsServer, settings: Any) -> None:
    strict(settings, client=Rate(1, 1200))
    dns_server.add(ZONE)
    assert client.post("/check/", {"domain": "example.net"}).status_code == 302
    response = client.post("/check/", {"domain": "example.org"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 1100
    html = response.content.decode()
    assert "Many checks were run from your address in a short time. Try again in 20 minutes." in html
    assert 'value="example.org"' in html  # what was typed is not lost
    assert CheckRun.objects.count() == 1
    assert client.post("/check/", {"domain": "example.org"}, **HTMX).status_code == 429


def test_another_client_is_not_held_up(client: Client, dns_server: DnsServer, settings: Any) -> None:
    strict(settings, client=Rate(1, 1200))
    client.post("/check/", {"domain": "example.net"})
    assert Client(REMOTE_ADDR="203.0.113.8").post("/check/", {"domain": "example.org"}).status_code == 302


def test_one_domain_is_spared_whoever_asks(dns_server: DnsServer, settings: Any) -> None:
    strict(settings, domain=Rate(1, 3600))
    assert Client(REMOTE_ADDR="203.0.113.1").post("/check/", {"domain": "a.example.net"}).status_code == 302
    response = Client(REMOTE_ADDR="203.0.113.2").post("/check/", {"domain": "b.example.net"})
    assert response.status_code == 429
    assert "example.net was checked very often" in response.content.decode()


def test_who_is_logged_in_may_do_more(client: Client, dns_server: DnsServer, settings: Any) -> None:
    strict(settings, client=Rate(1, 1200), domain=Rate(1, 3600), user=Rate(3, 1200))
    client.force_login(User.objects.create_user("eva"))
    answers = [client.post("/check/", {"domain": f"{name}.example.net"}).status_code for name in "abcd"]
    assert answers == [302, 302, 302, 429]


def test_a_case_that_cannot_look_any_more_says_so_and_stays(client: Client, paste: Paster, dns_server: DnsServer, settings: Any) -> None:
    strict(settings, client=Rate(1, 1200))
    dns_server.add(ZONE)
    case = paste(UNKNOWN_USER)
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"})
    response = client.post(f"{case.get_absolute_url()}checks/", {"verify": "mx"})
    assert response.status_code == 429
    assert response["Retry-After"]
    assert "Try again in" in response.content.decode()
    assert case.observations.get().answer == "ok"


def test_pastes_are_counted_by_number_and_by_bytes(client: Client, settings: Any) -> None:
    strict(settings, pastes=Rate(2, 3600), paste_bytes=Rate(1000, 3600))
    assert client.post("/paste/", {"text": UNKNOWN_USER}).status_code == 302
    response = client.post("/paste/", {"text": UNKNOWN_USER + " " * 900})
    assert response.status_code == 429
    assert UNKNOWN_USER[:40] in response.content.decode()
    assert client.post("/paste/", {"text": "550"}).status_code == 302
    assert client.post("/start/").status_code == 429
    assert Case.objects.count() == 2


def test_a_run_cannot_be_begun_again_and_again_by_opening_its_stream(client: Client, dns_server: DnsServer) -> None:
    client.post("/check/", {"domain": "example.net"}, **HTMX)
    run = CheckRun.objects.get()
    CheckRun.objects.filter(pk=run.pk).update(attempts=MAX_ATTEMPTS)

    async def read() -> str:
        response = await AsyncClient().get(f"{run.get_absolute_url()}events/")
        return "".join([chunk.decode() async for chunk in response.streaming_content])

    assert "check-mx" not in async_to_sync(read)()
    assert dns_server.count() == 0


def test_a_mail_server_that_was_spoken_with_often_is_left_alone_and_nothing_is_made_of_that(
    client: Client, dns_server: DnsServer, settings: Any
) -> None:
    strict(settings, mx=Rate(1, 3600))
    for domain in ("example.net", "example.org"):
        dns_server.add(f"{domain}. MX 10 mx.{domain}.\nmx.{domain}. A 127.0.0.1")
    settings.WHYBOUNCE_ALLOW_NETWORKS = parse_networks(["127.0.0.0/8"])
    with BadSmtp() as mail:
        settings.WHYBOUNCE_REACH = Reach(SmtpMode.CONNECT, mail.port, "checker.test")
        client.post("/check/", {"domain": "example.net"})
        client.post("/check/", {"domain": "example.org"})  # the same server by another name
        came = mail.connections
    first, second = CheckOutcome.objects.filter(check_name="smtp").order_by("pk")
    assert first.facts["servers"][0]["banner"]
    assert (second.answer, second.state) == ("unknown", "unknown")
    assert "it was spoken with very often of late; it can be again in 60 minutes" in second.detail
    assert came == 1
