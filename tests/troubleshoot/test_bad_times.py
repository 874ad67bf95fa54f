"""What changes under a case while people work on it: other tabs, other knowledge, a server that is killed."""

from dataclasses import replace

import pytest
from django.test import Client

from tests.engine import knowledge as engine
from tests.troubleshoot.conftest import UNCLEAR, UNKNOWN_USER, Paster
from tests.troubleshoot.knowledge import HAS_SPACE, SNAPSHOT
from tests.troubleshoot.publishing import publish
from tests.troubleshoot.test_groups import MIXED
from tests.troubleshoot.test_guided import HTMX, answer, given
from troubleshoot import services
from troubleshoot.models import Case, CaseEvent, Outcome, ScopedAnswer

WITHOUT_QUESTION = replace(SNAPSHOT, questions=tuple(question for question in SNAPSHOT.questions if question.slug != "has-space"))
WITHOUT_CAUSE = replace(
    SNAPSHOT,
    causes=(engine.FULL, engine.SPF, engine.LISTED),
    questions=(
        *(question for question in WITHOUT_QUESTION.questions if not any(e.cause == "unknown-user" for a in question.answers for e in a.evidence)),
        HAS_SPACE,
    ),
    patterns=tuple(item for item in SNAPSHOT.patterns if not any(e.cause == "unknown-user" for e in item.evidence)),
    codes=tuple(item for item in SNAPSHOT.codes if not any(e.cause == "unknown-user" for e in getattr(item, "evidence", ()))),
    examples=tuple(item for item in SNAPSHOT.examples if item.cause != "unknown-user"),
)


def page(client: Client, case: Case) -> str:
    return client.get(case.get_absolute_url()).content.decode()


# --- two tabs ---


def test_two_tabs_that_answer_different_questions_lose_nothing(client: Client, paste: Paster) -> None:
    """Both tabs show the case as it was at the beginning; what the second gets knows of the first."""
    case = paste(UNCLEAR)
    answer(client, case, "who-is-affected", "one")
    response = client.post(f"{case.get_absolute_url()}answer/", {"question": "has-space", "answer": "no"}, **HTMX)
    assert given(case) == {"who-is-affected": "one", "has-space": "no"}
    html = response.content.decode().split("Answered so far")[1]
    assert "One address" in html
    assert "No, it is full" in html


def test_two_tabs_that_answer_the_same_question_leave_the_later_answer(client: Client, supporter: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    answer(client, case, "has-space", "yes")
    answer(supporter, case, "has-space", "no")
    assert given(case) == {"has-space": "no"}
    assert case.observations.get().by.username == "sam"
    assert [event.data["answer"] for event in CaseEvent.objects.filter(case=case, kind="answered")] == ["yes", "no"]


def test_a_tab_that_does_not_know_that_the_case_was_closed_is_told(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    client.post(f"{case.get_absolute_url()}close/", {"cause": "mailbox-full"})
    response = client.post(f"{case.get_absolute_url()}answer/", {"question": "has-space", "answer": "no"}, **HTMX)
    html = response.content.decode()
    assert "This case is closed. Reopen it to go on." in html
    assert "Reopen this case" in html
    assert given(case) == {}


def test_a_tab_that_takes_back_what_another_took_back_does_no_harm(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    answer(client, case, "has-space", "no")
    for _tab in range(2):
        assert client.post(f"{case.get_absolute_url()}take-back/", {"question": "has-space"}).status_code == 302
    assert given(case) == {}


# --- knowledge that was withdrawn meanwhile ---


def test_an_answer_to_a_question_that_was_unpublished_meanwhile_is_refused_and_the_page_goes_on(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    publish(WITHOUT_QUESTION)
    response = client.post(f"{case.get_absolute_url()}answer/", {"question": "has-space", "answer": "no"}, **HTMX)
    html = response.content.decode()
    assert "There is no such question any more." in html
    assert 'data-asked="who-is-affected"' in html
    assert given(case) == {}


def test_an_answer_given_before_is_kept_and_says_that_it_no_longer_counts(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    answer(client, case, "has-space", "no")
    publish(WITHOUT_QUESTION)
    assert "this question has been withdrawn since; the answer no longer counts" in page(client, case)
    assert given(case) == {"has-space": "no"}
    publish(SNAPSHOT)
    html = page(client, case)
    assert "withdrawn since" not in html
    assert "Title of mailbox-full" in html.split("</h1>")[0]


def test_an_answer_whose_choice_was_withdrawn_says_so_and_can_be_changed(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    answer(client, case, "has-space", "no")
    others = tuple(item for item in SNAPSHOT.questions if item.slug != "has-space")
    publish(replace(SNAPSHOT, questions=(*others, replace(HAS_SPACE, answers=(HAS_SPACE.answers[0], replace(HAS_SPACE.answers[1], slug="full"))))))
    html = page(client, case)
    assert "this answer has been withdrawn since; it no longer counts" in html
    assert "?ask=has-space" in html


def test_a_case_that_stood_on_a_withdrawn_cause_keeps_what_it_was_told_and_says_so(client: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    answer(client, case, "has-space", "yes")
    publish(WITHOUT_CAUSE)
    html = page(client, case)
    assert "This case pointed to “unknown-user”, which has been withdrawn since." in html
    assert "Title of unknown-user" not in html
    assert given(case) == {"has-space": "yes"}


def test_a_case_closed_with_a_cause_that_was_withdrawn_keeps_it(client: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    client.post(f"{case.get_absolute_url()}close/", {"cause": "unknown-user"})
    publish(WITHOUT_CAUSE)
    html = page(client, case)
    assert "“unknown-user” has been withdrawn from the knowledge since. The case keeps that it proved true." in html
    assert Outcome.objects.get(case=case).cause == "unknown-user"


# --- killed in the middle of a step ---


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last write of each step does not come about."""

    def die(*_args: object, **_rest: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(services, "summarise", die)
    monkeypatch.setattr(services, "record", die)


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("answer/", {"question": "has-space", "answer": "no", "scope": "group"}),
        ("symptoms/", {"symptom-who-is-affected": "one", "symptom-has-space": "no"}),
        ("choose/", {"position": "2"}),
        ("close/", {"cause": "mailbox-full"}),
    ],
)
@pytest.mark.usefixtures("dying")
@pytest.mark.django_db(transaction=True)
def test_a_step_that_breaks_off_leaves_nothing_half_written(client: Client, paste: Paster, address: str, sent: dict[str, str]) -> None:
    case = paste(MIXED)
    with pytest.raises(KeyboardInterrupt):
        client.post(case.get_absolute_url() + address, sent)
    case.refresh_from_db()
    assert (case.state, case.position) == (Case.State.OPEN, 0)
    assert given(case) == {}
    assert not ScopedAnswer.objects.exists()
    assert not CaseEvent.objects.exists()
    assert not Outcome.objects.exists()
    assert 'id="question"' in page(client, case)
