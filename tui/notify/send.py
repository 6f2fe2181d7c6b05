"""Sending one message to every channel at once, each for itself: none waits for another."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from tui.model.errors import PgdrError
from tui.model.fleet import ChannelSpec, Ntfy
from tui.model.incident import Sent
from tui.model.text import clean
from tui.notify.message import Message
from tui.notify.ntfy import ntfy_request
from tui.notify.post import post
from tui.notify.webhook import webhook_request

_GRACE_S = 2.0  # beyond a channel's own timeout, which is for each wait of a connection, not for all


def send(channel: ChannelSpec, message: Message) -> None:
    """Gives the message to one channel; returns when it has taken it.

    Raises PgdrError when it hasn't (ConfigError when its secret can't be read). The error names the
    channel and never its address, which may itself be a secret.
    """
    make = ntfy_request(channel, message) if isinstance(channel, Ntfy) else webhook_request(channel, message)
    post(channel.name, make, channel.timeout_s)


def send_all(
    channels: Sequence[ChannelSpec], message: Message, now: Callable[[], datetime]
) -> tuple[Sent, ...]:
    """Gives the message to all channels at once and returns what became of each, in their order.

    Takes no longer than the slowest channel's timeout and a little: what hangs longer counts as failed.
    """
    answers: queue.SimpleQueue[tuple[int, Sent]] = queue.SimpleQueue()

    def attempt(number: int, channel: ChannelSpec) -> None:
        error: str | None = None
        try:
            send(channel, message)
        except PgdrError as failed:
            error = clean(str(failed))
        except Exception as failed:  # noqa: BLE001 - unsaid, it would look like an answer that never came
            error = f"It couldn't be sent: {type(failed).__name__}."
        answers.put((number, Sent(now(), channel.name, message.title, error)))

    deadline = time.monotonic() + max((c.timeout_s for c in channels), default=0.0) + _GRACE_S
    for number, channel in enumerate(channels):
        # Daemons: a channel that hangs keeps nobody from leaving.
        threading.Thread(target=attempt, args=(number, channel), name="pgdr-notify", daemon=True).start()
    found: dict[int, Sent] = {}
    while len(found) < len(channels):
        try:
            number, sent = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[number] = sent
    return tuple(
        found.get(number)
        or Sent(now(), channel.name, message.title, f"{clean(channel.name)} gave no answer in time.")
        for number, channel in enumerate(channels)
    )
