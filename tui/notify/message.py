"""What stakeholders are told: one message, whatever channel carries it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field


def new_id() -> str:
    """An id that no other message has."""
    return f"pgdr-{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Without `priority` (ntfy's words: min, low, default, high, urgent) or `tags` a
    channel uses its own; `fields` are the facts behind the text, for channels that programs read.

    `id` is the same however often it is sent, so that a channel that can tell shows it once; `thread` is
    what all messages of one incident have in common, and the one that `closes` is the last of them."""

    title: str
    text: str
    priority: str | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str | None] = field(default_factory=dict)
    id: str = field(default_factory=new_id)
    thread: str = ""
    closes: bool = False
