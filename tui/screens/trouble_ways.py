"""The ways from an error to what helps: what is known of it, and what pgdr can do about it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual import work

from tui.model import amounts as show
from tui.model.errors import PgdrError
from tui.model.fleet import Database
from tui.screens import go
from tui.screens.find_ways import FindWays

if TYPE_CHECKING:
    from tui.model.trouble import Remedy


class TroubleWays(FindWays):
    """An app in which what is known of troubles can be searched from anywhere."""

    def action_troubles(self) -> None:
        """Searches what is known of the error on the screen, or lets one be typed."""
        self._load_troubles()

    @work(thread=True, exit_on_error=False)
    def _load_troubles(self) -> None:
        """From a worker's thread, which loads the table and what searches it."""
        from tui.screens.troubles import TroublesScreen

        def shown() -> None:
            if not isinstance(self.screen, TroublesScreen):
                text, database = self._at_hand()
                self.push_screen(TroublesScreen(self._bearings, text, database))

        self.call_from_thread(shown)

    def _at_hand(self) -> tuple[str, str | None]:
        """The error on the screen that is looked at, and the database that it is about; who doesn't say so is
        looked through."""
        text, database = None, None
        for screen in reversed(self.screen_stack):
            said = getattr(screen, "trouble", None)
            if said is not None:
                own_text, own_database = said()
                text = own_text if text is None else text
                database = database or own_database
        return text or "", database

    def on_troubles_screen_wanted(self, message: object) -> None:
        """Does what is wanted, for the database that it is for."""
        from tui.model.trouble import Remedy

        remedy: Remedy = message.remedy  # type: ignore[attr-defined]
        name: str | None = message.database  # type: ignore[attr-defined]
        names = [database.name for database in self._fleet.databases]
        if remedy is Remedy.GO_ON:
            self.on_jobs()
        elif remedy is Remedy.CHECK:
            self._check(name)
        elif name in names or len(names) == 1:
            self._remedy(remedy, name or names[0])
        else:
            self._ask_which(remedy)

    def _check(self, name: str | None) -> None:
        from tui.screens.fleet import FleetScreen

        self.to_fleet(name)
        if isinstance(self.screen, FleetScreen):
            self.screen.action_refresh()

    def _ask_which(self, remedy: Remedy) -> None:
        from tui.screens.recovery.choose import ChooseScreen

        databases = sorted(self._fleet.databases, key=lambda d: d.criticality.rank)
        choices = [("none", "Goes back.")]
        choices += [(database.name, f"{database.dbname} on {database.service}") for database in databases]

        def answered(choice: int | None) -> None:
            if choice:
                self._remedy(remedy, databases[choice - 1].name)

        self.push_screen(ChooseScreen("Of which database?", "", choices), answered)

    def _remedy(self, remedy: Remedy, name: str) -> None:
        database = self._fleet.database(name)
        if database is None:
            return
        from tui.model.trouble import Remedy

        ways: dict[Remedy, Callable[[], object]] = {
            Remedy.RECOVER: lambda: self.on_recover(go.Recover(name)),
            Remedy.CHECK_BACKUP: lambda: self.on_backups_of(go.BackupsOf(name)),
            Remedy.PAUSE: lambda: self.on_services(go.Services(name)),
            Remedy.END_SESSIONS: lambda: self._show_sessions(database),
            Remedy.CREATE_DATABASE: lambda: self._ask_to_create(database),
            Remedy.SHOW_DISK: lambda: self._show_disk(database),
            Remedy.ROLE: lambda: self._show_role(database),
        }
        ways[remedy]()

    # Sessions, a database, disks, rights

    @work(thread=True, exit_on_error=False)
    def _show_sessions(self, database: Database) -> None:
        from tui.screens.sessions import SessionsScreen

        self.call_from_thread(lambda: self.push_screen(SessionsScreen(self._bearings, database)))

    def _ask_to_create(self, database: Database) -> None:
        from tui.screens.confirm import ConfirmScreen

        facts = [
            ("makes", f"{database.dbname} on {database.service}, empty, from template0"),
            ("so", "the application may start on it, and write into it, without its data"),
            ("else", "recover it from a backup: r on the fleet"),
        ]

        def answered(yes: bool | None) -> None:
            if yes:
                self._create(database)

        self.push_screen(
            ConfirmScreen(
                "Create an EMPTY database", facts, action="create", name=database.dbname,
                prompt="Type the database's name",
            ),
            answered,
        )  # fmt: skip

    @work(thread=True, exit_on_error=False)
    def _create(self, database: Database) -> None:
        from tui.operations.empty import create_empty

        try:
            create_empty(database, database.dbname)
        except PgdrError as error:
            self.call_from_thread(self._fail, error)
        else:
            said = f"{database.dbname} was created. It is empty."
            self.call_from_thread(partial(self.notify, said, markup=False))

    @work(thread=True, exit_on_error=False)
    def _show_disk(self, database: Database) -> None:
        from tui.operations.disk import disk_use

        rows = [
            f"{show.size(use.used_bytes):>10}  {show.size(use.free_bytes):>10} free  {use.what}  {use.where}"
            + (f"  {use.problem}" if use.problem else "")
            for use in disk_use(self._fleet, self._state, database)
        ]
        self.call_from_thread(self._read, f"{database.name} › disks", "disks", "\n".join(rows))

    @work(thread=True, exit_on_error=False)
    def _show_role(self, database: Database) -> None:
        from tui.operations.backup.role import role_told

        try:
            text = role_told(database)
        except PgdrError as error:
            self.call_from_thread(self._fail, error)
        else:
            self.call_from_thread(self._read, f"{database.name} › the backup's role", "role", text)

    def _read(self, place: str, name: str, text: str) -> None:
        from tui.screens.text import TextScreen

        self.push_screen(TextScreen(self._bearings, place, name, text))
