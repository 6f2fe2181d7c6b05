"""The demo's tour in the app: a disaster is made, and hints lead through the first recovery."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from textual import work
from textual.screen import ModalScreen, Screen

from tui.files import write_whole
from tui.model.errors import PgdrError
from tui.screens.small import SmallScreen
from tui.screens.trouble_ways import TroubleWays
from tui.widgets.keys import KeyFooter, useful

if TYPE_CHECKING:
    from pathlib import Path

    from tui.demo.tour import Tour
    from tui.model.incident import Incident
    from tui.screens.rooms import House

_LOOKS_S = 0.25
_FILE = "tour"  # in the state directory, once it was offered: it isn't offered by itself again


class TourWays(TroubleWays):
    """An app that may be on the demo: `tour` is what makes disasters there, None everywhere else."""

    def __init__(self, house: House, state: Path, operator: str, tour: Tour | None = None) -> None:
        super().__init__(house, state, operator)
        self._tour = tour
        self._touring = False
        self._toured: Incident | None = None  # the recovery as it was seen last
        self._since: datetime | None = None  # since when the disaster is there, as far as it was made here

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is no tour but in the demo."""
        return self._tour is not None if action == "tour" else super().check_action(action, parameters)

    @property
    def touring(self) -> bool:
        """Whether hints are given."""
        return self._touring

    # Offering

    def nothing_is_open(self) -> None:
        """Offers it to whoever sees the demo for the first time."""
        offered = (self._state / _FILE).exists()
        if self._tour is not None and not self.read_only and (not offered or self._tour.made):
            self._offer_tour()

    def action_tour(self) -> None:
        """Leaves the tour; takes it up; or offers it, where there is nothing to recover from."""
        if self._touring:
            self._leave_tour()
        elif self._tour is not None:
            self._take_up_tour()

    @work(thread=True, exit_on_error=False, group="tour")
    def _take_up_tour(self) -> None:
        from tui.demo.hints import is_over

        self._toured = self._recovery()
        going = self._tour is not None and (self._tour.made is not None or self._toured is not None)
        self.call_from_thread(self._begin_tour if going and not is_over(self._toured) else self._offer_tour)

    def _offer_tour(self) -> None:
        from tui.demo.tour import STORIES
        from tui.screens.recovery.choose import ChooseScreen

        if self._tour is None:
            return
        back = f"{self._with_keys('{app.tour}')} brings it back at any time, as does ctrl+p."
        made = STORIES.get(self._tour.made or "") if self._toured is None else None
        if made is not None:
            choices = [("not now", back), ("with hints", "Each step says which key is next, and why.")]
            about = f"The sample's exchange is hurt: {made.title}. Go through the recovery…"
        else:
            about = "Choose a disaster for the sample's exchange; hints lead through its recovery."
            choices = [("not now", back), *((story.title, story.does) for story in STORIES.values())]
        kinds = list(STORIES)

        def answered(choice: int | None) -> None:
            self._note_offered()
            if choice and made is not None:
                self._begin_tour()
            elif choice:
                self._ask_to_make(kinds[choice - 1])

        self.push_screen(ChooseScreen("A tour: your first recovery", about, choices), answered)

    def _note_offered(self) -> None:
        try:
            write_whole(self._state / _FILE, "offered\n")
        except PgdrError as error:
            self.notify(str(error), severity="warning", markup=False)

    def _ask_to_make(self, kind: str) -> None:
        from tui.demo.tour import STORIES
        from tui.screens.confirm import ConfirmScreen

        story = STORIES[kind]
        facts = [
            ("does", story.does),
            ("to", "crypto_exchange, on the demo's own server: nothing else is touched"),
            ("way back", story.way),
            ("or", "leave the demo: the next start makes everything anew"),
        ]

        def answered(yes: bool | None) -> None:
            if yes:
                self.notify("It is being made…", timeout=2, markup=False)
                self._make(kind)

        self.push_screen(ConfirmScreen("Make the disaster", facts, action="make it"), answered)

    @work(thread=True, exit_on_error=False, group="tour")
    def _make(self, kind: str) -> None:
        assert self._tour is not None
        since = self._bearings.now()
        try:
            self._tour.make(kind)
        except PgdrError as error:
            self.call_from_thread(self._fail, error)
        else:
            self._since, self._toured = since, None
            self.call_from_thread(self._made)

    def _made(self) -> None:
        from tui.screens.fleet import FleetScreen

        self.to_fleet(self._fleet.databases[0].name)
        for screen in self.screen_stack:
            if isinstance(screen, FleetScreen):
                screen.action_refresh()
        self._begin_tour()

    # Leading

    def _begin_tour(self) -> None:
        if not self._touring:
            self._touring = True
            self.set_interval(_LOOKS_S, self._lead, name="tour")
        self._lead()

    def _leave_tour(self) -> None:
        self._touring = False
        for timer in [timer for timer in self._timers if timer.name == "tour"]:
            timer.stop()
        from tui.widgets.tour_line import TourLine

        for screen in self.screen_stack:
            for said in screen.query(TourLine):
                said.remove()
        key = self._with_keys("{app.tour}")
        self.notify(f"The tour is left; {key} takes it up where you are then.", markup=False)

    def _lead(self) -> None:
        """Says what fits what is on the screen now. An idle screen stays quiet: nothing is drawn anew."""
        from tui.demo.hints import Seen, hint
        from tui.screens.confirm import ConfirmScreen
        from tui.screens.recovery.pane import StepPane
        from tui.screens.recovery.screen import RecoveryScreen

        screen = self.screen
        if not self._touring or isinstance(screen, SmallScreen) or not screen.is_mounted:
            return
        guided = [one.desk.incident for one in self.screen_stack if isinstance(one, RecoveryScreen)]
        if guided:
            self._toured = guided[-1]
        else:
            self._look_for_recovery()
        seen = Seen(
            getattr(screen, "help_page", ""),
            frozenset(active.binding.id or "" for active in useful(screen)),
            isinstance(screen, ConfirmScreen) and screen.types_a_name,
            isinstance(screen, RecoveryScreen)
            and any(pane.doing for pane in screen.query(StepPane) if pane.step is screen.shown),
            self._tour.made if self._tour is not None else None,
            self._toured,
        )
        self._say(screen, self._with_keys(hint(seen)))

    def _say(self, screen: Screen[Any], text: str) -> None:
        from tui.widgets.tour_line import TourLine

        for said in screen.query(TourLine):
            said.show(text)
            return
        footers = [one for one in screen.query(KeyFooter) if one.parent is screen]
        said = TourLine(below=not footers or isinstance(screen, ModalScreen))
        screen.mount(said, before=footers[0] if footers else None)
        said.show(text)

    @work(thread=True, exit_on_error=False, exclusive=True, group="tour-look")
    def _look_for_recovery(self) -> None:
        self._toured = self._recovery()

    def _recovery(self) -> Incident | None:
        """The newest recovery of the sample's exchange; after a disaster was made here, only one from it."""
        name = self._fleet.databases[0].name
        known = [one for one in self._house.rooms.incidents() if one.database == name and not one.drill]
        if self._since is not None:
            known = [one for one in known if one.declared_at >= self._since]
        else:
            known = [one for one in known if one.closed_at is None or one == self._toured]
        return max(known, key=lambda one: one.declared_at, default=None)

    def _with_keys(self, text: str) -> str:
        from tui.widgets.tour_line import with_keys

        return with_keys(text, dict(self.keymap_of_fleet))
