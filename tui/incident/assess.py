"""The first step: what is reachable, what is missing, what changed since the last backup. It only reads.

Everything is asked side by side and has a bounded time, so that a server or a store that hangs keeps nothing
else from being seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from tui.incident import assess_server, assess_shape, assess_stores, assess_tables
from tui.incident.assess_shape import Differences
from tui.incident.assess_stores import Shelf
from tui.incident.assess_tables import Rows, dotted, qualified
from tui.incident.evidence import Evidence, FailedCheck, Reach
from tui.incident.parts import Parts
from tui.incident.propose import PATIENCE, propose
from tui.model.errors import PgdrError
from tui.model.facts import DatabaseFacts, ServerFacts, Status
from tui.model.fleet import Database, Fleet, StoreSpec
from tui.model.incident import Proposal, TableCount
from tui.model.plan import Finding, Level
from tui.operations.catalogue.catalogue import Description, newest
from tui.operations.records import last_seen
from tui.operations.report import Clock
from tui.places.open import open_place
from tui.postgres.facts import facts as server
from tui.postgres.facts.activity import activity
from tui.postgres.facts.live_counts import changed_at

_ORDER = {Level.STOP: 0, Level.WARNING: 1, Level.OK: 2}

# All of it, and what counting rows may take of it: a person waits for this.
ALL_S = 20.0
_COUNT_S = 10.0


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was found, worst first, the tables' counts now against the last manifest, the evidence in it and
    what is proposed because of it."""

    findings: tuple[Finding, ...]
    counts: tuple[TableCount, ...]
    evidence: Evidence
    proposal: Proposal


def assess(
    fleet: Fleet,
    database: Database,
    on_finding: Callable[[Finding], None],
    now: Clock,
    *,
    state: Path | None = None,
    waited: timedelta | None = None,
    patience: timedelta = PATIENCE,
    within_s: float = ALL_S,
) -> Assessment:
    """Looks at one database and its backups for `within_s` seconds at most. Each finding goes to `on_finding`
    as it is made, from several threads, one at a time.

    `waited` is how long it is known to be away and `patience` how long a restart is waited for. With the
    `state` directory what was last seen of it counts too. Raises nothing: what can't be seen is a finding.
    """
    parts = Parts(on_finding, within_s)
    look = _Look(parts, fleet, database, now, state)
    shelves = [
        parts.start(f"store {spec.name}", lambda spec=spec: look.shelf(spec))  # type: ignore[misc]
        for spec in assess_stores.stores_of(fleet, database)
    ]
    if not shelves:
        parts.found(Level.STOP, "backups", "No store is configured that would hold backups of it.")
    facts = parts.start("server", look.reach)
    others = parts.start("fleet's other servers", look.others)
    gathered = parts.start("backups", lambda: assess_stores.gather(parts, shelves))
    known = parts.start("newest backups", lambda: look.inside(gathered.result(parts.left())))
    reached = parts.wait(facts)
    inside = _Inside(parts, look, known) if reached and reached.status is Status.UP else None
    answers = reached is not None and reached.status in (Status.UP, Status.MISSING)
    disk = parts.start("server's disk", look.disk) if answers else None
    up_and_down = parts.wait(others)
    if reached is not None and up_and_down is not None:
        assess_server.tell_others(parts, *up_and_down, reached.status is Status.DOWN)
    parts.wait(gathered)
    if inside is None:
        for reading in shelves:  # whether the place is lost hangs on them, and nothing is kept waiting
            parts.wait(reading)
    read = [shelf for reading in shelves if reading.done() and (shelf := parts.wait(reading, 0)) is not None]
    if shelves and not any(shelf.backups for shelf in read) and not any(shelf.unread for shelf in read):
        parts.found(Level.STOP, "backups", "No backup of this database was found in any store.")
    if disk is not None:
        parts.wait(disk)
    evidence = look.evidence(reached, up_and_down, read, parts.wait(known) or ())
    if inside is not None:
        evidence = inside.added(evidence)
    evidence = replace(evidence, waited=waited)
    findings = sorted(parts.end(), key=_worst_first)
    counts = inside.counts() if inside is not None else ()
    return Assessment(tuple(findings), counts, evidence, propose(evidence, patience))


def _worst_first(finding: Finding) -> tuple[int, int]:
    """By how bad it is, then from the server inwards; what is told of the stores last."""
    about = finding.about
    if about in ("database", "server", "other servers", "disk", "connections", "checksums", "backups"):
        rank = 0
    elif "." in about:
        rank = 1  # a table
    else:
        rank = 3 if about.startswith("store ") else 2
    return _ORDER[finding.level], rank


class _Look:
    """What is asked whether the database can be reached or not."""

    def __init__(
        self, parts: Parts, fleet: Fleet, database: Database, now: Clock, state: Path | None
    ) -> None:
        self.parts = parts
        self.fleet = fleet
        self.database = database
        self.now = now
        self.state = state
        self.server: ServerFacts | None = None
        self.full_disk = False

    def shelf(self, spec: StoreSpec) -> Shelf:
        """One store's backups, told."""
        shelf = assess_stores.read_shelf(self.fleet, self.database, spec, self.state)
        shelf = assess_stores.weighed(shelf, self.fleet, self.state, self.now())
        assess_stores.tell_shelf(self.parts, self.database, shelf, self.now())
        return shelf

    def inside(self, shelves: Sequence[Shelf]) -> Sequence[Description]:
        """The newest good backups, looked into."""
        newest = assess_stores.newest_first(shelves, self.now())
        return assess_stores.look_into(self.fleet, newest)

    def reach(self) -> DatabaseFacts:
        """Whether the database can be reached."""
        facts = server.look(self.database, self.now())
        assess_server.tell_reached(self.parts, self.database, facts)
        return facts

    def disk(self) -> None:
        """Which server it is, and whether its disk is full."""
        self.server = server.server_facts(open_place(self.database))
        self.full_disk = assess_server.tell_disk(self.parts, self.server)

    def others(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The fleet's other servers, by the service that people call them by: those that are down, and the
        rest. One that refuses a login is up."""
        own = self.database.endpoint
        by_place = {
            (d.endpoint.host, d.endpoint.port, d.endpoint.pg_service): d
            for d in self.fleet.databases
            if (d.endpoint.host, d.endpoint.port, d.endpoint.pg_service)
            != (own.host, own.port, own.pg_service)
        }
        looking = [
            (d.service, self.parts.start(f"server {d.service}", lambda d=d: server.look(d, self.now())))  # type: ignore[misc]
            for d in by_place.values()
        ]
        seen = [(name, self.parts.wait(future)) for name, future in looking]
        down = tuple(name for name, facts in seen if facts is None or facts.status is Status.DOWN)
        return down, tuple(name for name, _ in seen if name not in down)

    def evidence(
        self,
        facts: DatabaseFacts | None,
        others: tuple[tuple[str, ...], tuple[str, ...]] | None,
        read: Sequence[Shelf],
        known: Sequence[Description],
    ) -> Evidence:
        """What is known without having been in the database."""
        specs = assess_stores.stores_of(self.fleet, self.database)
        onsite = {spec.name for spec in specs if not spec.offsite}
        answered = {shelf.store.name for shelf in read if not shelf.unread}
        last = known[0].backup if known else newest(shelf.newest for shelf in read if shelf.newest)
        seen = last_seen(self.state, self.database.name) if self.state else None
        manifest = next((d.manifest for d in known if d.manifest is not None), None)
        theirs = manifest.system_identifier if manifest else None
        ours = self.server.system_identifier if self.server else None
        reach = assess_server.reach_of(facts) if facts else Reach.HUNG
        return Evidence(
            now=self.now(),
            reach=Reach.NO_DISK if self.full_disk and reach is not Reach.UP else reach,
            where=assess_server.where_of(self.database, facts) if facts else "",
            in_recovery=facts.in_recovery if facts else False,
            read_only=facts.read_only if facts else False,
            other_server=theirs is not None and ours is not None and theirs != ours,
            others_down=others[0] if others else (),
            others_up=others[1] if others else (),
            stores_lost=tuple(sorted(onsite - answered)),
            stores_onsite=len(onsite),
            seen_at=seen.at if seen else None,
            backup_at=last.sort_time if last else None,
            clean_at=assess_stores.last_clean(read),
            tables=tuple(
                dotted((t.schema, t.name)) for t in (manifest.tables if manifest else ()) if t.rows > 0
            ),
        )


class _Inside:
    """What is asked of a database that can be entered; each question has a connection of its own."""

    def __init__(self, parts: Parts, look: _Look, known: Future[Sequence[Description]]) -> None:
        self._parts = parts
        self._database = database = look.database
        self._now = look.now
        self._endpoint = endpoint = open_place(database)

        def backups() -> Sequence[Description]:
            return parts.wait(known) or ()

        self._activity = parts.start("sessions and replication", self._at_work)
        self._rows = parts.start(
            "rows of the tables",
            lambda: assess_tables.count_rows(parts, endpoint, database, backups(), _COUNT_S),
        )
        self._shape = parts.start("structure", lambda: self._compared(backups()))
        self._failed = parts.start("checks", lambda: self._asked(backups()))
        self._fresh = parts.start("last write", lambda: self._last_write(backups()))

    def counts(self) -> tuple[TableCount, ...]:
        """The tables' counts."""
        rows = self._parts.wait(self._rows)
        return rows.counts if rows else ()

    def added(self, evidence: Evidence) -> Evidence:
        """The evidence with what was found inside."""
        rows = self._parts.wait(self._rows) or Rows()
        shape = self._parts.wait(self._shape) or Differences()
        failed = self._parts.wait(self._failed) or ()
        touched = (*rows.emptied, *(column.rpartition(".")[0] for column in shape.columns_gone))
        # Only where the newest backup is whole: what an older one lost has its own time.
        changed = self._parts.start(
            "time of the change", lambda: self._changed_at(touched, evidence.backup_at)
        )
        return replace(
            evidence,
            gone=tuple(dict.fromkeys((*rows.gone, *shape.gone))),
            emptied=rows.emptied,
            shrunk=rows.shrunk,
            unreadable=rows.unreadable,
            checksum_failures=self._parts.wait(self._activity) or 0,
            lost_after=rows.lost_after,
            lost_by=rows.lost_by,
            new_tables=shape.new_tables,
            columns_gone=shape.columns_gone,
            columns_new=shape.columns_new,
            indexes_gone=shape.indexes_gone
            or (("of those that the backup has",) if shape.fewer_indexes else ()),
            constraints_gone=shape.constraints_gone,
            others_gone=shape.others_gone,
            failed=failed,
            changed_at=self._parts.wait(changed) if touched else None,
        )

    def _at_work(self) -> int:
        seen = activity(self._endpoint, self._database.dbname)
        assess_server.tell_activity(self._parts, seen, self._now())
        return seen.checksum_failures

    def _compared(self, known: Sequence[Description]) -> Differences:
        last = known[0] if known else None
        if last is None:
            return Differences()
        counted = {dotted((t.schema, t.name)) for t in last.manifest.tables} if last.manifest else set()
        counted |= {dotted(qualified(table)) for table in self._database.key_tables}
        return assess_shape.compare_shape(self._parts, self._endpoint, self._database, last, counted)

    def _asked(self, known: Sequence[Description]) -> tuple[FailedCheck, ...]:
        manifest = next((d.manifest for d in known if d.manifest is not None), None)
        tables = [dotted((t.schema, t.name)) for t in manifest.tables] if manifest else []
        tables += [
            dotted(qualified(t)) for t in self._database.key_tables if dotted(qualified(t)) not in tables
        ]
        return assess_tables.ask_checks(self._parts, self._endpoint, self._database, manifest, tables)

    def _last_write(self, known: Sequence[Description]) -> datetime | None:
        compared = known[0].backup.sort_time if known else None
        return assess_tables.tell_last_write(
            self._parts, self._endpoint, self._database, compared, self._now()
        )

    def _changed_at(self, tables: Sequence[str], after: datetime | None) -> datetime | None:
        try:
            names = [qualified(table) for table in tables]
            return changed_at(self._endpoint, self._database.dbname, names, after)
        except PgdrError:
            return None  # that the server can't be asked is told elsewhere
