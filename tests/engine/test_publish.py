from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.zonefile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.dns import DnsServer
from tests.servers.https import PolicyServer
from whybounce.checks import mta_sts, mx, spf, tls_rpt
from whybounce.checks.guard import parse_networks
from whybounce.checks.mta_sts_policy import matches, parse_policy, parse_txt
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import Subject
from whybounce.checks.tls_rpt import read_record
from whybounce.checks.tools import Reach, Tools
from whybounce.publish import Change, Kind, Proposal, Published, Seen, Wanted, Word, look, proposals, propose, seen_in

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DOMAIN = "example.test"


def proposed(kind: Kind, wanted: Wanted | None = None, **seen: Any) -> Proposal:
    return propose(kind, Seen(DOMAIN, **seen), wanted or Wanted(NOW))


def dmarc(*texts: str, **wanted: Any) -> Proposal:
    return proposed(Kind.DMARC, Wanted(NOW, **wanted), dmarc=Published(texts, 300))


def test_no_dmarc_record_gives_one_that_only_asks_for_reports() -> None:
    proposal = dmarc()
    assert (proposal.name, proposal.proposed) == ("_dmarc.example.test", "v=DMARC1; p=none; rua=mailto:postmaster@example.test")
    assert "see that this mailbox exists" in proposal.warnings[0]
    named = dmarc(report_to="reports@elsewhere.test")
    assert named.proposed.endswith("rua=mailto:reports@elsewhere.test")
    assert '"v=DMARC1" at example.test._report._dmarc.elsewhere.test' in named.warnings[0]


def test_a_domain_that_takes_its_policy_from_above_needs_no_record() -> None:
    proposal = proposed(Kind.DMARC, dmarc=Published(), dmarc_above="test")
    assert not proposal
    assert "that of test holds for it" in proposal.why


@pytest.mark.parametrize(
    ("zone", "why"),
    [
        ("", "changes nothing about delivery"),
        ('_dmarc.example.test. TXT "v=DMARC1; p=reject"\n', "that of example.test holds for it"),
        (";! _dmarc.example.test servfail\n", "could not be found out"),
        (";! _dmarc.a.b.example.test servfail\n", "could not be found out"),
        ('_dmarc.a.b.example.test. TXT "v=DMARC1; p=none"\n;! _dmarc.example.test servfail\n', "is in order"),
    ],
)
def test_a_record_above_is_looked_for(dns_server: DnsServer, zone: str, why: str) -> None:
    dns_server.add("a.b.example.test. TXT x\n" + zone)
    seen = asyncio.run(look("a.b.example.test", Resolver([dns_server.address])))
    assert why in propose(Kind.DMARC, seen, Wanted(NOW)).why


MENDED = [
    ("v=DMARC1; p=rejct; rua=mailto:a@example.test", "v=DMARC1; p=none; rua=mailto:a@example.test"),
    ("v=DMARC1; p=reject; pct=100; rf=afrf; ri=86400", "v=DMARC1; p=reject"),
    ("v=DMARC1; p=reject; pct=50", "v=DMARC1; p=quarantine"),
    ("v=DMARC1; p=quarantine; sp=reject; pct=0", "v=DMARC1; p=none; sp=quarantine"),
    ("v=DMARC1; rua=mailto:a@example.test", "v=DMARC1; p=none; rua=mailto:a@example.test"),
    ("v=DMARC1; p=none; rua=a@example.test", "v=DMARC1; p=none; rua=mailto:a@example.test"),
    ("v=DMARC1; p=none; rua=mailto: a@example.test, mailto:b@example.test", "v=DMARC1; p=none; rua=mailto:a@example.test,mailto:b@example.test"),
    ("v=DMARC1 p=none rua=mailto:a@example.test", "v=DMARC1; p=none; rua=mailto:a@example.test"),
    ("v=dmarc1; p=none", "v=DMARC1; p=none"),
    ("p=none; v=DMARC1", "v=DMARC1; p=none"),
    ("v=DMARC1; p=none; sp=rejet; adkim=x; colour=red; fo=2", "v=DMARC1; p=none; sp=none"),
    ("v=DMARC1; p=none; p=reject", "v=DMARC1; p=none"),
    ("v=DMARC1; p=None; adkim=S; ADKIM=r", "v=DMARC1; p=none; adkim=s"),
]


@pytest.mark.parametrize(("text", "expected"), MENDED)
def test_a_wrong_dmarc_record_is_mended(text: str, expected: str) -> None:
    proposal = dmarc(text)
    assert proposal.proposed == expected
    assert proposal.why
    assert not dmarc(expected), "and then is in order"


@pytest.mark.parametrize("text", ["v=DMARC1; p=reject; rua=mailto:a@example.test", "v=DMARC1;p=none;np=reject;t=y;psd=n;fo=1:d:s;aspf=s;"])
def test_a_dmarc_record_in_order_stays(text: str) -> None:
    assert not dmarc(text)
    assert dmarc(text).why.endswith("is in order.")


def test_two_dmarc_records_become_one_with_the_mildest_policy() -> None:
    proposal = dmarc("v=DMARC1; p=reject; sp=quarantine; rua=mailto:a@example.test", "v=DMARC1; p=quarantine; aspf=s; rua=mailto:b@example.test")
    assert proposal.proposed == "v=DMARC1; p=quarantine; rua=mailto:a@example.test,mailto:b@example.test; aspf=s"
    assert "takes effect" in proposal.warnings[0]


POLICIES = ["none", "quarantine", "reject"]
_tags = st.lists(
    st.one_of(
        st.builds("{}={}".format, st.sampled_from(["p", "sp", "np", "P"]), st.sampled_from([*POLICIES, "rejct", ""])),
        st.builds("pct={}".format, st.integers(0, 120)),
        st.sampled_from(["rua=mailto:a@example.test", "rua=x", "adkim=s", "ri=1", "t=y", "junk", ""]),
    ),
    max_size=6,
)


def effective(text: str) -> tuple[int, int, int]:
    """How strict a receiver is by RFC 7489 or RFC 9989, whichever is stricter: as it stands, tags in order, the first of a name."""
    tags: dict[str, str] = {}
    for piece in text.split(";")[1:]:
        name, _, value = piece.strip().partition("=")
        tags.setdefault(name.lower(), value)
    p = POLICIES.index(tags["p"]) if tags.get("p") in POLICIES else 0
    sp = POLICIES.index(tags["sp"]) if tags.get("sp") in POLICIES else p
    return p, sp, POLICIES.index(tags["np"]) if tags.get("np") in POLICIES else sp


@settings(max_examples=200)
@given(tags=_tags)
def test_a_mended_dmarc_record_is_never_stricter(tags: list[str]) -> None:
    text = "; ".join(["v=DMARC1", *tags])
    proposal = dmarc(text)
    if proposal:
        assert all(new <= old for new, old in zip(effective(proposal.proposed), effective(text), strict=True)), proposal.proposed
        assert not dmarc(proposal.proposed)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), "v=TLSRPTv1; rua=mailto:postmaster@example.test"),
        (("v=TLSRPTv1;",), "v=TLSRPTv1; rua=mailto:postmaster@example.test"),
        (("v=TLSRPTv1; rua=a@example.test",), "v=TLSRPTv1; rua=mailto:a@example.test"),
        (
            ("v=TLSRPTv1; rua=mailto:a@example.test", "v=TLSRPTv1; rua=https://b.test/x"),
            "v=TLSRPTv1; rua=mailto:a@example.test,https://b.test/x",
        ),
    ],
)
def test_tls_rpt(texts: tuple[str, ...], expected: str) -> None:
    proposal = proposed(Kind.TLS_RPT, tls_rpt=Published(texts))
    assert (proposal.name, proposal.proposed) == ("_smtp._tls.example.test", expected)
    assert read_record(proposal.proposed)[1] == ""
    assert not proposed(Kind.TLS_RPT, tls_rpt=Published((expected,)))


MX = Published(("10 mx1.example.test", "20 a.mail.example.test"))


def test_mta_sts_lists_the_mx_hosts_of_today() -> None:
    proposal = proposed(Kind.MTA_STS, mta_sts=Published(), mx=MX, policy="")
    assert proposal.proposed == "v=STSv1; id=20261125120000;"
    assert proposal.file is not None
    assert proposal.file.url == "https://mta-sts.example.test/.well-known/mta-sts.txt"
    assert proposal.file.proposed == "version: STSv1\nmode: testing\nmx: mx1.example.test\nmx: a.mail.example.test\nmax_age: 604800\n"
    assert parse_policy(proposal.file.proposed).problems == ()
    assert "Serve the policy file first" in proposal.warnings[0]


def test_mta_sts_keeps_what_fits_and_the_mode_enforce() -> None:
    old = "version: STSv1\nmode: enforce\nmx: *.mail.example.test\nmx: old.example.test\nmax_age: 1209600\n"
    proposal = proposed(Kind.MTA_STS, mta_sts=Published(("v=STSv1; id=20261125120000;",)), mx=MX, policy=old)
    assert proposal.proposed == "v=STSv1; id=20261125120001;", "a new id, although that of this second is used"
    assert proposal.file is not None
    assert proposal.file.proposed == "version: STSv1\nmode: enforce\nmx: *.mail.example.test\nmx: mx1.example.test\nmax_age: 1209600\n"
    assert all(matches(host, parse_policy(proposal.file.proposed).mx) for host in ("mx1.example.test", "a.mail.example.test"))
    assert "mx1.example.test, to which mail for it goes" in proposal.why
    assert Word("old.example.test", Change.REMOVED) in proposal.file.diff
    done = proposed(Kind.MTA_STS, mta_sts=Published((proposal.proposed,)), mx=MX, policy=proposal.file.proposed)
    assert not done
    assert done.why == "The MTA-STS policy of example.test names all its MX hosts."


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ({"mta_sts": Published(), "mx": Published(("0 .",))}, "has no MX hosts"),
        ({"mta_sts": Published(), "mx": Published()}, "has no MX hosts"),
        ({"mta_sts": Published(), "mx": None}, "could not be found out"),
        ({"mta_sts": None, "mx": MX}, "could not be found out"),
        ({"mta_sts": Published(("v=STSv1; id=1;",)), "mx": MX, "policy": None}, "could not be looked at"),
    ],
)
def test_mta_sts_proposes_nothing_where_it_cannot_know(seen: dict[str, Any], why: str) -> None:
    proposal = proposed(Kind.MTA_STS, **seen)
    assert not proposal
    assert why in proposal.why


def test_two_mta_sts_records_become_one() -> None:
    policy = "version: STSv1\nmode: testing\nmx: *.example.test\nmx: a.mail.example.test\nmax_age: 86400\n"
    proposal = proposed(Kind.MTA_STS, mta_sts=Published(("v=STSv1; id=1;", "v=STSv1; id=2;")), mx=MX, policy=policy)
    assert parse_txt(proposal.proposed).problem == ""
    assert proposal.file is not None
    assert proposal.file.proposed == policy


NULL_MX = [
    (Published(("v=spf1 -all",)), Published(), ""),
    (Published(("v=spf1 mx -all",)), Published(), "lets somebody send"),
    (Published(("v=spf1 ~all",)), Published(), "lets somebody send"),
    (Published(("v=spf1 redirect=x.test",)), Published(), "lets somebody send"),
    (Published(("v=spf1 nonsense -all",)), Published(), "lets somebody send"),
    (Published(), Published(), "may send mail"),
    (Published(("v=spf1 -all",)), MX, "would end that"),
    (Published(("v=spf1 -all",)), Published(("0 .",)), "has a null MX already"),
    (None, Published(), "could not be found out"),
    (Published(("v=spf1 -all",)), None, "could not be found out"),
]


@pytest.mark.parametrize(("spf_records", "mx_records", "why"), NULL_MX)
def test_a_null_mx_only_where_no_mail_is_sent_or_received(spf_records: Published | None, mx_records: Published | None, why: str) -> None:
    proposal = proposed(Kind.NULL_MX, spf=spf_records, mx=mx_records)
    assert bool(proposal) is not bool(why)
    assert why in proposal.why
    if proposal:
        assert proposal.zone_line == "example.test. 3600 IN MX 0 ."


@pytest.mark.parametrize("kind", list(Kind))
def test_nothing_is_proposed_for_a_domain_that_does_not_exist_or_was_not_looked_at(kind: Kind) -> None:
    for seen in (Seen(DOMAIN), Seen(DOMAIN, Published(), Published(), "", Published(), Published(), Published(), exists=False)):
        proposal = propose(kind, seen, Wanted(NOW, sending_ip="192.0.2.1"))
        assert not proposal
        assert proposal.why.endswith(".")


def test_the_difference_is_told_word_by_word() -> None:
    proposal = propose(Kind.SPF, Seen(DOMAIN, spf=Published(("v=spf1 a mx -all",))), Wanted(NOW, sending_ip="192.0.2.1"))
    assert [(word.text, str(word.change)) for word in proposal.diff] == [
        ("v=spf1", "kept"),
        ("ip4:192.0.2.1", "added"),
        ("a", "kept"),
        ("mx", "kept"),
        ("-all", "kept"),
    ]


@settings(max_examples=60)
@given(text=st.text(st.characters(min_codepoint=1, max_codepoint=0x2FFF), max_size=300), kind=st.sampled_from([Kind.SPF, Kind.DMARC, Kind.TLS_RPT]))
def test_whatever_strangers_publish_what_is_shown_and_proposed_is_plain(text: str, kind: Kind) -> None:
    head = {Kind.SPF: "v=spf1 ", Kind.DMARC: "v=DMARC1; rua=", Kind.TLS_RPT: "v=TLSRPTv1; rua="}[kind] + text
    field = {Kind.SPF: "spf", Kind.DMARC: "dmarc", Kind.TLS_RPT: "tls_rpt"}[kind]
    proposal = propose(kind, Seen(DOMAIN, **{field: Published((head.encode("utf-8").decode("latin-1"),))}), Wanted(NOW, sending_ip="192.0.2.1"))  # type: ignore[arg-type]
    assert all(32 <= ord(char) < 127 for char in proposal.proposed)
    assert "\x1b" not in "".join([*proposal.published, proposal.why, *proposal.warnings])
    if proposal:
        value = proposal.zone_line.split(" IN TXT ", 1)[1]
        rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, value)
        assert b"".join(rdata.strings).decode() == proposal.proposed  # type: ignore[attr-defined]


def test_from_the_checks_to_the_records_and_back(dns_server: DnsServer) -> None:
    """A domain with everything wrong: the checks, the proposals, these published, and the checks again."""
    dns_server.add(
        "$ORIGIN example.test.\n@ SOA ns h 1 1 1 1 60\n@ MX 10 mx1\nmx1 A 8.8.8.8\nmta-sts A 127.0.0.1\n"
        '@ TXT "v=spf1 mx -all"\n_mta-sts TXT "v=STSv1; id=1-1;"\n_smtp._tls TXT "v=TLSRPTv1;"\n_dmarc TXT "v=DMARC1; p=rejct"\n'
    )
    subject = Subject(domain=DOMAIN, sending_ip="192.0.2.9", mail_from=f"anna@{DOMAIN}")
    with PolicyServer("mta-sts.example.test", "version: STSv1\nmode: enforce\nmx: old.example.test\nmax_age: 86400\n") as policy_server:
        reach = Reach(https_port=policy_server.port, ca_file=policy_server.ca_file)

        async def checked() -> tuple[dict[str, str], Seen]:
            async with Tools(Resolver([dns_server.address], allow_networks=parse_networks(["127.0.0.0/8"])), reach) as tools:
                results = [await check.run(subject, tools) for check in (spf, mx, mta_sts, tls_rpt)]
                seen = await look(DOMAIN, tools.resolver, known=seen_in(results, DOMAIN))
                assert dns_server.asked_twice() == []
                return {result.check: result.answer for result in results}, seen

        before, seen = asyncio.run(checked())
        assert before == {"spf": "fail", "mx": "ok", "mtasts": "invalid", "tlsrpt": "invalid"}
        found = proposals(seen, Wanted(NOW, sending_ip="192.0.2.9"))
        assert [kind.value for kind, proposal in found.items() if proposal] == ["spf", "dmarc", "mtasts", "tlsrpt"]
        dns_server.add("\n".join(proposal.zone_line for proposal in found.values()) + "\n")
        file = found[Kind.MTA_STS].file
        assert file is not None
        policy_server.policy = file.proposed
        dns_server.queries.clear()
        after, seen = asyncio.run(checked())
    assert after == {"spf": "pass", "mx": "ok", "mtasts": "ok", "tlsrpt": "ok"}
    assert not any(proposals(seen, Wanted(NOW, sending_ip="192.0.2.9")).values())
