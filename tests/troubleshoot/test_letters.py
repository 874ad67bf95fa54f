"""Letters of a case: offered by its cause, filled in, edited, copied, as mailto: and as a message to open."""

from __future__ import annotations

import html
import json
import re
import zlib
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from knowledge.current import forget
from knowledge.models import KnowledgeRevision
from tests.troubleshoot.conftest import UNCLEAR, UNKNOWN_USER, Paster
from tests.troubleshoot.knowledge import SNAPSHOT
from troubleshoot.letters import MOST_OF_MAILTO, Writing, as_message, mailto
from troubleshoot.models import Case
from whybounce.document import digest, to_document
from whybounce.snapshot import Addressee, Blocklist, Letter

CUSTOMER = Letter("customer", "What happened", Addressee.CUSTOMER, "Your message to {recipient}", "{cause}: {summary}\n\nCase {case}")
POSTMASTER = Letter(
    "postmaster", "Facts", Addressee.POSTMASTER, "Refused: {recipient}", "Server: {remote_mta}\nReply: {reply}\nQueue ID: {queue_id}\nAt: {stage}"
)
FULL_ONLY = Letter("full", "It is full", Addressee.CUSTOMER, "Full", "Full", causes=("mailbox-full",))
LISTED = Letter("list", "Removal", Addressee.BLOCKLIST, "Remove {sending_ip}", "Dear {blocklist}, see {removal_page}", categories=("reputation",))
LIST = Blocklist(
    "bl", "The Example List", "ip", "Listed.", "bl.example.org", removal_page="https://bl.example.org/out", reply_marks=(r"bl\.example",)
)
SPAMMY = "550 5.7.1 Service unavailable, client host [192.0.2.25] blocked using bl.example.org, blocklisted"


@pytest.fixture(autouse=True)
def revision(db: None, revision: KnowledgeRevision) -> KnowledgeRevision:
    """The made-up knowledge with letters and a blocklist."""
    document = to_document(replace(SNAPSHOT, letters=(CUSTOMER, POSTMASTER, FULL_ONLY, LISTED), blocklists=(LIST,)))
    revision.content, revision.digest = zlib.compress(json.dumps(document).encode()), digest(document)
    revision.save()
    forget()
    return revision


def page(client: Client, case: Case, slug: str = "") -> str:
    response = client.get(f"{case.get_absolute_url()}letters/{slug}")
    assert response.status_code == 200
    return response.content.decode()


def body_of(text: str) -> str:
    found = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", text, re.DOTALL)
    return html.unescape(found[1]) if found else ""


def eml(client: Client, case: Case, slug: str, **fields: str) -> EmailMessage:
    response = client.post(f"{case.get_absolute_url()}letters/{slug}/", {"do": "eml"} | fields)
    assert response["Content-Type"] == "message/rfc822"
    assert response["Content-Disposition"] == f'attachment; filename="case-{case.public_id}-{slug}.eml"'
    return message_from_bytes(response.content, policy=policy.default)


def test_those_that_fit_the_cause_are_offered_by_addressee(client: Client, paste: Paster) -> None:
    text = page(client, paste(UNKNOWN_USER))
    assert text.index("To the customer") < text.index("To the other side&#x27;s postmaster")
    assert "What happened" in text
    assert "It is full" not in text
    assert "Removal" not in text


def test_the_letter_is_filled_in_and_what_is_not_known_is_marked(client: Client, paste: Paster) -> None:
    text = page(client, paste(UNKNOWN_USER), "postmaster/")
    assert body_of(text) == (
        "Server: mx.example.net\nReply: 550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown\n"
        "Queue ID: [FILL IN: the queue ID]\nAt: RCPT TO (the recipient)\n"
    )
    assert "<li>the queue ID</li>" in text
    assert 'value="postmaster@example.net"' in text


def test_where_the_cause_is_not_clear_it_is_a_blank(client: Client, paste: Paster) -> None:
    assert body_of(page(client, paste(UNCLEAR), "customer/")).startswith("[FILL IN: what it was]: [FILL IN: what happened")


def test_the_cause_that_proved_true_counts_once_the_case_is_closed(client: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    client.post(f"{case.get_absolute_url()}close/", {"cause": "mailbox-full"})
    assert "It is full" in page(client, case)
    assert body_of(page(client, case, "customer/")).startswith("Title of mailbox-full: ")


def test_the_list_that_the_reply_names_is_written_to(client: Client, paste: Paster) -> None:
    case = paste(SPAMMY)
    client.post(f"{case.get_absolute_url()}close/", {"cause": "ip-listed"})
    assert "Removal" in page(client, case)
    assert body_of(page(client, case, "list/")) == "Dear The Example List, see https://bl.example.org/out\n"


def test_the_text_for_mailto_holds_the_whole_letter(client: Client, paste: Paster) -> None:
    found = re.search(r'id="mailto" href="([^"]*)"', page(client, paste(UNKNOWN_USER), "postmaster/"))
    assert found
    link = urlsplit(html.unescape(found[1]))
    assert (link.scheme, link.path) == ("mailto", "postmaster@example.net")
    given = parse_qs(link.query)
    assert given["subject"] == ["Refused: anna@example.net"]
    assert given["body"][0].startswith("Server: mx.example.net\r\nReply: 550 5.1.1 <anna@example.net>")


def test_a_letter_that_is_too_long_for_mailto_leaves_its_text_out() -> None:
    link = mailto(Writing("a@b.example", "Subject", "ä" * 400))
    assert link == "mailto:a@b.example?subject=Subject"
    assert mailto(Writing("a@b.example", "x" * 3000, "")) == ""
    assert len(mailto(Writing("a@b.example", "Subject", "x" * 1800))) <= MOST_OF_MAILTO


@pytest.mark.parametrize("to", ["a@b.example?cc=x@y.example", "a@b.example&bcc=x", "a@b.example\r\nBcc: x@y.example", "a@b.example,x@y.example"])
def test_nothing_can_be_added_to_a_mailto_through_an_address(to: str) -> None:
    link = urlsplit(mailto(Writing(to, "S", "B")))
    assert set(parse_qs(link.query)) == {"subject", "body"}
    assert unquote(link.path) == to


def test_what_was_edited_becomes_a_message_that_a_mail_program_opens_as_a_draft(client: Client, paste: Paster) -> None:
    message = eml(
        client,
        paste(),
        "postmaster",
        to="postmaster@example.net",
        subject="Grüße, über 5.7.1",
        body="Sehr geehrte …\r\n\r\n.\r\nFrom here\r\n" + "x" * 1200,
    )
    assert message["To"] == "postmaster@example.net"
    assert message["Subject"] == "Grüße, über 5.7.1"
    assert message["X-Unsent"] == "1"
    assert message["Date"] is not None
    assert message["From"] is None
    assert message["MIME-Version"] == "1.0"
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"
    assert message.get_content().replace("\r\n", "\n") == "Sehr geehrte …\n\n.\nFrom here\n" + "x" * 1200 + "\n"


def test_the_bytes_of_a_message_keep_to_the_limits_of_smtp() -> None:
    data = as_message(Writing("postmaster@example.net", "ß" * 150, "x" * 5000 + "\n…"), "kim@example.org")
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("evil", ["a@b.example\r\nBcc: x@y.example", "S\nX-Evil: 1", "\u2028X: 1", "\x85X: 1", "\x00"])
def test_no_header_can_be_smuggled_in(client: Client, evil: str) -> None:
    message = message_from_bytes(as_message(Writing(evil, evil, "text"), evil), policy=policy.default)
    assert set(message.keys()) <= {"Date", "From", "To", "Subject", "X-Unsent", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}


@pytest.mark.parametrize(
    "to", ["", "nobody", "@", "a@", "Anna <", "a b@c.example", "anna@bücher.example", "ünï@example.net", "[1.2.3.4]", '"a\\"@b.example']
)
def test_an_address_that_is_none_is_left_to_the_mail_program(to: str) -> None:
    message = message_from_bytes(as_message(Writing(to, "S", "B")), policy=policy.default)
    assert message["Subject"] == "S"


def test_a_display_name_is_not_needed() -> None:
    message = message_from_bytes(as_message(Writing("Anna Miller <anna@example.net>", "S", "B")), policy=policy.default)
    assert message["To"] == "anna@example.net"


def test_who_is_logged_in_with_an_address_is_the_sender(paste: Paster) -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("kim", email="kim@example.org"))
    assert eml(browser, paste(by=browser), "customer", to="a@b.example", subject="S", body="B")["From"] == "kim@example.org"


def test_without_javascript_the_link_follows_what_was_edited(client: Client, paste: Paster) -> None:
    case = paste()
    response = client.post(f"{case.get_absolute_url()}letters/customer/", {"do": "update", "to": "x@y.example", "subject": "New", "body": "Mine"})
    text = response.content.decode()
    assert 'href="mailto:x@y.example?subject=New&amp;body=Mine"' in text
    assert body_of(text) == "Mine"


def test_too_long_a_text_is_refused_and_kept(client: Client, paste: Paster) -> None:
    case = paste()
    response = client.post(f"{case.get_absolute_url()}letters/customer/", {"do": "eml", "to": "", "subject": "S", "body": "x" * 50_001})
    assert response.status_code == 422
    assert "x" * 50_001 in response.content.decode()


def test_a_withdrawn_letter_and_a_strangers_case_are_404(client: Client, paste: Paster) -> None:
    case = paste()
    assert client.get(f"{case.get_absolute_url()}letters/no-such/").status_code == 404
    assert Client().get(f"{case.get_absolute_url()}letters/").status_code == 404
    assert Client().get(f"{case.get_absolute_url()}letters/customer/").status_code == 404
    assert Client().post(f"{case.get_absolute_url()}letters/customer/", {"do": "eml"}).status_code == 404


def test_a_hostile_reply_stays_text(client: Client, paste: Paster) -> None:
    text = page(client, paste("550 5.1.1 </textarea><script>alert(1)</script> {case} User unknown"), "postmaster/")
    assert "<script>alert" not in text
    assert "{case}" in body_of(text)
