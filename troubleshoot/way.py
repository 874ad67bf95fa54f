"""The message's way as a picture: six places, and where it failed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshoot.wording import clipped
from whybounce.failure import DeliveryFailure, Stage
from whybounce.snapshot import Provider
from whybounce.visible import visible


class Place(IntEnum):
    """In the order in which a message passes them."""

    SENDER = 0
    SERVER = 1
    DNS = 2
    MX = 3
    FILTER = 4
    MAILBOX = 5


_LABELS: dict[Place, str | Promise] = {
    Place.SENDER: gettext_lazy("Sender"),
    Place.SERVER: gettext_lazy("Sender's server"),
    Place.DNS: gettext_lazy("DNS"),
    Place.MX: gettext_lazy("Recipient's MX"),
    Place.FILTER: gettext_lazy("Recipient's filter"),
    Place.MAILBOX: gettext_lazy("Mailbox"),
}
# Where a failure of each category of cause shows. A way of drawing, not knowledge: nothing is inferred from it.
_BY_CATEGORY: dict[str, Place] = {
    "unknown_recipient": Place.MAILBOX,
    "mailbox_full": Place.MAILBOX,
    "mailbox_disabled": Place.MAILBOX,
    "domain_dns": Place.DNS,
    "connection": Place.MX,
    "routing_loop": Place.MX,
    "relay_auth": Place.SERVER,
    "sender_auth": Place.FILTER,
    "reputation": Place.FILTER,
    "ptr_helo": Place.MX,
    "sender_rejected": Place.MX,
    "content_spam": Place.FILTER,
    "virus_attachment": Place.FILTER,
    "message_format": Place.FILTER,
    "too_large": Place.MX,
    "rate_limit": Place.MX,
    "policy": Place.FILTER,
    "tls": Place.MX,
    "protocol": Place.MX,
    "remote_system": Place.MX,
}
_BY_STAGE: dict[Stage, Place] = {
    Stage.CONNECT: Place.MX,
    Stage.EHLO: Place.MX,
    Stage.STARTTLS: Place.MX,
    Stage.AUTH: Place.SERVER,
    Stage.MAIL: Place.MX,
    Stage.RCPT: Place.MX,
    Stage.DATA: Place.FILTER,
    Stage.MESSAGE: Place.FILTER,
}
_STEP = 54
_NAME = 29


@dataclass(frozen=True, slots=True)
class Stop:
    """A place drawn at height `y` (in the units of the picture); `state`: "passed", "failed", "ahead" or "open"."""

    label: str
    name: str
    state: str
    y: int

    @property
    def label_y(self) -> int:
        return self.y - 3 if self.name else self.y + 5

    @property
    def name_y(self) -> int:
        return self.y + 14

    @property
    def next_y(self) -> int:
        return self.y + _STEP


@dataclass(frozen=True, slots=True)
class Way:
    """The stops in order, and the picture's sentence for those who do not see it. `told`: something is known of the way."""

    stops: tuple[Stop, ...]
    sentence: str
    height: int
    told: bool = True


def place_of(category: str, stage: Stage) -> Place | None:
    """Where a failure shows: by the category of its cause ("" where that is unclear), else by the stage; None where neither tells."""
    if category == "relay_auth" and stage in (Stage.RCPT, Stage.MAIL):
        return Place.MX
    return _BY_CATEGORY.get(category) or _BY_STAGE.get(stage)


def way_of(failure: DeliveryFailure, provider: Provider | None, place: Place | None) -> Way:
    """The way of this failure's message, failed at `place`."""
    names = {
        Place.SENDER: failure.header_from or failure.envelope_sender,
        Place.SERVER: failure.reporting_mta or failure.helo or failure.sending_ip,
        Place.DNS: failure.recipient_domain,
        Place.MX: failure.remote_mta,
        Place.FILTER: provider.name if provider else "",
        Place.MAILBOX: failure.recipient,
    }
    stops = tuple(
        Stop(str(_LABELS[stop]), clipped(visible(names[stop]), _NAME), _state(stop, place), _STEP // 2 + _STEP * number)
        for number, stop in enumerate(Place)
    )
    sentence = _("The message's way; where it failed is not known yet.")
    if place is not None:
        sentence = _("The message's way: it failed at “%(place)s”.") % {"place": _LABELS[place]}
    return Way(stops, sentence, _STEP * len(Place), place is not None or any(names.values()))


def _state(stop: Place, failed: Place | None) -> str:
    if failed is None:
        return "open"
    return "failed" if stop == failed else "passed" if stop < failed else "ahead"
