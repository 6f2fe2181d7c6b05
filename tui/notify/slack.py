"""A message as Slack's incoming webhooks take it (docs.slack.dev, "Incoming webhooks"), and whatever
took them as its model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tui.config.secrets import reveal
from tui.model.channels import Slack
from tui.model.secret import Secret
from tui.model.text import clean, clean_lines
from tui.notify.message import Message
from tui.notify.post import Post

_TITLE = 150  # characters of a header block, beyond which Slack refuses the message
_SECTION = 3000  # of a section's text
_PIECE = 500  # characters before escaping: five times as many after it, at worst
_SECTIONS = 4  # all blocks together may have some 13,000 characters
_FALLBACK = 600  # characters of the text for notifications, before escaping


def slack_request(channel: Slack, message: Message) -> Post:
    """Given the channel and the message, returns the request: the text for notifications, and blocks.

    Raises ConfigError when the address can't be read.
    """
    url = reveal(channel.url) if isinstance(channel.url, Secret) else channel.url
    data = json.dumps(_document(message), ensure_ascii=False).encode()
    return Post(url, data, {"Content-Type": "application/json"})


def slack_shown(message: Message) -> str:
    """How the message looks."""
    return f"{clean(message.title, _TITLE)}\n{clean_lines(message.text)}"


def _document(message: Message) -> dict[str, Any]:
    title, text = clean(message.title), clean_lines(message.text)
    header = {"type": "plain_text", "text": clean(title, _TITLE) or "–", "emoji": True}
    sections = list(_sections(text))
    if len(sections) > _SECTIONS:
        sections[_SECTIONS - 1 :] = ["… (cut: too long for Slack)"]
    fallback = f"{title}\n{text}"
    return {
        "text": _escaped(fallback[:_FALLBACK]) + "…" * (len(fallback) > _FALLBACK),
        "blocks": [
            {"type": "header", "text": header},
            # verbatim: a name with an @ or # in it stays text and calls nobody
            *(
                {"type": "section", "text": {"type": "mrkdwn", "text": part, "verbatim": True}}
                for part in sections
            ),
        ],
    }


def _sections(text: str) -> Iterator[str]:
    """The text, escaped, in parts that fit a section each; no part ends within an escape."""
    part = ""
    for line in text.splitlines():
        for start in range(0, max(1, len(line)), _PIECE):
            piece = _escaped(line[start : start + _PIECE])
            joint = "\n" if part and start == 0 else ""
            if len(part) + len(joint) + len(piece) > _SECTION:
                yield part
                part, joint = "", ""
            part += joint + piece
    if part.strip():
        yield part


def _escaped(text: str) -> str:
    """The three characters that mean something to Slack anywhere: <!channel> would call everyone."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
