"""The tour: from inside the app a disaster is asked for, and the demo around it makes it.

The demo owns its servers, the app is its child. They talk over a socket that the child inherits: a disaster's
name on a line, and a line of JSON back. Nobody else has it, so nobody else can ask.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass

from tui.model.errors import PgdrError

VARIABLE = "PGDR_DEMO_TOUR"  # the child's end of the socket, and the disaster that was made already
MAKES_S = 180.0


@dataclass(frozen=True, slots=True)
class Story:
    """A disaster as a person is told of it: in a few words, what it does, and how the way back begins."""

    title: str
    does: str
    way: str


STORIES = {
    "dropped-database": Story(
        "the database is dropped",
        "Somebody meant the test server: DROP DATABASE crypto_exchange.",
        "restored from a backup, then put in its place",
    ),
    "truncated-table": Story(
        "three tables are emptied",
        "A clean-up script without its WHERE: trades, wallets, transactions.",
        "restored beside it, then the rows are put back",
    ),
    "corrupt-rows": Story(
        "rows are written over with nonsense",
        "A bug has written wrong balances, prices and names for a while.",
        "restored from before it, then put in its place",
    ),
    "bad-migration": Story(
        "a migration stops half-way",
        "Columns, a view, indexes and a foreign key are gone.",
        "restored from before it, then put in its place",
    ),
    "instance-loss": Story(
        "the server is lost with its disk",
        "A new, empty server stands in its place; its roles are gone too.",
        "roles made anew, restored there, the application told the address",
    ),
}


class Tour:
    """The app's end. `made` is the disaster that has been made, None as long as there was none."""

    def __init__(self, channel: socket.socket, made: str | None = None) -> None:
        self.made = made
        self._channel = channel
        self._asking = threading.Lock()

    def make(self, kind: str) -> str:
        """Has the disaster `kind` made, and returns a sentence on what it did. It takes up to seconds.

        Raises PgdrError when it couldn't be made, or the demo is gone.
        """
        gone = PgdrError("The demo doesn't answer any more.", mend="Leave it and start it again: pgdr demo")
        with self._asking:
            try:
                self._channel.sendall(f"{kind}\n".encode())
                said = _line(self._channel)
            except OSError:
                raise gone from None
        if said is None:
            raise gone
        answer = json.loads(said)
        if "done" not in answer:
            raise PgdrError(answer["what"], answer["why"], answer["mend"])
        self.made = kind
        return str(answer["done"])


def tour_of(environ: MutableMapping[str, str]) -> Tour | None:
    """Given the environment, returns the tour that the demo around this process offers, None where there is
    none. The variable is taken out: what this process starts is no part of it."""
    number, _, made = environ.pop(VARIABLE, "").partition(":")
    try:
        channel = socket.socket(fileno=int(number))
    except (ValueError, OSError):
        return None
    channel.set_inheritable(False)
    channel.settimeout(MAKES_S)
    return Tour(channel, made if made in STORIES else None)


@contextmanager
def offering(hurt: Callable[[str], str]) -> Iterator[socket.socket]:
    """Inside, the socket that is yielded is one to be inherited by the app; what is asked for over it is done
    by `hurt` in a thread of this process, one at a time."""
    mine, its = socket.socketpair()
    thread = threading.Thread(target=_serve, args=(mine, hurt), name="demo-tour", daemon=True)
    thread.start()
    try:
        yield its
    finally:
        its.close()
        thread.join(MAKES_S)  # the servers are not stopped under a disaster that is being made
        mine.close()


def _serve(channel: socket.socket, hurt: Callable[[str], str]) -> None:
    while (kind := _line(channel)) is not None:
        try:
            answer: dict[str, str | None] = {"done": hurt(kind)}
        except PgdrError as error:
            answer = {"what": error.what, "why": error.why, "mend": error.mend}
        try:
            channel.sendall((json.dumps(answer) + "\n").encode())
        except OSError:
            return  # the app has gone


def _line(channel: socket.socket) -> str | None:
    """What comes up to the end of a line; None at the end of all. Raises OSError."""
    got = b""
    while not got.endswith(b"\n"):
        more = channel.recv(4096)
        if not more:
            return None
        got += more
    return got.decode("utf-8", "replace").rstrip("\n")
