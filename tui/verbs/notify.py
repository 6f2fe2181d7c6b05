"""`notify --test`: a message that says it is a test, to all channels or some, to see on a quiet day that it
arrives."""

from __future__ import annotations

import argparse

from tui.model.amounts import plural
from tui.model.errors import UsageError
from tui.model.text import clean
from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0 every channel took it, 1 some did not."""
    from difflib import get_close_matches

    from tui.notify.send import kind_of, send_all
    from tui.notify.templates import trial

    fleet, console = context.fleet(), context.console
    if not arguments.test:
        raise UsageError(
            "Messages on a recovery are sent from its incident.",
            mend="Say --test to send one that is marked as a test.",
        )
    known = {channel.name: channel for channel in fleet.channels}
    for name in arguments.channels:
        if name not in known:
            near = get_close_matches(name, known, 1) or known
            listed = f"It has {', '.join(map(clean, near))}." if known else "It has none."
            raise UsageError(f"The configuration has no channel {clean(name, 80)}.", mend=listed)
    chosen = [known[name] for name in dict.fromkeys(arguments.channels)] or list(fleet.channels)
    if not chosen:
        raise UsageError("The configuration has no channel.", mend="Write a [channels.NAME] for each.")
    console.narrate(f"Sending a test to {plural(len(chosen), 'channel')}.")
    sent = send_all(chosen, trial(fleet.name, context.operator()), context.now)
    if console.json_wanted:
        console.json(
            {
                "ok": all(one.error is None for one in sent),
                "channels": [
                    {"channel": c.name, "kind": kind_of(c), "error": one.error, "tries": one.tries}
                    for c, one in zip(chosen, sent, strict=True)
                ],
            }
        )
    console.table(
        ("channel", "kind", "", "why"),
        [
            (clean(c.name), kind_of(c), "FAILED" if one.error else "taken", one.error or "")
            for c, one in zip(chosen, sent, strict=True)
        ],
    )
    return 1 if any(one.error for one in sent) else 0
