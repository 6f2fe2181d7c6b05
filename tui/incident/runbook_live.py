"""The commands that touch the live database by hand, for bash: freezing it, putting another in its place, and
the ways back. They go on with the variables of the steps before them (see runbook_commands)."""

from __future__ import annotations

import shlex

from tui.incident.runbook_commands import NAME, NOW
from tui.model.fleet import Database


def freezing() -> tuple[str, ...]:
    """Lets nobody write to the live database any more; it may be read."""
    return (
        'psql -X -w -d "$ADMIN" -v live="$DB" <<\'SQL\'',
        "ALTER DATABASE :\"live\" SET default_transaction_read_only TO 'on';",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :'live';",
        "SQL",
    )


def thawing() -> tuple[str, ...]:
    """Lets writes in again, where they were frozen by hand."""
    return (
        'psql -X -w -d "$ADMIN" -v live="$DB" <<\'SQL\'',
        'ALTER DATABASE :"live" RESET default_transaction_read_only;',
        "SQL",
    )


def swapping() -> tuple[str, ...]:
    """Both renames in one transaction, with nobody in either database."""
    return (
        f'OLD="{NAME}_before_{NOW}"',
        'echo "new: $NEW   old: $OLD"    # write these down: undoing needs them',
        'psql -X -w -v ON_ERROR_STOP=1 -d "$ADMIN" \\',
        '  -v live="$DB" -v new="$NEW" -v old="$OLD" <<\'SQL\'',
        "SELECT count(*) > 0 AS there FROM pg_database WHERE datname = :'live' \\gset",
        "\\if :there",
        'ALTER DATABASE :"live" ALLOW_CONNECTIONS false;',
        "\\endif",
        'ALTER DATABASE :"new" ALLOW_CONNECTIONS false;',
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
        "  WHERE datname IN (:'live', :'new');",
        "BEGIN;",
        "\\if :there",
        'ALTER DATABASE :"live" RENAME TO :"old";',
        "\\endif",
        'ALTER DATABASE :"new" RENAME TO :"live";',
        "COMMIT;",
        'ALTER DATABASE :"live" ALLOW_CONNECTIONS true;',
        "\\if :there",
        'ALTER DATABASE :"old" ALLOW_CONNECTIONS true;',
        "\\endif",
        "SQL",
    )


def putting_back(database: Database) -> tuple[str, ...]:
    """Puts the rows that a live table lacks back into it, all or none; rows that are there stay."""
    table = database.key_tables[0] if database.key_tables else "SCHEMA.TABLE"
    return (
        f"TABLE={shlex.quote(table)}    # or another; those that it refers to come first",
        'COLUMNS_OF="$(psql -X -w -At -d "$NEW" -v t="$TABLE" <<\'SQL\'',
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute",
        "  WHERE attrelid = :'t'::regclass AND attnum > 0 AND NOT attisdropped",
        "    AND attgenerated = ''",
        "SQL",
        ')"',
        'psql -X -w -d "$NEW" -c "COPY (SELECT $COLUMNS_OF FROM $TABLE) TO STDOUT" \\',
        '  > "$WORK/back" && {',
        '  echo "SET default_transaction_read_only = off; BEGIN;"',
        '  echo "CREATE TEMP TABLE back AS SELECT $COLUMNS_OF FROM $TABLE WHERE false;"',
        '  echo "COPY back FROM STDIN;"; cat "$WORK/back"; echo "\\\\."',
        '  echo "INSERT INTO $TABLE ($COLUMNS_OF) OVERRIDING SYSTEM VALUE"',
        '  echo "  SELECT $COLUMNS_OF FROM back ON CONFLICT DO NOTHING; COMMIT;"',
        '} | psql -X -w -v ON_ERROR_STOP=1 -d "$DB"',
    )


def undoing() -> tuple[str, ...]:
    """The same two renames, the other way round."""
    return (
        '# NEW and OLD as they were written down; or look for them: psql -X -w -d "$ADMIN" -l',
        'psql -X -w -v ON_ERROR_STOP=1 -d "$ADMIN" \\',
        '  -v live="$DB" -v new="$NEW" -v old="$OLD" <<\'SQL\'',
        "SELECT count(*) > 0 AS kept FROM pg_database WHERE datname = :'old' \\gset",
        'ALTER DATABASE :"live" ALLOW_CONNECTIONS false;',
        "\\if :kept",
        'ALTER DATABASE :"old" ALLOW_CONNECTIONS false;',
        "\\endif",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
        "  WHERE datname IN (:'live', :'old');",
        "BEGIN;",
        'ALTER DATABASE :"live" RENAME TO :"new";',
        "\\if :kept",
        'ALTER DATABASE :"old" RENAME TO :"live";',
        "\\endif",
        "COMMIT;",
        "\\if :kept",
        'ALTER DATABASE :"live" ALLOW_CONNECTIONS true;',
        "\\endif",
        'ALTER DATABASE :"new" ALLOW_CONNECTIONS true;',
        "SQL",
    )
