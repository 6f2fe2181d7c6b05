"""Each kind of message that PostgreSQL has for a restore, and what is said of it."""
# ruff: noqa: E501 - messages as PostgreSQL prints them, one row each

from __future__ import annotations

import pytest

from tui.model.backup import TocEntry, Verdict
from tui.model.verdict import ErrorClass
from tui.postgres.troubles.errors import entry_name, judge, verdict
from tui.postgres.troubles.knowledge import RULES

QUERY = "could not execute query: ERROR:  "


def entry(dump_id: int = 7, desc: str = "TABLE", needs: tuple[int, ...] = ()) -> TocEntry:
    return TocEntry(dump_id, desc, "users", "public", None, 2, "", None, None, None, needs, False, None)


@pytest.mark.parametrize(
    ("message", "kind", "harmless"),
    [
        (QUERY + 'role "x" does not exist\nCommand was: ALTER TABLE a.b OWNER TO x;', "role_missing", True),
        (QUERY + 'role "x" does not exist\nCommand was: GRANT SELECT ON TABLE a.b TO x;', "role_missing", True),
        (QUERY + 'role "a b" does not exist\nCommand was: GRANT ALL ON TABLE a.b TO "a b";', "role_missing", True),
        (QUERY + 'role "x" does not exist\nCommand was: ALTER DEFAULT PRIVILEGES FOR ROLE x IN SCHEMA s GRANT SELECT ON TABLES TO x;', "role_missing", True),
        # one query for all of an entry's rights: those of the application go with the missing role's
        (QUERY + 'role "x" does not exist\nCommand was: GRANT SELECT ON TABLE a.b TO x;\nGRANT ALL ON TABLE a.b TO app;\n', "role_missing", False),
        (QUERY + 'role "x" does not exist\nCommand was: GRANT SELECT ON TABLE x.b TO app;', "role_missing", False),
        (QUERY + 'role "x" does not exist\nCommand was: CREATE POLICY p ON t TO x USING (true);', "role_missing", False),
        ('could not set default_tablespace to fast: ERROR:  invalid value for parameter "default_tablespace": "fast"\nDETAIL:  Tablespace "fast" does not exist.', "tablespace_missing", True),
        (QUERY + 'extension "postgis" is not available\nDETAIL:  Could not open extension control file "/usr/share/x/postgis.control": No such file.\nCommand was: CREATE EXTENSION postgis;', "extension_missing", False),
        (QUERY + 'could not open extension control file "/usr/share/x/postgis.control": No such file or directory\nCommand was: CREATE EXTENSION postgis;', "extension_missing", False),
        (QUERY + 'could not access file "$libdir/postgis-3": No such file or directory\nCommand was: CREATE FUNCTION x', "extension_missing", False),
        (QUERY + "must be owner of extension plpgsql\nCommand was: COMMENT ON EXTENSION plpgsql IS 'x';", "extension_owned", True),
        (QUERY + "must be owner of extension x\nCommand was: ALTER EXTENSION x ADD TABLE t;", "extension_owned", False),
        (QUERY + 'schema "public" already exists\nCommand was: CREATE SCHEMA public;', "already_exists", True),
        (QUERY + 'language "plpgsql" already exists\nCommand was: CREATE LANGUAGE plpgsql;', "already_exists", True),
        (QUERY + 'schema "app" already exists\nCommand was: CREATE SCHEMA app;', "already_exists", False),
        (QUERY + 'relation "schema "public" already exists" already exists\nCommand was: CREATE TABLE x', "already_exists", False),
        (QUERY + 'unrecognized configuration parameter "transaction_timeout"\nCommand was: SET transaction_timeout = 0;', "setting_unknown", True),
        (QUERY + "function pg_catalog.pg_restore_relation_stats(unknown, integer) does not exist\nLINE 1: SELECT\nCommand was: SELECT * FROM pg_catalog.pg_restore_relation_stats(\n\t'version', '150018'::integer\n);", "statistics", True),
        (QUERY + "function pg_catalog.pg_restore_relation_stats(unknown, integer) does not exist\nCommand was: CREATE TABLE t AS SELECT * FROM pg_catalog.pg_restore_relation_stats('a', 1);", "statistics", False),
        (QUERY + 'unrecognized configuration parameter "app.tenant"\nCommand was: CREATE FUNCTION f() SET app.tenant = 1', "setting_unknown", False),
        (QUERY + "permission denied for schema public\nCommand was: CREATE TABLE public.t ();", "permission", False),
        (QUERY + 'permission denied to create extension "hstore"\nHINT:  Must be superuser.\nCommand was: CREATE EXTENSION hstore;', "permission", False),
        (QUERY + 'must be able to SET ROLE "x"\nCommand was: ALTER TABLE t OWNER TO x;', "permission", False),
        (QUERY + "must be owner of schema public\nCommand was: COMMENT ON SCHEMA public IS 'x';", "extension_owned", True),
        ('COPY failed for table "t": ERROR:  duplicate key value violates unique constraint "t_pkey"\nDETAIL:  Key (v)=(role "x" does not exist) already exists.', "data", False),
        ('COPY failed for table "t": ERROR:  new row for relation "t" violates check constraint "c"\nDETAIL:  Failing row contains (schema "public" already exists).', "data", False),
        ('COPY failed for table "t": ERROR:  invalid byte sequence for encoding "UTF8": 0xff', "data", False),
        (QUERY + 'insert or update on table "o" violates foreign key constraint "fk"\nDETAIL:  Key (u)=(9) is not present in table "users".\nCommand was: ALTER TABLE', "data", False),
        ('COPY failed for table "t": ERROR:  could not extend file "base/1/2": No space left on device', "out_of_space", False),
        (QUERY + "out of shared memory\nHINT:  You might need to increase max_locks_per_transaction.\nCommand was: CREATE TABLE", "out_of_locks", False),
        ('connection to server at "h", port 1 failed: FATAL:  sorry, too many clients already', "out_of_connections", False),
        (QUERY + "out of memory\nDETAIL:  Failed on request of size 8.", "out_of_memory", False),
        ("error returned by PQputCopyData: server closed the connection unexpectedly", "connection_lost", False),
        ('connection to server at "127.0.0.1", port 1 failed: Connection refused\n\tIs the server running?', "connection_lost", False),
        (QUERY + "terminating connection due to administrator command\nCommand was: CREATE INDEX", "connection_lost", False),
        (QUERY + "canceling statement due to statement timeout\nCommand was: CREATE INDEX", "cancelled", False),
        ("terminated by user", "cancelled", False),
        ("could not read from input file: end of file", "archive", False),
        ("found unexpected block ID (0) when reading data -- expected 3590", "archive", False),
        ("unsupported version (1.16) in file header", "archive", False),
        ("cannot restore from compressed archive (this build does not support compression with LZ4)", "archive", False),
        (QUERY + "current transaction is aborted, commands ignored\nCommand was: x", "dependency", False),
        (QUERY + 'syntax error at or near "MERGE"\nCommand was: MERGE', "unknown", False),
        (QUERY + 'function pg_catalog.new_thing() does not exist\nCommand was: x', "unknown", False),
        ("something that nobody has ever seen", "unknown", False),
    ],
)  # fmt: skip
def test_each_message_has_its_class_and_a_mend(message: str, kind: str, harmless: bool) -> None:
    error = judge(message, entry())
    assert (error.error_class, error.harmless) == (ErrorClass(kind), harmless)
    assert error.meaning.endswith((".", ")"))
    assert error.mend
    assert "{" not in error.meaning + error.mend
    assert error.message.splitlines()[0] == message.splitlines()[0]


def test_every_class_has_a_rule_or_is_judged_by_what_failed_before() -> None:
    assert {rule.error_class for rule in RULES} == set(ErrorClass)


def test_what_is_missing_after_another_failure_is_its_consequence() -> None:
    message = (
        QUERY + 'relation "public.users" does not exist\nCommand was: CREATE INDEX i ON public.users (id);'
    )
    assert judge(message, entry()).error_class is ErrorClass.UNKNOWN
    assert judge(message, entry(needs=(3,)), {3}).error_class is ErrorClass.DEPENDENCY


def test_messages_and_names_are_cleaned_and_bounded() -> None:
    error = judge(
        "x\x1b[31m\ny" * 9000,
        TocEntry(1, "TABLE", "a\nb\x07", "s", None, 2, "", None, None, None, (), False, None),
    )
    assert len(error.message) <= 4000
    assert "\x1b" not in error.message
    assert error.entry == "1 TABLE s.a\\x0ab\\x07"
    assert entry_name(entry()) == "7 TABLE public.users"


def test_a_role_in_a_mend_is_quoted() -> None:
    error = judge(QUERY + 'role "a"b" does not exist\nCommand was: ALTER TABLE t OWNER TO "a""b";', entry())
    assert error.harmless
    assert 'CREATE ROLE "a""b"' in error.mend


def test_verdicts() -> None:
    fine = judge(QUERY + 'schema "public" already exists\nCommand was: CREATE SCHEMA public;')
    bad = judge("could not read from input file: end of file")
    assert verdict([], 0) is Verdict.CLEAN
    assert verdict([fine], 1) is Verdict.EXPLAINED
    assert verdict([fine, bad], 1) is Verdict.FAILED
    assert verdict([fine], 1, missing_items=1) is Verdict.FAILED
    assert verdict([], 1) is Verdict.FAILED
    assert verdict([], -9) is Verdict.FAILED
    assert verdict([], 0, missing_items=2) is Verdict.FAILED
