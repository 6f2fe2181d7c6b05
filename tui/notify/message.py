"""What stakeholders are told: one message, whatever channel carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Without `priority` (ntfy's words: min, low, default, high, urgent) or `tags` a
    channel uses its own; `fields` are the facts behind the text, for channels that programs read."""

    title: str
    text: str
    priority: str | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str | None] = field(default_factory=dict)
