"""Plain SQL restored for real: whole, packed, hurt, hostile, and with errors of its own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.formats.conftest import Packed, dump, plan
from tui.model.backup import ArchiveFormat, Backup, Verdict
from tui.model.errors import ArchiveError, UsageError
from tui.model.plan import Level
from tui.model.verdict import ErrorClass
from tui.operations.backup.backup import Making
from tui.operations.catalogue.catalogue import describe, listing
from tui.stores.open import open_store

KEY = "shop-20261121-010210.sql"


@pytest.fixture(scope="module")
def sql(module_packed: Packed) -> bytes:
    """The world as plain SQL."""
    live, path = module_packed.world.live, module_packed.dumped / "sql"
    dump(live.server, live.name, path, ["-Fp"])
    return path.read_bytes()


def stops(packed: Packed, ref: str) -> list[str]:
    return [f.what for f in plan(packed, ref).findings if f.level is Level.STOP]


def listed(packed: Packed, store: str) -> list[Backup]:
    spec = next(s for s in packed.world.fleet.stores if s.name == store)
    return [backup for page in listing(open_store(spec)) for backup in page]


@pytest.mark.parametrize("store", ["local", "offsite"])
@pytest.mark.parametrize("ending", ["", ".gz", ".zst", ".lz4", ".age", ".gz.gpg"])
def test_plain_sql_is_listed_shown_planned_and_restored(
    packed: Packed, sql: bytes, store: str, ending: str
) -> None:
    ref = packed.put(store, KEY + ending, packed.bytes_of("sql", ending))
    (backup,) = listed(packed, store)
    assert (backup.ref, backup.format) == (ref, ArchiveFormat.PLAIN)
    assert backup.encryption == (ending[-3:] if ending[-3:] in ("age", "gpg") else None)
    planned = plan(packed, ref)
    assert not planned.stops and planned.jobs == 1
    assert any("statement by statement" in f.what for f in planned.findings)
    assert any("psql" in c and "ON_ERROR_STOP" in c for c in planned.commands)
    assert bool(planned.staging_bytes) is (store == "offsite")
    done = packed.restore(ref)
    assert (done.verdict, done.errors) == (Verdict.CLEAN, ())
    assert done.items > 20 and (done.fetched_bytes > 0) is (store == "offsite")
    packed.equal()
    assert not packed.staging.exists()


def test_what_is_in_it_is_shown_from_the_text(packed: Packed, sql: bytes) -> None:
    packed.put("local", KEY, sql)
    found = describe(open_store(packed.world.fleet.stores[0]), KEY)
    assert found.contents is not None and not found.contents.is_partial
    sizes = {t.name: t.compressed_bytes for t in found.tables}
    assert (
        found.tables[0].name == "wallets" and (sizes["wallets"] or 0) > 50_000 > (sizes["nothing"] or 0) > 0
    )
    assert found.contents.dump_version and found.contents.server_version


def test_inserts_and_clean_and_verbose_dumps_end_alike(packed: Packed, tmp_path: Path) -> None:
    live = packed.world.live
    for number, how in enumerate((["--inserts"], ["--clean", "--if-exists"], ["--clean"], ["--verbose"])):
        dump(live.server, live.name, tmp_path / "sql", ["-Fp", *how])
        ref = packed.put("local", f"{number}.sql", (tmp_path / "sql").read_bytes())
        done = packed.restore(ref, f"restored{number}")
        # What is to be dropped first isn't there in a fresh database: told, and nothing is missing for it
        assert done.verdict is (Verdict.EXPLAINED if how == ["--clean"] else Verdict.CLEAN)
        assert all("dropped" in error.meaning for error in done.errors)
        packed.equal(f"restored{number}")


def test_the_commands_shown_work_by_hand(packed: Packed, sql: bytes) -> None:
    for ending in ("", ".gz"):
        planned = plan(packed, packed.put("local", KEY + ending, packed.bytes_of("sql", ending)))
        for command in planned.commands:
            done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, (command, done.stderr)
        packed.equal("planned")
        packed.world.live.server.sql(f'DROP DATABASE "{planned.target}"')


def hurt(sql: bytes, how: str) -> bytes:
    rows = sql.index(b"COPY public.wallets")
    return {
        "cut in the rows": sql[: rows + 3000],
        "cut behind the rows": sql[: sql.index(b"\\.\n", rows) + 3],
        "cut in a statement": sql[: rows - 400] + b"CREATE TABLE x (",
        "without its last line": sql.replace(b"dump complete", b"dump"),
        "of a server": b"--\n-- PostgreSQL database cluster dump\n--\n\n" + sql,
        "with its database": b"CREATE DATABASE other;\n\\connect other\n" + sql,
        "with a command of psql's": sql.replace(b"CREATE TABLE", b"\\! touch /tmp/x\nCREATE TABLE", 1),
    }[how]


@pytest.mark.parametrize("store", ["local", "offsite"])
@pytest.mark.parametrize(
    "how",
    ["cut in the rows", "cut behind the rows", "cut in a statement", "without its last line", "of a server",
     "with its database", "with a command of psql's"],
)  # fmt: skip
def test_what_cannot_be_restored_is_refused_before_anything_is_made(
    packed: Packed, sql: bytes, store: str, how: str
) -> None:
    ref = packed.put(store, KEY, hurt(sql, how))
    if store == "local":
        assert stops(packed, ref)
    with pytest.raises(ArchiveError) as caught:
        packed.restore(ref)
    assert caught.value.mend
    assert re.search(r"cut short|one fresh database", caught.value.what)
    packed.nothing_left()


def test_a_dump_of_rows_alone_is_refused(packed: Packed, tmp_path: Path) -> None:
    live = packed.world.live
    dump(live.server, live.name, tmp_path / "sql", ["-Fp", "--data-only"])
    data = (tmp_path / "sql").read_bytes()
    assert any("not the tables" in what for what in stops(packed, packed.put("local", KEY, data)))
    with pytest.raises(ArchiveError, match="not the tables"):
        packed.restore(packed.put("offsite", KEY, data))
    packed.nothing_left()


@pytest.mark.parametrize("ending", [".gz", ".zst", ".lz4"])
@pytest.mark.parametrize("how", ["cut short", "overwritten", "other checksum", "garbage behind"])
def test_a_damaged_layer_is_found_before_anything_is_made(
    packed: Packed, sql: bytes, ending: str, how: str
) -> None:
    data = bytearray(packed.bytes_of("sql", ending))
    if how == "cut short":
        del data[-20:]
    elif how == "overwritten":  # one bit alone may lead to another copy of the same bytes
        data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    elif how == "other checksum":
        data[-5 if ending == ".gz" else -1] ^= 4
    else:
        data += b"something else"
    for store in ("local", "offsite"):
        with pytest.raises(ArchiveError, match=r"damaged|cut short"):
            packed.restore(packed.put(store, KEY + ending, bytes(data)))
        packed.nothing_left()


def test_names_that_say_something_else_are_told(packed: Packed, sql: bytes) -> None:
    custom, packed_sql = packed.bytes_of("dump"), packed.bytes_of("sql", ".gz")
    files = {"a.dump": sql, "b.sql": custom, "c.sql.gz": sql, "d.tar": custom, "e.sql": packed_sql}
    for key, data in files.items():
        ref = packed.put("local", key, data)
        assert any("By its name" in f.what for f in plan(packed, ref).findings if f.level is Level.WARNING), (
            key
        )
        assert packed.restore(ref, key[0]).verdict is Verdict.CLEAN
        packed.equal(key[0])


@pytest.mark.parametrize("data", [b"", b"   \n\n"])
def test_an_empty_file_is_no_dump(packed: Packed, data: bytes) -> None:
    with pytest.raises(ArchiveError):
        packed.restore(packed.put("local", KEY, data))
    packed.nothing_left()


def test_single_tables_cannot_be_taken_out(packed: Packed, sql: bytes) -> None:
    with pytest.raises(UsageError, match="Single tables"):
        packed.restore(packed.put("local", KEY, sql), tables=("public.users",))
    packed.nothing_left()


def test_each_error_is_tied_to_its_item_and_the_rest_goes_on(packed: Packed, sql: bytes) -> None:
    rows = sql.index(b"COPY public.orders")
    broken = sql[:rows] + sql[rows:].replace(b"\n1\t", b"\nx\\\\! touch /tmp/no\t", 1)
    broken = broken.replace(
        b"ALTER TABLE public.users OWNER TO pgdr_test", b"ALTER TABLE public.users OWNER TO gone"
    )
    broken = broken.replace(b"COPY public.nothing", b"COPY public.nothing_such")
    done = packed.restore(packed.put("local", KEY, broken))
    assert done.verdict is Verdict.FAILED
    errors = {re.sub(r"^\d+ ", "", e.entry or ""): e for e in done.errors}
    assert errors["TABLE public.users"].error_class is ErrorClass.ROLE_MISSING
    assert errors["TABLE public.users"].harmless
    assert errors["TABLE DATA public.orders"].error_class is ErrorClass.DATA
    assert not errors["TABLE DATA public.nothing"].harmless
    assert len(errors) == 3
    target = f"{packed.world.live.name}_restored"
    assert packed.world.count("wallets", target) == 600 and packed.world.count("orders", target) == 0
    assert (
        packed.world.live.server.sql(
            "SELECT count(*) FROM pg_indexes WHERE indexname = 'wallets_user'", target
        )
        == "1"
    )


def test_nothing_in_a_dump_runs_a_program(packed: Packed, sql: bytes, tmp_path: Path) -> None:
    """Rows behind a COPY that fails are never read as commands; commands elsewhere stop it before."""
    made = tmp_path / "made"
    evil = b"COPY public.gone (a) FROM stdin;\n\\! touch %s\n\\o | touch %s\n\\.\n" % (
        (str(made).encode(),) * 2
    )
    done = packed.restore(
        packed.put("local", KEY, sql.replace(b"COPY public.users", evil + b"COPY public.users", 1))
    )
    assert done.verdict is Verdict.FAILED and len(done.errors) == 1
    assert packed.world.count("users", f"{packed.world.live.name}_restored") == 400
    assert not made.exists()


def test_sql_of_others_is_restored_and_said_to_be_unknown(packed: Packed) -> None:
    ref = packed.put(
        "local", "seed.sql", b"CREATE TABLE seeds (n int);\nINSERT INTO seeds VALUES (1), (2);\n"
    )
    assert any("pg_dump didn't write it" in f.what for f in plan(packed, ref).findings)
    assert packed.restore(ref).verdict is Verdict.CLEAN
    assert packed.world.count("seeds", f"{packed.world.live.name}_restored") == 2


def test_one_that_is_no_longer_what_was_backed_up_is_refused(packed: Packed) -> None:
    made = packed.world.back_up(making=Making(ArchiveFormat.PLAIN))
    path = packed.place("local") / made.refs[0].partition(":")[2]
    assert packed.restore(made.refs[0]).rows
    path.write_bytes(path.read_bytes().replace(b"user17@", b"user71@"))
    with pytest.raises(ArchiveError, match="hash differs"):
        packed.restore(made.refs[0], "again")
