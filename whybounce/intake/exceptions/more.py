"""Go, Ruby, Perl, Rust, Elixir: libraries that show the reply as it is, with a few words around it."""

from __future__ import annotations

from whybounce.failure import Stage
from whybounce.intake.exceptions.common import Library, rule

_CODED = r"(?=[45]\d\d[ -])"
_GO_OWN = (
    r"(?:dial tcp|lookup|read tcp|write tcp|x509: |tls: |remote error: tls|gomail: |smtp: |mail: |unencrypted connection|wrong host name|EOF"
    r"|i/o timeout|context deadline exceeded|short response|unexpected server challenge|unknown challenge)"
)
GO = Library(
    "Go's net/smtp",
    ("gomail: ", "textproto", "net/smtp", "dial tcp", "x509: ", "error: tls: ", "tls: first record",
     "tls: failed to", "tls: handshake", "smtp: server doesn't support", "smtp.SendMail", "unencrypted connection"),
    (
        rule("textproto", r"textproto\.Error\{Code:(?P<code>\d{3}), Msg:\"(?P<reply>[^\"\n]{1,900})\"", literal=True),
        rule("gomail: could not send", rf"gomail: could not send email \d{{1,6}}: (?P<reply>){_CODED}"),
        rule(": ", rf"(?:smtp|mail|send|email|SendMail)\b[^\n]{{0,80}}: (?P<reply>){_CODED}"),
        rule("dial tcp", r"(?P<reply>dial tcp[: ][^\n\"]{3,400})", own=True),
        rule("x509: ", r"(?P<reply>(?:tls: failed to verify certificate: )?x509: [^\n\"]{3,400})", Stage.STARTTLS, own=True),
        rule("tls: ", r"(?P<reply>(?:remote error: )?tls: [^\n\"]{3,400})", Stage.STARTTLS, own=True),
        rule("gomail: ", r"(?P<reply>gomail: [^\n]{3,400})", own=True),
        rule("smtp: ", r"(?P<reply>smtp: server doesn't support [^\n]{1,60})", own=True),
        rule("unencrypted", r"(?P<reply>unencrypted connection)", Stage.AUTH, own=True),
        rule("", rf": (?P<reply>{_GO_OWN}[^\n]{{0,300}})$", own=True),
    ),
)  # fmt: skip
GO_LOG = Library(
    "Go's log",
    ("could not send", "cannot send", "failed to send", "sending mail", "send mail", "send email", "SendMail", "smtp"),
    (
        rule(": ", rf"^20\d\d/\d\d/\d\d \d\d:\d\d:\d\d [^\n]{{0,120}}?: (?P<reply>){_CODED}"),
        rule(": EOF", r"^20\d\d/\d\d/\d\d [^\n]{0,100}?(?:mail|smtp)[^\n]{0,60}: (?P<reply>EOF)$", own=True),
    ),
)

_RUBY_STAGES = {"Net::SMTPAuthenticationError": Stage.AUTH}
_RUBY_OWN = (
    r"(?:EOFError|Net::OpenTimeout|Net::ReadTimeout|SocketError|Socket::ResolutionError|Errno::[A-Z]{3,20}|OpenSSL::SSL::SSLError"
    r"|Timeout::Error|IOError)"
)
RUBY = Library(
    "Ruby's Net::SMTP",
    ("Net::SMTP", "net/smtp.rb", "net/smtp", "Net::OpenTimeout", "Net::ReadTimeout", "actionmailer", "ActionMailer", "lib/mail/network"),
    (
        rule("(Net::SMTP", r": (?:could not get 3xx \(\d{3}: )?(?P<reply>[2-5]\d\d[^\n]{1,900}?) \((?P<kind>Net::SMTP"
        r"[A-Za-z]{3,30})\)", stages=_RUBY_STAGES),
        rule("Net::SMTP", r"(?P<kind>Net::SMTP[A-Za-z]{3,30}):? \(?(?:could not get 3xx \(\d{3}: )?(?P<reply>)(?=[2-5]\d\d[ -])", Stage.EMPTY, ")\n",
             stages=_RUBY_STAGES),
        rule("Net::SMTP", r"#<(?P<kind>Net::SMTP[A-Za-z]{3,30}): ?\"?(?P<reply>[2-5]\d\d[^\n>]{1,900}?)(?:\\n)?\"?>", stages=_RUBY_STAGES),
        rule("(", r"(?::\d{1,6}:in [`'][^\n]{1,90}?': )(?P<reply>[^\n]{1,400} \(" + _RUBY_OWN + r"\))$", own=True),
        rule("rr", r"(?P<reply>\b" + _RUBY_OWN + r"(?:: | \()[^\n]{1,400})", own=True),
        rule("ut", r"(?P<reply>\b" + _RUBY_OWN + r"(?:(?:: | \()[^\n]{1,400})?)", own=True),
        rule("Net::SMTP", r"(?P<reply>Net::SMTP[A-Za-z]{3,30}: [^\n]{3,400})", own=True),
    ),
    (
        ("mailfrom'", Stage.MAIL),
        ("rcptto'", Stage.RCPT),
        ("starttls'", Stage.STARTTLS),
        ("tlsconnect'", Stage.STARTTLS),
        ("authenticate'", Stage.AUTH),
        ("helo'", Stage.EHLO),
        ("check_continue'", Stage.DATA),
        ("#data'", Stage.MESSAGE),
        ("`data'", Stage.MESSAGE),
        ("do_start'", Stage.CONNECT),
    ),
)  # fmt: skip

_PERL_STAGES = {
    "failed AUTH": Stage.AUTH, "can't STARTTLS": Stage.STARTTLS, "error at DATA start": Stage.DATA, "error at after DATA": Stage.MESSAGE,
    "error at during DATA": Stage.MESSAGE, "failed after MAIL FROM": Stage.MAIL,
}  # fmt: skip
PERL = Library(
    "Perl's Email::Sender",
    ("Email::Sender", "Email/Sender", "Net::SMTP=GLOB"),
    (
        rule("can't STARTTLS: 2", r"^(?P<reply>can't STARTTLS: 2[^\n]{1,200})", Stage.STARTTLS, own=True),
        rule(": ", r"^(?:(?P<sender>\S{1,320}@\S{1,255}) )?(?P<kind>failed AUTH|can't STARTTLS|error at DATA start|error at after DATA"
        r"|error at during DATA"
             r"|failed after MAIL FROM): (?P<reply>[^\[\n][^\n]{1,900})", stages=_PERL_STAGES),
        rule("failed after", r"^(?P<reply>(?P<sender>\S{1,320}@\S{1,255}) failed after MAIL FROM: \[Net::SMTP\] [^\n]{1,200})", Stage.MAIL, own=True),
        rule("unable to establish", r"^(?P<reply>unable to establish SMTP connection to [^\n]{1,300})", own=True),
        rule("recipients were rejected", r"^(?P<reply>all recipients were rejected during RCPT)", Stage.RCPT, own=True),
        rule("Trace begun", r"\A\s{0,9}(?P<reply>[2-5]\.\d{1,3}\.\d{1,3} [^\n]{1,900})", Stage.RCPT),
    ),
)  # fmt: skip
RUST = Library(
    "Rust's lettre",
    ("lettre", "permanent error (", "transient error ("),
    (
        rule("error (", r"(?:permanent|transient) error \((?P<code>\d{3})\)(?:: (?P<reply>))"),
        rule(
            "lettre",
            r"kind: (?:Permanent|Transient)\(Code \{ severity: \w{3,40}, category: \w{3,30}, detail: \w{3,10} \}\), source: \"(?P<reply>"
            r"[^\"\n]{1,900})\"",
        ),
        rule(
            "error",
            r"(?P<reply>(?:[Cc]onnection error|network error|tls error|response error|internal client error|SMTP connection error)[^\n]{0,400})",
            own=True,
        ),
    ),
)
ELIXIR = Library(
    "gen_smtp (Bamboo, Swoosh)",
    ("permanent_failure", "temporary_failure", "network_failure", "missing_requirement", "retries_exceeded", "no_more_hosts", "gen_smtp"),
    (
        rule(
            "_failure",
            r"(?:permanent|temporary)_failure, ?(?:(?:\"|'|<<\")(?P<host>[^\"'\s]{1,255})(?:'|\"(?:>>)?), ?)?(?:<<)?\"(?P<reply>[^\"\n]{3,900})\"",
            literal=True,
        ),
        rule("_failure", r"(?P<reply>(?:permanent|temporary)_failure, [^\n]{1,200}auth_failed\b)", Stage.AUTH, own=True),
        rule("missing_requirement", r"(?P<reply>missing_requirement, [^\n]{1,200})", own=True),
        rule("_failure", r"(?P<reply>network_failure, ?[^\n}]{1,300}\}?)", own=True),
        rule("no_", r"(?P<reply>no_(?:more_hosts|credentials)[^\n}]{0,300})", own=True),
    ),
)
