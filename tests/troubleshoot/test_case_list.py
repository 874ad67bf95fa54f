"""The list of cases: all for support staff, one's own for others; a search and a filter."""

from django.test import Client

from tests.troubleshoot.conftest import UNCLEAR, UNKNOWN_USER, Paster
from tests.troubleshoot.test_paste import DSN, VACATION
from troubleshoot.listing import PAGE_SIZE


def listed(client: Client, query: str = "", **extra: str) -> str:
    response = client.get(f"/cases/?{query}", **extra)
    assert response.status_code == 200
    return response.content.decode()


def test_support_staff_see_every_case_with_domain_and_leading_cause(supporter: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    html = listed(supporter)
    assert case.public_id in html
    assert "example.net" in html
    assert "Title of unknown-user" in html


def test_a_visitor_sees_only_their_own(client: Client, paste: Paster) -> None:
    mine, theirs = paste(), paste(by=Client())
    html = listed(client)
    assert mine.public_id in html
    assert theirs.public_id not in html


def test_somebody_without_cases_is_told_how_to_begin() -> None:
    assert "No case yet." in listed(Client())


def test_it_shows_the_outcome_of_a_closed_case(client: Client, supporter: Client, paste: Paster) -> None:
    case = paste()
    client.post(f"{case.get_absolute_url()}close/", {"cause": "none", "sentence": "The cable was out."})
    html = listed(supporter)
    assert "The cable was out." in html
    assert "Closed" in html


def test_it_filters_by_state(client: Client, supporter: Client, paste: Paster) -> None:
    closed, still_open = paste(), paste()
    client.post(f"{closed.get_absolute_url()}close/", {"cause": "unknown-user"})
    html = listed(supporter, "state=open")
    assert still_open.public_id in html
    assert closed.public_id not in html
    assert closed.public_id in listed(supporter, "state=nonsense")


def test_it_finds_by_recipient_number_and_outcome(client: Client, supporter: Client, paste: Paster) -> None:
    first, second = paste(DSN), paste(UNCLEAR)
    client.post(f"{second.get_absolute_url()}close/", {"cause": "ip-listed"})
    for query, found, other in (("carl@EXAMPLE", first, second), (first.public_id, first, second), ("ip-listed", second, first)):
        html = listed(supporter, f"q={query}")
        assert found.public_id in html.split('id="rows"')[1]
        assert other.public_id not in html.split('id="rows"')[1]


def test_nothing_found_says_so(supporter: Client, paste: Paster) -> None:
    paste()
    assert "No case fits." in listed(supporter, "q=zzz")


def test_a_nul_in_the_search_does_no_harm(supporter: Client, paste: Paster) -> None:
    paste()
    assert "example.net" in listed(supporter, "q=%00")
    assert "No case fits." in listed(supporter, "q=zzz%00")


def test_htmx_gets_the_rows_alone(supporter: Client, paste: Paster) -> None:
    paste()
    html = listed(supporter, HTTP_HX_REQUEST="true")
    assert html.strip().startswith('<div id="rows"')


def test_a_browser_never_takes_a_part_it_keeps_for_the_page(client: Client, paste: Paster) -> None:
    for address in ("/cases/", paste().get_absolute_url()):
        assert "HX-Request" in client.get(address)["Vary"]


def test_it_is_cut_into_pages_and_takes_the_same_number_of_queries_for_any_number_of_rows(
    supporter: Client, paste: Paster, django_assert_max_num_queries: object
) -> None:
    for text in (UNKNOWN_USER, UNCLEAR, VACATION, DSN) * 7:
        paste(text)
    with django_assert_max_num_queries(12):
        html = listed(supporter)
    assert html.count('<th scope="row">') == PAGE_SIZE
    assert "Page 1 of 2" in html
    assert 'href="?page=2"' in html
    assert listed(supporter, "page=2").count('<th scope="row">') == 3
