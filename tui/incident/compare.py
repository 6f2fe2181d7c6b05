"""Two backups side by side: which tables differ, in rows and in bytes. A pure function."""

from __future__ import annotations

from dataclasses import dataclass

from tui.model.backup import TableContents
from tui.operations.catalogue.catalogue import Description


@dataclass(frozen=True, slots=True)
class Side:
    """One table in one backup; None is not known."""

    rows: int | None
    size_bytes: int | None  # compressed


@dataclass(frozen=True, slots=True)
class Pair:
    """One table in two backups; None: it isn't in that one."""

    schema: str
    name: str
    one: Side | None
    other: Side | None

    @property
    def differs(self) -> bool | None:
        """Whether it differs, by its rows where both are known, else by its bytes; None: nothing tells."""
        if self.one is None or self.other is None:
            return True
        for mine, theirs in (
            (self.one.rows, self.other.rows),
            (self.one.size_bytes, self.other.size_bytes),
        ):
            if mine is not None and theirs is not None:
                return mine != theirs
        return None

    @property
    def change(self) -> int | None:
        """How many rows the other one has more; None where that isn't known."""
        mine = self.one.rows if self.one else 0
        theirs = self.other.rows if self.other else 0
        return theirs - mine if mine is not None and theirs is not None else None


def compare(one: Description, other: Description) -> tuple[Pair, ...]:
    """Given two backups, looked into, returns their tables: first those that one of them lacks, then those
    that differ, by how much, then those of which nothing tells, then the rest."""
    mine = {(t.schema, t.name): t for t in one.tables}
    theirs = {(t.schema, t.name): t for t in other.tables}
    pairs = [
        Pair(*name, _side(mine.get(name)), _side(theirs.get(name)))
        for name in dict.fromkeys((*mine, *theirs))
    ]
    return tuple(sorted(pairs, key=_order))


def _side(table: TableContents | None) -> Side | None:
    return Side(table.rows, table.compressed_bytes) if table is not None else None


def _order(pair: Pair) -> tuple[int, int, str, str]:
    lacking = pair.one is None or pair.other is None
    rank = 0 if lacking else {True: 1, None: 2, False: 3}[pair.differs]
    return rank, -abs(pair.change or 0), pair.schema, pair.name
