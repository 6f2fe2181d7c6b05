"""Reading one object from its beginning to its end, whatever the line does meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from tui.model.backup import StoredObject
from tui.model.errors import PgdrError, Unreachable
from tui.model.text import clean
from tui.stores.store import Store, StoreDenied, StoreMissing

_TRIES = 4  # in a row that bring nothing; the stores have tried each request themselves before


def steady(store: Store, found: StoredObject) -> Iterator[bytes]:
    """Gives all bytes of an object as they arrive, going on where a connection broke off.

    Raises PgdrError when it was replaced meanwhile or ends early, and what Store.stream raises when it
    can't go on.
    """
    at, left = 0, _TRIES
    while at < found.size_bytes:
        before = at
        try:
            for piece in store.stream(found.key, at, found.size_bytes - at, found.etag):
                at += len(piece)
                yield piece
        except (StoreDenied, StoreMissing):
            raise
        except Unreachable:
            if at == before and left == 1:
                raise
        left = left - 1 if at == before else _TRIES
        if not left:
            raise PgdrError(
                f"The object “{clean(found.key, 200)}” broke off at byte {at:,} of {found.size_bytes:,}.",
                why="It was cut short while it was read, or its store doesn't give all of it.",
                mend="Try again, or use another copy.",
            )
