"""The checks there are. A new check is one module and one line here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from whybounce.checks import address, dane, delegation, dkim, dmarc, dnsbl, helo, mta_sts, mx, provider, ptr, smtp, spf, tls_rpt
from whybounce.checks.result import CheckResult, DeclaredAnswer, Subject
from whybounce.checks.tools import Tools


@dataclass(frozen=True, slots=True)
class Check:
    """
    name      as in the contract ("mx")
    answers   all it can ever answer; the question that names this check has exactly these
    needs     what the subject lacks for it to run: "" where it can run, else a sentence ("the recipient's domain")
    run       looks; never raises for what the network does
    """

    name: str
    answers: tuple[DeclaredAnswer, ...]
    needs: Callable[[Subject], str]
    run: Callable[[Subject, Tools], Awaitable[CheckResult]]


CHECKS: dict[str, Check] = {
    "address": Check("address", address.ANSWERS, address.needs, address.run),
    "dns": Check("dns", delegation.ANSWERS, delegation.needs, delegation.run),
    "mx": Check("mx", mx.ANSWERS, mx.needs, mx.run),
    "provider": Check("provider", provider.ANSWERS, provider.needs, provider.run),
    "ptr": Check("ptr", ptr.ANSWERS, ptr.needs, ptr.run),
    "helo": Check("helo", helo.ANSWERS, helo.needs, helo.run),
    "spf": Check("spf", spf.ANSWERS, spf.needs, spf.run),
    "dkim": Check("dkim", dkim.ANSWERS, dkim.needs, dkim.run),
    "dmarc": Check("dmarc", dmarc.ANSWERS, dmarc.needs, dmarc.run),
    "dnsbl": Check("dnsbl", dnsbl.ANSWERS, dnsbl.needs, dnsbl.run),
    "mtasts": Check("mtasts", mta_sts.ANSWERS, mta_sts.needs, mta_sts.run),
    "tlsrpt": Check("tlsrpt", tls_rpt.ANSWERS, tls_rpt.needs, tls_rpt.run),
    "dane": Check("dane", dane.ANSWERS, dane.needs, dane.run),
    "smtp": Check("smtp", smtp.ANSWERS, smtp.needs, smtp.run),
}
