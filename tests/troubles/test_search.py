"""The table of troubles is found by real messages, whatever names are in them, and by words as one types."""

# ruff: noqa: E501 (messages stand here as they are printed)

from __future__ import annotations

import pytest

from tui.model.trouble import Remedy
from tui.postgres.troubles.search import search
from tui.postgres.troubles.troubles import troubles

# The runbook's table, in its words.
RUNBOOK = {
    "pg_dump: connection refused": "connection-refused",
    "permission denied": "permission-denied",
    "database does not exist": "database-missing",
    "Restore hangs": "sessions-in-the-way",
    "Backup file corrupted": "archive-damaged",
    "Out of disk space": "disk-full",
}
# What that table says of their causes and mends.
CAUSES = {
    "Database not running": "connection-refused",
    "Wrong user": "permission-denied",
    "Database dropped": "database-missing",
    "Active connections": "sessions-in-the-way",
    "Terminate connections first": "sessions-in-the-way",
    "Disk issue": "archive-damaged",
    "Large database": "disk-full",
}
# As the programs of 15 and 18 print them, with names, numbers and addresses of other machines.
SAID = {
    'pg_dump: error: connection to server at "db7.internal" (10.1.2.3), port 6432 failed: Connection refused\n'
    "\tIs the server running on that host and accepting TCP/IP connections?": "connection-refused",
    'psql: error: connection to server on socket "/run/postgresql/.s.PGSQL.5434" failed: No such file or '
    "directory\n\tIs the server running locally and accepting connections on that socket?": "connection-refused",
    'pg_restore: error: connection to server at "::1", port 5432 failed: FATAL:  password authentication failed '
    'for user "reporting"': "password",
    'connection to server at "x", port 5432 failed: fe_sendauth: no password supplied': "password",
    'FATAL:  no pg_hba.conf entry for host "172.18.0.1", user "kong", database "kong", no encryption': "pg-hba",
    'FATAL:  database "billing-eu" does not exist': "database-missing",
    'pg_restore: error: could not execute query: ERROR:  role "grafana_ro" does not exist\n'
    "Command was: ALTER TABLE public.metrics OWNER TO grafana_ro;": "role-missing",
    'ERROR:  extension "pg_partman" is not available\nDETAIL:  Could not open extension control file '
    '"/usr/share/postgresql/15/extension/pg_partman.control": No such file or directory.': "extension-missing",
    "pg_dump: error: aborting because of server version mismatch\n"
    "pg_dump: detail: server version: 18.6; pg_dump version: 15.18 (Debian 15.18-0+deb12u1)": "version-mismatch",
    "pg_restore: error: unsupported version (1.16) in file header": "version-mismatch",
    "pg_restore: error: could not read from input file: end of file": "archive-damaged",
    "pg_restore: error: input file appears to be a text format dump. Please use psql.": "plain-sql",
    'ERROR:  database "shop" is being accessed by other users\n'
    "DETAIL:  There are 3 other sessions using the database.": "sessions-in-the-way",
    "ERROR:  canceling statement due to lock timeout": "sessions-in-the-way",
    "ERROR:  canceling statement due to statement timeout": "cancelled",
    "FATAL:  sorry, too many clients already": "too-many-connections",
    "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute":
        "too-many-connections",
    "ERROR:  out of shared memory\nHINT:  You might need to increase \"max_locks_per_transaction\".":
        "lock-table",
    'ERROR:  could not extend file "base/5/99": No space left on device\nHINT:  Check free disk space.':
        "disk-full",
    "pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "
    '"transaction_timeout"\nCommand was: SET transaction_timeout = 0;': "unknown-setting",
    'pg_dump: error: query failed: ERROR:  permission denied for table "AuditLog"\n'
    'pg_dump: detail: Query was: LOCK TABLE public."AuditLog" IN ACCESS SHARE MODE': "permission-denied",
    'ERROR:  duplicate key value violates unique constraint "users_pkey"\n'
    "DETAIL:  Key (id)=(1) already exists.": "rows-refused",
    'pg_restore: error: COPY failed for table "t": ERROR:  invalid byte sequence for encoding "UTF8": 0xe4':
        "encoding",
    "FATAL:  the database system is starting up": "starting-up",
    "FATAL:  the database system is not yet accepting connections\n"
    "DETAIL:  Consistent recovery state has not been yet reached.": "starting-up",
    "ERROR:  cannot execute DELETE in a read-only transaction": "read-only",
    "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n"
    "\tbefore or while processing the request.": "connection-lost",
    'could not translate host name "pg.prod" to address: Temporary failure in name resolution': "host-unknown",
    'ERROR:  query would be affected by row-level security policy for table "accounts"': "row-security",
    "WARNING:  database \"kong\" has a collation version mismatch": "collation-version",
    "ERROR:  invalid page in block 4711 of relation base/16384/24576": "page-damaged",
    'ERROR:  database "shop" is used by an active logical replication slot': "rename-blocked",
    "Error response from daemon: No such container: kong-database": "container",
    "gpg: decryption failed: No secret key": "key-missing",
    "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied": "store-refuses",
    "bash: line 1: pg_dump: command not found": "program-missing",
}  # fmt: skip
# As people type.
TYPED = {
    "conection refuzed": "connection-refused",
    "DISK FULL": "disk-full",
    "how do I kill the sessions": "sessions-in-the-way",
    "terminate active connections": "sessions-in-the-way",
    "wrong password": "password",
    "docker-compose": "container",
    "gzip compress stream to s3": "disk-full",
    "disable-triggers": "rows-refused",
    "rls policy": "row-security",
}


@pytest.mark.parametrize(("text", "key"), [*RUNBOOK.items(), *SAID.items()])
def test_a_message_is_known_for_sure_and_comes_first(text: str, key: str) -> None:
    first = search(text)[0]
    assert (first.trouble.key, first.sure) == (key, True)
    # Upper case, other line ends, and a program's name before it change nothing.
    assert search(f"2026-11-21 03:10:00.123 UTC [4711] {text.upper()}")[0].trouble.key == key


@pytest.mark.parametrize(("text", "key"), CAUSES.items())
def test_a_cause_of_the_runbooks_table_comes_first(text: str, key: str) -> None:
    assert search(text)[0].trouble.key == key


@pytest.mark.parametrize(("text", "key"), TYPED.items())
def test_words_find_it_too(text: str, key: str) -> None:
    assert key in [match.trouble.key for match in search(text)[:2]]


@pytest.mark.parametrize(
    "text", ["", "   ", "the weather", "hello world", "\x00\x1b[31m", "'\"[/bold]%s{0}", "é" * 9000]
)
def test_of_what_is_not_known_nothing_is_said(text: str) -> None:
    assert search(text) == ()


def test_every_trouble_is_found_by_its_own_messages_and_helps() -> None:
    for trouble in troubles():
        for said in (trouble.symptom, *trouble.said):
            found = [match.trouble.key for match in search(said)]
            assert found and found[0] == trouble.key, (said, found)
        assert trouble.cause and trouble.do and all(trouble.do)
    assert len({trouble.key for trouble in troubles()}) == len(troubles())


def test_what_judging_a_restore_knows_is_known_here_too() -> None:
    (found,) = search('pg_restore: error: could not set default_tablespace to fast: ERROR:  invalid value for '
                      'parameter "default_tablespace": "fast"')  # fmt: skip
    assert found.sure and "tablespace" in found.trouble.cause


def test_the_runbooks_rows_have_what_pgdr_can_do() -> None:
    can = {text: search(text)[0].trouble.remedies for text in RUNBOOK}
    assert Remedy.END_SESSIONS in can["Restore hangs"]
    assert Remedy.CREATE_DATABASE in can["database does not exist"]
    assert Remedy.CHECK_BACKUP in can["Backup file corrupted"]
    assert Remedy.SHOW_DISK in can["Out of disk space"]
    assert Remedy.ROLE in can["permission denied"]
    assert all(can.values())
