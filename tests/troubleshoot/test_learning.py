"""What closed cases prove is counted, and makes causes count as more common; nothing is counted twice or kept of what was reopened."""

from __future__ import annotations

import random
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from knowledge import confirmed, current
from knowledge.current import knowledge
from knowledge.models import Confirmation, ReplyPattern
from tests.troubleshoot.conftest import UNCLEAR, UNKNOWN_USER, Paster
from troubleshoot import merging, services
from troubleshoot.diagnosis import diagnose
from troubleshoot.erasing import erase_case
from troubleshoot.models import Case, Outcome
from troubleshoot.people import Person
from whybounce.failure import DeliveryFailure, IntakeReport
from whybounce.priors import CAP
from whybounce.reasoning import rank


@pytest.fixture
def sam(db: None) -> Person:
    return Person(user=User.objects.create_superuser("sam"))


def counts(pattern: str = "") -> dict[str, tuple[int, int]]:
    rows = Confirmation.objects.filter(pattern=pattern).values_list("cause", "count", "visitors")
    return {cause: (number, visitors) for cause, number, visitors in rows if number or visitors}


def close(case: Case, cause: str, person: Person, sentence: str = "") -> Outcome:
    return services.close_case(case=case, cause=cause, sentence=sentence, person=person)


# --- counting ---


def test_a_closed_case_counts_for_its_cause_and_for_each_pattern_in_its_reply(paste: Paster, sam: Person) -> None:
    outcome = close(paste(UNKNOWN_USER), "mailbox-full", sam)
    assert counts() == {"mailbox-full": (1, 0)}
    assert outcome.patterns
    assert all(counts(pattern) == {"mailbox-full": (1, 0)} for pattern in outcome.patterns)


def test_what_visitors_say_is_counted_apart(paste: Paster, sam: Person) -> None:
    close(paste(UNCLEAR), "ip-listed", Person(visitor="x" * 32))
    close(paste(UNCLEAR), "ip-listed", sam)
    assert counts() == {"ip-listed": (1, 1)}
    assert confirmed.learned_counts() == {"ip-listed": 1}
    assert confirmed.of_cause("ip-listed") == confirmed.Confirmed(2, 2)


def test_none_of_the_known_causes_is_counted_and_teaches_nothing(paste: Paster, sam: Person) -> None:
    close(paste(UNCLEAR), "", sam, "The cable was out.")
    assert counts() == {"": (1, 0)}
    assert confirmed.learned_counts() == {}


def test_a_reopened_case_counts_no_longer(paste: Paster, sam: Person) -> None:
    case = paste(UNKNOWN_USER)
    close(case, "mailbox-full", sam)
    services.reopen_case(case=case, person=sam)
    services.reopen_case(case=case, person=sam)
    assert counts() == {}
    close(case, "unknown-user", sam)
    assert counts() == {"unknown-user": (1, 0)}


def test_a_merged_case_counts_no_longer_and_again_when_that_is_undone(paste: Paster, sam: Person) -> None:
    case, other = paste(UNCLEAR), paste(UNCLEAR)
    close(case, "ip-listed", sam)
    merging.merge(case=case, into=other, person=sam)
    assert counts() == {}
    merging.undo_merge(case=Case.objects.get(pk=case.pk), person=sam)
    assert counts() == {"ip-listed": (1, 0)}


def test_an_open_case_that_is_merged_changes_no_count(paste: Paster, sam: Person) -> None:
    case, other = paste(UNCLEAR), paste(UNCLEAR)
    merging.merge(case=case, into=other, person=sam)
    merging.undo_merge(case=Case.objects.get(pk=case.pk), person=sam)
    assert counts() == {}


def test_erasing_a_case_changes_no_count(paste: Paster, sam: Person) -> None:
    case = paste(UNCLEAR)
    close(case, "ip-listed", sam)
    erase_case(case=case, person=sam)
    assert counts() == {"ip-listed": (1, 0)}


def test_after_any_sequence_the_counts_are_those_of_the_cases(paste: Paster, sam: Person) -> None:
    dice, cases = random.Random(7), [paste(UNKNOWN_USER if number % 2 else UNCLEAR) for number in range(6)]
    people = [sam, Person(visitor="x" * 32)]
    for _step in range(60):
        case = Case.objects.get(pk=dice.choice(cases).pk)
        if case.state == Case.State.MERGED:
            merging.undo_merge(case=case, person=sam)
        elif dice.random() < 0.25:
            others = [other for other in Case.objects.exclude(pk=case.pk).exclude(state=Case.State.MERGED)]
            if others:
                merging.merge(case=case, into=dice.choice(others), person=sam)
        elif case.is_closed:
            services.reopen_case(case=case, person=sam)
        else:
            close(case, dice.choice(["unknown-user", "mailbox-full", "ip-listed", ""]), dice.choice(people), "so")
    kept = sorted(row for row in Confirmation.objects.values_list("pattern", "cause", "count", "visitors") if row[2] or row[3])
    assert kept
    out = StringIO()
    call_command("recount_outcomes", stdout=out)
    assert sorted(Confirmation.objects.values_list("pattern", "cause", "count", "visitors")) == kept
    assert "closed cases counted" in out.getvalue()


# --- learning ---


def test_without_closings_the_ranking_is_the_shipped_one(paste: Paster) -> None:
    known = knowledge()
    assert known.log_prior is known.shipped_log_prior
    assert known.closings == 0


def test_ten_thousand_closings_of_one_cause_move_its_prior_by_no_more_than_the_cap(revision: Any) -> None:
    Confirmation.objects.create(cause="ip-listed", count=10_000)
    current.forget()
    known = knowledge()
    moved = known.log_prior - known.shipped_log_prior
    place = known.index["ip-listed"]
    assert 0 < moved[place] <= CAP
    assert moved.max() - moved.min() <= CAP + 1e-9
    before = current.compiled(revision)
    odds = np.log(rank(known, DeliveryFailure()).probabilities / rank(before, DeliveryFailure()).probabilities)
    assert odds.max() - odds.min() <= CAP + 1e-9


def test_a_reply_that_is_plain_stands_against_ten_thousand_closings(paste: Paster) -> None:
    Confirmation.objects.create(cause="ip-listed", count=10_000)
    current.forget()
    assert diagnose(paste(UNKNOWN_USER)).causes[0].slug == "unknown-user"


def test_the_ledger_says_that_closed_cases_count(paste: Paster) -> None:
    Confirmation.objects.create(cause="ip-listed", count=10)
    current.forget()
    said = [line.said for line in diagnose(paste(UNCLEAR)).causes[0].ledger]
    assert "among all failures, and the cases closed here" in said


def test_a_setting_turns_it_off(paste: Paster, settings: Any) -> None:
    settings.WHYBOUNCE_LEARN = False
    Confirmation.objects.create(cause="ip-listed", count=10_000)
    current.forget()
    assert knowledge().closings == 0


def test_new_counts_are_looked_for_every_few_minutes_only(paste: Paster, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any) -> None:
    knowledge()
    Confirmation.objects.create(cause="ip-listed", count=10)
    current._current._refresh()
    assert knowledge().closings == 0
    monkeypatch.setattr(current, "_LEARN_SECONDS", 0.0)
    with django_assert_num_queries(2):
        current._current._refresh()
    assert knowledge().closings == 10
    served = knowledge()
    current._current._refresh()
    assert knowledge() is served, "nothing changed: what it remembers stays"


# --- what misled ---


def test_where_the_first_guess_was_wrong_the_outcome_keeps_what_misled(paste: Paster, sam: Person) -> None:
    case = paste(UNKNOWN_USER)
    services.record_answer(case=case, question="who-is-affected", answer="one", person=sam)
    ledger = close(case, "mailbox-full", sam).ledger
    assert {row[0] for row in ledger} >= {"prior", "words", "answer"}
    leads = [row[3] - row[4] for row in ledger if None not in row[3:]]
    assert leads == sorted(leads, reverse=True)
    assert ["answer", "who-is-affected", "one"] in [row[:3] for row in ledger]


def test_it_holds_nothing_of_the_text(paste: Paster, sam: Person) -> None:
    ledger = close(paste(UNKNOWN_USER), "mailbox-full", sam).ledger
    assert "anna" not in str(ledger)
    assert "User unknown" not in str(ledger)


def test_a_right_guess_and_no_known_cause_keep_none(paste: Paster, sam: Person) -> None:
    assert close(paste(UNKNOWN_USER), "unknown-user", sam).ledger == []
    assert close(paste(UNKNOWN_USER), "", sam, "A wire.").ledger == []


# --- shown ---


def test_staff_see_on_a_cause_how_often_it_proved_true(client: Client, paste: Paster, sam: Person) -> None:
    close(paste(UNKNOWN_USER), "mailbox-full", sam)
    close(paste(UNKNOWN_USER), "unknown-user", sam)
    staff = Client()
    staff.force_login(sam.user)
    assert "Proved true in <strong>1</strong> of 2 cases" in staff.get("/causes/mailbox-full/").content.decode()
    assert "Proved true" not in client.get("/causes/mailbox-full/").content.decode()


def test_curators_see_it_in_the_lists_of_causes_and_patterns(sam: Person) -> None:
    pattern = ReplyPattern.objects.filter(evidence__strength__in=["proves", "strongly for", "for"]).first()
    right = pattern.evidence.filter(strength__in=["proves", "strongly for", "for"]).first().cause
    confirmed.count(right.slug, [pattern.slug], by_visitor=False)
    confirmed.count("no-such-cause", [pattern.slug], by_visitor=True)
    desk = Client()
    desk.force_login(sam.user)
    assert "1 of 2" in desk.get("/admin/knowledge/replypattern/").content.decode()
    assert '<td class="field-proved_true">1</td>' in desk.get(f"/admin/knowledge/cause/?q={right.slug}").content.decode()


def test_a_case_without_any_text_can_be_closed_too(sam: Person) -> None:
    case = services.open_case(pasted=b"", report=IntakeReport("none"), person=sam)
    close(case, "ip-listed", sam)
    assert counts() == {"ip-listed": (1, 0)}
