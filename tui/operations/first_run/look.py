"""What lies in a store, for who is only about to name it: as much as its first pages tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from tui.model.amounts import plural
from tui.model.fleet import StoreSpec
from tui.model.text import clean
from tui.operations.catalogue.listing import listing
from tui.stores.open import open_store

PAGES = 20  # of a listing, to tell what is there: 20,000 objects


@dataclass(frozen=True, slots=True)
class InStore:
    """What lies in a store; `more` when it wasn't read to its end."""

    backups: int
    databases: tuple[str, ...]
    newest: datetime | None
    more: bool

    @property
    def words(self) -> str:
        """It in a few words: `12 backups of kong, shop, the newest taken 2026-11-21 03:00 UTC`."""
        if not self.backups:
            return "no backup"
        many = f"{'at least ' if self.more else ''}{plural(self.backups, 'backup')}"
        names = ", ".join(map(clean, self.databases[:8])) + (" and others" if len(self.databases) > 8 else "")
        at = f", the newest taken {self.newest:%Y-%m-%d %H:%M} UTC" if self.newest else ""
        return f"{many}{f' of {names}' if names else ''}{at}"


def look_into(spec: StoreSpec, most_pages: int = PAGES) -> InStore:
    """Given a store's configuration, returns what lies in it as far as that many pages tell.

    Raises PgdrError: why that can't be known.
    """
    found, names = 0, set()
    newest: datetime | None = None
    pages = listing(open_store(spec))
    for page in islice(pages, most_pages):
        found += len(page)
        names |= {backup.database for backup in page if backup.database}
        newest = max((*([newest] if newest else ()), *(b.sort_time for b in page)), default=None)
    return InStore(found, tuple(sorted(names)), newest, next(pages, None) is not None)
