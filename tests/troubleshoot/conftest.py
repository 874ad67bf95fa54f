"""Fixtures of the cases' tests: published knowledge, people, and a DNS server that the checks ask."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from knowledge.current import forget
from knowledge.models import KnowledgeRevision
from tests.engine.knowledge import KNOWLEDGE
from tests.servers.dns import DnsServer
from tests.troubleshoot.knowledge import SNAPSHOT
from troubleshoot.models import Case
from whybounce.checks.tools import SmtpMode
from whybounce.document import digest, to_document

UNKNOWN_USER = (
    "host mx.example.net[192.0.2.7] said: 550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown (in reply to RCPT TO command)"
)
UNCLEAR = "451 4.0.0 not now"

_DOCUMENT = to_document(SNAPSHOT)
_CONTENT = zlib.compress(json.dumps(_DOCUMENT).encode())
_WEIGHTS = KNOWLEDGE.model.to_bytes()

Paster = Callable[..., Case]


@pytest.fixture(autouse=True)
def revision(db: None) -> Iterator[KnowledgeRevision]:
    """The made-up knowledge, published."""
    forget()
    yield KnowledgeRevision.objects.create(reason="test", digest=digest(_DOCUMENT), content=_CONTENT, weights=_WEIGHTS)
    forget()


@pytest.fixture(autouse=True)
def no_collected_files(settings: object) -> None:
    """Static files are found where they lie: nothing was collected for a test."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture
def paste(client: Client) -> Paster:
    """`paste(text)` pastes it in the visitor's browser and gives the case; `by` is another browser."""

    def do(text: str = UNKNOWN_USER, by: Client = client) -> Case:
        response = by.post("/paste/", {"text": text})
        assert response.status_code == 302, response.content.decode()
        return Case.objects.get(public_id=response["Location"].split("/")[2])

    return do


@pytest.fixture
def supporter(client: Client) -> Client:
    """The browser of a person of the group Support who is logged in."""
    user = User.objects.create_user("sam", password="a long password")
    group, emptied = Group.objects.get_or_create(name="Support")
    if emptied:  # by a test with transactions of its own: what the migrations wrote is gone
        group.permissions.set(
            Permission.objects.filter(codename__in=[f"{verb}_{of}" for verb in ("view", "add", "change") for of in ("case", "outcome")])
        )
    user.groups.add(group)
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def dns_server(settings: object) -> Iterator[DnsServer]:
    """A DNS server on loopback that the checks ask instead of the system's; no mail server is spoken with."""
    settings.WHYBOUNCE_REACH = replace(settings.WHYBOUNCE_REACH, smtp=SmtpMode.OFF)
    with DnsServer() as server:
        settings.WHYBOUNCE_NAMESERVERS = [server.address]
        yield server
