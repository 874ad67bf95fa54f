"""How common causes are is learned from closed cases, within bounds."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.knowledge import KNOWLEDGE
from whybounce.failure import DeliveryFailure
from whybounce.priors import CAP, WORTH, learned_log_prior
from whybounce.reasoning import rank

SHIPPED = np.log(np.array([0.5, 0.3, 0.15, 0.04, 0.01]))
NONE = np.zeros(5)


def seen(**counts: int) -> np.ndarray:
    vector = NONE.copy()
    for name, n in counts.items():
        vector[int(name[1:])] = n
    return vector


def test_without_closings_it_is_the_shipped_one_to_the_last_bit() -> None:
    assert learned_log_prior(SHIPPED, NONE) is SHIPPED


def test_few_closings_are_added_as_a_dirichlet_distribution_has_it() -> None:
    learned = np.exp(learned_log_prior(SHIPPED, seen(c0=3, c3=10)))
    expected = np.array([0.5 * WORTH + 3, 0.3 * WORTH, 0.15 * WORTH, 0.04 * WORTH + 10, 0.01 * WORTH]) / (WORTH + 13)
    assert learned == pytest.approx(expected)


@pytest.mark.parametrize("cause", range(5))
@pytest.mark.parametrize("n", [1, 100, 10_000, 10_000_000])
def test_closings_of_one_cause_move_no_prior_by_more_than_the_cap(cause: int, n: int) -> None:
    moved = learned_log_prior(SHIPPED, seen(**{f"c{cause}": n})) - SHIPPED
    assert np.abs(moved).max() <= CAP + 1e-9
    assert moved.max() - moved.min() <= CAP + 1e-9  # the odds between any two
    assert moved[cause] == moved.max() > 0


def test_ten_thousand_closings_of_a_rare_cause_in_figures() -> None:
    """From 1 % to 4.3 %: more than fourfold, and no more."""
    learned = np.exp(learned_log_prior(SHIPPED, seen(c4=10_000)))
    assert learned[4] == pytest.approx(0.01 * np.exp(CAP) / (0.99 + 0.01 * np.exp(CAP)))
    assert learned[4] == pytest.approx(0.0433, abs=0.0005)
    assert learned[0] == pytest.approx(0.4832, abs=0.0005)


def test_many_closings_spread_as_the_knowledge_says_change_nothing() -> None:
    learned = learned_log_prior(SHIPPED, np.exp(SHIPPED) * 100_000)
    assert learned == pytest.approx(SHIPPED)


def test_shares_stay_distinct_however_many_closings_there_are() -> None:
    """The most closings count for WORTH: the second of two causes still gains less than the first."""
    moved = learned_log_prior(SHIPPED, seen(c1=600_000, c2=400_000)) - SHIPPED
    assert moved[2] > moved[1] > moved[0]


def test_it_is_a_distribution() -> None:
    assert np.exp(learned_log_prior(SHIPPED, seen(c1=7, c4=9000))).sum() == pytest.approx(1)


# --- in the ranking ---


def test_knowledge_that_counted_nothing_is_the_same_object() -> None:
    assert KNOWLEDGE.with_counts({}) is KNOWLEDGE
    assert KNOWLEDGE.with_counts({"no-such-cause": 9}) is KNOWLEDGE


def test_what_was_often_closed_ranks_higher_without_a_text() -> None:
    before = rank(KNOWLEDGE, DeliveryFailure())
    learned = KNOWLEDGE.with_counts({"ip-listed": 1000})
    after = rank(learned, DeliveryFailure())
    place = KNOWLEDGE.index["ip-listed"]
    assert after.probabilities[place] > before.probabilities[place]
    odds = np.log(after.probabilities / before.probabilities)
    assert odds.max() - odds.min() <= CAP + 1e-9
    assert learned.closings == 1000


def test_it_counts_beside_a_text_too_and_the_ledger_says_so() -> None:
    failure = DeliveryFailure(text="451 4.0.0 not now", code="451")
    learned = KNOWLEDGE.with_counts({"ip-listed": 1000})
    before, after = rank(KNOWLEDGE, failure), rank(learned, failure)
    place = KNOWLEDGE.index["ip-listed"]
    gained = after.scores[place] - before.scores[place]
    assert gained == pytest.approx(learned.log_prior[place] - KNOWLEDGE.log_prior[place])
    assert gained > 0.1
    assert after.ledger("ip-listed")[0].nats > before.ledger("ip-listed")[0].nats


def test_a_text_that_proves_its_cause_stands_against_any_habit() -> None:
    failure = DeliveryFailure(text="550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown", code="550", enhanced="5.1.1")
    top = rank(KNOWLEDGE.with_counts({"ip-listed": 1_000_000}), failure).top
    assert top.cause.slug == "unknown-user"


def test_the_counted_and_the_plain_one_do_not_mix_what_they_remember() -> None:
    failure = DeliveryFailure(text="451 4.0.0 not now", code="451")
    plain = rank(KNOWLEDGE, failure).probabilities
    rank(KNOWLEDGE.with_counts({"ip-listed": 1000}), failure)
    assert rank(KNOWLEDGE, failure).probabilities == pytest.approx(plain)
    assert KNOWLEDGE.with_counts({"ip-listed": 5}).with_counts({}).log_prior == pytest.approx(KNOWLEDGE.log_prior)
