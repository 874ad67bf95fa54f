"""Records sessions of real programs with servers on loopback that refuse.

    python -m tests.data.sessions.make.record FOLDER [NAME ...]

Needs swaks, curl, telnet, nc, openssl, msmtp, php with PHPMailer, node with nodemailer (NODE_PATH), java with javax.mail. What is
missing is skipped. Host names and addresses are put in documentation space afterwards.
"""

from __future__ import annotations

import os
import pty
import re
import select
import smtplib
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from aiosmtpd.smtp import AuthResult

from tests.servers.smtp import SmtpServer, _Smtp

HERE = Path(__file__).parent
MESSAGE = (
    "From: Ben <ben@sender.example>\r\nTo: anna@example.org\r\nSubject: Minutes\r\nMessage-ID: <1@sender.example>\r\n\r\nHello,\r\n..and a dot.\r\n"
)


class Submission(SmtpServer):
    """Asks for a login: no user but `ben`, and only over TLS where there is a certificate."""

    certificate: Path | None = None
    size = 0

    def _session(self) -> _Smtp:
        import ssl

        context = None
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
        smtp = _Smtp(
            self,
            hostname="mx.example.test",
            ident="ESMTP",
            enable_SMTPUTF8=True,
            loop=self._loop,
            tls_context=context,
            require_starttls=False,
            auth_require_tls=bool(context),
            authenticator=lambda server, session, envelope, mechanism, data: AuthResult(success=False, handled=False),
            data_size_limit=self.size or 33554432,
        )
        smtp.server = self
        return smtp


def typed(command: list[str], lines: list[str], pause: float = 0.4) -> str:
    """What a terminal shows when a person types `lines` into the program."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    shown = bytearray()

    def drain(seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if select.select([terminal], [], [], 0.05)[0]:
                try:
                    data = os.read(terminal, 65536)
                except OSError:
                    return
                if not data:
                    return
                shown.extend(data)

    drain(pause * 2)
    for line in lines:
        os.write(terminal, line.encode() + b"\n")
        drain(pause)
    drain(pause)
    os.close(terminal)
    return f"$ {' '.join(command)}\n" + shown.decode()


def run(*command: str, env: dict[str, str] | None = None, given: str | None = None) -> str:
    done = subprocess.run(
        command, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=40, check=False, env={**os.environ, **(env or {})}
    )
    return done.stdout


def certificate(folder: Path) -> Path:
    path = folder / "pair.pem"
    subject = ("-subj", "/CN=mx.example.test", "-days", "3650")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, "-keyout", str(path), "-out", str(folder / "c.pem"))
    path.write_text(path.read_text() + (folder / "c.pem").read_text())
    return path


def by_smtplib(server: SmtpServer) -> str:
    said = StringIO()
    with redirect_stderr(said):
        client = smtplib.SMTP(local_hostname="client.sender.example")
        client.set_debuglevel(1)
        client.connect(*server.address)
        try:
            client.sendmail("ben@sender.example", ["anna@example.org", "carl@example.org"], MESSAGE)
        except smtplib.SMTPException as error:
            print(f"{type(error).__module__}.{type(error).__name__}: {error}", file=said)
        client.quit()
    return said.getvalue()


def recordings(folder: Path) -> dict[str, object]:
    pair = certificate(folder)
    rcpt = {"rcpt": "550 5.1.1 User unknown"}
    one = {"carl@example.org": "550 5.1.1 <carl@example.org>: Recipient address rejected: User unknown in virtual mailbox table"}
    message = {"message": "554-5.7.1 Your message looks like spam.\r\n554 5.7.1 See https://example.test/spam"}

    def submission(refuse: dict[str, str] | None = None, tls: bool = True, size: int = 0) -> Submission:
        server = Submission(refuse or {})
        server.certificate = pair if tls else None
        server.size = size
        return server

    (folder / "message.eml").write_text(MESSAGE, newline="")

    def swaks(server: SmtpServer, *more: str) -> str:
        with server:
            return run(
                "swaks", "--server", "127.0.0.1", "--port", str(server.port), "--ehlo", "client.sender.example", "--from", "ben@sender.example",
                "--to", "anna@example.org,carl@example.org", *more,
            )  # fmt: skip

    def curl(server: SmtpServer, *more: str) -> str:
        with server:
            return run(
                "curl", "-sv", f"smtp://127.0.0.1:{server.port}/client.sender.example", "--mail-from", "ben@sender.example",
                "--mail-rcpt", "carl@example.org", "-T", str(folder / "message.eml"), *more,
            )  # fmt: skip

    def msmtp(server: SmtpServer) -> str:
        with server:
            return run(
                "msmtp", "--debug", "--host=127.0.0.1", f"--port={server.port}", "--from=ben@sender.example", "--domain=client.sender.example",
                "anna@example.org", given=MESSAGE.replace("\r", ""),
            )  # fmt: skip

    def telnet(server: SmtpServer, *lines: str) -> str:
        with server:
            return typed(["telnet", "127.0.0.1", str(server.port)], list(lines))

    def netcat(server: SmtpServer, *lines: str) -> str:
        with server:
            return typed(["nc", "-v", "127.0.0.1", str(server.port)], list(lines))

    def openssl(server: SmtpServer, *lines: str) -> str:
        with server:
            return typed(["openssl", "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{server.port}"], list(lines), 0.7)

    def python(server: SmtpServer) -> str:
        with server:
            return by_smtplib(server)

    def program(server: SmtpServer, *command: str) -> str:
        with server:
            return run(*command, env={"SMTP_PORT": str(server.port)})

    java = ("java", "-cp", os.environ.get("MAIL_JAR", "/usr/share/java/javax.mail.jar"), str(HERE / "Send.java"))
    greet = ("EHLO client.sender.example", "MAIL FROM:<ben@sender.example>")
    data = ("DATA", "Subject: Minutes", "", "Hello", ".", "QUIT")
    return {
        "swaks-rcpt": lambda: swaks(SmtpServer(one)),
        "swaks-message": lambda: swaks(SmtpServer(message)),
        "swaks-connect": lambda: swaks(SmtpServer({"connect": "554 5.7.1 No mail from 192.0.2.9: see https://example.test/blocked"})),
        "swaks-auth": lambda: swaks(submission(), "--tls", "--auth", "LOGIN", "--auth-user", "ben", "--auth-password", "secret word"),
        "swaks-unreachable": lambda: run("swaks", "--server", "127.0.0.1", "--port", "9", "--to", "anna@example.org", "--from", "ben@sender.example"),
        "swaks-delivered": lambda: swaks(SmtpServer()),
        "curl-rcpt": lambda: curl(SmtpServer(one)),
        "curl-message": lambda: curl(SmtpServer(message), "--mail-rcpt", "anna@example.org"),
        "curl-auth": lambda: curl(submission(tls=False), "--user", "ben:secret word"),
        "curl-starttls": lambda: curl(submission(one), "--ssl-reqd", "-k"),
        "msmtp-rcpt": lambda: msmtp(SmtpServer(rcpt)),
        "msmtp-data": lambda: msmtp(SmtpServer({"data": "451 4.3.0 Try again later"})),
        "smtplib-rcpt": lambda: python(SmtpServer(one)),
        "smtplib-message": lambda: python(SmtpServer(message)),
        "smtplib-mail": lambda: python(SmtpServer({"mail": "530 5.7.0 Authentication required"})),
        "telnet-rcpt": lambda: telnet(SmtpServer(one), *greet, "RCPT TO:<carl@example.org>", "QUIT"),
        "telnet-message": lambda: telnet(SmtpServer(message), *greet, "RCPT TO:<anna@example.org>", *data),
        "telnet-typos": lambda: telnet(
            SmtpServer(rcpt),
            "HELLO there",
            "MAIL FROM:<ben@sender.example>",
            "EHLO localhost",
            "RCPT TO:<anna@example.org>",
            "MAIL FROM: ben@sender.example",
            "MAIL FROM:<ben@sender.example>",
            "RCPT TO: anna@example.org",
            "QUIT",
        ),
        "telnet-auth": lambda: telnet(submission(tls=False), "EHLO client.sender.example", "AUTH LOGIN", "YmVu", "c2VjcmV0IHdvcmQ=", "QUIT"),
        "telnet-refused": lambda: typed(["telnet", "127.0.0.1", "9"], []),
        "nc-mail": lambda: netcat(SmtpServer({"mail": "553 5.1.8 Sender domain does not exist"}), *greet, "QUIT"),
        "openssl-rcpt": lambda: openssl(submission(one), *greet, "rcpt to:<carl@example.org>", "quit"),
        "phpmailer-rcpt": lambda: program(SmtpServer(one), "php", str(HERE / "send.php")),
        "phpmailer-auth": lambda: program(submission(tls=False), "php", str(HERE / "send.php"), "auth"),
        "phpmailer-message": lambda: program(SmtpServer(message), "php", str(HERE / "send.php")),
        "nodemailer-rcpt": lambda: program(SmtpServer(rcpt), "node", str(HERE / "send.js")),
        "nodemailer-json": lambda: program(SmtpServer(message), "node", str(HERE / "send.js"), "json"),
        "nodemailer-auth": lambda: program(submission(tls=False), "node", str(HERE / "send.js"), "auth"),
        "javamail-rcpt": lambda: program(SmtpServer(one), *java),
        "javamail-message": lambda: program(SmtpServer(message), *java),
    }


def public(text: str) -> str:
    """Loopback and this machine's names as documentation addresses; terminal bells and carriage returns gone."""
    text = re.sub(r"127\.0\.0\.1\.(\d+)", "192.0.2.25.25", text).replace("127.0.0.1", "192.0.2.25")
    text = re.sub(r"192\.0\.2\.25(:| |, port |\) |\s+)(\d{4,5})\b", r"192.0.2.25\g<1>25", text)
    name = re.escape(os.uname().nodename)
    text = re.sub(rf"(?<![\w+/]){name}(?![\w+/])", "client.sender.example", text).replace("mx.example.test", "mx.example.net")
    text = text.replace("[127.0.1.1]", "[198.51.100.7]")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x07", "")


def main() -> None:
    target = Path(sys.argv[1])
    wanted = set(sys.argv[2:])
    with tempfile.TemporaryDirectory() as scratch:
        for name, record in recordings(Path(scratch)).items():
            if wanted and name not in wanted:
                continue
            try:
                (target / f"{name}.txt").write_text(public(record()))
                print(name)
            except (OSError, subprocess.SubprocessError) as error:
                print(name, error, file=sys.stderr)


if __name__ == "__main__":
    main()
