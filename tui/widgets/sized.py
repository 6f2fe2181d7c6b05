"""Text that is made for its width: whoever made it is told when there is another."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import Static


class SizedStatic(Static):
    """A Static that says when it has got another size, also after its screen was covered by another one."""

    class Resized(Message):
        """It has another size."""

    def on_resize(self, event: events.Resize) -> None:
        """Tells of it."""
        self.post_message(self.Resized())
