"""Which record: one function for each kind."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from whybounce.publish.dmarc import propose_dmarc
from whybounce.publish.mta_sts import propose_mta_sts
from whybounce.publish.null_mx import propose_null_mx
from whybounce.publish.spf import propose_spf
from whybounce.publish.tls_rpt import propose_tls_rpt
from whybounce.publish.values import Proposal, Seen, Wanted


class Kind(StrEnum):
    """The kinds of records that are proposed."""

    SPF = "spf"
    DMARC = "dmarc"
    MTA_STS = "mtasts"
    TLS_RPT = "tlsrpt"
    NULL_MX = "nullmx"


_PROPOSE: dict[Kind, Callable[[Seen, Wanted], Proposal]] = {
    Kind.SPF: propose_spf,
    Kind.DMARC: propose_dmarc,
    Kind.MTA_STS: propose_mta_sts,
    Kind.TLS_RPT: propose_tls_rpt,
    Kind.NULL_MX: propose_null_mx,
}


def propose(kind: Kind, seen: Seen, wanted: Wanted) -> Proposal:
    """The record of this kind to publish at the domain that was looked at; a falsy one where there is nothing to publish."""
    return _PROPOSE[kind](seen, wanted)


def proposals(seen: Seen, wanted: Wanted) -> dict[Kind, Proposal]:
    """Those of all kinds, also the falsy ones."""
    return {kind: propose(kind, seen, wanted) for kind in Kind}
