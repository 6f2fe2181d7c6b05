"""A real HTTP server that remembers what it was asked and answers as it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Listener:
    """The server: its address, what it answers (status, headers, body; `answers` are the statuses of the
    next requests), the paths on which it is `slow`, and what it was asked."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"taken"
    hang: bool = False
    slow: set[str] = field(default_factory=set)
    answers: list[int] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """A server of this test's own."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    told = Listener()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            told.asked.append(
                Asked(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
            )
            if told.hang or self.path in told.slow:
                told.over.wait(30)
                return
            self.send_response(told.answers.pop(0) if told.answers else told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        do_GET = do_POST = _answer  # noqa: N815 - the names that http.server asks for

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        told.url = f"http://127.0.0.1:{server.server_port}"
        yield told
        told.over.set()
        server.shutdown()
        thread.join(10)
