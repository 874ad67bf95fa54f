"""A DNS server and receiving mail servers for fixtures, on the addresses of the loopback interface of a network namespace of its own.
What a server answers is in the recipient's local part."""

import socketserver
import threading

from dnslib import MX, QTYPE, RCODE, RR, A
from dnslib.server import BaseResolver, DNSServer

HOSTS = {
    "mx.example.net.": "192.0.2.25",
    "mx.example.com.": "192.0.2.26",
    "mx.example.org.": "192.0.2.27",
    "mx.banned.example.": "192.0.2.28",
    "mx.down.example.": "192.0.2.29",
    "mail.sender.example.": "192.0.2.10",
    "client.sender.example.": "192.0.2.11",
}
MAIL = {
    "example.net.": "mx.example.net.",
    "example.com.": "mx.example.com.",
    "example.org.": "mx.example.org.",
    "banned.example.": "mx.banned.example.",
    "down.example.": "mx.down.example.",
    "sender.example.": "mail.sender.example.",
    "null.example.": ".",
}


class Zones(BaseResolver):
    def resolve(self, request, handler):
        reply = request.reply()
        name = str(request.q.qname).lower()
        kind = QTYPE[request.q.qtype]
        if kind == "A" and name in HOSTS:
            reply.add_answer(RR(name, QTYPE.A, rdata=A(HOSTS[name]), ttl=60))
        elif kind == "MX" and name in MAIL:
            reply.add_answer(RR(name, QTYPE.MX, rdata=MX(MAIL[name], 0 if MAIL[name] == "." else 10), ttl=60))
        elif name not in HOSTS and name not in MAIL:
            reply.header.rcode = RCODE.NXDOMAIN
        return reply


RCPT = {
    "unknown": "550 5.1.1 <{r}>: Recipient address rejected: User unknown in virtual mailbox table",
    "full": "552 5.2.2 <{r}>: Mailbox is full / Blocks limit exceeded",
    "grey": "451 4.7.1 <{r}>: Recipient address rejected: Greylisted, see https://postgrey.example/help/",
    "relay": "554 5.7.1 <{r}>: Relay access denied",
    "bare": "550 No such user here",
    "multi": "550-5.7.26 Unauthenticated email from sender.example is not accepted due to\r\n"
    "550-5.7.26 domain's DMARC policy. Please contact the administrator of\r\n550 5.7.26 sender.example domain.",
}


class Sink(socketserver.StreamRequestHandler):
    timeout = 60

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        ip = self.server.server_address[0]
        name = next((n[:-1] for n, a in HOSTS.items() if a == ip), "mx")
        if ip == "192.0.2.28":
            self.say(
                "554 5.7.1 mx.banned.example Service unavailable; Client host [192.0.2.10] blocked using bl.example; https://bl.example/q?ip=192.0.2.10"
            )
            return
        self.say(f"220 {name} ESMTP")
        rcpts = []
        for raw in self.rfile:
            line = raw.decode("latin-1").strip()
            word = line[:4].upper()
            if word in ("EHLO", "HELO"):
                self.say(f"250-{name}\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250 ENHANCEDSTATUSCODES" if word == "EHLO" else f"250 {name}")
            elif word == "MAIL":
                self.say("550 5.7.1 <spammer@sender.example>: Sender address rejected: Access denied" if "spammer@" in line else "250 2.1.0 Ok")
                rcpts = []
            elif word == "RCPT":
                r = line[line.find("<") + 1 : line.find(">")]
                part = r.split("@")[0]
                if part in RCPT:
                    self.say(RCPT[part].format(r=r))
                else:
                    rcpts.append(part)
                    self.say("250 2.1.5 Ok")
            elif word == "DATA":
                if not rcpts:
                    self.say("503 5.5.1 RCPT first")
                    continue
                self.say("354 End data with <CR><LF>.<CR><LF>")
                for body in self.rfile:
                    if body.strip() == b".":
                        break
                if "spam" in rcpts:
                    self.say("554 5.7.1 Message rejected as spam by Content Filtering.")
                elif "drop" in rcpts:
                    return
                else:
                    self.say("250 2.0.0 Ok: queued as 4Xy1Zz2Qq3")
            elif word == "QUIT":
                self.say("221 2.0.0 Bye")
                return
            else:
                self.say("250 2.0.0 Ok")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


DNSServer(Zones(), port=53, address="127.0.0.1").start_thread()
DNSServer(Zones(), port=53, address="127.0.0.1", tcp=True).start_thread()
for ip in ("192.0.2.25", "192.0.2.26", "192.0.2.27", "192.0.2.28"):
    threading.Thread(target=Server((ip, 25), Sink).serve_forever, daemon=True).start()
threading.Event().wait()
