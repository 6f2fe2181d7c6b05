"""How a database was created: its encoding, its collation and who provides that."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.model.backup import Contents

LIBC, ICU, BUILTIN = "libc", "icu", "builtin"

# From which major version on a whole database may have its collation from there.
PROVIDED_SINCE = {LIBC: 0, ICU: 15, BUILTIN: 17}


@dataclass(frozen=True, slots=True)
class DatabaseLocale:
    """How an archive's database was created. `provider` compares texts by `locale` (and `rules`); with libc,
    and where nothing is said, by `collate` and `ctype`, which every database has."""

    encoding: str | None
    collate: str | None
    ctype: str | None
    owner: str | None
    provider: str = LIBC
    locale: str | None = None
    rules: str | None = None


PLAIN = DatabaseLocale(None, None, None, None)  # all of it as the server's own


def database_locale(contents: Contents) -> DatabaseLocale:
    """Given an archive's contents, returns how its database was created, from its DATABASE entry;
    None for what that doesn't say (pg_dump.c, dumpDatabase; LOCALE since 13 stands for both)."""
    entry = next((e for e in contents.entries if e.desc == "DATABASE"), None)
    if entry is None:
        return PLAIN

    def option(word: str) -> str | None:
        found = re.search(rf"\b{word} = '((?:[^']|'')*)'", entry.definition)
        return found[1].replace("''", "'") if found else None

    both = option("LOCALE")
    named = re.search(r"\bLOCALE_PROVIDER = (\w+)", entry.definition)
    return DatabaseLocale(
        option("ENCODING"),
        option("LC_COLLATE") or both,
        option("LC_CTYPE") or both,
        entry.owner,
        named[1] if named else LIBC,
        option("ICU_LOCALE") or option("BUILTIN_LOCALE"),
        option("ICU_RULES"),
    )
