"""A way to a server that can be shut: whatever goes through it stops there, for as long as a test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 1 << 16


class Gate:
    """Forwards TCP connections. On each, what comes back stops after `limit` bytes until `open` is called."""

    def __init__(self, port: int, limit: int) -> None:
        self._target = port
        self._limit = limit
        self._opened = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def open(self) -> None:
        """Lets everything through from now on."""
        self._opened.set()

    def cut(self) -> None:
        """Breaks every connection; new ones are refused."""
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._opened.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                for source, sink, limit in ((client, server, None), (server, client, self._limit)):
                    threading.Thread(target=self._forward, args=(source, sink, limit), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(_PIECE):
                passed += len(data)
                if limit is not None and passed > limit:
                    self._opened.wait()
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def gate(port: int, limit: int) -> Iterator[Gate]:
    """A gate before that port of this machine."""
    made = Gate(port, limit)
    try:
        yield made
    finally:
        made.cut()
