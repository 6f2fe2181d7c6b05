"""What the scripted guide answers: a fleet, findings, candidates, a plan, checks, differences."""

from __future__ import annotations

from datetime import timedelta

from tests.recovery_screens.pictures import NOW
from tui.incident.candidates import Candidate
from tui.model.backup import Backup, StoreProblem, TableContents, Verdict, Verification
from tui.model.channels import Ntfy, Webhook
from tui.model.difference import TableDifference
from tui.model.fleet import Contact, Criticality, Database, Endpoint, Fleet
from tui.model.incident import (
    TableCount,
)
from tui.model.plan import Estimate, Finding, Level, RestorePlan
from tui.model.secret import Secret
from tui.model.verdict import Check
from tui.operations.catalogue.catalogue import Description
from tui.operations.swap.swap import SwapPlan

DATABASE = Database(
    name="crypto_exchange",
    dbname="crypto_exchange",
    service="app-database",
    endpoint=Endpoint(host="127.0.0.1", port=5433),
    criticality=Criticality.CRITICAL,
    rpo=timedelta(hours=6),
    rto=timedelta(minutes=30),
    health_url="http://127.0.0.1:5000/health",
)
FLEET = Fleet(
    "KrystalineX",
    databases=(DATABASE,),
    channels=(
        Ntfy("on-call", Secret(env="NTFY_TOPIC")),
        Webhook("status", "https://status.example.org/hook"),
    ),
    contacts=(Contact("GoAlert", "http://localhost:8081"),),
)
DECLARED = NOW - timedelta(minutes=11)
FINDINGS = (
    Finding(Level.OK, "backups", "The newest backup is of 2026-11-21T01:02:10Z, within the RPO."),
    Finding(
        Level.WARNING,
        "public.users",
        "Table public.users has 1,100,000 rows, 100,000 fewer than the last backup.",
        "Find out whether they were meant to go.",
    ),
    Finding(
        Level.STOP,
        "public.wallets",
        "Table public.wallets is empty; the last backup had 3,600,120 rows.",
        "Restore it, or the whole database.",
    ),
)
COUNTS = (
    TableCount("public", "users", 1_200_000, 1_100_000),
    TableCount("public", "wallets", 3_600_120, 0),
    TableCount("public", "trades", 12_004_112, 12_005_000),
    TableCount("audit", "log", 871, None),
)
TABLES = (
    TableContents("public", "trades", 1_100_000_000, 12_004_112),
    TableContents("public", "transactions", 600_000_000, 9_120_033),
    TableContents("public", "orders", 300_000_000, 6_000_871),
    TableContents("public", "wallets", 71_000_000, 3_600_120),
    TableContents("public", "users", 40_000_000, 1_200_000),
    TableContents("audit", "log", 1_000, 871),
)


def _candidate(
    hours: float, store: str, size: int, why: str, advised: bool = False, good: bool = True
) -> Candidate:
    taken = NOW - timedelta(hours=hours)
    verified = (
        None if advised else Verification(NOW - timedelta(days=3), Verdict.CLEAN if good else Verdict.FAILED)
    )
    key = f"crypto_exchange-{taken:%Y%m%d-%H%M%S}.dump"
    backup = Backup(store, key, size, taken, "crypto_exchange", taken, verification=verified)
    problems = () if good else (Finding(Level.STOP, "size", "The archive is cut short: 0.3 of 2.1 GB."),)
    return Candidate(
        backup=backup,
        age=timedelta(hours=hours),
        within_rpo=hours <= 6,
        estimate=Estimate(
            timedelta(minutes=14), timedelta(minutes=18 if hours < 10 else 45), "learned from 4"
        ),
        within_rto=hours < 10,
        advised=advised,
        why=why,
        description=Description(backup, None, None, TABLES, 65536, problems),
    )


CANDIDATES = (
    _candidate(
        2.04, "offsite", 2_100_000_000, "The newest complete one; the data lost is within the RPO.", True
    ),
    _candidate(8.1, "offsite", 2_100_000_000, "Older than the advised one: more data lost."),
    _candidate(8.1, "local", 2_100_000_000, "Older than the advised one: more data lost."),
    _candidate(14.1, "local", 300_000_000, "Its last verification failed.", good=False),
)
PROBLEM = StoreProblem(
    "azure", "The store can't be read.", "The credentials were rejected.", "Check its keys."
)
PLAN = RestorePlan(
    ref=CANDIDATES[0].backup.ref,
    database="crypto_exchange",
    target="crypto_exchange_restore_20261121T031800Z",
    host="127.0.0.1",
    port=5433,
    system_identifier="7412345678900093",
    server_version="16.4",
    live_bytes=None,
    live_sessions=None,
    archive_bytes=2_100_000_000,
    archive_created_at=NOW - timedelta(hours=2),
    archive_server_version="16.4",
    age=timedelta(hours=2, minutes=2),
    client="/usr/lib/postgresql/16/bin/pg_restore",
    client_version="16.4",
    jobs=4,
    tables=(),
    staging_bytes=2_100_000_000,
    estimate=Estimate(timedelta(minutes=14), timedelta(minutes=18), "learned from 4 restores"),
    findings=(
        Finding(Level.OK, "space", "412 GB are free on the server's disk; about 9 GB will be used."),
        Finding(
            Level.WARNING,
            "roles",
            'Role "reporting" is not on the server.',
            'CREATE ROLE "reporting"; or go on.',
        ),
    ),
    commands=(
        "createdb -h 127.0.0.1 -p 5433 crypto_exchange_restore_20261121T031800Z",
        "pg_restore -h 127.0.0.1 -p 5433 -U exchange -d crypto_exchange_restore_20261121T031800Z -j 4 -v "
        "/var/lib/pgdr/jobs/x/staging/archive",
    ),
)
CHECKS = (
    *(Check(f"rows of public.t{n}", True, "1,000 rows", "1,000 rows") for n in range(12)),
    Check("no negative balances", False, "0", "3 [b]rows", "Look at wallets where balance < 0."),
    Check("app role can log in", None, "a session", "no password is configured for app_user"),
)
SWAP_PLAN = SwapPlan(
    host="127.0.0.1",
    port=5433,
    system_identifier="7412345678900093",
    server_version="16.4",
    live_name="crypto_exchange",
    live_bytes=2_400_000_000,
    live_sessions=14,
    becomes="crypto_exchange_before_20261121T034100Z",
    restored_name="crypto_exchange_restore_20261121T031800Z",
    findings=(
        Finding(Level.WARNING, "slots", "A replication slot is bound to the live database.", "Drop it."),
    ),
    commands=(
        'ALTER DATABASE "crypto_exchange" RENAME TO "crypto_exchange_before_20261121T034100Z";',
        'ALTER DATABASE "crypto_exchange_restore_20261121T031800Z" RENAME TO "crypto_exchange";',
    ),
)


DIFFERENCES = (
    TableDifference("public", "wallets", ("id",), 0, 3_600_120, 3_600_120, 0, 0, ("1",)),
    TableDifference("public", "trades", ("id",), 12_005_000, 12_004_112, 12, 900, 7),
    TableDifference("audit", "log", reason="The live database has no such table."),
    TableDifference("public", "users", ("id",), 1_200_000, 1_200_000, 0, 0, 0),
)
