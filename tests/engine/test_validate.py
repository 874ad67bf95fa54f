"""What must hold between rows before they may be published: each rule, broken once."""

import dataclasses
from dataclasses import replace

import pytest

from tests.conftest import SMALL
from whybounce.problem import re2_error
from whybounce.snapshot import Actor, AskedOf, Evidence, Example, Frequency, KnowledgeSnapshot, Myth, Provider, Source, Strength
from whybounce.validate import LONGEST, validate
from whybounce.yaml_knowledge import read_folder

GOOD = read_folder(SMALL)
CAUSE, QUESTION, PATTERN, CODE = GOOD.causes[0], GOOD.questions[0], GOOD.patterns[0], GOOD.codes[0]
MX, SPF, STAGE = GOOD.questions[2:]


def with_row(kind: str, row: object) -> KnowledgeSnapshot:
    """The small knowledge with `row` in the place of the one of its slug or code, or added."""
    name = "code" if kind == "codes" else "slug"
    kept = tuple(x for x in getattr(GOOD, kind) if getattr(x, name) != getattr(row, name))
    return replace(GOOD, **{kind: (*kept, row)})


def all_causes(strength: Strength) -> tuple[Evidence, ...]:
    return tuple(Evidence(cause.slug, strength) for cause in GOOD.causes)


def test_the_small_knowledge_may_be_published() -> None:
    assert validate(GOOD) == []


def test_nothing_at_all_may_be_published() -> None:
    assert validate(KnowledgeSnapshot()) == []


STEP = CAUSE.steps[0]
ONE, TWO = QUESTION.answers
LOOKED = next(answer for answer in MX.answers if answer.slug == "timeout")
BROKEN = [
    ("causes", replace(CAUSE, category="lost"), "its category 'lost' is none of unknown_recipient"),
    ("causes", replace(CAUSE, steps=()), "it has no remedy steps"),
    ("causes", replace(CAUSE, who_acts=()), "it does not say who acts"),
    ("causes", replace(CAUSE, see_also=("nowhere",)), "see_also names the cause 'nowhere', which does not exist"),
    ("causes", replace(CAUSE, steps=(STEP, STEP)), "the step 'compare-address' stands 2 times"),
    ("causes", replace(CAUSE, steps=(replace(STEP, check="smell"),)), "names the check 'smell', which does not exist"),
    ("causes", replace(CAUSE, steps=(replace(STEP, text="Ask {recipent}."),)), "uses {recipent}; there are code, "),
    ("causes", replace(CAUSE, steps=(replace(STEP, wording="Dear {postmaster}"),)), "uses {postmaster}"),
    ("causes", replace(CAUSE, slug="Full_Mailbox"), "'Full_Mailbox' is no slug"),
    ("causes", replace(CAUSE, title=""), "Cause.title is empty"),
    ("causes", replace(CAUSE, title="x" * 161), "Cause.title is longer than 160 characters"),
    ("causes", replace(CAUSE, steps=(replace(STEP, slug="x" * 81),)), "RemedyStep.slug is longer than 80 characters"),
    ("causes", replace(CAUSE, sources=(Source("Bad", "javascript:alert(1)"),)), "'javascript:alert(1)' is no address of a page"),
    ("questions", replace(QUESTION, answers=(ONE,)), "a question needs two answers or more"),
    ("questions", replace(QUESTION, answers=(ONE, ONE)), "the answer 'one-recipient' stands 2 times"),
    ("questions", replace(QUESTION, check="mx"), "a question asked of a person names no check"),
    ("questions", replace(QUESTION, answers=(ONE, replace(TWO, text=""))), "Answer.text is empty"),
    ("questions", replace(QUESTION, answers=(ONE, replace(TWO, informative=False))), "the answer 'everyone' could not look"),
    (
        "questions",
        replace(QUESTION, answers=(ONE, replace(TWO, evidence=all_causes(Strength.RULES_OUT)))),
        "the answer 'everyone' rules out every cause",
    ),
    (
        "questions",
        replace(QUESTION, answers=(ONE, replace(TWO, evidence=(), others=Strength.RULES_OUT))),
        "the answer 'everyone' rules out every cause",
    ),
    (
        "questions",
        replace(QUESTION, answers=(ONE, replace(TWO, evidence=(Evidence("gone", Strength.FOR),)))),
        "names the cause 'gone', which does not exist",
    ),
    ("questions", replace(MX, check="smell"), "'smell' is no check that could answer it"),
    ("questions", replace(MX, answers=MX.answers[1:]), "the check can answer 'ok', which is not among its answers"),
    ("questions", replace(MX, answers=(*MX.answers, replace(ONE, slug="maybe", evidence=()))), "its answer 'maybe' is never given by the check 'mx'"),
    (
        "questions",
        replace(MX, answers=tuple(replace(x, informative=True) if x is LOOKED else x for x in MX.answers)),
        "the answer 'timeout' must have informative: false",
    ),
    ("questions", replace(STAGE, check="size"), "'size' is no check that could answer it"),
    ("questions", replace(STAGE, answers=STAGE.answers[1:]), "the check can answer 'connect'"),
    ("questions", replace(SPF, slug="spf-again"), "'spf' answers the question 'spf-of-sender' already"),
    ("patterns", replace(PATTERN, pattern="user (unknown"), "the pattern does not compile: missing ): user (unknown"),
    ("patterns", replace(PATTERN, pattern="(?=no) look-ahead"), "the pattern does not compile: "),
    ("patterns", replace(PATTERN, pattern="(unknown)?"), "the pattern matches the empty text, and so every reply"),
    ("patterns", replace(PATTERN, pattern=r"\b"), "matches without a single letter"),
    ("patterns", replace(PATTERN, pattern="something else"), "it does not match its own example"),
    ("patterns", replace(PATTERN, examples=()), "it has no example text"),
    ("patterns", replace(PATTERN, evidence=()), "it speaks for no cause"),
    ("patterns", replace(PATTERN, evidence=(Evidence(CAUSE.slug, Strength.FOR),)), "it is decisive but proves no cause"),
    ("patterns", replace(PATTERN, evidence=(*PATTERN.evidence, Evidence("gone", Strength.FOR))), "names the cause 'gone', which does not exist"),
    ("patterns", replace(PATTERN, decisive=False, evidence=all_causes(Strength.RULES_OUT)), "it rules out every cause"),
    ("patterns", replace(PATTERN, provider="nobody"), "the provider 'nobody' does not exist"),
    ("codes", replace(CODE, code="5.1"), "it is neither a reply code nor an enhanced status code"),
    ("codes", replace(CODE, code="599"), "it is neither a reply code nor an enhanced status code"),
    ("codes", replace(CODE, provider="nobody"), "the provider 'nobody' does not exist"),
    ("codes", replace(CODE, evidence=(Evidence("gone", Strength.FOR),)), "names the cause 'gone', which does not exist"),
    ("codes", replace(CODE, evidence=(), others=Strength.RULES_OUT), "it rules out every cause"),
    ("codes", replace(CODE, myths=(Myth("a", "b", "x" * 241),)), "Myth.source is longer than 240 characters"),
    ("providers", Provider("new", "New", "pigeon"), "its kind 'pigeon' is none of mailbox, "),
    ("providers", Provider("new", "New", "mta", reply_marks=("(",)), "reply mark '(': the pattern does not compile"),
    ("providers", Provider("new", "New", "mta", postmaster_page="ftp://example.org"), "is no address of a page"),
]


@pytest.mark.parametrize(("kind", "row", "message"), BROKEN, ids=[message[:40] for _kind, _row, message in BROKEN])
def test_a_broken_rule_is_named_with_its_row(kind: str, row: object, message: str) -> None:
    found = validate(with_row(kind, row))
    assert any(message in problem.message for problem in found), found
    assert all(problem.kind and problem.row for problem in found)
    mine = next(problem for problem in found if message in problem.message)
    assert (mine.kind, mine.row) == (kind, f"{row.code} {row.provider}".strip() if kind == "codes" else row.slug)


@pytest.mark.parametrize("kind", ["causes", "questions", "patterns", "providers"])
def test_a_slug_is_used_once_among_its_kind(kind: str) -> None:
    rows = getattr(GOOD, kind)
    messages = [problem.message for problem in validate(replace(GOOD, **{kind: (*rows, rows[0])}))]
    assert f"the slug {rows[0].slug!r} is used 2 times" in messages


def test_a_code_is_described_once_for_each_provider() -> None:
    assert [problem.message for problem in validate(replace(GOOD, codes=(*GOOD.codes, CODE)))] == ["the code is described 2 times"]
    assert validate(replace(GOOD, codes=(*GOOD.codes, replace(CODE, provider="google")))) == []


def test_a_text_is_an_example_once() -> None:
    text = GOOD.examples[0].text
    again = replace(GOOD, examples=(*GOOD.examples, GOOD.examples[0]))
    other = replace(GOOD, examples=(*GOOD.examples, Example(text, "greylisting")))
    assert [problem.message for problem in validate(again)] == ["the same text stands 2 times"]
    assert [problem.message for problem in validate(other)] == ["the same text is labelled with 2 causes: greylisting, recipient-unknown"]


@pytest.mark.parametrize(("field", "value"), [("cause", "gone"), ("provider", "nobody")])
def test_an_example_names_what_exists(field: str, value: str) -> None:
    found = validate(replace(GOOD, examples=(replace(GOOD.examples[0], **{field: value}),)))
    assert [(problem.kind, problem.row) for problem in found] == [("examples", GOOD.examples[0].text)]
    assert repr(value) in found[0].message


def test_a_code_outside_the_grammar_may_be_described_where_it_is_said_to_be_no_standard() -> None:
    assert validate(with_row("codes", replace(CODE, code="598", standard=False))) == []


def test_ruling_out_all_but_one_is_allowed() -> None:
    evidence = (*all_causes(Strength.RULES_OUT)[1:],)
    assert validate(with_row("questions", replace(QUESTION, answers=(ONE, replace(TWO, evidence=evidence))))) == []


@pytest.mark.parametrize("pattern", ["user unknown", r"\buser\b", "größe", r"(?:a|b)+c", "x{1,1000}"])
def test_a_pattern_that_matches_words_is_good(pattern: str) -> None:
    assert re2_error(pattern) == ""


@pytest.mark.parametrize("pattern", ["", "x*", "a|", r"(?!no)", r"(a)\1", "[", "x{1,1001}", r"\b", "(?:)", "$", r"\B|x"])
def test_a_pattern_that_cannot_be_used_is_refused_with_a_sentence(pattern: str) -> None:
    assert re2_error(pattern).startswith("the pattern ")


def test_every_text_with_a_limit_is_a_field() -> None:
    for kind, limits in LONGEST.items():
        assert set(limits) <= {field.name for field in dataclasses.fields(kind)}


def test_every_actor_frequency_and_kind_of_question_may_be_used() -> None:
    for who in Actor:
        assert validate(with_row("causes", replace(CAUSE, who_acts=(who,)))) == []
    for frequency in Frequency:
        assert validate(with_row("causes", replace(CAUSE, frequency=frequency))) == []
    assert {question.asked_of for question in GOOD.questions} == set(AskedOf)
