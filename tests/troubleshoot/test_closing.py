"""A case is closed with the cause that proved true, and can be reopened."""

import pytest
from django.test import Client

from tests.troubleshoot.conftest import UNCLEAR, UNKNOWN_USER, Paster
from troubleshoot import services
from troubleshoot.models import Case, Outcome
from troubleshoot.people import Person


def close(client: Client, case: Case, **fields: str) -> int:
    return client.post(f"{case.get_absolute_url()}close/", fields).status_code


def test_it_is_closed_with_one_of_the_ranked_causes(client: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    assert close(client, case, cause="mailbox-full", sentence="They had moved.") == 302
    case.refresh_from_db()
    assert case.is_closed
    html = client.get(case.get_absolute_url()).content.decode()
    assert 'It proved to be: <a href="/causes/mailbox-full/">Title of mailbox-full</a>' in html
    assert "They had moved." in html
    assert "The ranking had led with: Title of unknown-user" in html


def test_the_outcome_keeps_the_first_guess_and_the_revision(client: Client, paste: Paster, revision: object) -> None:
    close(client, paste(UNKNOWN_USER), cause="unknown-user")
    outcome = Outcome.objects.get()
    assert outcome.first_guess == "unknown-user"
    assert 0.5 < outcome.probability <= 1
    assert outcome.revision == revision.pk


def test_it_is_closed_with_another_cause_from_the_list(client: Client, paste: Paster) -> None:
    assert close(client, paste(), cause="other", other="ip-listed") == 302
    assert Outcome.objects.get().cause == "ip-listed"


def test_none_of_the_causes_needs_a_sentence(client: Client, paste: Paster) -> None:
    case = paste()
    assert close(client, case, cause="none") == 409
    assert close(client, case, cause="none", sentence="The cable was out.") == 302
    outcome = Outcome.objects.get()
    assert (outcome.cause, outcome.sentence) == ("", "The cable was out.")
    assert "It was none of the known causes" in client.get(case.get_absolute_url()).content.decode()


@pytest.mark.parametrize("fields", [{}, {"cause": "no-such-cause"}, {"cause": "other"}, {"cause": "x" * 500}])
def test_a_cause_that_does_not_exist_is_refused(client: Client, paste: Paster, fields: dict[str, str]) -> None:
    case = paste()
    assert close(client, case, **fields) == 409
    case.refresh_from_db()
    assert not case.is_closed


def test_a_closed_case_takes_no_answers_checks_or_second_outcome(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    close(client, case, cause="ip-listed")
    for page, fields in (
        ("answer/", {"question": "who-is-affected", "answer": "one"}),
        ("take-back/", {"question": "who-is-affected"}),
        ("checks/", {"name": "mx", "domain": "example.net"}),
        ("choose/", {"position": "0"}),
        ("close/", {"cause": "mailbox-full"}),
    ):
        response = client.post(f"{case.get_absolute_url()}{page}", fields)
        assert response.status_code == 409, page
        assert "This case is closed." in response.content.decode()
    assert Outcome.objects.get().cause == "ip-listed"


def test_of_two_who_close_at_once_one_is_told_that_it_is_closed(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    also = Case.objects.get(pk=case.pk)
    services.close_case(case=case, cause="ip-listed", sentence="", person=Person())
    with pytest.raises(services.CaseIsClosed):
        services.close_case(case=also, cause="mailbox-full", sentence="", person=Person())
    assert Outcome.objects.get().cause == "ip-listed"


def test_a_reopened_case_goes_on_and_keeps_its_earlier_outcome(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    close(client, case, cause="ip-listed")
    client.post(f"{case.get_absolute_url()}reopen/")
    assert client.post(f"{case.get_absolute_url()}answer/", {"question": "who-is-affected", "answer": "one"}).status_code == 302
    assert close(client, case, cause="mailbox-full") == 302
    first, second = Outcome.objects.order_by("pk")
    assert (first.cause, first.reopened_at is not None) == ("ip-listed", True)
    assert (second.cause, second.reopened_at is None) == ("mailbox-full", True)


def test_reopening_an_open_case_changes_nothing(client: Client, paste: Paster) -> None:
    case = paste()
    assert client.post(f"{case.get_absolute_url()}reopen/").status_code == 302
    case.refresh_from_db()
    assert not case.is_closed


def test_who_closed_it_is_kept(supporter: Client, paste: Paster) -> None:
    close(supporter, paste(), cause="unknown-user")
    assert Outcome.objects.get().by.username == "sam"


def test_one_click_closes_it_with_a_ranked_cause(client: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    html = client.get(case.get_absolute_url()).content.decode()
    quick = html.split('class="close-quick"')[1].split("</form>")[0]
    assert quick.count("<button") == 2
    assert '<button class="btn btn-sm btn-quiet" name="cause" value="unknown-user">Title of unknown-user</button>' in quick


def test_the_causes_to_close_with_are_searched(client: Client, paste: Paster) -> None:
    at = f"{paste().get_absolute_url()}causes/"
    found = client.get(f"{at}?q=full mailbox").content.decode()
    assert '<option value="mailbox-full" selected>Title of mailbox-full</option>' in found
    assert found.count("<option") == 1
    assert client.get(at).content.decode().count("<option") == 5
    assert "No cause fits" in client.get(f"{at}?q=zzz").content.decode()
