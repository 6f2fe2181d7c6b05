"""A configuration file into a `Fleet`, or every reason why not."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.config import keys
from tui.config.channels import read_channels, read_messages, read_updates
from tui.config.scenarios import read_scenarios
from tui.config.smokes import read_smokes
from tui.config.stores import read_stores
from tui.config.table import Place, Reading, Table, dotted, nearest
from tui.model.errors import ConfigError, Problem
from tui.model.fleet import (
    BackupPolicy,
    Component,
    Contact,
    Database,
    Encryption,
    Endpoint,
    Fleet,
    Looks,
    Programs,
    SqlCheck,
)
from tui.model.text import clean

if TYPE_CHECKING:
    from tui.model.service import ServiceSpec

_POSITION = re.compile(r"^(.*) \((?:at (line \d+, column \d+)|at (end of document))\)$", re.DOTALL)
_MEND = "The packaged sample.toml describes every key."


def load(path: Path) -> Fleet:
    """Given a configuration file, returns its fleet.

    Raises ConfigError: the file can't be read, isn't TOML, or isn't a fleet, with every problem at once.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(
            f"The configuration {clean(str(path))} is no file.", mend="Name a TOML file with --config."
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The configuration {clean(str(path))} could not be read: {error.strerror}."
        ) from error
    try:
        text = data.decode("utf-8-sig")  # editors of Windows put a byte order mark first
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _unusable(
            path, [Problem(clean(str(path)), f"is not UTF-8 (line {line}).", "Save it as UTF-8.")]
        ) from None
    return load_text(text, path)


def load_text(text: str, source: Path) -> Fleet:
    """Given a configuration's text and the file it is from, returns its fleet.

    Relative paths start at the file's directory. Nothing is read or reached but the text: whether
    secrets, stores and servers are there is for others to find out. Raises ConfigError.
    """
    reading = Reading(source)
    raw = _toml(text, reading)
    fleet = _fleet(raw, reading)
    if reading.problems:
        raise _unusable(source, reading.problems)
    return fleet


def _unusable(source: Path, problems: list[Problem]) -> ConfigError:
    count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
    return ConfigError(f"The configuration {clean(str(source))} has {count}.", tuple(problems), _MEND)


def _toml(text: str, reading: Reading) -> Table:
    try:
        return tomllib.loads(text)
    except RecursionError:
        reading.add("", "is nested too deeply.")
    except ValueError as error:
        # TOMLDecodeError, or int()'s refusal of thousands of digits. Both name keys and single
        # characters, never values.
        match = _POSITION.match(str(error))
        what, position = (match[1], match[2] or match[3]) if match else (str(error), None)
        where = f"is not TOML, {position}" if position else "is not TOML"
        mend = None
        if what.startswith(("Cannot declare", "Cannot overwrite")):
            mend = "The same name stands in the file twice; each may stand once."
        reading.add("", f"{where}: {clean(what[:1].lower() + what[1:], 200)}.", mend)
    # Without the chain: a traceback of it would hold the file's text.
    raise _unusable(reading.source, reading.problems) from None


def _fleet(raw: Table, reading: Reading) -> Fleet:
    for key in [key for key in raw if key not in keys.TOP]:
        near = nearest(key, keys.TOP)
        reading.add(dotted(key), "is not a table that is known.", f"Did you mean [{near}]?" if near else None)
    about = reading.table(raw.get("fleet", {}), ("fleet",), keys.FLEET)
    programs = reading.table(raw.get("programs", {}), ("programs",), keys.PROGRAMS)
    encryption = reading.table(raw.get("encryption", {}), ("encryption",), keys.ENCRYPTION)
    looks = reading.table(raw.get("app", {}), ("app",), keys.APP)
    jobs = about.get("jobs", Fleet(name="").jobs)
    stores = read_stores(raw, reading)
    names = tuple(raw["stores"]) if isinstance(raw.get("stores"), dict) else ()
    fleet = Fleet(
        name=about.get("name", reading.source.stem),
        source=reading.source.absolute(),
        databases=_databases(raw, reading, names, BackupPolicy(stores=names, jobs=jobs)),
        stores=stores,
        services=_services(raw, reading),
        channels=read_channels(raw, reading),
        messages=read_messages(raw, reading),
        updates=read_updates(raw, reading),
        scenario_targets=read_scenarios(raw, reading),
        components=_components(raw, reading, names),
        contacts=_contacts(raw, reading),
        programs=Programs(**programs),
        encryption=Encryption(**encryption),
        app=Looks(**looks),
        keys=_keymap(raw, reading),
        jobs=jobs,
        **{key: about[key] for key in keys.DUE if key in about},
    )
    if not raw.get("databases") and not raw.get("stores"):
        reading.add(
            "databases",
            "the fleet has neither a database nor a store.",
            "Write a [databases.NAME] or a [stores.NAME] for each, or run `pgdr init`.",
        )
    return fleet


def _services(raw: Table, reading: Reading) -> tuple[ServiceSpec, ...]:
    if "services" not in raw:
        return ()
    from tui.config.services import read_services  # loaded for who has some: the first screen waits for it

    return read_services(raw, reading)


def _keymap(raw: Table, reading: Reading) -> tuple[tuple[str, str], ...]:
    if "keys" not in raw:
        return ()
    from tui.config.keymap import read_keys  # no other configuration needs to know the app's keys

    return read_keys(raw["keys"], reading)


def _databases(
    raw: Table, reading: Reading, stores: tuple[str, ...], policy: BackupPolicy
) -> tuple[Database, ...]:
    shared, shared_policy = _shared(raw.get("defaults", {}), reading, stores, policy)
    made = []
    for name, table in reading.named(raw, "databases"):
        at = ("databases", name)
        own = reading.table(
            table,
            at,
            keys.DATABASE,
            apart=("backup", "checks", "smokes"),
            elsewhere={dotted(*at, "backup"): keys.BACKUP},
        )
        _one_password(own, at, reading)
        said = {**_inherited(shared, own), **own}
        endpoint = {field: value for field, value in said.items() if field in Endpoint.__dataclass_fields__}
        about = {field: value for field, value in said.items() if field not in endpoint}
        made.append(
            Database(
                name=name,
                endpoint=Endpoint(**endpoint),
                backup=_policy(table.get("backup", {}), (*at, "backup"), reading, stores, shared_policy),
                checks=_checks(table, at, reading),
                smokes=read_smokes(table, at, reading),
                **{"dbname": name, "service": name, **about},
            )
        )
    _no_twins(made, reading)
    _no_mixed_backups(made, reading)
    return tuple(made)


def _shared(
    raw: object, reading: Reading, stores: tuple[str, ...], policy: BackupPolicy
) -> tuple[Table, BackupPolicy]:
    at = ("defaults",)
    read = reading.table(
        raw,
        at,
        keys.DEFAULTS,
        apart=("backup",),
        elsewhere={"defaults.backup": keys.BACKUP, "databases.NAME": ("dbname", "checks", "smokes")},
    )
    _one_password(read, at, reading)
    backup = raw.get("backup", {}) if isinstance(raw, dict) else {}
    return read, _policy(backup, (*at, "backup"), reading, stores, policy)


def _inherited(shared: Table, own: Table) -> Table:
    """What a database takes from [defaults]: not what would silently win over its own words.

    libpq prefers a host given to it over the service file's, and a password over a passfile.
    """
    hidden: set[str] = set()
    if "pg_service" in own:
        hidden |= set(keys.FROM_SERVICE)
    if "password" in own or "passfile" in own:
        hidden |= {"password", "passfile"}
    return {field: value for field, value in shared.items() if field not in hidden}


def _one_password(read: Table, at: Place, reading: Reading) -> None:
    if "password" in read and "passfile" in read:
        reading.add(
            dotted(*at, "passfile"), "stands beside password, and libpq would never look at it.", "Keep one."
        )


def _policy(
    raw: object, at: Place, reading: Reading, stores: tuple[str, ...], policy: BackupPolicy
) -> BackupPolicy:
    read = reading.table(raw, at, keys.BACKUP, elsewhere={dotted(*at[:-1]): keys.DEFAULTS})
    _known_stores(read, at, reading, stores)
    _one_kind_of_recipient(read, at, reading)
    return replace(policy, **read)


def _known_stores(read: Table, at: Place, reading: Reading, stores: tuple[str, ...]) -> None:
    for store in read.get("stores", ()):
        if store not in stores:
            near = nearest(store, stores)
            known = f"Known: {', '.join(map(dotted, stores))}." if stores else "There is no [stores.NAME]."
            reading.add(
                dotted(*at, "stores"),
                f'there is no store "{clean(store, 80)}".',
                f"Did you mean {dotted(near)}?" if near else known,
            )


def _one_kind_of_recipient(read: Table, at: Place, reading: Reading) -> None:
    if len({recipient.startswith("gpg:") for recipient in read.get("encrypt_to", ())}) > 1:
        reading.add(
            dotted(*at, "encrypt_to"),
            "names recipients of both age and GPG: a backup is encrypted by one of them.",
            "Keep the age and SSH keys, or the gpg: ones.",
        )


def _checks(raw: Table, at: Place, reading: Reading) -> tuple[SqlCheck, ...]:
    made: list[SqlCheck] = []
    for place, read in reading.listed(raw, (*at, "checks"), keys.CHECK):
        if read.get("name") in [check.name for check in made]:
            reading.add(dotted(*place, "name"), "another check of this database has the same name.")
        if len(read) == len(keys.CHECK):
            made.append(SqlCheck(**read))
    return tuple(made)


def _no_twins(databases: list[Database], reading: Reading) -> None:
    """Two names for one database would be restored and swapped under each other's feet."""
    seen: dict[tuple[Any, ...], str] = {}
    for database in databases:
        end = database.endpoint
        first = seen.setdefault((end.host, end.port, end.pg_service, database.dbname), database.name)
        if first != database.name:
            reading.add(
                dotted("databases", database.name),
                f"is the same database as {dotted('databases', first)}: same host, port and dbname.",
                "Say what differs, or keep one of them.",
            )


def _no_mixed_backups(databases: list[Database], reading: Reading) -> None:
    """A backup is found again by the database's name on its server, in its key and in its archive.

    So in one store staging's `app` would be offered for production's, and pruned with it.
    """
    seen: dict[tuple[str, str], str] = {}
    for database in databases:
        for store in database.backup.stores:
            first = seen.setdefault((store, database.dbname), database.name)
            if first != database.name:
                reading.add(
                    dotted("databases", database.name, "backup", "stores"),
                    f"backups in {dotted(store)} could not be told from those of"
                    f" {dotted('databases', first)}: same dbname.",
                    "Give one of them a store of its own, a prefix or a directory.",
                )


def _components(raw: Table, reading: Reading, stores: tuple[str, ...]) -> tuple[Component, ...]:
    made = []
    for name, table in reading.named(raw, "components"):
        at = ("components", name)
        read = reading.table(table, at, keys.COMPONENT, required=("method",))
        _known_stores(read, at, reading, stores)
        _one_kind_of_recipient(read, at, reading)
        made.append(Component(name=name, **{"method": "", **read}))
    return tuple(made)


def _contacts(raw: Table, reading: Reading) -> tuple[Contact, ...]:
    made: list[Contact] = []
    for place, read in reading.listed(raw, ("contacts",), keys.CONTACT):
        if read.get("name") in [contact.name for contact in made]:
            reading.add(dotted(*place, "name"), "another contact has the same name.")
        if len(read) == len(keys.CONTACT):
            made.append(Contact(**read))
    return tuple(made)
