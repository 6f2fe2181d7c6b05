"""A message as an alert of GoAlert, by its generic API (`/api/v2/generic/incoming`).

All messages of an incident have one `dedup`: the first makes the alert, and pages who is on call; the others
are counted on it and page nobody again; the last closes it.
"""

from __future__ import annotations

from urllib.parse import urlencode

from tui.config.secrets import reveal
from tui.model.channels import GoAlert
from tui.model.text import clean, clean_lines
from tui.notify.message import Message
from tui.notify.post import Post

_SUMMARY, _DETAILS, _DEDUP = 1024, 6 * 1024, 512  # the longest that GoAlert keeps


def goalert_request(channel: GoAlert, message: Message) -> Post:
    """Given the channel and the message, returns the request. The token travels in its body: addresses end
    up in logs. Raises ConfigError when it can't be read."""
    form = {
        "token": reveal(channel.token),
        "summary": clean(message.title, _SUMMARY),
        "details": clean_lines(message.text)[:_DETAILS],
        "dedup": _dedup(message),
    }
    if message.closes:
        form["action"] = "close"
    address = f"{channel.url.rstrip('/')}/api/v2/generic/incoming"
    return Post(
        address,
        urlencode(form, errors="replace").encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )


def goalert_shown(message: Message) -> str:
    """How the message looks, and what it does to the alert."""
    does = "closes the alert" if message.closes else "makes the alert, or is counted on it"
    return f"{clean(message.title, _SUMMARY)}\n{clean_lines(message.text)}\n{does}: {_dedup(message)}"


def _dedup(message: Message) -> str:
    return clean(message.thread or message.id, _DEDUP)
