"""What the tests of running the program share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def static_files_are_found(settings: object) -> None:
    """As in development: nothing is collected before the tests."""
    settings.WHITENOISE_AUTOREFRESH = True
