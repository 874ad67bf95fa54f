"""The sum that ranks causes, and the question that comes next."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.knowledge import FULL, KNOWLEDGE, LISTED, SNAPSHOT, SPF, UNKNOWN, WHO_IS_AFFECTED, says
from whybounce.compiled import Knowledge
from whybounce.failure import Action, DeliveryFailure, Stage
from whybounce.next_question import next_question, open_questions
from whybounce.reasoning import DONT_KNOW, Certainty, rank
from whybounce.remembered import Remembered
from whybounce.snapshot import Answer, AskedOf, Frequency, Strength
from whybounce.terms import TermKind

NOTHING = DeliveryFailure()


def probability(ranking, slug):
    return next((h.probability for h in ranking.hypotheses if h.cause.slug == slug), 0.0)


def test_without_any_observation_the_prior_ranks():
    ranking = rank(KNOWLEDGE, NOTHING)
    assert ranking.hypotheses[0].cause is UNKNOWN
    assert probability(ranking, "unknown-user") == pytest.approx(0.5 / 1.25)


def test_probabilities_sum_to_one():
    ranking = rank(
        KNOWLEDGE, DeliveryFailure(text="550 5.1.1 user unknown", code="550", enhanced="5.1.1", stage=Stage.RCPT), {"who-is-affected": "one"}
    )
    assert sum(h.probability for h in ranking.hypotheses) == pytest.approx(1)


def test_an_answer_moves_the_odds_by_the_quotient_of_its_likelihoods():
    """By hand: P(one|full) = .25e^1.5/(.25e^1.5+.25), P(one|spf) = 1/2, and one answer in twenty is either of the two."""
    before, after = rank(KNOWLEDGE, NOTHING), rank(KNOWLEDGE, NOTHING, {"who-is-affected": "one"})
    odds = probability(before, "mailbox-full") / probability(before, "spf-fail")
    expected = odds * (0.95 * math.exp(1.5) / (math.exp(1.5) + 1) + 0.05 / 2) / 0.5
    assert probability(after, "mailbox-full") / probability(after, "spf-fail") == pytest.approx(expected)


def test_an_answer_that_rules_out_removes_the_cause():
    ranking = rank(KNOWLEDGE, NOTHING, {"who-is-affected": "all"})
    assert UNKNOWN in ranking.ruled_out
    assert "unknown-user" not in [h.cause.slug for h in ranking.hypotheses]


def test_no_answer_of_a_person_all_but_excludes_a_cause_unless_a_curator_vouches_for_it():
    """A lapse is shared among the answers that nobody vouches for; what proves or rules out, and what a check sees, is taken as it is."""
    first = WHO_IS_AFFECTED.answers[0]
    against = dataclasses.replace(first, evidence=says(mailbox_full=Strength.STRONGLY_AGAINST), others=Strength.STRONGLY_AGAINST)
    proof = Answer("proof", "Proof", Frequency.VERY_RARE, evidence=says(spf_fail=Strength.PROVES), others=Strength.STRONGLY_AGAINST)
    question = dataclasses.replace(WHO_IS_AFFECTED, answers=(against, WHO_IS_AFFECTED.answers[1], proof))
    asked = Knowledge(dataclasses.replace(SNAPSHOT, questions=(question,)), KNOWLEDGE.model).questions["who-is-affected"]
    fitting = Knowledge(dataclasses.replace(SNAPSHOT, questions=(dataclasses.replace(question, asked_of=AskedOf.CHECK),)), KNOWLEDGE.model)
    full, unknown = KNOWLEDGE.index["mailbox-full"], KNOWLEDGE.index["unknown-user"]
    plain = fitting.questions["who-is-affected"].p
    assert np.array_equal(plain, asked.fitting)
    assert asked.p[0, full] == pytest.approx(0.95 * plain[0, full] + 0.05 * (1 - plain[2, full]) / 2)
    assert asked.p[1, unknown] == 0
    assert np.array_equal(asked.p[2], plain[2])
    assert asked.p.sum(axis=0) == pytest.approx(1)


@pytest.mark.parametrize("answer", [DONT_KNOW, "temperror", "unknown", "no such answer"])
def test_not_knowing_is_no_evidence(answer):
    assert np.array_equal(rank(KNOWLEDGE, NOTHING, {"check-spf": answer}).probabilities, rank(KNOWLEDGE, NOTHING).probabilities)


def test_the_ledger_adds_up_to_the_scores():
    ranking = rank(KNOWLEDGE, DeliveryFailure(text="452 4.2.2 mailbox full", code="452", enhanced="4.2.2", stage=Stage.RCPT), {"check-spf": "pass"})
    totals = {slug: sum(line.nats for line in ranking.ledger(slug)) for slug in ("mailbox-full", "spf-fail")}
    scores = {c.slug: s for c, s in zip(KNOWLEDGE.causes, ranking.scores, strict=True)}
    assert totals["mailbox-full"] - totals["spf-fail"] == pytest.approx(scores["mailbox-full"] - scores["spf-fail"])


def test_replies_that_read_the_same_are_added_up_once_and_told_apart_by_what_differs():
    one = rank(KNOWLEDGE, DeliveryFailure(text="550 User Unknown <anna@example.net>", code="550"))
    other = rank(KNOWLEDGE, DeliveryFailure(text="550 user unknown <bert@example.org>", code="550", action=Action.DELAYED))
    assert other.sum is one.sum
    assert [term.value for term in one.terms if term.kind is TermKind.PATTERN] == ["User Unknown"]
    assert [term.value for term in other.terms if term.kind is TermKind.PATTERN] == ["user unknown"]
    for differing in (
        DeliveryFailure(text="550 User Unknown <anna@example.net>", code="551"),
        DeliveryFailure(text="550 User Unknown <anna@example.net>", code="550", stage=Stage.RCPT),
        DeliveryFailure(text="550 User Unknown <anna@example.net>", code="550", remote_mta="in.mx.acme.example"),
    ):
        assert rank(KNOWLEDGE, differing).sum is not one.sum


def test_what_is_remembered_has_an_end():
    kept = Remembered(3)
    for number in range(10):
        kept[number] = number
        assert kept[number] == number
        assert len(kept) <= 3


def test_an_answer_does_not_change_what_is_kept_of_the_reply():
    failure = DeliveryFailure(text="550 user unknown", code="550")
    before = rank(KNOWLEDGE, failure).probabilities.copy()
    assert not np.array_equal(rank(KNOWLEDGE, failure, {"who-is-affected": "all"}).probabilities, before)
    assert np.array_equal(rank(KNOWLEDGE, failure).probabilities, before)


def test_words_say_how_common_a_cause_is_no_second_time():
    """Where words tell nothing apart, the sum of prior and words is what the model says, not the prior once more."""
    ranking = rank(KNOWLEDGE, DeliveryFailure(text="this mailbox is"))
    model = dict(zip(KNOWLEDGE.model.causes, np.exp(ranking.reading.log_probability), strict=True))
    assert {slug: probability(ranking, slug) for slug in model} == pytest.approx(model, abs=1e-3)


def test_the_ledger_names_the_words_that_weighed():
    ranking = rank(KNOWLEDGE, DeliveryFailure(text="452 this mailbox is full"))
    words = next(line for line in ranking.ledger("mailbox-full") if line.kind is TermKind.WORDS)
    assert "full" in dict(words.words)
    assert dict(words.words)["full"] > 0


def test_words_never_seen_together_are_understood():
    assert rank(KNOWLEDGE, DeliveryFailure(text="550 that recipient does not exist here")).top.cause is UNKNOWN
    assert rank(KNOWLEDGE, DeliveryFailure(text="554 blocked: your host is on a blocklist")).top.cause is LISTED


def test_only_a_decisive_pattern_proves():
    assert rank(KNOWLEDGE, DeliveryFailure(text="552 mailbox over quota")).verdict.certainty is Certainty.PROVED
    vague = dataclasses.replace(SNAPSHOT.patterns[2], decisive=False)
    knowledge = Knowledge(dataclasses.replace(SNAPSHOT, patterns=(*SNAPSHOT.patterns[:2], vague)), KNOWLEDGE.model)
    assert rank(knowledge, DeliveryFailure(text="552 mailbox over quota")).verdict.certainty is not Certainty.PROVED


def test_a_providers_own_pattern_comes_before_the_general_one():
    ranking = rank(KNOWLEDGE, DeliveryFailure(text="user unknown (ACME-7)"))
    assert [term.ref for term in ranking.terms if term.kind is TermKind.PATTERN] == ["acme-unknown"]


def test_a_providers_private_meaning_of_a_code_outranks_the_registered_one():
    plain = rank(KNOWLEDGE, DeliveryFailure(enhanced="5.1.1"))
    acme = rank(KNOWLEDGE, DeliveryFailure(enhanced="5.1.1", remote_mta="in.mx.acme.example"))
    assert plain.top.cause is UNKNOWN
    assert acme.provider == "acme"
    assert acme.top.cause is FULL


def test_a_registered_code_is_found_whatever_its_class():
    assert rank(KNOWLEDGE, DeliveryFailure(enhanced="4.2.2")).top.cause is FULL


def test_a_code_weighs_less_beside_words():
    def weight(ranking):
        return next(line.nats for line in ranking.ledger("unknown-user") if line.kind is TermKind.ENHANCED)

    assert weight(rank(KNOWLEDGE, DeliveryFailure(text="5.1.1 mailbox full quota exceeded", enhanced="5.1.1"))) < weight(
        rank(KNOWLEDGE, DeliveryFailure(enhanced="5.1.1"))
    )


def test_the_stage_tells_sender_from_recipient():
    assert rank(KNOWLEDGE, DeliveryFailure(code="550", stage=Stage.CONNECT)).top.cause is LISTED
    assert rank(KNOWLEDGE, DeliveryFailure(code="550", stage=Stage.RCPT)).top.cause is UNKNOWN


def test_code_against_words_is_a_contradiction():
    ranking = rank(KNOWLEDGE, DeliveryFailure(text="550 5.1.1 quota exceeded for this mailbox, not enough space", enhanced="5.1.1"))
    assert {(c.one_cause.slug, c.other_cause.slug) for c in ranking.contradictions} & {("mailbox-full", "unknown-user")}


@pytest.mark.parametrize(
    ("failure", "permanent"),
    [
        (DeliveryFailure(code="550"), True),
        (DeliveryFailure(code="450"), False),
        (DeliveryFailure(enhanced="4.2.2"), False),
        (DeliveryFailure(action=Action.DELAYED), False),
    ],
)
def test_the_first_digit_says_whether_it_is_permanent(failure, permanent):
    assert rank(KNOWLEDGE, failure).verdict.permanent is permanent


def test_where_everything_is_ruled_out_the_contradiction_is_said_and_nothing_is_lost():
    everything = dataclasses.replace(
        SNAPSHOT.questions[0].answers[1], evidence=says(unknown_user=Strength.RULES_OUT, mailbox_full=Strength.RULES_OUT, spf_fail=Strength.RULES_OUT)
    )
    one = dataclasses.replace(SNAPSHOT.questions[0], slug="one", answers=(SNAPSHOT.questions[0].answers[0], everything))
    rest = dataclasses.replace(everything, evidence=says(ip_listed=Strength.RULES_OUT))
    two = dataclasses.replace(one, slug="two", answers=(one.answers[0], rest))
    knowledge = Knowledge(dataclasses.replace(SNAPSHOT, questions=(one, two)), KNOWLEDGE.model)
    ranking = rank(knowledge, NOTHING, {"one": "all", "two": "all"})
    assert ranking.contradictory
    assert sum(h.probability for h in ranking.hypotheses) == pytest.approx(1)


def test_the_next_question_is_the_one_that_tells_most():
    assert next_question(rank(KNOWLEDGE, NOTHING)).question.slug == "who-is-affected"


def test_where_nothing_is_known_a_symptom_is_asked_for_first():
    """Also where another question tells more; as soon as anything is known, what tells most comes first."""
    sharp = Answer("spf", "SPF", Frequency.RARE, evidence=says(spf_fail=Strength.PROVES), others=Strength.STRONGLY_AGAINST)
    other = Answer("listed", "A blocklist", Frequency.RARE, evidence=says(ip_listed=Strength.PROVES), others=Strength.STRONGLY_AGAINST)
    rest = Answer("other", "Something else", Frequency.USUAL, evidence=says(spf_fail=Strength.AGAINST, ip_listed=Strength.AGAINST))
    telling = dataclasses.replace(WHO_IS_AFFECTED, slug="telling", answers=(sharp, other, rest), symptom=False)
    knowledge = Knowledge(dataclasses.replace(SNAPSHOT, questions=(telling, WHO_IS_AFFECTED)), KNOWLEDGE.model)
    assert next_question(rank(knowledge, NOTHING)).question is WHO_IS_AFFECTED
    assert next_question(rank(knowledge, DeliveryFailure(code="551"))).question is telling


def test_a_check_is_proposed_only_where_it_has_something_to_look_at():
    slugs = [q.question.slug for q in open_questions(rank(KNOWLEDGE, NOTHING), {"spf"})]
    assert "check-spf" in slugs
    assert "check-spf" not in [q.question.slug for q in open_questions(rank(KNOWLEDGE, NOTHING), ())]


def test_what_was_asked_is_not_asked_again():
    assert "who-is-affected" not in [q.question.slug for q in open_questions(rank(KNOWLEDGE, NOTHING, {"who-is-affected": DONT_KNOW}), ())]


def test_no_question_is_asked_once_one_cause_is_sure():
    assert next_question(rank(KNOWLEDGE, DeliveryFailure(text="552 mailbox over quota"))) is None


def test_a_question_that_could_not_change_what_to_do_is_not_asked():
    ranking = rank(KNOWLEDGE, NOTHING)
    for question in open_questions(ranking, {"spf"}):
        leaders = {p.leader.slug for p in question.prospects if p.chance >= 0.03}
        if leaders == {ranking.top.cause.slug}:
            assert next_question(ranking, {"spf"}).question.slug != question.question.slug


@pytest.mark.parametrize(("strength", "asked"), [(Strength.STRONGLY_FOR, True), (Strength.FOR, False)])
def test_a_question_that_tells_much_is_asked_though_no_answer_of_its_own_would_change_the_leader(strength, asked):
    """5 to 1 before it: with others it may."""
    rare = dataclasses.replace(FULL, frequency=Frequency.OCCASIONAL)
    against = {"unknown_user": Strength.AGAINST} if asked else {}
    yes = Answer("yes", "Yes", Frequency.COMMON, evidence=says(mailbox_full=strength, **against))
    question = dataclasses.replace(WHO_IS_AFFECTED, answers=(yes, Answer("no", "No")))
    knowledge = Knowledge(dataclasses.replace(SNAPSHOT, causes=(UNKNOWN, rare), questions=(question,), patterns=(), codes=(), examples=()))
    ranking = rank(knowledge, NOTHING)
    assert {p.leader.slug for p in open_questions(ranking)[0].prospects} == {"unknown-user"}
    assert (next_question(ranking) is not None) is asked


def test_prospects_say_what_each_answer_would_lead_to():
    question = next_question(rank(KNOWLEDGE, NOTHING))
    after = rank(KNOWLEDGE, NOTHING, {"who-is-affected": "all"})
    prospect = next(p for p in question.prospects if p.answer == "all")
    assert prospect.leader is after.top.cause
    assert prospect.leader_probability == pytest.approx(after.top.probability)
    assert sum(p.chance for p in question.prospects) == pytest.approx(1)


def test_the_gain_is_the_entropy_expected_to_go():
    def entropy(p):
        return -sum(x * math.log(x) for x in p if x > 0)

    ranking = rank(KNOWLEDGE, NOTHING)
    question = next(q for q in open_questions(ranking, ()) if q.question.slug == "who-is-affected")
    later = sum(p.chance * entropy(rank(KNOWLEDGE, NOTHING, {"who-is-affected": p.answer}).probabilities) for p in question.prospects)
    assert question.gain == pytest.approx(entropy(ranking.probabilities) - later)


answers = st.fixed_dictionaries(
    {},
    optional={
        question.slug: st.sampled_from([*(a.slug for a in question.answers), DONT_KNOW])
        for question in SNAPSHOT.questions
        if question.asked_of is not AskedOf.REPLY
    },
)


@given(text=st.text(max_size=200), observations=answers, stage=st.sampled_from(list(Stage)))
def test_any_text_and_any_answers_give_a_ranking(text, observations, stage):
    ranking = rank(KNOWLEDGE, DeliveryFailure(text=text, stage=stage), observations)
    assert sum(h.probability for h in ranking.hypotheses) == pytest.approx(1)
    assert ranking.verdict.certainty in Certainty
    for hypothesis in ranking.hypotheses:
        assert ranking.ledger(hypothesis.cause.slug)


def test_no_knowledge_gives_no_causes_and_no_crash():
    ranking = rank(
        Knowledge(dataclasses.replace(SNAPSHOT, causes=(), questions=(), patterns=(), codes=(), examples=())),
        DeliveryFailure(text="550 x", code="550"),
    )
    assert ranking.hypotheses == []
    assert ranking.verdict.certainty is Certainty.UNCLEAR
    assert next_question(ranking) is None


def test_spf_fails_check_speaks_for_spf():
    assert rank(KNOWLEDGE, NOTHING, {"check-spf": "fail"}).top.cause is SPF


def test_a_decisive_pattern_proves_also_beside_a_longer_one():
    longer = dataclasses.replace(
        SNAPSHOT.patterns[0], slug="longer", pattern="mailbox over quota, ask again", evidence=says(mailbox_full=Strength.FOR)
    )
    knowledge = Knowledge(dataclasses.replace(SNAPSHOT, patterns=(*SNAPSHOT.patterns, longer)), KNOWLEDGE.model)
    assert rank(knowledge, DeliveryFailure(text="552 mailbox over quota, ask again")).top.proved
