"""What the runbooks know of each kind of disaster: its targets, its scope, and what to do at each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from tui.model.fleet import Fleet, Targets
from tui.model.incident import Step
from tui.model.scenario import Scenario

# Why the steps of picking and restoring are gone past where a restart is waited for.
NOTHING = "Nothing is to be restored: what failed comes back with its data."

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


class Scope(Enum):
    """What is restored."""

    DATABASE = "database"
    TABLES = "tables"
    NOTHING = "nothing"


class Way(Enum):
    """How a recovery ends."""

    SWAP = "swap"  # the restored database takes the live one's place
    MERGE = "merge"  # what the live one misses is put back from the restored one
    ADDRESS = "address"  # the application is pointed to the fresh server
    WAIT = "wait"  # whatever runs the server starts it again


@dataclass(frozen=True, slots=True)
class Known:
    """One scenario. `rto` and `rpo` are the runbook's targets; None: those of the database. `ways` are how it
    may end, the usual one first. `freeze`: writes should be stopped at once, so that no more is lost or
    mixed. `before_damage`: only a backup from before the damage helps. `offsite`: only one that survived the
    loss of the place does. `steps` says what to do at each step, a sentence each."""

    scenario: Scenario
    title: str
    what: str
    rto: timedelta | None
    rpo: timedelta | None
    scope: Scope
    ways: tuple[Way, ...]
    freeze: bool = False
    before_damage: bool = False
    offsite: bool = False
    steps: Mapping[Step, tuple[str, ...]] = field(default_factory=dict)


def known(scenario: Scenario) -> Known:
    """What is known of `scenario`."""
    return SCENARIOS[scenario]


def targets(fleet: Fleet, scenario: Scenario) -> tuple[timedelta | None, timedelta | None]:
    """The RTO and RPO of a scenario: the fleet's own where it has one, else the runbook's."""
    runbook = known(scenario)
    own = next((t for t in fleet.scenario_targets if t.scenario is scenario), Targets(scenario))
    return own.rto or runbook.rto, own.rpo or runbook.rpo


SCENARIOS: Mapping[Scenario, Known] = {
    k.scenario: k
    for k in (
        Known(
            Scenario.ACCIDENTAL_DELETION,
            "Accidental deletion",
            "Rows were deleted, or tables emptied or dropped, by mistake; the server itself is well.",
            30 * _MINUTE,
            6 * _HOUR,
            Scope.DATABASE,
            (Way.SWAP, Way.MERGE),
            freeze=True,
            before_damage=True,
            steps={
                Step.ASSESS: (
                    "Freeze writes first: each one makes it harder to merge.",
                    "Find out when it happened: only a backup from before that helps.",
                ),
                Step.PICK: ("Take the newest backup from before the deletion.",),
                Step.NOTIFY: ("Say that writes are frozen, and up to when data will be there.",),
                Step.RESTORE: ("It is restored beside the live database, which stays as it is.",),
                Step.VERIFY: ("Compare it with the live one: what was deleted, and what was written since?",),
                Step.RESUME: (
                    "Merge, if much was written since the backup: only what is missing is put back.",
                    "Cut over, if little was: the whole database is then as the backup had it.",
                ),
            },
        ),
        Known(
            Scenario.TABLE_CORRUPTION,
            "Single table corruption",
            "One table or a few are wrong, emptied or gone; the others are well.",
            15 * _MINUTE,
            6 * _HOUR,
            Scope.TABLES,
            (Way.MERGE, Way.SWAP),
            freeze=True,
            before_damage=True,
            steps={
                Step.ASSESS: ("Make sure that it is only these tables: look at those that refer to them.",),
                Step.PICK: ("Take the newest backup in which the table is still right.",),
                Step.NOTIFY: ("Name the part of the application that does not work meanwhile.",),
                Step.RESTORE: ("Only the tables are fetched and restored, beside the live database.",),
                Step.VERIFY: ("Compare them with the live ones, row by row.",),
                Step.RESUME: ("Merge what is missing or was changed into the live tables.",),
            },
        ),
        Known(
            Scenario.DATABASE_CORRUPTION,
            "Full database corruption",
            "The database is gone, or its contents can't be trusted; the server itself answers.",
            30 * _MINUTE,
            6 * _HOUR,
            Scope.DATABASE,
            (Way.SWAP,),
            freeze=True,
            before_damage=True,
            steps={
                Step.ASSESS: ("Stop the services that use it: what they read may be wrong.",),
                Step.PICK: ("Take the newest complete backup from before the damage.",),
                Step.NOTIFY: ("Say when it should be ready, and from when on data must be entered again.",),
                Step.RESTORE: ("It is restored beside the live one; that one is kept for the search after.",),
                Step.VERIFY: ("Every count against the manifest, and the fleet's own checks.",),
                Step.RESUME: ("Cut over, start the services, ask them whether they are well.",),
            },
        ),
        Known(
            Scenario.BAD_MIGRATION,
            "Malformed migration",
            "A migration has changed or lost tables, columns or indexes.",
            30 * _MINUTE,
            6 * _HOUR,
            Scope.DATABASE,
            (Way.SWAP,),
            freeze=True,
            before_damage=True,
            steps={
                Step.ASSESS: (
                    "Freeze writes, and stop whatever would run the migration again.",
                    "Find out when the migration began.",
                ),
                Step.PICK: ("Only a backup from before the migration helps.",),
                Step.NOTIFY: ("Tell the developers: no deployment until this is over.",),
                Step.RESTORE: ("It is restored beside the live one, with the old schema.",),
                Step.VERIFY: ("The schema must be that of before: the application's version must fit it.",),
                Step.RESUME: (
                    "Roll the application back before you start it again.",
                    "Mend the migration, rehearse it on staging, and apply it again.",
                ),
            },
        ),
        Known(
            Scenario.INSTANCE_LOST,
            "Database instance lost",
            "The server is gone for good: hardware, disk or the cloud's instance.",
            30 * _MINUTE,
            6 * _HOUR,
            Scope.DATABASE,
            (Way.ADDRESS, Way.SWAP),
            steps={
                Step.ASSESS: (
                    "Make sure that it is gone and does not come back: two servers that both take writes are "
                    "worse than none.",
                    "Have a fresh server made; a snapshot of the provider may be quicker than a restore.",
                ),
                Step.PICK: ("Take the newest complete backup that can still be reached.",),
                Step.NOTIFY: ("Say when it should be ready.",),
                Step.RESTORE: ("Give the fresh server's address; roles must be made there first.",),
                Step.VERIFY: ("Every count against the manifest, and the fleet's own checks.",),
                Step.RESUME: ("Point the application's DATABASE_URL to the fresh server.",),
            },
        ),
        Known(
            Scenario.SITE_LOST,
            "Full cluster or region lost",
            "The place itself is gone: everything that ran there, and the backups that lay there.",
            2 * _HOUR,
            6 * _HOUR,
            Scope.DATABASE,
            (Way.ADDRESS, Way.SWAP),
            offsite=True,
            steps={
                Step.ASSESS: (
                    "A lost region has four hours: is there a second one to fail over to?",
                    "Begin with the most critical database.",
                ),
                Step.PICK: ("Only a backup that lies off-site is still there.",),
                Step.NOTIFY: ("Everybody: this takes hours, not minutes.",),
                Step.RESTORE: ("Give the address of a server at the new place.",),
                Step.VERIFY: ("Every count against the manifest, and the fleet's own checks.",),
                Step.RESUME: (
                    "Point the applications to the new place, the other databases after this one.",
                    "Take a backup at the new place as soon as it runs.",
                ),
            },
        ),
        Known(
            Scenario.RESTART,
            "Pod, container or node failed",
            "The server's process or machine stopped; its data are there.",
            10 * _MINUTE,
            timedelta(0),
            Scope.NOTHING,
            (Way.WAIT,),
            steps={
                Step.ASSESS: (
                    "Nothing is to be restored: a container is back within 5 minutes, a node within 10.",
                    "Stop waiting when it is not: then it is the loss of the instance.",
                ),
                Step.NOTIFY: ("Say that it restarts by itself, and when you will stop waiting.",),
                Step.VERIFY: ("Are the key tables as they were?",),
                Step.RESUME: ("Ask the services whether they are well: some need a restart of their own.",),
            },
        ),
    )
}
