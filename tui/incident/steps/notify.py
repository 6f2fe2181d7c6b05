"""Step 3, notify: who is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tui.incident.work import Work
from tui.model.incident import Sent, Step
from tui.model.text import clean
from tui.notify.message import Message
from tui.notify.send import send_all
from tui.notify.templates import declared


class NotifyStep(Work):
    """Step 3, notify: who is told."""

    def message(self) -> Message:
        """What the stakeholders would be told now; a person may change it before it is sent."""
        self._begin(Step.NOTIFY)
        expected = self._incident.expected_s
        return declared(
            fleet=self._fleet.name,
            database=self.database.name,
            operator=self._operator,
            eta=self.database.rto if expected is None else timedelta(seconds=expected),
            last_backup=self._incident.backup_at,
        )

    def notify(self, message: Message) -> tuple[Sent, ...]:
        """Sends the message to every channel and returns what became of each. A failure is told, it
        doesn't block: the step is done in any case."""
        outcomes = send_all(self._fleet.channels, message, self._now)
        for sent in outcomes:
            text = f"Message '{clean(sent.title)}' to {clean(sent.channel)}: "
            self._note("message", text + (f"failed, {clean(sent.error)}" if sent.error else "taken"))
        failed = [s for s in outcomes if s.error]
        note = f"{len(outcomes) - len(failed)} of {len(outcomes)} channels told"
        self._by(lambda now: replace(now, sent=(*now.sent, *outcomes)))
        self._end(Step.NOTIFY, note)
        return outcomes
