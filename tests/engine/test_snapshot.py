"""A snapshot as a document and back, and the digest by which two are told apart."""

import dataclasses
import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SMALL
from tests.engine.knowledge import SNAPSHOT
from whybounce import snapshot as s
from whybounce.checks.result import Severity
from whybounce.document import KINDS, digest, row_document, to_document
from whybounce.yaml_knowledge import from_document, read_folder

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=20).map(str.strip)
SLUG = st.from_regex(r"[a-z]{1,8}(-[a-z0-9]{1,4})?", fullmatch=True)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
EVIDENCE = st.dictionaries(SLUG, st.sampled_from(s.Strength), max_size=3).map(lambda of: tuple(s.Evidence(*item) for item in of.items()))
OTHERS = st.none() | st.sampled_from(s.Strength)
FREQUENCY = st.sampled_from(s.Frequency)
ACTOR = st.sampled_from(s.Actor)
SOURCES = st.lists(st.builds(s.Source, TEXT, TEXT, TEXT), max_size=2).map(tuple)
LINKS = st.lists(st.builds(s.Link, TEXT, TEXT), max_size=2).map(tuple)
STEPS = st.lists(st.builds(s.RemedyStep, SLUG, ACTOR, TEXT, TEXT, SLUG, LINKS), max_size=2).map(tuple)
ANSWERS = st.lists(st.builds(s.Answer, SLUG, TEXT, FREQUENCY, st.booleans(), EVIDENCE, OTHERS), max_size=3).map(tuple)
MYTHS = st.lists(st.builds(s.Myth, TEXT, TEXT, TEXT), max_size=2).map(tuple)
ROWS = {
    "causes": st.builds(
        s.Cause,
        SLUG,
        TEXT,
        SLUG,
        st.lists(ACTOR, max_size=2).map(tuple),
        FREQUENCY,
        TEXT,
        TEXT,
        st.sampled_from([None, True, False]),
        STEPS,
        st.lists(SLUG, max_size=2).map(tuple),
        SOURCES,
    ),
    "questions": st.builds(s.Question, SLUG, TEXT, TEXT, st.sampled_from(s.AskedOf), ANSWERS, SLUG, st.booleans(), TEXT),
    "patterns": st.builds(s.ReplyPattern, SLUG, TEXT, SLUG, TEXT, st.booleans(), EVIDENCE, TEXTS, SOURCES),
    "providers": st.builds(s.Provider, SLUG, TEXT, SLUG, TEXTS, TEXTS, TEXTS, TEXT, TEXT, SOURCES),
    "codes": st.builds(
        s.StatusCode,
        TEXT,
        TEXT,
        TEXT,
        standard=st.booleans(),
        provider=SLUG,
        commands=TEXTS,
        retry=TEXT,
        myths=MYTHS,
        evidence=EVIDENCE,
        others=OTHERS,
        sources=SOURCES,
    ),
    "examples": st.builds(s.Example, TEXT, SLUG, SLUG),
    "letters": st.builds(
        s.Letter,
        SLUG,
        TEXT,
        st.sampled_from(s.Addressee),
        TEXT,
        TEXT,
        st.lists(SLUG, max_size=2).map(tuple),
        st.lists(SLUG, max_size=2).map(tuple),
        SOURCES,
    ),
    "findings": st.builds(
        s.FindingNote,
        SLUG,
        TEXT,
        TEXT,
        st.lists(st.sampled_from(Severity), max_size=2).map(tuple),
        TEXT,
        st.lists(ACTOR, max_size=2).map(tuple),
        SLUG,
        SOURCES,
    ),
}
SNAPSHOTS = st.builds(s.KnowledgeSnapshot, **{kind: st.lists(row, max_size=2).map(tuple) for kind, row in ROWS.items()})


def rows(snapshot: s.KnowledgeSnapshot) -> dict[str, tuple[object, ...]]:
    return {kind: getattr(snapshot, kind) for kind in KINDS}


@settings(max_examples=30)
@given(SNAPSHOTS)
def test_any_snapshot_comes_back_from_its_document(snapshot: s.KnowledgeSnapshot) -> None:
    stored = json.loads(json.dumps(to_document(snapshot)))
    assert rows(from_document(stored)) == rows(snapshot)


@settings(max_examples=30)
@given(SNAPSHOTS)
def test_any_snapshot_comes_back_from_yaml(snapshot: s.KnowledgeSnapshot) -> None:
    stored = yaml.safe_load(yaml.safe_dump(to_document(snapshot), allow_unicode=True, sort_keys=False))
    assert rows(from_document(stored)) == rows(snapshot)


@pytest.mark.parametrize("kind", ["letters", "findings", "cases", "articles"])
def test_a_document_of_an_older_version_without_a_kind_is_read(kind: str) -> None:
    stored = to_document(read_folder(SMALL))
    del stored[kind]
    assert getattr(from_document(stored), kind) == ()


def test_the_documents_kinds_are_the_snapshots() -> None:
    assert {*KINDS, "revision"} == {field.name for field in dataclasses.fields(s.KnowledgeSnapshot)}


def test_the_revision_is_kept_beside_the_document() -> None:
    assert from_document(to_document(SNAPSHOT), 7).revision == 7


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_from_a_file_comes_back(kind: str) -> None:
    small = read_folder(SMALL)
    assert getattr(from_document(to_document(small)), kind) == getattr(small, kind)


def test_what_is_as_usual_is_left_out() -> None:
    document = row_document(s.StatusCode("550", "No", "Refused."))
    assert document == {"code": "550", "title": "No", "meaning": "Refused."}


def test_false_is_not_taken_for_what_is_usual() -> None:
    assert row_document(dataclasses.replace(SNAPSHOT.causes[0], permanent=False))["permanent"] is False
    assert row_document(s.StatusCode("599", "No", "Refused.", standard=False))["standard"] is False


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"b": [1, 2]}) != digest({"b": [2, 1]})


def test_a_digest_changes_with_every_field() -> None:
    cause = SNAPSHOT.causes[0]
    others = [
        dataclasses.replace(cause, title="x"),
        dataclasses.replace(cause, permanent=True),
        dataclasses.replace(cause, steps=()),
        dataclasses.replace(cause, who_acts=(s.Actor.NOBODY,)),
        dataclasses.replace(cause, sources=(s.Source("x"),)),
    ]
    assert len({digest(row_document(row)) for row in [cause, *others]}) == 6


def test_a_snapshot_is_compared_by_identity() -> None:
    assert dataclasses.replace(SNAPSHOT) != SNAPSHOT
    assert len({SNAPSHOT, dataclasses.replace(SNAPSHOT)}) == 2
