"""Pages of providers, families of replies, blocklists, articles and live checks: what each says, and that they lead to each other."""

import json
import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from knowledge import models
from knowledge.current import forget, snapshot
from knowledge.publishing import publish

pytestmark = pytest.mark.django_db
LD = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
PAGES = [
    "/providers/google/",
    "/providers/postfix/",
    "/replies/recipient-unknown/",
    "/blocklists/example-list/",
    "/blocklists/gone-list/",
    "/articles/reading-a-reply/",
    "/checks/spf/",
    "/codes/550/",
    "/causes/recipient-unknown/",
]


def get(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, path
    return unescape(response.content.decode())


def test_a_provider_says_how_it_is_recognised_what_it_says_and_where_its_postmasters_are(client: Client) -> None:
    html = get(client, "/providers/google/")
    for part in (
        "Gmail and Google Workspace",
        "Its replies end in gsmtp.",
        "<code>.google.com</code>",
        "<code>googlemail.com</code>",
        r"<code>\bgsmtp\b</code>",
        'href="https://postmaster.google.com"',
        "The email account that you tried to reach does not exist. gsmtp",
        "Gmail does not know the address.",
        'href="/causes/recipient-unknown/"',
        'href="/replies/recipient-unknown/"',
        'href="/codes/5.7.26/#google"',
        'href="https://support.google.com/mail/?p=NoSuchUser"',
    ):
        assert part in html, part


def test_a_provider_with_no_replies_of_its_own_says_so(client: Client) -> None:
    assert "No reply of its own is known yet" in get(client, "/providers/postfix/")


def test_the_list_of_providers_is_by_kind_with_what_is_known_of_each(client: Client) -> None:
    html = get(client, "/providers/")
    assert html.index("Mailbox providers") < html.index("Gmail and Google Workspace") < html.index("Mail server programs") < html.index(">Postfix<")
    assert "1 reply, 1 code" in html


def test_a_family_holds_all_wordings_by_who_says_so_with_their_codes(client: Client) -> None:
    html = get(client, "/replies/recipient-unknown/")
    for part in (
        "The receiving server has no mailbox of that name.",
        'href="/causes/recipient-unknown/"',
        "Gmail does not know the address.",
        'id="google-no-such-user"',
        'href="/providers/google/"',
        "no such user here",
        "User unknown in virtual mailbox table",
        'href="/providers/postfix/"',
        'href="/codes/550/"',
        'href="/codes/5.1.1/"',
        'href="/articles/reading-a-reply/"',
    ):
        assert part in html, part
    assert "over quota" not in html, "a wording stands under what it speaks for most"


def test_the_list_of_families_counts_their_wordings(client: Client) -> None:
    html = get(client, "/replies/")
    assert "4 wordings" in html
    assert "greylisted" in html
    assert "/replies/delay-notice-only/" not in html, "no reply of it is known"
    get(client, "/replies/delay-notice-only/", status=404)


def test_a_blocklist_says_what_a_listing_means_its_answers_and_the_way_off(client: Client) -> None:
    html = get(client, "/blocklists/example-list/")
    for part in (
        "The address was <strong>seen</strong> sending spam.",
        "<code>bl.example.org</code>",
        "heavy",
        "IPv6 too",
        "127.0.0.0/29",
        "no listing",
        "asked through a public resolver",
        "127.0.0.2 is always listed, 127.0.0.1 never",
        "Ask on the page.",
        'href="https://bl.example.org/remove"',
        'href="/causes/ip-listed-spamhaus-xbl/"',
        'href="/replies/ip-listed-spamhaus-xbl/"',
    ):
        assert part in html, part


def test_replies_that_name_a_blocklist_are_shown_on_its_page_whatever_their_capitals(client: Client) -> None:
    assert "blocked using dnsbl.example.org" in get(client, "/blocklists/example-list/")
    for mark, shown in ((r"dnsbl\.EXAMPLE\.org", True), (r"other\.example\.org", False)):
        models.Blocklist.objects.filter(slug="example-list").update(reply_marks=[mark])
        publish(by=None, reason="test")
        forget()
        html = get(client, "/blocklists/example-list/")
        assert ("blocked using dnsbl.example.org" in html) == shown
        assert ('href="/replies/ip-listed-spamhaus-xbl/"' in html) == shown


def test_a_closed_blocklist_says_so_and_stands_last(client: Client) -> None:
    assert "closed for good" in get(client, "/blocklists/gone-list/")
    html = get(client, "/blocklists/")
    assert html.index("Example List") < html.index("Closed for good") < html.index("Gone List")


def test_an_article_shows_its_table_and_links_and_what_it_helps_with(client: Client) -> None:
    html = get(client, "/articles/reading-a-reply/")
    for part in ("<h2>The first digit</h2>", "<table>", '<a href="/codes/550/">550</a>', 'href="/causes/recipient-unknown/"', 'href="/codes/5.1.1/"'):
        assert part in html, part
    assert "<svg" not in html.split("<h1>")[1], "its figure is not there, and nothing stands for it"


def test_the_figure_of_an_article_is_drawn_into_it(client: Client, tmp_path: object, settings: object) -> None:
    folder = tmp_path / "knowledge" / "figures"  # type: ignore[operator]
    folder.mkdir(parents=True)
    (folder / "reply.svg").write_text('<svg class="drawn-here"></svg>')
    templates = [{**settings.TEMPLATES[0], "DIRS": [*settings.TEMPLATES[0]["DIRS"], tmp_path]}]  # type: ignore[attr-defined]
    settings.TEMPLATES = templates  # type: ignore[attr-defined]
    forget()
    assert '<svg class="drawn-here">' in get(client, "/articles/reading-a-reply/")


def test_what_belongs_together_is_linked_both_ways(client: Client) -> None:
    both = [
        ("/codes/550/", "/articles/reading-a-reply/"),
        ("/codes/5.1.1/", "/replies/recipient-unknown/"),
        ("/codes/5.7.26/", "/providers/google/"),
        ("/causes/recipient-unknown/", "/articles/reading-a-reply/"),
        ("/causes/recipient-unknown/", "/replies/recipient-unknown/"),
        ("/causes/ip-listed-spamhaus-xbl/", "/blocklists/example-list/"),
        ("/replies/recipient-unknown/", "/providers/google/"),
    ]
    for one, other in both:
        assert f'href="{other}' in get(client, one), (one, other)
        assert f'href="{one}' in get(client, other) or "5.1.1" in one or "5.7.26" in one, (other, one)


def test_an_article_stands_on_the_pages_that_its_text_links_to(client: Client) -> None:
    assert "/articles/reading-a-reply/" not in get(client, "/providers/google/")
    models.Article.objects.filter(slug="reading-a-reply").update(body="As [Gmail](/providers/google/) says it.")
    publish(by=None, reason="test")
    forget()
    assert "/articles/reading-a-reply/" in get(client, "/providers/google/")


def test_a_reply_is_found_under_the_code_that_it_carries(client: Client) -> None:
    html = get(client, "/codes/5.1.1/")
    assert "The email account that you tried to reach does not exist. gsmtp" in html
    assert 'href="/replies/recipient-unknown/#google-no-such-user"' in html
    assert "over quota" not in html


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_a_permanent_address_a_title_a_description_and_breadcrumbs_for_search_engines(client: Client, path: str) -> None:
    html = client.get(path).content.decode()
    assert f'<link rel="canonical" href="http://testserver{path}">' in html
    assert re.search(r"<title>[^<]{10,} · Whybounce</title>", html)
    description = re.search(r'<meta name="description" content="([^"]{10,})"', html)
    assert description
    data = [json.loads(text) for text in LD.findall(html)]
    crumbs = next(item for item in data if item["@type"] == "BreadcrumbList")
    assert crumbs["itemListElement"][-1]["item"] == f"http://testserver{path}"
    assert {item["@type"] for item in data} > {"BreadcrumbList"}


def test_the_canonical_address_of_a_code_is_in_capitals_and_that_of_the_host_asked(client: Client) -> None:
    html = client.get("/codes/x.1.1/", headers={"host": "testserver"}, secure=True).content.decode()
    assert '<link rel="canonical" href="https://testserver/codes/X.1.1/">' in html


def test_nothing_in_the_data_for_search_engines_can_end_its_element(client: Client) -> None:
    models.Provider.objects.filter(slug="google").update(name="</script><script>alert(1)</script>", note="<!-- & -->")
    publish(by=None, reason="test")
    forget()
    html = client.get("/providers/google/").content.decode()
    assert "<script>alert" not in html
    assert json.loads(LD.findall(html)[1])["headline"] == "</script><script>alert(1)</script>"


@pytest.mark.parametrize("kind", ["causes", "providers", "replies", "blocklists", "articles", "checks"])
def test_an_unknown_name_is_not_found_and_what_is_like_it_is_offered(client: Client, kind: str) -> None:
    html = get(client, f"/{kind}/gogle/", status=404)
    assert "There is no such page" in html
    assert 'href="/providers/google/"' in html
    assert f'href="/{kind}/"' in html


def test_a_check_says_what_it_needs_answers_and_finds(client: Client) -> None:
    html = get(client, "/checks/spf/")
    for part in (
        "Does SPF allow the sending server?",
        "the envelope sender (MAIL FROM), or the EHLO name",
        "<code>softfail</code>",
        "Rather not",
        "could not look",
        "It counts for nothing.",
        'href="/causes/spf-fail/"',
        'id="spf.too_many_lookups"',
        "A receiver <strong>stops</strong> at the tenth.",
        "Take out what no longer sends.",
        "the sender's mail admin",
        'href="https://www.rfc-editor.org/rfc/rfc7208#section-4.6.4"',
        "Error",
        "Warning",
    ):
        assert part in html, part
    assert "ns.lame" not in html, "what another check finds"


def test_the_list_of_checks_names_all_that_each_can_find(client: Client) -> None:
    html = get(client, "/checks/")
    assert html.index("Receiving mail") < html.index('href="/checks/mx/"') < html.index("Sending mail") < html.index('href="/checks/spf/"')
    assert 'id="spf.too_many_lookups"' in html
    assert 'href="/checks/spf/#spf.too_many_lookups"' in html


def test_a_check_that_no_question_names_has_no_page(client: Client) -> None:
    models.Question.objects.filter(check_name="spf").update(status=models.Row.Status.WITHDRAWN)
    publish(by=None, reason="test")
    forget()
    get(client, "/checks/spf/", status=404)
    assert "/checks/spf/" not in get(client, "/checks/")
    get(client, "/checks/nonsense/", status=404)


def test_a_finding_is_led_to_its_place_on_the_page_of_its_check() -> None:
    places = {row.slug: row.get_absolute_url() for row in models.FindingNote.objects.all()}
    assert places == {"spf.too_many_lookups": "/checks/spf/#spf.too_many_lookups", "ns.lame": "/checks/dns/#ns.lame"}


def test_what_is_withdrawn_is_not_found_and_search_is_offered(client: Client) -> None:
    models.Article.objects.filter(slug="reading-a-reply").update(status=models.Row.Status.WITHDRAWN)
    publish(by=None, reason="test")
    forget()
    assert 'href="/search/"' in get(client, "/articles/reading-a-reply/", status=404)
    assert "/articles/reading-a-reply/" not in get(client, "/codes/550/")


def test_rows_name_their_pages(client: Client) -> None:
    for model in (models.Provider, models.Cause, models.Blocklist, models.Article, models.StatusCode):
        for row in model.objects.all():
            get(client, row.get_absolute_url())


def test_the_sitemap_names_every_page_and_each_is_there(client: Client) -> None:
    xml = client.get("/sitemap.xml").content.decode()
    paths = [url.removeprefix("http://testserver") for url in re.findall(r"<loc>([^<]+)</loc>", xml)]
    assert len(paths) == len(set(paths))
    assert {"/codes/550/", *PAGES} <= set(paths)
    assert len(re.findall(r"<lastmod>\d{4}-\d\d-\d\d</lastmod>", xml)) == len(paths)
    for path in paths:
        assert client.get(path).status_code == 200, path


def test_robots_are_shown_the_sitemap_and_kept_from_cases(client: Client) -> None:
    lines = client.get("/robots.txt").content.decode().splitlines()
    assert "Sitemap: http://testserver/sitemap.xml" in lines
    assert {"Disallow: /cases/", "Disallow: /r/", "Disallow: /admin/", "Disallow: /check/"} <= set(lines)


def test_without_any_knowledge_the_pages_say_what_to_do(client: Client) -> None:
    models.KnowledgeRevision.objects.all().delete()
    forget()
    for path in ("/codes/", "/causes/spf-fail/", "/providers/"):
        assert "manage.py load_knowledge" in get(client, path, status=503)
    assert "manage.py load_knowledge" in get(client, "/search/?q=550", status=503)
    assert client.get("/sitemap.xml").status_code == 503


def test_every_kind_has_its_list_in_the_sitemap_order(client: Client) -> None:
    for name, rows in (("provider-list", snapshot().providers), ("blocklist-list", snapshot().blocklists), ("article-list", snapshot().articles)):
        html = get(client, reverse(name))
        for row in rows:
            assert f"/{row.slug}/" in html
