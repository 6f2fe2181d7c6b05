"""Plain SQL taken apart: where statements and rows end, whatever is in them and however the bytes arrive."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tui.postgres.archive.plain import Plain, is_dump, is_sql, read_plain
from tui.postgres.archive.script import Named, Odd, Part, Rows, RowsEnd, Statement, parts

TEXT = (
    rb"""--
-- PostgreSQL database dump
--
\restrict mK2b
-- Dumped from database version 15.18 (Debian 15.18-1)
-- Dumped by pg_dump version 18.6
SET client_encoding = 'LATIN1';
SET standard_conforming_strings = on;
--
-- Name: add(integer, integer); Type: FUNCTION; Schema: public; Owner: ann
--
CREATE FUNCTION public.add(a integer, b integer) RETURNS integer LANGUAGE sql
    BEGIN ATOMIC SELECT CASE WHEN a > 0 THEN a ELSE 0 END; SELECT (a + b); END;
CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $_$ BEGIN
-- Name: not an item; Type: TABLE; Schema: public; Owner: ann
COPY public.no (a) FROM stdin;
\! touch /tmp/no
END; $_$;
CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); -- said; twice
SELECT 'it''s;', E'a\';b', "q;""x", U&'\0041;', 'a$b$;' AS a$b$c, $1, B'01;', '
COPY public.no (a) FROM stdin;
';
/* ; /* one in the other ; */ \! ; */
SELECT E'a'
  '\';';
--
-- Name: caf"""
    + "é".encode("latin1")
    + rb"""; Type: TABLE; Schema: public; Owner: ann; Tablespace: fast
--
CREATE TABLE t (a text);
--
-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: ann
--
COPY public.t (a) FROM stdin;
1	\\.
\.x
 \.
\.
--
-- Data for Name: e; Type: TABLE DATA; Schema: public; Owner: ann
--
COPY public.e (a) FROM stdin;
\.
-- PostgreSQL database dump complete
\unrestrict mK2b
"""
)


def cut(text: bytes, size: int) -> list[bytes]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def joined(found: list[Part]) -> list[Part]:
    """The parts with neighbouring rows in one, however they came."""
    made: list[Part] = []
    for part in found:
        if isinstance(part, Rows) and made and isinstance(made[-1], Rows):
            made[-1] = Rows(made[-1].data + part.data)
        else:
            made.append(part)
    return made


def read(text: bytes, *, whole: bool = True) -> Plain:
    return read_plain([text], datetime(2026, 11, 21, tzinfo=timezone.utc), whole=whole)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 1 << 20])
def test_statements_and_rows_end_where_psql_ends_them(size: int) -> None:
    found = joined(list(parts(cut(TEXT, size))))
    statements = [part.text for part in found if isinstance(part, Statement)]
    assert len(statements) == 10
    assert statements[2].endswith(b"SELECT (a + b); END;")
    assert statements[3].endswith(b"END; $_$;") and b"touch" in statements[3]
    assert statements[4].endswith(b"SELECT 2);")
    assert statements[5].endswith(b"FROM stdin;\n';")
    assert statements[6].endswith(b"SELECT E'a'\n  '\\';';")
    assert [part.copies for part in found if isinstance(part, Statement)][-2:] == [True, True]
    assert [part.data for part in found if isinstance(part, Rows)] == [b"1\t\\\\.\n\\.x\n \\.\n"]
    assert sum(isinstance(part, RowsEnd) for part in found) == 2
    assert [part.desc for part in found if isinstance(part, Named)] == [
        "FUNCTION", "TABLE", "TABLE DATA", "TABLE DATA",
    ]  # fmt: skip
    assert not [part for part in found if isinstance(part, Odd)]


def test_what_a_dump_says_of_itself() -> None:
    plain = read(TEXT)
    assert plain.by_pg_dump and plain.complete and plain.cut is None and plain.odd == ()
    contents = plain.contents
    assert contents.server_version == "15.18 (Debian 15.18-1)" and contents.dump_version == "18.6"
    assert [(e.dump_id, e.desc, e.name) for e in contents.entries] == [
        (1, "FUNCTION", "add(integer, integer)"),
        (2, "TABLE", "café"),
        (3, "TABLE DATA", "t"),
        (4, "TABLE DATA", "e"),
    ]
    table = contents.entries[1]
    assert (table.schema, table.owner, table.tablespace, table.section) == ("public", "ann", "fast", 2)
    assert contents.sizes is not None and contents.sizes[3] > contents.sizes[4] > 0


def test_line_ends_of_another_system_change_nothing() -> None:
    assert read(TEXT.replace(b"\n", b"\r\n")).complete
    assert read(b"\xef\xbb\xbf" + TEXT).complete


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"SELECT 'x\n", "text or comment"),
        (b'SELECT "x\n', "text or comment"),
        (b"SELECT $a$ x $b$;\n", "text or comment"),
        (b"/* /* */ ;\n", "text or comment"),
        (b"SELECT (1;\n", "statement"),
        (b"CREATE TABLE t (a int)\n", "statement"),
        (b"COPY t FROM stdin;\n1\n2", "rows"),
        (b"COPY t FROM stdin;\n1\n\\", "rows"),
        (b"COPY t FROM stdin;\n", "rows"),
    ],
)
def test_a_text_that_ends_in_the_middle_is_cut(text: bytes, said: str) -> None:
    for size in (1, 1 << 20):
        found = list(parts(cut(text, size)))
        assert isinstance(found[-1], Odd) and found[-1].cut and said in found[-1].what


def test_the_last_line_needs_no_end() -> None:
    assert read(TEXT.removesuffix(b"\n\\unrestrict mK2b\n")).complete
    assert joined(list(parts([b"COPY t FROM stdin;\n1\n\\."])))[1:] == [Rows(b"1\n"), RowsEnd()]


@pytest.mark.parametrize(
    "line",
    [b"\\connect other\n", b"\\! touch /tmp/x\n", b"SELECT 1 \\gexec\n", b"\\restrict a b\n", b"\\.\n",
     b"COPY t FROM stdin; \\! touch /tmp/x\n", b"COPY t FROM stdin; SELECT 1;\n"],
)  # fmt: skip
def test_commands_of_psqls_are_odd_and_never_statements(line: bytes) -> None:
    found = list(parts([b"SELECT 1;\n" + line + b"SELECT 2;\n"]))
    assert any(isinstance(part, Odd) for part in found)
    assert not any(isinstance(part, Statement) and b"\\" in part.text for part in found)


def test_databases_are_not_made_by_one_databases_dump() -> None:
    assert "CREATE DATABASE" in read(b"CREATE DATABASE x;\n").odd[0]
    assert "\\connect" in read(b"\\connect x\n").odd[0]
    assert "whole server" in read(b"--\n-- PostgreSQL database cluster dump\n--\n").odd[0]


def test_what_begins_like_sql() -> None:
    assert is_dump(TEXT) and is_sql(TEXT)
    assert is_sql(b"\xef\xbb\xbfINSERT INTO t VALUES (1);") and not is_dump(b"INSERT INTO t VALUES (1);")
    assert not is_sql(b"PGDMP\x01\x0e") and not is_sql(b"") and not is_sql(b"-- \0 dump")
