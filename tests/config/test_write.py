"""A fleet written and read again is the same fleet, whatever its names are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.config.load import load, load_text
from tui.config.write import text_of
from tui.model.channels import GoAlert, Mail, Ntfy, Slack, Webhook
from tui.model.fleet import (
    AzureStore,
    BackupPolicy,
    Component,
    Contact,
    Criticality,
    Database,
    Endpoint,
    Fleet,
    GcsStore,
    LocalStore,
    Programs,
    S3Store,
    SqlCheck,
    Targets,
    Updates,
)
from tui.model.scenario import Scenario
from tui.model.secret import Secret
from tui.model.text import clean_lines
from tui.model.wording import Occasion, Wording

SOURCE = Path("/etc/pgdr/fleet.toml")
SECRET = Secret(env="SECRET")

EVERYTHING = Fleet(
    name="All",
    source=SOURCE,
    databases=(
        Database(
            name="app",
            dbname="application",
            service="main",
            place="docker:app-database",
            endpoint=Endpoint(
                host="db",
                port=5433,
                user="app",
                password=SECRET,
                pg_service="app",
                sslmode="verify-full",
                sslrootcert=Path("system"),
                connect_timeout_s=90,
                maintenance_db="template1",
            ),
            purpose="Users\nand orders",
            environment="test",
            criticality=Criticality.LOW,
            rpo=timedelta(hours=6),
            rto=timedelta(minutes=90),
            schemas=("public", "Other One"),
            key_tables=("users",),
            freshness=("orders.created_at",),
            app_role="app",
            checks=(
                SqlCheck("none", 'SELECT count(*)\nFROM "users"', ""),
                SqlCheck("b", "SELECT '\\'", "\\"),
            ),
            health_url="http://localhost:5000/health",
            services=("server",),
            backup=BackupPolicy(
                timedelta(hours=6),
                None,
                5,
                ("far",),
                "backup",
                3,
                keep_daily=7,
                keep_weekly=4,
                keep_monthly=12,
            ),
        ),
        Database(
            name="two",
            dbname="two",
            service="two",
            endpoint=Endpoint(passfile=Path("/p"), sslrootcert=Path("/c")),
            backup=BackupPolicy(every=None, stores=()),
        ),
    ),
    stores=(
        LocalStore("near", Path("/backups"), offsite=True),
        S3Store("far", "b", "k/", "https://h", "r", None, SECRET, SECRET, path_style=True, offsite=False),
        S3Store("own", "b", profile="p", storage_class="STANDARD_IA", sse="aws:kms", kms_key="alias/k"),
        AzureStore("az", "c", "account", "k/", "https://h", SECRET, offsite=False),
        AzureStore("token", "c", "account", sas_token=SECRET),
        AzureStore("string", "c", connection_string=SECRET),
        GcsStore("gcs", "b", "k/", "https://g", Path("/key.json"), offsite=False),
    ),
    channels=(
        Ntfy("ntfy", SECRET, "https://n", SECRET, "high", ("a",), 3.0),
        Webhook("hook", "https://h/x", "Authorization", Secret(file=Path("/s")), 4.0),
        Slack("chat", SECRET, retry_for_s=60.0),
        Mail("post", "smtp.example.com", "a@example.com", ("b@example.com",), 465, "tls", "a", SECRET),
        GoAlert("pager", "http://localhost:8081", SECRET),
    ),
    messages=(
        Wording(Occasion.DECLARED, "{fleet} {{}}", None),
        Wording(Occasion.STOOD_DOWN, None, "{reason}"),
    ),
    updates=Updates(None, timedelta(minutes=2)),
    scenario_targets=(
        Targets(Scenario.SITE_LOST, timedelta(hours=4)),
        Targets(Scenario.RESTART, timedelta(minutes=5)),
    ),
    components=(
        Component("files", "Git + tar", None, None, ("a", "b"), "note"),
        Component("volumes", "tar", timedelta(days=7), timedelta(days=28), keep_at_least=1),
    ),
    contacts=(Contact("On-Call", 'see "RUNBOOK"'),),
    programs=Programs((Path("/usr/lib/postgresql/17/bin"),)),
    jobs=4,
    verify_every=timedelta(days=7),
    drill_every=None,
)


@pytest.mark.parametrize(
    "fleet",
    [
        EVERYTHING,
        load(Path(__file__).parents[2] / "sample.toml"),
        Fleet("one", SOURCE, (Database("k", "k", "k"),)),
    ],
    ids=["everything", "sample", "one"],
)
def test_there_and_back(fleet: Fleet) -> None:
    assert fleet.source is not None
    assert load_text(text_of(fleet), fleet.source) == fleet


HOSTILE = [
    'quo"ted',
    "it's",
    "with space",
    "a;DROP DATABASE b",
    "back\\slash",
    'x"]\n[fleet]\nname = "owned',
    "# no comment",
    "\x1b[2J\x07\x7f",
    "\u202egnp\u200b\u2028",
    "naïve-数据库-🔴",
    "\ttab",
    "a.b.c",
    "$(reboot)",
    "\U000e0041",
]


def named(name: str) -> Fleet:
    """A fleet that uses a name wherever one may be any text."""
    database = Database(
        name=name, dbname=name, service=name, purpose=name, schemas=(name,), key_tables=(name,)
    )
    database = replace(database, checks=(SqlCheck(name, name, name),))
    return Fleet(
        name,
        SOURCE,
        (database,),
        channels=(Ntfy(name, SECRET),),
        components=(Component(name, name),),
        contacts=(Contact(name, name),),
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_come_back(name: str) -> None:
    text = text_of(named(name))
    assert load_text(text, SOURCE) == named(name)
    assert clean_lines(text) == text.removesuffix("\n")


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=15)


@given(NAMES.filter(lambda name: bool(name.strip())))
def test_any_name_comes_back(name: str) -> None:
    assert load_text(text_of(named(name)), SOURCE) == named(name)


def test_a_name_that_toml_cannot_hold() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        text_of(named("\ud800"))


def test_the_first_database_explains_itself() -> None:
    text = text_of(EVERYTHING)
    assert text.startswith("# The configuration of pgdr.")
    assert text.count("# how long a recovery may take") == 1
