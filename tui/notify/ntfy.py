"""A message as ntfy takes it (docs.ntfy.sh/publish): its text posted to the topic, the rest in headers."""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import quote

from tui.config.secrets import reveal
from tui.model.channels import Ntfy
from tui.model.text import clean, clean_lines
from tui.notify.message import Message
from tui.notify.post import Post

# Those that this program uses itself, of ntfy's list of emoji.
_PICTURES = {
    "rotating_light": "🚨",
    "hourglass_flowing_sand": "⏳",
    "hourglass": "⌛",
    "white_check_mark": "✅",
    "warning": "⚠",
    "test_tube": "🧪",
}
_LONGEST = 4096  # bytes; beyond them ntfy makes the text an attachment, which nobody reads at night


def ntfy_request(channel: Ntfy, message: Message) -> Post:
    """Given the channel and the message, returns the request.

    Raises ConfigError when a secret can't be read.
    """
    headers = {
        "Title": _header(message.title),
        "Priority": _header(message.priority or channel.priority),
        "Tags": _header(",".join(message.tags or channel.tags)),
        "Content-Type": "text/plain; charset=utf-8",
        # Servers from 2.16 on show a message of the same id once; older ones pass over the header.
        "X-Sequence-ID": _sequence(message.id),
    }
    if channel.token is not None:
        headers["Authorization"] = f"Bearer {reveal(channel.token)}"
    address = f"{channel.url.rstrip('/')}/{quote(reveal(channel.topic), safe='')}"
    return Post(address, _cut(clean_lines(message.text)), headers)


def ntfy_shown(channel: Ntfy, message: Message) -> str:
    """How the message looks: ntfy puts those tags that name an emoji before the title."""
    tags = message.tags or channel.tags
    pictures = " ".join(_PICTURES[tag] for tag in tags if tag in _PICTURES)
    others = ", ".join(tag for tag in tags if tag not in _PICTURES)
    title = f"{pictures} {clean(message.title)}".strip()
    below = [f"tags: {clean(others)}"] if others else []
    text = _cut(clean_lines(message.text)).decode()
    return "\n".join((title, text, *below, f"priority: {message.priority or channel.priority}"))


def _sequence(message_id: str) -> str:
    """ntfy takes letters, digits, "-" and "_", 64 of them at most."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", message_id)[-64:]


def _header(text: str) -> str:
    """HTTP headers are ASCII: anything else goes as an encoded word (RFC 2047), which ntfy decodes."""
    text = clean(text)
    if text.isascii() and "=?" not in text:
        return text
    return f"=?UTF-8?B?{b64encode(text.encode()).decode()}?="


def _cut(text: str) -> bytes:
    data = text.encode()
    if len(data) <= _LONGEST:
        return data
    end = "…".encode()
    return data[: _LONGEST - len(end)].decode(errors="ignore").encode() + end
