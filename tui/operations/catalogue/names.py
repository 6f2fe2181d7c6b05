"""Keys: what a backup and the objects beside it are called, and what a key tells."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import quote, unquote

from tui.model.backup import Verdict, Verification
from tui.model.errors import UsageError
from tui.model.fleet import Fleet, StoreSpec
from tui.model.text import clean, stamp

MANIFEST = ".manifest.json"  # beside KEY lies KEY.manifest.json
GLOBALS = ".globals.sql"  # roles and tablespaces, which no archive of a database has

COMPONENTS = "components/"  # what is no database's: configuration files, docker volumes

_CLUSTER = "k8s-"  # in front of what was taken out of a pod: k8s-kong-20261121.dump
_CIPHER = r"(?:\.(?P<cipher>age|gpg))?"
# Of a tar that is compressed nothing says that it is a database's: its first bytes do
_ENDING = r"\.(?:tar|dir|(?:dump|dmp|backup|bak|pgdump|custom)(?:\.(?:gz|zst|lz4))?)"
_DATED = re.compile(
    r"(?P<database>.+?)[-_]"
    r"(?P<date>\d{8}|\d{4}-\d{2}-\d{2})"
    r"(?:[-_T](?P<time>\d{6}|\d{2}-\d{2}-\d{2})Z?)?" + _ENDING + _CIPHER,
    re.DOTALL,
)
# SQL of a date alone is often something else: a migration, a seed
_DATED_SQL = re.compile(
    r"(?P<database>.+?)-(?P<date>\d{8})-(?P<time>\d{6})\.sql(?:\.(?:gz|lz4|zst))?" + _CIPHER, re.DOTALL
)
_VERIFIED = re.compile(
    r"(?P<key>.+)\.verified\.(?P<at>\d{8}T\d{6}Z)\.(?P<verdict>clean|explained|failed)\.json", re.DOTALL
)
_COMPONENT = re.compile(
    re.escape(COMPONENTS) + r"(?P<name>[^/]+)-(?P<at>\d{8}-\d{6})\.tar\.gz(?:\.(?:age|gpg))?", re.DOTALL
)
_TOC = re.compile(r"/toc\.dat(?:\.(?:age|gpg))?\Z")
_NO_ARCHIVE = (".json", ".sha256", ".md5", ".txt", ".log", ".md", ".toml", ".yaml", ".yml", ".html")


@dataclass(frozen=True, slots=True)
class Told:
    """What a key tells: of which database, and when. `to_the_second` is False for a date alone."""

    database: str
    at: datetime
    to_the_second: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """An object that belongs to the archive `key`: its manifest, its globals, or a verification."""

    key: str
    is_manifest: bool = False
    verification: Verification | None = None


def key_for(database: str, moment: datetime, suffix: str = ".dump") -> str:
    """Given a database's name on the server and an aware moment, returns the key of its backup:
    `crypto_exchange-20261121-010210.dump`, in UTC, at the top of its store.

    Whatever a name holds (PostgreSQL allows `/`, line breaks and quotes), it is percent-encoded, so
    the key is one plain file name, and `told` gives the name back.
    """
    return f"{key_prefix(database)}{moment.astimezone(timezone.utc):%Y%m%d-%H%M%S}{suffix}"


def key_prefix(database: str) -> str:
    """What the keys that `key_for` makes for a database begin with; those of others may too."""
    name = quote(database, safe="")
    if name.startswith(_CLUSTER):
        name = "%6B" + name[1:]  # or the prefix would be taken for that of a cluster
    return f"{name}-"


def component_key(component: str, moment: datetime, suffix: str = ".tar.gz") -> str:
    """Given a component's name and an aware moment, returns the key of its backup:
    `components/configuration%20files-20261121-010210.tar.gz`, in UTC."""
    return f"{COMPONENTS}{quote(component, safe='')}-{moment.astimezone(timezone.utc):%Y%m%d-%H%M%S}{suffix}"


def component_told(key: str) -> tuple[str, datetime] | None:
    """Given a key, returns the component that it is a backup of, and when it was taken; else None."""
    found = _COMPONENT.fullmatch(key)
    if found is None:
        return None
    try:
        at = datetime.strptime(found["at"], "%Y%m%d-%H%M%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return unquote(found["name"]), at


def verification_key(key: str, verification: Verification) -> str:
    """The key beside `key` that tells, by a listing alone, when it was verified and with what verdict."""
    return f"{key}.verified.{stamp(verification.at)}.{verification.verdict.value}.json"


def told(key: str) -> Told | None:
    """Given a key, returns what its last part tells, times taken as UTC; None when it tells nothing.

    Knows `db-20261121-010210.dump`, `db_2026-11-21.dump`, `k8s-db-20261121.dump` and their kin.
    """
    name = key.rpartition("/")[2]
    found = _DATED.fullmatch(name) or _DATED_SQL.fullmatch(name)
    if found is None:
        return None
    digits = found["date"].replace("-", "") + (found["time"] or "000000").replace("-", "")
    try:
        at = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)
    except ValueError:  # the 31st of November: digits, but no date
        return None
    return Told(unquote(found["database"].removeprefix(_CLUSTER)), at, found["time"] is not None)


def beside(key: str) -> Beside | None:
    """Given a key, returns to which archive it belongs; None when it may itself be one."""
    for suffix in (MANIFEST, GLOBALS, *(f"{GLOBALS}.{kind}" for kind in ("age", "gpg"))):
        if key.endswith(suffix):
            return Beside(key.removesuffix(suffix), is_manifest=suffix == MANIFEST)
    found = _VERIFIED.fullmatch(key)
    if found is None:
        return None
    try:
        at = datetime.strptime(found["at"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return Beside(found["key"], verification=Verification(at, Verdict(found["verdict"])))


def called_archive(key: str) -> bool:
    """Whether a key ends as archives' names do."""
    return re.search(_ENDING + _CIPHER + r"\Z", key) is not None


def cipher_of(key: str) -> str | None:
    """What a backup of this key is encrypted with: "age", "gpg", None for not at all."""
    found = re.search(_CIPHER + r"\Z", key)
    return found["cipher"] if found else None


def may_be_archive(key: str) -> bool:
    """Whether it is worth looking inside an object whose key tells nothing."""
    return not key.lower().endswith(_NO_ARCHIVE)


def split_ref(fleet: Fleet, ref: str) -> tuple[StoreSpec, str]:
    """Given `STORE:KEY`, returns the store's configuration and the key.

    Raises UsageError when it isn't of that form or the fleet has no such store, with what comes near.
    """
    name, colon, key = ref.partition(":")
    key = _TOC.sub("", key).rstrip("/")  # a directory, as a shell completes it
    spec = fleet.store(name)
    if spec is not None and key:
        return spec, key
    names = [store.name for store in fleet.stores]
    if spec is not None or not colon:
        raise UsageError(
            f"“{clean(ref, 200)}” doesn't name a backup.",
            why="A backup is named STORE:KEY, as pgdr backups shows it.",
            mend=f"Stores: {_listed(names)}." if names else "The configuration names no store.",
        )
    raise UsageError(
        f"There is no store “{clean(name, 80)}”.",
        mend=_nearest(name, names) or "The configuration names none.",
    )


def _nearest(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3)
    if near:
        return f"Did you mean {' or '.join(clean(n) for n in near)}?"
    return f"There are: {_listed(names)}." if names else ""


def _listed(names: Collection[str]) -> str:
    return ", ".join(clean(n) for n in names)
