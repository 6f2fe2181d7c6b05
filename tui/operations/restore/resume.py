"""Going on with an interrupted restore: what of it is done, and how the rest is made ready to be done.

An item is done when the journal says so and, where the server can be asked, the server too. What a look
can't tell (rights, comments, triggers, the places of sequences) is cheap and done again: pg_restore drops
it first where it exists. Where the schema itself isn't whole, or a table can't be emptied alone, the
restore begins anew: nothing else equals an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tui.model.backup import ArchiveFormat, Contents, TocEntry
from tui.model.errors import Refused
from tui.model.event import (
    Entry,
    ErrorSeen,
    Item,
    ItemFinished,
    ItemLaunched,
    ItemsDone,
    ItemsListed,
    LogLine,
    Phase,
    TargetMade,
)
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.model.verdict import RestoreError
from tui.operations.report import Report
from tui.operations.restore.run import end_leftovers
from tui.postgres.connection import connect, failures
from tui.postgres.databases.databases import drop, identity
from tui.postgres.databases.remains import Remains, TableName, clear, end_jobs, remains
from tui.postgres.progress.watch import named


@dataclass(frozen=True, slots=True)
class Before:
    """What the journal of an interrupted restore tells: the job, the sessions of all the jobs it went on
    from, its database (None: never made), items done, its errors that do no harm, where archives may lie."""

    job: str
    applications: tuple[str, ...] = ()
    made: TargetMade | None = None
    done: frozenset[int] = frozenset()
    errors: tuple[RestoreError, ...] = ()
    staging: tuple[Path, ...] = ()


def before(
    job: str, entries: Iterable[Entry], applications: tuple[str, ...], staging: tuple[Path, ...]
) -> Before:
    """Given the journal of a restore that was interrupted, returns what it tells.

    An item is done when it was finished without an error, or with errors that do no harm.
    """
    made: TargetMade | None = None
    phases: dict[int, Phase] = {}
    done: set[int] = set()
    failed: set[int] = set()
    errors: list[RestoreError] = []
    beyond_schema = doubtful = False
    for entry in entries:
        match entry.event:
            case TargetMade():
                made = entry.event
            case ItemsListed():
                phases = {item.dump_id: item.phase for item in entry.event.items}
            case ItemsDone():
                done |= set(entry.event.ids)
                beyond_schema = True
            case ItemLaunched():
                beyond_schema = beyond_schema or phases.get(entry.event.dump_id) is not Phase.SCHEMA
            case ItemFinished():
                done.add(entry.event.dump_id)
            case ErrorSeen():
                error = entry.event.error
                if error.harmless:
                    errors.append(error)
                elif error.dump_id is not None:
                    # A worker that loses its connection names the last entry of the schema for it, wrongly
                    if not (beyond_schema and phases.get(error.dump_id) is Phase.SCHEMA):
                        failed.add(error.dump_id)
                else:  # it could be of any item; what comes after the schema is looked at on the server
                    doubtful = doubtful or not beyond_schema
    done -= failed
    if doubtful:
        done.clear()
    told = tuple(e for e in errors if e.dump_id in done)
    return Before(job, applications, made, frozenset(done), told, staging)


def go_on(
    endpoint: Endpoint,
    target: str,
    system_identifier: str | None,
    contents: Contents,
    todo: tuple[Item, ...],
    was: Before,
    report: Report,
) -> frozenset[int]:
    """Makes `target` ready for the rest of `todo`, and returns the items that are done in it.

    Ends what still works on it first. Returns none where there is nothing to go on from: the database is
    gone then, dropped when too little was done. Raises Refused when `target` is another database than the
    one that the interrupted restore had made.
    """
    for application in was.applications:
        ended = end_leftovers(application)
        if ended:
            report(LogLine(f"Ended {ended} processes that {application} had left here."))
    if not _is_there(endpoint, target, system_identifier, was.made):
        report(LogLine(f"Nothing of {was.job} is left on the server: the restore begins anew."))
        return frozenset()
    ended = end_jobs(endpoint, target)
    if ended:
        report(LogLine(f"Ended {ended} sessions that {was.job} had left on the server."))
    why, done = _standing(endpoint, target, contents, todo, was)
    if why is None:
        report(LogLine(f"Goes on from {was.job}: {len(done)} of {len(todo)} items are done."))
        return done
    report(LogLine(f"{why} The restore begins anew."))
    drop(endpoint, target, force=True, restored=True)
    return frozenset()


def _is_there(
    endpoint: Endpoint, target: str, system_identifier: str | None, made: TargetMade | None
) -> bool:
    with connect(endpoint) as connection, failures(f'"{clean(target)}" could not be looked for.'):
        oid = identity(connection, target)
    if oid is None:
        return False
    if made is None or (oid, target) != (made.oid, made.name) or system_identifier != made.system_identifier:
        raise Refused(
            f'The database "{clean(target)}" is not the one that the interrupted restore had made.',
            "Nothing was changed in it.",
            "Restore the backup again, into a new database.",
        )
    return True


def _standing(
    endpoint: Endpoint, target: str, contents: Contents, todo: tuple[Item, ...], was: Before
) -> tuple[str | None, frozenset[int]]:
    """Why the restore can't go on, or None; and what is done once the rest has been cleared away."""
    if contents.format is ArchiveFormat.PLAIN:
        return "Plain SQL can only be carried out from its beginning to its end.", frozenset()
    if any(i.phase is Phase.SCHEMA and i.dump_id not in was.done for i in todo):
        return "The schema was not whole yet.", frozenset()
    data = [i for i in todo if i.desc == "TABLE DATA"]
    there = remains(endpoint, target, [_table(i) for i in data])
    if any(i.desc == "TABLE" and _table(i) not in there.relations for i in todo):
        return "The server has lost a part of the schema.", frozenset()
    full = ({_table(i) for i in data if i.rows == 0} | there.with_rows) - there.extensions_tables
    loaded = {i.dump_id for i in data if i.dump_id in was.done and _table(i) in full}
    by_id = {e.dump_id: e for e in contents.entries}
    made = {(e.schema or "", e.name) for e in contents.entries if e.desc == "TABLE"} | there.extensions_tables
    again = [i for i in data if i.dump_id not in loaded]
    stuck = next((i for i in again if not _alone(by_id[i.dump_id], made)), None)
    if stuck is not None:
        return f"Table {clean(stuck.name)} can't be emptied alone.", frozenset()
    if not loaded and data:
        return "No table was loaded yet.", frozenset()
    clear(endpoint, target, [_table(i) for i in again])
    there = remains(endpoint, target, ())
    return None, frozenset(i.dump_id for i in todo if _is_done(i, was, there, loaded, bool(again)))


def _is_done(item: Item, was: Before, there: Remains, loaded: set[int], reloads: bool) -> bool:
    journal = item.dump_id in was.done
    if item.phase is Phase.SCHEMA:
        return journal
    match item.desc:
        case "TABLE DATA":
            return item.dump_id in loaded
        case "INDEX":  # also one of which only the server knows that it was finished
            return _table(item) in there.indexes
        case "CONSTRAINT" | "FK CONSTRAINT":
            return (item.schema or "", item.table or "", item.name) in there.constraints
        case "MATERIALIZED VIEW DATA":
            return journal and not reloads and _table(item) in there.filled_views
        case "BLOB" | "BLOB METADATA" | "BLOBS":
            return journal and there.large_objects
    return False


def _alone(entry: TocEntry, made: set[TableName]) -> bool:
    """Whether a table's rows can be told from all others: not rows that were dumped to go through the table
    it is a partition of."""
    name = (entry.schema or "", entry.name)
    if name not in made or "load via partition root" in entry.definition:
        return False
    return entry.copy_statement is None or named(entry.copy_statement)[:2] == name


def _table(item: Item) -> TableName:
    return item.schema or "", item.name
