"""What PostgreSQL's messages mean and what to do about them: a table, no logic.

`RULES` judges one error of a restore; the first rule whose pattern is found decides. The table that a person
searches is troubles.toml. The messages are those of PostgreSQL 12 to 18 in English
(programs are started with LC_MESSAGES=C; a server that speaks another language gives UNKNOWN).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.model.verdict import ErrorClass


@dataclass(frozen=True, slots=True)
class Rule:
    """What one kind of message means. `meaning` and `mend` may name what the pattern found: {0}.

    `harmless` is what the failed SQL command must match for the error to be harmless; None: it never
    is. Names and rows in a message come from outside, so such a rule's pattern spans its whole line.
    """

    error_class: ErrorClass
    pattern: re.Pattern[str]
    meaning: str
    mend: str
    harmless: re.Pattern[str] | None = None


def _re(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_RIGHTS = _re(
    r"^\s*(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES|SET SESSION AUTHORIZATION|RESET SESSION AUTHORIZATION"
    r"|ALTER (?!(SUBSCRIPTION|USER MAPPING)\b)[^;]* OWNER TO [^;]*;?\s*$)"
)
_COMMENT = _re(r"^\s*COMMENT ON [^;]*")
# The settings that pg_restore makes for its own session (_doSetFixedOutputState); no object has them.
_SESSION = _re(
    r"^\s*(SET|SELECT pg_catalog\.set_config\()\s*'?(statement_timeout|lock_timeout|transaction_timeout"
    r"|idle_in_transaction_session_timeout|row_security|xmloption|default_table_access_method)\b"
)
# The planner's statistics, in entries of their own (pg_dump.c, dumpRelationStats): from 18 on.
_STATISTICS = _re(r"^\s*SELECT \* FROM pg_catalog\.pg_restore_(relation|attribute)_stats\(")
_ALWAYS = _re("")

RULES: tuple[Rule, ...] = (
    Rule(
        ErrorClass.OUT_OF_SPACE,
        _re(r"No space left on device|could not extend file|disk full|Disk quota exceeded"),
        "The server's disk (or the staging disk) is full; what was being loaded is not there.",
        "Free space or enlarge the disk; then the restore can go on.",
    ),
    Rule(
        ErrorClass.OUT_OF_LOCKS,
        _re(r"out of shared memory|max_locks_per_transaction"),
        "The server's lock table is full: too many objects in one transaction.",
        "ALTER SYSTEM SET max_locks_per_transaction = 1024; restart the server; then the restore can go on.",
    ),
    Rule(
        ErrorClass.OUT_OF_CONNECTIONS,
        _re(r"too many clients already|remaining connection slots are reserved|too many connections for"),
        "The server has no connection left for pg_restore.",
        "Pause the services or raise max_connections, then go on, or restore again with fewer jobs.",
    ),
    Rule(
        ErrorClass.OUT_OF_MEMORY,
        _re(r"out of memory|Cannot allocate memory|invalid memory alloc request size"),
        "A process ran out of memory; the object it was working on is not there.",
        "Restore again with fewer jobs and a smaller maintenance_work_mem.",
    ),
    Rule(
        ErrorClass.CANCELLED,
        _re(r"canceling statement due to|terminated by user|canceling autovacuum"),
        "The statement was cancelled: by a person, or by a timeout of the server or the role.",
        "Look for statement_timeout and lock_timeout set on the role or database, then go on with it.",
    ),
    Rule(
        ErrorClass.CONNECTION_LOST,
        _re(r'FATAL:\s+database "(.+?)" does not exist'),
        "The database {0} that was to be restored into isn't there (any more).",
        "Go on with the restore, or start it again: it makes a fresh database of its own.",
    ),
    Rule(
        ErrorClass.PERMISSION,
        _re(r"authentication failed|no pg_hba\.conf entry|no password supplied"),
        "The server answers and refuses this user.",
        "Check user and password of this database in the configuration, and pg_hba.conf on the server.",
    ),
    Rule(
        ErrorClass.CONNECTION_LOST,
        _re(
            r"server closed the connection|terminating connection|connection to (server|database) .*failed"
            r"|could not connect to|no connection to the server|connection not open"
            r"|SSL (SYSCALL )?(error|connection)"
            r"|could not (receive|send) data|database system is (starting up|shutting down|in recovery)"
            r"|Connection (refused|reset|timed out)|PQputCopy(Data|End)|the connection was lost"
        ),
        "The connection to the server broke: it restarted, crashed or the network went away.",
        "See the server's log for a crash; when it answers again, the restore can go on.",
    ),
    Rule(
        ErrorClass.ARCHIVE,
        _re(r"unsupported version \((.+?)\) in file header"),
        "This archive (version {0}) was made by a newer pg_dump than this pg_restore understands.",
        "Use client programs at least as new as the server that the backup is from.",
    ),
    Rule(
        ErrorClass.ARCHIVE,
        _re(
            r"could not read from input file|end of file|could not find block ID|unexpected block ID"
            r"|unrecognized data block|magic string|input file (is too short|does not appear)|corrupt"
            r"|could not (uncompress|decompress)|ID \d+ out of range|file offset in dump file"
            r"|could not close data file"  # of a directory archive, where it is compressed and cut short
            r"|unexpected data offset|sanity check on integer|could not open input file"
            r"|incorrect (header|data) check|invalid (stored block|distance|block type|code lengths)"
        ),
        "The archive is damaged or cut short: what it should hold from here on is not restored.",
        "Use another store's copy of this backup, or the backup before it.",
    ),
    Rule(
        ErrorClass.ARCHIVE,
        _re(r"compressed archive|does not support compression|appears to be a text format"),
        "This pg_restore can't read this kind of file.",
        "Use a pg_restore built with this compression; restore plain SQL with psql -v ON_ERROR_STOP=1.",
    ),
    Rule(
        ErrorClass.SETTING_UNKNOWN,
        _re(r'^could not execute query: ERROR:\s+unrecognized configuration parameter "([\w.]+)"$'),
        "The server is older than pg_restore and doesn't know the setting {0}; it only steers the session.",
        "Nothing to do. A pg_restore of the server's own version would not say it.",
        _SESSION,
    ),
    Rule(
        ErrorClass.STATISTICS,
        _re(
            r"^could not execute query: ERROR:\s+"
            r"function pg_catalog\.pg_restore_(?:relation|attribute)_stats\([^()]*\) does not exist$"
        ),
        "The server is older than 18 and can't take the planner's statistics over from the backup.",
        "Nothing to do: the ANALYZE at the end of the restore makes its own.",
        _STATISTICS,
    ),
    Rule(
        ErrorClass.TABLESPACE_MISSING,
        _re(r'^could not set "?default_tablespace"? to "?(.+?)"?: ERROR:.*invalid value for parameter'),
        "The tablespace {0} isn't on this server; what was in it is put into the default one.",
        "Nothing to do unless the disk is too small; else create the tablespace and restore again.",
        _ALWAYS,
    ),
    Rule(
        ErrorClass.ROLE_MISSING,
        _re(r'^could not execute query: ERROR:\s+role "(.+)" does not exist$'),
        "The role {0} isn't on this server: it neither owns nor may use what the backup says it should.",
        'CREATE ROLE "{0}"; (or psql -f …globals.sql), then run the failed command again.',
        _RIGHTS,
    ),
    Rule(
        ErrorClass.ROLE_MISSING,
        _re(r'role "(.+?)" does not exist'),
        "The role {0} isn't on this server, and an object of the backup can't do without it.",
        'CREATE ROLE "{0}"; (or psql -f …globals.sql), then restore again.',
    ),
    Rule(
        ErrorClass.EXTENSION_OWNED,
        _re(
            r"^could not execute query: ERROR:\s+must be owner of ((?:extension|language) .+|schema public)$"
        ),
        "Only the owner of the {0} may do that, and the restore isn't run by it; a comment is missing.",
        "Nothing to do. A superuser would not see it.",
        _COMMENT,
    ),
    Rule(
        ErrorClass.EXTENSION_MISSING,
        _re(
            r'extension "(.+?)" is not available|could not open extension control file ".*?([^/"]+)\.control"'
            r'|extension "(.+?)" has no installation script'
            r'|could not (?:access|load) (?:file|library) "(.+?)"'
        ),
        "The extension {0} isn't installed on this server; everything that uses it fails too.",
        "Install its package for this major version (such as postgresql-17-{0}), then restore again.",
    ),
    Rule(
        ErrorClass.PERMISSION,
        _re(r'permission denied to create extension "(.+?)"'),
        "The restoring user may not create the extension {0}.",
        'As superuser, in the fresh database: CREATE EXTENSION "{0}"; or restore as a superuser.',
    ),
    Rule(
        ErrorClass.PERMISSION,
        _re(r"permission denied|must be (superuser|owner|member|able|a member)|insufficient privilege"),
        "The restoring user may not do that; the object or its owner is not as in the backup.",
        "Restore as a superuser, or as the owner of everything in the backup.",
        _COMMENT,
    ),
    Rule(
        ErrorClass.ALREADY_EXISTS,
        _re(
            r"^could not execute query: ERROR:\s+"
            r'(schema "public"|(?:language|extension) "plpgsql") already exists$'
        ),
        "Every new database has the {0} already.",
        "Nothing to do.",
        _ALWAYS,
    ),
    Rule(
        ErrorClass.ALREADY_EXISTS,
        _re(r"already exists(?! with different)|multiple primary keys for table|is already a partition"),
        "It was there before the restore: the target wasn't empty, so old and new may be mixed.",
        "Restore into a fresh database.",
    ),
    Rule(
        ErrorClass.DATA,
        _re(r"invalid byte sequence|has no equivalent in encoding|conversion between .* not supported"),
        "Text in the backup doesn't fit the target's encoding.",
        "Create the target with the backup's encoding (see its DATABASE entry), then restore again.",
    ),
    Rule(
        ErrorClass.DATA,
        _re(
            r"COPY failed|violates|is violated by|could not create (unique index|exclusion constraint)"
            r"|duplicate key|invalid input|value too long|out of range|no partition of relation"
            r"|missing data for column|extra data after|null value in column|cannot be cast|unterminated COPY"
            r"|invalid large.object|could not write to large object|could not create large object"
        ),
        "Rows don't fit: they are refused by a type, a constraint or a partition, or exist already.",
        "Don't use this restore. Restore again into a fresh database, or use another backup.",
    ),
    Rule(
        ErrorClass.DEPENDENCY,
        _re(r"current transaction is aborted|worker process (died|failed)"),
        "It failed because something before it failed.",
        "Mend the errors before this one.",
    ),
    Rule(
        ErrorClass.UNKNOWN,
        _re(r"syntax error at or near|unrecognized|not supported|unsupported"),
        "The server doesn't understand the command: it is probably older than the server the backup is from.",
        "Restore into a server at least as new as the backup's.",
    ),
)
