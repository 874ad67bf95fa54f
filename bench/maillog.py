"""Makes a mail log as a busy Postfix server writes it, and the tally that a right reading of it must give.

    python -m bench.maillog OUT.log [--mb 200] [--seed 1] [--iso] [--year 2026]      writes OUT.log and OUT.log.json

What became of each recipient is decided first and written down in the ledger; the lines follow from it. So the ledger owes nothing to
any reading of the lines. The log holds outgoing and incoming mail whose lines interleave: retries, several recipients, aliases, bounces
that are sent back, messages that expire, queue ids that are used again, refusals of clients, greylisting, and the lines that say nothing.
"""

# ruff: noqa: E501 (lines of a log are long)

from __future__ import annotations

import argparse
import heapq
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

US = "203.0.113.25"
HOST = "mx1"


class Reply(NamedTuple):
    """What a server answers. `where`: the stage as Postfix names it; {to} {ip} {id} {n} {domain} are filled in."""

    text: str
    code: str
    enhanced: str
    where: str = "RCPT TO"
    quotes_ip: bool = False


class Destination(NamedTuple):
    relay: str
    refusals: tuple[Reply, ...]
    delays: tuple[Reply, ...]


GOOGLE = Destination(
    "gmail-smtp-in.l.google.com",
    (
        Reply("550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for"
              " typos or 550-5.1.1 unnecessary spaces. For more information, go to 550 5.1.1  https://support.google.com/mail/?p=NoSuchUser {id} - gsmtp",
              "550", "5.1.1"),
        Reply("550-5.7.26 Your email has been blocked because the sender is unauthenticated. 550-5.7.26 Gmail requires all senders to authenticate with"
              " either SPF or DKIM. 550 5.7.26  Authentication results: DKIM = did not pass SPF [{sender}] with ip: [{ip}] = did not pass {id} - gsmtp",
              "550", "5.7.26", "end of DATA command", quotes_ip=True),
        Reply("552-5.2.2 The recipient's inbox is out of storage space and inactive. Please 552-5.2.2 direct the recipient to"
              " 552 5.2.2  https://support.google.com/mail/?p=OverQuotaPerm {id} - gsmtp", "552", "5.2.2"),
    ),
    (
        Reply("421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address. To protect our users from spam, mail"
              " sent from your IP address has been temporarily rate limited. 421 4.7.28  https://support.google.com/mail/answer/81126 {id} - gsmtp",
              "421", "4.7.28", "end of DATA command"),
        Reply("452-4.2.2 The recipient's inbox is out of storage space. Please direct the 452-4.2.2 recipient to"
              " 452 4.2.2  https://support.google.com/mail/?p=OverQuotaTemp {id} - gsmtp", "452", "4.2.2"),
    ),
)  # fmt: skip
MICROSOFT = Destination(
    "outlook-com.olc.protection.outlook.com",
    (
        Reply("550 5.7.1 Unfortunately, messages from [{ip}] weren't sent. Please contact your Internet service provider since part of their network is on"
              " our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors."
              " [DB1PEPF{n}.eurprd03.prod.outlook.com 2026-11-25T03:04:33.1Z {id}]", "550", "5.7.1", "MAIL FROM", quotes_ip=True),
        Reply("550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [DB1PEPF{n}.eurprd03.prod.outlook.com {id}]", "550", "5.5.0"),
    ),
    (Reply("451 4.7.500 Server busy. Please try again later from [{ip}]. (S77719) [DB1PEPF{n}.eurprd03.prod.outlook.com {id}]", "451", "4.7.500",
           "MAIL FROM", quotes_ip=True),),
)  # fmt: skip
YAHOO = Destination(
    "mta5.am0.yahoodns.net",
    (Reply("554 delivery error: dd This user doesn't have a yahoo.com account ({to}) [0] - mta{n}.mail.ne1.yahoo.com", "554", "", "end of DATA command"),
     Reply("552 1 Requested mail action aborted, mailbox not found", "552", "", "end of DATA command")),
    (Reply("421 4.7.0 [TSS04] Messages from {ip} temporarily deferred due to unexpected volume or user complaints - 4.16.55.1;"
           " see https://postmaster.yahooinc.com/error-codes", "421", "4.7.0", "MAIL FROM", quotes_ip=True),),
)  # fmt: skip
OTHERS = Destination(
    "",
    (
        Reply("550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table", "550", "5.1.1"),
        Reply("550 5.1.1 <{to}>: Recipient address rejected: User unknown in local recipient table", "550", "5.1.1"),
        Reply("554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/{ip}", "554", "5.7.1",
              quotes_ip=True),
        Reply("550 {to} no such user here", "550", ""),
        Reply("552 5.3.4 Message size exceeds fixed limit", "552", "5.3.4", "MAIL FROM"),
        Reply("552 5.2.2 <{to}>: Mailbox is full / Blocks limit exceeded / Inode limit exceeded", "552", "5.2.2"),
        Reply("550 5.7.1 Message content rejected, UBE, id={n}-07", "550", "5.7.1", "end of DATA command"),
        Reply("550 5.7.23 <{to}>: Recipient address rejected: Message rejected due to: SPF fail - not authorized. Please see"
              " http://www.open-spf.org/Why?s=mfrom;id={sender};ip={ip};r=<UNKNOWN>", "550", "5.7.23", quotes_ip=True),
    ),
    (
        Reply("450 4.2.0 <{to}>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/{domain}.html", "450", "4.2.0"),
        Reply("452 4.3.1 Insufficient system resources", "452", "4.3.1", "MAIL FROM"),
        Reply("451 4.7.1 <{to}>: Recipient address rejected: Temporary lookup failure", "451", "4.7.1"),
    ),
)  # fmt: skip
KNOWN = {
    "gmail.com": GOOGLE, "googlemail.com": GOOGLE, "outlook.com": MICROSOFT, "hotmail.com": MICROSOFT, "yahoo.com": YAHOO,
}  # fmt: skip
_WEIGHTS = (30, 4, 12, 10, 12)
# What this server says to clients: text, code, enhanced code.
REFUSALS = (
    Reply(
        "554 5.7.1 Service unavailable; Client host [{client}] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/{client}",
        "554",
        "5.7.1",
    ),
    Reply("454 4.7.1 <{to}>: Relay access denied", "454", "4.7.1"),
    Reply("554 5.7.1 <{to}>: Relay access denied", "554", "5.7.1"),
    Reply("550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table", "550", "5.1.1"),
    Reply("450 4.7.25 Client host rejected: cannot find your hostname, [{client}]", "450", "4.7.25"),
    Reply("450 4.2.0 <{to}>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/{domain}.html", "450", "4.2.0"),
)
UNREACHED = (
    "connect to {relay}[{their}]:25: Connection timed out",
    "connect to {relay}[{their}]:25: Connection refused",
    "Host or domain name not found. Name service error for name={domain} type=MX: Host not found, try again",
)


@dataclass
class Ledger:
    """What a right reading finds. `replies`: template -> failures, deferred; its cause is the engine's to say."""

    lines: int = 0
    failures: int = 0
    deferred: int = 0
    delivered: int = 0
    by_reply: Counter[str] = field(default_factory=Counter)
    by_code: Counter[str] = field(default_factory=Counter)
    by_domain: Counter[str] = field(default_factory=Counter)
    by_sending_ip: Counter[str] = field(default_factory=Counter)
    by_sender_domain: Counter[str] = field(default_factory=Counter)
    by_hour: dict[str, list[int]] = field(default_factory=dict)
    delivered_by_domain: Counter[str] = field(default_factory=Counter)
    deferred_by_domain: Counter[str] = field(default_factory=Counter)
    first: str = ""
    last: str = ""
    examples: dict[str, str] = field(default_factory=dict)

    def count(self, at: datetime, recipient: str, sender: str, what: str, reply: Reply | None, ip: str = "", line: str = "") -> None:
        domain = recipient.rpartition("@")[2].lower()
        hour = self.by_hour.setdefault(at.strftime("%Y-%m-%dT%H"), [0, 0, 0])
        hour[("failures", "deferred", "delivered").index(what)] += 1
        if what == "delivered":
            self.delivered += 1
            self.delivered_by_domain[domain] += 1
            return
        assert reply is not None
        key = f"{what} {reply.text}"
        self.by_reply[key] += 1
        if line:
            self.examples.setdefault(key, line)
        if what == "deferred":
            self.deferred += 1
            self.deferred_by_domain[domain] += 1
            return
        self.failures += 1
        self.by_code[f"{reply.code} {reply.enhanced or reply.code[0] + '.0.0'}".strip()] += 1  # Postfix fills in dsn=
        self.by_domain[domain] += 1
        self.by_sender_domain[sender.rpartition("@")[2]] += 1
        if ip:
            self.by_sending_ip[ip] += 1
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S")
        self.first = min(self.first or stamp, stamp)
        self.last = max(self.last, stamp)


@dataclass(slots=True)
class Recipient:
    address: str
    domain: str
    fate: str  # sent, bounced, deferred, expired
    tries: int  # deferrals before the fate
    reply: Reply | None = None
    delay: Reply | None = None
    last: tuple[datetime, str] | None = None
    done: bool = False
    alias: str = ""


class Server:
    """One Postfix server. `lines(enough)` writes until `enough` bytes are written and then stops where it stands."""

    def __init__(
        self, seed: int = 1, *, iso: bool = False, start: datetime = datetime(2026, 11, 23, 6, 0, 0), host: str = HOST, rate: float = 4.0
    ) -> None:
        """`rate`: messages a second."""
        self.random = random.Random(seed)
        self.ledger = Ledger()
        self.iso, self.now, self.host, self.rate = iso, start, host, rate
        self.queue: list[tuple[datetime, int, Iterator[timedelta | str]]] = []
        self.number = 0
        self.open: dict[int, tuple[str, list[Recipient]]] = {}
        self.freed: list[str] = []
        self.greylisted: dict[tuple[str, str, str, str], tuple[datetime, Reply, str]] = {}
        domains = [f"{a}{b}.{tld}" for a in ("blue", "north", "soft", "green", "river", "stone", "alpha", "metro", "data", "casa", "euro")
                   for b in ("works", "bank", "shop", "line", "media", "group", "lab", "post", "care", "film", "trade", "haus") for tld in ("example", "test")]  # fmt: skip
        self.domains = domains
        self.senders = [
            f"{who}@{domain}" for who in ("news", "billing", "anna.smith", "noreply") for domain in ("shop.example", "sender.example", "crm.example")
        ]

    def lines(self, enough: int) -> Iterator[bytes]:
        written = 0
        self._plan(self.now, self._traffic())
        while self.queue:
            self.now, _, steps = heapq.heappop(self.queue)
            for step in steps:
                if isinstance(step, timedelta):
                    self._plan(self.now + step, steps)
                    break
                line = f"{self._stamp()} {self.host} {step}\n".encode()
                written += len(line)
                self.ledger.lines += 1
                yield line
                if written >= enough:
                    self._settle()
                    return

    def _stamp(self) -> str:
        if self.iso:
            return self.now.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
        return f"{self.now:%b} {self.now.day:>2} {self.now:%H:%M:%S}"

    def _plan(self, at: datetime, steps: Iterator[timedelta | str]) -> None:
        self.number += 1
        heapq.heappush(self.queue, (at, self.number, steps))

    def _id(self) -> str:
        """A queue id: of a message that is gone, now and then."""
        if self.freed and self.random.random() < 0.01:
            return self.freed.pop(self.random.randrange(len(self.freed)))
        return f"{self.random.randrange(16**5):05X}{self.random.randrange(16**6):06X}"

    def _token(self) -> str:
        return f"{self.random.randrange(16**12):012x}-{self.random.randrange(16**8):08x}si{self.random.randrange(10**7)}.{self.random.randrange(999)}"

    def _traffic(self) -> Iterator[timedelta | str]:
        while True:
            kind = self.random.random()
            steps = self._refused() if kind < 0.25 else self._message() if kind < 0.93 else self._noise()
            self._plan(self.now, steps)
            yield timedelta(seconds=self.random.expovariate(self.rate))

    def _noise(self) -> Iterator[str]:
        chance = self.random
        yield chance.choice((
            f"postfix/anvil[812]: statistics: max connection rate {chance.randrange(1, 9)}/60s for (smtp:198.51.100.{chance.randrange(256)}) at Nov 23 06:01:02",
            f"dovecot: imap-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.{chance.randrange(256)}, lip={US}, mpid=24, TLS, session=<abc{chance.randrange(10**6)}>",
            f"postfix/smtpd[{chance.randrange(1000, 9999)}]: warning: unknown[198.51.100.{chance.randrange(256)}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
            f"postfix/smtpd[{chance.randrange(1000, 9999)}]: lost connection after AUTH from unknown[198.51.100.{chance.randrange(256)}]",
            "systemd[1]: Started Session 12 of user root.",
        ))  # fmt: skip

    def _client(self) -> tuple[str, str]:
        ip = f"198.51.100.{self.random.randrange(256)}"
        return f"host-{ip.replace('.', '-')}.isp.example", ip

    def _refused(self) -> Iterator[timedelta | str]:
        chance = self.random
        name, ip = self._client()
        pid = chance.randrange(1000, 9999)
        yield f"postfix/smtpd[{pid}]: connect from {name}[{ip}]"
        reply = chance.choice(REFUSALS)
        sender = f"u{chance.randrange(10**5)}@{chance.choice(self.domains)}"
        to = f"{chance.choice(('info', 'anna', 'bert', 'sales'))}{chance.randrange(100)}@{chance.choice(('sender.example', 'shop.example'))}"
        rounds = chance.randrange(1, 4) if reply.code[0] == "4" else 1
        for attempt in range(rounds):
            if attempt:
                yield timedelta(minutes=chance.randrange(1, 20))
                yield f"postfix/smtpd[{pid}]: connect from {name}[{ip}]"
            text = reply.text.format(client=ip, to=to, domain="sender.example")
            line = f"postfix/smtpd[{pid}]: NOQUEUE: reject: RCPT from {name}[{ip}]: {text}; from=<{sender}> to=<{to}> proto=ESMTP helo=<{name}>"
            if reply.code[0] == "4":
                self.greylisted[(ip, sender, to, f"{self.now:%m-%d}")] = (self.now, reply, line)
            else:
                self.ledger.count(self.now, to, sender, "failures", reply, ip, line)
            yield line
            yield f"postfix/smtpd[{pid}]: disconnect from {name}[{ip}] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4"

    def _recipient(self, domain: str) -> Recipient:
        chance = self.random
        address = f"{chance.choice(('anna', 'bert', 'chris', 'd.evans', 'Emma'))}{chance.randrange(10**5)}@{domain}"
        where = KNOWN.get(domain, OTHERS)
        roll = chance.random()
        fate = "sent" if roll < 0.90 else "bounced" if roll < 0.96 else "deferred" if roll < 0.98 else "expired"
        tries = 0 if chance.random() < 0.92 and fate in ("sent", "bounced") else chance.randrange(1, 5)
        delay = Reply(chance.choice(UNREACHED), "", "4.4.1") if not KNOWN.get(domain) and chance.random() < 0.3 else chance.choice(where.delays)
        return Recipient(
            address, domain, fate, tries, chance.choice(where.refusals), delay, alias="list@sender.example" if chance.random() < 0.03 else ""
        )

    def _message(self) -> Iterator[timedelta | str]:
        chance = self.random
        name, ip = self._client()
        pid, queue_id = chance.randrange(1000, 9999), self._id()
        sender = chance.choice(self.senders)
        many = 1 if chance.random() < 0.85 else chance.randrange(2, 6)
        domain = chance.choices((*KNOWN, ""), (*_WEIGHTS, 40))[0]
        recipients = [self._recipient(domain or chance.choice(self.domains)) for _ in range(many)]
        yield f"postfix/smtpd[{pid}]: connect from {name}[{ip}]"
        yield f"postfix/smtpd[{pid}]: {queue_id}: client={name}[{ip}], sasl_method=PLAIN, sasl_username=news"
        yield from self._queued(queue_id, sender, recipients)
        yield f"postfix/smtpd[{pid}]: disconnect from {name}[{ip}] ehlo=2 starttls=1 auth=1 mail=1 rcpt={many} data=1 quit=1 commands=8"
        yield timedelta(seconds=chance.uniform(0.05, 2))
        yield from self._deliver(queue_id, sender, recipients)

    def _queued(self, queue_id: str, sender: str, recipients: list[Recipient]) -> Iterator[str]:
        chance = self.random
        yield f"postfix/cleanup[{chance.randrange(1000, 9999)}]: {queue_id}: message-id=<{chance.randrange(10**12)}.{chance.randrange(10**6)}@client.sender.example>"
        self.open[id(recipients)] = (sender, recipients)
        yield self._active(queue_id, sender, recipients)

    def _active(self, queue_id: str, sender: str, recipients: list[Recipient]) -> str:
        return f"postfix/qmgr[811]: {queue_id}: from=<{sender}>, size={self.random.randrange(900, 90000)}, nrcpt={len(recipients)} (queue active)"

    def _deliver(self, queue_id: str, sender: str, recipients: list[Recipient]) -> Iterator[timedelta | str]:
        chance = self.random
        bounced = False
        attempt = 0
        while True:
            for item in recipients:
                if item.done:
                    continue
                if attempt < item.tries or item.fate in ("deferred", "expired"):
                    yield self._attempt(queue_id, sender, item, item.delay, "deferred")
                elif item.fate == "bounced":
                    bounced = item.done = True
                    yield self._attempt(queue_id, sender, item, item.reply, "bounced")
                else:
                    item.done = True
                    yield self._attempt(queue_id, sender, item, None, "sent")
            attempt += 1
            waiting = [item for item in recipients if not item.done]
            if not waiting:
                break
            yield timedelta(minutes=5 * 2 ** min(attempt, 5) + chance.random())
            yield self._active(queue_id, sender, recipients)
            if attempt > 4 and all(item.fate == "expired" for item in waiting):
                yield f"postfix/qmgr[811]: {queue_id}: from=<{sender}>, status=expired, returned to sender"
                for item in waiting:
                    item.done = bounced = True
                break
        if bounced and sender:
            notice = self._id()
            yield f"postfix/bounce[{chance.randrange(1000, 9999)}]: {queue_id}: sender non-delivery notification: {notice}"
            self._plan(self.now, self._notice(notice, sender))
        yield f"postfix/qmgr[811]: {queue_id}: removed"
        self._removed(queue_id, recipients)

    def _notice(self, queue_id: str, sender: str) -> Iterator[timedelta | str]:
        recipients = [Recipient(sender, sender.rpartition("@")[2], "sent", 0)]
        yield from self._queued(queue_id, "", recipients)
        yield timedelta(seconds=0.1)
        yield from self._deliver(queue_id, "", recipients)

    def _attempt(self, queue_id: str, sender: str, item: Recipient, reply: Reply | None, status: str) -> str:
        chance = self.random
        relay = KNOWN.get(item.domain, OTHERS).relay or f"mx{chance.randrange(1, 3)}.{item.domain}"
        their = f"192.0.2.{chance.randrange(256)}"
        dsn = (reply.enhanced or f"{reply.code[:1]}.0.0") if reply else "2.0.0"
        shown = f"{relay}[{their}]:25"
        if reply is None:
            text = f"250 2.0.0 Ok: queued as {chance.randrange(16**11):011X}"
        elif not reply.code:
            shown = "none"
            text = reply.text.format(relay=relay, their=their, domain=item.domain)
        else:
            said = reply.text.format(
                to=item.address, ip=US, id=self._token(), n=chance.randrange(10**7, 10**8), domain=item.domain, sender=sender.rpartition("@")[2]
            )
            text = f"host {relay}[{their}] said: {said} (in reply to {reply.where}{'' if ' command' in reply.where else ' command'})"
        alias = f", orig_to=<{item.alias}>" if item.alias else ""
        line = (
            f"postfix/smtp[{chance.randrange(1000, 9999)}]: {queue_id}: to=<{item.address}>{alias}, relay={shown}, delay={chance.uniform(0.1, 3):.2g},"
            f" delays=0.0{chance.randrange(9)}/0.01/0.2/0.{chance.randrange(99)}, dsn={dsn}, status={status} ({text})"
        )
        item.last = (self.now, line)
        return line

    def _removed(self, queue_id: str, recipients: list[Recipient]) -> None:
        sender, _ = self.open.pop(id(recipients))
        self.freed.append(queue_id)
        for item in recipients:
            self._count(sender, item)

    def _count(self, sender: str, item: Recipient) -> None:
        if item.last is None:
            return
        at, line = item.last
        status = line[line.index(" status=") + 8 :].partition(" ")[0]
        what = {"sent": "delivered", "bounced": "failures", "deferred": "deferred"}[status]
        if what == "deferred" and item.done:
            what = "failures"  # expired
        reply = None if what == "delivered" else item.reply if status == "bounced" else item.delay
        ip = US if reply and reply.quotes_ip else ""
        self.ledger.count(at, item.address, sender, what, reply, ip, line)

    def _settle(self) -> None:
        """The log ends here: what is still in the queue counts as it stands."""
        for sender, recipients in self.open.values():
            for item in recipients:
                self._count(sender, item)
        for (ip, sender, to, _day), (at, reply, line) in self.greylisted.items():
            self.ledger.count(at, to, sender, "deferred", reply, ip, line)


def write(path: Path, enough: int, seed: int = 1, **options: Any) -> Ledger:
    """Writes the log to `path` and gives its ledger."""
    server = Server(seed, **options)
    with path.open("wb") as out:
        out.writelines(server.lines(enough))
    return server.ledger


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mb", type=float, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--iso", action="store_true")
    parser.add_argument("--year", type=int, default=2026)
    options = parser.parse_args()
    ledger = write(options.out, int(options.mb * 1e6), options.seed, iso=options.iso, start=datetime(options.year, 11, 23, 6, 0, 0))
    options.out.with_name(options.out.name + ".json").write_text(json.dumps(vars(ledger), indent=1))


if __name__ == "__main__":
    main()
