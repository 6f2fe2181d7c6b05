"""The ways between the screens: which message leads to which of them.

A screen, and all that only it needs, is loaded when it is first gone to: the fleet is on the terminal before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work

from tui.model import amounts as show
from tui.model.errors import PgdrError
from tui.model.fleet import Database
from tui.screens import go
from tui.screens.dressed import DressedApp
from tui.screens.rooms import House

if TYPE_CHECKING:
    from tui.incident.guide import Guide
    from tui.model.incident import Incident
    from tui.screens.restore import RestoreScreen
    from tui.screens.tables.desk import TableDesk
    from tui.widgets.job_pane import JobPane


class Ways(DressedApp):
    """An app that finds its way about a house, whose records are in the directory `state`."""

    def __init__(self, house: House, state: Path, operator: str) -> None:
        super().__init__(house, state)
        self._fleet = house.fleet
        self._operator = operator
        # One guide for each incident: a worker of a screen that was left may still be at work with it.
        self._guides: dict[str, Guide] = {}
        self._guiding = threading.Lock()

    def begin_with(self, house: House) -> None:
        """Given a house, makes it the one that all screens are given from now on."""
        self._house, self._bearings, self._fleet = house, house.bearings, house.fleet

    # What is looked at

    def to_fleet(self, database: str | None = None) -> None:
        """Goes back to the fleet, there to `database` if it is given; not past what has to be finished."""
        from tui.screens.fleet import FleetScreen

        if self._must_finish() is not None:
            self.notify("One moment: something is being written down.", markup=False)
            return
        while len(self.screen_stack) > 2 and not isinstance(self.screen, FleetScreen):
            self.pop_screen()
        if database is not None and isinstance(self.screen, FleetScreen):
            self.screen.show(database)

    def on_open_backup(self, message: go.OpenBackup) -> None:
        """Looks inside a backup."""
        from tui.screens.backups_contents import ContentsScreen

        backup = message.backup
        mine = [d for d in self._fleet.databases if self._house.rooms.of_database(d, (backup,))]
        name = mine[0].name if len(mine) == 1 else None
        self.push_screen(ContentsScreen(self._house, backup, None, name))

    def on_jobs(self) -> None:
        """Shows the jobs."""
        from tui.screens.jobs import JobsScreen

        self.push_screen(JobsScreen(self._house))

    def on_incidents(self) -> None:
        """Shows the incidents."""
        from tui.screens.incidents import IncidentsScreen

        self.push_screen(IncidentsScreen(self._house))

    def on_backups_of(self, message: go.BackupsOf) -> None:
        """Shows the backups."""
        from tui.screens.backups import BackupsScreen

        database = self._fleet.database(message.database) if message.database else None
        self.push_screen(BackupsScreen(self._house, database))

    def on_retention(self) -> None:
        """Shows what retention would remove and keep."""
        from tui.screens.retention import RetentionScreen

        self.push_screen(RetentionScreen(self._house))

    def on_kept(self, message: go.Kept) -> None:
        """Shows the databases that are kept beside a live one."""
        from tui.screens.kept import KeptScreen

        database = self._fleet.database(message.database)
        if database is not None:
            self.push_screen(KeptScreen(self._house, database))

    def on_services(self, message: go.Services) -> None:
        """Shows what uses a database."""
        self._load_services(message.database)

    @work(thread=True, exit_on_error=False)
    def _load_services(self, name: str) -> None:
        """From a worker's thread, which loads what that needs."""
        from tui.screens.recovery.pause import PauseScreen

        database = self._fleet.database(name)
        if database is not None:
            pausing = self._house.rooms.pausing(database)
            self.call_from_thread(lambda: self.push_screen(PauseScreen(self._bearings, pausing)))

    def on_attach(self, message: go.Attach) -> None:
        """Shows a job."""
        from tui.screens.restore import RestoreScreen

        of_tables = self._job_of_tables(message.job)
        self.push_screen(
            of_tables
            or RestoreScreen(self._bearings, self._state, message.job, self._operator, self.copy_text)
        )

    def on_job_pane_whole_log_wanted(self, message: JobPane.WholeLogWanted) -> None:
        """Shows a job's log from its beginning."""
        from tui.jobs.watch import WholeLog
        from tui.screens.log import LogScreen

        self.push_screen(LogScreen(self._bearings, message.job, WholeLog(self._state, message.job).read_on))

    def on_copy(self, message: go.Copy) -> None:
        """Copies a text."""
        self.notify(self.copy_text(message.name, message.text), markup=False)

    # Incidents

    @work(thread=True, exit_on_error=False)
    def offer_incidents(self) -> None:
        """Asks whether an incident that isn't finished is to be taken up, when there is one."""
        open_ones = [incident for incident in self._house.rooms.incidents() if incident.closed_at is None]
        if not open_ones:
            self.call_from_thread(self.nothing_is_open)
        else:  # what is in earnest before what is only rehearsed
            self.call_from_thread(self._offer, sorted(open_ones, key=lambda incident: incident.drill))

    def nothing_is_open(self) -> None:
        """Called at the start when there is no incident to take up: for who has something else to offer."""

    def _offer(self, incidents: list[Incident]) -> None:
        from tui.screens.confirm import ConfirmScreen

        newest, now = incidents[0], self._bearings.now()
        facts = [
            (
                "drill" if newest.drill else "incident",
                f"{newest.id}, {newest.database}, declared by {newest.operator}",
            ),
            ("declared", f"{show.minute(newest.declared_at)} UTC, {show.age(now - newest.declared_at)} ago"),
            ("is at", is_at(newest)),
        ]
        if newest.driving != self._operator:
            facts.append(("driven by", f"{newest.driving}: you would watch, and can take it over"))
        if newest.job:
            facts.append(("job", newest.job))
        if len(incidents) > 1:
            others = ", ".join(incident.id for incident in incidents[1:4])
            facts.append(("also open", others))
        title = "A DRILL is not finished" if newest.drill else "An incident is not finished"
        self.push_screen(
            ConfirmScreen(title, facts, action="take it up", cancel="later"),
            lambda take_up: self.on_take_up(go.TakeUp(newest.id)) if take_up else None,
        )

    def on_take_up(self, message: go.TakeUp) -> None:
        """Goes to an incident; for a closed one to its report."""
        self._take_up(message.incident)

    @work(thread=True, exit_on_error=False)
    def _take_up(self, incident_id: str) -> None:
        self._go_to(incident_id)

    def _go_to(self, incident_id: str, ref: str | None = None) -> None:
        """Goes to an incident from a worker's thread, which loads what that needs."""
        try:
            self._open_incident(incident_id, ref)
        except PgdrError as error:
            self.call_from_thread(self._fail, error)

    def _open_incident(self, incident_id: str, ref: str | None) -> None:
        from tui.incident.book import Book
        from tui.incident.guide import Guide
        from tui.screens.recovery import screen as loaded  # noqa: F401 - here, not on the screen's thread

        book = Book(self._state)
        incident = book.load(incident_id)
        if incident.closed_at is not None:
            self.call_from_thread(self._open_report, incident, self._house.rooms.report(incident))
            return
        with self._guiding:
            guide = self._guides.get(incident_id)
            if guide is None:
                guide = Guide(self._fleet, self._state, book, incident, self._operator, self._bearings.now)
                self._guides[incident_id] = guide
        guide.look_again()
        self.call_from_thread(self._open_recovery, guide, ref)

    def _open_report(self, incident: Incident, text: str) -> None:
        from tui.screens.text import TextScreen

        place = f"incidents › {incident.id}"
        self.push_screen(TextScreen(self._bearings, place, f"incident-{incident.id}", text))

    def _open_recovery(self, guide: Guide, ref: str | None) -> None:
        from tui.screens.recovery.desk import Desk
        from tui.screens.recovery.screen import RecoveryScreen

        if any(isinstance(s, RecoveryScreen) and s.desk.guide is guide for s in self.screen_stack):
            return  # asked for twice
        self.push_screen(RecoveryScreen(Desk(guide, self._fleet, self._bearings, self.copy_text, ref)))

    def on_recover(self, message: go.Recover) -> None:
        """Begins a recovery: takes up the open incident of the database, or asks to declare one."""
        self._find_incident(message.database, message.ref)

    @work(thread=True, exit_on_error=False)
    def _find_incident(self, database: str, ref: str | None) -> None:
        try:
            known = self._house.rooms.incidents()
        except PgdrError as problem:
            self.call_from_thread(self._fail, problem)
            return
        mine = [i for i in known if i.database == database and i.closed_at is None and not i.drill]
        if mine:
            self._go_to(mine[0].id, ref)
        else:
            self.call_from_thread(self._ask_to_declare, database, ref)

    def _ask_to_declare(self, database: str, ref: str | None) -> None:
        from tui.screens.confirm import ConfirmScreen

        spec = self._fleet.database(database)
        if spec is None:
            return
        facts = [
            ("database", f"{database} · {spec.criticality.value} · {spec.service}"),
            ("clock", f"starts now, against an RTO of {show.limit(spec.rto)}"),
            ("then", "six steps: assess, pick, notify, restore, verify, resume"),
            ("touches", "nothing yet: each step that does asks by itself"),
        ]
        if ref is not None:
            facts.insert(1, ("backup", f"{ref} (to be confirmed in the second step)"))

        def answered(declare: bool | None) -> None:
            if declare:
                self._declare(database, ref)

        self.push_screen(
            ConfirmScreen("Declare an incident", facts, action="declare", cancel="Cancel"), answered
        )

    @work(thread=True, exit_on_error=False)
    def _declare(self, database: str, ref: str | None) -> None:
        from tui.incident.book import Book

        try:
            incident = Book(self._state).declare(database, self._operator, self._bearings.now())
        except OSError as error:
            problem = PgdrError("The incident could not be written down.", f"{error.strerror}.")
            self.call_from_thread(self._fail, problem)
        else:
            self._go_to(incident.id, ref)

    # Backing up

    def on_back_up(self, message: go.BackUp) -> None:
        """Asks before a backup is taken, then watches the job."""
        from tui.screens.confirm import ConfirmScreen

        database = self._fleet.database(message.database)
        if database is None:
            return
        stores = database.backup.stores
        facts = [
            ("database", f"{database.name} on {database.service}"),
            ("into", ", ".join(stores) or "no store: name one in the configuration"),
            ("reads", "every table, in one snapshot; nobody is kept from working"),
        ]

        def answered(back_up: bool | None) -> None:
            if back_up:
                self._start_back_up(database)

        self.push_screen(ConfirmScreen("Take a backup now", facts, action="back up"), answered)

    @work(thread=True, exit_on_error=False)
    def _start_back_up(self, database: Database) -> None:
        self._follow(lambda: self._house.rooms.back_up(database))

    def _follow(self, start: Callable[[], str]) -> None:
        """Starts a job from a worker's thread, and goes to it."""
        try:
            job = start()
        except PgdrError as error:
            self.call_from_thread(self._fail, error)
        else:
            self.call_from_thread(self.on_attach, go.Attach(job))

    # Verifying

    def on_verify(self, message: go.Verify) -> None:
        """Asks before a backup is verified, then watches the job."""
        from tui.screens.confirm import ConfirmScreen

        database = self._fleet.database(message.database)
        if database is None:
            return
        facts = [
            ("backup", message.ref),
            ("makes", f"a scratch database on the server of {database.name}, dropped when it is checked"),
            ("touches", "nothing else; what came of it is written beside the backup"),
        ]

        def answered(verify: bool | None) -> None:
            if verify:
                self._start_verify(database, message.ref)

        self.push_screen(ConfirmScreen("Verify a backup", facts, action="verify"), answered)

    @work(thread=True, exit_on_error=False)
    def _start_verify(self, database: Database, ref: str) -> None:
        self._follow(lambda: self._house.rooms.verify(database, ref))

    # Copying

    def on_copy_to(self, message: go.CopyTo) -> None:
        """Asks into which store a backup is to be copied, then watches the job."""
        from tui.screens.recovery.choose import ChooseScreen

        database, ref = self._fleet.database(message.database), message.ref
        others = [store for store in self._fleet.stores if store.name != ref.partition(":")[0]]
        if database is None:
            return
        choices = [("Cancel", "Nothing is copied." if others else "There is no other store to copy it to.")]
        choices += [(s.name, "off-site" if s.offsite else "not off-site") for s in others]

        def answered(choice: int | None) -> None:
            if choice:
                self._start_copy(database, ref, others[choice - 1].name)

        about = f"{ref}, with all that lies beside it; nothing that is there is written over"
        self.push_screen(ChooseScreen("Copy a backup to…", about, choices), answered)

    @work(thread=True, exit_on_error=False)
    def _start_copy(self, database: Database, ref: str, store: str) -> None:
        self._follow(lambda: self._house.rooms.copy_to(database, ref, store))

    # Single tables

    def on_tables(self, message: go.Tables) -> None:
        """Lets tables of a backup be chosen, to be restored beside the live ones."""
        from tui.screens.tables.choose import ChooseTablesScreen

        database = self._fleet.database(message.database)
        if database is not None:
            desk = self._desk_of(database)
            self.push_screen(ChooseTablesScreen(desk, message.backup, message.tables))

    def _job_of_tables(self, job: str) -> RestoreScreen | None:
        """The screen of a job that restores single tables, from which their differences can be reached."""
        from tui.jobs.job import files_of, read_spec
        from tui.model.event import JobKind
        from tui.screens.tables.follow import TableRestoreScreen

        try:
            spec = read_spec(files_of(self._state, job))
        except PgdrError:
            return None  # told by the screen that follows it
        database = self._fleet.database(spec.database)
        if spec.kind is not JobKind.RESTORE or not spec.tables or spec.target is None or database is None:
            return None
        return TableRestoreScreen(self._desk_of(database), job, spec.target, spec.tables, go_on=False)

    def _desk_of(self, database: Database) -> TableDesk:
        from tui.screens.tables.desk import TableDesk

        return TableDesk(self._fleet, database, self._state, self._bearings, self._operator, self.copy_text)

    def _fail(self, error: PgdrError) -> None:
        from tui.screens.error import ErrorScreen

        self.push_screen(ErrorScreen.of(self._bearings, error, copy=self.copy_text))


def is_at(incident: Incident) -> str:
    """The step that an incident has come to, and how that stands."""
    record = incident.record(incident.reached)
    begun = f"begun at {show.clock(record.began_at)} UTC" if record.began_at else "not begun"
    return f"{record.step.value}: {record.note or begun}"
