"""The order of the commands (RFC 5321 section 4.1.4) and what the client used without the server's offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from whybounce.intake.sessions.dialogue import Exchange, Mistake, extensions_of
from whybounce.intake.sessions.paths import PathArgument, read_path

# Parameter of MAIL or RCPT -> the extension that must be offered, and where that is said.
_PARAMETERS = {
    "SIZE": ("SIZE", "RFC 1870 section 6"),
    "BODY": ("8BITMIME", "RFC 6152 section 2"),
    "SMTPUTF8": ("SMTPUTF8", "RFC 6531 section 3.1"),
    "RET": ("DSN", "RFC 3461 section 4"),
    "ENVID": ("DSN", "RFC 3461 section 4"),
    "NOTIFY": ("DSN", "RFC 3461 section 4"),
    "ORCPT": ("DSN", "RFC 3461 section 4"),
    "REQUIRETLS": ("REQUIRETLS", "RFC 8689 section 2"),
    "AUTH": ("AUTH", "RFC 4954 section 5"),
}
_PLAIN = frozenset({"PLAIN", "LOGIN"})


@dataclass(slots=True)
class Judge:
    """Follows a session. `known`: the state is certain, since the beginning or an EHLO was seen."""

    known: bool
    mistakes: list[Mistake] = field(default_factory=list)
    greeted: bool = False  # by EHLO, HELO or LHLO
    extended: bool = False
    extensions: dict[str, str] = field(default_factory=dict)
    mail: bool = False
    recipients: int = 0
    tried: int = 0
    utf8: bool = False
    tls: bool = False
    greeted_before_tls: bool = False
    authenticated: bool = False

    def follow(self, exchange: Exchange) -> None:
        """Judges one exchange, then takes up what its reply changed."""
        command = exchange.command
        if command is None:
            return
        for slug, sentence in (*self._timing(exchange), *self._order(exchange), *self._offer(exchange)):
            self.mistakes.append(Mistake(slug, command.span, sentence))
        self._change(exchange)

    def _timing(self, exchange: Exchange) -> Iterator[tuple[str, str]]:
        verb = exchange.command.verb if exchange.command else ""
        if exchange.early:
            yield (
                "early-talker",
                f"{verb or 'A line'} was sent before the server's greeting: a client waits for it (RFC 5321 sections 3.1 and 4.3.1).",
            )
        elif exchange.pipelined and verb != "." and self.known and self.greeted and "PIPELINING" not in self.extensions:
            said = f"{verb} was sent before the reply to the command before it, and the server does not offer PIPELINING"
            yield "pipelining-not-offered", f"{said} (RFC 2920 section 3.1)."

    def _order(self, exchange: Exchange) -> Iterator[tuple[str, str]]:
        verb = exchange.command.verb if exchange.command else ""
        sure = self.known or (exchange.reply is not None and exchange.reply.code == "503")
        if not sure:
            return
        if verb in ("MAIL", "AUTH", "STARTTLS") and not self.greeted:
            if self.tls and self.greeted_before_tls:
                yield (
                    "ehlo-after-starttls",
                    f"{verb} without a new EHLO after STARTTLS: TLS puts the session back to its start (RFC 3207 section 4.2).",
                )
            else:
                yield "ehlo-missing", f"{verb} before EHLO or HELO: a client introduces itself first (RFC 5321 section 4.1.4)."
        elif verb == "MAIL" and self.mail:
            yield "mail-twice", "MAIL within a transaction: RSET, or the end of the message, comes before the next MAIL (RFC 5321 section 4.1.4)."
        elif verb == "RCPT" and not self.mail:
            yield "rcpt-before-mail", "RCPT before MAIL was accepted: a transaction begins with MAIL (RFC 5321 sections 3.3 and 4.1.4)."
        elif verb in ("DATA", "BDAT") and not self.recipients:
            if not self.mail:
                yield "data-before-mail", f"{verb} before MAIL was accepted (RFC 5321 sections 3.3 and 4.1.4)."
            elif not self.tried:
                yield "data-before-rcpt", f"{verb} before any RCPT (RFC 5321 sections 3.3 and 4.1.4)."
        elif verb == "STARTTLS" and self.tls:
            yield "starttls-twice", "STARTTLS within TLS: it may be given once in a session (RFC 3207 section 4.2)."
        if verb == "AUTH" and self.authenticated:
            yield "auth-twice", "AUTH after a login that worked: a session has one (RFC 4954 section 4)."
        elif verb == "AUTH" and self.mail:
            yield "auth-in-transaction", "AUTH within a mail transaction: it comes before MAIL (RFC 4954 section 4)."

    def _offer(self, exchange: Exchange) -> Iterator[tuple[str, str]]:
        command = exchange.command
        if command is None or not self.greeted:
            return
        if command.verb == "AUTH":
            yield from self._auth(command.argument)
        elif command.verb == "STARTTLS" and self.extended and "STARTTLS" not in self.extensions and not self.tls:
            yield "starttls-not-offered", "STARTTLS, which the server does not offer in its reply to EHLO (RFC 3207 section 4)."
        elif command.verb == "BDAT" and "CHUNKING" not in self.extensions:
            yield "chunking-not-offered", "BDAT, though the server does not offer CHUNKING (RFC 3030 section 2)."
        elif command.verb in ("MAIL", "RCPT"):
            path = read_path(command.verb, command.argument)
            yield from self._parameters(path)
            yield from self._address(path)

    def _auth(self, argument: str) -> Iterator[tuple[str, str]]:
        mechanism = argument.split()[0].upper() if argument.split() else ""
        offered = self.extensions.get("AUTH")
        if offered is None:
            if not self.extended:
                yield "auth-not-offered", "AUTH after HELO: only the reply to EHLO says whether a login is offered (RFC 4954 section 3)."
            elif "STARTTLS" in self.extensions and not self.tls:
                yield "auth-before-tls", "AUTH before STARTTLS: this server offers STARTTLS and no login outside TLS (RFC 4954 section 4, RFC 3207)."
            else:
                yield "auth-not-offered", "AUTH, though the server offers no login in its reply to EHLO (RFC 4954 section 3)."
        elif mechanism and mechanism not in offered.upper().split():
            yield "mechanism-not-offered", f"AUTH {mechanism[:40]}, but the server offers only {offered or 'no mechanism'} (RFC 4954 section 4)."
        if mechanism in _PLAIN and not self.tls and "STARTTLS" in self.extensions and offered is not None:
            said = f"AUTH {mechanism} sends the password readable, and STARTTLS was offered and not used"
            yield "password-in-the-clear", f"{said} (RFC 4954 section 9)."

    def _parameters(self, path: PathArgument) -> Iterator[tuple[str, str]]:
        for name, value in path.parameters:
            extension, section = _PARAMETERS.get(name, ("", ""))
            if extension and extension not in self.extensions:
                yield "parameter-not-offered", f"The parameter {name}, though the server does not offer {extension} ({section})."
            limit = self.extensions.get("SIZE", "")
            if name == "SIZE" and value.isdecimal() and limit.isdecimal() and 0 < int(limit[:20]) < int(value[:20]):
                yield "size-over-limit", f"The message has {value[:20]} octets; this server takes at most {limit[:20]} (RFC 1870 sections 3 and 6.1)."

    def _address(self, path: PathArgument) -> Iterator[tuple[str, str]]:
        if path.address.isascii():
            return
        if "SMTPUTF8" not in self.extensions:
            yield "smtputf8-not-offered", f"<{path.address[:100]}> is not ASCII, and the server does not offer SMTPUTF8 (RFC 6531 section 3.2)."
        elif not self.utf8 and ("SMTPUTF8", "") not in path.parameters:
            yield "smtputf8-missing", f"<{path.address[:100]}> is not ASCII: MAIL needs the parameter SMTPUTF8 (RFC 6531 section 3.4)."

    # --- what a reply changes ---

    def _change(self, exchange: Exchange) -> None:
        command, reply = exchange.command, exchange.reply
        if command is None or reply is None:
            return
        verb, done = command.verb, reply.code[0] == "2"
        if verb == "RCPT":
            self.tried += 1
        if not done:
            return
        if verb in ("EHLO", "HELO", "LHLO"):
            self.greeted = self.known = True
            self.extended = verb != "HELO"
            self.extensions = extensions_of(reply) if self.extended else {}
            self._end()
        elif verb == "STARTTLS":
            self.greeted_before_tls, self.greeted, self.tls, self.extensions = self.greeted, False, True, {}
            self._end()
        elif verb == "MAIL":
            self.mail = True
            self.utf8 = ("SMTPUTF8", "") in read_path(verb, command.argument).parameters
        elif verb == "RCPT":
            self.mail = True
            self.recipients += 1
        elif verb in ("RSET", "."):
            self._end()
        elif exchange.reply is not None and reply.code == "235":
            self.authenticated = True

    def _end(self) -> None:
        """No transaction is open (any more)."""
        self.mail = self.utf8 = False
        self.recipients = self.tried = 0
