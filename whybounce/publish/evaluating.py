"""What receivers will say once a proposed SPF record is published: the record evaluated as if it were."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any

from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.resolver import Resolver
from whybounce.checks.spf_eval import Evaluation, Sender
from whybounce.checks.spf_record import select_records
from whybounce.publish.values import Proposal


class Overlay(Resolver):
    """A resolver that answers as `below` does, but for one SPF record."""

    def __init__(self, below: Resolver, name: str, record: str) -> None:
        super().__init__(below.nameservers, allow_networks=below.allow_networks)
        self._below = below
        self._name, self._record = name, record

    async def ask(self, name: str, rdtype: str, **options: Any) -> Lookup:
        lookup = await self._below.ask(name, rdtype, **options)
        if rdtype != "TXT" or name.removesuffix(".").lower() != self._name:
            return lookup
        others = tuple(text for text in lookup.texts if not select_records((text,)))
        return replace(lookup, status=Status.ANSWERED, texts=(*others, self._record.encode("ascii")))


async def after(proposal: Proposal, sending_ip: str, resolver: Resolver, *, sender: str = "", helo: str = "") -> str:
    """The SPF result ("pass", "fail", "softfail", "neutral", "permerror", "temperror", "unknown") that the proposed record will give for
    mail from this address.

    sender    MAIL FROM; "": postmaster of the domain. Macros in the record depend on it.
    """
    ip = ipaddress.ip_address(sending_ip)
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    local, _, domain = (sender or f"postmaster@{proposal.name}").rpartition("@")
    evaluation = Evaluation(Sender(mapped or ip, local or "postmaster", domain, helo), Overlay(resolver, proposal.name, proposal.proposed))
    result, _, _ = await evaluation.run(proposal.name)
    return result
