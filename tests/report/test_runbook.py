"""The card: its commands, carried out by bash as they are printed, recover a database; it holds no secret."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from tests.backup.conftest import gpg_one
from tests.backup.keys import GpgKey
from tests.notify.conftest import Listener, listener
from tests.recovery.world import World, make_world
from tests.servers import Bucket, FreshDatabase
from tui.config.load import load
from tui.config.write import text_of
from tui.files import write_whole
from tui.incident.card import Grid, Listed, Page, Shell, Words, as_markdown, as_text, plain
from tui.incident.runbook import runbook
from tui.model.channels import GoAlert, Mail, Ntfy, Slack, Webhook
from tui.model.errors import PgdrError
from tui.model.fleet import Contact, Encryption, Fleet, LocalStore, S3Store
from tui.model.secret import Secret
from tui.postgres.troubles.troubles import troubles

__all__ = ["gpg_one", "listener"]

NOW = datetime(2026, 11, 21, 3, 14, tzinfo=timezone.utc)
SAMPLE = Path(__file__).parents[2] / "sample.toml"
TABLES = ("users", "wallets", "orders")


def blocks(markdown: str) -> dict[str, str]:
    """The commands of a card, by the headings that they stand under."""
    found = {}
    for chapter in re.split(r"^### ", markdown, flags=re.MULTILINE)[1:]:
        typed = re.search(r"^```sh\n(.*?)^```$", chapter, flags=re.MULTILINE | re.DOTALL)
        if typed:
            found[chapter.splitlines()[0]] = typed[1]
    return found


def carry_out(card: str, *headings: str, **env: str) -> str:
    """Types the commands under headings that begin so into one bash; returns what was printed."""
    known = blocks(card)
    typed = [next(text for title, text in known.items() if title.startswith(h)) for h in headings]
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail"], input="\n".join(typed), capture_output=True, text=True,
        timeout=120, env={**os.environ, **env}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def printed(world: World, *more: str) -> str:
    done = world.pgdr("report", "--runbook", *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def counted(world: World, database: str | None = None) -> dict[str, int]:
    return {table: world.count(table, database) for table in TABLES}


@pytest.fixture
def world(db18: FreshDatabase, tmp_path: Path) -> World:
    return make_world(db18, tmp_path)


FETCH = "Step 3: Find and fetch the newest backup from"
ALL_OF_IT = ("Step 1", f"{FETCH} local", "Step 4", "Step 5", "Step 6", "Step 7")
SETTINGS, UNDO = "Step 1: Settings, and whether it is there", "Undo the swap"


def test_a_dropped_database_comes_back_by_the_printed_commands(world: World) -> None:
    world.sql("CREATE MATERIALIZED VIEW rich_ones AS SELECT * FROM rich")  # no table: it has no count
    before = counted(world)
    world.back_up()
    world.drop_live()
    said = carry_out(printed(world, "shop"), *ALL_OF_IT)
    assert counted(world) == before
    assert ": OK" in said and "The database itself can't be reached." in said
    assert "public.wallets: 2000" in said and "Every table has the rows that it had." in said
    assert "No negative" not in said and world.databases() == {world.live.name}


def test_the_live_one_is_kept_undoing_puts_it_back_and_a_table_can_be_filled(
    world: World, tmp_path: Path
) -> None:
    world.back_up()
    world.sql("DELETE FROM orders")
    card = printed(world)
    said = carry_out(card, *ALL_OF_IT)
    assert world.count("orders") == 500
    new, old = re.findall(r"^new: (\S+) +old: (\S+)$", said, re.MULTILINE)[0]
    assert world.databases() == {world.live.name, old} and world.count("orders", old) == 0
    known = blocks(card)
    undo = f"{known[SETTINGS]}\nNEW={new}; OLD={old}\n{known[UNDO]}"
    subprocess.run(["bash", "-e"], input=undo, text=True, capture_output=True, timeout=60, check=True)
    assert world.count("orders") == 0 and world.count("orders", new) == 500

    live = world.sql("SELECT xmin, id FROM wallets ORDER BY id")
    frozen = next(text for title, text in known.items() if title.startswith("Freeze writes"))
    back = known["Or put back what single tables lack"]
    back = f"NEW={new}; WORK={tmp_path}\n" + re.sub(r"^TABLE=\S+", "TABLE=public.orders", back)
    typed = f"{known[SETTINGS]}\n{frozen}\n{back}\n"
    subprocess.run(["bash", "-e"], input=typed, text=True, capture_output=True, timeout=60, check=True)
    with pytest.raises(PgdrError, match="read-only"):
        world.sql("DELETE FROM orders")
    subprocess.run(
        ["bash", "-e"], input=f"{known[SETTINGS]}\n{known['Step 8: Let go again']}", text=True,
        capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    assert world.count("orders") == 500 and world.sql("SELECT xmin, id FROM wallets ORDER BY id") == live
    world.sql("DELETE FROM orders")


def test_every_channel_is_told_by_the_printed_commands(tmp_path: Path, listener: Listener) -> None:
    held = tmp_path / "it's a secret"
    held.write_text("s3cret\n")
    secret = Secret(file=held)
    fleet = replace(
        load(SAMPLE),
        channels=(
            Ntfy("on-call", secret, f"{listener.url}/ntfy", token=secret),
            Webhook("status", f"{listener.url}/hook", "X-Key", Secret(env="T_KEY")),
            Slack("chat", Secret(env="T_CHAT")),
            GoAlert("pager", listener.url, secret),
            Mail("post", "127.0.0.1", "a@b.c", ("d@e.f",), port=9, user="u", password=secret),
        ),
    )
    card = as_markdown(runbook(fleet, fleet.databases[0], NOW))
    assert "s3cret" not in card
    first = re.findall(r"^## Telling them\n.*?^```sh\n(.*?)^```$", card, re.MULTILINE | re.DOTALL)[0]
    known = blocks(card)
    typed = "\n".join((first, known["Tell people"], known["Tell people that it is over"]))
    done = subprocess.run(
        ["bash", "-e"], input=typed, text=True, capture_output=True, timeout=60, check=False,
        env={**os.environ, "T_KEY": "k", "T_CHAT": f"{listener.url}/chat"},
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout == "post was not told.\n" * 2, done.stderr
    ntfy, hook, chat, pager, *end = listener.asked
    assert ntfy.path == "/ntfy/s3cret" and ntfy.headers["Authorization"] == "Bearer s3cret"
    told = ("DR INITIATED: KrystalineX", "urgent", "rotating_light,disaster")
    assert tuple(ntfy.headers[name] for name in ("Title", "Priority", "Tags")) == told
    assert ntfy.body.startswith(b"Database recovery in progress. ETA: 30 minutes. Last backup: [TIMESTAMP]")
    assert hook.headers["X-Key"] == "k" and json.loads(hook.body)["text"] == ntfy.body.decode()
    assert json.loads(chat.body) == {"text": f"DR INITIATED: KrystalineX: {ntfy.body.decode()}"}
    form = dict(parse_qsl(pager.body.decode()))
    assert (form["token"], form["summary"], form["details"]) == ("s3cret", told[0], ntfy.body.decode())
    assert [one.path for one in end] == [one.path for one in (ntfy, hook, chat, pager)]
    assert end[0].headers["Tags"] == "white_check_mark" and end[0].headers["Priority"] == "default"
    over = dict(parse_qsl(end[3].body.decode()))
    assert "action" not in form and over["action"] == "close" and over["dedup"] == form["dedup"]


def test_a_backup_taken_by_hand_is_one_that_pgdr_knows(world: World, tmp_path: Path) -> None:
    here = tmp_path / "elsewhere"
    here.mkdir()
    known = blocks(printed(world))
    typed = f"cd {here}\n{known[SETTINGS]}\n{known['Take a backup by hand']}"
    subprocess.run(["bash", "-e"], input=typed, text=True, capture_output=True, timeout=60, check=True)
    [found] = world.answer("backups")["backups"]
    assert found["database"] == world.live.name
    world.drop_live()
    # Its manifest is missing: that stops the counting against it, and nothing before that.
    carry_out(printed(world), "Step 1", "Step 3", "Step 4", "Step 5", "Step 7")
    assert world.count("wallets") == 2000


@pytest.mark.parametrize("form", ["custom", "directory"])
def test_an_encrypted_backup_is_opened_with_the_key_that_the_card_names(
    world: World, tmp_path: Path, form: str
) -> None:
    if not (shutil.which("age") and shutil.which("age-keygen")):
        if os.environ.get("CI"):
            pytest.fail("age is missing")
        pytest.skip("age is not installed")
    key = tmp_path / "age.key"
    made = subprocess.run(["age-keygen", "-o", str(key)], capture_output=True, text=True, check=True)
    public = re.findall(r"age1\w+", made.stderr)[0]
    fleet = world.fleet
    policy = replace(fleet.databases[0].backup, encrypt_to=(public,), format=form)
    sealed = replace(
        fleet,
        databases=(replace(fleet.databases[0], backup=policy),),
        encryption=Encryption(age_identity=Secret(file=key)),
    )
    write_whole(world.config, text_of(sealed))
    before = counted(world)
    world.back_up()
    world.drop_live()
    carry_out(printed(world), *ALL_OF_IT)
    assert counted(world) == before
    assert key.read_text().splitlines()[-1] not in printed(world)


@pytest.mark.parametrize(
    ("taken", "configured"),
    [("custom", "directory"), ("directory", "custom"), ("plain", "custom"), ("custom", "plain")],
)
def test_a_card_of_another_format_opens_it_too_and_can_be_done_again(
    world: World, tmp_path: Path, gpg_one: GpgKey, taken: str, configured: str
) -> None:
    """The format was changed since, and the first try had no key."""
    fleet = world.fleet

    def sealed(form: str) -> None:
        policy = replace(fleet.databases[0].backup, encrypt_to=(gpg_one.recipient,), format=form)
        database = replace(fleet.databases[0], backup=policy)
        encryption = Encryption(gnupg_home=gpg_one.home)
        write_whole(world.config, text_of(replace(fleet, databases=(database,), encryption=encryption)))

    sealed(taken)
    before = counted(world)
    world.back_up()
    world.drop_live()
    sealed(configured)
    known = blocks(printed(world))
    step = {
        number: next(text for title, text in known.items() if title.startswith(f"Step {number}"))
        for number in (1, 4, 5, 6, 7)
    }
    fetch = next(text for title, text in known.items() if title.startswith(f"{FETCH} local"))
    (tmp_path / "nokeys").mkdir(mode=0o700)
    without = step[4].replace(str(gpg_one.home), str(tmp_path / "nokeys"))
    assert without != step[4]
    typed = "\n".join([step[1], fetch, without, step[4], step[5], step[6], step[7]])
    done = subprocess.run(["bash"], input=typed, capture_output=True, text=True, timeout=120, check=False)
    assert counted(world) == before, done.stdout + done.stderr
    assert "Every table has the rows that it had." in done.stdout
    assert ("NOT OPENED" in done.stdout) is (taken == "directory")


def test_a_damaged_file_is_named_by_the_card(world: World, tmp_path: Path) -> None:
    policy = replace(world.fleet.databases[0].backup, format="directory")
    database = replace(world.fleet.databases[0], backup=policy)
    write_whole(world.config, text_of(replace(world.fleet, databases=(database,))))
    key = world.back_up().manifest.key
    file = min((tmp_path / "backups" / key).glob("[0-9]*"))
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    known = blocks(printed(world))
    starts = ("Step 1", f"{FETCH} local", "Step 4")
    typed = "\n".join(next(t for h, t in known.items() if h.startswith(start)) for start in starts)
    done = subprocess.run(["bash"], input=typed, capture_output=True, text=True, timeout=120, check=False)
    assert f"{file.name}: FAILED" in done.stdout and "manifest: OK" not in done.stdout


def test_a_backup_is_fetched_from_a_bucket(db18: FreshDatabase, bucket: Bucket, tmp_path: Path) -> None:
    if not shutil.which("aws"):
        if os.environ.get("CI"):
            pytest.fail("the AWS CLI is missing")
        pytest.skip("the AWS CLI is not installed")
    world = make_world(db18, tmp_path, offsite=bucket.store)
    before = counted(world)
    world.back_up()
    world.drop_live()
    steps = ("Step 1", f"{FETCH} {bucket.store.name}", *ALL_OF_IT[2:])
    carry_out(printed(world), *steps, AWS_EC2_METADATA_DISABLED="true")
    assert counted(world) == before


def test_the_card_of_a_whole_fleet_says_where_everything_is(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = load(SAMPLE)
    secret = {"EXCHANGE_PASSWORD": "hunter2", "BACKUP_SECRET_KEY": "hunter3"}
    for name, value in secret.items():
        monkeypatch.setenv(name, value)
    first = replace(
        fleet.databases[0],
        endpoint=replace(fleet.databases[0].endpoint, password=Secret(env="EXCHANGE_PASSWORD")),
        rto=fleet.databases[0].rto,
    )
    store = S3Store(
        "vault", "b", secret_key=Secret(env="BACKUP_SECRET_KEY"), access_key=Secret(file=Path("/k"))
    )
    backup = replace(first.backup, stores=("vault",))
    fleet = replace(
        fleet, databases=(replace(first, backup=backup), *fleet.databases[1:]), stores=(*fleet.stores, store)
    )
    pages = runbook(fleet, None, NOW)
    for text in (as_markdown(pages), as_text(pages)):
        assert "hunter" not in text
        for said in (
            'export PGPASSWORD="$EXCHANGE_PASSWORD"',
            'export AWS_SECRET_ACCESS_KEY="$BACKUP_SECRET_KEY"',
            'export AWS_ACCESS_KEY_ID="$(head -n 1 /k)"',
            "http://localhost:8081",
            "See RUNBOOK.md Section 10",
            "docker exec app-database pg_dump -U exchange",
            "aws s3 cp s3://b/",
            "curl -fsS http://localhost:5000/health",
            "SELECT count(*) FROM wallets WHERE balance < 0",
        ):
            assert said in text, said
        assert all(database.name in text for database in fleet.databases)
    assert all(plain(trouble.symptom)[:12] in as_text(pages) for trouble in troubles())


def test_printed_as_text_words_are_ascii_and_80_columns_wide() -> None:
    pages = runbook(load(SAMPLE), None, NOW)
    words = [replace(page, parts=tuple(p for p in page.parts if not isinstance(p, Shell))) for page in pages]
    text = as_text(words)
    assert text.isascii() and max(map(len, text.splitlines())) <= 80
    commands = [line for page in pages for p in page.parts if isinstance(p, Shell) for line in p.lines]
    assert sum(len(line) > 80 for line in commands) < len(commands) / 10


def test_every_block_is_bash() -> None:
    fleet = load(SAMPLE)
    name = """we'ird "db" $(reboot) `x` \\ ;é"""
    odd = replace(fleet.databases[0], name=name, dbname=name, freshness=(f"{name}.at",))
    for database in (*fleet.databases, odd):
        for text in blocks(as_markdown(runbook(fleet, database, NOW))).values():
            done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), text


def test_hostile_words_break_no_card() -> None:
    hostile = "a | b `c` <script> \n# x \x1b[2J é"
    page = Page(
        2, hostile, (Words(hostile), Listed((hostile,)), Grid(("h",), ((hostile,),)), Shell((hostile,)))
    )
    assert "\x1b" not in as_markdown([page]) + as_text([page])
    assert len([line for line in as_markdown([page]).splitlines() if line.startswith("#")]) == 1
    bare = Fleet("F", contacts=(Contact(hostile, hostile),))
    assert as_text(runbook(bare, None, NOW)).isascii()


def test_what_makes_no_sense_is_refused(world: World) -> None:
    assert world.pgdr("report").returncode == 2
    assert world.pgdr("report", "--runbook", "shopp").returncode == 2
    assert world.pgdr("report", "--runbook", "--format", "json").returncode == 2
    assert isinstance(world.fleet.stores[0], LocalStore)
