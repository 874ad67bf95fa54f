"""A bounce that names several recipients: one is looked at, another can be chosen."""

from django.test import Client

from tests.servers.dns import DnsServer
from tests.troubleshoot.conftest import Paster
from tests.troubleshoot.test_paste import DSN


def test_the_first_is_looked_at_and_all_can_be_chosen(client: Client, paste: Paster) -> None:
    html = client.get(paste(DSN).get_absolute_url()).content.decode()
    assert "2 failed recipients" in html
    assert '<option value="0" selected>anna@example.net</option>' in html
    assert '<button class="group" name="position" value="1"><span class="group-count">1</span> Title of mailbox-full' in html


def test_another_one_has_its_own_facts_and_causes(client: Client, paste: Paster) -> None:
    case = paste(DSN)
    client.post(f"{case.get_absolute_url()}choose/", {"position": "1"})
    html = client.get(case.get_absolute_url()).content.decode()
    assert '<option value="1" selected>carl@example.com</option>' in html
    assert "Title of mailbox-full" in html.split("</h1>")[0]


def test_one_that_does_not_exist_is_refused(client: Client, paste: Paster) -> None:
    case = paste(DSN)
    for position in ("2", "-1", "x", "9" * 40, ""):
        assert client.post(f"{case.get_absolute_url()}choose/", {"position": position}).status_code == 409
    case.refresh_from_db()
    assert case.position == 0


def test_what_checks_found_about_one_says_nothing_about_another(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add("example.net. 300 MX 0 .")
    case = paste(DSN)
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"})
    assert dict(case.observations.values_list("question", "answer")) == {"check-mx": "null-mx"}
    client.post(f"{case.get_absolute_url()}choose/", {"position": "1"})
    assert not case.observations.exists()
    client.post(f"{case.get_absolute_url()}choose/", {"position": "0"})
    assert dict(case.observations.values_list("question", "answer")) == {"check-mx": "null-mx"}


def test_answers_stay_when_another_recipient_is_chosen(client: Client, paste: Paster) -> None:
    case = paste(DSN)
    client.post(f"{case.get_absolute_url()}answer/", {"question": "who-is-affected", "answer": "all"})
    client.post(f"{case.get_absolute_url()}choose/", {"position": "1"})
    assert case.observations.get().answer == "all"
