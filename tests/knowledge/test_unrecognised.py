"""What was pasted and no pattern knows: kept masked, counted by shape, worked through by curators."""

from __future__ import annotations

import pytest
import re2
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoCaptureOnCommitCallbacks

from knowledge import models, unrecognised
from knowledge.current import forget, knowledge
from knowledge.models.unrecognised import MAX_SHAPE
from knowledge.proposing import example_of, propose
from knowledge.publishing import publish
from tests.knowledge.forms import errors, read_form, save
from whybounce.failure import DeliveryFailure
from whybounce.masking import mask, shape_of
from whybounce.problem import re2_error

State = models.UnrecognisedReply.State
CAKE = "550 5.1.1 The cake of <anna.smith@example.net> was eaten by 14 mice at mx7.example.net"
_COMMON = """
user unknown mailbox rejected message refused by policy please contact the your server said host recipient address domain not found is was for
account disabled deferred too many queue from blocked using of has no room since try in seconds reasons reply to command such
"""
WORDS = set(_COMMON.split())


def masked(text: str, **facts: str) -> str:
    return mask(DeliveryFailure(text=text, **facts), lambda word: word.lower() in WORDS, MAX_SHAPE)


def rows() -> list[models.UnrecognisedReply]:
    return list(models.UnrecognisedReply.objects.all())


def recorded(*texts: str) -> models.UnrecognisedReply:
    """The reply kept of these texts, all of one shape."""
    for text in texts:
        unrecognised.record([DeliveryFailure(text=text, code="550")])
    return models.UnrecognisedReply.objects.get()


def page(action: str, *arguments: object) -> str:
    return reverse(f"admin:knowledge_unrecognisedreply_{action}", args=arguments)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("550 5.1.1 <anna.smith@example.net>: mailbox unknown", "550 5.1.1 <{address}>: mailbox unknown"),
        ("550 5.1.1 anna.smith... User unknown", "550 5.1.1 {host}... User unknown"),
        ("550 no such user: smithj", "550 no such user: {name}"),
        ("550 user 'smithj' not found", "550 user '{name}' not found"),
        ("550 user=smithj is disabled", "550 user={name} is disabled"),
        ("550 mailbox of smithj is disabled", "550 mailbox of {name} is disabled"),
        ("550 mailbox of Jo Smithers is disabled", "550 mailbox of {name} {name} is disabled"),
        ("550 the account from Anna Petrova is disabled", "550 the account from {name} {name} is disabled"),
        ("554 host [192.0.2.1] blocked using bl.example.org", "554 host [{ip}] blocked using {host}"),
        ("554 host [2001:db8::25] blocked; https://example.org/q?ip=2001:db8::25", "554 host [{ip}] blocked; {url}"),
        ("451 4.7.1 try in 300 seconds", "451 4.7.1 try in {number} seconds"),
        ("550 message refused, Mon, 23 Nov 2026 10:15:00 +0000 4XyZbC1g9Kz1", "550 message refused, {date} {id}"),
        ("550 message refused 2026-11-23T10:15:00.123Z", "550 message refused {date}"),
        ("550-5.7.1 refused q20-20020a170902dad400b001d4.123", "550-5.7.1 refused {id}"),
        ("550 refused: <4fd1c2$x@mail.example.org>", "550 refused: <{address}>"),
        ("550 refused <CAF3-id>", "550 refused <{name}>"),
        ("550 /home/smithj/Maildir: no room", "550 /home/{name}: no room"),
        ("550 call +49 170 1234567", "550 call +{number} {number} {number}"),
    ],
)
def test_what_is_personal_is_masked(text: str, wanted: str) -> None:
    assert masked(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "550 5.7.1 refused by policy (S3150)",
        "421 [TSS04] try RFC 5322",
        'reply to "RCPT" command',
        "550 no IPv6 please",
        "host said: 554 5.7.1 refused by policy",
    ],
)
def test_codes_and_the_servers_own_words_stay(text: str) -> None:
    assert masked(text) == text


def test_what_the_paste_gives_away_is_masked_in_any_form() -> None:
    facts = {
        "recipient": "smithj@example.net",
        "envelope_sender": "boss@corp.example",
        "queue_id": "ABCDEFGH",
        "subject": "My illness",
        "helo": "corp",
    }
    text = "550 refused: SMITHJ, boss, corp.example; ABCDEFGH (my illness) corp"
    assert masked(text, **facts) == "550 refused: {name}, {name}, {host}; {id} ({name}) {host}"


def test_replies_that_differ_in_what_is_masked_have_one_shape() -> None:
    one, other = "550 Try  later, 300 seconds, anna@example.net", "550 try later, 20 SECONDS, bob@example.org"
    assert shape_of(masked(one)) == shape_of(masked(other)) == "550 try later, {number} seconds, {address}"


def test_a_mask_that_somebody_wrote_is_no_mask() -> None:
    assert "{address}" not in masked("550 please write {address} here")


def test_a_long_reply_is_cut_between_words() -> None:
    text = masked("550 refused " + "someone@example.net " * 200)
    assert len(text) <= MAX_SHAPE
    assert text.endswith("{address}")


@given(st.text(max_size=300))
def test_any_text_can_be_masked_and_made_a_pattern(text: str) -> None:
    shape = masked(text)
    assert len(shape) <= MAX_SHAPE
    assert "@example.net" not in masked(f"{text} anna@example.net")
    proposal = propose(shape)
    if proposal.pattern:
        assert not re2_error(proposal.pattern)
        assert re2.search(f"(?i){proposal.pattern}", proposal.example.encode("utf-8", "replace").decode())


@pytest.mark.parametrize(
    ("shape", "pattern"),
    [
        ("550 5.1.1 <{address}>: The cake (all of it) is gone", r"The\s+cake\s+\(all\s+of\s+it\)\s+is\s+gone"),
        ("550 Cake of <{address}> was eaten by {number} mice at {host}", r"Cake\s+of\s+\S+\s+was\s+eaten\s+by\s+[0-9]+\s+mice\s+at"),
        ("host {host}[{ip}] said: 550 No cake (in reply to RCPT TO command)", r"No\s+cake\s+\(in\s+reply\s+to\s+RCPT\s+TO\s+command"),
        ("421 [{ip}] has sent too many cakes. See {url} {id} - cakes", r"has\s+sent\s+too\s+many\s+cakes"),
        ("550 Пирог съеден целиком мышами", r"Пирог\s+съеден\s+целиком\s+мышами"),
        ("550 {id} {number} {address}", ""),
    ],
)
def test_the_telling_part_becomes_an_expression(shape: str, pattern: str) -> None:
    assert propose(shape).pattern == pattern


def test_an_example_has_names_for_examples_only() -> None:
    assert example_of("550 <{address}> at {host} [{ip}]") == "550 <anna@example.net> at mx.example.org [192.0.2.25]"


@pytest.mark.django_db
class TestRecording:
    def test_what_no_pattern_knows_is_kept_masked_with_what_was_guessed(self) -> None:
        reply = recorded(CAKE)
        assert reply.text == "550 5.1.1 The cake of <{address}> was eaten by {number} mice at {host}"
        assert (reply.count, reply.state, reply.code, reply.provider) == (1, State.NEW, "550", "")
        assert models.Cause.objects.filter(slug=reply.guess, category=reply.category).exists()
        assert reply.certainty

    def test_a_name_that_is_known_from_example_addresses_alone_is_a_name(self) -> None:
        gone = models.Cause.objects.get(slug="recipient-unknown")
        texts = [f"550 <miller@{host}.example> miller: no such cake" for host in ("a", "b", "c", "d", "e", "f")]
        models.Example.objects.bulk_create(models.Example(text=text, cause=gone, status="published") for text in texts)
        publish(by=None, reason="test")
        forget()
        assert knowledge().model.read("miller").known
        assert recorded("550 the cake was eaten by Fredo Miller, ask the mice").text == "550 the cake was eaten by {name} {name}, ask the mice"

    def test_the_same_shape_is_counted(self) -> None:
        first = recorded(CAKE)
        reply = recorded(CAKE.replace("anna.smith", "bob").replace("14", "3"))
        assert (reply.count, reply.first_seen, reply.pk) == (2, first.first_seen, first.pk)
        assert reply.last_seen > first.last_seen

    def test_what_a_curator_decided_stays(self) -> None:
        recorded(CAKE)
        models.UnrecognisedReply.objects.update(state=State.DISMISSED, note="A joke.")
        reply = recorded(CAKE)
        assert (reply.count, reply.state, reply.note) == (2, State.DISMISSED, "A joke.")

    @pytest.mark.parametrize(
        "text", ["550 5.1.1 The email account that you tried to reach does not exist", "", "550 5.1.1", "550 5.1.1 <anna@example.net>", "🍰"]
    )
    def test_what_is_known_or_says_nothing_is_not_kept(self, text: str) -> None:
        unrecognised.record([DeliveryFailure(text=text, code="550")])
        assert rows() == []

    def test_one_paste_counts_a_shape_once_and_keeps_twenty(self) -> None:
        cakes = [DeliveryFailure(text=f"550 cake of user{number}@example.net is gone") for number in range(50)]
        words = [DeliveryFailure(text=f"550 cake {chr(97 + n)}{chr(97 + n)}{chr(97 + n)}x is gone") for n in range(26)]
        assert unrecognised.record(cakes + words) == 20
        assert len(rows()) == 20
        assert {row.count for row in rows()} == {1}

    def test_one_paste_is_one_statement(self) -> None:
        knowledge()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            unrecognised.record([DeliveryFailure(text=f"550 cake {word} is gone") for word in ("one", "two", "three")])
        assert len([query for query in queries if "INSERT" in query["sql"]]) == 1
        assert sum("unrecognisedreply" in query["sql"] for query in queries) == 2

    def test_the_table_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(unrecognised, "MOST_ROWS", 3)
        monkeypatch.setattr(unrecognised, "_DROPPED_AT_ONCE", 0)
        words = ["alpha", "beta", "gamma", "delta"]
        for word in ("alpha", *words[:3]):
            unrecognised.record([DeliveryFailure(text=f"550 cake {word} is gone")])
        unrecognised.record([DeliveryFailure(text="550 cake delta is gone")])
        assert sorted(row.text.split()[2] for row in rows()) == ["alpha", "delta", "gamma"]

    def test_half_characters_and_nulls_do_no_harm(self) -> None:
        assert unrecognised.record([DeliveryFailure(text="550 cake \x00 is \ud800 gone")]) == 1
        assert "\x00" not in rows()[0].text + rows()[0].shape

    def test_a_case_records_its_replies(self, client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            response = client.post(reverse("paste"), {"text": CAKE})
        assert response.status_code in (302, 303)
        assert [row.text for row in rows()] == ["550 5.1.1 The cake of <{address}> was eaten by {number} mice at {host}"]


@pytest.mark.django_db
class TestDesk:
    def test_the_queue_shows_what_is_new_most_frequent_first(self, curator: Client) -> None:
        for text, times in ((CAKE, 1), ("550 The pie is gone", 3)):
            for _time in range(times):
                unrecognised.record([DeliveryFailure(text=text, code="550")])
        text = curator.get(page("changelist")).content.decode()
        assert text.index("The pie is gone") < text.index("The cake of")
        models.UnrecognisedReply.objects.update(state=State.DISMISSED)
        assert "The pie" not in curator.get(page("changelist")).content.decode()
        assert "The pie" in curator.get(page("changelist"), {"state": "all"}).content.decode()
        assert "The pie" in curator.get(page("changelist"), {"state": "dismissed", "class": "5", "q": "pie"}).content.decode()
        assert "The pie" not in curator.get(page("changelist"), {"state": "dismissed", "class": "4"}).content.decode()

    def test_staff_without_rights_sees_nothing(self, clerk: Client) -> None:
        reply = recorded(CAKE)
        assert clerk.get(page("changelist")).status_code == 403
        assert clerk.get(page("change", reply.pk)).status_code == 403

    def test_dismissed_and_taken_up_again(self, curator: Client) -> None:
        reply = recorded(CAKE)
        for action, state in (("dismiss", State.DISMISSED), ("reopen", State.NEW)):
            curator.post(f"{page('changelist')}?state=all", {"action": action, "_selected_action": [reply.pk]})
            assert rows()[0].state == state
        save(curator, page("change", reply.pk), _dismiss="x", note="Not ours.")
        assert (rows()[0].state, rows()[0].note) == (State.DISMISSED, "Not ours.")

    def test_one_click_opens_a_new_pattern_that_is_filled_in(self, curator: Client) -> None:
        reply = recorded(CAKE)
        models.UnrecognisedReply.objects.update(provider="google", guess="recipient-unknown")
        address = f"{reverse('admin:knowledge_replypattern_add')}?unrecognised={reply.pk}"
        assert address in curator.get(page("changelist")).content.decode()
        fields = read_form(curator.get(address))
        assert fields["pattern"] == [r"The\s+cake\s+of\s+\S+\s+was\s+eaten\s+by\s+[0-9]+\s+mice\s+at"]
        assert fields["slug"] == ["google-the-cake-was-eaten-mice"]
        assert fields["provider"] == [str(models.Provider.objects.get(slug="google").pk)]
        assert fields["evidence-0-cause"] == [str(models.Cause.objects.get(slug="recipient-unknown").pk)]
        assert fields["evidence-0-strength"] == ["for"]
        assert fields["examples-0-text"] == ["550 5.1.1 The cake of <anna@example.net> was eaten by 1234 mice at mx.example.org"]

    def test_the_pattern_saved_is_linked(self, curator: Client) -> None:
        reply = recorded(CAKE)
        address = f"{reverse('admin:knowledge_replypattern_add')}?unrecognised={reply.pk}"
        response = save(curator, address, status="published")
        assert response.status_code == 302, errors(response)
        pattern = models.ReplyPattern.objects.get(slug="the-cake-was-eaten-mice")
        assert (rows()[0].state, rows()[0].pattern) == (State.PATTERN, pattern)
        assert pattern.examples.get().status == models.Row.Status.PUBLISHED
        assert pattern.evidence.get().strength == "for"
        assert "the-cake-was-eaten-mice-2" in curator.get(address).content.decode()

    @pytest.mark.parametrize("number", ["0", "x", "9" * 400, "-1", "²"])
    def test_a_reply_that_is_not_there_fills_in_nothing(self, curator: Client, number: str) -> None:
        response = curator.get(reverse("admin:knowledge_replypattern_add"), {"unrecognised": number})
        assert read_form(response)["pattern"] == [""]

    def test_who_may_not_see_the_queue_is_shown_nothing_of_it(self) -> None:
        reply = recorded(CAKE)
        user = User.objects.create_user("pia", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="add_replypattern"))
        browser = Client()
        browser.force_login(user)
        assert "cake" not in browser.get(reverse("admin:knowledge_replypattern_add"), {"unrecognised": reply.pk}).content.decode()

    def test_one_click_makes_an_example_text_of_the_chosen_cause(self, curator: Client) -> None:
        reply = recorded(CAKE)
        cause = models.Cause.objects.get(slug="greylisting")
        save(curator, page("change", reply.pk), _example="x", cause=str(cause.pk))
        example = models.Example.objects.get(text__contains="cake")
        assert (example.cause, example.status, example.pattern) == (cause, models.Row.Status.DRAFT, None)
        assert example.text == "550 5.1.1 The cake of <anna@example.net> was eaten by 1234 mice at mx.example.org"
        assert example.history.get().history_user.username == "cora"
        assert (rows()[0].state, rows()[0].example) == (State.EXAMPLE, example)
        save(curator, page("change", reply.pk), _example="x", cause=str(cause.pk))
        assert models.Example.objects.filter(text__contains="cake").count() == 1

    def test_an_example_text_needs_a_cause(self, curator: Client) -> None:
        reply = recorded(CAKE)
        assert "Choose the cause" in errors(save(curator, page("change", reply.pk), _example="x", cause=""))
        assert not models.Example.objects.filter(text__contains="cake").exists()

    def test_several_become_example_texts_at_once(self, curator: Client) -> None:
        recorded(CAKE)
        unrecognised.record([DeliveryFailure(text="550 The pie is gone", code="550")])
        curator.post(page("changelist"), {"action": "add_examples", "_selected_action": [row.pk for row in rows()]})
        assert models.Example.objects.filter(status=models.Row.Status.DRAFT).count() == 2
        assert {row.state for row in rows()} == {State.EXAMPLE}
