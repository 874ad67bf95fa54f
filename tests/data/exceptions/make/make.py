"""Runs each client here against servers on loopback and keeps what it prints: python make.py OUTPUT [client ...].

Needs Debian's php-cli libphp-phpmailer php-symfony-mailer php-swiftmailer ruby golang-go libmail-java default-jdk-headless libemail-sender-perl,
aiosmtplib and Django beside the Python that runs this, nodemailer below NODE_PATH. Nothing leaves the machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from server import Server

HERE = Path(__file__).parent
OUT = Path(sys.argv[1])
JAVA = "/usr/share/java/javax.mail.jar:/usr/share/java/javax.activation.jar"
CLIENTS = {
    "smtplib": [sys.executable, "smtp_smtplib.py"],
    "aiosmtplib": [sys.executable, "smtp_aiosmtplib.py"],
    "django": [sys.executable, "smtp_django.py"],
    "phpmailer": ["php", "smtp_phpmailer.php"],
    "symfony": ["php", "smtp_symfony.php"],
    "swiftmailer": ["php", "-d", "error_reporting=0", "smtp_swift.php"],
    "nodemailer": ["node", "smtp_nodemailer.js"],
    "javamail": ["java", "-cp", JAVA, "SmtpJava.java"],
    "go": ["go", "run", "smtp_go.go"],
    "ruby": ["ruby", "smtp_ruby.rb"],
    "perl": ["perl", "smtp_perl.pl"],
}
MODES: dict[str, dict[str, str]] = {
    "connect": {"connect": "554 5.7.1 mx.example.net Your address 198.51.100.7 is on a block list"},
    "ehlo": {"ehlo": "550 5.7.1 Access denied, go away", "helo": "550 5.7.1 Access denied, go away"},
    "auth": {"auth": "535 5.7.8 Username and password not accepted"},
    "mail": {"mail": "553 5.7.1 <news@sender.example>: Sender address rejected: not owned by user"},
    "rcpt": {"rcpt": "550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown"},
    "two": {
        "anna@example.net": "550 5.1.1 No such user: anna",
        "bert@example.org": "452-4.2.2 The mailbox of bert\n452 4.2.2 is over its quota",
    },
    "data": {"data": "554 5.7.1 No valid recipients"},
    "message": {"message": "552 5.3.4 Message size exceeds fixed limit"},
    "starttls": {"starttls": "454 4.7.0 TLS not available due to local problem"},
    "certificate": {},
    "drop": {"mail": "drop"},
    "timeout": {"connect": "silent"},
    "refused": {},
    "dns": {},
}
TLS = ("starttls", "certificate")


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pem = folder + "/pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pem, "-out", pem + "c", "-subj", "/CN=other.example"],
            check=True, capture_output=True,
        )  # fmt: skip
        Path(pem).write_text(Path(pem).read_text() + Path(pem + "c").read_text())
        for name in sys.argv[2:] or CLIENTS:
            for mode, replies in MODES.items():
                server = Server(replies, pem if mode in TLS else "")
                if mode == "refused":
                    server.stop()
                host = "mx.nowhere.invalid" if mode == "dns" else "127.0.0.1"
                arguments = [host, str(server.port), "anna@example.net,bert@example.org" if mode == "two" else "anna@example.net"]
                arguments += ["tls" if mode in TLS else "plain", "login" if mode == "auth" else "none"]
                try:
                    run = subprocess.run(
                        CLIENTS[name] + arguments, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=90, env=os.environ
                    )
                except subprocess.TimeoutExpired:
                    print(name, mode, "took too long")
                    continue
                shown = run.stdout.replace(f"127.0.0.1:{server.port}", "192.0.2.25:587").replace("127.0.0.1", "192.0.2.25")
                shown = shown.replace(str(server.port), "587").replace("mx.nowhere.invalid", "mx.nowhere.example")
                shown = (
                    shown.replace(str(HERE), "/srv/app")
                    .replace(sys.prefix, "/srv/app/.venv")
                    .replace(os.environ.get("NODE_PATH", "?"), "/srv/app/node_modules")
                )
                shown = re.sub(r"/\S*/lib/python3", "/usr/lib/python3", re.sub(r"10\.\d+\.\d+\.\d+:53", "192.0.2.53:53", shown))
                if shown.strip():
                    (OUT / f"{name}-{mode}.txt").write_text(shown)
                else:
                    print(name, mode, "said nothing")
                server.stop()


main()
