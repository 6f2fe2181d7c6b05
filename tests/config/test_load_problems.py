"""What is wrong with a configuration: all of it at once, each with its key, none with a secret."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import cast

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tui.config.keys import TOP, known_keys
from tui.config.load import load, load_text
from tui.model.codec import without_none
from tui.model.errors import ConfigError, Problem
from tui.model.text import clean_lines

SOURCE = Path("/etc/pgdr/fleet.toml")
SECRET = "hunter2-Xk9"


def problems(text: str) -> dict[str, Problem]:
    """The problems of a configuration, by key."""
    with pytest.raises(ConfigError) as raised:
        load_text(text, SOURCE)
    assert raised.value.exit_code == 2
    found = {}
    for problem in raised.value.problems:
        assert problem.where.startswith(str(SOURCE))
        found[problem.where.removeprefix(f"{SOURCE}").removeprefix(": ")] = problem
    assert len(found) == len(raised.value.problems)
    return found


KONG = "[databases.kong]\n"
AZURE = "[stores.s]\nkind='azure'\ncontainer='c'\n"
STORE = '[stores.local]\nkind = "local"\npath = "b"\n'


@pytest.mark.parametrize(
    ("text", "key", "what", "mend"),
    [
        # tables
        ("", "databases", "neither a database nor a store", "[databases.NAME]"),
        (KONG + "[database.x]", "database", "not a table that is known", "[databases]"),
        ("databases = 5", "databases", "expected tables with a name each, found 5", "[databases.NAME]"),
        ("[databases]\nkong = 5", "databases.kong", "expected a table, found 5", "[databases.kong]"),
        ('[databases." "]', 'databases." "', "must not be empty", None),
        (
            KONG + "checks = 1",
            "databases.kong.checks",
            "expected a list of tables",
            "[[databases.kong.checks]]",
        ),
        (KONG + "backup = 1", "databases.kong.backup", "expected a table", None),
        (KONG + "[fleet]\nnmae = 1", "fleet.nmae", "not a key", "Did you mean name?"),
        (KONG + "[contacts]\nname = 'a'", "contacts", "expected a list of tables", "[[contacts]]"),
        (
            KONG + "[scenarios.site_lost]\nrto='4h'",
            "scenarios.site_lost",
            "is no scenario",
            "Did you mean [scenarios.site-lost]?",
        ),
        (KONG + "[scenarios.restart]\nrto='soon'", "scenarios.restart.rto", "", None),
        # unknown keys, and keys in the wrong table
        (KONG + "prot = 1", "databases.kong.prot", "not a key", "Did you mean port?"),
        (KONG + "username = 'k'", "databases.kong.username", "not a key", "Did you mean user?"),
        (KONG + "key-tables = []", "databases.kong.key-tables", "not a key", "Did you mean key_tables?"),
        (KONG + "every = '6h'", "databases.kong.every", "not a key", "[databases.kong.backup]"),
        (KONG + "backup.port = 1", "databases.kong.backup.port", "not a key", "[databases.kong]"),
        (KONG + "[defaults]\ndbname = 'x'", "defaults.dbname", "not a key", "[databases.NAME]"),
        (KONG + "[defaults]\nkeep_for = '7d'", "defaults.keep_for", "not a key", "[defaults.backup]"),
        (KONG + "zzzzzzzz = 1", "databases.kong.zzzzzzzz", "not a key", None),
        # values
        (KONG + "port = 0", "databases.kong.port", "from 1 to 65535, found 0", None),
        (KONG + "port = 65536", "databases.kong.port", "found 65536", None),
        (KONG + "port = '5432'", "databases.kong.port", 'found "5432"', "without quotes"),
        (KONG + "port = true", "databases.kong.port", "found true", None),
        (KONG + "port = 1.5", "databases.kong.port", "found a number with a point", None),
        (KONG + "port = 2020-01-01", "databases.kong.port", "found a date or time", None),
        (KONG + "user = 5", "databases.kong.user", "expected text in quotes, found 5", None),
        (KONG + "user = ''", "databases.kong.user", "is empty", None),
        (KONG + 'user = "a\\u0000b"', "databases.kong.user", "NUL", None),
        (KONG + f"dbname = '{'ü' * 32}'", "databases.kong.dbname", "64 bytes", None),
        (KONG + "host = 'db:5433'", "databases.kong.host", "with its port", "port as a key"),
        (KONG + "place = 'moon'", "databases.kong.place", 'found "moon"', None),
        (KONG + "place = 'docker:'", "databases.kong.place", "docker:CONTAINER", None),
        (KONG + "criticality = 'urgent'", "databases.kong.criticality", '"low", found "urgent"', None),
        (KONG + "criticality = 1", "databases.kong.criticality", "found 1", None),
        (KONG + "sslmode = 'on'", "databases.kong.sslmode", '"verify-full", found "on"', None),
        (KONG + "rpo = '6 hours'", "databases.kong.rpo", 'such as "6h"', None),
        (KONG + "rto = 30", "databases.kong.rto", "found 30", None),
        (KONG + "connect_timeout = '1h'", "databases.kong.connect_timeout", '"1s" to "10m"', None),
        (KONG + "backup.every = 'daily'", "databases.kong.backup.every", '"on demand", found "daily"', None),
        (KONG + "backup.keep_for = 'ever'", "databases.kong.backup.keep_for", '"indefinite"', None),
        (KONG + "backup.keep_at_least = 0", "databases.kong.backup.keep_at_least", "from 1", None),
        (KONG + "schemas = 'public'", "databases.kong.schemas", "expected a list", "[ ]"),
        (KONG + "schemas = ['a', 5]", "databases.kong.schemas", "item 2: expected text", None),
        (KONG + "services = ['a', 'a']", "databases.kong.services", 'names "a" twice', None),
        (KONG + "freshness = ['orders']", "databases.kong.freshness", "table.column", None),
        (KONG + "health_url = 'ftp://h/'", "databases.kong.health_url", "http://", None),
        (KONG + "health_url = 'http://h:x/'", "databases.kong.health_url", "http://", None),
        (KONG + "health_url = 'http://[h/'", "databases.kong.health_url", "http://", None),
        (KONG + "passfile = '~nosuchuserhere/p'", "databases.kong.passfile", "no home directory", None),
        (KONG + "[programs]\ndirectories = [1]", "programs.directories", "item 1", None),
        (KONG + "[fleet]\njobs = 0", "fleet.jobs", "from 1 to 64", None),
        # references and names that meet
        (STORE + KONG + "backup.stores = ['locl']", "databases.kong.backup.stores", '"locl"', "mean local?"),
        (KONG + "backup.stores = ['x']", "databases.kong.backup.stores", '"x"', "no [stores.NAME]"),
        (
            STORE + KONG + "[defaults.backup]\nstores = ['xyz']",
            "defaults.backup.stores",
            '"xyz"',
            "Known: local",
        ),
        (KONG + "[databases.b]\ndbname = 'kong'", "databases.b", "same database as databases.kong", None),
        (
            KONG + STORE + "[stores.b]\nkind='local'\npath='./b'",
            "stores.b",
            "same place as stores.local",
            None,
        ),
        (
            KONG + "checks = [{name='n',sql='s',expect='e'},{name='n',sql='t',expect='e'}]",
            "databases.kong.checks[2].name",
            "another check",
            None,
        ),
        (
            KONG + "[[contacts]]\nname='n'\nhow='h'\n[[contacts]]\nname='n'\nhow='i'",
            "contacts[2].name",
            "another contact",
            None,
        ),
        (
            STORE + KONG + "host = 'a'\n[databases.b]\nhost = 'b'\ndbname = 'kong'",
            "databases.b.backup.stores",
            "backups in local could not be told from those of databases.kong",
            "a store of its own",
        ),
        # what is missing
        (KONG + "[[contacts]]\nname = 'n'", "contacts[1].how", "is missing", None),
        (
            KONG + "[[databases.kong.checks]]\nname='n'\nsql='s'",
            "databases.kong.checks[1].expect",
            "missing",
            None,
        ),
        (KONG + "[stores.s]\npath = 'p'", "stores.s.kind", "is missing", "local, s3"),
        (KONG + "[stores.s]\nkind = 'ftp'", "stores.s.kind", '"azure" or "gcs", found "ftp"', None),
        (KONG + "[stores.s]\nkind = ['s3']", "stores.s.kind", "found a list", None),
        (KONG + "[stores.s]\nkind = 'local'", "stores.s.path", "is missing", None),
        (KONG + "[stores.s]\nkind = 's3'", "stores.s.bucket", "is missing", None),
        (KONG + "[stores.s]\nkind='s3'\nbucket='s3://b/k'", "stores.s.bucket", "name alone", "prefix"),
        (
            KONG + "[stores.s]\nkind='s3'\nbucket='b'\naccess_key={env='A'}",
            "stores.s.secret_key",
            "missing",
            None,
        ),
        (
            KONG
            + "[stores.s]\nkind='s3'\nbucket='b'\nprofile='p'\naccess_key={env='A'}\nsecret_key={env='B'}",
            "stores.s.profile",
            "stands beside",
            None,
        ),
        (
            KONG + "[stores.s]\nkind='s3'\nbucket='b'\nkms_key='k'",
            "stores.s.kms_key",
            "no encryption",
            "aws:kms",
        ),
        (
            KONG + "[stores.s]\nkind='s3'\nbucket='b'\nsse='AES'",
            "stores.s.sse",
            '"AES256" or "aws:kms"',
            None,
        ),
        (KONG + AZURE, "stores.s.account", "is missing", "storage account"),
        (
            KONG + AZURE + "account='a'\naccount_key={env='A'}\nsas_token={env='B'}",
            "stores.s.sas_token",
            "beside account_key",
            "Keep one",
        ),
        (
            KONG + AZURE + "account='a'\nconnection_string={env='A'}",
            "stores.s.account",
            "says it too",
            "Take it out",
        ),
        (
            KONG + AZURE + "endpoint_url='http://h'\naccount_key={env='A'}",
            "stores.s.account",
            "missing",
            None,
        ),
        (KONG + "[stores.s]\nkind='gcs'", "stores.s.bucket", "is missing", None),
        (
            KONG + AZURE + "account='a'\n" + AZURE.replace(".s]", ".t]") + "account='a'",
            "stores.t",
            "same place as stores.s",
            "keep one",
        ),
        (KONG + "[stores.'a:b']\nkind = 'local'\npath = 'p'", 'stores."a:b"', "STORE:KEY", None),
        (KONG + "[channels.n]\nkind = 'ntfy'", "channels.n.topic", "is missing", None),
        (
            KONG + "[channels.n]\nkind='ntfy'\ntopic={env='T'}\npriority='5'",
            "channels.n.priority",
            '"urgent"',
            None,
        ),
        (
            KONG + "[channels.w]\nkind='webhook'\nurl='https://h/'\nheader='X'",
            "channels.w.header_value",
            "is missing",
            None,
        ),
        (KONG + "[components.c]\nnote = ''", "components.c.method", "is missing", None),
        # secrets by reference
        (KONG + "password = {}", "databases.kong.password", "either env or file", None),
        (KONG + "password = {env='A',file='b'}", "databases.kong.password", "either env or file", None),
        (
            KONG + "password = {env='$PW'}",
            "databases.kong.password",
            "name of an environment variable",
            '"$"',
        ),
        (
            KONG + "password = {env='A'}\npassfile='p'",
            "databases.kong.passfile",
            "beside password",
            "Keep one",
        ),
    ],
)
def test_problem(text: str, key: str, what: str, mend: str | None) -> None:
    found = problems(text)

    assert list(found) == [key]
    assert what in found[key].what
    assert (mend or "") in (found[key].mend or "")


def test_every_problem_at_once_in_the_order_of_the_file() -> None:
    found = problems(
        """
        [fleet]
        jobs = 0
        [stores.local]
        kind = "local"
        [databases.kong]
        port = 70000
        hots = "x"
        rpo = 6
        [databases.kong.backup]
        every = "daily"
        stores = ["local", "s3"]
        [[databases.kong.checks]]
        name = "n"
        """
    )
    assert list(found) == [
        "fleet.jobs",
        "stores.local.path",
        "databases.kong.port",
        "databases.kong.hots",
        "databases.kong.rpo",
        "databases.kong.backup.every",
        "databases.kong.backup.stores",
        "databases.kong.checks[1].sql",
        "databases.kong.checks[1].expect",
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[databases.kong]\nport = = 5", "is not TOML, line 2, column 8: invalid value."),
        ("[databases.kong]\n[databases.kong]\n", "line 2, column 16: cannot declare"),
        ("[databases.kong]\nport = 1\nport = 2\n", "line 3, column 9: cannot overwrite"),
        ('[databases.kong]\nuser = "x', "is not TOML"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("a = " + "9" * 5000, "is not TOML"),
    ],
)
def test_not_toml(text: str, what: str) -> None:
    assert what in problems(text)[""].what


def test_a_name_that_stands_twice_is_explained() -> None:
    problem = problems("[databases.kong]\n[databases.kong]\n")[""]
    assert problem.mend == "The same name stands in the file twice; each may stand once."


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "pgdr.toml"
    path.write_bytes(b"[fleet]\nname = '\xff'\n")
    with pytest.raises(ConfigError) as raised:
        load(path)
    assert [str(problem) for problem in raised.value.problems] == [
        f"{path}: is not UTF-8 (line 2). Save it as UTF-8."
    ]


LITERALS = [
    f"[databases.kong]\npassword = '{SECRET}'",
    f"[databases.kong]\npassword = ['{SECRET}']",
    f"[databases.kong]\npassword = {{ value = '{SECRET}' }}",
    f"[databases.kong]\npassword = {{ env = '{SECRET}' }}",
    f"[databases.kong]\npassword.env = ['{SECRET}']",
    f"[databases.kong]\npassword = {SECRET}",
    f"[databases.kong]\npassword = '{SECRET}",
    f"[databases.kong]\npassword = '{SECRET}'\npassword = '{SECRET}'",
    f"[databases.kong]\npassword = '''\n{SECRET}",
    f"[databases.kong]\npasswd = '{SECRET}'",
    f"[databases.kong]\nhost = 'postgresql://kong:{SECRET}@db/kong'",
    f"[databases.kong]\nhost = 'kong:{SECRET}@db'",
    f"[databases.kong]\nhost = 'host=db password={SECRET}'",
    f"[databases.kong]\nhealth_url = 'http://kong:{SECRET}@db/health'",
    f"[databases.kong]\nhealth_url = 'ftp://kong:{SECRET}@db/health'",
    f"[databases.kong]\n[stores.s]\nkind='s3'\nbucket='b'\naccess_key='A'\nsecret_key='{SECRET}'",
    f"[databases.kong]\n[stores.s]\nkind='s3'\nbucket='b'\nendpoint_url='https://k:{SECRET}@db'",
    f"[databases.kong]\n[channels.n]\nkind='ntfy'\ntopic='{SECRET}'",
    f"[databases.kong]\n[channels.n]\nkind='ntfy'\ntopic={{env='T'}}\ntoken='{SECRET}'",
    f"[databases.kong]\n[channels.w]\nkind='webhook'\nurl='{SECRET}'",
    f"[databases.kong]\n[channels.w]\nkind='webhook'\nurl={{env='U'}}\nheader='X'\nheader_value='{SECRET}'",
]


@pytest.mark.parametrize("text", LITERALS)
def test_a_secret_in_the_file_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_text(text, SOURCE)

    error = raised.value
    told = "".join(traceback.format_exception(error))
    assert SECRET not in told + repr(error) + repr(error.problems) + str(error.mend)


def test_a_literal_password_is_told_where_it_belongs() -> None:
    problem = problems(LITERALS[0])["databases.kong.password"]
    assert problem.what == "a secret must not stand in this file."
    assert problem.mend is not None
    assert all(way in problem.mend for way in ("{ env = ", "{ file = ", "passfile", "~/.pgpass"))


def test_hostile_text_is_shown_clean() -> None:
    found = problems(
        '[databases."a\\u001b[2J\\u202e".backup]\n'
        'every = "\\u001b[31mx\\ny"\n"\\u001b" = 1\nstores=["\\u001b"]'
    )
    told = "\n".join(f"{problem}" for problem in found.values())
    assert told == clean_lines(told)
    assert 'databases."a\\x1b[2J\\u202e".backup.every' in found


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


@given(key=st.sampled_from(sorted(known_keys() | set(TOP))), value=VALUES)
def test_whatever_stands_there_is_a_fleet_or_a_config_error(key: str, value: object) -> None:
    parts = key.replace("checks", "checks.LIST").replace("contacts.", "contacts.LIST.").split(".")
    for part in reversed(parts):
        value = [value] if part == "LIST" else {part: value}
    try:
        text = tomli_w.dumps(cast("dict[str, object]", without_none(value)))
    except (TypeError, ValueError):
        return  # no TOML: a None in a list, a lone surrogate
    try:
        load_text(text, SOURCE)
    except ConfigError as error:
        assert error.problems
