"""TOML into a fleet: defaults, inheritance, paths, what is left to libpq."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from tui.config.load import load, load_text
from tui.model.channels import Ntfy, Webhook
from tui.model.errors import ConfigError
from tui.model.fleet import (
    BackupPolicy,
    Criticality,
    Database,
    Endpoint,
    Fleet,
    GcsStore,
    LocalStore,
    S3Store,
)
from tui.model.secret import Secret

SOURCE = Path("/etc/pgdr/fleet.toml")


def read(text: str) -> Fleet:
    return load_text(text, SOURCE)


def test_one_line_is_enough() -> None:
    fleet = read("[databases.kong]")

    assert fleet == Fleet(
        name="fleet", source=SOURCE, databases=(Database(name="kong", dbname="kong", service="kong"),)
    )


def test_what_is_left_out_is_left_to_libpq() -> None:
    endpoint = read('[databases.kong]\npg_service = "gateway"').databases[0].endpoint

    said = {key: value for key, value in asdict(endpoint).items() if value is not None}
    assert said == {"pg_service": "gateway", "connect_timeout_s": 5, "maintenance_db": "postgres"}


def test_every_key_of_an_endpoint() -> None:
    endpoint = (
        read(
            """
            [databases.kong]
            host = "/run/postgresql"
            port = 6432
            user = "kong"
            password = { file = "secret" }
            pg_service = "gateway"
            sslmode = "verify-full"
            sslrootcert = "~/root.crt"
            connect_timeout = "1m"
            maintenance_db = "template1"
            """
        )
        .databases[0]
        .endpoint
    )

    assert endpoint == Endpoint(
        host="/run/postgresql",
        port=6432,
        user="kong",
        password=Secret(file=Path("/etc/pgdr/secret")),
        pg_service="gateway",
        sslmode="verify-full",
        sslrootcert=Path("~/root.crt").expanduser(),
        connect_timeout_s=60,
        maintenance_db="template1",
    )


def test_sslrootcert_system_is_no_path() -> None:
    endpoint = read('[databases.kong]\nsslrootcert = "system"').databases[0].endpoint
    assert endpoint.sslrootcert == Path("system")


def test_defaults_are_shared_and_own_words_win() -> None:
    first, second = read(
        """
        [stores.a]
        kind = "local"
        path = "a"
        [stores.b]
        kind = "local"
        path = "b"
        [defaults]
        host = "db"
        rto = "30m"
        criticality = "HIGH"
        [defaults.backup]
        every = "6h"
        stores = ["b"]
        [databases.one]
        [databases.two]
        host = "other"
        [databases.two.backup]
        every = "on demand"
        keep_for = "indefinite"
        stores = []
        """
    ).databases

    assert (first.endpoint.host, first.rto, first.criticality) == (
        "db",
        timedelta(minutes=30),
        Criticality.HIGH,
    )
    assert first.backup == BackupPolicy(every=timedelta(hours=6), stores=("b",))
    assert (second.endpoint.host, second.rto) == ("other", timedelta(minutes=30))
    assert second.backup == BackupPolicy(every=None, keep_for=None, stores=())


def test_a_database_with_its_own_service_inherits_no_host() -> None:
    """libpq prefers a host that it is given to the service file's: an inherited one would win unseen."""
    endpoint = (
        read('[defaults]\nhost = "prod"\nport = 1\nuser = "u"\n[databases.staging]\npg_service = "staging"')
        .databases[0]
        .endpoint
    )
    assert (endpoint.host, endpoint.port, endpoint.user) == (None, None, None)


def test_an_own_passfile_hides_an_inherited_password() -> None:
    fleet = read('[defaults]\npassword = { env = "PW" }\n[databases.a]\npassfile = "p"\n[databases.b]')
    own, inherited = (database.endpoint for database in fleet.databases)

    assert (own.password, own.passfile) == (None, Path("/etc/pgdr/p"))
    assert inherited.password == Secret(env="PW")


def test_backups_go_to_every_store_and_work_like_the_fleet_where_nothing_is_said() -> None:
    fleet = read(
        '[fleet]\njobs = 5\n[stores.a]\nkind = "local"\npath = "a"\n[stores.b]\nkind = "s3"\nbucket = "b"\n'
        "[databases.kong]"
    )
    assert fleet.databases[0].backup == BackupPolicy(stores=("a", "b"), jobs=5)


def test_stores_and_channels() -> None:
    fleet = read(
        """
        [stores.near]
        kind = "local"
        path = "../backups"
        offsite = true
        [stores.far]
        kind = "s3"
        bucket = "b"
        prefix = "k"
        endpoint_url = "http://127.0.0.1:9000"
        region = "r"
        path_style = true
        access_key = { env = "A" }
        secret_key = { file = "~/s" }
        offsite = false
        [channels.ntfy]
        kind = "ntfy"
        topic = { env = "T" }
        timeout = "3s"
        [channels.hook]
        kind = "webhook"
        url = { env = "U" }
        header = "Authorization"
        header_value = { env = "H" }
        [databases.kong]
        """
    )
    assert fleet.stores == (
        LocalStore("near", Path("/etc/pgdr/../backups"), offsite=True),
        S3Store(
            "far",
            "b",
            "k/",
            "http://127.0.0.1:9000",
            "r",
            None,
            Secret(env="A"),
            Secret(file=Path("~/s").expanduser()),
            path_style=True,
            offsite=False,
        ),
    )
    assert fleet.channels == (
        Ntfy("ntfy", Secret(env="T"), timeout_s=3),
        Webhook("hook", Secret(env="U"), "Authorization", Secret(env="H")),
    )


def test_stores_alone_are_a_fleet() -> None:
    fleet = read('[stores.s]\nkind = "gcs"\nbucket = "b"\n')
    assert fleet.stores == (GcsStore("s", "b"),)
    assert fleet.databases == ()


def test_checks_take_whole_numbers_as_text() -> None:
    fleet = read('[[databases.k.checks]]\nname = "n"\nsql = "SELECT 0"\nexpect = 0\n')
    assert fleet.databases[0].checks[0].expect == "0"


def test_a_file_with_a_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    path = tmp_path / "pgdr.toml"
    path.write_bytes(b'\xef\xbb\xbf[fleet]\r\nname = "K"\r\n[databases.kong]\r\n')
    assert load(path).name == "K"


def test_relative_paths_start_at_the_file_not_at_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "pgdr.toml").write_text('[databases.k]\n[stores.s]\nkind="local"\npath="b"\n')
    monkeypatch.chdir(tmp_path)

    fleet = load(Path("conf/pgdr.toml"))

    assert fleet.source == tmp_path / "conf" / "pgdr.toml"
    assert fleet.stores == (LocalStore("s", tmp_path / "conf" / "b"),)


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"could not be read: |is no file") as raised:
        load(tmp_path / name)
    assert raised.value.exit_code == 2


def test_loading_imports_little() -> None:
    code = (
        "import sys, tui.config.load; print(*{'textual', 'boto3', 'psycopg', 'cattrs'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_one_dbname_on_two_servers_with_a_store_each() -> None:
    fleet = read(
        """
        [stores.a]
        kind = "local"
        path = "a"
        [stores.b]
        kind = "local"
        path = "b"
        [databases.prod]
        host = "p"
        dbname = "app"
        backup.stores = ["a"]
        [databases.staging]
        host = "s"
        dbname = "app"
        backup.stores = ["b"]
        """
    )
    assert [d.backup.stores for d in fleet.databases] == [("a",), ("b",)]
