"""Contradictions: code against words, text against a check or an answer; and what would settle them."""

from django.test import Client

from tests.servers.dns import DnsServer
from tests.troubleshoot.conftest import UNKNOWN_USER, Paster
from troubleshoot.contradictions import oddities
from troubleshoot.diagnosis import diagnose
from troubleshoot.models import Case


def page(client: Client, case: Case) -> str:
    return client.get(case.get_absolute_url()).content.decode()


def test_a_code_against_the_words_is_shown_with_the_question_that_would_settle_it(client: Client, paste: Paster) -> None:
    case = paste("550 5.1.1 mailbox over quota")
    html = page(client, case)
    assert "The code 5.1.1 points to “Title of unknown-user” instead; the rest outweighs it." in html
    settled = html.split('class="case-odd"')[1].split("</div>")[0]
    assert "This question would settle it:" in settled
    assert "?ask=has-space#question" in settled


def test_the_question_that_settles_it_is_shown_when_it_is_followed(client: Client, paste: Paster) -> None:
    html = client.get(f"{paste('550 5.1.1 mailbox over quota').get_absolute_url()}?ask=has-space").content.decode()
    assert 'data-asked="has-space"' in html


def test_a_check_against_the_text_is_shown(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    """The reply says that the user is unknown; the domain takes no mail at all (null MX), which that cause rules out."""
    dns_server.add("example.net. 300 MX 0 .")
    case = paste(UNKNOWN_USER)
    assert "case-odd" not in page(client, case)
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"})
    html = page(client, case)
    assert "The text points to “Title of unknown-user”. The check (Does the domain accept mail? MX: null-mx) speaks against it" in html


def test_an_answer_against_the_text_is_shown_and_goes_when_it_is_taken_back(client: Client, paste: Paster) -> None:
    case = paste("552 mailbox over quota")
    client.post(f"{case.get_absolute_url()}answer/", {"question": "has-space", "answer": "yes"})
    html = page(client, case)
    assert "The text points to “Title of mailbox-full”. The answer to “Does the recipient say that there is free space? Yes, plenty”" in html
    assert "the text outweighs it so far" in html
    client.post(f"{case.get_absolute_url()}take-back/", {"question": "has-space"})
    assert "case-odd" not in page(client, case)


def test_where_all_was_asked_it_says_whom_to_ask(client: Client, paste: Paster) -> None:
    case = paste("550 5.1.1 mailbox over quota")
    for question in ("has-space", "who-is-affected"):
        client.post(f"{case.get_absolute_url()}answer/", {"question": question, "answer": "dont-know"})
    found = oddities(diagnose(case).ranking, ())
    assert found
    assert not found[0].ask
    assert not found[0].check


def test_a_closed_case_asks_nothing_about_them(client: Client, paste: Paster) -> None:
    case = paste("550 5.1.1 mailbox over quota")
    client.post(f"{case.get_absolute_url()}close/", {"cause": "mailbox-full"})
    html = page(client, case)
    assert "case-odd" in html
    assert "would settle it" not in html
