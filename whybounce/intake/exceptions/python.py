"""Python: smtplib (also below Django, Flask-Mail, Odoo ...), aiosmtplib, boto3.

smtplib shows what a server said as `(550, b'5.1.1 ...')`, and refused recipients as a dictionary of these.
"""

from __future__ import annotations

import re

from whybounce.failure import Stage
from whybounce.intake.exceptions.common import MAX_FOUND, Found, Library, apply, rule

_LITERAL = r"b?(?:'(?P<{0}>(?:[^'\\\n]|\\.){{0,3000}})'|\"(?P<{0}2>(?:[^\"\\\n]|\\.){{0,3000}})\")"
_REFUSED = re.compile(r"['\"](?P<recipient>[^'\"\n]{1,320})['\"]: \((?P<code>\d{3}), " + _LITERAL.format("reply"), re.ASCII)
_RESPONSE = re.compile(
    r"(?P<kind>SMTP[A-Za-z]{4,40})(?::? ?)\((?P<code>-?\d{1,3}), " + _LITERAL.format("reply") + r"(?:, ['\"](?P<address>[^'\"\n]{1,320})['\"])?",
    re.ASCII,
)
_STAGES = {
    "SMTPConnectError": Stage.CONNECT,
    "SMTPConnectResponseError": Stage.CONNECT,
    "SMTPHeloError": Stage.EHLO,
    "SMTPAuthenticationError": Stage.AUTH,
    "SMTPSenderRefused": Stage.MAIL,
    "SMTPRecipientRefused": Stage.RCPT,
    "SMTPRecipientsRefused": Stage.RCPT,
    "SMTPDataError": Stage.MESSAGE,
}
_FRAMES = (
    (", in starttls\n", Stage.STARTTLS),
    (", in start_tls\n", Stage.STARTTLS),
    (", in login\n", Stage.AUTH),
    (", in rcpt\n", Stage.RCPT),
    (", in _send_recipients\n", Stage.RCPT),
    (", in mail\n", Stage.MAIL),
    (", in data\n", Stage.MESSAGE),
    (", in ehlo_or_helo_if_needed\n", Stage.EHLO),
    (", in _ehlo_or_helo_if_needed\n", Stage.EHLO),
    (", in connect\n", Stage.CONNECT),
)
# The frame of smtplib's and aiosmtplib's data() in which the reply to DATA itself, not to the final dot, is refused.
_BEFORE_DATA = ("raise SMTPDataError(code, repl)", "raise SMTPDataError(start_response")


def _read(text: str) -> list[Found]:
    refused = _refused(text)
    if refused:
        return refused
    found = []
    for match in _RESPONSE.finditer(text):
        address = match.span("address") if match["address"] else (0, 0)
        stage = _STAGES.get(match["kind"], Stage.EMPTY)
        if match["kind"] == "SMTPDataError" and any(line in text for line in _BEFORE_DATA):
            stage = Stage.DATA
        reply = _reply(match)
        if reply[0] < reply[1]:
            found.append(
                Found(
                    reply,
                    stage,
                    code=match.span("code") if len(match["code"]) == 3 else (0, 0),
                    recipient=address if stage is Stage.RCPT else (0, 0),
                    sender=address if stage is Stage.MAIL else (0, 0),
                    literal=True,
                )
            )
        if len(found) >= MAX_FOUND:
            break
    return found[-1:] if found and all(item.stage is not Stage.RCPT for item in found) else [item for item in found if item.stage is Stage.RCPT]


def _refused(text: str) -> list[Found]:
    if "': (" not in text and '": (' not in text:
        return []
    found = []
    for match in _REFUSED.finditer(text):
        reply = _reply(match)
        if reply[0] < reply[1] and "@" in match["recipient"]:
            found.append(Found(reply, Stage.RCPT, match.span("code"), recipient=match.span("recipient"), literal=True))
        if len(found) >= MAX_FOUND:
            break
    return found


def _reply(match: re.Match[str]) -> tuple[int, int]:
    return match.span("reply") if match["reply"] is not None else match.span("reply2")


_NETWORK = (
    r"^(?:[\w.]*Error: )?(?:[a-z_]\w{0,30}\.){0,3}(?P<reply>(?:ConnectionRefusedError|ConnectionResetError|ConnectionAbortedError|BrokenPipeError"
    r"|TimeoutError|OSError|IOError|gaierror|herror|timeout|error|SSL[A-Za-z]{0,30}Error|CertificateError|ConnectionError|SMTP[A-Za-z]{4,40})"
    r": (?:(?!\(\d|\{)[^\n]){1,600})$"
)
# The first line of a traceback chain is the cause, what follows "During handling of" its consequence: the last line is the one that was raised.
_OWN = rule("rror", _NETWORK, own=True)
_SMTP = rule("SMTP", _NETWORK, own=True)
_TIMEOUT = rule("timeout", _NETWORK, own=True)
_INLINE = rule(
    "",
    r"(?P<reply>(?:ConnectionRefusedError|TimeoutError|gaierror|SMTPServerDisconnected|SMTPNotSupportedError|SMTPConnectError|SMTPException"
    r"|SSLCertVerificationError|SSLError)\((?:[^()\n]|\([^()\n]{0,200}\)){1,400}\))",
    own=True,
)
_BRACKETED = rule("[", r"(?P<reply>\[(?:Errno -?\d{1,5}|WinError \d{1,5}|SSL: [A-Z_]{3,60})\] [^\n]{3,300})", own=True)


def _read_all(text: str) -> list[Found]:
    found = _read(text)
    if found:
        return found
    for one in (_OWN, _SMTP, _TIMEOUT):
        found = apply(one, text)
        if found:
            return found[-1:]
    for one in (_INLINE, _BRACKETED):
        found = apply(one, text)
        if found:
            return found[-1:]
    return []


SMTPLIB = Library(
    "Python's smtplib",
    ("smtplib", "SMTPRecipientsRefused", "SMTPSenderRefused", "SMTPDataError", "SMTPAuthenticationError", "SMTPConnectError", "SMTPHeloError",
     "SMTPServerDisconnected", "SMTPNotSupportedError", "SMTPResponseException", "SMTPRecipientRefused", "core/mail/", "send_mail("),
    frames=_FRAMES,
    read=_read_all,
)  # fmt: skip
BOTO = Library(
    "the AWS SDK",
    ("when calling the SendEmail operation", "when calling the SendRawEmail operation", "when calling the SendBulkEmail operation"),
    (
        rule(
            "An error occurred (",
            r"An error occurred \([A-Za-z]{3,60}\) when calling the Send\w{3,30} operation(?: \([^()\n]{1,80}\))?: (?P<reply>[^\n]{1,900})",
            own=True,
        ),
    ),
    unsaid=Stage.EMPTY,
)
