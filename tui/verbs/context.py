"""What every verb is given: the general options, and from them the fleet, the state, the operator."""

from __future__ import annotations

import getpass
import os
import socket
from dataclasses import dataclass
from datetime import datetime, timezone
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from tui.model.errors import ConfigError, Refused, UsageError
from tui.model.fleet import Database, Fleet
from tui.model.text import clean
from tui.verbs.console import Console

if TYPE_CHECKING:
    from tui.model.backup import Backup


@dataclass(frozen=True, slots=True)
class Context:
    """The general options of one run, and where it speaks."""

    config: Path | None
    state: Path | None
    read_only: bool
    theme: str | None
    ascii_only: bool
    console: Console
    mouse: bool = True

    def fleet(self) -> Fleet:
        """The configuration. Raises ConfigError with every problem when there is none or it can't be used."""
        from tui.config.load import load
        from tui.config.paths import config_path

        path = config_path(self.config)
        if path is None:
            raise ConfigError(
                "There is no configuration.",
                mend="Give one with --config FILE or $PGDR_CONFIG, or put it at ./pgdr.toml or "
                "~/.config/pgdr/pgdr.toml. To look around without one: pgdr demo",
            )
        return load(path)

    def state_directory(self) -> Path:
        """Where jobs, incidents and records are kept."""
        from tui.config.paths import state_dir

        return state_dir(self.state)

    def now(self) -> datetime:
        """This moment, in UTC."""
        return datetime.now(timezone.utc)

    def operator(self) -> str:
        """Who is at work: the user (before sudo) at this machine."""
        user = os.environ.get("SUDO_USER") or getpass.getuser()
        return clean(f"{user}@{socket.gethostname()}", 80)

    def refuse_if_read_only(self, what: str) -> None:
        """Raises Refused when the run is read-only; `what` is what would have been done."""
        if self.read_only:
            raise Refused(f"{what} is taken away by --read-only.", mend="Run it again without --read-only.")


def database_named(fleet: Fleet, name: str) -> Database:
    """The database of the fleet with that name. Raises UsageError with the nearest one."""
    found = fleet.database(name)
    if found is None:
        names = [d.name for d in fleet.databases]
        near = get_close_matches(name, names, 1) or names
        raise UsageError(
            f"The configuration names no database {clean(name, 80)}.", mend=f"It names {', '.join(near)}."
        )
    return found


def server_lines(fleet: Fleet, dbname: str) -> str:
    """The lines that name a database's server, ready to be added to the configuration, in one sentence."""
    name = toml_key(dbname)
    where = clean(str(fleet.source)) if fleet.source else "the configuration"
    return (
        f"Or add to {where}: [databases.{name}] with the lines "
        'host = "HOST", port = 5432, user = "USER" (a password by reference, or in ~/.pgpass).'
    )


def toml_key(name: str) -> str:
    """A name as a key of TOML, in quotes where it needs them."""
    bare = name.replace("-", "").replace("_", "")
    return name if bare.isascii() and bare.isalnum() else '"' + clean(name).replace('"', '\\"') + '"'


def database_of(fleet: Fleet, backup: Backup, named: str | None) -> Database:
    """The database of the fleet that a backup is of, or the one that was named.

    Raises UsageError when it could be several, or none.
    """
    if named is not None:
        return database_named(fleet, named)
    fitting = [d for d in fleet.databases if d.dbname == backup.database]
    fitting = [d for d in fitting if backup.store in d.backup.stores] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if not fitting and not fleet.databases and backup.database:
        return database_named(fleet, backup.database)
    if not fitting:
        known = ", ".join(d.name for d in fleet.databases)
        raise UsageError(
            f"{clean(backup.ref)} is of {clean(backup.database or 'an unknown database')}, "
            "which the configuration does not name.",
            mend="Say on whose server it is to be restored: --database DB"
            + (f" (it names {known}). " if known else ". ")
            + server_lines(fleet, backup.database or "NAME"),
        )
    raise UsageError(
        f"{clean(backup.ref)} could be of {', '.join(d.name for d in fitting)}.",
        mend="Say which: --database DB",
    )
