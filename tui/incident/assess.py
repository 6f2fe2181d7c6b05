"""The first step: what is reachable, what is missing, what changed since the last backup. It only reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.model.backup import Backup, Manifest, StoreProblem
from tui.model.errors import PgdrError
from tui.model.facts import DatabaseFacts, Status
from tui.model.fleet import Database, Fleet
from tui.model.incident import TableCount
from tui.model.plan import Finding, Level
from tui.model.text import clean, rfc3339
from tui.model.verdict import Check
from tui.operations.catalogue import backups, read_manifest
from tui.operations.inventory import backups_of
from tui.operations.report import Clock
from tui.operations.verify import count_tables, live_checks
from tui.postgres import facts as server
from tui.stores.open import open_store

_ORDER = {Level.STOP: 0, Level.WARNING: 1, Level.OK: 2}

# A live database goes on being written to, so more rows than the backup has are no damage.
_SHRUNK = 0.999


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was found, worst first, and the key tables' counts now against the last manifest."""

    findings: tuple[Finding, ...]
    counts: tuple[TableCount, ...]


def assess(fleet: Fleet, database: Database, on_finding: Callable[[Finding], None], now: Clock) -> Assessment:
    """Looks at one database and its backups. Each finding goes to `on_finding` as it is made."""
    findings: list[Finding] = []

    def found(level: Level, about: str, what: str, mend: str | None = None) -> None:
        finding = Finding(level, about, what, mend)
        findings.append(finding)
        on_finding(finding)

    facts = server.look(database, now())
    found(*_reached(database, facts))
    known: list[Backup] = []
    problems: list[StoreProblem] = []
    backups(fleet, database.dbname, known.extend, problems.append)
    for problem in problems:
        found(Level.WARNING, f"store {problem.store}", problem.what, problem.mend)
    own = sorted(backups_of(database, known), key=lambda b: b.sort_time, reverse=True)
    manifest = _newest_manifest(fleet, own)
    _say_newest(own, found, database, now)
    counts: tuple[TableCount, ...] = ()
    if facts.status is Status.UP:
        counts = _counts(database, manifest)
        for count in counts:
            _judge_count(count, manifest, found)
        for check in live_checks(database, manifest):
            _judge_check(check, found)
    findings.sort(key=lambda f: _ORDER[f.level])
    return Assessment(tuple(findings), counts)


def _reached(database: Database, facts: DatabaseFacts) -> tuple[Level, str, str, str | None]:
    where = f"{facts.host or database.endpoint.host or 'the default host'}:{facts.port or ''}".rstrip(":")
    name = clean(database.dbname)
    if facts.status is Status.UP:
        if facts.in_recovery:
            return Level.WARNING, "server", f"{where} answers but is a standby in recovery.", facts.mend
        if facts.read_only:
            return Level.WARNING, "server", f"{name} at {where} answers but is read-only.", facts.mend
        return Level.OK, "server", f"{name} at {where} answers, {facts.sessions or 0} sessions.", None
    if facts.status is Status.MISSING:
        what = f"The server at {where} answers; the database {name} does not exist."
        return Level.STOP, "database", what, "Restore it from a backup."
    said = f" {facts.why}" if facts.why else ""
    if facts.status is Status.REFUSED:
        return Level.STOP, "server", f"The server at {where} refuses:{said}", facts.mend
    return Level.STOP, "server", f"Nothing answers at {where}.{said}", facts.mend


def _newest_manifest(fleet: Fleet, own: list[Backup]) -> Manifest | None:
    """The manifest of the newest full backup that has a readable one."""
    for backup in own:
        spec = fleet.store(backup.store)
        if not backup.has_manifest or spec is None:
            continue
        try:
            manifest = read_manifest(open_store(spec), backup.key)
        except PgdrError:
            continue  # the next older one serves as well; a store that fails is told of elsewhere
        if manifest and manifest.selection == "full":
            return manifest
    return None


def _say_newest(own: list[Backup], found: Callable[..., None], database: Database, now: Clock) -> None:
    if not own:
        found(Level.STOP, "backups", "No backup of this database was found in any store.", None)
        return
    age = now() - own[0].sort_time
    late = age > database.rpo
    found(
        Level.WARNING if late else Level.OK,
        "backups",
        f"The newest backup is of {rfc3339(own[0].sort_time)}, {'older than' if late else 'within'} the RPO.",
    )


def _counts(database: Database, manifest: Manifest | None) -> tuple[TableCount, ...]:
    wanted = [(t.schema, t.name) for t in manifest.tables] if manifest else []
    wanted += [key for key in map(_qualified, database.key_tables) if key not in wanted]
    expected = {(t.schema, t.name): t.rows for t in manifest.tables} if manifest else {}
    found = count_tables(database, tuple(wanted))
    return tuple(TableCount(s, n, expected.get((s, n)), found.get((s, n))) for s, n in wanted)


def _qualified(table: str) -> tuple[str, str]:
    schema, dot, name = table.rpartition(".")
    return (schema if dot else "public"), name


def _judge_count(count: TableCount, manifest: Manifest | None, found: Callable[..., None]) -> None:
    name = clean(f"{count.schema}.{count.name}")
    if count.found is None:
        found(Level.STOP, name, f"Table {name} is not there.", "Restore it, or the whole database.")
    elif manifest is None or count.expected is None:
        found(Level.OK, name, f"Table {name} has {count.found:,} rows; no manifest says how many it should.")
    elif count.expected > 0 and count.found == 0:
        what = f"Table {name} is empty; the last backup had {count.expected:,} rows."
        found(Level.STOP, name, what, "Restore it, or the whole database.")
    elif count.found < count.expected * _SHRUNK:
        missing = count.expected - count.found
        what = f"Table {name} has {count.found:,} rows, {missing:,} fewer than the last backup."
        found(Level.WARNING, name, what, "Find out whether they were meant to go.")


def _judge_check(check: Check, found: Callable[..., None]) -> None:
    if check.passed is False:
        what = f"{check.name}: expected {check.expected}, found {check.found}."
        found(Level.STOP, check.name, what, check.mend)
    elif check.passed is None:
        found(Level.WARNING, check.name, f"{check.name} could not be asked: {check.found}", check.mend)
