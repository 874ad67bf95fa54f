"""Several failures in one paste: grouped by cause, answered for a group, moved between; a thousand stay quick and small."""

import re

from django.test import Client

from knowledge.current import forget
from knowledge.models import KnowledgeRevision
from tests.troubleshoot.conftest import Paster
from tests.troubleshoot.test_guided import HTMX
from troubleshoot.models import Case

HEAD = "Reporting-MTA: dns; out.example.org\n"


def failed(recipient: str, code: str, said: str) -> str:
    return (
        f"\nFinal-Recipient: rfc822; {recipient}\nAction: failed\nStatus: {code}\n"
        f"Remote-MTA: dns; mx.example.net\nDiagnostic-Code: smtp; {code[0]}51 {code} {said}\n"
    )


def unknown(recipient: str) -> str:
    return failed(recipient, "5.1.1", f"<{recipient}>: Recipient address rejected: User unknown")


def full(recipient: str) -> str:
    return failed(recipient, "5.2.2", "mailbox over quota")


def unclear(recipient: str, said: str = "not now") -> str:
    return failed(recipient, "4.0.0", f"{recipient} {said}")


MIXED = HEAD + unknown("a@example.net") + full("b@example.net") + unknown("c@example.net") + unclear("d@example.net") + unclear("e@example.net")


def page(client: Client, case: Case) -> str:
    return client.get(case.get_absolute_url()).content.decode()


def groups(html: str) -> list[tuple[str, str]]:
    return re.findall(r'<span class="group-count">(\d+)</span> ([^<]+)', html)


def turn(client: Client, case: Case, position: int) -> None:
    assert client.post(f"{case.get_absolute_url()}choose/", {"position": str(position)}).status_code == 302


def say(client: Client, case: Case, answer: str, scope: str, question: str = "who-is-affected") -> None:
    response = client.post(f"{case.get_absolute_url()}answer/", {"question": question, "answer": answer, "scope": scope})
    assert response.status_code == 302


def given(case: Case) -> dict[str, str]:
    return dict(case.observations.values_list("question", "answer"))


def test_recipients_are_grouped_by_what_their_replies_point_to(client: Client, paste: Paster) -> None:
    found = groups(page(client, paste(MIXED)))
    assert found[0] == ("2", "Title of unknown-user")
    assert ("1", "Title of mailbox-full") in found
    assert len(found) == 3
    assert any(n == "2" and label.startswith("Not clear from the text: “451 4.0.0 d@example.net not now") for n, label in found)


def test_replies_that_are_unclear_in_different_words_are_not_one_group(client: Client, paste: Paster) -> None:
    text = HEAD + unclear("a@example.net", "not now") + unclear("b@example.net", "try once more")
    assert [n for n, _label in groups(page(client, paste(text)))] == ["1", "1"]


def test_one_moves_to_another_group_and_within_a_group(client: Client, paste: Paster) -> None:
    case = paste(MIXED)
    html = page(client, case)
    assert "Recipient 1 of 2 in this group" in html
    assert 'id="recipient-next" name="position" value="2"' in html
    assert 'id="recipient-previous"' not in html
    turn(client, case, 2)
    html = page(client, case)
    assert '<option value="2" selected>c@example.net</option>' in html
    assert 'id="recipient-previous" name="position" value="0"' in html
    turn(client, case, 1)
    assert "Title of mailbox-full" in page(client, case).split("</h1>")[0]


def test_choosing_from_the_list_without_javascript(client: Client, paste: Paster) -> None:
    case = paste(MIXED)
    client.post(f"{case.get_absolute_url()}choose/", {"to": "2"})
    case.refresh_from_db()
    assert case.position == 2


def test_an_answer_for_a_group_holds_for_its_members_alone(client: Client, paste: Paster) -> None:
    case = paste(MIXED)
    say(client, case, "one", "group")
    turn(client, case, 2)
    assert given(case) == {"who-is-affected": "one"}
    turn(client, case, 1)
    assert given(case) == {}
    turn(client, case, 0)
    assert given(case) == {"who-is-affected": "one"}


def test_an_answer_for_one_holds_for_no_other(client: Client, paste: Paster) -> None:
    case = paste(MIXED)
    say(client, case, "one", "group")
    turn(client, case, 2)
    say(client, case, "all", "one")
    turn(client, case, 0)
    assert given(case) == {"who-is-affected": "one"}
    turn(client, case, 2)
    assert given(case) == {"who-is-affected": "all"}


def test_an_answer_for_a_group_replaces_those_of_its_members(client: Client, paste: Paster) -> None:
    case = paste(MIXED)
    turn(client, case, 2)
    say(client, case, "all", "one")
    turn(client, case, 0)
    say(client, case, "one", "group")
    turn(client, case, 2)
    assert given(case) == {"who-is-affected": "one"}


def test_an_answer_for_all_replaces_those_of_groups(client: Client, paste: Paster) -> None:
    case = paste(MIXED)
    say(client, case, "one", "group")
    turn(client, case, 1)
    say(client, case, "all", "all")
    turn(client, case, 0)
    assert given(case) == {"who-is-affected": "all"}


def test_an_answer_that_is_taken_back_does_not_come_again(client: Client, paste: Paster) -> None:
    case = paste(MIXED)
    say(client, case, "one", "group")
    client.post(f"{case.get_absolute_url()}take-back/", {"question": "who-is-affected"})
    turn(client, case, 2)
    turn(client, case, 0)
    assert given(case) == {}


def test_who_said_it_and_when_stay_with_the_answer(supporter: Client, client: Client, paste: Paster) -> None:
    case = paste(MIXED)
    say(supporter, case, "one", "group")
    at = case.observations.get().at
    turn(client, case, 1)
    turn(client, case, 0)
    row = case.observations.get()
    assert (row.by.username, row.at) == ("sam", at)


def test_a_group_whose_cause_was_withdrawn_says_so(client: Client, paste: Paster) -> None:
    case = paste(MIXED)
    case.failures.filter(group="unknown-user").update(group="withdrawn-cause")
    html = page(client, case)
    assert "withdrawn since" in html
    assert "When this was pasted, the text pointed to “withdrawn-cause”." in html


def test_recipients_that_were_stored_before_there_were_groups_are_one(client: Client, paste: Paster) -> None:
    case = paste(MIXED)
    case.failures.update(group="")
    html = page(client, case)
    assert "Recipient 1 of 5" in html
    assert groups(html) == []


def test_a_paste_before_anything_is_published_is_kept(client: Client, paste: Paster) -> None:
    KnowledgeRevision.objects.all().delete()
    forget()
    response = client.post("/paste/", {"text": MIXED})
    assert response.status_code == 302
    assert set(Case.objects.get().failures.values_list("group", flat=True)) == {""}


def test_a_thousand_recipients_stay_within_queries_and_size(client: Client, paste: Paster, django_assert_max_num_queries: object) -> None:
    text = HEAD + "".join((unknown, full, unclear)[n % 3](f"someone.named.{n}@example.net") for n in range(1000))
    case = paste(text)
    assert case.failure_count == 1000
    turn(client, case, 500)
    with django_assert_max_num_queries(12):
        html = page(client, case)
    assert len(html.encode()) < 60_000
    assert [n for n, _label in groups(html)] == ["334", "333", "333"]
    assert "Recipient 167 of 333 in this group" in html
    with django_assert_max_num_queries(12):
        client.post(f"{case.get_absolute_url()}answer/", {"question": "who-is-affected", "answer": "one", "scope": "group"}, **HTMX)
    turn(client, case, 998)
    assert given(case) == {"who-is-affected": "one"}
