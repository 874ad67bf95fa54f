"""The OpenAPI document: what it says is kept, is so, and is shown to people."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from api.examples import ANSWERS, PROBLEM, REQUESTS
from api.openapi import document
from api.site import api
from tests.api.conftest import Program

SNAPSHOT = Path(__file__).parent / "openapi.json"
"""To write it anew, after looking at what changed: `WRITE_SNAPSHOT=1 python -m pytest tests/api/test_openapi.py`."""

OPERATIONS = [(path, method, item) for path, methods in document()["paths"].items() for method, item in methods.items()]


def plain() -> Any:
    """The document as those who ask get it."""
    return json.loads(json.dumps(document()))


def test_the_document_is_as_programs_rely_on_it() -> None:
    if os.environ.get("WRITE_SNAPSHOT"):
        SNAPSHOT.write_text(json.dumps(document(), indent=1, ensure_ascii=False) + "\n")
    assert plain() == json.loads(SNAPSHOT.read_text()), "the API changed: see how to write the snapshot anew, and say it in the changelog"


def test_it_is_served(anybody: Program) -> None:
    response = anybody.get("openapi.json")
    assert response.json() == plain()
    assert response.json()["openapi"].startswith("3.1.")


def test_it_is_a_document_of_openapi_3_1() -> None:
    from schemathesis.openapi import from_dict

    operations = [found.ok() for found in from_dict(plain()).get_all_operations()]
    assert len(operations) == len(OPERATIONS)


def test_every_operation_is_described() -> None:
    names = [item["operationId"] for _path, _method, item in OPERATIONS]
    assert len(set(names)) == len(names)
    for _path, _method, item in OPERATIONS:
        assert item["summary"]
        assert item["description"]
        assert item["security"][0]["token"]
        assert {"401", "403", "429"} <= set(item["responses"])


def test_every_address_of_the_api_stands_in_it() -> None:
    views = [view for router in api._get_bound_routers() for view in router.path_operations.values()]
    assert sum(len(operation.methods) for view in views for operation in view.operations) == len(OPERATIONS)


def schema_of(reference: dict[str, Any]) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({**reference, "components": plain()["components"]})


@pytest.mark.parametrize("name", [*REQUESTS, *ANSWERS])
def test_an_example_is_as_its_schema_says(name: str) -> None:
    item = next(item for _path, _method, item in OPERATIONS if item["operationId"] == name)
    if name in REQUESTS:
        schema_of(item["requestBody"]["content"]["application/json"]["schema"]).validate(REQUESTS[name])
    if name in ANSWERS:
        schema_of(item["responses"]["200"]["content"]["application/json"]["schema"]).validate(ANSWERS[name])


def test_the_example_of_a_problem_is_as_its_schema_says() -> None:
    schema_of({"$ref": "#/components/schemas/Problem"}).validate(PROBLEM)


def test_the_page_shows_all_of_it_without_a_script_of_others(client: Client) -> None:
    response = client.get("/api/v1/docs")
    html = response.content.decode()
    assert response["Cache-Control"] == "public, max-age=300"
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert not response.cookies
    for path, method, item in OPERATIONS:
        assert f"<code>{method.upper()} {path}</code>" in html
        assert f'id="{item["operationId"]}"' in html
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)
    assert not re.search(r"<script>|<style|\son\w+=|\sstyle=", html)
    anchors = set(re.findall(r'href="#([^"]+)"', html))
    assert anchors <= set(re.findall(r'id="([^"]+)"', html))
    assert {"not-found", "invalid", "too-many-requests"} <= set(re.findall(r'id="([^"]+)"', html))
