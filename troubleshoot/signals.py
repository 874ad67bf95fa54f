"""What others may want to hear of: each is sent once what it tells of is stored, after the transaction. A receiver that fails disturbs nobody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import transaction
from django.dispatch import Signal

if TYPE_CHECKING:
    from troubleshoot.models import Case, CheckOutcome

case_opened = Signal()
"""Sent with `case`, a Case."""
case_closed = Signal()
"""Sent with `case`, a Case that has its outcome."""
checks_stored = Signal()
"""Sent with `outcomes`, a list of CheckOutcome. Those of a check that already had its outcome are among them."""


def tell(signal: Signal, *, sender: type[Case] | type[CheckOutcome], **what: Case | Iterable[CheckOutcome]) -> None:
    """Sends a signal when the present transaction is over; not at all where it is rolled back."""
    transaction.on_commit(lambda: signal.send_robust(sender, **what), robust=True)
