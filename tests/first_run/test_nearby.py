"""Finding what a first configuration could name: real servers, a real bucket, a real directory."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.first_run.conftest import Near
from tests.servers import Bucket
from tui.config.load import load, load_text
from tui.config.starter import write_first
from tui.model.errors import Refused, UsageError
from tui.model.fleet import Endpoint, LocalStore, S3Store, StoreSpec
from tui.model.secret import Secret
from tui.operations.first_run.config import Checked, check, first_fleet, first_text
from tui.operations.first_run.nearby import NearStore, Surroundings
from tui.postgres.facts.nearby import Answer, NearServer, named


def servers(around: Surroundings) -> dict[str, NearServer]:
    """What is known of each in the end, by how it is named."""
    found: dict[Endpoint, NearServer] = {}
    around.servers(lambda server: found.__setitem__(server.told_as, server))
    return {server.where: server for server in found.values()}


def stores(around: Surroundings) -> dict[str, NearStore]:
    found: dict[str, NearStore] = {}
    around.stores(lambda store: found.__setitem__(store.where, store))
    return found


def test_a_server_is_found_by_its_socket_as_the_usual_role(near: Near, home: Path) -> None:
    (found,) = servers(near.with_socket(home)).values()
    assert (found.answer, found.told_by) == (Answer.ANSWERS, "a socket")
    assert found.endpoint == Endpoint(str(near.sockets), near.port, "postgres")
    assert {database.name for database in found.databases} == {"shop", "empty"}
    assert found.version and found.version.startswith("18")


def test_a_server_is_found_by_its_port_and_says_what_it_needs(near: Near, home: Path) -> None:
    found = servers(near.around(home))[f"localhost:{near.port}"]
    assert (found.answer, found.told_by) == (Answer.PASSWORD, "an open port")
    assert found.mend and "~/.pgpass" in found.mend


def test_what_a_passfile_names_is_asked_and_told_once(near: Near, home: Path, passfile: Path) -> None:
    found = servers(near.around(home, PGPASSFILE=str(passfile)))
    assert set(found) == {f"{near.server.user}@127.0.0.1:{near.port}", "a:b@127.0.0.1:9"}
    answer = found[f"{near.server.user}@127.0.0.1:{near.port}"]
    assert answer.answer is Answer.ANSWERS and answer.endpoint.passfile == passfile
    assert found["a:b@127.0.0.1:9"].answer is Answer.SILENT
    assert found["a:b@127.0.0.1:9"].endpoint.maintenance_db == "shop"


def test_a_password_of_the_environment_is_written_by_its_name(
    near: Near, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = near.server.passfile.read_text().splitlines()[0].rpartition(":")[2]
    environ = {"PGHOST": "127.0.0.1", "PGPORT": str(near.port), "PGUSER": near.server.user}
    for name, value in (*environ.items(), ("PGPASSWORD", password)):
        monkeypatch.setenv(name, value)
    (found,) = servers(near.around(home, PGPASSWORD=password, **environ)).values()
    assert found.told_by == "the environment" and found.endpoint.password == Secret(env="PGPASSWORD")
    text = first_text(first_fleet(home / "pgdr.toml", [(found.endpoint, "shop")], ()))
    assert password not in text and "PGPASSWORD" in text


def test_services_of_a_file_are_named(home: Path) -> None:
    (home / ".pg_service.conf").write_text("# x\n[prod]\nhost=db\npassword=hidden\n[other one]\nport=1\n")
    found = [server.endpoint for server in named({}, home)]
    assert found == [Endpoint(pg_service="prod"), Endpoint(pg_service="other one")]


def test_a_directory_is_found_by_what_lies_in_it(near: Near, home: Path) -> None:
    (home / "backups").mkdir()
    (home / "backups" / "notes.txt").write_text("nothing of ours\n")
    around = Surroundings({}, home, home / "elsewhere", (str(home),))
    assert stores(around) == {}
    shutil.copy(near.archive, home / "backups" / "night.dump")
    found = stores(Surroundings({}, home, home / "elsewhere"))[str(home / "backups")]
    assert found.inside and (found.inside.backups, found.inside.databases) == (1, ("shop",))


def test_buckets_are_found_by_the_credentials_of_the_environment(
    near: Near, home: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = bucket.store
    assert spec.access_key and spec.access_key.file and spec.secret_key and spec.secret_key.file
    environ = {
        "AWS_ACCESS_KEY_ID": spec.access_key.file.read_text().strip(),
        "AWS_SECRET_ACCESS_KEY": spec.secret_key.file.read_text().strip(),
        "AWS_ENDPOINT_URL": spec.endpoint_url or "",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    shutil.copy(near.archive, bucket.directory / "shop-20261121-010210.dump")
    around = Surroundings(environ, home, home)
    found = stores(around)[f"s3://{bucket.name}/"]
    assert found.inside and found.inside.backups == 1 and isinstance(found.spec, S3Store)
    text = first_text(first_fleet(home / "pgdr.toml", (), [found.spec]))
    assert not any(environ[name] in text for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    assert load_text(text, home / "pgdr.toml").stores == (found.spec,)

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    (refused,) = (store for store in stores(around).values() if not store.named)
    assert refused.problem is not None and "another" not in str(refused.problem)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("db1", "db1:5432"),
        ("ann@db1:5433", "ann@db1:5433"),
        ("postgresql://ann@[::1]:5433/", "ann@::1:5433"),
        ("s3://bucket/k", "s3://bucket/k/"),
        ("azure://account/container", "azure://account/container/"),
        ("/some/where", "/some/where"),
    ],
)
def test_what_is_typed_is_understood(text: str, told: str, home: Path) -> None:
    assert Surroundings({}, home, home).typed(text).where == told


@pytest.mark.parametrize(
    "text", ["ann:hidden@db1", "postgres://ann:hidden@db1/x", "s3://k:hidden@b", "@db", "a b"]
)
def test_what_holds_a_password_or_is_no_address_is_not_taken(text: str, home: Path) -> None:
    with pytest.raises(UsageError) as raised:
        Surroundings({}, home, home).typed(text)
    assert "hidden" not in str(raised.value)


def test_names_are_told_apart_and_the_file_is_as_it_was_put_together(near: Near, tmp_path: Path) -> None:
    one, other = Endpoint("db1", 5432, "ann"), Endpoint("db2", 5432, "ann")
    given: list[StoreSpec] = [
        LocalStore("local", tmp_path / "a"),
        LocalStore("local", tmp_path / "b"),
        S3Store("offsite", "b"),
    ]
    path = tmp_path / "deep" / "pgdr.toml"
    fleet = first_fleet(path, [(one, "shop"), (other, "shop"), (other, "kong")], given)
    assert [database.name for database in fleet.databases] == ["shop", "shop-db2-5432", "kong"]
    assert [store.name for store in fleet.stores] == ["a", "b", "offsite"]
    assert fleet.databases[1].backup.stores == ()  # its backups would be taken for the other's
    write_first(path, first_text(fleet))
    assert load(path) == fleet
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Refused, match="it stays"):
        write_first(path, "")
    assert load(path) == fleet and [p.name for p in path.parent.iterdir()] == ["pgdr.toml"]


def test_every_part_is_tried(near: Near, tmp_path: Path) -> None:
    endpoint = Endpoint(str(near.sockets), near.port, "postgres")
    gone = LocalStore("gone", tmp_path / "gone")
    fleet = first_fleet(tmp_path / "x.toml", [(endpoint, "shop"), (endpoint, "lost")], [gone])
    tried: list[Checked] = []
    check(fleet, tried.append)
    assert {one.what.split(" on ")[0]: one.works for one in tried} == {
        "shop": True,
        "lost": False,
        "store gone": False,
    }
    assert all(one.mend for one in tried if not one.works)
