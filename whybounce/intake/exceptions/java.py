"""Java: JavaMail, Jakarta Mail, Angus Mail, also below Spring, Jenkins, Jira, Keycloak."""

from __future__ import annotations

from whybounce.failure import Stage
from whybounce.intake.exceptions.common import Found, Library, apply, rule

_CODED = r"(?=\[?[2-5]\d\d[ -])"
_ADDRESS_FAILED = rule("SMTPAddressFailedException: ", rf"SMTPAddressFailedException: (?P<reply>){_CODED}", Stage.RCPT)
_FRAMES = (
    ("SMTPTransport.rcptTo(", Stage.RCPT),
    ("SMTPTransport.mailFrom(", Stage.MAIL),
    ("SMTPTransport.finishData(", Stage.MESSAGE),
    ("SMTPTransport.finishBdat(", Stage.MESSAGE),
    ("SMTPTransport.data(", Stage.DATA),
    ("SMTPTransport.startTLS(", Stage.STARTTLS),
    ("SMTPTransport.authenticate(", Stage.AUTH),
    ("SMTPTransport.helo(", Stage.EHLO),
    ("SMTPTransport.ehlo(", Stage.EHLO),
    ("SMTPTransport.openServer(", Stage.CONNECT),
)
_NESTED = (
    r"(?P<reply>(?:java\.(?:net|io)|javax\.net\.ssl|sun\.security\.\w{1,30}(?:\.\w{1,30})?|java\.security\.cert)\.[A-Za-z]{3,50}(?:Exception|Error)"
    r"(?:: [^\n]{1,500})?)"
)


def _read(text: str) -> list[Found]:
    """Refused recipients, each nested in the exception of the one before; else the exception's own rules."""
    return apply(_ADDRESS_FAILED, text)


JAVAMAIL = Library(
    "JavaMail (Jakarta Mail)",
    ("javax.mail.", "jakarta.mail.", "com.sun.mail.", "org.eclipse.angus.", "org.springframework.mail.", "SMTPAddressFailedException",
    "SendFailedException",
     "MailConnectException", "AuthenticationFailedException"),
    (
        rule("SMTPSenderFailedException: ", rf"SMTPSenderFailedException: (?P<reply>){_CODED}", Stage.MAIL),
        rule("SMTPSendFailedException: ", rf"SMTPSendFailedException: (?P<reply>){_CODED}"),
        rule("AuthenticationFailedException: ", rf"AuthenticationFailedException: (?P<reply>){_CODED}", Stage.AUTH),
        rule("response: ", r"(?:Got bad greeting from|Could not connect to) SMTP host: [^\n,]{1,255}, port: \d{1,5}, response: (?P<reply>\d{3}"
        r"[^\n]{0,600})",
             Stage.CONNECT),
        rule("Exception: ", rf"(?:Messaging|SendFailed|Mail)\w{{0,30}}Exception: (?P<reply>){_CODED}"),
        rule("AuthenticationFailedException", r"(?P<reply>AuthenticationFailedException(?:: [^\n]{1,300})?)", Stage.AUTH, own=True),
        rule("Couldn't connect to host", r"(?P<reply>Couldn't connect to host, port: [^\n;]{1,300}"
        r"(?:; timeout -?\d{1,9})?);?\n\s{0,8}nested exception is:\s{1,9}"
             r"java\.net\.ConnectException(?=: Connection timed out)", own=True),
        rule("Couldn't connect to host", r"Couldn't connect to host, port: (?P<host>[^\s,;]{1,255}), "
        r"[^\n]{1,100}\n\s{0,8}nested exception is:\s{1,9}" + _NESTED,
             own=True),
        rule("Could not connect to SMTP host", r"Could not connect to SMTP host: (?P<host>"
        r"[^\s,;]{1,255}), port: \d{1,5};?\s{1,3}nested exception is:\s{1,9}"
             + _NESTED, own=True),
        rule("Couldn't connect to host", r"(?P<reply>Couldn't connect to host[^\n]{1,300})", own=True),
        rule("STARTTLS", r"(?P<reply>STARTTLS is required but [^\n]{1,200})", Stage.STARTTLS, own=True),
        rule("nested exception is:", r"nested exception is:\s{1,9}" + _NESTED, own=True),
        rule("Caused by: ", r"Caused by: " + _NESTED, own=True),
        rule("Exception: ", r"(?:Messaging|SendFailed|Mail|Address)\w{0,30}Exception: (?P<reply>[^\n]{3,400})", own=True),
    ),
    _FRAMES,
    _read,
)  # fmt: skip
