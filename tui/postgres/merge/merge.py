"""Merging the rows that a live table has lost back from a restored one: all of it in one transaction, or
nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tui.model.amounts import plural
from tui.model.difference import Blocked, MergeBlocked, MergedTable
from tui.model.errors import PgdrError, Refused
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.connection import Connection, ServerDown, failures
from tui.postgres.facts.counting import TableName
from tui.postgres.merge.aside import Aside
from tui.postgres.merge.catalog import (
    ForeignKey,
    Trigger,
    foreign_keys,
    holders,
    in_order,
    set_past,
    switch,
    triggers,
)
from tui.postgres.merge.compare import open_side, snapshot
from tui.postgres.merge.staging import OnTable, Staged, require_as_planned, stage
from tui.postgres.merge.table_shape import named, rows_of, shape

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class MergeOptions:
    """How to merge. `triggers`: whether the table's own triggers fire (foreign keys are always held).
    `update_changed`: whether rows with other values get those of the backup. `skip_blocked`: whether rows
    that can't go in are left out; else one of them ends the merge with nothing changed. `aside` is a schema
    that is made in the restored database and keeps what is needed to take the merge back (None: nothing)."""

    triggers: bool = True
    update_changed: bool = False
    skip_blocked: bool = False
    lock_timeout_s: float = 5.0
    aside: str | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What a person has confirmed of one table; `changed` None when changed rows are left alone."""

    missing: int
    changed: int | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """What is around a live table: its own triggers that rows put in would fire, the tables it refers to."""

    triggers: tuple[str, ...]
    parents: tuple[TableName, ...]


def order_and_around(
    endpoint: Endpoint, live: str, tables: Sequence[TableName]
) -> tuple[tuple[TableName, ...], dict[TableName, Around]]:
    """Given tables of the live database, returns them in the order in which rows can be put in (what is
    referred to first), and what is around each. Raises as `connect` does."""
    with open_side(endpoint, live) as connection, failures(f'"{clean(live)}" could not be asked.'):
        found = {}
        with snapshot(connection):
            for table in tables:
                of = shape(connection, table)
                if of is not None:
                    parents = tuple(dict.fromkeys(k.parent for k in foreign_keys(connection, of.oid)))
                    fired = tuple(t.name for t in triggers(connection, of.oid) if t.on_insert)
                    found[table] = Around(fired, parents)
    return in_order(tables, {t: set(a.parents) for t, a in found.items()}), found


def merge(
    endpoint: Endpoint,
    live: str,
    restored: str,
    tables: Sequence[TableName],
    how: MergeOptions,
    planned: Mapping[TableName, Planned] | None = None,
    on_table: OnTable = lambda table, live, restored: None,
) -> tuple[MergedTable, ...]:
    """Puts the rows of `tables` that `live` misses back from `restored`; returns what was done to each.

    They are found and brought over first, without a lock. Then, in one transaction: the tables are locked
    against writers (readers go on), counted, filled, counted again, their sequences set past.
    `on_table` is told of rows read; what it raises before that transaction ends the merge.

    Raises MergeBlocked when rows can't go in, Refused when the tables have moved on since `planned`, can't be
    merged or can't be locked, PgdrError when the counts don't agree: nothing has changed then. Raises as
    `connect` does.
    """
    ordered, _ = order_and_around(endpoint, live, tables)
    with ExitStack() as stack:
        reading, source, work = (
            stack.enter_context(open_side(endpoint, name, "pgdr merge")) for name in (live, restored, live)
        )
        stack.enter_context(failures("Nothing was merged."))
        # The live database may be frozen while its rows are put back: what is frozen are the others.
        work.execute("SELECT set_config('default_transaction_read_only', 'off', false)")
        staged = []
        for number, table in enumerate(ordered):
            one = stage(
                reading, source, work, table, number, with_changed=how.update_changed, on_table=on_table
            )
            if planned is not None:
                wanted = planned.get(table, Planned(0))
                require_as_planned(one, wanted.missing, wanted.changed)
            staged.append(one)
        oids = [one.common.live.oid for one in staged]
        at_commit = False
        try:
            with work.transaction():
                aside = _aside(stack, endpoint, restored, how)
                done = _Merge(work, staged, how, aside).run()
                if aside is not None:
                    aside.done()  # first what is needed to take it back, then the merge
                at_commit = True
            return done
        except psycopg.errors.LockNotAvailable:
            who = holders(work, oids)
            raise Refused(
                f"Nothing was merged: the tables could not be locked within {how.lock_timeout_s:g} s.",
                who or "Another session held a lock, and has let it go by now.",
                "Wait for that session or end it, then merge again.",
            ) from None
        except psycopg.OperationalError as error:
            if not at_commit or error.sqlstate is not None:
                raise
            raise ServerDown(
                "The connection broke while the merge was being committed.",
                "Either all of it is there or nothing is.",
                "See which: compare the tables again.",
            ) from None


def _aside(stack: ExitStack, endpoint: Endpoint, restored: str, how: MergeOptions) -> Aside | None:
    if how.aside is None:
        return None
    return stack.enter_context(Aside(endpoint, restored, how.aside))


class _Merge:
    """The one transaction."""

    def __init__(
        self, work: Connection, staged: Sequence[Staged], how: MergeOptions, aside: Aside | None = None
    ) -> None:
        self._work = work
        self._aside = aside
        self._staged = staged
        self._how = how
        self._blocked: dict[tuple[TableName, str], Blocked] = {}

    def run(self) -> tuple[MergedTable, ...]:
        """Does it, up to the commit. What it raises takes everything back."""
        self._lock()
        counts = {one.table: self._count(one) for one in self._staged}
        switched: dict[TableName, tuple[Trigger, ...]] = {}
        done: dict[TableName, tuple[int, int, int]] = {}
        for number, one in enumerate(self._staged):
            self._require_unmoved(one, counts[one.table])
            if not self._how.triggers:
                switched[one.table] = triggers(self._work, one.common.live.oid)
                switch(self._work, one.table, switched[one.table], on=False)
            skipped = self._take_out_blocked(one)
            if self._aside is not None:
                self._aside.keep(self._work, one, number)
            inserted, kept_out = self._insert(one)
            done[one.table] = inserted, self._update(one), skipped + kept_out
        if self._blocked and not self._how.skip_blocked:
            raise MergeBlocked(tuple(self._blocked.values()))
        self._work.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what was deferred is told here, not at the end
        merged = []
        for one in self._staged:
            switch(self._work, one.table, switched.get(one.table, ()), on=True)
            inserted, updated, skipped = done[one.table]
            before, after = counts[one.table], self._count(one)
            if after != before + inserted:
                raise PgdrError(
                    f"Nothing was merged: {clean('.'.join(one.table))} would have {plural(after, 'row')}, "
                    f"not {before + inserted:,}.",
                    f"It has {before:,} and was given {inserted:,}; a trigger may add or remove some.",
                    "Look at the table's triggers, or merge with them switched off.",
                )
            live = one.common.live
            past = set_past(self._work, live.oid, one.table, live.kind)
            merged.append(MergedTable(*one.table, before, after, inserted, updated, skipped, past))
        return tuple(merged)

    def _lock(self) -> None:
        limit = f"{round(self._how.lock_timeout_s * 1000)}ms"
        self._work.execute("SELECT set_config('lock_timeout', %s, true)", (limit,))
        every = sql.SQL(", ").join(
            rows_of(one.table, one.common.live.kind) for one in sorted(self._staged, key=lambda s: s.table)
        )
        # Writers wait until the end, readers go on.
        self._work.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(every))
        # Triggers are the application's, and expect its search path.
        self._work.execute("SET LOCAL search_path TO DEFAULT")

    def _count(self, one: Staged) -> int:
        query = sql.SQL("SELECT count(*) FROM {}").format(rows_of(one.table, one.common.live.kind))
        return int(self._work.execute(query).fetchall()[0][0])

    def _require_unmoved(self, one: Staged, rows: int) -> None:
        """Without a key nothing else would tell that someone has put the same rows in meanwhile."""
        if not one.common.key and rows != one.difference.live_rows:
            raise Refused(
                f"Nothing was merged: {clean('.'.join(one.table))} has no key and was written to meanwhile.",
                f"It had {one.difference.live_rows or 0:,} rows when it was compared and has {rows:,} now.",
                "Keep its writers out, then merge again.",
            )

    # Rows that can't go in

    def _take_out_blocked(self, one: Staged) -> int:
        """Takes out the rows that a constraint would not let in, notes why, returns how many they are."""
        out = 0
        for index in one.common.live.unique:
            if set(index.columns) <= set(one.common.columns):
                already = _clashing(one, index.columns)
                out += self._take_out(one, already, index.name, f"clash with rows that have the same "
                                      f"{_listed(index.columns)}", index.columns)  # fmt: skip
        keys = [
            key
            for key in foreign_keys(self._work, one.common.live.oid)
            if set(key.columns) <= set(one.common.columns)
        ]
        gone = 1
        while gone:  # a row that refers to one just taken out has to go, too
            gone = 0
            for key in keys:
                why = f"refer to rows that {clean('.'.join(key.parent))} doesn't have"
                gone += self._take_out(one, _orphaned(one, key), key.name, why, key.columns)
            out += gone
        return out

    def _take_out(
        self, one: Staged, condition: sql.Composed, constraint: str, why: str, columns: tuple[str, ...]
    ) -> int:
        query = sql.SQL(
            "SELECT DISTINCT * FROM (SELECT ROW({})::text FROM {} s WHERE {} LIMIT 100) AS found LIMIT {}"
        ).format(named(columns, "s"), one.missing, condition, sql.Literal(_SHOWN))
        samples = tuple(clean(row[0], 80) for row in self._work.execute(query).fetchall())
        if not samples:
            return 0
        delete = sql.SQL("DELETE FROM {} s WHERE {}").format(one.missing, condition)
        rows = self._work.execute(delete).rowcount
        self._note(one, constraint, rows, f"{why}, such as {', '.join(samples)}", samples)
        return rows

    def _note(self, one: Staged, constraint: str, rows: int, why: str, samples: tuple[str, ...] = ()) -> None:
        about = (one.table, clean(constraint))
        if about in self._blocked:
            before = self._blocked[about]
            rows, why, samples = before.rows + rows, before.why, before.samples
        self._blocked[about] = Blocked(*one.table, about[1], why, rows, samples)

    # Rows that can

    def _insert(self, one: Staged) -> tuple[int, int]:
        """Puts the staged rows in; returns how many went in and how many didn't."""
        columns = named(one.common.columns)
        staged = self._work.execute(sql.SQL("SELECT count(*) FROM {}").format(one.missing)).fetchall()[0][0]
        if staged == 0:
            return 0, 0
        statement = sql.SQL(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} ON CONFLICT DO NOTHING"
        ).format(sql.Identifier(*one.table), columns, columns, one.missing)
        inserted = self._work.execute(statement).rowcount
        if inserted < staged:
            why = "were kept out by a unique index on an expression, an exclusion constraint or a trigger"
            self._note(one, "not told by the server", staged - inserted, why)
        return inserted, staged - inserted

    def _update(self, one: Staged) -> int:
        """Gives changed rows the backup's values; returns how many."""
        if one.changed is None or not one.difference.changed:
            return 0
        key = one.common.key
        always = {c.name for c in one.common.live.columns.values() if c.always}
        settable = [c for c in one.common.columns if c not in key and c not in always]
        if not settable:
            return 0
        pairs = [sql.SQL("{} = s.{}").format(sql.Identifier(c), sql.Identifier(c)) for c in settable]
        statement = sql.SQL("UPDATE {} AS l SET {} FROM {} s WHERE {}").format(
            rows_of(one.table, one.common.live.kind),
            sql.SQL(", ").join(pairs),
            one.changed,
            _equal("l", key, "s", key),
        )
        updated = self._work.execute(statement).rowcount
        if updated != one.difference.changed:
            raise Refused(
                f"Nothing was merged: {clean('.'.join(one.table))} has moved on since it was compared.",
                f"{updated:,} of {one.difference.changed:,} rows to be changed are there or may be changed.",
                "Compare again, then confirm what is true now.",
            )
        return updated


def _equal(left: str, ours: tuple[str, ...], right: str, theirs: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, a), sql.Identifier(right, b))
        for a, b in zip(ours, theirs, strict=True)
    )


def _clashing(one: Staged, columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL("EXISTS (SELECT FROM {} AS l WHERE {})").format(
        rows_of(one.table, one.common.live.kind), _equal("l", columns, "s", columns)
    )


def _orphaned(one: Staged, key: ForeignKey) -> sql.Composed:
    given = sql.SQL(" AND ").join(sql.SQL("s.{} IS NOT NULL").format(sql.Identifier(c)) for c in key.columns)
    matches = _equal("p", key.parent_columns, "s", key.columns)
    nowhere = sql.SQL("{} AND NOT EXISTS (SELECT FROM {} AS p WHERE {})").format(
        given, rows_of(key.parent, key.parent_kind), matches
    )
    if key.parent == one.table:  # its parent may come along
        return sql.SQL("{} AND NOT EXISTS (SELECT FROM {} p WHERE {})").format(nowhere, one.missing, matches)
    return nowhere


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(clean(c, 40) for c in columns)
