"""A world whose restore takes some seconds and holds a bit of everything, and what is asked of it after it
was hurt: who is still there, whether every item is accounted for, whether two databases are equal."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.recovery.world import World, make_world, utc_now
from tests.servers import FreshDatabase
from tui.jobs.job import JobSpec, files_of, new_id
from tui.jobs.journal import read
from tui.jobs.resume import resuming
from tui.jobs.start import start_job
from tui.jobs.watch import follow, view
from tui.model.backup import Verdict
from tui.model.event import (
    ErrorSeen,
    Event,
    ItemFinished,
    ItemsDone,
    ItemsLeft,
    ItemsListed,
    JobKind,
    JobState,
)
from tui.model.fleet import StoreSpec
from tui.model.progress import Progress

# A table that takes long to load and an index that takes long to build, both with little CPU.
RICH = """
CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
$$ BEGIN
    IF current_setting('application_name') LIKE 'pgdr restore%' AND current_query() ~ '^(COPY|CREATE INDEX)'
    THEN PERFORM pg_sleep(0.01); END IF;
    RETURN n;
END $$;
CREATE TABLE lines (n int PRIMARY KEY CHECK (slow(n) >= 0), user_id int REFERENCES users, text text);
INSERT INTO lines SELECT n, n, md5(n::text) FROM generate_series(1, 300) n;
CREATE INDEX users_slow ON users (slow(id));
CREATE TABLE days (day date NOT NULL, user_id int REFERENCES users, n int GENERATED ALWAYS AS IDENTITY,
                   PRIMARY KEY (day, n)) PARTITION BY RANGE (day);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE INDEX days_user ON days (user_id);
INSERT INTO days (day, user_id) SELECT date '2026-01-01' + n % 59, 1 + n % 400 FROM generate_series(1, 500) n;
CREATE MATERIALIZED VIEW totals AS SELECT user_id, sum(balance) AS total FROM wallets GROUP BY user_id;
CREATE UNIQUE INDEX totals_user ON totals (user_id);
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.text := upper(NEW.text); RETURN NEW; END $$;
CREATE TRIGGER lines_shout BEFORE INSERT ON lines FOR EACH ROW EXECUTE FUNCTION shout();
CREATE RULE orders_kept AS ON DELETE TO orders DO INSTEAD NOTHING;
CREATE POLICY own ON wallets USING (user_id > 0);
ALTER TABLE wallets ENABLE ROW LEVEL SECURITY;
CREATE STATISTICS wallets_both ON user_id, balance FROM wallets;
CREATE PUBLICATION changes FOR TABLE orders;
ALTER TABLE orders ADD CONSTRAINT late CHECK (id > 0) NOT VALID;
COMMENT ON INDEX users_slow IS 'slow; on purpose';
COMMENT ON TRIGGER lines_shout ON lines IS 'loud';
GRANT SELECT ON users TO PUBLIC;
SELECT lo_from_bytea(0, decode(repeat('00ff', 5000), 'hex'));
SELECT lo_from_bytea(0, 'second');
ALTER SEQUENCE users_id_seq RESTART WITH 4711;
"""

Fingerprint = tuple[str, str, str]

_EQUAL = r"""
SELECT format('SELECT %L, count(*), md5(string_agg(t::text, E''\n'' ORDER BY t::text)) FROM ONLY %I.%I t',
              c.oid::regclass, n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm', 'S') AND n.nspname = 'public' ORDER BY n.nspname, c.relname
"""


def rich_world(db: FreshDatabase, directory: Path, offsite: StoreSpec | None = None) -> World:
    """A shop with partitions, triggers, rules, large objects and more, whose restore takes some
    six seconds."""
    world = make_world(db, directory, offsite=offsite)
    world.sql(RICH)
    return world


def order(world: World, ref: str, workers: int = 2) -> JobSpec:
    return JobSpec(
        id=new_id(JobKind.RESTORE, utc_now()),
        kind=JobKind.RESTORE,
        config=world.config,
        database="shop",
        operator="ann@db1",
        ref=ref,
        target=world.live.name + "_restored",
        workers=workers,
    )


def start_restore(world: World, ref: str | None = None, workers: int = 2) -> str:
    """Starts a restore of a new backup, or of `ref`; returns the job."""
    return start_job(world.state, order(world, ref or world.back_up().refs[0], workers))


def start_resume(world: World, job: str) -> str:
    """Goes on with a job; returns the job that does."""
    return start_job(world.state, resuming(world.state, job, "bob@db2", utc_now()))


def resume(world: World, job: str) -> Progress:
    """Goes on with a job, to the end."""
    return ended(world, start_resume(world, job))


def ended(world: World, job: str) -> Progress:
    """How a job ended, once it has."""
    return follow(world.state, job, lambda _: None, utc_now, every_s=0.1)


def wait(until: Callable[[], object], what: str, within_s: float = 60) -> None:
    """Waits for something to become true, not for ever."""
    deadline = time.monotonic() + within_s
    while not until():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def picture(world: World, job: str) -> Progress:
    return view(world.state, job).picture(utc_now())


def reach(world: World, job: str, moment: str) -> None:
    """Waits until a job is in the middle of its slow table (`data`) or its slow index (`index`)."""

    def there() -> bool:
        seen = picture(world, job)
        assert seen.state is JobState.RUNNING, seen.message
        if moment == "data":
            states = {t.name: t.state for t in seen.tables}
            return states.get("lines") == "loading" and "done" in states.values()
        return any(i.name == "users_slow" and i.state == "building" for i in seen.indexes)

    wait(there, f"the slow {moment} was never begun")


def supervisor(world: World, job: str) -> psutil.Process:
    directory = str(world.state / "jobs" / job)
    return next(p for p in psutil.process_iter(["cmdline"]) if directory in (p.info["cmdline"] or []))


def leader(world: World, job: str) -> psutil.Process:
    """The pg_restore that the supervisor started."""
    return next(p for p in supervisor(world, job).children() if p.name() == "pg_restore")


def processes_of(job: str) -> list[psutil.Process]:
    """Every living process of a job's pg_restore, whoever its parent is now."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PGAPPNAME") == f"pgdr {job}" and process.status() != "zombie":
                found.append(process)
        except psutil.Error:
            continue
    return found


def sessions_of(world: World, job: str) -> int:
    """The job's sessions on the server, parallel workers among them."""
    return int(
        world.live.server.sql(
            f"SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgdr {job}%'"
        )
    )


def no_orphans(world: World, job: str) -> None:
    """Waits until nothing of a job is left, here or on the server."""
    wait(lambda: not processes_of(job), f"processes are left: {processes_of(job)}", 30)
    wait(lambda: not sessions_of(world, job), "sessions are left on the server", 30)


def events(world: World, job: str) -> list[Event]:
    return [entry.event for entry in read(files_of(world.state, job).journal)[0]]


def accounted_for(world: World, job: str) -> None:
    """Every item that was to be done is done, failed, or said to be left."""
    listed: set[int] = set()
    told: set[int] = set()
    for event in events(world, job):
        match event:
            case ItemsListed():
                listed = {item.dump_id for item in event.items}
            case ItemFinished():
                told.add(event.dump_id)
            case ErrorSeen() if event.error.dump_id is not None:
                told.add(event.error.dump_id)
            case ItemsDone() | ItemsLeft():
                told.update(event.ids)
    assert listed and listed <= told


def taken_over(world: World, job: str) -> set[int]:
    """The items that a resumed job found done."""
    return {i for event in events(world, job) if isinstance(event, ItemsDone) for i in event.ids}


def fingerprint(world: World, database: str) -> Fingerprint:
    """The schema as pg_dump writes it, rows and checksums of every table and sequence, large objects."""
    server = world.live.server
    dump = subprocess.run(
        [
            *(str(server.bin_directory / "pg_dump"), "--schema-only", "-w", "-U", server.user),
            *("-h", "127.0.0.1", "-p", str(server.port), database),
        ],
        env={"PGPASSFILE": str(server.passfile)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = (line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))
    # A sequence's log_cnt tells how much of its WAL was written ahead: it says nothing of its values
    queries = [
        q.replace("t::text", "(t.last_value, t.is_called)::text") if "_seq" in q else q
        for q in server.sql(_EQUAL, database).splitlines()
    ]
    tables = "\n".join(server.sql(query, database) for query in queries)
    objects = """
        SELECT count(*), md5(string_agg(encode(data, 'hex'), '' ORDER BY loid, pageno)) FROM pg_largeobject"""
    return "\n".join(lines), tables, server.sql(objects, database)


def equal(world: World, job: str, truth: Fingerprint | None = None) -> None:
    """The job's database has the schema, rows and large objects of the live one, or of `truth`: a server's
    crash moves sequences on."""
    target = picture(world, job).target
    assert target is not None
    live, restored = truth or fingerprint(world, world.live.name), fingerprint(world, target)
    assert restored[0] == live[0]
    assert restored[1:] == live[1:]


def resumed_clean(
    world: World, job: str, *, from_done: bool = True, truth: Fingerprint | None = None
) -> Progress:
    """Goes on with a job; asserts that the end is as if nothing had happened."""
    picture = resume(world, job)
    assert (picture.state, picture.verdict) == (JobState.DONE, Verdict.CLEAN), picture
    assert picture.items_done == picture.items_total > 0 and picture.fraction == 1.0
    assert bool(taken_over(world, picture.job)) is from_done, picture.log
    accounted_for(world, picture.job)
    equal(world, picture.job, truth)
    no_orphans(world, picture.job)
    return picture
