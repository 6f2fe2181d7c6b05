"""What was found for a first configuration, as rows: servers with their databases under them, then stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tui.model import amounts as show
from tui.model.text import clean
from tui.operations.first_run.nearby import NearStore, address_of
from tui.postgres.facts.found import FoundDatabase
from tui.postgres.facts.nearby import Answer, NearServer
from tui.widgets.line_table import Column
from tui.widgets.tones import BAD, DIM, GOOD, STRONG, WARN, Cell, Piece

Key = tuple[str, ...]

COLUMNS = (
    Column("", 1, gap=0),
    Column("found", 30, wide=64, gap=1),
    Column("state", 18),
    Column("holds", 18, wide=30),
    Column("told by", 16, wide=26, priority=1),
)
_STATES = {
    Answer.WAITING: Cell("◌ asking", DIM),
    Answer.ANSWERS: Cell("● answers", GOOD),
    Answer.PASSWORD: Cell("⊘ needs a password", WARN),
    Answer.REFUSED: Cell("⊘ REFUSED", BAD),
    Answer.SILENT: Cell("✖ no answer", BAD),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A server, one of its databases, or a store; `ticks` are the keys that ticking it ticks."""

    key: Key
    found: NearServer | NearStore
    database: FoundDatabase | None = None
    ticks: frozenset[Key] = frozenset()


def server_key(server: NearServer) -> Key:
    """Given a server, returns what names it here, before it answers and after."""
    end = server.told_as
    return ("server", end.pg_service or "", end.host or "", str(end.port or ""), end.user or "")


def store_key(store: NearStore) -> Key:
    """Given a store, returns what names it here."""
    profile = getattr(store.spec, "profile", None)
    return ("store", address_of(store.spec), profile or "")


def rows_of(servers: Iterable[tuple[Key, NearServer]], stores: Iterable[NearStore]) -> Iterator[Row]:
    """Given what was found, with the servers' keys, gives the rows."""
    for key, server in servers:
        own = [(*key, database.name) for database in server.databases]
        yield Row(key, server, ticks=frozenset(own))
        for name, database in zip(own, server.databases, strict=True):
            yield Row(name, server, database, frozenset({name}))
    for store in stores:
        key = store_key(store)
        yield Row(key, store, ticks=frozenset({key}) if store.named else frozenset())


def cells(row: Row, ticked: frozenset[Key]) -> list[Piece]:
    """Given a row and what is ticked, returns its cells."""
    on = row.ticks & ticked
    sign = Cell("■" if row.ticks == on else "▪" if on else "·", STRONG) if row.ticks else " "
    found = row.found
    if isinstance(found, NearStore):
        return [sign, found.where, _state(found), _holds(found), Cell(found.told_by, DIM)]
    if row.database is not None:
        return [sign, f"  {row.database.name}", "", show.size(row.database.size_bytes), ""]
    holds = f"{show.plural(len(found.databases), 'database')}" if found.answer is Answer.ANSWERS else ""
    return [sign, Cell(found.where, STRONG), _STATES[found.answer], holds, Cell(found.told_by, DIM)]


def details(row: Row) -> list[Piece]:
    """Given a row, returns what is known of it: what to do where it doesn't answer."""
    found = row.found
    if isinstance(found, NearStore):
        return _store_details(found)
    told: list[Piece] = [Cell(found.where, STRONG)]
    if found.answer is Answer.ANSWERS:
        version = f"PostgreSQL {clean(found.version or '?', 40)}"
        told.append(f"{version}, told by {found.told_by}.")
        if not found.databases:
            told.append("It has no database but postgres and the templates: there is nothing to look after.")
        return told
    if found.answer is Answer.WAITING:
        return [*told, f"Told by {found.told_by}. It is being asked; that takes seconds at most."]
    told.append(f"Told by {found.told_by}. {found.why or ''}")
    if found.answer is Answer.PASSWORD:
        end = found.endpoint
        line = f"{end.host or 'localhost'}:{end.port or 5432}:*:{end.user or 'USER'}:PASSWORD"
        told.append(f"Put a line like {clean(line)} into ~/.pgpass (chmod 600), then look again: R.")
        told.append("Or add it with its role: n, then USER@HOST:PORT. No password is typed or written here.")
    elif found.mend:
        told.append(found.mend)
    return told


def _state(store: NearStore) -> Piece:
    if store.problem is not None:
        return Cell("✖ can't be read", BAD)
    if store.inside is not None:
        return Cell("● can be read", GOOD)
    return Cell("– not looked into", DIM) if store.passed_by else Cell("◌ looking", DIM)


def _holds(store: NearStore) -> str:
    if store.inside is None:
        return ""
    many = show.plural(store.inside.backups, "backup")
    return f"{many} or more" if store.inside.more else many


def _store_details(store: NearStore) -> list[Piece]:
    told: list[Piece] = [Cell(store.where, STRONG)]
    if store.problem is not None:
        told.append(f"Told by {store.told_by}. {store.problem.what} {store.problem.why or ''}")
        told.append(store.problem.mend or "")
        if not store.named:
            told.append("A bucket that they may read can be added all the same: n, then s3://BUCKET/PREFIX.")
    elif store.inside is not None:
        told.append(f"Told by {store.told_by}. It holds {store.inside.words}.")
    else:
        told.append(f"Told by {store.told_by}.")
    return [piece for piece in told if piece]
