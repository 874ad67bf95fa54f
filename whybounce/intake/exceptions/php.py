"""PHP: PHPMailer (also in WordPress, Joomla ...), Symfony Mailer (also in Laravel), SwiftMailer."""

from __future__ import annotations

import re
from dataclasses import replace

from whybounce.failure import Stage
from whybounce.intake.exceptions.common import MAX_FOUND, Found, Library, apply, rule
from whybounce.intake.page import trim

_COMMANDS = {
    "RCPT TO": Stage.RCPT, "MAIL FROM": Stage.MAIL, "DATA END": Stage.MESSAGE, "DATA": Stage.DATA, "EHLO": Stage.EHLO, "HELO": Stage.EHLO,
    "STARTTLS": Stage.STARTTLS, "AUTH": Stage.AUTH, "AUTH LOGIN": Stage.AUTH, "AUTH PLAIN": Stage.AUTH, "AUTHENTICATE": Stage.AUTH,
    "User & Password": Stage.AUTH, "Username": Stage.AUTH, "Password": Stage.AUTH, "XOAUTH2": Stage.AUTH,
}  # fmt: skip
_KIND = "(?P<kind>RCPT TO|MAIL FROM|DATA END|DATA|EHLO|HELO|STARTTLS|AUTH LOGIN|AUTH PLAIN|AUTH|User & Password|Username|Password|XOAUTH2)"
_INFO = r"(?:\s{0,4}SMTP code: (?P<code>\d{3}))(?:\s{0,4}Additional SMTP info: (?P<enhanced>\d\.\d{1,3}\.\d{1,3}))?"
_DETAIL = re.compile(rf"SMTP server error: {_KIND} command failed\.? ?Detail: (?P<reply>(?:(?!SMTP server error)[^\0]){{1,2000}}?){_INFO}", re.ASCII)
_AFTER = re.compile(r"(?:SMTP server error|SMTP code:|SMTP Error:)")
_REFUSED = "recipients failed: "
_ADDRESS = re.compile(
    r"(?:^|(?<=[\n,;])|(?<=failed: )) ?(?P<address>[^\s@:,;<>]{1,64}@[^\s@:,;<>]{1,255})(?P<mark>: ?|(?=[,;\s])|$)", re.ASCII | re.MULTILINE
)


def _recipients(text: str) -> list[Found]:
    """`The following recipients failed: a@b: what the server said` and further ones, a line each; old versions list the addresses alone."""
    at = text.find(_REFUSED)
    if at < 0:
        return []
    begin = at + len(_REFUSED)
    after = _AFTER.search(text, begin, begin + 20_000)
    stop = after.start() if after else min(len(text), begin + 20_000)
    stack = text.find("\nStack trace", begin, stop)
    stop = stack if stack >= 0 else stop
    detail = _DETAIL.search(text, begin, begin + 20_000)
    places = []
    for match in _ADDRESS.finditer(text, begin, stop):
        places.append(match)
        if len(places) >= MAX_FOUND:
            break
    found = []
    for number, match in enumerate(places):
        end = places[number + 1].start() if number + 1 < len(places) else stop
        reply = trim(text, match.end(), end) if match["mark"] else (0, 0)
        code, enhanced = _codes(detail)
        if reply[0] >= reply[1]:
            reply = detail.span("reply") if detail else trim(text, at - len("The following "), begin - 2)
        found.append(Found(reply, Stage.RCPT, code, enhanced, match.span("address")))
    return found


def _codes(detail: re.Match[str] | None) -> tuple[tuple[int, int], tuple[int, int]]:
    code, enhanced = (detail.span(name) if detail and detail[name] else (0, 0) for name in ("code", "enhanced"))
    return code, enhanced


def _phpmailer(text: str) -> list[Found]:
    found = _recipients(text)
    if found:
        return found
    match = _DETAIL.search(text)
    if match:
        code, enhanced = _codes(match)
        stage = _COMMANDS[match["kind"]]
        sender = _SENDER.search(text) if stage is Stage.MAIL else None
        return [Found(trim(text, *match.span("reply")), stage, code, enhanced, sender=sender.span(1) if sender else (0, 0))]
    return []


_SENDER = re.compile(r"following From address failed: ?([^\s:,;<>]{1,320})", re.ASCII)
PHPMAILER = Library(
    "PHPMailer",
    ("SMTP Error: ", "SMTP ERROR: ", "PHPMailer", "Mailer Error", "SMTP connect() failed", "following From address failed", "SMTP server error: ",
     "wp_mail_failed", "Could not instantiate mail function"),
    (
        rule("command failed: ", rf"SMTP ERROR: {_KIND} command failed: (?P<reply>)", stages=_COMMANDS),
        rule("command failed", rf"(?P<reply>following From address failed: ?(?P<sender>"
        rf"[^\s:,;<>]{{1,320}}) ?: {_KIND} command failed)", Stage.MAIL, own=True),
        rule("STARTTLS command failed ", r"STARTTLS command failed (?:Detail: )?(?P<reply>)", Stage.STARTTLS),
        rule("Failed to connect to server", r"(?P<reply>Failed to connect to server:? [^\n]{1,400})", own=True),
        rule("SMTP Error: ", r"SMTP Error: (?P<reply>Could not connect to SMTP host\.(?: ?[^\n]{1,500}(?:\nerror:[^\n]{1,200}){0,3})?)", own=True),
        rule("SMTP Error: ", r"SMTP Error: (?P<reply>[^\n]{1,500})", own=True),
        rule("SMTP connect() failed", r"(?P<reply>SMTP connect\(\) failed[^\n]{0,300})", own=True),
        rule("address", r"(?P<reply>Invalid address: [^\n]{1,400})", Stage.RCPT, own=True),
        rule("From address failed", r"(?P<reply>following From address failed: ?(?P<sender>[^\s:,;<>]{1,320})[^\n]{0,400})", Stage.MAIL, own=True),
        rule("Could not instantiate", r"(?P<reply>Could not instantiate mail function[^\n]{0,200})", own=True),
        rule("Mailer Error", r"Mailer Error(?: \([^()\n]{1,320}\))?: (?P<reply>[^\n]{1,500})", own=True),
    ),
    read=_phpmailer,
)  # fmt: skip

_EXPECTED = {
    "250/251/252": Stage.RCPT, "250, 251, 252": Stage.RCPT, "354": Stage.DATA, "235": Stage.AUTH, "334": Stage.AUTH, "": Stage.EMPTY,
}  # fmt: skip
_QUOTE = r"\\{0,3}\"?"
_SYMFONY_FRAMES = (
    ("doMailFromCommand", Stage.MAIL),
    ("doRcptToCommand", Stage.RCPT),
    ("handleAuth", Stage.AUTH),
    ("doEhloCommand", Stage.EHLO),
    ("doHeloCommand", Stage.EHLO),
    ("_doMailFromCommand", Stage.MAIL),
    ("_doHeloCommand", Stage.EHLO),
    ("_readGreeting", Stage.CONNECT),
)


def _symfony(text: str) -> list[Found]:
    """The greeting and STARTTLS both expect 220; EHLO, MAIL and the final dot all expect 250: the frames tell them apart."""
    found = apply(_EXPECTED_RULE, text)[:1]
    if not found or found[0].stage:
        return found
    first = text.find("\n#0 ")
    if first < 0 and "220" in text[max(0, found[0].reply[0] - 120) : found[0].reply[0]]:
        return [replace(found[0], stage=Stage.STARTTLS if text[slice(*found[0].code)] == "454" else Stage.CONNECT)]  # RFC 3207 section 4
    frames = text[first : first + 1500] if first >= 0 else ""
    expected = text[max(0, found[0].reply[0] - 120) : found[0].reply[0]]
    stage = Stage.EMPTY
    if "220" in expected:
        stage = Stage.STARTTLS if "EsmtpTransport.php" in frames.split("\n#2 ")[0] else Stage.CONNECT
    elif frames and not any(frame in frames for frame, _ in _SYMFONY_FRAMES):
        stage = Stage.MESSAGE
    return [replace(found[0], stage=stage)]


_EXPECTED_RULE = rule(
    "Expected response code",
    rf"Expected response code {_QUOTE}(?P<kind>[\d/, ]{{3,20}}){_QUOTE} but got (?:code {_QUOTE}(?P<code>\d{{3}}){_QUOTE}|an empty response"
    rf"|empty code),"
    rf" with message {_QUOTE}(?P<reply>)",
    Stage.EMPTY,
    '\\".', '".', '\\"\\n', '"\n', '"}', '" in ', '" at ',
    stages=_EXPECTED,
)  # fmt: skip
SYMFONY = Library(
    "Symfony Mailer or SwiftMailer",
    ("Symfony\\Component\\Mailer", "Symfony\\\\Component\\\\Mailer", "Expected response code", "Swift_",
    "Connection could not be established with host",
     "Failed to authenticate on SMTP server", "TransportException", "Unable to connect with STARTTLS", "does not comply with RFC 2822"),
    (
        rule("Expected response code", r"(?P<reply>Expected response code [^\n]{1,300})", own=True),
        rule("Failed to authenticate", r"(?P<reply>Failed to authenticate on SMTP server [^\n]{1,400}?)(?: in /|\n|$)", Stage.AUTH, own=True),
        rule("established with host", r"(?P<reply>Connection could not be established with host [^\n]{1,500}?)(?: in /| at /|\n|$)", own=True),
        rule("Connection to", r"(?P<reply>Connection to [^\n]{1,200}(?: timed out| has been closed unexpectedly)\.?)", own=True),
        rule("Unable to", r"(?P<reply>Unable to (?:connect with (?:STARTTLS|TLS encryption)|write bytes on the wire)[^\n]{0,300}?(?:\nerror:"
        r"[^\n]{1,200}){0,3}?)(?: in /|\n(?!error:)|$)", own=True),
        rule("comply with", r"(?P<reply>(?:Email|Address in mailbox given) [^\n]{1,330} does not comply with [^\n]{1,80}?)(?: in /"
        r"|\n|$)", Stage.RCPT, own=True),
        rule("Exception", r"TransportException(?:: |\(code: \d{1,4}\): )(?P<reply>[^\n]{1,500}?)(?: in /| at /|\n|$)", own=True),
    ),
    _SYMFONY_FRAMES,
    _symfony,
)  # fmt: skip
