"""What a case knows of the placeholders of steps and letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whybounce.failure import domain_of
from whybounce.reasoning import Ranking
from whybounce.remedies import values_of
from whybounce.visible import visible


def known_values(ranking: Ranking, supplied: Mapping[str, Any]) -> dict[str, str]:
    """What was pasted, then what a person supplied (Case.supplied); "" where neither says anything."""
    provider = ranking.knowledge.providers.get(ranking.provider)
    values = values_of(ranking.failure, provider.name if provider else "")
    mail_from = supplied.get("mail_from", "")
    given = {
        "recipient_domain": supplied.get("domain", ""),
        "sending_ip": supplied.get("sending_ip", ""),
        "envelope_sender": mail_from,
        "sender_domain": domain_of(mail_from),
        "header_from_domain": domain_of(supplied.get("header_from", "")) or domain_of(mail_from),
        "helo": supplied.get("helo", ""),
    }
    return {name: visible(value or given.get(name, "")) for name, value in values.items()}
