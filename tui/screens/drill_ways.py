"""The ways to drills: what is due, and the guided recovery as a rehearsal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from tui.model import amounts as show
from tui.model.errors import PgdrError
from tui.screens import go
from tui.screens.ways import Ways

if TYPE_CHECKING:
    from tui.model.incident import Incident


class DrillWays(Ways):
    """An app that finds its way to drills too."""

    def on_drills(self, message: go.Drills) -> None:
        """Shows what is due, and what was rehearsed."""
        from tui.screens.drills import DrillsScreen

        self.push_screen(DrillsScreen(self._house, message.database))

    def on_drill(self, message: go.Drill) -> None:
        """Begins a drill: takes up the open one of the database, or asks to begin one."""
        self._find_drill(message.database, message.what)

    @work(thread=True, exit_on_error=False)
    def _find_drill(self, database: str, what: str) -> None:
        try:
            known = self._house.rooms.incidents()
        except PgdrError as problem:
            self.call_from_thread(self._fail, problem)
            return
        mine = [i for i in known if i.database == database and i.drill and i.closed_at is None]
        if mine:
            self._go_to(mine[0].id)
        else:
            self.call_from_thread(self._ask_to_drill, database, what)

    def _ask_to_drill(self, database: str, what: str) -> None:
        from tui.screens.confirm import ConfirmScreen

        spec = self._fleet.database(database)
        if spec is None:
            return
        every = {"single table": "of single tables", "full": "of the loss of everything"}
        facts = [
            ("database", f"{database} · {spec.criticality.value} · {spec.service}"),
            ("drill", every.get(what, "of a whole recovery")),
            ("clock", f"starts now, against an RTO of {show.limit(spec.rto)}"),
            ("then", "the same six steps as in earnest"),
            ("makes", "a scratch database on the same server, dropped at the end"),
            ("touches", "nothing live: nobody is told, no service is paused, nothing is swapped"),
        ]

        def answered(begin: bool | None) -> None:
            if begin:
                self._begin_drill(database, what)

        self.push_screen(ConfirmScreen("Begin a DRILL", facts, action="begin", cancel="Cancel"), answered)

    @work(thread=True, exit_on_error=False)
    def _begin_drill(self, database: str, what: str) -> None:
        from tui.incident.book import Book

        try:
            incident = Book(self._state).declare(database, self._operator, self._bearings.now(), drill=True)
        except OSError as error:
            problem = PgdrError("The drill could not be written down.", f"{error.strerror}.")
            self.call_from_thread(self._fail, problem)
            return
        try:
            self._decide(incident, what)
        except PgdrError as problem:
            self.call_from_thread(self._fail, problem)
        self._go_to(incident.id)

    def _decide(self, incident: Incident, what: str) -> None:
        """Decides on the disaster that a duty is about; of a whole recovery the engineer decides."""
        from tui.incident.book import Book
        from tui.incident.guide import Guide
        from tui.model.scenario import Scenario

        guide = Guide(
            self._fleet, self._state, Book(self._state), incident, self._operator, self._bearings.now
        )
        tables = guide.database.key_tables[:1]
        why = "The drill that the schedule wants."
        if what == "single table" and tables:
            named = tables if "." in tables[0] else (f"public.{tables[0]}",)
            guide.decide(Scenario.TABLE_CORRUPTION, why, tables=named)
        elif what == "full":
            guide.decide(Scenario.SITE_LOST, why)

    def on_verify_newest(self, message: go.VerifyNewest) -> None:
        """Finds the newest good backup of a database, and asks whether to verify it."""
        self._find_newest(message.database)

    @work(thread=True, exit_on_error=False)
    def _find_newest(self, name: str) -> None:
        database = self._fleet.database(name)
        if database is None:
            return
        try:
            backup = self._house.rooms.newest_good(database)
        except PgdrError as problem:
            self.call_from_thread(self._fail, problem)
        else:
            self.call_from_thread(self.on_verify, go.Verify(name, backup.ref))
