"""Examples for the OpenAPI document. Tests hold them against the schemas."""

from __future__ import annotations

from typing import Any

REPLY = "550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown"
DSN = (
    "From: MAILER-DAEMON@mail.example.com\nSubject: Undelivered Mail Returned to Sender\n\n"
    "<anna@example.net>: host mx.example.net[192.0.2.7] said: 550 5.1.1\n    <anna@example.net>: User unknown (in reply to RCPT TO command)\n"
)

REQUESTS: dict[str, Any] = {
    "runChecks": {"domain": "example.net", "sending_ip": "192.0.2.25", "mail_from": "news@example.com", "only": ["mx", "spf"]},
    "answerQuestion": {"question": "has-space", "answer": "no"},
    "checkCase": {"names": ["mx"], "domain": "example.net"},
    "chooseRecipient": {"position": 1},
    "closeCase": {"cause": "unknown-user"},
}
"""By operation: what is sent."""

ANSWERS: dict[str, Any] = {
    "explain": {
        "file": None,
        "format": "reply",
        "failures": [
            {
                "recipient": "anna@example.net",
                "action": "failed",
                "code": "550",
                "enhanced": "5.1.1",
                "text": REPLY,
                "stage": "rcpt",
                "remote_mta": None,
                "reporting_mta": None,
                "sending_ip": None,
                "envelope_sender": None,
                "message_id": None,
                "provider": None,
                "verdict": {"permanent": True, "who_acts": ["sender"], "certainty": "likely"},
                "causes": [
                    {
                        "cause": "unknown-user",
                        "title": "The address does not exist",
                        "category": "unknown_recipient",
                        "probability": 0.97,
                        "because": [{"observation": "enhanced:5.1.1", "strength": "strongly for"}],
                    }
                ],
            }
        ],
        "notes": [],
        "error": None,
    },
    "runChecks": {
        "subject": {"domain": "example.net"},
        "elapsed_ms": 41,
        "queries": 3,
        "checks": [
            {
                "check": "mx",
                "answer": "ok",
                "state": "good",
                "detail": "Mail for example.net goes to mx.example.net.",
                "findings": [{"finding": "mx.ok", "severity": "ok", "data": {"hosts": ["mx.example.net"]}}],
                "facts": {"ttl": 300},
                "elapsed_ms": 40,
            }
        ],
        "url": "https://bounce.example.org/check/abcdefghijkl/",
    },
    "search": {
        "query": "5.1.1",
        "groups": [
            {
                "kind": "code",
                "hits": [{"label": "5.1.1", "title": "Bad mailbox", "url": "https://bounce.example.org/codes/5.1.1/", "excerpt": "No such mailbox."}],
            }
        ],
    },
}
"""By operation: what comes back."""

PROBLEM: dict[str, Any] = {
    "type": "/api/v1/docs#invalid",
    "title": "What was sent is not valid",
    "status": 422,
    "detail": "Some of what was sent is not valid; errors says what.",
    "errors": [{"pointer": "/answer", "detail": "Field required"}],
}
