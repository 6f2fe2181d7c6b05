"""Watching that a server comes back, beside the app: a thread that nothing has to wait for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tui.model.errors import PgdrError
from tui.model.facts import DatabaseFacts, Status

if TYPE_CHECKING:
    from tui.incident.guide import Guide


class Watching:
    """Given a guide whose incident waits for a restart, watches in a daemon's thread until it ends by itself
    or is stopped. `last` is what the last look found, in words; `ended` whether it has come to an end."""

    def __init__(self, guide: Guide) -> None:
        self.last = "…"
        self.ended = False
        self._guide = guide
        self._stop = threading.Event()
        # A worker of Textual's would keep the app from ending while a look waits for a server that hangs.
        threading.Thread(target=self._watch, name="pgdr-watch", daemon=True).start()

    def stop(self) -> None:
        """Stops it; a look that is on comes to its end unheard."""
        self._stop.set()

    def _watch(self) -> None:
        try:
            self._guide.watch(self._looked, self._stop.is_set)
        except PgdrError as error:
            self.last = str(error)
        finally:
            self.ended = not self._stop.is_set()

    def _looked(self, facts: DatabaseFacts) -> None:
        up = "it answers" if facts.status is Status.UP else facts.why or f"it is {facts.status.value}"
        self.last = f"{facts.seen_at:%H:%M:%S} {up}"
