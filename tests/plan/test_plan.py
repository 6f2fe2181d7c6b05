"""Plans on real servers: what they say when all is well, and that their mends mend."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plan.conftest import Planned, backed_up
from tests.servers import Bucket, FreshDatabase
from tui.config.write import text_of
from tui.files import write_whole
from tui.model.errors import PgdrError, UsageError
from tui.model.plan import Level
from tui.model.secret import Secret
from tui.operations.plan import archive as plan_archive
from tui.operations.plan import disk as plan_disk
from tui.postgres.databases.databases import create


def shell(command: str, cwd: Path) -> str:
    """Runs a command as a person would who copies it."""
    done = subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def test_all_is_well_and_everything_was_asked(planned: Planned) -> None:
    plan = planned.plan()
    assert [f for f in plan.findings if f.level is not Level.OK] == []
    asked = [f.about for f in plan.findings]
    assert len(set(asked)) == len(asked)
    assert set(asked) == {
        "client", "archive", "verified", "server", "rights", "target", "connections", "busy", "roles",
        "tablespaces", "locale", "locks", "data disk", "WAL disk",
    }  # fmt: skip
    said = {f.about: f.what for f in plan.findings}
    assert "the backup came from it" in said["server"] and (plan.system_identifier or "?") in said["server"]
    assert "3 tables with 1,400 rows" in said["archive"]
    assert "free" in said["data disk"] and "max_wal_size is 1.1 GB" in said["WAL disk"]


def test_the_commands_do_by_hand_what_the_restore_does(planned: Planned, tmp_path: Path) -> None:
    world = planned.world
    world.sql(f'CREATE ROLE "the app"; GRANT CONNECT ON DATABASE "{world.live.name}" TO "the app"')
    again = replace(planned, ref=world.back_up().refs[0])
    bin_directory = world.live.server.bin_directory
    for command in again.plan("by hand").commands:
        shell(f"PATH={bin_directory}:$PATH; {command}", tmp_path)
    assert world.count("wallets", "by hand") == 500
    acl = world.live.server.sql("SELECT datacl FROM pg_database WHERE datname = 'by hand'")
    assert '"the app\\"=c/' in acl or "the app" in acl
    assert int(world.live.server.sql("SELECT count(*) FROM pg_stats WHERE tablename = 'wallets'", "by hand"))


def test_the_commands_of_a_selection(planned: Planned, tmp_path: Path) -> None:
    bin_directory = planned.world.live.server.bin_directory
    for command in planned.plan("part", tables=("public.users",)).commands:
        shell(f"PATH={bin_directory}:$PATH; {command}", tmp_path)
    tables = planned.world.live.server.sql(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", "part"
    )
    assert tables == "users"
    with pytest.raises(UsageError):
        planned.plan("part", tables=("public.nosuch",))


def test_single_tables_bring_their_schema_along(planned: Planned, tmp_path: Path) -> None:
    world = planned.world
    world.sql('CREATE SCHEMA "the books"; CREATE TABLE "the books".entries AS SELECT 7 AS n')
    made = world.back_up(selection="tables", tables=(("the books", "entries"), ("public", "users")))
    part = replace(planned, ref=made.refs[0])
    found = part.finding("schemas")
    assert found.level is Level.OK and "the books will be made" in found.what
    bin_directory = world.live.server.bin_directory
    for command in part.plan("by hand").commands:
        shell(f"PATH={bin_directory}:$PATH; {command}", tmp_path)
    answer = world.answer("restore", part.ref, "--to", "by pgdr")
    assert (answer["verdict"], answer["errors"]) == ("clean", [])
    for name in ("by hand", "by pgdr"):
        assert world.live.server.sql('SELECT n FROM "the books".entries', name) == "7"
    assert not [f for f in planned.plan().findings if f.about == "schemas"]


def test_an_archive_elsewhere_is_read_as_it_loads_or_fetched_by_hand(
    db18: FreshDatabase, bucket: Bucket, tmp_path: Path
) -> None:
    planned = backed_up(db18, tmp_path, bucket=bucket)
    plan = planned.plan()
    fetch, check, *_ = plan.commands
    key = planned.ref.partition(":")[2]
    assert f"s3://{bucket.name}/{key} archive.dump --endpoint-url=http://127.0.0.1" in fetch
    shutil.copy(bucket.directory / key, tmp_path / "archive.dump")
    assert "OK" in shell(check, tmp_path)
    assert "nothing is staged" in next(f.what for f in plan.findings if f.about == "fetching")
    assert plan.staging_bytes == 0 and not [f for f in plan.findings if f.about == "staging disk"]


def test_a_target_that_exists_and_the_name_that_is_free(planned: Planned) -> None:
    server = planned.world.live.server
    server.sql('CREATE DATABASE "fresh"')
    found = planned.finding("target")
    assert found.level is Level.STOP and found.mend is not None
    free = found.mend.split("--to ")[1].split(";")[0]
    assert planned.finding("target", target=free).level is Level.OK
    server.sql(found.mend.split("needs that one: ")[1])
    assert planned.finding("target").level is Level.OK


def test_a_role_without_the_right_and_what_gives_it(
    planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = planned.world
    world.sql("""CREATE ROLE "poor one" LOGIN PASSWORD 'hush-7'; CREATE ROLE keeper""")
    world.sql(f'GRANT ALL ON DATABASE "{world.live.name}" TO "poor one"; ALTER TABLE users OWNER TO keeper')
    planned = replace(planned, ref=world.back_up().refs[0])
    monkeypatch.setenv("POOR", "hush-7")
    owner = world.database.endpoint.user
    end = replace(world.database.endpoint, user="poor one", passfile=None, password=Secret(env="POOR"))
    write_whole(
        world.config,
        text_of(replace(world.fleet, databases=(replace(world.database, endpoint=end),))),
    )
    rights, owners = planned.finding("rights"), planned.finding("owners")
    assert rights.level is Level.STOP and owners.level is Level.WARNING
    assert rights.mend is not None and owners.mend is not None
    assert "keeper" in owners.what and str(owner) in owners.what
    for mend in (rights.mend, owners.mend):
        world.live.server.sql(mend.removeprefix("As a superuser: "))
    assert planned.finding("rights").level is Level.OK
    assert not [f for f in planned.plan().findings if f.about == "owners"]


@pytest.mark.parametrize("beside", [True, False])
def test_missing_roles_and_the_statements_that_make_them(
    fresh: FreshDatabase, tmp_path: Path, beside: bool
) -> None:
    planned = backed_up(
        fresh,
        tmp_path,
        """CREATE ROLE "o""wner" CREATEDB; CREATE ROLE reader LOGIN;
           ALTER TABLE users OWNER TO "o""wner"; GRANT SELECT ON wallets TO reader""",
    )
    server = planned.world.live.server
    planned.world.sql('REASSIGN OWNED BY "o""wner" TO CURRENT_USER; DROP OWNED BY reader, "o""wner"')
    server.sql('DROP ROLE reader; DROP ROLE "o""wner"')
    if not beside:
        planned.archive.with_name(planned.archive.name + ".globals.sql").unlink()
        planned.archive.with_name(planned.archive.name + ".manifest.json").unlink()
    found = planned.finding("roles")
    assert found.level is Level.WARNING and found.mend is not None
    assert 'o"wner, reader' in found.what
    server.sql(found.mend.removeprefix("First: ").split("; then")[0])
    assert planned.finding("roles").level is Level.OK
    kept = server.sql(
        "SELECT rolname, rolcreatedb, rolcanlogin FROM pg_roles WHERE rolname ~ '\"wner|^reader'"
    )
    assert kept.splitlines() == (['o"wner|t|f', "reader|f|t"] if beside else ['o"wner|f|f', "reader|f|f"])


def test_many_missing_roles_are_made_from_the_file_beside_the_backup(
    fresh: FreshDatabase, tmp_path: Path
) -> None:
    roles = [f"clerk_{n}" for n in range(5)]
    made = "".join(f"CREATE ROLE {r}; GRANT SELECT ON users TO {r};" for r in roles)
    planned = backed_up(fresh, tmp_path, made)
    planned.world.sql(f"DROP OWNED BY {', '.join(roles)}; DROP ROLE {', '.join(roles)}")
    mend = planned.finding("roles").mend
    assert mend is not None and ".globals.sql" in mend
    command = mend.removeprefix("Create them first: ").split(" (errors")[0]
    subprocess.run(
        ["bash", "-c", f"PATH={fresh.server.bin_directory}:$PATH; {command}"],
        capture_output=True,
        check=False,
    )
    assert planned.finding("roles").level is Level.OK


def test_extensions_that_are_absent_older_or_need_a_restart(fresh: FreshDatabase, tmp_path: Path) -> None:
    planned = backed_up(fresh, tmp_path, "CREATE EXTENSION hstore; CREATE EXTENSION citext")
    assert "citext, hstore" in planned.finding("extensions").what
    beside = planned.archive.with_name(planned.archive.name + ".manifest.json")
    text = beside.read_text()
    version = planned.world.sql("SELECT extversion FROM pg_extension WHERE extname = 'hstore'")
    assert f'"hstore": "{version}"' in text
    beside.write_text(text.replace(f'"hstore": "{version}"', '"hstore": "9.10"'))
    older = planned.finding("extensions")
    assert older.level is Level.WARNING and f"hstore {version}, was 9.10" in older.what
    beside.write_text(text.replace(f'"hstore": "{version}"', '"hstore": "1.0"'))
    assert planned.finding("extensions").level is Level.OK


def test_an_extension_that_the_server_does_not_have(
    db15: FreshDatabase, db18: FreshDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = backed_up(db18, tmp_path, "CREATE EXTENSION hstore")
    real = plan_archive.extensions_of
    monkeypatch.setattr(plan_archive, "extensions_of", lambda entries: (*real(entries), "postgis", "pg_cron"))
    found = planned.finding("extensions")
    assert found.level is Level.STOP and "pg_cron" not in db15.sql("SELECT 1")
    assert "postgresql-18-NAME" in (found.mend or "") and "postgis" in found.what


def test_a_backup_of_a_newer_server(db18: FreshDatabase, db15: FreshDatabase, tmp_path: Path) -> None:
    planned = backed_up(db18, tmp_path)
    world = planned.world
    old = replace(world.database, endpoint=db15.endpoint, dbname=db15.name)
    write_whole(world.config, text_of(replace(world.fleet, databases=(old,))))
    found = planned.finding("server")
    assert found.level is Level.WARNING and "older than the server of the backup (18" in found.what
    assert "18" in (found.mend or "")
    assert planned.finding("database").level is Level.WARNING


def test_a_locale_that_the_server_lacks(planned: Planned) -> None:
    beside = planned.archive.with_name(planned.archive.name + ".manifest.json")
    text = beside.read_text()
    assert "UTF8, C: the server has it." in planned.finding("locale").what
    beside.write_text(text.replace('"collate": "C"', '"collate": "xx_XX.UTF-8"'))
    found = planned.finding("locale")
    assert found.level is Level.STOP and "xx_XX.UTF-8" in found.what
    assert "localedef -i xx_XX -f UTF-8 xx_XX.UTF-8" in (found.mend or "")
    beside.write_text(text.replace('"collate": "C"', '"collate": "C.utf8"'))
    assert planned.finding("locale").level is Level.OK
    beside.write_text(text.replace('"encoding": "UTF8"', '"encoding": "EBCDIC"'))
    assert "EBCDIC" in planned.finding("locale").what and planned.plan().stops


def test_a_database_that_is_sorted_by_another_provider(db15: FreshDatabase, tmp_path: Path) -> None:
    server = db15.server
    server.sql(f'DROP DATABASE "{db15.name}"')
    server.sql(
        f'CREATE DATABASE "{db15.name}" TEMPLATE template0 LOCALE_PROVIDER icu'
        " ICU_LOCALE 'de-AT' LOCALE 'C'"
    )
    planned = backed_up(db15, tmp_path)
    assert "UTF8, C, icu de-AT" in planned.finding("locale").what
    for command in planned.plan("sorted").commands:
        shell(f"PATH={server.bin_directory}:$PATH; {command}", tmp_path)
    provider = "SELECT datlocprovider, daticulocale FROM pg_database WHERE datname = 'sorted'"
    assert server.sql(provider) == "i|de-AT"


def test_disk_that_is_not_enough(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_disk, "_SORTING", 1e9)
    found = planned.finding("data disk")
    assert found.level is Level.STOP and "Free " in (found.mend or "")


def test_a_slot_that_nobody_reads_keeps_all_wal(planned: Planned) -> None:
    server = planned.world.live.server
    server.sql("SELECT pg_create_physical_replication_slot('lame', true)")
    found = planned.finding("WAL disk")
    assert found.level is Level.WARNING and "lame" in found.what and found.mend is not None
    server.sql(found.mend.split("needs it: ")[1])
    assert planned.finding("WAL disk").level is Level.OK


def test_a_server_that_writes_nothing_by_default(planned: Planned) -> None:
    server, endpoint = planned.world.live.server, planned.world.database.endpoint
    role = server.sql("SELECT current_user")
    assert not [f for f in planned.plan().findings if f.about == "read-only"]
    for where, said in (
        (f'DATABASE "{endpoint.maintenance_db}"', "the database"),
        (f'ROLE "{role}"', "the role"),
    ):
        server.sql(f"ALTER {where} SET default_transaction_read_only = on")
        reset = f"BEGIN READ WRITE; ALTER {where} RESET default_transaction_read_only; COMMIT"
        try:
            found = planned.finding("read-only")
            with pytest.raises(PgdrError, match="could not be made") as refused:
                create(endpoint, "never")
        finally:
            server.sql(reset)
        assert found.level is Level.STOP and said in found.what
        assert (found.mend or "").endswith(reset)
        assert "default_transaction_read_only" in (refused.value.mend or "")


def test_workers_that_find_no_connection(planned: Planned) -> None:
    found = planned.finding("connections", workers=64)
    assert found.level is Level.WARNING and found.mend is not None
    fewer = int(found.mend.rpartition(" ")[2])
    assert planned.finding("connections", workers=fewer).level is Level.OK


def test_what_else_is_at_work_on_the_server(planned: Planned) -> None:
    from tui.postgres.connection import connect

    with connect(planned.world.live.endpoint, application="pgdr restore-20261121T031415Z-a3f2"):
        found = planned.finding("busy")
    assert found.level is Level.WARNING
    assert found.mend == "Wait for it: pgdr attach restore-20261121T031415Z-a3f2"


def test_an_archive_without_manifest_tells_what_of_the_database_it_leaves_out(planned: Planned) -> None:
    world = planned.world
    name = world.live.name
    world.sql(
        f'ALTER DATABASE "{name}" SET work_mem = \'7MB\'; REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC'
    )
    world.sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = off')
    again = replace(planned, ref=world.back_up().refs[0])
    own = "Settings and rights of the database itself"
    assert not [f for f in again.plan().findings if f.what.startswith(own)]
    again.archive.with_name(f"{again.archive.name}.manifest.json").unlink()
    (found,) = (f for f in again.plan().findings if f.what.startswith(own))
    mend = found.mend or ""
    assert found.level is Level.WARNING and "default_transaction_read_only" not in mend
    assert "SET work_mem TO '7MB';" in mend and f"CONNECT,TEMPORARY ON DATABASE {name} FROM PUBLIC;" in mend


def test_more_tables_than_locks(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_archive, "_NEARLY", 1e-6)
    found = planned.finding("locks")
    assert found.level is Level.WARNING and "max_locks_per_transaction = " in (found.mend or "")


def test_a_backup_of_rows_alone_fills_no_fresh_database(planned: Planned) -> None:
    rows = replace(planned, ref=planned.world.back_up(selection="data").refs[0])
    assert rows.finding("archive").level is Level.STOP
    schema = replace(planned, ref=planned.world.back_up(selection="schema").refs[0])
    assert schema.finding("archive").level is Level.WARNING
