"""The statement that makes a database as it was, for the program to run and for a person to read."""

from __future__ import annotations

from psycopg import sql

from tui.postgres.facts.locales import BUILTIN, ICU, DatabaseLocale


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
