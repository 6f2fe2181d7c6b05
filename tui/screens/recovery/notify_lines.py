"""What the third step shows beside the message: to whom it goes, as what, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from textual.content import Content

from tui.model import amounts as show
from tui.model.channels import ChannelSpec
from tui.model.fleet import Fleet, Updates
from tui.model.incident import Incident, Sent
from tui.model.text import clean
from tui.model.wording import Occasion
from tui.notify.send import kind_of
from tui.widgets.lines import BAD, BLANK, FAINT, GOOD, STRONG, WARN, line, wrapped

OCCASIONS: tuple[tuple[Occasion, str, str], ...] = (
    (Occasion.DECLARED, "declared", "A recovery has begun, with the time it should take."),
    (Occasion.PROGRESS, "progress", "How far it is, and when it should be ready."),
    (Occasion.DELAYED, "delayed", "It takes longer than the RTO allows."),
    (Occasion.READY, "ready", "Restored and checked, about to be put in place."),
    (Occasion.RESOLVED, "resolved", "It is over, and the database is back. Closes the alert of a pager."),
    (Occasion.STOOD_DOWN, "stood down", "It is over, and nothing was put in place. Closes the alert."),
)


def word_of(occasion: Occasion) -> str:
    """What an occasion is called on the screen."""
    return next(word for known, word, _ in OCCASIONS if known is occasion)


def to_whom(fleet: Fleet, width: int) -> list[Content]:
    """Given the fleet, returns its channels with their kinds; without any, whom to tell by hand."""
    if not fleet.channels:
        made = wrapped("No channel is configured: tell people yourself, and go past this step.", width, "! ")
        for contact in fleet.contacts:
            made += wrapped(clean(f"{contact.name}: {contact.how}"), width, "  ")
        return made
    names = " · ".join(f"{clean(c.name)} ({kind_of(c)})" for c in fleet.channels)
    return wrapped(names, width, line(("to    ", FAINT)))


def about(incident: Incident, fleet: Fleet, occasion: Occasion, changed: bool, width: int) -> list[Content]:
    """What is told, in whose words, and whether the restore tells by itself."""
    own = any(said.occasion is occasion for said in fleet.messages)
    words = "changed here" if changed else "the fleet's words" if own else "pgdr's words"
    made = [line(("what  ", FAINT), (word_of(occasion), STRONG), (f"  {words}", FAINT))]
    if incident.drill:
        made += wrapped(
            "Nothing is sent: it is only written down what would have been.", width, line(("DRILL ", WARN))
        )
    if fleet.channels and not incident.drill:
        how = rule(fleet.updates)
        on = f"the restore tells {how}" if incident.updates else "the restore tells nobody by itself"
        made += wrapped(on, width, line(("self  ", FAINT)))
    return made


def rule(updates: Updates) -> str:
    """When a restore tells by itself, in words."""
    moved = f"when its end moves by {_words(updates.moved)}"
    return f"every {_words(updates.every)} and {moved}" if updates.every else moved


def _words(span: timedelta) -> str:
    return show.limit(span)


def sent_lines(sent: Sent, width: int) -> list[Content]:
    """Given one message to one channel, returns when, where to, and whether it was taken."""
    head = f"{show.clock(sent.at)} {clean(sent.channel)}  "
    if sent.simulated:
        return wrapped(clean(sent.title), width, line(("– DRILL   ", WARN), head))
    if sent.error is None:
        again = f" ({sent.tries} tries)" if sent.tries > 1 else ""
        return wrapped(clean(sent.title) + again, width, line(("✔ taken   ", GOOD), head))
    return wrapped(clean(sent.error), width, line(("✘ FAILED  ", BAD), head))


def preview_lines(previews: Sequence[tuple[ChannelSpec, str]], width: int) -> list[Content]:
    """Given the message as each channel will show it, returns it channel by channel."""
    made: list[Content] = []
    for channel, text in previews:
        made += [BLANK] * bool(made) + [line((clean(channel.name), STRONG), (f"  {kind_of(channel)}", FAINT))]
        for row in text.splitlines():
            made += wrapped(row, width, "  ") if row.strip() else [BLANK]
    return made or [line(("No channel is configured.", FAINT))]
