"""Step 3, notify: the message as it would go out, changed where needed, sent, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static, TextArea

from tui.model import amounts as show
from tui.model.fleet import Ntfy
from tui.model.incident import Incident, Sent, Step, StepStatus
from tui.model.text import clean
from tui.notify.message import Message
from tui.screens.recovery.pane import StepPane
from tui.screens.recovery.reason import ReasonScreen
from tui.widgets.lines import BAD, BLANK, FAINT, GOOD, STRONG, line, wrapped
from tui.widgets.text_lines import TextLines


class NotifyPane(StepPane):
    """Shows what will be sent and to whom; `s` sends it. A channel that fails is told of, and blocks
    nothing."""

    step = Step.NOTIFY
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "send", "send it"),
        Binding("m", "edit", "change the message"),
        Binding("enter", "next", "next: restore"),
        Binding("p", "skip", "go past…"),
        Binding("escape", "leave_edit", "done changing", key_display="esc"),
    ]

    _message: Message | None = None

    def compose(self) -> ComposeResult:
        """Makes the pane."""
        with Vertical(id="notify-draft"):
            with Horizontal(id="notify-title-row"):
                yield Static("title ", classes="label")
                yield Input(id="notify-title", compact=True)
            yield TextArea(id="notify-text", compact=True, show_line_numbers=False)
        yield TextLines(id="notify-lines")

    def opened(self) -> None:
        """Drafts the message, anew each time nothing was changed in it: the estimate may be another now."""
        self.query_one(TextLines).focus()
        if self.desk.may_write and not self.doing and not self._changed_by_hand():
            self.ask("drafting the message", self.guide.message, self._drafted)
        self.draw()

    def _drafted(self, message: Message) -> None:
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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done depends on whether anything may be, and whether it is done."""
        record = self.desk.incident.record(self.step)
        if action == "leave_edit":
            return isinstance(self.screen.focused, (Input, TextArea))
        if action in ("send", "edit"):
            return self.desk.may_write and self._message is not None
        if action == "skip":
            return self.desk.may_write and record.status in (StepStatus.PENDING, StepStatus.ACTIVE)
        if action == "next":
            return record.status in (StepStatus.DONE, StepStatus.SKIPPED)
        return True

    def action_edit(self) -> None:
        """Puts the cursor in the message; escape leaves it."""
        self.query_one("#notify-text", TextArea).focus()

    def action_leave_edit(self) -> None:
        """Leaves the message as it stands now."""
        self.query_one(TextLines).focus()

    def action_send(self) -> None:
        """Sends it to every channel at once."""
        message = self._edited()
        if message is not None:
            self.query_one(TextLines).focus()
            channels = len(self.desk.fleet.channels)
            self.ask(
                f"sending to {show.plural(channels, 'channel')}",
                lambda: self.guide.notify(message),
                must_finish=True,
            )

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

    def draw(self) -> None:
        """Shows the channels and what became of what was sent."""
        incident, width = self.desk.incident, self.room()
        made = [*self.trouble(), *self.waiting(), *self._to_whom(width)]
        record = incident.record(self.step)
        if incident.sent:
            made += [BLANK, line(("Sent", STRONG))]
            for sent in reversed(incident.sent):
                made += sent_lines(sent, width)
        if record.status is StepStatus.SKIPPED:
            made += [BLANK, *wrapped(clean(record.note), width, line(("– gone past: ", FAINT)))]
        self.query_one(TextLines).show(made)

    def _to_whom(self, width: int) -> list[Content]:
        channels = self.desk.fleet.channels
        if not channels:
            made = wrapped(
                "No channel is configured: tell people yourself, and go past this step (p).", width, "! "
            )
            for contact in self.desk.fleet.contacts:
                made += wrapped(clean(f"{contact.name}: {contact.how}"), width, "  ")
            return made
        names = " · ".join(
            f"{clean(c.name)} ({'ntfy' if isinstance(c, Ntfy) else 'webhook'})" for c in channels
        )
        return wrapped(names, width, line(("to  ", FAINT)))


def sent_lines(sent: Sent, width: int) -> list[Content]:
    """Given one message to one channel, returns when, where to, and whether it was taken."""
    head = f"{show.clock(sent.at)} {clean(sent.channel)}  "
    if sent.error is None:
        return wrapped(clean(sent.title), width, line(("✔ taken   ", GOOD), head))
    return wrapped(clean(sent.error), width, line(("✘ FAILED  ", BAD), head))
