"""One SMTP conversation with one mail server, as far as the operator lets it go: RFC 5321 section 3. Never DATA.

greeting, EHLO (HELO where EHLO is not known), STARTTLS, EHLO, [MAIL, RCPT, RCPT of nobody, VRFY, RSET], QUIT
"""

from __future__ import annotations

import asyncio

from whybounce.checks.conversation_record import Conversation, Envelope, Limits, Server
from whybounce.checks.conversation_reply import Reply, parse_extensions
from whybounce.checks.conversation_wire import CommandError, Ended, Ending, TlsFailed, Wire
from whybounce.checks.guard import shown

QUIT_SECONDS = 1.0
MAX_TRANSCRIPT = 80


async def converse(server: Server, helo: str, envelope: Envelope | None, limits: Limits, deadline: float) -> Conversation:
    """Speak with one server; never raises for what it does. The caller has made sure that the address may be connected to.

    helo       the name to give; one without a dot is none, and the address literal of this end is given instead (RFC 5321 section 4.1.4)
    envelope   None: QUIT after EHLO and STARTTLS
    deadline   in the loop's time
    """
    conversation = Conversation(server)
    talk = _Talk(conversation, helo, envelope, limits, min(deadline, asyncio.get_running_loop().time() + limits.seconds))
    await talk.run(with_tls=True)
    if conversation.tls_error and conversation.ending is Ending.COMPLETE and talk.cut_off and envelope:
        # The handshake failed, and the connection with it. A mail server would now send in the clear (RFC 7435): so does the question.
        await talk.run(with_tls=False)
    return conversation


class _Talk:
    """The steps of one conversation, over one connection at a time."""

    def __init__(self, conversation: Conversation, helo: str, envelope: Envelope | None, limits: Limits, deadline: float) -> None:
        self.c, self.helo, self.envelope = conversation, helo, envelope
        self.limits, self.deadline = limits, deadline
        self.cut_off = False
        self._wire: Wire | None = None
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    @property
    def wire(self) -> Wire:
        if self._wire is None:
            raise RuntimeError("no connection")
        return self._wire

    async def run(self, *, with_tls: bool) -> None:
        """One connection from greeting to QUIT."""
        self.cut_off = False
        try:
            if await self._greeting(first=with_tls) and await self._hello("ehlo"):
                if with_tls and not await self._turn_to_tls():
                    return
                if self.envelope:
                    await self._probe(self.envelope)
                self.wire.check_turn()
            await self._quit()
        except Ended as end:
            if with_tls:
                self.c.ending, self.c.reason = end.ending, end.reason
            else:
                self.c.not_probed = f"a second connection without TLS came to nothing: {end.reason}"
            self._note("!", end.reason)
        except CommandError as error:
            self.c.not_probed = str(error)
        else:
            self.c.stage = ""
        finally:
            if self._wire is not None:
                self._wire.close()

    async def _greeting(self, *, first: bool) -> bool:
        """Connect and hear the greeting; True where it lets us go on."""
        began = self._enter("connect")
        self._wire = await Wire.open(self.c.server.address, self.c.server.port, self.limits.connect_seconds, self.deadline)
        self.c.local_address = self._wire.local_address
        self.c.steps.append(("connect", self._since(began)))
        reply = await self._hear("greeting", keep=first)
        if not first:
            self.c.again = reply
        if reply.code != 220 and reply.kind in (2, 3):
            raise Ended(Ending.PROTOCOL, f"the server greeted with {reply.code} instead of 220")
        return reply.code == 220

    async def _hello(self, step: str) -> bool:
        """EHLO, or HELO where that is refused for good (RFC 5321 section 3.2); True where the server takes one of them."""
        name = self.helo if "." in self.helo else _literal(self.c.local_address)
        reply = await self._say(step, f"EHLO {name}")
        if reply.kind == 2:
            self.c.extensions = parse_extensions(reply)
            if step == "ehlo":
                self.c.offered = self.c.extensions
            return True
        if reply.kind != 5 or step != "ehlo":
            return False
        return (await self._say("helo", f"HELO {name}")).kind == 2

    async def _turn_to_tls(self) -> bool:
        """STARTTLS where it is offered (RFC 3207); False where the conversation cannot go on."""
        if "STARTTLS" not in self.c.extensions:
            return True
        reply = await self._say("starttls", "STARTTLS")
        if reply.code != 220:
            self.c.tls_error = f"the server answered STARTTLS with {reply.text}"
            if reply.code == 421:
                raise Ended(Ending.CLOSED, "the server closed the connection")
            return True
        began = self._enter("tls")
        try:
            self.c.tls = await self.wire.start_tls(self.c.server.host)
        except TlsFailed as error:
            self.c.tls_error, self.cut_off = error.reason, True
            self._note("!", f"TLS: {error.reason}")
            return False
        self.c.steps.append(("tls", self._since(began)))
        self._note("!", f"{self.c.tls.version} {self.c.tls.cipher}")
        return await self._hello("ehlo-tls")

    async def _probe(self, envelope: Envelope) -> None:
        """MAIL, RCPT, RCPT of nobody and VRFY: together where the server takes commands together (RFC 2920), else one by one."""
        if envelope.utf8 and "SMTPUTF8" not in self.c.extensions:
            self.c.not_probed = "the recipient's address needs SMTPUTF8, which the server does not offer"
            return
        mail = f"MAIL FROM:<{envelope.sender}>" + (" SMTPUTF8" if envelope.utf8 else "")
        group = [
            ("mail", mail),
            ("recipient", f"RCPT TO:<{envelope.recipient}>"),
            ("stranger", f"RCPT TO:<{envelope.stranger}>"),
            ("vrfy", "VRFY postmaster"),
        ]
        if "PIPELINING" in self.c.extensions:
            self._send(*(command for _, command in group))
            for step, _ in group:
                self._enter(step)
                await self._hear(step)
        else:
            for step, command in group:
                reply = await self._say(step, command)
                if reply.code == 421 or (step in ("mail", "recipient") and reply.kind != 2):
                    break
        if envelope.foreign and all(self.c.replies[step].code != 421 for step in self.c.replies):
            await self._try_relaying(mail, envelope.foreign)

    async def _try_relaying(self, mail: str, foreign: str) -> None:
        await self._say("rset", "RSET")
        if (await self._say("mail-again", mail)).kind == 2:
            await self._say("foreign", f"RCPT TO:<{foreign}>")

    async def _quit(self) -> None:
        """Part in good order; what goes wrong here is of no consequence."""
        self.wire.shorten(QUIT_SECONDS)
        try:
            if "mail" in self.c.replies and "PIPELINING" in self.c.extensions:
                self._send("RSET", "QUIT")
                await self._hear("rset")
                await self._hear("quit")
                return
            if "mail" in self.c.replies:
                await self._say("rset", "RSET")
            await self._say("quit", "QUIT")
        except Ended as end:
            self._note("!", end.reason)

    async def _say(self, step: str, command: str) -> Reply:
        self._enter(step)
        self._send(command)
        return await self._hear(step)

    def _send(self, *commands: str) -> None:
        self.wire.send(*commands)
        for command in commands:
            self._note("C", command)

    async def _hear(self, step: str, *, keep: bool = True) -> Reply:
        began = self._loop.time()
        if step == "greeting":
            self.c.stage = step
        reply = await self.wire.reply()
        if keep:
            self.c.replies[step] = reply
            self.c.steps.append((step, self._since(began)))
        lines = reply.shown_lines()
        for number, line in enumerate(lines, 1):
            self._note("S", f"{reply.code}{'-' if number < len(lines) else ' '}{line}".rstrip())
        return reply

    def _enter(self, step: str) -> float:
        self.c.stage = step
        return self._loop.time()

    def _since(self, began: float) -> int:
        return round((self._loop.time() - began) * 1000)

    def _note(self, who: str, text: str) -> None:
        """A line of the transcript: C we, S the server, ! what happened."""
        if len(self.c.transcript) < MAX_TRANSCRIPT:
            self.c.transcript.append({"ms": self._since(self._began), "who": who, "line": shown(text, 600)})


def _literal(address: str) -> str:
    """RFC 5321 section 4.1.3."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
