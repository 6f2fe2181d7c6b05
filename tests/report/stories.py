"""Incidents as they end in each scenario, for reports of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tests.recovery_screens.pictures import DONE
from tui.model.backup import Verdict
from tui.model.channels import Ntfy, Webhook
from tui.model.difference import MergedTable, TableDifference
from tui.model.fleet import Contact, Criticality, Database, Endpoint, Fleet
from tui.model.incident import (
    HandOver,
    Incident,
    Merge,
    Sent,
    Step,
    StepRecord,
    StepStatus,
    Swap,
    TableCount,
    TimelineEntry,
)
from tui.model.plan import Finding, Level
from tui.model.scenario import Scenario
from tui.model.secret import Secret
from tui.model.verdict import Check, ErrorClass, RestoreError

AT = datetime(2026, 11, 21, 3, 14, tzinfo=timezone.utc)
BACKUP_AT = datetime(2026, 11, 21, 1, 2, 10, tzinfo=timezone.utc)
REF = "offsite:crypto_exchange-20261121-010210.dump"
TARGET, BEFORE = "crypto_exchange_restore_20261121T031800Z", "crypto_exchange_before_20261121T033600Z"
DATABASE = Database(
    name="crypto_exchange",
    dbname="crypto_exchange",
    service="app-database",
    endpoint=Endpoint(host="127.0.0.1", port=5433, user="exchange"),
    criticality=Criticality.CRITICAL,
    rpo=timedelta(hours=6),
    rto=timedelta(minutes=30),
)
FLEET = Fleet(
    "KrystalineX",
    source=Path("/etc/pgdr/pgdr.toml"),
    databases=(DATABASE,),
    channels=(Ntfy("on-call", Secret(env="T")), Webhook("status", "https://status.example.org/hook")),
    contacts=(Contact("GoAlert", "http://localhost:8081"),),
)
JOB = replace(
    DONE,
    rows=42_000_000,
    errors=(
        RestoreError(
            "4711 ACL TABLE wallets",
            4711,
            'role "reporting" does not exist',
            ErrorClass.ROLE_MISSING,
            True,
            "The role reporting has no rights on it.",
            'CREATE ROLE "reporting", then grant it its rights.',
        ),
    ),
)


def minutes(number: float) -> datetime:
    """So many minutes after the declaration."""
    return AT + timedelta(minutes=number)


def entry(at: float, kind: str, text: str, who: str = "anna@db1") -> TimelineEntry:
    """What happened so many minutes after the declaration."""
    return TimelineEntry(minutes(at), who, kind, text)


def story(scenario: Scenario | None, **changes: object) -> Incident:
    """A recovery that went well, by a swap, in 22 minutes."""
    spans = {"assess": (0, 2), "pick": (2, 3), "notify": (3, 4), "restore": (4, 18), "verify": (18, 20)}
    spans["resume"] = (20, 24)
    steps = tuple(
        StepRecord(s, StepStatus.DONE, minutes(spans[s.value][0]), minutes(spans[s.value][1]), "done")
        for s in Step
    )
    made = Incident(
        id="7",
        database="crypto_exchange",
        operator="anna@db1",
        declared_at=AT,
        steps=steps,
        findings=(
            Finding(Level.STOP, "database", "The server answers; crypto_exchange does not exist."),
            Finding(Level.OK, "backups", "The newest backup is within the RPO."),
        ),
        counts=(TableCount("public", "users", 1000, 1000), TableCount("public", "trades", 500, 620)),
        ref=REF,
        backup_at=BACKUP_AT,
        target=TARGET,
        job="restore-20261121T031800Z-a3f2",
        verdict=Verdict.CLEAN,
        checks=(
            Check("rows of public.users", True, "1,000", "1,000"),
            Check("No negative balances", True, "0", "0"),
        ),
        sent=(
            Sent(minutes(4), "on-call", "🔴 DR INITIATED: KrystalineX", None, "m-1", "declared"),
            Sent(
                minutes(4),
                "status",
                "🔴 DR INITIATED: KrystalineX",
                "No answer in 10 s.",
                "m-1",
                "declared",
                4,
            ),
            Sent(minutes(23), "on-call", "🟢 DR RESOLVED: KrystalineX", None, "m-2", "resolved"),
        ),
        swap=Swap("crypto_exchange", "crypto_exchange", TARGET, BEFORE, minutes(22), 0.002, "anna@db1"),
        timeline=(
            entry(0, "decision", "Incident declared for crypto_exchange."),
            entry(1, "command", "docker compose stop server"),
            entry(1, "fact", "Service server is paused."),
            entry(4, "command", f"createdb -h 127.0.0.1 -p 5433 {TARGET}"),
            entry(9, "decision", "Took over from anna@db1.", "bob@db2"),
            entry(22, "confirmation", "Swap of crypto_exchange confirmed.", "bob@db2"),
            entry(23, "fact", "Service server is running.", "bob@db2"),
        ),
        driver="bob@db2",
        health="healthy: 200 OK",
        closed_at=minutes(24),
        outcome="recovered",
        scenario=scenario,
        scenario_why="It is what the assessment found.",
        damaged_at=minutes(-10),
        damaged_how="between 03:02, when it was seen last, and 03:04",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def merged() -> Incident:
    """Rows of one table put back."""
    table = MergedTable("public", "wallets", 10, 1_010, 1_000, 5, 2)
    merge = Merge("crypto_exchange", TARGET, "pgdr_aside", (table,), True, minutes(14), "anna@db1")
    difference = TableDifference("public", "wallets", ("id",), 10, 1_010, 1_000, 3, 5)
    return story(
        Scenario.TABLE_CORRUPTION,
        swap=None,
        merge=merge,
        differences=(difference,),
        compared_at=minutes(12),
        tables=("public.wallets",),
    )


def handed() -> Incident:
    """The application pointed to a fresh server."""
    url = "postgresql://exchange@10.0.0.9:5432/crypto_exchange"
    return story(Scenario.INSTANCE_LOST, swap=None, handed=HandOver(url, minutes(28), "anna@db1"), counts=())


def restarted() -> Incident:
    """Nothing was restored: it came back."""
    return story(
        Scenario.RESTART, swap=None, ref=None, backup_at=None, target=None, job=None, verdict=None, checks=()
    )


def drilled() -> Incident:
    """A rehearsal."""
    return story(
        Scenario.DATABASE_CORRUPTION,
        swap=None,
        drill=True,
        rehearsed_at=minutes(21),
        outcome="rehearsed",
        found=("The role reporting is missing on a fresh server.",),
        sent=(Sent(minutes(4), "on-call", "DRILL: 🔴", None, "m", "declared", simulated=True),),
        timeline=(
            entry(0, "decision", "Drill declared."),
            entry(4, "message", "DRILL: would tell on-call: 'x'"),
        ),
    )
