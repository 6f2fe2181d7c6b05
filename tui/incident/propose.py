"""From what was found to what has probably happened: a pure function. The engineer decides, not this."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tui.incident.evidence import Evidence, Reach
from tui.model import amounts as show
from tui.model.incident import Proposal
from tui.model.scenario import Scenario
from tui.model.text import clean

# The runbook's: a container is back within 5 minutes, a node within 10.
PATIENCE = timedelta(minutes=10)
# So many tables can be restored by themselves; with more the whole database is the surer way.
_FEW = 3

_AWAY = (Reach.DOWN, Reach.HUNG, Reach.STARTING)
_SHUT = {
    Reach.FULL: "The server is out of connections; nothing says that data is damaged. End sessions first.",
    Reach.NO_DISK: "The server's disk is full; nothing says that data is damaged. Make room first.",
    Reach.CLOSED: "The database takes no connections, by its own setting. Open it and look again.",
    Reach.REFUSED: "The server refuses the login, so nothing is known of the data. Mend that and look again.",
}


def propose(found: Evidence, patience: timedelta = PATIENCE) -> Proposal:
    """Given what was found, and how long a restart is waited for, returns what has probably happened, why, to
    which tables, and since when as far as that is known. No scenario: nothing is to be recovered."""
    if found.reach in _AWAY:
        return _away(found, patience)
    if found.reach in _SHUT:
        return Proposal(None, _SHUT[found.reach])
    if found.reach is Reach.MISSING:
        return _missing(found)
    if found.reach is Reach.BROKEN:
        why = "A DROP DATABASE of it was cut off: nothing can be read from it any more."
        return _since(found, Scenario.DATABASE_CORRUPTION, why, (), _was_there(found))
    return _up(found)


def _away(found: Evidence, patience: timedelta) -> Proposal:
    was = _was_there(found)
    at = clean(found.where) or "its address"
    nobody = f"Nothing answers at {at}"
    if found.reach is Reach.HUNG:
        nobody = f"What listens at {at} says nothing"
    all_down = bool(found.others_down) and not found.others_up
    no_store = found.stores_onsite > 0 and len(found.stores_lost) >= found.stores_onsite
    if no_store and (all_down or not found.others_up):
        also = f", the on-site {_stores(found.stores_lost)} can't be read"
        also += f" and {_named(found.others_down)} can't be reached either" if all_down else ""
        why = f"{nobody}{also}: it is not this server alone that is lost."
        return _since(found, Scenario.SITE_LOST, why, (), was)
    if found.reach is Reach.STARTING:
        why = "The server is starting up or shutting down; its data are there. Wait until it is ready."
        return _since(found, Scenario.RESTART, why, (), was)
    if found.waited is not None and found.waited >= patience:
        why = (
            f"{nobody} since {show.age(found.waited)} at least, longer than a restart takes"
            f" ({show.limit(patience)}): count on its not coming back."
        )
        scenario = Scenario.SITE_LOST if all_down and no_store else Scenario.INSTANCE_LOST
        return _since(found, scenario, why, (), was)
    also = f", nor at {_named(found.others_down)}: the node, or the network to it" if all_down else ""
    why = (
        f"{nobody}{also}. A process, container or node that failed comes back by itself within"
        f" {show.limit(patience)}; it has lost nothing then."
    )
    return _since(found, Scenario.RESTART, why, (), was)


def _missing(found: Evidence) -> Proposal:
    was = _was_there(found)
    if found.other_server:
        why = "Another server than the one that was backed up answers there, and it has no such database."
        return _since(found, Scenario.INSTANCE_LOST, why, (), was)
    if was[0] is None:
        return Proposal(
            None,
            "The server answers; the database was never seen there and no backup of it is known."
            " See whether its name in the configuration is right.",
        )
    why = "The server answers, and the database is gone from it."
    return _since(found, Scenario.DATABASE_CORRUPTION, why, (), was)


def _up(found: Evidence) -> Proposal:
    tables = set(found.tables)
    lost = tuple(dict.fromkeys((*found.gone, *found.emptied)))
    by_backup = _by_backup(found)
    if (damaged := _unreadable(found)) is not None:
        return damaged
    if len(tables) > 1 and tables <= set(lost):
        why = f"All {len(tables)} tables that held rows are gone or empty."
        return _since(found, Scenario.DATABASE_CORRUPTION, why, (), by_backup)
    if why := _migration(found):
        return _since(found, Scenario.BAD_MIGRATION, why, _touched(found), by_backup)
    if lost:
        return _lost_rows(found, lost, by_backup)
    if found.failed:
        return _failed(found)
    if found.shrunk:
        what = f"{_tables(found.shrunk)} {_have(found.shrunk)} fewer rows than the last backup"
        scenario = Scenario.TABLE_CORRUPTION if len(found.shrunk) == 1 else Scenario.ACCIDENTAL_DELETION
        why = f"{what}; nothing else is wrong. If they were meant to go, nothing is to be recovered."
        return _since(found, scenario, why, found.shrunk, by_backup)
    if found.in_recovery:
        return Proposal(None, "The server is a standby in recovery. Look for the primary first.")
    if found.read_only:
        return Proposal(None, "Nothing is seen to be damaged; the database is read-only.")
    return Proposal(None, "Nothing is seen to be damaged.")


def _unreadable(found: Evidence) -> Proposal | None:
    """Damage below the tables: pages that the server itself can't read or doesn't believe."""
    if not found.unreadable and not found.checksum_failures:
        return None
    how = "Since when is not known: a backup that reads all rows without an error is from before it."
    since = (found.clean_at, None, how)
    if found.unreadable and len(found.unreadable) <= _FEW and len(found.unreadable) < len(found.tables):
        why = f"The server can't read {_named(found.unreadable)} from its disk."
        return _since(found, Scenario.TABLE_CORRUPTION, why, found.unreadable, since)
    why = (
        f"The server can't read {_named(found.unreadable)} from its disk."
        if found.unreadable
        else f"The server counts {show.plural(found.checksum_failures, 'checksum failure')}:"
        " what its disk gives back is not what was written."
    )
    return _since(found, Scenario.DATABASE_CORRUPTION, why, (), since)


def _migration(found: Evidence) -> str:
    """Why it looks like a migration that went wrong, or nothing: a deletion drops no column, builds nothing.

    A table that was dropped with CASCADE takes views and foreign keys along, so these alone tell nothing
    where tables are gone.
    """
    parts = []
    if found.columns_gone:
        parts.append(_are_gone(found.columns_gone, "the column"))
    if found.gone and found.new_tables:
        parts.append(f"{_are_gone(found.gone)}, {_named(found.new_tables)} {_are(found.new_tables)} new")
    if found.indexes_gone:
        parts.append(_are_gone(found.indexes_gone, "the index", "the indexes"))
    if not found.gone and found.constraints_gone:
        parts.append(_are_gone(found.constraints_gone, "the constraint"))
    if not found.gone and found.others_gone:
        parts.append(_are_gone(found.others_gone))
    if not parts:
        return ""
    if found.emptied:
        parts.append(f"{_named(found.emptied)} {_are(found.emptied)} empty")
    return f"What it is made of has changed since the last backup: {'; '.join(parts)}."


def _touched(found: Evidence) -> tuple[str, ...]:
    of_columns = (column.rpartition(".")[0] for column in found.columns_gone)
    return tuple(dict.fromkeys((*found.gone, *found.emptied, *of_columns)))


def _lost_rows(
    found: Evidence, lost: tuple[str, ...], since: tuple[datetime | None, datetime | None, str]
) -> Proposal:
    parts = [f"{_tables(found.gone)} {_are(found.gone)} gone"] if found.gone else []
    parts += [f"{_tables(found.emptied)} {_are(found.emptied)} empty"] if found.emptied else []
    what = " and ".join(parts)
    if len(lost) == 1:
        why = f"{what}, the other tables are well: that one alone can be restored, which is quicker."
        return _since(found, Scenario.TABLE_CORRUPTION, why, lost, since)
    why = f"{what}; the structure of the others is as it was. Somebody deleted more than was meant."
    return _since(found, Scenario.ACCIDENTAL_DELETION, why, lost, since)


def _failed(found: Evidence) -> Proposal:
    names = _named(tuple(check.name for check in found.failed))
    many = "check" if len(found.failed) == 1 else "checks"
    tables = tuple(dict.fromkeys(table for check in found.failed for table in check.tables))
    if found.clean_at is not None:
        how = f"The backup of {show.minute(found.clean_at)} UTC passed its checks when it was verified."
    else:
        how = "Since when is not known: no backup was verified. A backup may have it too."
    since = (found.clean_at, found.changed_at, how)
    if tables and len(tables) <= _FEW and all(check.tables for check in found.failed):
        why = f"The fleet's own {many} of {_named(tables)} failed ({names}); no rows are missing."
        return _since(found, Scenario.TABLE_CORRUPTION, why, tables, since)
    why = f"The fleet's own {many} failed ({names}): what is in it can't be trusted."
    return _since(found, Scenario.DATABASE_CORRUPTION, why, (), since)


# Since when


def _was_there(found: Evidence) -> tuple[datetime | None, datetime | None, str]:
    """When it was last there for certain: seen up, or backed up."""
    seen, backup = found.seen_at, found.backup_at
    if seen is not None and (backup is None or seen >= backup):
        return seen, None, f"It was seen up at {show.minute(seen)} UTC."
    if backup is not None:
        return backup, None, f"It was there at {show.minute(backup)} UTC, when its last backup was taken."
    return None, None, "When it was last there is not known."


def _by_backup(found: Evidence) -> tuple[datetime | None, datetime | None, str]:
    """Between the last backup that still has what is missing and the first sign that it was gone."""
    if found.lost_by is not None:
        first = f"The backup of {show.minute(found.lost_by)} UTC has lost it already"
        if found.lost_after is None:
            return None, found.lost_by, f"{first}."
        return (
            found.lost_after,
            found.lost_by,
            f"{first}; that of {show.minute(found.lost_after)} UTC has it.",
        )
    good, at = found.backup_at, found.changed_at
    if good is None:
        return None, at, "No backup tells since when." if at is None else f"By the server's files: {_at(at)}."
    how = f"The backup of {show.minute(good)} UTC still has it"
    return good, at, f"{how}; by the server's own records it happened at {_at(at)}." if at else f"{how}."


def _at(moment: datetime) -> str:
    return f"{show.minute(moment)}:{moment:%S} UTC"


def _since(
    found: Evidence,
    scenario: Scenario,
    why: str,
    tables: tuple[str, ...],
    since: tuple[datetime | None, datetime | None, str],
) -> Proposal:
    good, damaged, how = since
    damaged = min(damaged, found.now) if damaged is not None else None
    if good is not None and good > (damaged or found.now):
        good = None  # clocks of two machines: what can't be is not claimed
    return Proposal(scenario, why[:1].upper() + why[1:], tables, good, damaged, how)


# Words


def _named(names: Sequence[str], most: int = 4) -> str:
    """Up to so many names, cleaned, and how many more there are; `public.` is left out."""
    shown = [clean(name.removeprefix("public."), 60) for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else ""


def _tables(names: Sequence[str]) -> str:
    # Never a name alone: it begins the sentence, and a name has no capital that isn't its own.
    return f"the {_many('table', names)} {_named(names)}"


def _are_gone(names: Sequence[str], one: str = "", several: str = "") -> str:
    what = _many(one, names, several) + " " if one else ""
    return f"{what}{_named(names)} {_are(names)} gone"


def _many(one: str, names: Sequence[str], several: str = "") -> str:
    return one if len(names) == 1 else several or f"{one}s"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _have(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _stores(names: Sequence[str]) -> str:
    return f"{_many('store', names)} {_named(names)}"
