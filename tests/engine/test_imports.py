"""Imports run one way: whybounce <- knowledge <- troubleshoot <- (api, mailroom, logs) <- config. Read from the source of every file."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {
    "whybounce": {"django", "knowledge", "troubleshoot", "api", "mailroom", "logs", "config"},
    "knowledge": {"troubleshoot", "api", "mailroom", "logs", "config"},
    "troubleshoot": {"api", "mailroom", "logs", "config"},
    "api": {"mailroom", "logs", "config"},
    "mailroom": {"api", "logs", "config"},
    "logs": {"api", "mailroom", "config"},
}
FILES = [(package, path) for package in FORBIDDEN for path in sorted((ROOT / package).rglob("*.py"))]


def imported(source: str) -> Iterator[str]:
    """The top-level packages that a module imports, wherever in it, also by import_module and __import__."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in {"import_module", "__import__"}:
                yield node.args[0].value.partition(".")[0]


@pytest.mark.parametrize(("package", "path"), FILES, ids=lambda value: value if isinstance(value, str) else str(value.relative_to(ROOT)))
def test_it_imports_nothing_that_lies_above_it(package: str, path: Path) -> None:
    names = set(imported(path.read_text(encoding="utf-8")))
    assert not names & FORBIDDEN[package]
    assert not {name for name in names if name.startswith(".")}, "imports are written out, so that this test can read them"


def test_every_package_of_the_program_is_read() -> None:
    assert {package for package, _path in FILES} == set(FORBIDDEN)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert packages == {*FORBIDDEN, "config"}


@pytest.mark.parametrize(
    "source",
    [
        "import django",
        "import django.db as d",
        "from django.db import models",
        "def f():\n    from django import forms",
        "importlib.import_module('django.db')",
    ],
)
def test_it_sees_every_way_to_import(source: str) -> None:
    assert "django" in set(imported(source))
