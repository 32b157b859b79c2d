"""A web of a test's own: one server on this machine that plays every host, and the real client in front.

The shapes of answers follow the public documentation of the services; none was recorded.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kb.sources.http import Http

GIGABYTE = 1024**3


@dataclass
class Reply:
    """What an address answers, and how badly."""

    body: bytes = b""
    kind: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    slow: bool = False
    """Does not answer until the test is over."""
    drips: bool = False
    """Sends a byte now and then, without end."""
    truncated: bool = False
    """Announces more than it sends."""
    endless: bool = False
    """Sends a gigabyte, without saying so beforehand."""


@dataclass
class Web:
    """`replies`: host and path (with the query) -> one reply, or several, of which the last one stays."""

    base: str
    replies: dict[str, Reply | list[Reply]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    sent: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def reply(self, address: str) -> Reply:
        self.asked.append(address)
        found = self.replies.get(address) or self.replies.get(address.partition("?")[0])
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found or Reply(status=404, kind="text/plain")

    def client(self, **more: Any) -> Http:
        """The real client, asking this server; nothing else of it is changed but that it never waits."""
        self.waits: list[float] = []
        clock = Clock()

        def sleep(seconds: float) -> None:
            self.waits.append(seconds)
            clock.forward += seconds

        routes = {"https://": f"{self.base}/"}
        return Http(**{"routes": routes, "sleep": sleep, "clock": clock, "timeout": 5.0, **more})


class Clock:
    """Time that sleeping moves on at once."""

    def __init__(self) -> None:
        self.forward = 0.0

    def __call__(self) -> float:
        import time

        return time.monotonic() + self.forward


@contextmanager
def serving() -> Iterator[Web]:
    """A web for one test."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.agents.append(self.headers.get("User-Agent", ""))
            web.tokens.append(self.headers.get("Crossref-Plus-API-Token"))
            reply = web.reply(self.path.lstrip("/"))
            if reply.slow:
                web.over.wait(20)
                self.close_connection = True
                return
            try:
                self._answer(reply)
            except OSError:
                self.close_connection = True

        def _answer(self, reply: Reply) -> None:
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if not (reply.endless or reply.drips):
                self.send_header("Content-Length", str(len(reply.body) + 1000 * reply.truncated))
            self.end_headers()
            self.wfile.write(reply.body)
            if reply.truncated:
                # Cut off, not closed: what a broken line looks like.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
            while reply.drips and not web.over.wait(0.02):
                self.wfile.write(b"x")
            while reply.endless and web.sent < GIGABYTE:
                web.sent += self.connection.send(b"x" * 65536)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that goes away is what the test is about."""

    with Server(("127.0.0.1", 0), Handler) as running:
        web = Web(f"http://127.0.0.1:{running.server_port}")
        thread = threading.Thread(target=lambda: running.serve_forever(poll_interval=0.01))
        thread.start()
        try:
            yield web
        finally:
            web.over.set()
            running.shutdown()
            thread.join()
