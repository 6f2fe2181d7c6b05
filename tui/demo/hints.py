"""What the tour says: from what is on the screen, which keys work there and where the recovery stands, the
next step and why. It keeps nothing: whoever does something else than it says is told what fits there.

Keys stand in braces, by their scope and name, so that each can be told as it is here.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.demo.tour import STORIES
from tui.model.incident import Incident, Step


@dataclass(frozen=True, slots=True)
class Seen:
    """What the app is at: the help page of its screen, the ids of the keys that work there now, whether a
    name has to be typed, whether the step is `busy` asking, the disaster that was made, and the recovery from
    it as far as there is one."""

    page: str
    keys: frozenset[str]
    types_a_name: bool = False
    busy: bool = False
    made: str | None = None
    incident: Incident | None = None


def hint(seen: Seen) -> str:
    """Given what is seen, returns one or two sentences for a person who has never done this."""
    if seen.page == "fleet":
        return _at_fleet(seen)
    if seen.page == "confirm":
        return _NAMED if seen.types_a_name else _ASKED
    if seen.page == "choose" and seen.incident is not None and seen.incident.current is Step.RESUME:
        return _CLOSING
    if seen.page == "assess" and seen.made == "corrupt-rows" and "assess.accept" in seen.keys:
        return _SEEN_IN_PART
    undecided = seen.incident is None or seen.incident.scenario is None
    if seen.page == "assess" and undecided and {"assess.next", "assess.scenario"} <= seen.keys:
        return _NOT_PROPOSED
    if seen.page == "resume":
        return _at_resume(seen)
    if seen.page == "pick" and seen.busy:
        return _STEPS["pick"][-1][1]
    for key, said in _STEPS.get(seen.page, ()):
        if not key or key in seen.keys:
            return said
    return _ELSEWHERE.get(seen.page, _ANYWHERE)


def is_over(incident: Incident | None) -> bool:
    """Whether the recovery has come to its end."""
    return incident is not None and incident.closed_at is not None


def _at_fleet(seen: Seen) -> str:
    if is_over(seen.incident):
        return _NEXT
    if seen.incident is not None:
        return "The recovery is still open: {fleet.recover} on crypto_exchange goes on where you left it."
    what = STORIES[seen.made].title if seen.made in STORIES else "something is wrong with it"
    return (
        f"crypto_exchange: {what}. {{fleet.recover}} on its row begins the guided recovery; that starts the"
        " clock and touches nothing yet."
    )


def _at_resume(seen: Seen) -> str:
    incident, keys = seen.incident, seen.keys
    if is_over(incident) or incident is None:
        return (
            "Closed, and the clock has stopped. {resume.report} shows the report: what happened when, how"
            " long it took, what was lost."
        )
    live = (incident.swap or incident.merge) is not None
    if live and "resume.hand_over" in keys and incident.handed is None:
        return (
            "The database answers at a new address: {resume.hand_over} gives it to the application, or shows"
            " it for doing so by hand."
        )
    if live and "resume.resume_services" in keys:
        return "{resume.resume_services} starts again what was paused, and asks its health."
    if live and "resume.close" in keys:
        return (
            "It is live again. {resume.undo} would still take that back. {resume.close} closes the incident"
            " and writes the report."
        )
    if "resume.compare" in keys and incident.compared_at is None:
        return (
            "{resume.compare} compares with the live tables, row by row: it tells what a merge would put"
            " back, and what a swap would lose."
        )
    if "resume.merge" in keys:
        return (
            "{resume.merge} puts back what the live tables miss, in one transaction; what was written since"
            " the damage stays. It can be taken back."
        )
    if "resume.swap" in keys:
        return (
            "{resume.swap} puts the restored database in the live one's place: two renames in one"
            " transaction. The old one is kept."
        )
    return _WAIT


_NAMED = (
    "Whatever changes something is asked like this: read the facts, type the name, enter, and enter once"
    " more on the action."
)
_ASKED = "Cancel has the focus: no stray enter confirms anything. tab goes to the action, enter chooses it."
_CLOSING = "The first line changes nothing. Go down to “recovered”, then enter."
_NOT_PROPOSED = (
    "Nothing is proposed: read what was found. {assess.scenario} says what has happened, {assess.look_again}"
    " looks again."
)
_SEEN_IN_PART = (
    "Only wallets give it away, but orders and users are nonsense too: {assess.scenario}, then “Full"
    " database corruption”, so that all of it comes back."
)
_NEXT = (
    "Recovered: it is up again. Next: {fleet.verify} proves a backup, {fleet.drill} rehearses without a"
    " disaster, {fleet.incidents} keeps the reports; {app.tour} ends the tour."
)
_WAIT = "pgdr is at work; what it finds appears here by itself. Nothing waits for a key of yours."
_STEPS: dict[str, tuple[tuple[str, str], ...]] = {
    "assess": (
        (
            "assess.accept",
            "First know, then act: what was found, and what it means. {assess.accept} accepts the proposal,"
            " {assess.scenario} decides otherwise.",
        ),
        ("assess.next", "Decided. {assess.next} goes on to the backups."),
        ("", "Server, database and stores are asked side by side; a proposal comes in a moment."),
    ),
    "pick": (
        (
            "candidates.choose",
            "The backups, ranked for what has happened: the ADVISED one loses least. {candidates.choose}"
            " picks it; why stands below.",
        ),
        ("", "The stores are read; the backups come as they are found."),
    ),
    "notify": (
        ("notify.next", "Told. {notify.next} goes on to the restore."),
        (
            "notify.send",
            "Whoever waits hears what is known. {notify.send} sends it (here to the demo's own listener);"
            " {notify.skip} goes past, with a reason.",
        ),
        ("", "The channels are being told; it goes on meanwhile with {recovery.restore}."),
    ),
    "restore": (
        ("restore.next", "Restored, and judged item by item. {restore.next} goes on to the checks."),
        ("restore.go_on", "It ended before its time: {restore.go_on} goes on from what is done."),
        ("restore.roles", "The new server misses roles: {restore.roles} makes them, once they were shown."),
        (
            "restore.start",
            "The plan, with every command: into a new database, the live one stays as it is. {restore.start}"
            " starts it.",
        ),
        (
            "restore.address",
            "The server is lost. {restore.address} says where a fresh one listens: here a new, empty one"
            " has the old one's address.",
        ),
        (
            "restore.stop",
            "It is a job of its own: leave, close the terminal, it goes on. {views.log} shows its log.",
        ),
        ("", "The plan is made: what will be done, before anything is."),
    ),
    "verify": (
        (
            "verify.next",
            "Each check with what was expected and what was found. {verify.next} goes on to putting it in"
            " place.",
        ),
        (
            "verify.compare",
            "Something differs: {verify.compare} shows it row by row, {verify.check_again} checks anew,"
            " {verify.go_past} goes on with a reason.",
        ),
        (
            "verify.go_past",
            "Not all is as expected: {verify.check_again} checks anew, {verify.go_past} goes on, with why.",
        ),
        ("", "Counts, columns, indexes, constraints: all is compared with what was true when it was dumped."),
    ),
    "read": (("", "The report is written as it happened. {read.copy} copies it, {read.back} goes back."),),
}
_ANYWHERE = "{app.help} tells what this screen is for; esc goes back to the recovery."
_ELSEWHERE = {
    "choose": "↓ and ↑ move, enter chooses; the first line changes nothing.",
    "scenario": "↓ and ↑ move; what each means for the recovery stands below. enter decides.",
    "reason": "Why is written into the report: type it, enter, and enter once more on the action.",
    "address": "Type the address that stands above, enter, and enter once more: it is only looked at first.",
    "error": "What failed, why, and what to do next. esc goes back; nothing is lost.",
    "help": "The keys that work where you were. esc goes back.",
    "find": "Type a few letters of a command, a database or a backup; esc goes back.",
    "which_tables": "space marks a table, enter goes on with those.",
    "database": "What is known of one database. esc goes back to the fleet.",
}
