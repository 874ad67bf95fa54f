"""Errors that the programming interfaces of mail services answer with: no mail server was asked, the service itself refused.

https://learn.microsoft.com/graph/errors, https://developers.google.com/workspace/gmail/api/guides/handle-errors
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from whybounce.intake.webhooks.document import Text, Value
from whybounce.intake.webhooks.event import Event, Sender, child, entry, first, items, word

Read = Callable[[dict[str, Value]], tuple[Value, Value]]
"""An error -> its sentence and its name."""


def _error(name: str, slug: str, marks: tuple[str, ...], knows: Callable[[dict[str, Value]], bool], read: Read) -> Sender:
    def events(value: dict[str, Value]) -> Iterator[Event]:
        said, code = read(value)
        called = f" ({code})" if isinstance(code, str) and code else ""
        note = f"This is an error of {name}'s interface{called}: the service refused the mail itself, no mail server was asked."
        yield Event("failed", said=first(said, code), note=note)

    return Sender(slug, name, marks, knows, events)


def _is_graph(value: dict[str, Value]) -> bool:
    code = child(value, "error", "code")
    return isinstance(code, Text) and not code.isdigit() and "message" in entry(value, "error")


def _is_google(value: dict[str, Value]) -> bool:
    error = entry(value, "error")
    return "message" in error and ("errors" in error or (isinstance(error.get("code"), Text) and error["code"].isdigit()))


def _google_reason(value: dict[str, Value]) -> Value:
    reasons = [child(item, "reason") for item in items(value, "error", "errors")]
    return first(*reasons, child(value, "error", "status"))


def _is_oauth(value: dict[str, Value]) -> bool:
    return isinstance(value.get("error"), Text) and "error_description" in value


def _is_sendgrid(value: dict[str, Value]) -> bool:
    return any("message" in entry(item) and ("field" in item or "help" in item or "error_id" in item) for item in items(value, "errors") if item)


def _first_message(value: dict[str, Value]) -> tuple[Value, Value]:
    found = [item for item in items(value, "errors") if isinstance(item, dict)]
    return first(*[item.get("message") for item in found]), first(*[item.get("field") for item in found])


# The most specific first.
ERRORS = (
    _error(
        "Google", "gmail-api-error", ('"error"', '"errors"'), _is_google,
        lambda value: (first(child(value, "error", "message")), _google_reason(value)),
    ),
    _error(
        "Microsoft Graph", "graph-error", ('"error"',), _is_graph,
        lambda value: (first(child(value, "error", "message")), first(child(value, "error", "code"))),
    ),
    _error(
        "the sign-in service", "oauth-error", ("error_description",), _is_oauth,
        lambda value: (first(value.get("error_description")), first(value.get("error"))),
    ),
    _error(
        "Postmark", "postmark-error", ("ErrorCode",), lambda value: "ErrorCode" in value and "Message" in value and word(value, "ErrorCode") != "0",
        lambda value: (first(value.get("Message")), first(value.get("ErrorCode"))),
    ),
    _error(
        "Mailjet", "mailjet-error", ("ErrorMessage",), lambda value: "ErrorMessage" in value and ("ErrorCode" in value or "StatusCode" in value),
        lambda value: (first(value.get("ErrorMessage")), first(value.get("ErrorCode"), value.get("StatusCode"))),
    ),
    _error("SendGrid", "sendgrid-error", ('"errors"',), _is_sendgrid, _first_message),
    _error(
        "Resend", "resend-error", ("statusCode",), lambda value: "statusCode" in value and "name" in value and "message" in value,
        lambda value: (first(value.get("message")), first(value.get("name"))),
    ),
    _error(
        "Mandrill", "mandrill-error", ('"status"',), lambda value: word(value, "status") == "error" and "name" in value and "message" in value,
        lambda value: (first(value.get("message")), first(value.get("name"))),
    ),
    _error(
        "Amazon SES", "ses-error", ("__type",), lambda value: "__type" in value and ("message" in value or "Message" in value),
        lambda value: (first(value.get("message"), value.get("Message")), first(value.get("__type"))),
    ),
)  # fmt: skip
