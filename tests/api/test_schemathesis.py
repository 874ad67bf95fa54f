"""Schemathesis over the whole of the API: whatever is sent, the answer is one that the document promises, and no fault of the program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from api.models import Scope
from api.tokens import make_token
from tests.api.conftest import UNCLEAR, Program
from tests.servers.dns import DnsServer
from troubleshoot.rates import Limits, Rate

EXAMPLES = 12
"""For each operation. With 300 it takes minutes: worth while after a larger change."""
HELD_TO = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OFF = Rate(0)

schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())


@schemathesis.serializer("message/rfc822", "application/vnd.ms-outlook")
def raw(_context: object, value: object) -> bytes:
    """Byte for byte, as text/plain."""
    return str(value).encode("utf-8", "replace")


@pytest.fixture
def token(settings: Any, dns_server: DnsServer) -> str:
    """One for everything; no limits, a DNS server that knows nothing, a mail server that is never spoken with."""
    settings.WHYBOUNCE_LIMITS = Limits(OFF, OFF, OFF, OFF, OFF, OFF, OFF, OFF, OFF)
    return make_token(name="schemathesis", scopes=Scope.values, user=User.objects.create_user("eva"))[1]


@pytest.fixture
def case_id(token: str) -> str:
    """A case that is there: what is only ever asked of none is not tried out."""
    return str(Program(token).post("cases", UNCLEAR, "text/plain").json()["id"])


@pytest.fixture
def one_connection(case_id: str) -> Iterator[None]:
    """As Django's test client does it: a request does not end the connection, in whose transaction the test stands. After
    `case_id`, whose client connects the signals again."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_finds_a_fault(case: schemathesis.Case, token: str, case_id: str, one_connection: None) -> None:
    if "public_id" in case.path_parameters:
        case.path_parameters["public_id"] = case_id
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=HELD_TO)
