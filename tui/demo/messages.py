"""The demo's own web server: takes what channels send, and answers for the exchange's health.

Every message is kept as a line of JSON in a file, so that one can see what stakeholders would have got.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tui.demo.ports import ADDRESS, free_port
from tui.files import PRIVATE_FILE
from tui.model.errors import PgdrError
from tui.model.text import rfc3339

LONGEST = 1 << 20  # of a message, in bytes: enough for any, little for this process
HEADERS = ("Title", "Priority", "Tags", "Content-Type")


@dataclass
class MessageServer:
    """Takes POST and PUT at any path and keeps them in `file`; GET /health calls `healthy`, which returns
    None or what is wrong."""

    file: Path
    healthy: Callable[[], str | None]
    port: int | None = None
    _server: ThreadingHTTPServer | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def url(self) -> str:
        """Its address. Raises PgdrError when it isn't running."""
        if self.port is None:
            raise PgdrError("The demo's web server is not running.")
        return f"http://{ADDRESS}:{self.port}"

    def start(self, prefer: int | None = None) -> int:
        """Starts it in threads of this process, at port `prefer` when that is free; returns its port."""
        self.file.touch(mode=PRIVATE_FILE)
        for attempt in range(5):
            port = free_port(prefer if attempt == 0 else None)
            try:
                self._server = _Server(self, port)
            except OSError:
                continue  # somebody was quicker to take the port
            threading.Thread(target=self._server.serve_forever, name="demo-messages", daemon=True).start()
            self.port = port
            return port
        raise PgdrError("The demo's web server found no free port.")

    def stop(self) -> None:
        """Stops it. Nothing when it is down."""
        server, self._server, self.port = self._server, None, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def keep(self, path: str, headers: dict[str, str], body: str) -> None:
        """Adds a message to the file. Of the path only the first part is kept: an ntfy topic is a secret."""
        line = {
            "at": rfc3339(datetime.now(timezone.utc)),
            "channel": path.strip("/").partition("/")[0],
            "headers": headers,
            "body": body,
        }
        with self._lock, self.file.open("a") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: MessageServer, port: int) -> None:
        self.owner = owner
        super().__init__((ADDRESS, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10  # a client that says nothing holds a thread no longer

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/health":
            self._answer(404, {"error": "there is only /health here"})
            return
        wrong = self.server.owner.healthy()
        if wrong is None:
            self._answer(200, {"status": "ok", "service": "krystalinex-server", "database": "ok"})
        else:
            self._answer(503, {"status": "unhealthy", "service": "krystalinex-server", "database": wrong})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > LONGEST:
            self._answer(413, {"error": f"at most {LONGEST} bytes, with their number in Content-Length"})
            return
        body = self.rfile.read(int(length)).decode("utf-8", "replace")
        kept = {name: value for name in HEADERS if (value := self.headers.get(name)) is not None}
        self.server.owner.keep(self.path, kept, body)
        self._answer(200, {"id": "demo", "event": "message"})

    do_PUT = do_POST  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's names
        """Nothing: the terminal belongs to the app."""

    def _answer(self, code: int, document: dict[str, str]) -> None:
        data = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
