""".NET: System.Net.Mail.SmtpClient, which shows a reply without its code but with words of its own for it, and MailKit."""

from __future__ import annotations

import re
from dataclasses import replace

from whybounce.failure import Stage
from whybounce.intake.exceptions.common import Found, Library, apply, rule

# System.Net.Mail.SmtpStatusCode in words, as SmtpException shows them before "The server response was:".
_WORDS = {
    "Service not available, closing transmission channel.": "421",
    "Error in processing.": "451",
    "Insufficient system storage.": "452",
    "Client does not have permission to submit mail to this server.": "454",
    "Syntax error, command unrecognized.": "500",
    "Syntax error in parameters or arguments.": "501",
    "Command not implemented.": "502",
    "Bad sequence of commands.": "503",
    "Command parameter not implemented.": "504",
    "The SMTP server requires a secure connection or the client was not authenticated.": "530",
    "Mailbox unavailable.": "550",
    "User not local; please try a different path.": "551",
    "Exceeded storage allocation.": "552",
    "Mailbox name not allowed.": "553",
    "Transaction failed.": "554",
}
_RESPONSE = rule(
    "The server response was: ",
    r"(?P<kind>[A-Z][A-Za-z ,;]{5,90}\.) The server response was: (?P<reply>)",
    Stage.EMPTY,
    " ---> ", "\n   at ", "\r\n   at ",
)  # fmt: skip
_SPACED = re.compile(r"([A-Z][A-Za-z ,;]{5,90}\.) The server response was: $")
_RECIPIENT = re.compile(r"(?:FailedRecipient|recipient)s?[:=]? ?<?([^\s<>@'\"]{1,64}@[^\s<>@'\",;)]{1,255})>?", re.ASCII | re.IGNORECASE)


def _read(text: str) -> list[Found]:
    """The code that the words before the response stand for, where response and words do not show one. "Mailbox unavailable" is both 450 and
    550 there: the class of the enhanced code tells."""
    found = []
    for item in apply(_RESPONSE, text):
        start = item.reply[0]
        words = _SPACED.search(text, max(0, start - 130), start)
        code = _WORDS.get(words[1], "") if words else ""
        said = text[start : item.reply[1]]
        if words and words[1] == "Mailbox unavailable.":
            code = {"4": "450", "5": "550"}.get(said[:1], "") if said[1:2] == "." else ""
        recipient = _RECIPIENT.search(text) if "FailedRecipient" in text else None
        stage = Stage.RCPT if "FailedRecipient" in text else Stage.EMPTY
        found.append(replace(item, implied=code, stage=stage, recipient=recipient.span(1) if recipient and stage else (0, 0)))
    return found


SMTPCLIENT = Library(
    ".NET's SmtpClient",
    ("System.Net.Mail", "SmtpFailedRecipient", "SmtpException", "The server response was: "),
    (
        rule("refused it", r"(?P<reply>(?:No connection could be made because the target machine actively refused it|Connection refused)"
        r"[^\n]{0,120})", own=True),
        rule("remote name", r"(?P<reply>The remote name could not be resolved: '[^'\n]{1,255}')", own=True),
        rule("known", r"(?P<reply>(?:No such host is known|Name or service not known)[^\n]{0,200})", own=True),
        rule("timed out", r"(?P<reply>The operation has timed out[^\n]{0,60})", own=True),
        rule("connected party", r"(?P<reply>A connection attempt failed because the connected party did not [^\n]{1,300})", own=True),
        rule("certificate", r"(?P<reply>The remote certificate (?:is|was) [^\n]{1,300})", own=True),
        rule("secure connections", r"(?P<reply>Server does not support secure connections\.)", Stage.STARTTLS, own=True),
        rule("transport connection", r"(?P<reply>Unable to read data from the transport connection: [^\n]{1,200})", own=True),
        rule("Exception", r"Smtp(?:FailedRecipients?)?Exception: (?P<reply>[^\n]{3,300}?)(?: ---> |\n|$)", own=True),
    ),
    (
        ("RecipientCommand.", Stage.RCPT),
        ("MailCommand.", Stage.MAIL),
        ("DataStopCommand.", Stage.MESSAGE),
        ("DataCommand.", Stage.DATA),
        ("EHelloCommand.", Stage.EHLO),
        ("StartTlsCommand.", Stage.STARTTLS),
        ("AuthCommand.", Stage.AUTH),
    ),
    _read,
)  # fmt: skip
MAILKIT = Library(
    "MailKit",
    ("MailKit.", "SmtpCommandException", "ServiceNotAuthenticatedException", "SslHandshakeException"),
    (
        rule("AuthenticationException: ", r"AuthenticationException: (?P<code>\d{3}): (?P<reply>)", Stage.AUTH),
        rule("SmtpCommandException: ", r"SmtpCommandException: (?P<reply>)"),
        rule("ServiceNotAuthenticatedException: ", r"ServiceNotAuthenticatedException: (?P<reply>[^\n]{3,400})", Stage.AUTH, own=True),
        rule("SslHandshakeException: ", r"SslHandshakeException: (?P<reply>[^\n]{3,600})", Stage.STARTTLS, own=True),
        rule("SmtpProtocolException: ", r"SmtpProtocolException: (?P<reply>[^\n]{3,300})", own=True),
        rule("SocketException", r"SocketException(?: \([^()\n]{1,20}\))?: (?P<reply>[^\n]{3,300})", own=True),
        rule("Exception: ", r"(?:MailKit|System)[\w.]{0,60}Exception: (?P<reply>[^\n]{3,400})", own=True),
    ),
    (
        ("OnRecipientNotAccepted", Stage.RCPT),
        ("ProcessRcptToResponse", Stage.RCPT),
        ("OnSenderNotAccepted", Stage.MAIL),
        ("ProcessMailFromResponse", Stage.MAIL),
        ("SmtpClient.MessageData", Stage.MESSAGE),
        ("SmtpClient.Data", Stage.MESSAGE),
        ("SmtpClient.Bdat", Stage.MESSAGE),
        ("SmtpClient.Authenticate", Stage.AUTH),
        ("SmtpClient.Ehlo", Stage.EHLO),
    ),
)  # fmt: skip
