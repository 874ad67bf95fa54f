"""Until when: whether a server is still trying, and for how long, counted from what the text tells.

A sending server's give-up time "generally needs to be at least 4-5 days" (RFC 5321 section 4.5.4.1). A notice of delay may say
itself until when its sender tries (Will-Retry-Until, RFC 3464 section 2.3.9), and when the message came to it (Arrival-Date,
section 2.2.5).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from whybounce.failure import Action, DeliveryFailure

_SHORTEST, _LONGEST = timedelta(days=4), timedelta(days=5)
_SENT_BACK = frozenset({"dsn", "bounce-mail"})
"""The formats by which a server that gave up returns a message; in any other form it may still lie in a queue."""
_FIELD = {name: re.compile(rf"^{name}:[ \t]*(\S.{{0,79}})$", re.M | re.I) for name in ("Will-Retry-Until", "Arrival-Date")}


def until_words(failure: DeliveryFailure, text: str, form: str, *, permanent: bool, now: datetime | None = None) -> str:
    """A sentence or two. `text` and `form`: of the IntakeReport; `now`: with a zone."""
    now = now or timezone.now()
    if permanent:
        return _("Stop: no server tries this message again.")
    if failure.action is Action.DELAYED:
        return _delayed(failure, text, now)
    if form in _SENT_BACK:
        return _("The sending server has given up and sent the message back; nobody is still trying.")
    began = moment(failure.sent_at)
    if began is None:
        return _("A mail server keeps trying, for four to five days from the first attempt as a rule; a program or web form does not.")
    if began + _LONGEST < now:
        words = {"from": day(began), "until": day(began + _LONGEST)}
        return _("From %(from)s a mail server would have tried until about %(until)s. That is over.") % words
    words = {"from": day(began), "first": day(began + _SHORTEST), "last": day(began + _LONGEST)}
    return _("Counted from %(from)s a mail server keeps trying until about %(first)s or %(last)s; a program or web form does not.") % words


def _delayed(failure: DeliveryFailure, text: str, now: datetime) -> str:
    said = moment(_field(text, "Will-Retry-Until"))
    if said is not None:
        words = {"until": f"{day(said)} {said.astimezone(UTC):%H:%M} UTC"}
        if said < now:
            return _("The sending server said that it tries until %(until)s. That is over: it was delivered since, or given up.") % words
        return _("The sending server says that it tries until %(until)s.") % words
    began = moment(_field(text, "Arrival-Date")) or moment(failure.sent_at)
    if began is None:
        return _("The sending server keeps trying, for four to five days from the first attempt as a rule.")
    if began + _LONGEST < now:
        words = {"from": day(began), "until": day(began + _LONGEST)}
        return (
            _("Servers keep trying for four to five days: from %(from)s that was until about %(until)s, so it was delivered since, or given up.")
            % words
        )
    words = {"from": day(began), "first": day(began + _SHORTEST), "last": day(began + _LONGEST)}
    return _("The sending server keeps trying: counted from %(from)s until about %(first)s or %(last)s.") % words


def _field(text: str, name: str) -> str:
    """The value of a field that stands in the text once, or always alike; "" otherwise."""
    found = {value.strip() for value in _FIELD[name].findall(text)}
    return found.pop() if len(found) == 1 else ""


def moment(written: str) -> datetime | None:
    """`"Mon, 16 Nov 2026 09:12:44 +0000"`, `"2026-11-16T09:12:44Z"` or seconds since 1970 as a time; None for what is no full date."""
    written = written.strip()
    try:
        if re.fullmatch(r"\d{9,11}(\.\d+)?", written, re.ASCII):
            return datetime.fromtimestamp(float(written), UTC)
        found = datetime.fromisoformat(written) if written[:4].isdecimal() else parsedate_to_datetime(re.sub(r"\s*\(.*\)$", "", written))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def day(when: datetime) -> str:
    """`"16 November 2026"`, in UTC."""
    found: date = when.astimezone(UTC).date()
    return date_format(found, "j F Y")
