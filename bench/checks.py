"""How fast the checks look at a healthy domain, beside the least that DNS allows, in the same run.

    python -m bench.checks [--delay 50] [--domains 100] [--peer]

A name server in a process of its own answers each question after `--delay` milliseconds and counts what it is asked. Prints the time of
all checks that look at DNS alone for one domain, as a ratio to the longest chain of look-ups that depend on each other; the time until
the first result; how many questions were put, and which twice; and the time for many domains at once, as a ratio to a bare loop of
asyncio and dnspython that puts the same questions. `--peer`: checkdmarc for the same domain, too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.message
import dns.query

from tests.servers.dns import DnsServer
from whybounce.checks.dnsbl_zones import chosen_lists
from whybounce.checks.guard import parse_networks
from whybounce.checks.registry import CHECKS
from whybounce.checks.resolver import MAX_AT_ONCE, NameServer, Resolver
from whybounce.checks.result import CheckResult, State, Subject
from whybounce.checks.runner import possible, run
from whybounce.checks.tools import Reach, SmtpMode, Tools
from whybounce.snapshot import Blocklist
from whybounce.yaml_knowledge import read_folder

ADDRESS = "198.51.100.25"
LOOPBACK = parse_networks(["127.0.0.0/8"])
KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvxxZDZBe61KUSY/nQ09l9P9n4rmeb2Ol/Z2j7g33viWEfTCro0+Nyicz/vjTQZv+cq5Wla+ADyXkdSGJ0OFp"
    "9SrUu9tGeDhil2UEPsHHdnf3AaarX3hyY8Ne5X5EOnJ5WY3QSpTL+eVUtSTt5DbsDqfShzxbc/BsKb5sfHuGJxcKuCyFVqCyhpSKT4kdpzZ5FLLrEiyvJGYUfq7qvqPB"
    "+A/wx1TIO5YONWWH2mqy3zviLx70u06wnxwyvGve2HMKeMvDm1HGibZShJnOIRzJuZ9BFYffm8iGisYFocxp7daiJgbpMtYyVwyCQljbU0yRFNhFr1vqWKHxWnzVwPQn"
    "9QIDAQAB"
)


def zone(domain: str) -> str:
    """A healthy domain, as receiver and as sender from ADDRESS."""
    return f"""
{domain}. 3600 IN SOA ns1.{domain}. hostmaster.{domain}. 1 3600 900 604800 300
{domain}. 3600 IN NS ns1.{domain}.
{domain}. 3600 IN NS ns2.{domain}.
ns1.{domain}. 3600 IN A 127.0.0.1
ns2.{domain}. 3600 IN A 127.0.0.1
{domain}. 3600 IN MX 10 mx1.{domain}.
{domain}. 3600 IN MX 20 mx2.{domain}.
mx1.{domain}. 3600 IN A 9.9.9.10
mx2.{domain}. 3600 IN A 9.9.9.11
{domain}. 3600 IN TXT "v=spf1 include:_spf.{domain} -all"
_spf.{domain}. 3600 IN TXT "v=spf1 ip4:{ADDRESS} ~all"
s1._domainkey.{domain}. 3600 IN TXT "v=DKIM1; k=rsa; p={KEY[:200]}" "{KEY[200:]}"
_dmarc.{domain}. 3600 IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{domain}"
_smtp._tls.{domain}. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tls@{domain}"
out.{domain}. 3600 IN A {ADDRESS}
out.{domain}. 3600 IN TXT "v=spf1 a -all"
"""


def subject(domain: str) -> Subject:
    return Subject(
        domain=domain,
        recipient=f"anna@{domain}",
        sending_ip=ADDRESS,
        mail_from=f"news@{domain}",
        header_from=f"news@{domain}",
        helo=f"out.{domain}",
        selectors=("s1",),
    )


def serve(pipe: Connection, text: str, delay: float, address: NameServer) -> None:
    """The name server: says its port, then what it was asked whenever it is bidden, and forgets it."""
    with DnsServer(f"{text}\n;! * delay={delay}\n", *address) as server:
        pipe.send(server.port)
        while pipe.recv():
            asked, server.queries[:] = [(query.name, query.rdtype, query.transport) for query in server.queries], []
            pipe.send(asked)


class Server:
    """The name server's process."""

    def __init__(self, text: str, delay: float, address: NameServer) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(target=serve, args=(theirs, text, delay, address), daemon=True)
        self._process.start()
        self.address = NameServer(address.host, self._pipe.recv())

    def asked(self) -> list[tuple[str, str, str]]:
        self._pipe.send(True)
        found: list[tuple[str, str, str]] = self._pipe.recv()
        return found

    def stop(self) -> None:
        self._pipe.send(False)
        self._process.join(5)


async def look(domain: str, server: NameServer, lists: Sequence[Blocklist]) -> tuple[float, list[CheckResult], int]:
    """Seconds until the first result, all results, and the questions that were put."""
    resolver = Resolver([server], allow_networks=LOOPBACK)
    reach = Reach(smtp=SmtpMode.OFF, dns_port=server.port)
    began = time.perf_counter()
    first = 0.0
    results = []
    async with Tools(resolver, reach, tuple(lists)) as tools:
        about = subject(domain)
        async for result in run([name for name in possible(about) if name not in ("smtp", "dane")], about, tools):
            first = first or time.perf_counter() - began
            results.append(result)
    return first, results, resolver.queries


async def bare(questions: Sequence[Sequence[tuple[str, str]]], server: NameServer) -> None:
    """The same questions with nothing around them but what UDP needs, asking again: those of each domain in as many rounds as its
    longest chain has look-ups, a round at once."""

    async def ask(name: str, rdtype: str, places: asyncio.Semaphore) -> None:
        query = dns.message.make_query(name, rdtype)
        async with places:
            while True:
                with contextlib.suppress(dns.exception.Timeout, dns.query.BadResponse):
                    await dns.asyncquery.udp_with_fallback(query, server.host, timeout=1, port=server.port)
                    return

    async def domain(asked: Sequence[tuple[str, str]]) -> None:
        third, places = -(-len(asked) // 3), asyncio.Semaphore(MAX_AT_ONCE)
        for part in (asked[:third], asked[third : 2 * third], asked[2 * third :]):
            await asyncio.gather(*(ask(name, rdtype, places) for name, rdtype in part))

    await asyncio.gather(*(domain(asked) for asked in questions))


def one(server: Server, lists: Sequence[Blocklist], delay: float, chain: int) -> None:
    domain = "d0.example.net"
    asyncio.run(look("warm.example.org", server.address, ()))
    server.asked()
    best, first, results, queries = 1e9, 1e9, [], 0
    for _ in range(5):
        began = time.perf_counter()
        to_first, results, queries = asyncio.run(look(domain, server.address, lists))
        best, first = min(best, time.perf_counter() - began), min(first, to_first)
        asked = server.asked()
    twice = [question for question, count in Counter(asked).items() if count > 1]
    least = chain * delay
    print(f"one domain, {len(results)} checks: {best * 1000:.0f} ms, {best / least:.2f} x the longest chain ({chain} x {delay * 1000:.0f} ms)")
    print(
        f"the first result after {first * 1000:.0f} ms, {first / delay:.2f} x one answer; {queries} questions, {len(asked)} messages, twice: {twice}"
    )
    for result in results:
        mark = "" if result.state in (State.GOOD, State.INFO) else "   <-"
        print(f"    {result.check:<9}{result.answer:<14}{result.elapsed_ms:>6} ms{mark}")


def many(server: Server, lists: Sequence[Blocklist], number: int) -> None:
    names = [f"d{i}.example.net" for i in range(number)]

    async def all_at_once() -> None:
        await asyncio.gather(*(look(name, server.address, lists) for name in names))

    best = floor = 1e9
    for _ in range(2):
        server.asked()
        began = time.perf_counter()
        asyncio.run(all_at_once())
        best = min(best, time.perf_counter() - began)
        asked = list(dict.fromkeys((name, rdtype) for name, rdtype, _transport in server.asked()))
        share = -(-len(asked) // number)
        began = time.perf_counter()
        asyncio.run(bare([asked[i : i + share] for i in range(0, len(asked), share)], server.address))
        floor = min(floor, time.perf_counter() - began)
    print(f"{number} domains at once: {best:.2f} s, {best / floor:.2f} x a bare loop with the same {len(asked)} questions ({floor:.2f} s)")


def peer(server: Server, delay: float, chain: int) -> None:
    import checkdmarc

    began = time.perf_counter()
    checkdmarc.check_domains(["d0.example.net"], nameservers=[server.address.host], timeout=5)
    took = time.perf_counter() - began
    print(f"checkdmarc {checkdmarc.__version__}: {took * 1000:.0f} ms, {took / (chain * delay):.1f} x the longest chain")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=int, default=50, help="milliseconds")
    parser.add_argument("--domains", type=int, default=100)
    parser.add_argument("--chain", type=int, default=3, help="look-ups of a healthy domain that depend on each other")
    parser.add_argument("--peer", action="store_true")
    options = parser.parse_args()
    delay = options.delay / 1000
    reverse = ".".join(reversed(ADDRESS.split("."))) + ".in-addr.arpa."
    text = f"{reverse} 3600 IN PTR out.d0.example.net.\n" + "".join(zone(f"d{i}.example.net") for i in range(options.domains))
    lists = chosen_lists(read_folder(Path(__file__).resolve().parent.parent / "knowledge/data").blocklists, ())
    # checkdmarc asks port 53 alone, which only root may open.
    server = Server(text, delay, NameServer("127.0.0.53", 53) if options.peer else NameServer("127.0.0.1", 0))
    print(f"checks: {', '.join(CHECKS)}; {len(lists)} blocklists")
    try:
        one(server, lists, delay, options.chain)
        many(server, (), options.domains)
        if options.peer:
            peer(server, delay, options.chain)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
