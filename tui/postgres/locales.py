"""How a database was created: its encoding, its collation and who provides that."""

from __future__ import annotations

import re
from dataclasses import dataclass

from psycopg import sql

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


def creation(name: str, locale: DatabaseLocale) -> sql.Composed:
    """Given a database's name and how it is to be, returns the statement that makes it, from template0, so
    that nothing of a site's template1 is in it. What is None is as in template0."""
    options: list[sql.Composable] = [sql.SQL("TEMPLATE template0")]
    if locale.owner is not None:
        options.append(sql.SQL("OWNER {}").format(sql.Identifier(locale.owner)))
    wanted = [("ENCODING", locale.encoding), ("LC_COLLATE", locale.collate), ("LC_CTYPE", locale.ctype)]
    if locale.provider == ICU:
        options.append(sql.SQL("LOCALE_PROVIDER icu"))
        wanted += [("ICU_LOCALE", locale.locale), ("ICU_RULES", locale.rules)]
    elif locale.provider == BUILTIN:
        options.append(sql.SQL("LOCALE_PROVIDER builtin"))
        wanted.append(("BUILTIN_LOCALE", locale.locale))
    for word, value in wanted:
        if value is not None:
            options.append(sql.SQL(word + " {}").format(sql.Literal(value)))
    return sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), sql.SQL(" ").join(options))


def creation_text(name: str, locale: DatabaseLocale) -> str:
    """Given the same, returns the statement as SQL that a person can run."""
    return creation(name, locale).as_string(None)
