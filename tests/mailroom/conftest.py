"""Fixtures of mail in and webhooks: the made-up knowledge, mails as people forward them, a mail server that takes the answers."""

from __future__ import annotations

import email.message
import email.policy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailroom.senders import parse_senders
from tests.troubleshoot.conftest import no_collected_files as no_collected_files
from tests.troubleshoot.conftest import paste as paste
from tests.troubleshoot.conftest import revision as revision
from tests.troubleshoot.conftest import supporter as supporter
from troubleshoot.rates import Rate

BOUNCES = Path(__file__).parents[1] / "data" / "bounces"
POSTFIX = (BOUNCES / "postfix-dsn.eml").read_bytes()
ATTACHED = (BOUNCES / "forwarded-attached.eml").read_bytes()
SUE = "sue@help.example"
Forward = Callable[..., bytes]


def forward(bounce: bytes | None = POSTFIX, *, text: str = "What does this mean?\n", kind: str = "message/rfc822", **headers: str) -> bytes:
    """A mail of Sue's with a bounce attached, as bytes with CRLF; `headers`: `auto_submitted="auto-replied"` sets Auto-Submitted."""
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    fields = {"From": f"Sue <{SUE}>", "To": "bounce@help.example", "Subject": "Fwd: Undelivered Mail", "Message-ID": "<1@help.example>"}
    fields |= {name.replace("_", "-").title().replace("Id", "ID"): value for name, value in headers.items()}
    for name, value in fields.items():
        if value:
            mail[name] = value
    mail.set_content(text)
    if bounce is not None and kind == "message/rfc822":
        mail.add_attachment(email.message_from_bytes(bounce, policy=email.policy.SMTP))
    elif bounce is not None:
        main, _, sub = kind.partition("/")
        mail.add_attachment(bounce, maintype=main, subtype=sub, filename="bounce")
    if mail.is_multipart():
        mail.set_boundary("between-the-parts")  # the same mail each time
    return mail.as_bytes()


@pytest.fixture(autouse=True)
def mail_settings(settings: Any) -> None:
    settings.WHYBOUNCE_MAIL_FROM = "Whybounce <bounce@help.example>"
    settings.WHYBOUNCE_MAIL_SENDERS = parse_senders([SUE, "customer.example"])
    settings.WHYBOUNCE_MAIL_DROP = False
    settings.WHYBOUNCE_SITE_URL = "https://bounce.example.org"
    settings.WHYBOUNCE_LIMIT_MAIL = Rate(60, 3600)
