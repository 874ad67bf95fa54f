"""Node.js: Nodemailer. Its error object names code, response, command and the rejected recipients, as util.inspect or as JSON."""

from __future__ import annotations

import re

from whybounce.failure import Stage
from whybounce.intake.exceptions.common import MAX_FOUND, Found, Library, rule
from whybounce.intake.stages import command_stage

_NAME = r"\\?[\"']?{0}\\?[\"']?: ?\\?[\"']"
_RESPONSE = re.compile(_NAME.format("response") + r"(?P<reply>[2-5]\d\d(?:[^\"'\\\n]|\\[^\"']|'(?!,?\s)|\"(?![,}\s])){1,2000})", re.ASCII)
_COMMAND = re.compile(_NAME.format("command") + r"(?P<command>[A-Z][A-Za-z0-9 ]{2,30})", re.ASCII)
_RECIPIENT = re.compile(_NAME.format("recipient") + r"(?P<recipient>[^\"'\\\s]{1,320})", re.ASCII)
_REJECTED = re.compile(r"\\?[\"']?rejected\\?[\"']?: ?\[([^\]]{1,20000})\]", re.ASCII)
_ADDRESS = re.compile(r"[^\s\"'\\,\[\]]{1,64}@[^\s\"'\\,\[\]]{1,255}", re.ASCII)
_REACH = 400
_MESSAGES = {
    "Can't send mail - all recipients were rejected": Stage.RCPT,
    "Recipient command failed": Stage.RCPT,
    "Mail command failed": Stage.MAIL,
    "Data command failed": Stage.DATA,
    "Message failed": Stage.MESSAGE,
    "Invalid login": Stage.AUTH,
    "Invalid greeting": Stage.CONNECT,
    "Invalid HELO": Stage.EHLO,
    "Invalid EHLO": Stage.EHLO,
    "Error upgrading connection with STARTTLS": Stage.STARTTLS,
    "Error initiating TLS": Stage.STARTTLS,
}
_KIND = "(?P<kind>" + "|".join(re.escape(message) for message in _MESSAGES) + ")"


def _read(text: str) -> list[Found]:
    """One failure for each `response` that names its recipient; else the first one, for each of the rejected."""
    named: list[Found] = []
    first: Found | None = None
    for match in _RESPONSE.finditer(text):
        stop = min(len(text), match.end() + _REACH)
        following = _RESPONSE.search(text, match.end(), stop)
        stop = following.start() if following else stop
        command = _COMMAND.search(text, match.end(), stop)
        stage = _stage(text, match.start(), command["command"] if command else "")
        recipient = _RECIPIENT.search(text, match.end(), stop)
        found = Found(match.span("reply"), stage, recipient=recipient.span("recipient") if recipient else (0, 0), literal=True)
        if recipient:
            named.append(found)
        first = first or found
        if len(named) >= MAX_FOUND:
            break
    if named or first is None:
        return named
    return _for_rejected(text, first)


def _stage(text: str, at: int, command: str) -> Stage:
    """The final dot is refused under the name of its command, DATA: the code EMESSAGE or the message tells it apart."""
    stage = Stage.CONNECT if command.startswith(("CONN", "API")) else command_stage(command)
    if stage is Stage.DATA and ("EMESSAGE" in text[max(0, at - _REACH) : at] or "Message failed" in text[max(0, at - 3000) : at]):
        return Stage.MESSAGE
    return stage


def _for_rejected(text: str, found: Found) -> list[Found]:
    listed = _REJECTED.search(text) if found.stage in (Stage.RCPT, Stage.EMPTY) else None
    places = [match.span() for match in _ADDRESS.finditer(text, *listed.span(1))] if listed else []
    if not places:
        return [found]
    return [Found(found.reply, found.stage or Stage.RCPT, recipient=place, literal=True) for place in places[:MAX_FOUND]]


NODEMAILER = Library(
    "Nodemailer",
    ("odemailer", "EENVELOPE", "EAUTH", "ESOCKET", "ECONNECTION", "EMESSAGE", "ETLS", "EDNS", "EPROTOCOL", "responseCode",
    "all recipients were rejected",
     "SMTPConnection.", "smtp-connection", "Invalid login: ", "command: 'CONN'"),
    (
        rule("", rf"{_KIND}(?:\. response=[^\n]{{1,600}}?)?: (?P<reply>)(?=[2-5]\d\d[ -])", stages=_MESSAGES),
        rule("rror: ", r"(?<![A-Za-z])(?:\w{0,30}Error: )(?P<reply>[^\n]{3,500}?)(?=\\n|\\?\"[,}]|\n|$)", own=True),
        rule("message", r"\\?\"message\\?\": ?\\?\"(?P<reply>[^\n]{3,500}?)(?=\\n|\\?\")", own=True),
        rule("", r"^(?P<reply>[^\n]{0,80}(?:ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|EDNS|ESOCKET)"
        r"[^\n]{0,300})$", own=True),
    ),
    read=_read,
)  # fmt: skip
