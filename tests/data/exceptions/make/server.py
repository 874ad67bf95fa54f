"""A scripted SMTP server on loopback: it answers each command as its mode says. Modes are in make.py."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading


class Server:
    def __init__(self, replies: dict[str, str], certificate: str = "") -> None:
        self.replies, self.certificate = replies, certificate
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # else the thread in accept() takes one more connection
        self.socket.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        try:
            self._dialogue(client)
        except (OSError, ValueError):
            pass
        finally:
            client.close()

    def _dialogue(self, client: socket.socket) -> None:
        if self.replies.get("connect") == "silent":
            threading.Event().wait(30)
            return

        def say(text: str) -> None:
            client.sendall(text.replace("\n", "\r\n").encode() + b"\r\n")

        say(self.replies.get("connect", "220 mx.example.net ESMTP"))
        if self.replies.get("connect", "2")[0] != "2":
            return
        stream = client.makefile("rb")
        body = False
        while line := stream.readline():
            text = line.decode("utf-8", "replace").strip()
            if body:
                if text == ".":
                    body = False
                    say(self.replies.get("message", "250 2.0.0 Ok: queued as 4XyZ1"))
                continue
            verb = text.split(" ")[0].upper()
            recipient = text.partition("<")[2].partition(">")[0]
            reply = self.replies.get(recipient) or self.replies.get(verb.lower())
            if reply == "drop":
                return
            if reply:
                say(reply)
            elif verb == "EHLO":
                say("250-mx.example.net\n250-SIZE 10240000\n" + ("250-STARTTLS\n" if self.certificate else "") + "250 AUTH PLAIN LOGIN")
            elif verb == "STARTTLS":
                say("220 2.0.0 Ready to start TLS")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.certificate)
                client = context.wrap_socket(client, server_side=True)
                stream = client.makefile("rb")
            elif verb == "DATA":
                say("354 End data with <CR><LF>.<CR><LF>")
                body = True
            elif verb == "QUIT":
                say("221 2.0.0 Bye")
                return
            else:
                say("250 2.1.0 Ok")
