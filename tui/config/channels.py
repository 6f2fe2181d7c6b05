"""The tables of who is told, in which words, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.config import keys
from tui.config.table import Place, Reading, Table, dotted, nearest
from tui.model.fleet import Updates
from tui.model.wording import Occasion, Wording

if TYPE_CHECKING:
    from tui.model.channels import ChannelSpec

_REQUIRED = {
    "ntfy": ("topic",),
    "webhook": ("url",),
    "slack": ("url",),
    "mail": ("host", "from", "to"),
    "goalert": ("url", "token"),
}
_PAIRS = {"webhook": ("header", "header_value"), "mail": ("user", "password")}


def read_channels(raw: Table, reading: Reading) -> tuple[ChannelSpec, ...]:
    """Given the configuration, returns its channels; what is wrong with one is noted."""
    made: list[ChannelSpec] = []
    for name, table in reading.named(raw, "channels"):
        at = ("channels", name)
        kind = reading.kind(table, at, keys.CHANNELS)
        if kind is None:
            continue
        pair = _PAIRS.get(kind, ())
        required = (*_REQUIRED[kind], *(pair if table.keys() & set(pair) else ()))
        read = reading.table(table, at, keys.CHANNELS[kind], required=required, apart=("kind",))
        if kind == "mail":
            _mail(read, at, reading)
        if all(keys.FIELDS.get(key, key) in read for key in _REQUIRED[kind]):
            made.append(_kinds()[kind](name=name, **read))
    return tuple(made)


def _kinds() -> dict[str, type[ChannelSpec]]:
    from tui.model.channels import GoAlert, Mail, Ntfy, Slack, Webhook

    return {"ntfy": Ntfy, "webhook": Webhook, "slack": Slack, "mail": Mail, "goalert": GoAlert}


def _mail(read: Table, at: Place, reading: Reading) -> None:
    if read.get("to") == ():
        reading.add(dotted(*at, "to"), "names nobody.", "Name at least one address.")
    if read.get("security") == "none" and "password" in read:
        reading.add(
            dotted(*at, "security"),
            "would send the password over the network as it is.",
            'Take "starttls" or "tls"; or leave user and password out.',
        )


def read_messages(raw: Table, reading: Reading) -> tuple[Wording, ...]:
    """Given the configuration, returns the wordings that it has of its own."""
    known = {occasion.value: occasion for occasion in Occasion}
    made = []
    for name, table in reading.named(raw, "messages"):
        at = ("messages", name)
        if name not in known:
            near = nearest(name, known)
            mend = f"Did you mean [messages.{near}]?" if near else f"Known: {', '.join(known)}."
            reading.add(dotted(*at), "is no occasion on which people are told.", mend)
            continue
        made.append(Wording(known[name], **reading.table(table, at, keys.MESSAGE)))
    return tuple(made)


def read_updates(raw: Table, reading: Reading) -> Updates:
    """Given the configuration, returns when a running restore tells by itself."""
    return Updates(**reading.table(raw.get("updates", {}), ("updates",), keys.UPDATES))
