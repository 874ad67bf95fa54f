"""The code reference: a page for every code and cause, without queries, with links that lead somewhere."""

import re
from html import escape
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from knowledge import models
from knowledge.current import forget, snapshot
from knowledge.publishing import publish
from knowledge.reference import find_codes

pytestmark = pytest.mark.django_db
STATUS = models.Row.Status
LINK = re.compile(r'<a [^>]*href="(/[^"#?]*)')


def get(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, path
    return response.content.decode()


def pages() -> list[str]:
    codes = [reverse("code", args=[code.code]) for code in snapshot().codes]
    causes = [reverse("cause", args=[cause.slug]) for cause in snapshot().causes]
    return [reverse("code-list"), reverse("cause-list"), reverse("search"), *codes, *causes]


def test_every_code_and_cause_has_a_page_with_one_heading_and_its_title(client: Client) -> None:
    for code in snapshot().codes:
        html = get(client, reverse("code", args=[code.code]))
        assert html.count("<h1") == 1
        assert escape(code.title) in html
    for cause in snapshot().causes:
        html = get(client, reverse("cause", args=[cause.slug]))
        assert html.count("<h1") == 1
        assert escape(cause.title) in html
        assert escape(cause.summary) in html


def test_every_link_inside_the_site_leads_somewhere(client: Client) -> None:
    links = {link for page in pages() for link in LINK.findall(get(client, page))}
    assert reverse("cause", args=["recipient-unknown"]) in links
    assert reverse("code", args=["550"]) in links
    for link in sorted(links):
        assert client.get(link).status_code in (200, 302), link


def test_the_lists_hold_everything(client: Client) -> None:
    codes, causes = get(client, reverse("code-list")), get(client, reverse("cause-list"))
    for code in snapshot().codes:
        assert reverse("code", args=[code.code]) in codes
    for cause in snapshot().causes:
        assert reverse("cause", args=[cause.slug]) in causes


def found(**filters: str) -> list[str]:
    return [f"{row.row.code} {row.row.provider}".strip() for row in find_codes(**filters)]


def test_the_table_of_codes_stands_in_order() -> None:
    assert found() == ["550", "552", "599", "450", "354", "X.1.1", "X.2.2", "X.7.1", "X.7.26", "5.7.26 google"]


@pytest.mark.parametrize(
    ("filters", "codes"),
    [
        ({"query": "mailbox"}, ["550", "450", "X.1.1", "X.2.2"]),
        ({"query": "MAILBOX full"}, ["X.2.2"]),
        ({"query": "55"}, ["550", "552"]),
        ({"query": "5.7.26"}, ["X.7.26", "5.7.26 google"]),
        ({"query": "4.7.26"}, ["X.7.26"]),
        ({"query": "gmail"}, ["5.7.26 google"]),
        ({"query": "xylophone"}, []),
        ({"digit": "4"}, ["450", "X.1.1", "X.2.2", "X.7.1", "X.7.26"]),
        ({"digit": "3"}, ["354"]),
        ({"sort": "folk"}, ["599"]),
        ({"sort": "provider"}, ["5.7.26 google"]),
        ({"query": "mailbox", "digit": "4", "sort": "standard"}, ["450", "X.1.1", "X.2.2"]),
    ],
)
def test_codes_are_filtered_by_number_word_class_and_who_defined_them(filters: dict[str, str], codes: list[str]) -> None:
    assert found(**filters) == codes


def test_the_filter_of_the_list_works_by_its_address(client: Client) -> None:
    html = get(client, "/codes/?q=mailbox&class=4&sort=standard")
    assert "3 of 10 codes" in html
    assert reverse("code", args=["550"]) + '"' not in html.split("<tbody>")[1]
    assert '<option value="4" selected>' in html
    assert 'value="mailbox"' in html
    assert "No code fits" in get(client, "/codes/?q=<b>xylophone")
    assert "10 of 10 codes" in get(client, "/codes/?class=9&sort=x")


@pytest.mark.parametrize("query", ["\x00", "x" * 10_000, "🙂", "...", "(", "\u202e"])
def test_anything_may_be_typed_into_the_filter(client: Client, query: str) -> None:
    assert client.get("/codes/", {"q": query}).status_code == 200


def test_no_page_asks_the_database_once_the_knowledge_is_known(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_FRESH_SECONDS", "_SERVED_SECONDS"):  # however slow the machine is
        monkeypatch.setattr(f"knowledge.current.{name}", 1e9)
    for page in [*pages(), reverse("search") + "?q=mailbox"]:
        get(client, page)
        snapshot()
        with django_assert_num_queries(0):
            get(client, page)


def test_a_second_later_a_page_asks_only_for_the_newest_revision(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = reverse("code", args=["550"])
    get(client, page)
    monkeypatch.setattr("knowledge.current._FRESH_SECONDS", 1e-9)
    with django_assert_num_queries(1):  # after the response
        get(client, page)


def test_a_code_page_says_meaning_causes_myths_and_source(client: Client) -> None:
    html = get(client, "/codes/550/")
    assert "The server <strong>refuses</strong> the mailbox." in html
    assert "<li>The address does not exist.</li>" in html
    assert "550 always means an unknown user" in html
    assert "answers RCPT, MAIL" in html
    assert '<a href="https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3" rel="noopener">RFC 5321 section 4.2.3</a>' in html
    first, second = (html.index(reverse("cause", args=[slug])) for slug in ("recipient-unknown", "ip-listed-spamhaus-xbl"))
    assert first < second, "the cause that it speaks for more strongly comes first"


def test_an_enhanced_code_has_the_registered_meaning_and_the_providers(client: Client) -> None:
    html = get(client, "/codes/5.7.26/")
    assert html.index("Authentication missing") < html.index("Unauthenticated mail")
    assert "as Gmail and Google Workspace uses it" in html
    assert "temporary" not in html
    assert "temporary" in get(client, "/codes/4.7.26/")
    assert "Unauthenticated mail" not in get(client, "/codes/4.7.26/")


def test_a_registered_code_may_be_written_in_lower_case(client: Client) -> None:
    assert get(client, "/codes/x.1.1/").count("Bad destination mailbox") == get(client, "/codes/X.1.1/").count("Bad destination mailbox") > 0


@pytest.mark.parametrize(
    "code", ["666", "5.99.99", "9.1.1", "X.", "X..", "X.1", "5.", ".", "550-5.1.1", "mailbox", "x" * 3000, "\u202e055", "<b>", "%", "%00"]
)
def test_an_unknown_code_is_not_found_and_the_page_helps(client: Client, code: str) -> None:
    html = get(client, f"/codes/{quote(code, safe='')}/", status=404)
    assert "A reply code has three digits" in html
    assert reverse("code-list") in html
    assert "<b>" not in html
    assert "\u202e" not in html


def test_an_unknown_code_is_searched_for(client: Client) -> None:
    assert reverse("code", args=["550"]) in get(client, "/codes/55/", status=404)


def test_an_unknown_cause_is_not_found(client: Client) -> None:
    assert "There is no such page" in get(client, "/causes/nothing-of-the-kind/", status=404)


def test_a_cause_page_says_who_acts_the_steps_the_replies_and_the_signs(client: Client) -> None:
    html = get(client, "/causes/recipient-unknown/")
    for part in (
        "the sender",
        "the recipient's mail admin",
        '<em class="blank">the recipient&#x27;s address</em>',
        "Is the recipient&#x27;s address spelt right?",
        "https://support.google.com/mail/?p=NoSuchUser",
        "<strong>5.1.1</strong>",
        "The email account that you tried to reach does not exist",
        "Who else has the same problem?",
        "/codes/X.1.1/",
        "/causes/greylisting/",
        "checked 2026-11-23",
    ):
        assert part in html, part


def test_what_is_a_draft_is_not_shown(client: Client) -> None:
    models.Cause.objects.filter(slug="greylisting").update(status=STATUS.DRAFT)
    publish(by=None, reason="test")
    forget()
    get(client, "/causes/greylisting/", status=404)
    assert "greylisting" not in get(client, "/causes/recipient-unknown/")


def test_html_and_script_in_knowledge_are_shown_as_text(client: Client) -> None:
    bad = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1))"
    for row in [*models.Cause.objects.all(), *models.StatusCode.objects.all()]:
        for field in ("title", "summary", "explanation", "meaning", "retry", "usual_causes", "find_out", "what_to_do"):
            if hasattr(row, field):
                setattr(row, field, bad)
        row.save()
    models.RemedyStep.objects.update(text=bad, wording=bad)
    models.Question.objects.update(text=bad)
    models.Answer.objects.update(text=bad)
    models.Myth.objects.update(claim=bad, truth=bad, source=bad)
    models.ReplyPattern.objects.update(meaning=bad)
    for number, example in enumerate(models.Example.objects.filter(pattern__isnull=False)):
        example.text += f" {number} {bad}"
        example.save()
    publish(by=None, reason="test")
    forget()
    for page in [*pages(), reverse("search") + "?q=alert"]:
        html = get(client, page)
        assert "<script>alert" not in html, page
        assert "<img src=x" not in html, page
        assert 'href="javascript' not in html, page
    assert "&lt;script&gt;" in get(client, "/codes/550/")


def test_pages_are_only_read(client: Client) -> None:
    for page in pages():
        assert client.post(page).status_code == 405
