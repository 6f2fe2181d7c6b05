"""The app itself: its beginning, its ends, its ways."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.screens.conftest import Living
from tests.screens.eyes import NARROW, NOW, screen_text, until, until_seen
from tui.app import PgdrApp, run_app, utc_now
from tui.incident.book import Book
from tui.jobs.job import JobSpec, write_spec
from tui.jobs.journal import Journal
from tui.jobs.lock import held
from tui.model.backup import Verdict
from tui.model.errors import ConfigError
from tui.model.event import JobEnded, JobKind, JobStarted, JobState
from tui.model.fleet import Database, Fleet
from tui.screens.fleet import FleetScreen
from tui.screens.late_rooms import rooms_of
from tui.screens.recovery.screen import RecoveryScreen
from tui.screens.restore import RestoreScreen
from tui.screens.text import TextScreen

FLEET = Fleet("small")
SECRET = "hunter2-not-to-be-seen"


def job(state: Path, name: str, *, ended: bool) -> Path:
    """A job's directory as its supervisor would write it."""
    spec = JobSpec(name, JobKind.RESTORE, state / "pgdr.toml", "shop", "ada@bastion", ref="local:x.dump")
    files = write_spec(state, spec)
    moment = [NOW]
    journal = Journal(files.journal, lambda: moment[0])
    journal.append(
        JobStarted(name, JobKind.RESTORE, "shop", "local:x.dump", "shop_new", "ada@bastion", "h", 1)
    )
    if ended:
        moment[0] += timedelta(seconds=72)
        journal.append(JobEnded(JobState.DONE, Verdict.EXPLAINED, 72.0))
    return files.lock


async def test_quit_is_at_once_when_no_job_runs(tmp_path: Path) -> None:
    app = PgdrApp(FLEET, tmp_path)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("q")
        await until(pilot, lambda: app._exit, "it quits at once")


@pytest.mark.parametrize(
    ("answer", "quits"), [(("enter",), False), (("ctrl+q",), False), (("right", "enter"), True)]
)
async def test_quit_asks_while_jobs_run_and_harms_none(
    tmp_path: Path, answer: tuple[str, ...], quits: bool
) -> None:
    lock = job(tmp_path, "restore-20261121T031415Z-a3f2", ended=False)
    with held(lock, {"operator": "ada"}):
        app = PgdrApp(FLEET, tmp_path)
        async with app.run_test(size=NARROW) as pilot:
            await pilot.press("ctrl+q")
            await until_seen(pilot, "Quit while jobs run?", "restore-20261121T031415Z-a3f2", "stops none")
            await pilot.press(*answer)
            await until(pilot, lambda: app._exit or "Quit while" not in screen_text(app), "it is answered")
            assert app._exit is quits


async def test_a_crash_tells_no_secret_and_leaves_its_details(tmp_path: Path) -> None:
    class Broken(PgdrApp):
        def action_help(self) -> None:
            password = SECRET
            raise RuntimeError("something broke" if password else "")

    app = Broken(FLEET, tmp_path)
    with pytest.raises(RuntimeError):
        async with app.run_test(size=NARROW) as pilot:
            await pilot.press("question_mark")
            await pilot.pause()
    assert isinstance(app.crashed, Path) and app.crashed.parent == tmp_path
    told = app.crashed.read_text()
    assert "something broke" in told and "action_help" in told
    assert SECRET not in told
    assert app.crashed.stat().st_mode & 0o777 == 0o600
    assert not app._exit_renderables


async def test_jobs_are_listed_and_watched(tmp_path: Path) -> None:
    job(tmp_path, "restore-20261121T021415Z-0001", ended=True)
    job(tmp_path, "restore-20261121T031415Z-0002", ended=False)  # its supervisor is gone
    app = PgdrApp(FLEET, tmp_path, now=lambda: NOW + timedelta(minutes=5))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("J")
        text = await until_seen(pilot, "? LOST", "✔ done", "explained", "1m 12s", "without a word")
        assert text.index("LOST") < text.index("✔ done")
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, RestoreScreen), "the job is watched")


async def test_no_job_and_no_incident_are_told(tmp_path: Path) -> None:
    app = PgdrApp(FLEET, tmp_path)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("J")
        await until_seen(pilot, "No job has been started yet.")
        await pilot.press("escape", "i")
        await until_seen(pilot, "No incident has been declared yet.")


async def test_an_unfinished_incident_is_offered_at_the_start(living: Living) -> None:
    book = Book(living.state)
    book.declare("gone", "ada@bastion", utc_now() - timedelta(minutes=5))
    book.declare("shop", "bob@bastion", utc_now() - timedelta(minutes=2))
    fleet = replace(living.narrowed("shop", "gone"))
    app = PgdrApp(fleet, living.state, operator="eve@bastion")
    async with app.run_test(size=NARROW) as pilot:
        text = await until_seen(pilot, "An incident is not finished", "2, shop, declared by bob@bastion")
        assert "also open" in text and "[ later ]" in text
        await pilot.press("enter")
        assert isinstance(app.screen, FleetScreen)
        await pilot.press("i")
        await until_seen(pilot, "▲ OPEN", "ada@")
        await pilot.press("escape", "home", "r")  # gone: its incident is open already, so no second one
        await until(pilot, lambda: isinstance(app.screen, RecoveryScreen), "it is taken up")
        assert "INCIDENT 1" in screen_text(app)
    assert len(book.all()) == 2


async def test_the_offer_is_taken(living: Living) -> None:
    Book(living.state).declare("gone", "ada@bastion", utc_now())
    app = PgdrApp(living.narrowed("gone"), living.state)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "take it up")
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(app.screen, RecoveryScreen), "it is taken up")


async def test_a_closed_incident_shows_its_report(living: Living) -> None:
    book = Book(living.state)
    incident = book.declare("gone", "ada@bastion", NOW)
    book.save(replace(incident, closed_at=NOW + timedelta(minutes=20), outcome="stood down"))
    app = PgdrApp(living.narrowed("gone"), living.state)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("i")
        await until_seen(pilot, "stood down", "20m")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextScreen), "the report")
        await until_seen(pilot, "ada@bastion")


async def test_an_incident_of_another_configuration_is_an_error_with_its_mend(living: Living) -> None:
    Book(living.state).declare("elsewhere", "ada@bastion", NOW)
    app = PgdrApp(living.narrowed("gone"), living.state, incident="1")
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "✖", "elsewhere", "next")


async def test_an_unknown_theme_is_a_notice_not_a_crash(tmp_path: Path) -> None:
    app = PgdrApp(FLEET, tmp_path, theme="nope")
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await until_seen(pilot, "There is no theme nope")
        assert app.theme == "dark"


@pytest.mark.parametrize("theme", ["dark", "light", "ansi16", "mono", "colour-blind"])
async def test_every_theme_draws(tmp_path: Path, theme: str) -> None:
    app = PgdrApp(Fleet("small", databases=(Database("a", "a", "s"),)), tmp_path, theme=theme)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "small")
        assert app.theme == theme
        await pilot.press("question_mark")
        await until_seen(pilot, "Keys on this screen")


async def test_ascii_mode_lets_nothing_else_through(living: Living) -> None:
    app = PgdrApp(living.narrowed("shop", "gone"), living.state, ascii_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "! gone", "* shop")
        await pilot.press("b")
        await until_seen(pilot, "backups")
        await pilot.press("question_mark")
        await until_seen(pilot, "Keys on this screen")
        assert screen_text(app).isascii()


async def test_help_lists_every_key_once(tmp_path: Path) -> None:
    app = PgdrApp(Fleet("small", databases=(Database("a", "a", "s"),)), tmp_path)
    async with app.run_test(size=(80, 50)) as pilot:
        await until_seen(pilot, "r recover")
        await pilot.press("question_mark")
        text = await until_seen(pilot, "Keys on this screen")
        for key, told in (
            ("r", "Begins the guided recovery"),
            ("J", "Shows what is running"),
            ("/", "Shows only rows"),
            ("pgdn space", "A page down"),
            ("ctrl[+]p", "Finds any command"),
        ):
            assert len(re.findall(rf"^ {key} +{told}", text, re.MULTILINE)) == 1, key
        await pilot.press("end")
        text = await until_seen(pilot, "Shapes")
        assert "MISSING" in text
        await pilot.press("question_mark")
        assert isinstance(app.screen, FleetScreen)


async def test_any_command_is_found_by_name(tmp_path: Path) -> None:
    app = PgdrApp(FLEET, tmp_path)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("ctrl+p")
        await pilot.press(*"incid")
        await until_seen(pilot, "key i")
        await pilot.press("enter")
        await until_seen(pilot, "small › incidents")


def test_without_a_terminal_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", (tmp_path / "in").open("w+"))
    with pytest.raises(ConfigError, match="needs a terminal"):
        run_app(FLEET, tmp_path)


def test_the_rooms_are_the_real_operations(living: Living) -> None:
    rooms = rooms_of(living.fleet, living.state, utc_now)
    shop = living.fleet.database("shop")
    assert shop is not None
    assert [table.name for table in rooms.schema(shop)] == ["trades", "users"]
    assert rooms.last_drill(shop) is None and rooms.jobs() == () and rooms.incidents() == ()


def test_the_app_is_there_before_boto3_is() -> None:
    code = "import tui.app, sys; sys.exit('boto3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == 0


async def test_nothing_is_sent_while_nothing_happens(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSH, three in the morning, a bad line: no animation, no blinking cursor, no polling."""
    app = PgdrApp(living.narrowed("shop"), living.state)
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "6h ok", "2 tables:")
        await pilot.press("slash")
        await pilot.pause(1.2)  # whatever still ticked has seen that there is nothing left to wait for
        if (second := datetime.now(timezone.utc).second) > 50:  # the clock moves on once, at the full minute
            await pilot.pause(62 - second)
        drawn = []
        monkeypatch.setattr(app, "_display", lambda screen, renderable: drawn.append(renderable))
        await pilot.pause(2.5)
        assert [item for item in drawn if item is not None] == []
        await pilot.press("x")
        assert [
            item for item in drawn if item is not None
        ] != []  # a key is: it was looked at the right place
