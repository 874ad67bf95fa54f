"""The MTA-STS record and policy file to publish: RFC 8461."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from whybounce.checks.mta_sts_policy import MAX_MAX_AGE, Policy, matches, parse_policy, parse_txt, policy_url
from whybounce.publish.values import PolicyFile, Proposal, Seen, Wanted, nothing, proposal, shown_lines

# RFC 8461 section 3.2 advises weeks once all is proven; a week is soon corrected.
_FIRST_MAX_AGE = 604_800


def propose_mta_sts(seen: Seen, wanted: Wanted) -> Proposal:
    """The policy lists today's MX hosts, in mode testing unless it is enforce already; the record gets a new id, so that senders fetch it."""
    name = f"_mta-sts.{seen.domain}"
    why_not = _why_not(seen, name)
    if why_not or seen.mta_sts is None or seen.mx is None:
        return nothing(name, why_not, seen.mta_sts)
    hosts = [text.split()[-1].lower() for text in seen.mx.texts]
    policy = parse_policy(seen.policy or "")
    text = _policy_text(policy, hosts)
    file = PolicyFile(policy_url(seen.domain), shown_lines(seen.policy or ""), text)
    good = len(seen.mta_sts.texts) == 1 and not parse_txt(seen.mta_sts.texts[0]).problem
    if good and seen.policy and not policy.problems and all(matches(host, policy.mx) for host in hosts):
        return nothing(name, f"The MTA-STS policy of {seen.domain} names all its MX hosts.", seen.mta_sts)
    record = f"v=STSv1; id={_new_id(wanted.now, seen.mta_sts.texts)};"
    return proposal(name, seen.mta_sts, record, _why(seen, policy, hosts), _warnings(seen, policy), file=file)


def _why_not(seen: Seen, name: str) -> str:
    if not seen.exists:
        return f"The domain {seen.domain} does not exist in DNS, so no record can be published for it."
    if seen.mta_sts is None or seen.mx is None:
        return f"What is published at {name}, or the MX hosts of {seen.domain}, could not be found out, so nothing is proposed."
    if seen.mta_sts.texts and seen.policy is None:
        return f"The present policy file of {seen.domain} could not be looked at, so nothing is proposed."
    if not seen.mx.texts or any(text.split()[-1] == "." for text in seen.mx.texts):
        return f"{seen.domain} has no MX hosts, and MTA-STS is for those: there is nothing to publish."
    return ""


def _policy_text(policy: Policy, hosts: Sequence[str]) -> str:
    """What the policy names and is an MX host still stays; hosts that it lacks are added. Lines end as RFC 8461 section 3.2 allows."""
    kept = [pattern for pattern in dict.fromkeys(policy.mx) if any(matches(host, [pattern]) for host in hosts)]
    patterns = kept + [host for host in dict.fromkeys(hosts) if not matches(host, kept)]
    age = policy.max_age if policy.max_age is not None and 0 < policy.max_age <= MAX_MAX_AGE else _FIRST_MAX_AGE
    mode = "enforce" if policy.mode == "enforce" else "testing"
    return "\n".join(["version: STSv1", f"mode: {mode}", *(f"mx: {pattern}" for pattern in patterns), f"max_age: {age}"]) + "\n"


def _new_id(now: datetime, texts: Sequence[str]) -> str:
    """The date and time as an id (1 to 32 letters and digits), another than those that are published."""
    used = {found for text in texts for found in re.findall(r"id\s*=\s*([A-Za-z0-9]+)", text)}
    while (new := now.strftime("%Y%m%d%H%M%S")) in used:
        now += timedelta(seconds=1)
    return new


def _why(seen: Seen, policy: Policy, hosts: Sequence[str]) -> str:
    domain = seen.domain
    if seen.mta_sts is not None and not seen.mta_sts.texts:
        return f"{domain} has no MTA-STS record. With it and its policy file, senders know that the MX hosts offer TLS."
    missing = [host for host in hosts if not matches(host, policy.mx)]
    if not seen.policy:
        return f"{domain} has an MTA-STS record, but no policy file that could be used."
    if policy.problems:
        return f"The policy file of {domain} cannot be used: {policy.problems[0]}."
    if missing:
        return f"The policy of {domain} does not name {' and '.join(missing)}, to which mail for it goes."
    return f"The MTA-STS record of {domain} is wrong or stands there twice, so senders do not see the policy."


def _warnings(seen: Seen, policy: Policy) -> tuple[str, ...]:
    warnings = [
        f"Serve the policy file first, at {policy_url(seen.domain)}, with a valid certificate for mta-sts.{seen.domain} and without a redirect;"
        " then publish the record."
    ]
    if policy.mode == "enforce":
        warnings.append("The mode stays enforce: senders refuse to deliver to an MX host that has no valid certificate for its name.")
    else:
        warnings.append("Leave the mode at testing until TLS reports show no failures; in mode enforce a certificate that is not valid stops mail.")
    return tuple(warnings)
