"""The record to publish, beside the one that is published now. Pure: what was seen and what is wanted go in, proposals come out.

    seen = seen_in(results, "example.com")                     # from the results of checks, asks nothing; or
    seen = await look("example.com", resolver, include="_spf.provider.example")    # asks DNS what the checks did not
    wanted = Wanted(now=datetime.now(UTC), sending_ip="192.0.2.1")
    proposal = propose(Kind.SPF, seen, wanted)
    if proposal:                                                # falsy: there is nothing to publish; proposal.why says why
        proposal.published, proposal.proposed, proposal.diff, proposal.zone_line, proposal.why, proposal.warnings

`propose` never raises, never proposes a record that is stricter than the one there is, and proposes nothing where it was not found out
what is published now: a record that could not be looked up is not one that is missing.

Which domain: SPF is published by the domain of the envelope sender, DMARC by that of the From header, MTA-STS, TLS-RPT and the null MX
by a domain that receives (or does not receive) mail. `Seen` is about one domain; look at two domains for two records.

`await after(proposal, "192.0.2.1", resolver)` evaluates the proposed SPF record as a receiver would, without its being published.
"""

from whybounce.publish.diffing import Change, Word
from whybounce.publish.evaluating import after
from whybounce.publish.looking import look
from whybounce.publish.proposing import Kind, proposals, propose
from whybounce.publish.reading import seen_in
from whybounce.publish.values import Behind, PolicyFile, Proposal, Published, Seen, Wanted

__all__ = [
    "Behind",
    "Change",
    "Kind",
    "PolicyFile",
    "Proposal",
    "Published",
    "Seen",
    "Wanted",
    "Word",
    "after",
    "look",
    "proposals",
    "propose",
    "seen_in",
]
