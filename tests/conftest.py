"""What all tests share: a small knowledge in the test database, loaded once a session; nothing remembered from test to test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from pytest_django import DjangoDbBlocker

settings.register_profile("any machine", deadline=None)  # a slow machine is no fault of the program
settings.load_profile("any machine")

SMALL = Path(__file__).parent / "data" / "knowledge"
"""Eight causes, every kind of row: quick to load, and easy to follow by hand."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database with the small knowledge loaded and published."""
    from knowledge.loading import load

    with django_db_blocker.unblock():
        load(SMALL)


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> Iterator[None]:
    """Each test looks for the newest revision anew. Touches no database."""
    from knowledge.current import forget

    forget()
    yield
    forget()
