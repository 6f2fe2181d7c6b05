"""Pictures of jobs as a journal would give them, for what a real run is too short to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from tui.model.backup import Verdict
from tui.model.event import JobKind, JobState, Phase
from tui.model.progress import IndexLine, PhaseLine, Progress, TableLine, WorkerLine
from tui.model.verdict import ErrorClass, RestoreError

NOW = datetime(2026, 11, 21, 3, 25, 41, tzinfo=timezone.utc)

ROLE_MISSING = RestoreError(
    "4123 ACL public.users",
    4123,
    'could not execute query: ERROR:  role "reporting" does not exist\n'
    "Command was: GRANT SELECT ON TABLE public.users TO reporting;",
    ErrorClass.ROLE_MISSING,
    True,
    'role "reporting" missing',
    'CREATE ROLE "reporting"; then run the GRANT again. The data is not touched by this.',
)
BAD_ROW = RestoreError(
    "4200 TABLE DATA public.trades",
    4200,
    'COPY failed for table "trades": ERROR:  duplicate key [/bold] \x1b[31mvalue',
    ErrorClass.DATA,
    False,
    "The rows of public.trades were not loaded.",
    "Take another backup.",
)

HALFWAY = Progress(
    job="20261121T031800Z-restore",
    kind=JobKind.RESTORE,
    state=JobState.RUNNING,
    database="crypto_exchange",
    ref="offsite:crypto_exchange-20261121-010210.dump",
    target="crypto_exchange_restore_20261121T0318Z",
    operator="anna",
    host="bastion",
    started_at=NOW - timedelta(minutes=7),
    updated_at=NOW,
    ended_at=None,
    rto_s=1800.0,
    fraction=0.48,
    ready_low=NOW + timedelta(minutes=12),
    ready_high=NOW + timedelta(minutes=16),
    basis="learned from 4 restores",
    bytes_per_s=69e6,
    phases=(
        PhaseLine(Phase.FETCH, "done", 1, 1, 1.0),
        PhaseLine(Phase.SCHEMA, "done", 40, 40, 1.0),
        PhaseLine(Phase.DATA, "running", 6, 8, 0.81),
        PhaseLine(Phase.INDEXES, "running", 12, 31, 0.3),
        PhaseLine(Phase.FOREIGN_KEYS, "waiting", 0, 9, 0.0),
        PhaseLine(Phase.FINISH, "waiting", 0, 4, 0.0),
        PhaseLine(Phase.ANALYZE, "waiting", 0, 1, 0.0),
    ),
    workers=(
        WorkerLine(1, "loading", "public.trades", "7.9M of 12.0M rows", 0.66, 1e5, 41e6, 120, 200),
        WorkerLine(2, "indexing", "transactions_at_idx", "sorting 64 %", 0.64, None, None, 60, 70),
        WorkerLine(3, "loading", "public.orders", "5.2M of 6.0M rows", 0.87, 1e5, 28e6, 20, 150),
        WorkerLine(4, "foreign key", "wallets_user_id_fkey", "waits for a lock", None, None, None, None, 42),
    ),
    tables=(
        TableLine("public", "trades", "loading", 7_900_000, 12_004_112, 1_100_000_000),
        TableLine("public", "transactions", "done", 9_120_033, 9_120_033, 600_000_000),
        TableLine("public", "orders", "loading", 5_200_000, 6_000_871, 300_000_000),
        TableLine("public", "wallets", "done", 3_600_120, 3_600_120, 71_000_000),
        TableLine("public", "users", "done", 1_200_000, 1_200_000, 40_000_000),
        TableLine("audit", "log", "waiting", None, 871, 1000),
        TableLine("public", "sessions", "failed", 0, 100, 900),
    ),
    indexes=tuple(
        IndexLine(
            "public",
            f"transactions_{n}_idx",
            "transactions",
            state,
            stage,
            0.64 if state == "building" else None,
        )
        for n, (state, stage) in enumerate(
            [("building", "sorting"), ("done", ""), ("waiting", ""), ("waiting", ""), ("done", "")]
        )
    ),
    foreign_keys_done=0,
    foreign_keys_total=9,
    items_done=60,
    items_total=130,
    errors=(ROLE_MISSING,),
    checks=(),
    log=tuple(f"03:25:{n:02d} finished TABLE DATA wallets ({n} rows)" for n in range(10, 42)),
    verdict=None,
    message=None,
    mend=None,
    duration_s=None,
    rows=None,
    fetched_bytes=2_100_000_000,
    made_ref=None,
)
DONE = replace(
    HALFWAY,
    state=JobState.DONE,
    fraction=1.0,
    workers=(),
    ended_at=NOW,
    duration_s=1324.0,
    verdict=Verdict.EXPLAINED,
    rows=32_000_000,
    phases=tuple(replace(phase, state="done", fraction=1.0, done=phase.total) for phase in HALFWAY.phases),
)
FAILED = replace(
    HALFWAY,
    state=JobState.FAILED,
    workers=(),
    ended_at=NOW,
    duration_s=300.0,
    verdict=Verdict.FAILED,
    errors=(ROLE_MISSING, BAD_ROW),
    message="1 error is not understood or not harmless.",
    mend="Pick another backup; the live database was not touched.",
)
