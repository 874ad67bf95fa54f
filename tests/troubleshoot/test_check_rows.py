"""What a check's row says: what it did to the ranking, which checks would tell most, what to publish."""

from __future__ import annotations

import re
from typing import Any

from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import timezone

from knowledge.current import knowledge
from tests.servers.dns import DnsServer
from tests.troubleshoot.conftest import UNCLEAR, Paster
from tests.troubleshoot.test_checks import BOTH, FAILED, HTMX, ZONE, browser_of, plan, read
from troubleshoot.check_panel import check_panel, done_row
from troubleshoot.check_words import finding_lines, finding_title
from troubleshoot.checking import current_subject, standing_of
from troubleshoot.effects import effect_of
from troubleshoot.facts import subject_to_json
from troubleshoot.models import Case, CheckOutcome, CheckRun
from troubleshoot.publishing_records import records_to_publish
from whybounce.checks.registry import CHECKS
from whybounce.checks.result import Subject


def page(client: Client, case: Case) -> str:
    return client.get(case.get_absolute_url()).content.decode()


def test_a_row_says_what_the_check_did_to_the_ranking(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add("example.net. 300 MX 0 .")
    case = paste(FAILED)
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"})
    effect = re.search(r'class="check-effect">([^<]+)<', page(client, case))
    assert effect
    before = standing_of(knowledge(), case).without_check("mx").ranking().top
    after = standing_of(knowledge(), case).ranking().top
    assert before
    assert after
    assert before.cause.slug == "unknown-user"
    assert after.cause.slug != "unknown-user"
    assert effect[1].startswith(f"Before: “{before.cause.title}”")
    assert f"With it: “{after.cause.title}”" in effect[1]


def test_a_streamed_row_says_it_too_and_counts_the_checks_before_it(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add("example.net. 300 MX 0 .")
    case = paste(FAILED)
    plan(client, case)
    stream = async_to_sync(read)(browser_of(client), f"{case.get_absolute_url()}events/")
    assert "With it: “" in stream


def test_what_could_not_look_did_nothing(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    case = paste(FAILED)
    standing = standing_of(knowledge(), case).with_check("mx", "timeout")
    assert effect_of(standing, "mx") is None
    assert effect_of(standing, "no-such-check") is None


def test_an_answer_that_moves_nothing_says_so(client: Client, paste: Paster) -> None:
    standing = standing_of(knowledge(), paste("552 mailbox over quota")).with_check("mx", "ok")
    effect = effect_of(standing, "mx")
    assert effect
    assert (effect.words, effect.moved) == ("changes nothing in the ranking", False)


def test_the_checks_that_would_tell_most_are_marked_and_one_click_runs_them(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    case = paste(UNCLEAR)
    Case.objects.update(supplied={"domain": "example.net"})
    html = page(client, case)
    assert "would tell most" in html
    form = html[html.index('id="checks"') :]
    form = form[form.index("<form") : form.index("</form>")]
    assert re.findall(r'name="name" value="(\w+)"', form) == ["mx"]
    assert "Look with the one that would tell most" in form
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"})
    assert "would tell most" not in page(client, case)


def test_where_a_cause_is_sure_no_check_is_proposed(client: Client, paste: Paster) -> None:
    case = paste("552 mailbox over quota")
    panel = check_panel(knowledge(), Subject(domain="example.net"), [], standing=standing_of(knowledge(), case))
    assert panel.telling == ()
    assert {row.name for row in panel.others} == set(panel.able)


def test_what_was_seen_is_brought_by_a_click_and_has_a_page_without_javascript(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    case = paste(FAILED)
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"})
    html = page(client, case)
    address = f"{case.get_absolute_url()}checks/mx/"
    assert f'href="{address}"' in html
    assert "answered by 127.0.0.1" in html
    assert "TTL 300 s" in html
    whole = client.get(address).content.decode()
    assert "mx.example.net" in whole
    assert whole.startswith("<!doctype")
    assert client.get(address, **HTMX).content.decode().startswith("<dl")
    assert client.get(f"{case.get_absolute_url()}checks/spf/").status_code == 404
    assert Client().get(address).status_code == 404


def test_a_step_shows_the_record_to_publish_beside_the_one_there_is(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add("example.org. 300 TXT " + '"v=spf1 ip4:192.0.2.0/28 -all"')
    run = CheckRun.objects.get(public_id=client.post("/check/", BOTH)["Location"].split("/")[2])
    outcomes = {row.check_name: row for row in run.outcomes.all()}
    proposal = records_to_publish(outcomes, Subject(domain="example.net", sending_ip="192.0.2.99", mail_from="ben@example.org"))["spf"]
    assert proposal.proposed == "v=spf1 ip4:192.0.2.0/28 ip4:192.0.2.99 -all"
    assert proposal.warnings[0].startswith("Only if 192.0.2.99 is a server that sends for you")
    html = client.get(run.get_absolute_url()).content.decode()
    assert "<ins>ip4:192.0.2.99</ins>" in html
    assert 'data-copy="record-spf"' in html
    assert '<pre class="record-new" id="record-spf">v=spf1 ip4:192.0.2.0/28 ip4:192.0.2.99 -all</pre>' in html


def test_nothing_is_proposed_where_the_record_could_not_be_looked_at(client: Client, dns_server: DnsServer) -> None:
    dns_server.add(";! example.org servfail")
    run = CheckRun.objects.get(public_id=client.post("/check/", BOTH)["Location"].split("/")[2])
    assert "spf" not in records_to_publish({row.check_name: row for row in run.outcomes.all()}, Subject(sending_ip="192.0.2.99"))


def outcome(name: str, **fields: Any) -> CheckOutcome:
    return CheckOutcome(check_name=name, answer="ok", state="good", detail="Seen.", at=timezone.now(), **fields)


def test_findings_stand_gravest_first_in_words() -> None:
    findings = [
        {"finding": "mx.ok", "severity": "ok", "data": {}},
        {"finding": "mx.same_address", "severity": "info", "data": {"hosts": ["a", "b"], "same": True}},
        {"finding": "mx.null_mixed", "severity": "error", "data": {"records": []}},
    ]
    lines = finding_lines(knowledge(), findings)
    assert [(line.slug, line.label) for line in lines] == [("mx.null_mixed", "Error"), ("mx.same_address", "Note"), ("mx.ok", "Good")]
    assert lines[1].seen == "hosts: a, b; same: yes"
    assert finding_title(knowledge(), "zzz.too_many_words") == "ZZZ: too many words"


def test_text_of_strangers_is_shown_and_not_obeyed(client: Client, paste: Paster) -> None:
    case = paste(FAILED)
    run = CheckRun.objects.create(case=case, subject={}, names=["mx"])
    hostile = "<script>alert(1)</script>\u202e"
    findings = [{"finding": "mx.cname", "severity": "warning", "data": {"host": hostile}}]
    row = outcome("mx", findings=findings, facts={"server": hostile, "mx": [hostile]})
    row.run, row.detail = run, hostile
    row.save()
    html = client.get(f"{case.get_absolute_url()}checks/mx/").content.decode()
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert done_row(knowledge(), row).detail.endswith("[U+202E]")


def test_the_page_of_a_case_with_every_check_done_keeps_within_60_kilobytes_and_12_queries(
    client: Client, paste: Paster, django_assert_max_num_queries: Any
) -> None:
    case = paste(UNCLEAR)
    case.supplied = {"domain": "example.net", "sending_ip": "192.0.2.1", "mail_from": "a@example.org", "helo": "a.example.org", "selectors": ["s"]}
    case.save()
    run = CheckRun.objects.create(case=case, subject=subject_to_json(current_subject(case)), names=list(CHECKS))
    finding = {"finding": "mx.cname", "severity": "warning", "data": {"host": "mx.example.net", "target": "alias.example.net"}}
    facts = {"server": "127.0.0.1:53", "ttl": 300, "tree": [{"term": "include:some.provider.example", "outcome": "no match"}] * 60}
    for name in CHECKS:
        row = outcome(name, findings=[finding, finding], facts=facts)
        row.run, row.detail = run, "Mail for example.net can go to mx1.example.net, but not to mx2.example.net: it has no address."
        row.save()
    with django_assert_max_num_queries(12):
        html = page(client, case)
    assert html.count("check-done") == len(CHECKS)
    assert len(html.encode()) < 60_000
