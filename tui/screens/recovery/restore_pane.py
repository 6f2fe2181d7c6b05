"""Step 4, restore: the plan, its confirmation, then the job live. The job runs by itself; this only looks."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import ContentSwitcher
from textual.worker import Worker, WorkerState

from tui.incident.scenarios import NOTHING
from tui.incident.steps.server import NotFresh
from tui.model import amounts as show
from tui.model.backup import Verdict
from tui.model.elsewhere import told
from tui.model.event import JobState
from tui.model.incident import Incident, Step
from tui.model.plan import RestorePlan
from tui.model.progress import Progress
from tui.model.text import clean
from tui.screens.confirm import ConfirmScreen
from tui.screens.recovery.address import AddressScreen
from tui.screens.recovery.choose import ChooseScreen
from tui.screens.recovery.pane import StepPane, told_error
from tui.widgets.job_head import JobContext
from tui.widgets.job_pane import JobPane, error_text
from tui.widgets.keys import bound
from tui.widgets.lines import BLANK, line, wrapped
from tui.widgets.plan_lines import plan_lines, span
from tui.widgets.scenario_lines import advice_below
from tui.widgets.server_line import server_line
from tui.widgets.text_lines import TextLines

STOP_CHOICES = (
    ("go on", "The restore goes on as before."),
    (
        "stop, keep what is there",
        "The unfinished database stays on the server to be looked at. It is not complete.",
    ),
    ("stop, drop it", "The unfinished database is dropped. The live one is not touched."),
)


class RestorePane(StepPane):
    """Before the job: the plan. While it runs and after: its pane, from the journal's latest picture."""

    step = Step.RESTORE
    BINDINGS: ClassVar[list[BindingType]] = bound("restore")

    _plan: RestorePlan | None = None
    _picture: Progress | None = None
    _looking = False
    _typed = ""  # the fresh server's address, as it was typed last

    def compose(self) -> ComposeResult:
        """Makes the plan's page and the job's."""
        with ContentSwitcher(initial="restore-plan", id="restore-pages"):
            yield TextLines(id="restore-plan")
            yield JobPane(id="restore-job")

    def on_mount(self) -> None:
        """Looks at the job twice a second while it is on the screen."""
        self._eyes = self.set_interval(0.5, self._look, pause=True)

    def opened(self) -> None:
        """Plans when there is something to plan, looks at the job when there is one."""
        incident = self.desk.incident
        if incident.job is not None:
            self._eyes.resume()
            self._look()
        elif self._can_plan and not self.guide.wants_address and not self.doing:
            self.action_plan_again()
        self.draw()
        self._focus()

    def _focus(self) -> None:
        pages = self.query_one("#restore-pages", ContentSwitcher)
        if pages.current == "restore-job":
            self.query_one(JobPane).focus()
        else:
            self.query_one("#restore-plan").focus()

    # Where to, and for whom

    def action_address(self) -> None:
        """Asks where the fresh server listens, and looks at it."""
        address, endpoint = self.desk.incident.address, self.guide.database.endpoint
        begin = told(address) if address else ""
        known = (
            f"The lost one: {endpoint.host or 'local'}:{endpoint.port or ''}; type it again where a fresh one"
            " answers there by now. User, password, TLS stay."
        )
        self._typed = ""

        def given(typed: str | None) -> None:
            if typed:
                self._typed = typed
                self._set_address(typed, although_old=False)

        self.app.push_screen(AddressScreen(known, endpoint.port, begin), given)

    def _set_address(self, typed: str, *, although_old: bool) -> None:
        self._plan = None
        settle = partial(self.guide.set_address, typed, although_old=although_old)
        self.ask(f"looking at {clean(typed, 80)}", settle, self._plan_after)

    def _plan_after(self, incident: Incident) -> None:
        self.call_after_refresh(self.action_plan_again)

    def _ask_although_old(self, error: NotFresh) -> None:
        name = self.guide.database.dbname
        facts = [
            ("but", error.what),
            ("why", error.why or ""),
            ("so", "restored beside what it has: nothing of it is overwritten"),
        ]

        def answered(yes: bool | None) -> None:
            if yes:
                self._set_address(self._typed, although_old=True)

        self.app.push_screen(
            ConfirmScreen(
                "Restore onto this server all the same",
                facts,
                action="use it",
                name=name,
                prompt=f"Type {clean(name)}",
            ),
            answered,
        )

    def action_roles(self) -> None:
        """Asks, then makes the roles that the server misses."""
        plan, name = self._plan, self.guide.database.dbname
        if plan is None:
            return
        facts = [("server", server_line(plan, self.guide.database.service))]
        facts += [("runs", clean(statement)) for statement in plan.roles]
        facts.append(("then", "a password for those that log in: none is in the backup"))

        def answered(yes: bool | None) -> None:
            if yes:
                make = partial(self.guide.make_roles, name, plan.roles)
                self.ask("making the roles", make, self._plan_after, must_finish=True)

        self.app.push_screen(
            ConfirmScreen(
                "Make the missing roles", facts, action="make them", name=name, prompt=f"Type {clean(name)}"
            ),
            answered,
        )

    # Planning

    @property
    def _can_plan(self) -> bool:
        incident = self.desk.incident
        free = incident.job is None and incident.ref is not None
        return free and self.desk.may_write and not self.guide.restores_nothing

    def action_plan_again(self) -> None:
        """Plans anew: the server may be another by now."""
        self._plan = None
        self.ask("planning: looking at the server and into the backup", self.guide.plan, self._planned)

    def _planned(self, plan: RestorePlan) -> None:
        self._plan = plan

    def action_start(self) -> None:
        """Asks for the database's name, then starts the job."""
        plan = self._plan
        if plan is None:
            return
        if plan.stops:
            self.notify(f"{plan.stops[0].what} {plan.stops[0].mend or ''}", severity="error", markup=False)
            return
        live = (
            "does not exist" if plan.live_bytes is None else f"{show.size(plan.live_bytes)}, is not touched"
        )
        facts = [
            ("server", server_line(plan, self.guide.database.service)),
            ("live", f"{self.guide.database.dbname}  {live}"),
            ("from", plan.ref),
            ("into", f"{plan.target}, a new database"),
            ("takes", span(plan.estimate)),
            ("then", "checks, and its end that is asked for separately"),
        ]
        if plan.tables:
            facts.insert(3, ("only", ", ".join(clean(t, 60) for t in plan.tables)))
        asked = ConfirmScreen(
            "Restore into a new database",
            facts,
            action="restore",
            name=self.guide.database.dbname,
            prompt=f"Type {clean(self.guide.database.dbname)}",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                name = self.guide.database.dbname
                start = partial(self.guide.start_restore, name, plan)
                self.ask("starting the job", start, self._started, must_finish=True)

        self.app.push_screen(asked, answered)

    def _started(self, job: str) -> None:
        self._eyes.resume()
        self._look()

    # Looking

    def _look(self) -> None:
        if self._looking or self.guide.incident.job is None:
            return
        self._looking = True
        self.run_worker(self._read_picture, thread=True, group="picture", exit_on_error=False)

    def _read_picture(self) -> Progress | None:
        picture = self.guide.restore_picture()
        if picture is not None and picture.state is not JobState.RUNNING:
            self.guide.finish_restore()
        return picture

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Takes a picture, or what the guide answered."""
        event.prevent_default()  # Textual would call the method of the class above by itself, once more
        if event.worker.group != "picture":
            super().on_worker_state_changed(event)
            if event.state is WorkerState.ERROR and isinstance(event.worker.error, NotFresh):
                self._ask_although_old(event.worker.error)
            return
        event.stop()
        if event.state not in (WorkerState.SUCCESS, WorkerState.ERROR):
            return
        self._looking = False
        if event.state is WorkerState.ERROR:
            self.error = event.worker.error
            self._eyes.pause()
            self._changed()
            return
        before, self._picture = self._picture, event.worker.result
        if self._picture is None:
            return
        if self._picture.state is not JobState.RUNNING:
            self._eyes.pause()
        if before is None or before.state is not self._picture.state:
            self._changed()  # the keys and the strip are others now
            if self.has_focus_within or self.screen.focused is None:
                self._focus()
        else:
            self.draw()

    # Acting

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done depends on where the job is."""
        incident, write = self.desk.incident, self.desk.may_write and not self.doing
        running = self._job_runs
        if action == "start":
            return write and incident.job is None and self._plan is not None
        if action == "plan_again":
            return self._can_plan and not self.doing
        if action == "address":
            wanted = self.guide.server_lost or incident.address is not None
            return write and wanted and incident.job is None
        if action == "roles":
            return write and incident.job is None and self._plan is not None and bool(self._plan.roles)
        if action == "copy":
            return incident.job is None and self._plan is not None
        if action == "next":
            nothing = self.guide.restores_nothing and incident.job is None
            return nothing or (incident.job is not None and self._usable)
        if action == "stop":
            return running and self.desk.may_write
        if action in ("again", "go_on"):
            return write and incident.job is not None and not running and not self._usable
        return True

    @property
    def _job_runs(self) -> bool:
        return self._picture is not None and self._picture.state is JobState.RUNNING

    @property
    def _usable(self) -> bool:
        return self.desk.incident.verdict in (Verdict.CLEAN, Verdict.EXPLAINED)

    def trouble_text(self) -> str:
        """What pg_restore complained of, where the guide had nothing to complain of itself."""
        return super().trouble_text() or error_text(self._picture)

    def action_next(self) -> None:
        """On to the checks."""
        self.post_message(self.Go(Step.VERIFY))

    def action_tell(self) -> None:
        """To the message for the stakeholders; the restore goes on."""
        self.post_message(self.Go(Step.NOTIFY))

    def action_stop(self) -> None:
        """Asks whether to stop, and what becomes of the unfinished database."""

        def answered(choice: int | None) -> None:
            if choice in (1, 2):
                self.ask("telling the job to stop", lambda: self.guide.cancel_restore(choice == 1))

        target = clean(self.desk.incident.target or "")
        self.app.push_screen(ChooseScreen("Stop the restore", f"into {target}", STOP_CHOICES), answered)

    def action_go_on(self) -> None:
        """Goes on with a restore that was interrupted, from what it has done."""
        self.ask("starting the job that goes on", self.guide.resume_restore, self._started, must_finish=True)

    def action_again(self) -> None:
        """Forgets a restore that ended, and plans a new one."""

        def forgotten(incident: Incident) -> None:
            self._picture = None
            self.call_after_refresh(self.action_plan_again)

        self.ask("putting that restore aside", self.guide.restore_again, forgotten)

    def action_copy(self) -> None:
        """Copies the plan's commands, to be run by hand."""
        if self._plan is not None:
            commands = "\n".join(clean(command) for command in self._plan.commands)
            self.notify(self.desk.copy("restore-commands", f"{commands}\n"), markup=False)

    # Showing

    def draw(self) -> None:
        """Shows the plan, or the job."""
        incident = self.desk.incident
        pages = self.query_one("#restore-pages", ContentSwitcher)
        if incident.job is not None:
            pages.current = "restore-job"
            pane = self.query_one(JobPane)
            pane.context = self._job_context()
            pane.say(told_error(self.error, self.room()) if self.error else self.waiting())
            if self._picture is not None:
                pane.show(self._picture, self.desk.now())
            return
        pages.current = "restore-plan"
        advice = advice_below(incident, self.step, self.room())
        self.query_one("#restore-plan", TextLines).show([*self._before(), *advice])

    def _job_context(self) -> JobContext:
        endpoint, lost = self.guide.recovering.endpoint, self.desk.clocks.lost
        if self._plan is not None:
            where = f"{self.guide.database.service} (PostgreSQL {self._plan.server_version})"
        else:
            where = f"{self.guide.database.service} ({endpoint.host or 'local'}:{endpoint.port or ''})"
        return JobContext(where, show.age(lost) if lost is not None else "", self.desk.deadline)

    def _before(self) -> list[Content]:
        width = self.room()
        made = [*self.trouble(), *self.waiting()]
        if self.guide.restores_nothing:
            return [*made, *wrapped(NOTHING, width), BLANK, *wrapped("enter goes on to the checks.", width)]
        if self.desk.incident.ref is None:
            return [*made, *wrapped("No backup has been picked yet: step 2 (key 2).", width)]
        if not self.desk.may_write:
            return [*made, *wrapped("Nothing is planned: read-only, or the incident is closed.", width)]
        if self.guide.wants_address:
            said = "The server is lost: say where the fresh one listens (a). It is only looked at first."
            return [*made, *wrapped(said, width)]
        if self._plan is None:
            return made or [line("No plan yet: P plans.")]
        if self._plan.roles:
            made += wrapped("Roles are missing on that server: m makes them, the SQL is shown first.", width)
            made.append(BLANK)
        return [*made, *plan_lines(self._plan, self.desk.now(), self.desk.deadline, width), BLANK]
