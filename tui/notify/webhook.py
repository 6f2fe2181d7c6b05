"""A message as a JSON document, for whatever takes one by POST."""

from __future__ import annotations

import json
from typing import Any

from tui.config.secrets import reveal
from tui.model.channels import Webhook
from tui.model.secret import Secret
from tui.model.text import clean, clean_lines
from tui.notify.message import Message
from tui.notify.post import Post

_PRIORITY = "urgent"  # of a message that says none: they announce a disaster


def webhook_shown(message: Message) -> str:
    """The document that is posted."""
    return json.dumps(_document(message), ensure_ascii=False, indent=2)


def webhook_request(channel: Webhook, message: Message) -> Post:
    """Given the channel and the message, returns the request: `id`, `title`, `text`, `priority`,
    `tags`, `fields`; `id` stands in the header Idempotency-Key too. Raises ConfigError when a secret can't
    be read."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": clean(message.id)}
    if channel.header and channel.header_value is not None:
        headers[channel.header] = reveal(channel.header_value)
    url = reveal(channel.url) if isinstance(channel.url, Secret) else channel.url
    return Post(url, json.dumps(_document(message), ensure_ascii=False).encode(), headers)


def _document(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "title": clean(message.title),
        "text": clean_lines(message.text),
        "priority": message.priority or _PRIORITY,
        "tags": list(message.tags),
        "fields": dict(message.fields),
    }
