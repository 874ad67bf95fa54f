"""The TLS-RPT record to publish: RFC 8460 section 3."""

from __future__ import annotations

import re

from whybounce.publish.mailboxes import mailbox_for, mended_uris, report_warnings
from whybounce.publish.values import Proposal, Seen, Wanted, nothing, proposal


def propose_tls_rpt(seen: Seen, wanted: Wanted) -> Proposal:
    """One record that says where reports about failed TLS go; several become one."""
    name = f"_smtp._tls.{seen.domain}"
    if not seen.exists:
        return nothing(name, f"The domain {seen.domain} does not exist in DNS, so no record can be published for it.")
    if seen.tls_rpt is None:
        return nothing(name, f"What is published at {name} could not be found out, so nothing is proposed.")
    texts = seen.tls_rpt.texts
    uris: list[str] = []
    for text in texts:
        for value in re.findall(r"(?:^|;)\s*rua\s*=\s*([^;]*)", text):
            uris += mended_uris(value)[0]
    named = list(dict.fromkeys(uris)) or [f"mailto:{mailbox_for(seen.domain, wanted)}"]
    text = f"v=TLSRPTv1; rua={','.join(named)}"
    if len(texts) == 1 and re.sub(r"\s+", "", texts[0]).removesuffix(";") == re.sub(r"\s+", "", text):
        return nothing(name, f"The TLS-RPT record of {seen.domain} is in order.", seen.tls_rpt)
    if not texts:
        why = f"{seen.domain} has no TLS-RPT record. This one asks senders to report where they could not deliver with TLS; it changes nothing else."
    elif len(texts) > 1:
        why = f"{seen.domain} has {len(texts)} TLS-RPT records, and senders ignore them all: only one may be there."
    else:
        why = f"The TLS-RPT record of {seen.domain} is not written as RFC 8460 section 3 asks, so senders ignore it."
    return proposal(name, seen.tls_rpt, text, why, report_warnings(seen.domain, "", "TLS-RPT", bool(uris or wanted.report_to)))
