"""The form of one command against the grammar of RFC 5321 section 4.1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from whybounce.failure import Span
from whybounce.intake.sessions.dialogue import VERBS, Command, Exchange, Line, Mistake
from whybounce.intake.sessions.paths import PathArgument, read_path

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
_LITERAL = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]{2,45}|[A-Za-z0-9-]{1,20}:[^\[\]\\\s]{1,200})\]", re.ASCII)
_ALONE = {
    "DATA": "RFC 5321 section 4.1.1.4",
    "RSET": "RFC 5321 section 4.1.1.5",
    "QUIT": "RFC 5321 section 4.1.1.10",
    "STARTTLS": "RFC 3207 section 4",
}
_COMMAND_LIMIT = 512
_EXTENDED_LIMIT = 2048
"""MAIL and RCPT with parameters may be longer, by what each extension adds (RFC 1870 section 3, RFC 3461 section 4): none adds up to this."""
_TEXT_LIMIT = 1000


def judge_form(exchange: Exchange) -> Iterator[Mistake]:
    """What is wrong with a command by itself, whatever came before it."""
    command = exchange.command
    if command is None:
        return
    if command.verb == ".":
        yield from _content(exchange.content)
        return
    if not command.verb:
        return
    if command.verb != "AUTH":  # RFC 4954 section 4 allows AUTH 12288 octets
        yield from _length(command)
    if command.bare:
        yield Mistake("bare-lf", command.span, f"{_quoted(command)} ended with LF alone: lines end with CR LF (RFC 5321 section 2.3.8).")
    if command.verb in VERBS:
        yield from _known(command)
    elif not command.verb.startswith("X"):  # RFC 5321 section 4.1.5: X begins private commands
        near = get_close_matches(command.verb, sorted(VERBS), 1, 0.6)
        meant = f" {near[0]} may have been meant." if near else ""
        yield Mistake("unknown-command", command.span, f'"{command.verb[:40]}" is no SMTP command (RFC 5321 section 4.1.1).{meant}')


def _known(command: Command) -> Iterator[Mistake]:
    verb, argument = command.verb, command.argument.strip()
    if verb in ("EHLO", "HELO", "LHLO"):
        wrong = helo_fault(argument)
        if wrong:
            yield Mistake("helo-argument", command.span, f"{_quoted(command)}: {wrong} (RFC 5321 sections 4.1.1.1 and 4.1.3).")
    elif verb in ("MAIL", "RCPT"):
        yield from _path(command, read_path(verb, argument))
    elif verb in _ALONE and argument:
        yield Mistake("needless-argument", command.span, f"{verb} takes no argument ({_ALONE[verb]}).")
    elif verb == "AUTH" and not argument:
        yield Mistake("auth-argument", command.span, "AUTH needs the name of a mechanism, such as AUTH PLAIN (RFC 4954 section 4).")


def _path(command: Command, path: PathArgument) -> Iterator[Mistake]:
    mail = command.verb == "MAIL"
    form = "MAIL FROM:<address>" if mail else "RCPT TO:<address>"
    section = "RFC 5321 section 4.1.1.2" if mail else "RFC 5321 section 4.1.1.3"
    if not path.keyword or not path.colon:
        yield Mistake("path-keyword", command.span, f"{_quoted(command)} is not the form of the command: {form} ({section}).")
        return
    if path.spaces:
        yield Mistake("space-at-colon", command.span, f"No space may stand beside the colon: {form} (RFC 5321 section 3.3).")
    if not path.brackets:
        fault = "its closing angle bracket" if not path.closed else "angle brackets"
        yield Mistake(
            "angle-brackets", command.span, f"The address lacks {fault}, and nothing may stand before them: {form} (RFC 5321 section 4.1.2)."
        )
    address = path.address
    if not address and not mail:
        yield Mistake("empty-recipient", command.span, f"RCPT needs an address; only MAIL may have an empty one, <> ({section}).")
    elif address and "@" not in address and not (not mail and address.lower() == "postmaster"):
        yield Mistake("no-domain", command.span, f"<{address[:100]}> has no @ and domain; only <postmaster> may lack it (RFC 5321 section 4.1.1.3).")
    elif address and (" " in address or address.count("@") > 1) and '"' not in address:
        yield Mistake(
            "bad-address", command.span, f"<{address[:100]}> is no address of one local part, one @ and one domain (RFC 5321 section 4.1.2)."
        )


def helo_fault(argument: str) -> str:
    """What is wrong with the argument of EHLO, "" for a domain name of more than one label or an address literal."""
    if not argument:
        return "the name of the client is missing"
    if _LITERAL.fullmatch(argument):
        return ""
    if " " in argument:
        return "the name must be one word"
    if argument.replace(".", "").isdigit() or (":" in argument and argument.replace(":", "").isalnum()):
        return "an IP address must stand in square brackets"
    if argument.isascii() and not all(_LABEL.fullmatch(label) for label in argument.rstrip(".").split(".")):
        return "this is no domain name (letters, digits and hyphens)"
    if "." not in argument.rstrip("."):
        return "this is no fully qualified domain name"
    return ""


def _length(command: Command) -> Iterator[Mistake]:
    extended = command.verb in ("MAIL", "RCPT") and "> " in command.text
    if command.length + 2 > (_EXTENDED_LIMIT if extended else _COMMAND_LIMIT):
        said = f"The {command.verb} command is {command.length + 2} octets long with its line end; the limit is {_COMMAND_LIMIT}"
        yield Mistake("command-too-long", command.span, f"{said} (RFC 5321 section 4.5.3.1.4).")


def _content(lines: tuple[Line, ...]) -> Iterator[Mistake]:
    """Of each kind the first, of at most three kinds: a message may have thousands of such lines."""
    long = next((line for line in lines if len(line.text) + 2 > _TEXT_LIMIT), None)
    if long:
        said = f"A line of the message is {len(long.text) + 2} octets long with its line end; the limit is {_TEXT_LIMIT}"
        yield Mistake("text-line-too-long", Span(long.start, min(long.end, long.start + 200)), f"{said} (RFC 5321 section 4.5.3.1.6).")
    dotted = next((line for line in lines if line.text.startswith(".") and not line.text.startswith("..")), None)
    if dotted:
        said = "A line of the message begins with one dot: a client must put another before it, or the server takes the dot away"
        yield Mistake("dot-not-stuffed", Span(dotted.start, min(dotted.end, dotted.start + 200)), f"{said} (RFC 5321 section 4.5.2).")
    bare = next((line for line in lines if line.bare), None)
    if bare:
        said = "A line of the message ends with LF alone: lines end with CR LF"
        yield Mistake("bare-lf", Span(bare.start, min(bare.end, bare.start + 200)), f"{said} (RFC 5321 sections 2.3.8 and 4.1.1.4).")


def _quoted(command: Command) -> str:
    return f'"{command.text[:80]}"'
