"""Real servers on this machine: HTTP that answers as it is told, and SMTP. Both keep what they got."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Got:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Receiver:
    """An HTTP server. `answers` are given one after the other as (status, headers, body), then 200 for ever; `behave`
    takes their place where the answer depends on the request."""

    answers: list = field(default_factory=list)
    behave: Callable[[Got], tuple] | None = None
    got: list[Got] = field(default_factory=list)
    url: str = ""


@contextmanager
def http_server(*answers, behave=None, port: int = 0):
    """A Receiver on a free port (or `port`)."""
    receiver = Receiver(list(answers), behave)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            got = Got(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            receiver.got.append(got)
            if receiver.behave:
                answer = receiver.behave(got)
            else:
                answer = receiver.answers.pop(0) if receiver.answers else 200
            status, headers, content = (*((answer,) if isinstance(answer, int) else answer), {}, b"")[:3]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_PATCH = do_GET = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Mailbox:
    """An SMTP server's mails as (recipients, message); `refuse` are recipients with the code that they get."""

    port: int = 0
    refuse: dict[str, int] = field(default_factory=dict)
    mails: list = field(default_factory=list)
    connections: int = 0


@contextmanager
def smtp_server(refuse=None):
    """A Mailbox on a free port: RFC 5321 as far as a sender needs it, without TLS."""
    mailbox = Mailbox(refuse=refuse or {})

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            mailbox.connections += 1
            self._say("220 mail.test ESMTP")
            recipients = []
            while line := self.rfile.readline():
                verb, _, rest = line.decode().strip().partition(" ")
                verb = verb.upper()
                if verb == "EHLO":
                    self._say("250-mail.test\r\n250-8BITMIME\r\n250 SMTPUTF8")
                elif verb in ("HELO", "MAIL", "RSET", "NOOP"):
                    recipients = [] if verb in ("MAIL", "RSET") else recipients
                    self._say("250 fine")
                elif verb == "RCPT":
                    address = rest.partition("<")[2].partition(">")[0]
                    code = mailbox.refuse.get(address, 250)
                    recipients += [address] if code == 250 else []
                    self._say(f"{code} {address}")
                elif verb == "DATA":
                    self._say("354 go on")
                    content = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        content += part[1:] if part.startswith(b".") else part
                    mailbox.mails.append((recipients, message_from_bytes(content, policy=policy.default)))
                    self._say("250 kept")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("502 unknown")

        def _say(self, text: str):
            self.wfile.write(text.encode() + b"\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        mailbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join()


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]
