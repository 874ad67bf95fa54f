"""One HTTPS POST to a host that somebody named: its addresses are looked up once, checked, and connected to as they are."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from django.conf import settings
from django.utils.translation import gettext as _

from mailroom.target import BadTarget, Target, is_allowed, target_of
from whybounce.checks.guard import is_address, shown
from whybounce.checks.https_fetch import client_for, failed
from whybounce.checks.resolver import Resolver

SECONDS = 10.0
_MOST_ADDRESSES = 2


@dataclass(frozen=True, slots=True)
class Posted:
    """`status` of HTTP, None where no answer came; `problem`: why it is no success, as a sentence."""

    status: int | None = None
    problem: str = ""

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """`"t=1700000000,v1=<hex>"`: HMAC-SHA256 (RFC 2104) over the seconds since 1970, a full stop and the body."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


async def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = SECONDS) -> Posted:
    """Sends `body` to `url`. Never follows a redirect, reads nothing but the status, never raises for what the network does."""
    try:
        target = target_of(url)
        async with asyncio.timeout(seconds), client_for(settings.WHYBOUNCE_REACH.ca_file) as client:
            posted = Posted(problem=_("No address of %(host)s was found in DNS.") % {"host": target.host})
            for address in (await _addresses(target))[:_MOST_ADDRESSES]:
                posted = await _to_address(client, target, address, body, headers)
                if posted.status is not None:
                    break
            return posted
    except BadTarget as error:
        return Posted(problem=str(error))
    except TimeoutError:
        return Posted(problem=_("No answer came within %(seconds)d seconds.") % {"seconds": max(1, round(seconds))})


async def _addresses(target: Target) -> list[str]:
    """Addresses that may be connected to; BadTarget where the host has only others."""
    if is_address(target.host):
        return [target.host]
    resolver = Resolver(settings.WHYBOUNCE_NAMESERVERS or None, allow_networks=settings.WHYBOUNCE_ALLOW_NETWORKS)
    found = [address for lookup in await resolver.addresses(target.host) for address in lookup.records]
    allowed = [address for address in found if is_allowed(address)]
    if found and not allowed:
        raise BadTarget(_("%(host)s has a private address; nothing is sent there.") % {"host": target.host})
    return allowed


async def _to_address(client: httpx.AsyncClient, target: Target, address: str, body: bytes, headers: Mapping[str, str]) -> Posted:
    literal = f"[{address}]" if ":" in address else address
    request = client.build_request(
        "POST",
        f"https://{literal}:{target.port}{target.path}",
        content=body,
        headers={"Host": target.host_header, "Content-Type": "application/json", "User-Agent": "whybounce", **headers},
        extensions={"sni_hostname": target.host},
    )
    try:
        response = await client.send(request, stream=True)
        try:
            return _judged(response)
        finally:
            await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Posted(problem=failed(error, address).detail)


def _judged(response: httpx.Response) -> Posted:
    status = response.status_code
    if 200 <= status < 300:
        return Posted(status)
    if 300 <= status < 400:
        where = shown(response.headers.get("location", ""), 200) or "-"
        return Posted(status, _("It redirects (to %(where)s), and redirects are not followed.") % {"where": where})
    return Posted(status, _("The answer is %(status)d %(words)s.") % {"status": status, "words": shown(response.reason_phrase, 60)})
