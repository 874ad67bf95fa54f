"""A Postfix of its own: configuration, queue and log in a folder that goes with it, started as a child process on free ports."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.browser.site import free_port

MISSING = "no Postfix is installed, or this is not root (Debian: apt install postfix)"
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
showq unix n - n - - showq
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def is_installed() -> bool:
    """Postfix starts for root alone."""
    return os.geteuid() == 0 and shutil.which("postfix") is not None


class Postfix:
    """`port`: where it takes mail; `log`: what it wrote."""

    def __init__(self, folder: Path, transports: Mapping[str, str]) -> None:
        self.folder, self.port = folder, free_port()
        config = folder / "config"
        for name in ("config", "queue", "data"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": folder / "queue",
            "data_directory": folder / "data",
            "maillog_file": folder / "log",
            "maillog_file_prefixes": folder,
            "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin",
            "myhostname": "mx.help.example",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native",
            "lmtp_host_lookup": "native",
            "default_transport": "error:5.1.2 nobody there",
            "message_size_limit": "100000000",
            "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "transport_maps": "inline:{" + ", ".join(f"{{{domain} = {where}}}" for domain, where in transports.items()) + "}",
            "local_transport": "error:nothing local",
            "alias_maps": "",
        }
        (config / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        (config / "master.cf").write_text(_MASTER.format(port=self.port))
        self._config = str(config)

    def run(self, *command: str) -> str:
        done = subprocess.run([command[0], "-c", self._config, *command[1:]], capture_output=True, text=True, check=False, timeout=60)
        return done.stdout + done.stderr

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_for(self, words: str, times: int = 1) -> None:
        """Until the log holds these words so often."""
        until = time.monotonic() + 30
        while self.log.count(words) < times:
            assert time.monotonic() < until, self.log
            time.sleep(0.1)


@contextmanager
def postfix(transports: Mapping[str, str]) -> Iterator[Postfix]:
    """`transports`: for each domain where its mail goes, as in transport(5)."""
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)  # its own user goes in
    server = Postfix(folder, transports)
    try:
        server.run("postfix", "start")
        server.wait_for("daemon started")
        yield server
    finally:
        server.run("postfix", "stop")
        shutil.rmtree(folder, ignore_errors=True)
