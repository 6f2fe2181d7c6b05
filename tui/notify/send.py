"""Sending one message to every channel at once, each for itself: none waits for another."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from tui.model.channels import ChannelSpec, GoAlert, Mail, Ntfy, Slack, Webhook
from tui.model.errors import PgdrError
from tui.model.incident import Sent
from tui.model.text import clean
from tui.notify.goalert import goalert_request, goalert_shown
from tui.notify.message import Message
from tui.notify.ntfy import ntfy_request, ntfy_shown
from tui.notify.outcome import wait_asked, worth_another_try
from tui.notify.post import post
from tui.notify.slack import slack_request, slack_shown
from tui.notify.webhook import webhook_request, webhook_shown

Clock = Callable[[], datetime]

_GRACE_S = 2.0  # beyond a channel's own timeout, which is for each wait of a connection, not for all
_FIRST_WAIT_S = 0.5  # before the second try; twice as long before each further one
_LONGEST_WAIT_S = 8.0
_WORDS = {Ntfy: "ntfy", Webhook: "webhook", Slack: "slack", Mail: "mail", GoAlert: "goalert"}


def kind_of(channel: ChannelSpec) -> str:
    """The channel's kind, as its configuration calls it."""
    return _WORDS[type(channel)]


def send(channel: ChannelSpec, message: Message, now: datetime) -> None:
    """Gives the message to one channel, once; returns when it has taken it.

    Raises PgdrError when it hasn't (ConfigError when its secret can't be read). The error names the
    channel and never its address, which may itself be a secret.
    """
    match channel:
        case Ntfy():
            post(channel.name, ntfy_request(channel, message), channel.timeout_s)
        case Webhook():
            post(channel.name, webhook_request(channel, message), channel.timeout_s)
        case Slack():
            post(channel.name, slack_request(channel, message), channel.timeout_s)
        case GoAlert():
            post(channel.name, goalert_request(channel, message), channel.timeout_s)
        case Mail():
            from tui.notify.mail import (
                send_mail,
            )  # it costs the app's start some 20 ms, for those few who use it

            send_mail(channel, message, now)


def shown(channel: ChannelSpec, message: Message) -> str:
    """How the message looks where the channel shows it, as lines of clean text. Reads no secret."""
    match channel:
        case Ntfy():
            return ntfy_shown(channel, message)
        case Webhook():
            return webhook_shown(message)
        case Slack():
            return slack_shown(message)
        case GoAlert():
            return goalert_shown(message)
        case Mail():
            from tui.notify.mail import mail_shown

            return mail_shown(channel, message)


def send_all(
    channels: Sequence[ChannelSpec],
    message: Message,
    now: Clock,
    on_sent: Callable[[Sent], None] = lambda sent: None,
) -> tuple[Sent, ...]:
    """Gives the message to all channels at once and returns what became of each, in their order; each is
    handed to `on_sent`, one at a time, as soon as it is known.

    What makes sense is tried again, for as long as the channel says. Takes no longer than the slowest
    channel may try, its timeout and a little: what hangs longer counts as failed.
    """
    answers: queue.SimpleQueue[tuple[int, Sent]] = queue.SimpleQueue()
    over = threading.Event()

    def attempt(number: int, channel: ChannelSpec) -> None:
        tries, error = _until_taken(channel, message, now, over)
        answers.put((number, _sent(now, channel, message, error, tries)))

    began = time.monotonic()
    deadline = began + max((c.timeout_s + c.retry_for_s for c in channels), default=0.0) + _GRACE_S
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
        on_sent(sent)
    over.set()
    for number, channel in enumerate(channels):
        if number not in found:
            late = f"{clean(channel.name)} gave no answer in time."
            found[number] = _sent(now, channel, message, late, 1)
            on_sent(found[number])
    return tuple(found[number] for number in range(len(channels)))


def _until_taken(
    channel: ChannelSpec, message: Message, now: Clock, over: threading.Event
) -> tuple[int, str | None]:
    """Tries until it is taken or trying makes no sense any more; returns the tries, and the last error."""
    until = time.monotonic() + channel.retry_for_s
    # Slack has no way to tell that it has a message already.
    repeatable = not isinstance(channel, Slack)
    wait, tries = _FIRST_WAIT_S, 0
    while True:
        tries += 1
        try:
            send(channel, message, now())
            return tries, None
        except PgdrError as failed:
            pause = max(wait, wait_asked(failed))
            last = not worth_another_try(failed, repeatable) or time.monotonic() + pause > until
            if last or over.wait(pause):
                again = f" Tried {tries} times." if tries > 1 else ""
                return tries, clean(f"{failed}{again}")
        except Exception as failed:  # noqa: BLE001 - unsaid, it would look like an answer that never came
            return tries, f"It couldn't be sent: {type(failed).__name__}."
        wait = min(2 * wait, _LONGEST_WAIT_S)


def _sent(now: Clock, channel: ChannelSpec, message: Message, error: str | None, tries: int) -> Sent:
    return Sent(now(), channel.name, message.title, error, id=message.id, tries=tries)
