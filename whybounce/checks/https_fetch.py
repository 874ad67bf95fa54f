"""One file over HTTPS from a host that a stranger names: to an address that was checked, without redirects, within a time and a size."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import httpx

from whybounce.checks.guard import shown

FETCH_SECONDS = 8.0
CONNECT_SECONDS = 3.0
MAX_BYTES = 64 * 1024
MAX_ADDRESSES = 2


class Outcome(StrEnum):
    """What came of it. UNKNOWN: nobody answered in time or we have no way there, which tells nothing certain of the host."""

    FOUND = "found"
    STATUS = "status"
    REDIRECT = "redirect"
    TOO_LARGE = "too-large"
    CERTIFICATE = "certificate"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fetched:
    """
    status        of HTTP; 0 where none came
    body          what was read, up to the cap, for FOUND
    detail        why, as the end of a sentence, for all but FOUND; safe to show
    location      where a redirect leads; safe to show
    """

    outcome: Outcome
    address: str = ""
    status: int = 0
    body: bytes = b""
    content_type: str = ""
    detail: str = ""
    location: str = ""


async def fetch(
    url: str, addresses: Sequence[str], *, port: int = 443, ca_file: str = "", seconds: float = FETCH_SECONDS, max_bytes: int = MAX_BYTES
) -> Fetched:
    """The file at `url` from one of `addresses`, literals that the caller has checked; the name is used for SNI, the certificate and Host
    only, so that nothing is resolved again. The next address is tried only where the one before could not be reached. Never raises for
    what the network does.

    ca_file   PEM file of the authorities to trust; "": the system's
    """
    last = Fetched(Outcome.UNKNOWN, detail="no address was given")
    try:
        async with asyncio.timeout(seconds), client_for(ca_file) as client:
            for address in addresses[:MAX_ADDRESSES]:
                last = Fetched(Outcome.UNKNOWN, address, detail=f"{address} did not answer within {seconds:g} s")
                last = await _from_address(client, url, address, port, max_bytes)
                if last.outcome not in (Outcome.REFUSED, Outcome.UNKNOWN):
                    break
    except TimeoutError:
        pass
    return last


def client_for(ca_file: str) -> httpx.AsyncClient:
    """Without the environment's proxies and netrc, and never following."""
    timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
    return httpx.AsyncClient(verify=_trust(ca_file), trust_env=False, follow_redirects=False, timeout=timeout, http2=False)


@lru_cache(maxsize=4)
def _trust(ca_file: str) -> ssl.SSLContext:
    """A machine without authorities of its own, as small containers are, would find every certificate bad: it gets certifi's."""
    if ca_file:
        return ssl.create_default_context(cafile=ca_file)
    paths = ssl.get_default_verify_paths()
    known = bool(paths.cafile) or (paths.capath is not None and any(Path(paths.capath).iterdir()))
    return ssl.create_default_context(cafile=None if known else certifi.where())


async def _from_address(client: httpx.AsyncClient, url: str, address: str, port: int, max_bytes: int) -> Fetched:
    name = urlsplit(url).hostname or ""
    literal = f"[{address}]" if ":" in address else address
    request = client.build_request(
        "GET",
        f"https://{literal}:{port}{urlsplit(url).path}",
        # Not compressed, so that what is counted is what comes.
        headers={"Host": name, "Accept": "text/plain", "Accept-Encoding": "identity", "User-Agent": "whybounce"},
        extensions={"sni_hostname": name},
    )
    try:
        response = await client.send(request, stream=True)
        try:
            return await _read(response, address, max_bytes)
        finally:
            await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return failed(error, address)


async def _read(response: httpx.Response, address: str, max_bytes: int) -> Fetched:
    status, kind = response.status_code, shown(response.headers.get("content-type", ""), 100)
    if 300 <= status < 400:
        location = shown(response.headers.get("location", ""), 300)
        return Fetched(Outcome.REDIRECT, address, status, detail=f"it is redirected to {location or 'nowhere'}", location=location)
    if status != 200:
        return Fetched(Outcome.STATUS, address, status, detail=f"the answer is {status} {shown(response.reason_phrase, 100)}".rstrip())
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > max_bytes:
            return Fetched(Outcome.TOO_LARGE, address, status, detail=f"it is larger than {max_bytes // 1024} kB")
    return Fetched(Outcome.FOUND, address, status, bytes(body), kind)


def failed(error: Exception, address: str) -> Fetched:
    """What an exception tells. httpx keeps the reason only in what it was raised from."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Fetched(Outcome.CERTIFICATE, address, detail=shown(cause.verify_message, 300))
        if isinstance(cause, ssl.SSLError):
            return Fetched(Outcome.REFUSED, address, detail=f"TLS fails ({shown(cause.reason or 'no reason given', 100)})")
        if isinstance(cause, ConnectionRefusedError):
            return Fetched(Outcome.REFUSED, address, detail=f"{address} refuses the connection")
    if isinstance(error, httpx.ProtocolError):
        return Fetched(Outcome.REFUSED, address, detail="it sends no proper HTTP")
    return Fetched(Outcome.UNKNOWN, address, detail=f"{address} could not be reached ({type(error).__name__})")


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        # A failure of several addresses (anyio) stands in a group.
        yield from getattr(current, "exceptions", ())
        current = current.__cause__ or current.__context__
