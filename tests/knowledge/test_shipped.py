"""The shipped knowledge: its files hold together, fit the tables, and every page of it renders."""

import dataclasses
import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from knowledge import models
from knowledge.current import forget, snapshot
from knowledge.loading import SHIPPED, load
from knowledge.rows import VALUES, querysets
from knowledge.upgrades import digest_of
from whybounce import snapshot as engine
from whybounce.validate import LONGEST
from whybounce.words import TextModel
from whybounce.yaml_knowledge import read_folder

LINK = re.compile(r'<a [^>]*href="(/[^"#?]*)')
TABLES = {
    engine.Provider: models.Provider,
    engine.Cause: models.Cause,
    engine.RemedyStep: models.RemedyStep,
    engine.Question: models.Question,
    engine.Answer: models.Answer,
    engine.StatusCode: models.StatusCode,
    engine.Myth: models.Myth,
    engine.ReplyPattern: models.ReplyPattern,
}


@pytest.fixture(scope="module")
def shipped(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The shipped knowledge in the place of the small one; without its text model, which takes seconds to fit."""
    from django.db import transaction

    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr("knowledge.publishing.fit", lambda pairs: TextModel.empty())
        patch.setattr("knowledge.current._FRESH_SECONDS", 1e9)
        load(SHIPPED)
        forget()
        yield
        transaction.set_rollback(True)
    forget()


def test_every_length_that_the_files_may_have_is_that_of_its_column() -> None:
    for kind, table in TABLES.items():
        fields = {field.name: field.max_length for field in table._meta.get_fields() if getattr(field, "max_length", None)}
        texts = {field.name for field in dataclasses.fields(kind) if field.type == "str"} & set(fields)
        fixed = {name for name in texts if not table._meta.get_field(name).choices} - {"code"}
        assert {name: fields[name] for name in fixed} == LONGEST[kind], kind


def test_the_files_have_no_mistake_and_cover_every_category_with_examples() -> None:
    known = read_folder(SHIPPED)
    assert len(known.causes) > 100
    for code in ("421", "450", "451", "452", "550", "551", "552", "553", "554"):
        assert code in {row.code for row in known.codes}
    assert {cause.category for cause in known.causes} >= set(models.Category.values) - {"undetermined"}


def test_every_row_is_known_as_shipped(shipped: None, db: None) -> None:
    for kind, queryset in querysets().items():
        for row in queryset.exclude(status=models.Row.Status.WITHDRAWN):
            assert digest_of(VALUES[kind](row)) == row.shipped_digest, row


def test_every_page_renders_and_every_link_leads_somewhere(shipped: None, db: None, client: Client) -> None:
    known = snapshot()
    assert len(known.causes) > 100
    paths = {reverse("code", args=[code.code]) for code in known.codes} | {reverse("cause", args=[cause.slug]) for cause in known.causes}
    paths |= {reverse("code-list"), reverse("cause-list")}
    links: set[str] = set()
    for path in sorted(paths):
        response = client.get(path)
        assert response.status_code == 200, path
        links.update(LINK.findall(response.content.decode()))
    for link in sorted(links - paths):
        assert client.get(link).status_code in (200, 302), link
