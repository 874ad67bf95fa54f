"""Rules for blocklists, articles, example cases, findings and letters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conftest import SMALL
from whybounce.checks.result import Severity
from whybounce.snapshot import (
    Actor,
    Addressee,
    Article,
    Blocklist,
    ExampleCase,
    FindingNote,
    GivenAnswer,
    KnowledgeSnapshot,
    Letter,
    ListAnswer,
)
from whybounce.validate import validate
from whybounce.yaml_knowledge import read_folder

LIST = Blocklist("a-list", "A list", "ip", "Listed.", zone="bl.example.org")
ARTICLE = Article("an-article", "Title", "Summary", "Body")
CASE = ExampleCase("a-case", "recipient-unknown", "550 5.1.1 no such user")
LETTER = Letter("a-letter", "Title", Addressee.POSTMASTER, "About {recipient}", "Your reply: {reply}, case {case}", ("policy",), ("spf-fail",))
FINDING = FindingNote("spf.plus_all", "Anybody may send", "Worthless.", (Severity.WARNING,), "Say -all.", (Actor.SENDER_ADMIN,))


@pytest.fixture(scope="module")
def small() -> KnowledgeSnapshot:
    return read_folder(SMALL)


def messages(snapshot: KnowledgeSnapshot) -> str:
    return " | ".join(f"{problem.kind} {problem.row}: {problem.message}" for problem in validate(snapshot))


def test_good_rows_have_no_problem(small: KnowledgeSnapshot) -> None:
    good = replace(
        small,
        blocklists=(*small.blocklists, LIST),
        articles=(*small.articles, ARTICLE),
        cases=(*small.cases, CASE),
        findings=(*small.findings, FINDING),
        letters=(*small.letters, LETTER),
    )
    assert messages(good) == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "ipv4"}, "its kind 'ipv4' is none of"),
        ({"zone": "not a zone"}, "'not a zone' is no DNS zone"),
        ({"codes": (ListAnswer("192.0.2.1", "x"),)}, "'192.0.2.1' is no answer of a DNS list"),
        ({"codes": (ListAnswer("nonsense", "x"),)}, "'nonsense' is no answer of a DNS list"),
        ({"codes": (ListAnswer("127.0.0.2", "x"),), "errors": (ListAnswer("127.0.0.2", "y"),)}, "among the listings and among the errors"),
        ({"codes": (ListAnswer("127.0.0.2", "x", "nowhere"),)}, "it names the cause 'nowhere'"),
        ({"cause": "nowhere"}, "it names the cause 'nowhere'"),
        ({"reply_marks": ("(",)}, "reply mark '(': the pattern does not compile"),
        ({"removal_page": "bl.example.org"}, "is no address of a page"),
        ({"name": "x" * 121}, "longer than 120"),
        ({"meaning": ""}, "Blocklist.meaning is empty"),
        ({"slug": "A_List"}, "is no slug"),
    ],
)
def test_a_wrong_blocklist_is_refused(small: KnowledgeSnapshot, change: dict[str, object], message: str) -> None:
    assert message in messages(replace(small, blocklists=(replace(LIST, **change),)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"figure": "../secret"}, "is no name of a figure"),
        ({"causes": ("nowhere",)}, "it names the cause 'nowhere'"),
        ({"codes": ("5.1",)}, "'5.1' is neither a reply code"),
        ({"body": ""}, "Article.body is empty"),
    ],
)
def test_a_wrong_article_is_refused(small: KnowledgeSnapshot, change: dict[str, object], message: str) -> None:
    assert message in messages(replace(small, articles=(replace(ARTICLE, **change),)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cause": "nowhere"}, "it expects the cause 'nowhere'"),
        ({"text": ""}, "neither a text nor an answer"),
        ({"answers": (GivenAnswer("nothing", "x"),)}, "it answers the question 'nothing', which does not exist"),
        ({"answers": (GivenAnswer("who-is-affected", "x"),)}, "the question 'who-is-affected' has no answer 'x'"),
    ],
)
def test_a_wrong_case_is_refused(small: KnowledgeSnapshot, change: dict[str, object], message: str) -> None:
    assert message in messages(replace(small, cases=(replace(CASE, **change),)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slug": "spf"}, "'spf' is no finding"),
        ({"slug": "spf.plus-all"}, "'spf.plus-all' is no finding"),
        ({"slug": "SPF.plus_all"}, "'SPF.plus_all' is no finding"),
        ({"slug": "spf.plus_all\n"}, "is no finding"),
        ({"severities": ()}, "it does not say how grave it is"),
        ({"mend": ""}, "it says who acts, but not what to do"),
        ({"meaning": ""}, "FindingNote.meaning is empty"),
        ({"title": "x" * 161}, "longer than 160"),
    ],
)
def test_a_wrong_finding_is_refused(small: KnowledgeSnapshot, change: dict[str, object], message: str) -> None:
    assert message in messages(replace(small, findings=(replace(FINDING, **change),)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slug": "A letter"}, "is no slug"),
        ({"body": "Dear {nobody}"}, "it uses {nobody}; there are blocklist, case,"),
        ({"subject": "{nobody}"}, "it uses {nobody}"),
        ({"subject": "a\nb"}, "its subject has more than one line"),
        ({"subject": "x" * 201}, "longer than 200"),
        ({"body": ""}, "Letter.body is empty"),
        ({"categories": ("nothing",)}, "it names the category 'nothing'"),
        ({"causes": ("no-such-cause",)}, "it names the cause 'no-such-cause', which does not exist"),
    ],
)
def test_a_wrong_letter_is_refused(small: KnowledgeSnapshot, change: dict[str, object], message: str) -> None:
    assert message in messages(replace(small, letters=(replace(LETTER, **change),)))


def test_two_findings_of_one_id_are_refused(small: KnowledgeSnapshot) -> None:
    assert "used 2 times" in messages(replace(small, findings=(FINDING, FINDING)))


def test_a_finding_says_which_check_reports_it(small: KnowledgeSnapshot) -> None:
    assert [note.reported_by for note in small.findings] == ["spf", "dns"]


def test_two_of_one_slug_are_refused(small: KnowledgeSnapshot) -> None:
    assert "used 2 times" in messages(replace(small, articles=(ARTICLE, ARTICLE)))
