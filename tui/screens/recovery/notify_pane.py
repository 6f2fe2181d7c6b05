"""Step 3, notify: the message as it would go out, changed where needed, sent, and what became of it. From any
other step too (`n`): people are told more than once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static, TextArea

from tui.model import amounts as show
from tui.model.incident import Incident, Sent, Step, StepStatus
from tui.model.text import clean
from tui.model.wording import Occasion
from tui.notify.message import Message
from tui.screens.recovery.choose import ChooseScreen
from tui.screens.recovery.notify_lines import OCCASIONS, about, preview_lines, sent_lines, to_whom
from tui.screens.recovery.pane import StepPane
from tui.screens.recovery.reason import ReasonScreen
from tui.widgets.keys import bound
from tui.widgets.lines import BLANK, FAINT, STRONG, line, wrapped
from tui.widgets.scenario_lines import advice_below
from tui.widgets.text_lines import TextLines


class NotifyPane(StepPane):
    """Shows what will be sent and to whom; `s` sends it. A channel that fails is told of, and blocks
    nothing: the next step can be gone to while it is still being tried."""

    step = Step.NOTIFY
    BINDINGS: ClassVar[list[BindingType]] = bound("notify")

    _message: Message | None = None  # as it was drafted
    _about = Occasion.DECLARED  # what it is about
    _occasion: Occasion | None = None  # what was chosen; None: what fits the moment
    _previewing = False
    _came_from: Step | None = None

    def compose(self) -> ComposeResult:
        """Makes the pane."""
        with Vertical(id="notify-draft"):
            with Horizontal(id="notify-title-row"):
                yield Static("title ", classes="label")
                yield Input(id="notify-title", compact=True)
            yield TextArea(id="notify-text", compact=True, show_line_numbers=False)
        with Horizontal(id="notify-both"):
            yield TextLines(id="notify-lines")
            yield TextLines(id="notify-preview")

    def tell_from(self, step: Step) -> None:
        """Telling is wanted from another step: what fits this moment is drafted, and `enter` goes back."""
        self._came_from = step if step is not self.step else self._came_from
        if not self._changed_by_hand():
            self._occasion, self._message = None, None

    def opened(self) -> None:
        """Drafts the message, anew each time nothing was changed in it: the estimate may be another now."""
        self.query_one("#notify-lines", TextLines).focus()
        if self._may_tell and not self.doing and not self._changed_by_hand():
            self._draft()
        self.draw()

    @property
    def _may_tell(self) -> bool:
        """Also when it is closed: that it is over is the last thing that people are told."""
        closed = self.desk.incident.closed_at is not None
        return self.desk.may_write or (closed and not self.desk.bearings.read_only)

    def _draft(self) -> None:
        def made() -> tuple[Occasion, Message]:
            occasion = self._occasion or self.guide.occasion()
            return occasion, self.guide.message(occasion)

        self.ask("drafting the message", made, self._drafted)

    def _drafted(self, made: tuple[Occasion, Message]) -> None:
        self._about, message = made
        self._message = message
        self.query_one("#notify-title", Input).value = message.title
        self.query_one("#notify-text", TextArea).load_text(message.text)

    def _edited(self) -> Message | None:
        if self._message is None:
            return None
        title = self.query_one("#notify-title", Input).value.strip() or self._message.title
        return replace(self._message, title=title, text=self.query_one("#notify-text", TextArea).text)

    def _changed_by_hand(self) -> bool:
        return self._message is not None and self._edited() != self._message

    def _failed(self) -> tuple[Sent, ...]:
        """The channels that have not taken the message that was sent last."""
        sent = self.desk.incident.sent
        last = [one for one in sent if one.id == sent[-1].id] if sent else []
        taken = {one.channel for one in last if one.error is None}
        return tuple({one.channel: one for one in last if one.channel not in taken}.values())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done depends on whether anything may be, and whether it is done."""
        record, typing = (
            self.desk.incident.record(self.step),
            isinstance(self.screen.focused, (Input, TextArea)),
        )
        if action == "leave_edit":
            return typing
        if action == "send_again":
            return self._may_tell and not self.doing and bool(self._failed())
        if action in ("send", "edit", "template"):
            return self._may_tell and self._message is not None
        if action == "updates":
            return self.desk.may_write and not self.desk.incident.drill and bool(self.desk.fleet.channels)
        if action == "skip":
            return self.desk.may_write and record.status in (StepStatus.PENDING, StepStatus.ACTIVE)
        if action == "preview":
            return not self.has_class("wide")
        if action == "return":
            return self._came_from is not None
        if action == "next":
            over = record.status in (StepStatus.DONE, StepStatus.SKIPPED) or self.must_finish
            return self._came_from is None and over
        return True

    def action_edit(self) -> None:
        """Puts the cursor in the message; escape leaves it."""
        self._previewing = False
        self.query_one("#notify-text", TextArea).focus()
        self.draw()

    def action_leave_edit(self) -> None:
        """Leaves the message as it stands now."""
        self.query_one("#notify-lines", TextLines).focus()
        self.draw()

    def on_text_area_changed(self) -> None:
        """Shows beside what each channel will make of it, where there is room for that."""
        if self.has_class("wide"):
            self.draw()

    def action_template(self) -> None:
        """Asks what is to be told, and drafts that."""

        def chosen(number: int | None) -> None:
            if number is not None:
                self._occasion = OCCASIONS[number][0] if number < len(OCCASIONS) else None
                self._previewing = False
                self._draft()

        choices = [(word, meaning) for _, word, meaning in OCCASIONS]
        self.app.push_screen(ChooseScreen("What is to be told", "", choices), chosen)

    def action_preview(self) -> None:
        """Shows the message as each channel will, or what became of those that were sent."""
        self._previewing = not self._previewing
        self.draw()

    def action_updates(self) -> None:
        """Whether the restore tells by itself when it should be ready."""
        wanted = not self.desk.incident.updates
        self.ask("writing it down", partial(self.guide.set_updates, wanted), must_finish=True)

    def action_send(self) -> None:
        """Sends it to every channel at once. What has gone out already isn't sent a second time as it is."""
        message = self._edited()
        if message is None:
            return
        ids = {sent.id for sent in self.desk.incident.sent}
        if message.id in ids:
            if not self._changed_by_hand():
                self.notify("This has been sent. Change it, or choose what else to tell.", markup=False)
                return
            message = replace(message, id=f"{message.id}-{len(ids) + 1}")
        self._send(message, len(self.desk.fleet.channels), None)

    def action_send_again(self) -> None:
        """Sends the message that went out last to those channels that have not taken it."""
        failed, message = self._failed(), self._edited()
        if message is not None and failed:
            message = replace(message, id=failed[0].id)
            self._send(message, len(failed), tuple(sent.channel for sent in failed))

    def _send(self, message: Message, count: int, only: tuple[str, ...] | None) -> None:
        self.query_one("#notify-lines", TextLines).focus()
        self._previewing, self._message = False, message
        self.ask(
            f"sending to {show.plural(count, 'channel')}",
            partial(self.guide.notify, message, self._told, self._about, only),
            must_finish=True,
        )

    def _told(self, sent: Sent) -> None:
        # Called in the thread that sends; each channel is shown as soon as it has answered.
        self.app.call_from_thread(self.draw)

    def action_skip(self) -> None:
        """Goes past it, with a reason."""

        def given(reason: str | None) -> None:
            if reason:
                skip = partial(self.guide.skip, Step.NOTIFY, reason)
                self.ask("writing it down", skip, self._skipped, must_finish=True)

        meaning = "Nobody will be told by this program. The reason stands in the report."
        self.app.push_screen(ReasonScreen("Go on without telling anyone", meaning, "go on"), given)

    def _skipped(self, incident: Incident) -> None:
        self.post_message(self.Go(Step.RESTORE))

    def action_next(self) -> None:
        """On to the restore."""
        self.post_message(self.Go(Step.RESTORE))

    def action_return(self) -> None:
        """Back to the step that it was wanted from."""
        step, self._came_from = self._came_from, None
        self.post_message(self.Go(step or Step.RESTORE))

    def draw(self) -> None:
        """Shows the channels and what became of what was sent, or the message as each channel shows it."""
        incident, width, fleet = self.desk.incident, self.room(), self.desk.fleet
        made = [*self.trouble(), *self.waiting()]
        message = self._edited()
        beside = self.has_class("wide")
        width = max(40, width // 2 - 2) if beside else width
        previews = (
            self.guide.previews(message) if message is not None and (beside or self._previewing) else ()
        )
        if beside:
            shown = preview_lines(previews, width) if message is not None else []
            self.query_one("#notify-preview", TextLines).show(shown)
        elif self._previewing and message is not None:
            made += preview_lines(previews, width)
            self.query_one("#notify-lines", TextLines).show(made)
            return
        made += to_whom(fleet, width)
        if message is not None:
            made += about(incident, fleet, self._about, self._changed_by_hand(), width)
        record = incident.record(self.step)
        if incident.sent:
            made += [BLANK, line(("Sent", STRONG))]
            for sent in reversed(incident.sent):
                made += sent_lines(sent, width)
        if record.status is StepStatus.SKIPPED:
            made += [BLANK, *wrapped(clean(record.note), width, line(("– gone past: ", FAINT)))]
        self.query_one("#notify-lines", TextLines).show([*made, *advice_below(incident, self.step, width)])
