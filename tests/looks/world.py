"""A house in which everything answers at once, with names as bad as names get, and every screen in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from tests.recovery_screens.answers import DATABASE, PROBLEM, TABLES
from tests.recovery_screens.pictures import DONE, FAILED, HALFWAY, NOW
from tests.recovery_screens.scripted import ScriptedGuide, incident_at
from tui.app import PgdrApp
from tui.incident.guide import Guide
from tui.jobs.watch import LogPart
from tui.model.backup import Backup, Verdict, Verification
from tui.model.difference import TableDifference
from tui.model.errors import Unreachable
from tui.model.facts import DatabaseFacts, Status, TableFacts
from tui.model.fleet import Criticality, Endpoint, Fleet, LocalStore, S3Store
from tui.model.incident import Step
from tui.model.kept import KeptDatabase
from tui.model.paused import FreezeView, Paused, PausedService, PauseState, ServiceView
from tui.operations.catalogue.catalogue import Description
from tui.operations.catalogue.good import newest_that_counts
from tui.operations.first_run.look import InStore
from tui.operations.first_run.nearby import NearStore, Surroundings
from tui.operations.pause.pause import Cause
from tui.operations.pause.pausing import Pausing
from tui.operations.records import Drill
from tui.operations.retention.prune import PrunePlan
from tui.operations.retention.retention import Decision, Fate
from tui.operations.verify.drill import DrillRow
from tui.operations.verify.due import Duty
from tui.postgres.facts.found import FoundDatabase
from tui.postgres.facts.nearby import Answer as NearAnswer
from tui.postgres.facts.nearby import NearServer
from tui.screens.backups import BackupsScreen
from tui.screens.backups_contents import ContentsScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.drill_history import DrillHistoryScreen
from tui.screens.drills import DrillsScreen
from tui.screens.error import ErrorScreen
from tui.screens.find import FindScreen
from tui.screens.findable import findable, paths
from tui.screens.first_add import AddScreen
from tui.screens.first_file import FirstFileScreen
from tui.screens.first_run import FirstRunScreen
from tui.screens.fleet_database import DatabaseScreen
from tui.screens.fleet_rows import Entry
from tui.screens.help import HelpScreen, help_on
from tui.screens.incidents import IncidentsScreen
from tui.screens.jobs import JobsScreen
from tui.screens.kept import KeptScreen
from tui.screens.log import LogScreen
from tui.screens.recovery.choose import ChooseScreen
from tui.screens.recovery.desk import Desk
from tui.screens.recovery.pause import PauseScreen
from tui.screens.recovery.reason import ReasonScreen
from tui.screens.recovery.screen import RecoveryScreen
from tui.screens.restore import RestoreScreen
from tui.screens.retention import RetentionScreen
from tui.screens.rooms import Rooms
from tui.screens.tables.choose import ChooseTablesScreen
from tui.screens.tables.desk import TableDesk
from tui.screens.tables.differences import DifferencesScreen
from tui.screens.text import TextScreen

SIZES = ((80, 24), (100, 30), (120, 40), (200, 50))
ODD = "größenwahn_データ_with_a_name_that_is_longer_than_any_column_of_any_screen_has_room_for"
STORES = (LocalStore("offsite", Path("/srv/a")), LocalStore("azure", Path("/srv/b")))
DATABASES = (
    DATABASE,
    replace(DATABASE, name="kong", dbname="kong", criticality=Criticality.HIGH, service="kong-database"),
    replace(DATABASE, name=ODD, dbname=ODD, criticality=Criticality.LOW, purpose="Ünïcödé [/b] " * 6),
    replace(DATABASE, name="goalert", dbname="goalert", criticality=Criticality.MEDIUM),
    replace(DATABASE, name="cryptopi_prod", dbname="cryptopi_prod", endpoint=Endpoint("10.0.0.7")),
)
FLEET = Fleet("KrystalineX", databases=DATABASES, stores=STORES)
FACTS = (
    DatabaseFacts("crypto_exchange", Status.MISSING, NOW, "The database does not exist.", "Recover it."),
    DatabaseFacts("kong", Status.UP, NOW, None, None, "127.0.0.1", 5432, "16.4", 41_000_000, 6),
    DatabaseFacts(ODD, Status.REFUSED, NOW, "password authentication failed for user “[/x]”. " * 4, "Look."),
    DatabaseFacts("goalert", Status.DOWN, NOW, "Nothing answers at 127.0.0.1:5433.", "Start it."),
)
LIVE = tuple(TableFacts("public", f"table_{n}", n * 1_000_000, n * 1000 or None) for n in range(60, -1, -1))
BACKUPS = tuple(
    Backup(
        store.name,
        f"{database.dbname}-{n}.dump",
        (2_100_000_000 if n % 4 else 10_000) + n,
        NOW - timedelta(hours=6 * n + 2),
        database.dbname,
        NOW - timedelta(hours=6 * n + 2),
        verification=Verification(NOW, (Verdict.CLEAN, Verdict.EXPLAINED, Verdict.FAILED)[n % 3])
        if n % 2
        else None,
    )
    for n in range(12)
    for database in DATABASES[:3]
    for store in STORES
)
KEPT = tuple(
    KeptDatabase(
        f"crypto_exchange_{purpose}_20261121T03180{n}Z", purpose, NOW - timedelta(days=n), 10**9, n, None, why
    )
    for n, (purpose, why) in enumerate(
        [
            ("restore", "incident 7 works with it"),
            ("before", None),
            ("verify", None),
            ("drill", None),
        ]
    )
)
JOBS = (HALFWAY, DONE, FAILED, replace(HALFWAY, job="20261121T031800Z-verify", database=ODD))
INCIDENTS = (
    incident_at(Step.RESTORE),
    incident_at(Step.RESUME, id="6", closed_at=NOW, outcome="recovered", database=ODD),
)
DIFFERENCES = (
    TableDifference("public", "wallets", ("id",), 1995, 2000, 5, 2, 1, ("10", "11"), ("9000",), ("7",)),
    TableDifference("public", ODD, (), 10, 20, 10, 0, None),
    TableDifference("audit", "log", reason="It is not in the live database.", mend="Restore it alone."),
)
DRILLS = tuple(
    DrillRow(
        database.name,
        Drill(NOW - timedelta(days=90 * n + 5), 1320.0 + 900 * n, 60.0, Verdict.CLEAN),
        1800.0,
        21600.0,
        -60.0,
    )
    for database in DATABASES[:3]
    for n in range(3)
)
DUTIES = tuple(
    Duty(database.name, what, 90 * 86400.0, NOW - timedelta(days=95), "anna", NOW, n == 0, "pgdr drill DB")
    for database in DATABASES[:3]
    for n, what in enumerate(("verification", "single table", "recovery", "full"))
)
LOG = LogPart(
    (
        *(f"03:25:{n:02} {what} DATA public.{ODD}" for n in range(60) for what in ("loading", "FAILED")),
        "03:26:00 error: [/x] " + "a word " * 60,
        "03:26:01 explained: role “größe” missing",
    ),
    more=False,
    ended=True,
)
DECISIONS = tuple(
    Decision(backup.ref, tuple(Fate)[n % 3], "Kept because it is the newest that was restored, found good.")
    for n, backup in enumerate(BACKUPS)
)
LONG = "\n".join(f"## {n}. Ein Satz mit Ümläuten, der länger ist als jedes Terminal. " * 4 for n in range(40))


class _TableDesk(TableDesk):
    """Answers from the values above."""

    def compare(
        self, restored: str, tables: Any, on_table: Callable[[TableDifference], None], on_rows: Any
    ) -> tuple[TableDifference, ...]:
        for difference in DIFFERENCES:
            on_table(difference)
        return DIFFERENCES


def _look(told: Callable[[DatabaseFacts], None]) -> None:
    for facts in FACTS:  # the last one never answers
        told(facts)


def _backups(store: str, page: Callable[[tuple[Backup, ...]], None], problem: Callable[..., None]) -> None:
    page(tuple(backup for backup in BACKUPS if backup.store == store))
    if store == "azure":
        problem(PROBLEM)


_CAUSE = Cause(ODD, LONG)


class _Pausing(Pausing):
    """One whose services are in every state at once, with all that can be said of one."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{state.value} {ODD}" for state in PauseState)

    def services(self) -> tuple[ServiceView, ...]:
        record = PausedService("server", "compose", None, PauseState.PAUSED, NOW, ODD, LONG, replicas=3)
        return tuple(
            ServiceView(name, "kubernetes", state, LONG, record, False, (LONG,), (LONG,))
            for name, state in zip(self.names, PauseState, strict=True)
        )

    def writes(self) -> FreezeView:
        return FreezeView(ODD, PauseState.PAUSED, LONG, None, True, True, 14, (ODD, "etl"))


_ANSWERS: dict[str, Callable[..., Any]] = {
    "look": _look,
    "schema": lambda database: LIVE,
    "last_seen": lambda database: None,
    "last_drill": lambda database: Drill(NOW - timedelta(days=40), 1320.0, 60.0, Verdict.CLEAN),
    "backups": _backups,
    "describe": lambda backup: Description(backup, None, None, TABLES, 65536, ()),
    "of_database": lambda database, backups: [b for b in backups if b.database == database.dbname],
    "newest_that_counts": lambda database, own, on_problem: newest_that_counts(own, lambda b: True, NOW),
    "jobs": lambda: JOBS,
    "incidents": lambda: INCIDENTS,
    "report": lambda incident: LONG,
    "verify": lambda database, ref: HALFWAY.job,
    "copy_to": lambda database, ref, store: HALFWAY.job,
    "back_up": lambda database: HALFWAY.job,
    "kept": lambda database: KEPT,
    "drop_kept": lambda database, name: KEPT[0],
    "drills": lambda: list(DRILLS),
    "duties": lambda on_problem: DUTIES,
    "newest_good": lambda database: BACKUPS[0],
    "paused": Paused,
    "retention": lambda: PrunePlan(DECISIONS, (f"azure:{ODD}-1.dump",), (PROBLEM,)),
    "pausing": lambda database: _Pausing(FLEET, Path("/nowhere"), database, _CAUSE, lambda: NOW),
}
# What no screen here asks for finds nothing.
ROOMS = Rooms(**{field.name: _ANSWERS.get(field.name, lambda *_: ()) for field in fields(Rooms)})


class _Quiet(PgdrApp):
    """The app, which offers no incident when it begins."""

    def offer_incidents(self) -> None:  # type: ignore[override]
        """Nothing is offered."""


def app_of(tmp_path: Path, *, read_only: bool = False, fleet: Fleet = FLEET, **given: Any) -> PgdrApp:
    """The app in this house, its state in `tmp_path`; no incident is offered when it begins."""
    tmp_path.mkdir(exist_ok=True)
    return _Quiet(fleet, tmp_path, read_only, rooms=ROOMS, now=lambda: NOW, operator="anna", **given)


def _desk(app: PgdrApp, step: Step, drill: bool = False, picture: Any = None) -> Desk:
    incident = incident_at(step)
    if step is Step.RESTORE and picture is not None:
        incident = replace(incident, job=picture.job)
    guide = ScriptedGuide(replace(incident, drill=drill))
    guide.picture = picture or guide.picture
    return Desk(cast(Guide, guide), app.fleet, app._bearings, app.copy_text)


def _step(step: Step, drill: bool = False, picture: Any = None) -> Callable[[PgdrApp], Screen[Any]]:
    return lambda app: RecoveryScreen(_desk(app, step, drill, picture))


def _table_desk(app: PgdrApp) -> TableDesk:
    return _TableDesk(app.fleet, DATABASE, app._state, app._bearings, "anna", app.copy_text)


def _job(app: PgdrApp, picture: Any) -> Screen[Any]:
    screen = RestoreScreen(app._bearings, app._state, picture.job, "anna", app.copy_text)
    screen._take_picture = lambda: picture  # type: ignore[method-assign]
    return screen


_FACTS = [
    ("server", "app-database · 127.0.0.1:5433 · system 7412345678900093 · PostgreSQL 16.4 " * 2),
    ("live", f"{ODD}, 2.4 GB, 14 sessions will be ended"),
    ("then", "undo puts it back"),
]


class _Near(Surroundings):
    """Finds servers and stores of every kind at once, with all that can be said of one."""

    def servers(self, on_server: Callable[[NearServer], None]) -> None:
        for number, answer in enumerate(NearAnswer):
            databases = (FoundDatabase(ODD, 10**9), FoundDatabase("kong", None))
            on_server(
                NearServer(
                    Endpoint("db" * 30, 5432 + number), ODD, answer=answer, version="16.4", why=LONG[:300],
                    mend=LONG[:200], databases=databases if answer is NearAnswer.ANSWERS else (),
                )
            )  # fmt: skip

    def stores(self, on_store: Callable[[NearStore], None]) -> None:
        inside = InStore(12, ("kong", ODD), NOW, True)
        on_store(NearStore(STORES[0], "a directory", inside))
        on_store(
            NearStore(S3Store("offsite", "bucket-" * 8), ODD, problem=Unreachable(LONG[:300], None, "Look."))
        )
        on_store(NearStore(S3Store("offsite", ""), ODD, problem=Unreachable("No.", LONG[:300])))


_NEAR = _Near({}, None, Path("/nowhere"))
_PLACES = (Path("/nowhere/.config/pgdr/pgdr.toml"), Path("/nowhere/pgdr.toml"))

SCREENS: dict[str, Callable[[PgdrApp], Screen[Any] | None]] = {
    "fleet": lambda app: None,  # it is there
    "database": lambda app: DatabaseScreen(app._house, Entry(DATABASES[1], NOW, facts=FACTS[1], tables=LIVE)),
    "backups": lambda app: BackupsScreen(app._house),
    "backup": lambda app: ContentsScreen(app._house, BACKUPS[0], None, "crypto_exchange"),
    "retention": lambda app: RetentionScreen(app._house),
    "kept": lambda app: KeptScreen(app._house, DATABASE),
    "jobs": lambda app: JobsScreen(app._house),
    "job": lambda app: _job(app, HALFWAY),
    "job failed": lambda app: _job(app, FAILED),
    "log": lambda app: LogScreen(app._bearings, HALFWAY.job, lambda: LOG),
    "incidents": lambda app: IncidentsScreen(app._house),
    "text": lambda app: TextScreen(app._bearings, "incidents › 6", "incident-6", LONG),
    "error": lambda app: ErrorScreen.of(
        app._bearings,
        Unreachable(f"Nothing answers for {ODD}.", "Connection refused. " * 9, "Start it."),
        lines=["[/x] line " * 20] * 30,
        copy=app.copy_text,
    ),
    "confirm": lambda app: ConfirmScreen("Swap", _FACTS, action="swap", name="crypto_exchange"),
    "confirm without a name": lambda app: ConfirmScreen("Take a backup now", _FACTS, action="back up"),
    "choose": lambda app: ChooseScreen(
        "Stop the restore",
        f"into {ODD}",
        [("go on", "It goes on."), ("stop", "What is restored is dropped.")],
    ),
    "reason": lambda app: ReasonScreen("Go past", "Nobody is told. " * 12, "go past"),
    "choose_tables": lambda app: ChooseTablesScreen(_table_desk(app), BACKUPS[0], TABLES),
    "differences": lambda app: DifferencesScreen(_table_desk(app), "scratch", ["public.wallets"]),
    "pause": lambda app: PauseScreen(app._bearings, app._house.rooms.pausing(DATABASE)),
    "drills": lambda app: DrillsScreen(app._house),
    "drill_history": lambda app: DrillHistoryScreen(app._house, "crypto_exchange"),
    "find": lambda app: FindScreen(app._house, findable(app), paths(app)),
    "first_run": lambda app: FirstRunScreen(app._bearings, _NEAR, _PLACES),
    "first_file": lambda app: FirstFileScreen(app._bearings, [(Endpoint("127.0.0.1", 9), ODD)], (), _PLACES),
    "first_add": lambda app: AddScreen(_NEAR.typed),
    "help": lambda app: HelpScreen(app._bearings, help_on(app.screen), app.copy_text),
    **{step.value: _step(step) for step in Step},
    "restore running": _step(Step.RESTORE, picture=HALFWAY),
    "restore failed": _step(Step.RESTORE, picture=FAILED),
    "drill": _step(Step.PICK, drill=True),
}


@asynccontextmanager
async def opened(app: PgdrApp, name: str, size: tuple[int, int]) -> AsyncIterator[Pilot[int]]:
    """The app with one of the screens on it, all that it asks for answered."""
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        screen = SCREENS[name](app)
        if screen is not None:
            app.push_screen(screen)
        await settle(pilot)
        yield pilot


async def settle(pilot: Pilot[int]) -> None:
    """Lets what was begun come to its end, as far as it does."""
    for _ in range(3):
        await pilot.pause(0.06)
        await pilot.app.workers.wait_for_complete(
            [worker for worker in pilot.app.workers if worker.group != "picture"]
        )
    await pilot.pause()


def widgets(screen: Screen[Any]) -> Iterator[Widget]:
    """The widgets that are on the terminal, the screen first."""
    for node in screen.walk_children(with_self=True):
        if isinstance(node, Widget) and all(
            a.display for a in node.ancestors_with_self if a is not screen.app
        ):
            yield node
