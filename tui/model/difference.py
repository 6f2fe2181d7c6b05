"""How a restored table differs from the live one, and what came of merging it back."""

from __future__ import annotations

from dataclasses import dataclass

from tui.model.amounts import plural
from tui.model.errors import Refused
from tui.model.text import clean

SAMPLES = 10


@dataclass(frozen=True, slots=True)
class TableDifference:
    """One table of a restored database against the live one of the same name.

    `missing` rows are in the restored one only, `extra` in the live one only, `changed` in both with other
    values. Without a `key` rows are compared as wholes and `changed` is None: a changed row is then a
    missing and an extra one. `reason` says why it could not be compared; the numbers are None then.
    Sample keys are cleaned, at most ten of each.
    """

    schema: str
    name: str
    key: tuple[str, ...] = ()
    live_rows: int | None = None
    restored_rows: int | None = None
    missing: int | None = None
    extra: int | None = None
    changed: int | None = None
    missing_keys: tuple[str, ...] = ()
    extra_keys: tuple[str, ...] = ()
    changed_keys: tuple[str, ...] = ()
    only_live: tuple[str, ...] = ()  # columns that were not compared: the other side has none of that name
    only_restored: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()  # columns that follow from others, not compared either
    reason: str | None = None
    mend: str | None = None

    @property
    def table(self) -> tuple[str, str]:
        """Schema and name."""
        return self.schema, self.name

    @property
    def same(self) -> bool:
        """Whether both hold the same rows in the same columns."""
        rows = (self.missing, self.extra, self.changed or 0)
        return self.reason is None and rows == (0, 0, 0) and not (self.only_live or self.only_restored)


@dataclass(frozen=True, slots=True)
class Blocked:
    """Rows that can't be merged because of one constraint: `why`, after "5 rows"; a few of their values. All
    but the table's name is cleaned."""

    schema: str
    name: str
    constraint: str
    why: str
    rows: int
    samples: tuple[str, ...] = ()

    def __str__(self) -> str:
        table = clean(f"{self.schema}.{self.name}")
        return f"{plural(self.rows, 'row')} of {table} {self.why} ({self.constraint})."


class MergeBlocked(Refused):
    """Rows stand in the way of a merge; nothing was changed. `blocked` says which and why."""

    def __init__(self, blocked: tuple[Blocked, ...]) -> None:
        rows = sum(b.rows for b in blocked)
        super().__init__(
            f"Nothing was merged: {rows:,} of the rows can't go in.",
            " ".join(str(b) for b in blocked[:5]),
            "Merge the tables that they refer to as well, or leave these rows out (--skip-blocked).",
        )
        self.blocked = blocked


@dataclass(frozen=True, slots=True)
class MergedTable:
    """What a merge did to one table: its rows before and after, counted in the merge's own transaction."""

    schema: str
    name: str
    before: int
    after: int
    inserted: int
    updated: int
    skipped: int
    sequences: tuple[str, ...] = ()  # those that were set past their columns


@dataclass(frozen=True, slots=True)
class UndoneTable:
    """What taking a merge back did to one table: rows that it had put in and that were removed, rows that got
    their former values, and those that were left alone since they were written to, or referred to, since."""

    schema: str
    name: str
    removed: int
    put_back: int
    left: int
