"""A message as a JSON document, for whatever takes one by POST."""

from __future__ import annotations

import json

from tui.config.secrets import reveal
from tui.model.fleet import Secret, Webhook
from tui.model.text import clean, clean_lines
from tui.notify.message import Message
from tui.notify.post import Post

_PRIORITY = "urgent"  # of a message that says none: they announce a disaster


def webhook_request(channel: Webhook, message: Message) -> Post:
    """Given the channel and the message, returns the request: `title`, `text`, `priority`, `tags`,
    `fields`. Raises ConfigError when a secret can't be read."""
    document = {
        "title": clean(message.title),
        "text": clean_lines(message.text),
        "priority": message.priority or _PRIORITY,
        "tags": list(message.tags),
        "fields": dict(message.fields),
    }
    headers = {"Content-Type": "application/json"}
    if channel.header and channel.header_value is not None:
        headers[channel.header] = reveal(channel.header_value)
    url = reveal(channel.url) if isinstance(channel.url, Secret) else channel.url
    return Post(url, json.dumps(document, ensure_ascii=False).encode(), headers)
