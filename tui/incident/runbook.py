"""The reference card: whom to turn to, and the commands of the fleet, for when this program can't be used.

No secret is on it: it names the variables and files that hold them.
"""

from __future__ import annotations

from datetime import datetime

from tui.incident.card import Grid, Listed, Page, Part, Shell, Words
from tui.incident.runbook_commands import (
    backing_up,
    fetching,
    opening,
    restoring,
    services,
    settings,
    verifying,
)
from tui.incident.runbook_live import freezing, putting_back, swapping, thawing, undoing
from tui.incident.runbook_telling import declaring, resolving, telling
from tui.incident.scenarios import SCENARIOS, Way, targets
from tui.model.amounts import limit, minute
from tui.model.fleet import Database, Fleet
from tui.operations.catalogue.names import key_prefix
from tui.postgres.troubles.troubles import troubles

_WAYS = {
    Way.SWAP: "put it in the live one's place",
    Way.MERGE: "merge into the live one",
    Way.ADDRESS: "point the application there",
    Way.WAIT: "wait for the restart",
}


_ONE_IS_ENOUGH = "One store is enough: another one's where this can't be reached, or has none that is new."


def runbook(fleet: Fleet, database: Database | None, now: datetime) -> tuple[Page, ...]:
    """Given the fleet, and one of its databases or None for all, returns the card's pages."""
    chosen = (database,) if database else tuple(sorted(fleet.databases, key=lambda d: d.criticality.rank))
    return (
        Page(1, f"{fleet.name}: backup and recovery by hand", _first(fleet, now)),
        Page(2, "Whom to turn to", _contacts(fleet)),
        Page(2, "Telling them", _telling(fleet)),
        Page(2, "What may be lost, how long it may take", _promises(fleet, chosen)),
        *(page for one in chosen for page in _database(fleet, one)),
        Page(2, "When something goes wrong", _troubles()),
    )


def _first(fleet: Fleet, now: datetime) -> tuple[Part, ...]:
    source = f" from {fleet.source}" if fleet.source else ""
    return (
        Words(f"Made {minute(now)} UTC{source}. Print it, and print it anew when the configuration changes."),
        Listed(
            (
                "The commands are for bash, with PostgreSQL's programs of the server's version or newer. "
                "Those of a database go together: begin with its settings, in one shell, and go on in it.",
                "Restore into a fresh database, beside the live one. Nothing is overwritten; the live one is "
                "renamed at the end, and that can be undone.",
                "No password is on this card: it names the variables and files that hold them.",
            )
        ),
        Words("The order: assess, pick a backup, tell people, restore, verify, resume."),
    )


def _contacts(fleet: Fleet) -> tuple[Part, ...]:
    if not fleet.contacts:
        return (Words("The configuration names no contacts: write yours here."), Words("_" * 60))
    return (Grid(("who", "how"), tuple((c.name, c.how) for c in fleet.contacts)),)


def _telling(fleet: Fleet) -> tuple[Part, ...]:
    if not fleet.channels:
        return (Words("The configuration names no channels: call those above."),)
    return (
        Words("Type this first, in the shell of the recovery: the steps below tell all channels with it."),
        Shell(telling(fleet)),
    )


def _promises(fleet: Fleet, chosen: tuple[Database, ...]) -> tuple[Part, ...]:
    rows = tuple(
        (d.name, d.criticality.value, limit(d.rto), limit(d.rpo), limit(d.backup.every)) for d in chosen
    )
    known = []
    for scenario, what in SCENARIOS.items():
        rto, rpo = targets(fleet, scenario)
        known.append((what.title, limit(rto), limit(rpo), ", or ".join(_WAYS[way] for way in what.ways)))
    return (
        Grid(("database", "matters", "RTO", "RPO", "backed up every"), rows),
        Grid(("what happened", "RTO", "RPO", "how it ends"), tuple(known)),
    )


def _database(fleet: Fleet, database: Database) -> tuple[Page, ...]:
    end = database.endpoint
    where = end.pg_service or f"{end.host or 'the default host'}, port {end.port or 'the default'}"
    place = "" if database.place == "here" else f" It runs in {database.place}."
    about = f" {database.purpose.rstrip('.')}." if database.purpose else ""
    stops, starts = services(fleet, database)
    named = database.name if database.name == database.dbname else f"{database.name} ({database.dbname})"
    stores = [store for store in fleet.stores if store.name in database.backup.stores]
    return (
        Page(
            2,
            f"{named}, {database.criticality.value}",
            (
                Words(
                    f"Service {database.service}, at {where}.{place}{about} RTO {limit(database.rto)}, "
                    f"RPO {limit(database.rpo)}. Its backups are called {key_prefix(database.dbname)}"
                    "YYYYMMDD-HHMMSS, in UTC."
                ),
            ),
        ),
        Page(
            3,
            "Step 1: Settings, and whether it is there",
            (
                Words("Where the server is lost: PGHOST and PGPORT of a fresh one, and on with step 3."),
                Shell(settings(fleet, database)),
            ),
        ),
        Page(
            3,
            "Step 2: Hold back what uses it",
            (Shell(stops),) if stops else (Words("No service of it is known to the configuration."),),
        ),
        Page(
            3,
            "Freeze writes, where something still writes to it",
            (Words("Sessions are ended; new ones may only read."), Shell(freezing())),
        ),
        *(
            Page(
                3,
                f"Step 3: Find and fetch the newest backup from {store.name}",
                (
                    *((Words(_ONE_IS_ENOUGH),) if len(stores) > 1 else ()),
                    Shell(fetching(store, database)),
                ),
            )
            for store in stores
        ),
        *([] if stores else [Page(3, "Step 3: Find a backup", (Words("No store is configured for it."),))]),
        *([Page(3, "Tell people", (Shell(declaring(fleet, database)),))] if fleet.channels else []),
        Page(3, "Step 4: Open and check it", (Shell(opening(fleet, database)),)),
        Page(3, "Step 5: Restore it beside the live database", (Shell(restoring(fleet, database)),)),
        Page(
            3,
            "Step 6: Verify it",
            (
                Words("Every answer must be as it says, before anything else is done."),
                Shell(verifying(database)),
            ),
        ),
        Page(
            3,
            "Step 7: Put it in the live one's place",
            (
                Words(
                    "Sessions of both are ended. The old database, where there is one, is kept. After an "
                    "error nothing is renamed, but they may refuse connections: mend what it says, and "
                    "type all of it again."
                ),
                Shell(swapping()),
            ),
        ),
        Page(
            3,
            "Or put back what single tables lack",
            (
                Words(
                    "Instead of step 7, where rows were deleted: nothing else is touched, and rows that are "
                    "there stay as they are. A table whose rows are wrong needs step 7, or a hand."
                ),
                Shell(putting_back(database)),
            ),
        ),
        Page(
            3,
            "Step 8: Let go again",
            (
                *(() if starts else (Words("Start what uses it, and ask it."),)),
                Shell((*thawing(), *starts)),
            ),
        ),
        *(
            [Page(3, "Tell people that it is over", (Shell(resolving(fleet, database)),))]
            if fleet.channels
            else []
        ),
        Page(3, "Undo the swap", (Shell(undoing()),)),
        Page(3, "Take a backup by hand", (Shell(backing_up(database, stores)),)),
    )


def _troubles() -> tuple[Part, ...]:
    rows = tuple((t.symptom, t.cause, " ".join(t.do)) for t in troubles())
    return (Grid(("it says", "why", "what helps"), rows),)
