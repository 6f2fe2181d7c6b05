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


def database_comment(contents: Contents) -> str | None:
    """Given an archive's contents, returns the comment on its database; None where there is none.

    pg_dump writes it as a literal, with E and doubled backslashes where it holds any (dumpCommentExtended in
    pg_dump.c, appendStringLiteralConn in string_utils.c). pg_restore sets it only with --create.
    """
    entry = next(
        (e for e in contents.entries if e.desc == "COMMENT" and e.name.startswith("DATABASE ")), None
    )
    if entry is None:
        return None
    found = re.search(r" IS\s+(E?)'((?:[^']|'')*)';\s*\Z", entry.definition)
    if found is None:
        return None
    text = found[2].replace("''", "'")
    return text.replace("\\\\", "\\") if found[1] else text


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
