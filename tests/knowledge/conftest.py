"""Fixtures of the knowledge app's tests: people of the desk, and a folder of knowledge files to change."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from tests.conftest import SMALL


@pytest.fixture(autouse=True)
def no_collected_files(settings: Any) -> None:
    """Static files are found where they lie: nothing was collected for a test."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture
def curator(db: None) -> Client:
    """The browser of a member of the group Curators who is logged in."""
    user = User.objects.create_user("cora", is_staff=True)
    user.groups.add(Group.objects.get(name="Curators"))
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def clerk(db: None) -> Client:
    """The browser of somebody who may enter the admin and has no rights there."""
    browser = Client()
    browser.force_login(User.objects.create_user("cleo", is_staff=True))
    return browser


class Files:
    """A copy of the small knowledge files, to be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(SMALL, folder)

    def change(self, name: str, old: str, new: str) -> None:
        """Replaces `old`, which must stand there once, in `name`.yaml."""
        path = self.folder / f"{name}.yaml"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old, text.count(old))
        path.write_text(text.replace(old, new), encoding="utf-8")

    def add(self, name: str, text: str) -> None:
        """Adds lines at the end of `name`.yaml."""
        with (self.folder / f"{name}.yaml").open("a", encoding="utf-8") as file:
            file.write(text)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "knowledge")
