"""How checks, and the gravity of what they find, are called on pages."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from whybounce.checks.result import Severity, State

LABELS: Mapping[str, str | Promise] = {
    "address": _("Address"),
    "dns": _("Delegation"),
    "mx": "MX",
    "provider": _("Provider"),
    "smtp": "SMTP",
    "mtasts": "MTA-STS",
    "tlsrpt": "TLS-RPT",
    "dane": "DANE",
    "ptr": _("Reverse DNS"),
    "helo": _("EHLO name"),
    "spf": "SPF",
    "dkim": "DKIM",
    "dmarc": "DMARC",
    "dnsbl": _("Blocklists"),
}
GROUPS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    (_("Receiving mail"), ("address", "dns", "mx", "provider", "smtp", "mtasts", "tlsrpt", "dane")),
    (_("Sending mail"), ("ptr", "helo", "spf", "dkim", "dmarc")),
    (_("Reputation"), ("dnsbl",)),
)
"""All checks, by what they are about."""
SEVERITIES: Mapping[Severity, tuple[str | Promise, str]] = {
    Severity.ERROR: (_("Error"), "fail"),
    Severity.WARNING: (_("Warning"), "wait"),
    Severity.INFO: (_("Note"), "plain"),
    Severity.OK: (_("Good"), "good"),
    Severity.UNKNOWN: (_("Not known"), "plain"),
}
"""A severity's word, and the class of its tag ("tag-fail")."""
STATES: Mapping[State, tuple[str | Promise, str]] = {
    State.GOOD: (_("good"), "good"),
    State.INFO: (_("neither good nor bad"), "plain"),
    State.WARNING: (_("warning"), "wait"),
    State.BAD: (_("bad"), "fail"),
    State.UNKNOWN: (_("could not look"), "plain"),
}
"""The same of an answer's state."""


def check_label(name: str) -> str:
    """How a check is called: "spf" -> "SPF"."""
    return str(LABELS.get(name, name.upper()))
