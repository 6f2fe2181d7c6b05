"""A message as ntfy takes it (docs.ntfy.sh/publish): its text posted to the topic, the rest in headers."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

from tui.config.secrets import reveal
from tui.model.fleet import Ntfy
from tui.model.text import clean, clean_lines
from tui.notify.message import Message
from tui.notify.post import Post

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
    }
    if channel.token is not None:
        headers["Authorization"] = f"Bearer {reveal(channel.token)}"
    address = f"{channel.url.rstrip('/')}/{quote(reveal(channel.topic), safe='')}"
    return Post(address, _cut(clean_lines(message.text)), headers)


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
