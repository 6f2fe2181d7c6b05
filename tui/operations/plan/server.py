"""What a restore's plan finds out about the server: which one it is, what one may there, how busy it is."""

from __future__ import annotations

from tui.model.amounts import plural
from tui.model.backup import Contents, Manifest
from tui.model.facts import ServerFacts
from tui.model.plan import Finding, Level
from tui.model.text import clean
from tui.postgres.commands import quoted
from tui.postgres.databases.databases import fitted
from tui.postgres.facts.restore import RestoreFacts

# Besides the workers: pg_restore's own session, the watcher's, and the one that holds the lock.
_SESSIONS_BESIDES = 3


def about_server(
    facts: ServerFacts,
    more: RestoreFacts,
    contents: Contents,
    manifest: Manifest | None,
    *,
    target: str,
    maintenance_db: str,
    jobs: int,
) -> list[Finding]:
    """Given what is known of the server, the backup, the fresh database's name, the database from which it is
    made and the workers, returns a finding for each question that was asked."""
    return [
        _identity(facts, contents, manifest),
        *_read_only(facts, more, maintenance_db),
        _rights(facts),
        _target(facts, target),
        _connections(facts, more, jobs),
        _at_work(more),
    ]


def major(version: str | None) -> int:
    """Given `18.6` or `15.18 (Debian 15.18-1)`, returns 18 or 15; 0 where it says nothing."""
    digits = (version or "").split(".")[0].split(" ")[0]
    return int(digits) if digits.isdecimal() else 0


def _identity(facts: ServerFacts, contents: Contents, manifest: Manifest | None) -> Finding:
    name = f"PostgreSQL {facts.version} at {clean(facts.host or 'here')}:{facts.port or ''}".rstrip(":")
    if facts.in_recovery:
        return Finding(
            Level.STOP,
            "server",
            f"{name} is a standby: nothing can be written to it.",
            "Restore onto the primary, or promote this one: SELECT pg_promote()",
        )
    made_on = major(contents.server_version)
    if made_on > facts.version_num // 10000:
        return Finding(
            Level.WARNING,
            "server",
            f"{name} is older than the server of the backup ({clean(contents.server_version or '')}):"
            " what is new there can't be restored here.",
            f"Restore onto PostgreSQL {made_on} or newer; else look at each error of the restore.",
        )
    identifier = manifest.system_identifier if manifest else None
    if identifier is None or facts.system_identifier is None:
        return Finding(Level.OK, "server", f"{name}; whether the backup came from it isn't known.")
    same = identifier == facts.system_identifier
    said = "the backup came from it" if same else "the backup came from another one"
    return Finding(Level.OK, "server", f"{name}, system {facts.system_identifier}; {said}.")


def _read_only(facts: ServerFacts, more: RestoreFacts, maintenance_db: str) -> list[Finding]:
    """A server, a role or the maintenance database that is read-only by default: nothing can be made there.
    ALTER SYSTEM may be said all the same, ALTER ROLE and DATABASE only in a transaction that may write."""
    if more.read_only_by is None or facts.in_recovery:
        return []
    role, database = quoted(clean(facts.user)), quoted(clean(maintenance_db))
    first = "BEGIN READ WRITE; ALTER"
    where, mend = {
        "database": (f"the database {database}", f"{first} DATABASE {database} RESET"),
        "user": (f"the role {role}", f"{first} ROLE {role} RESET"),
        "database user": (
            f"the role {role} in {database}",
            f"{first} ROLE {role} IN DATABASE {database} RESET",
        ),
    }.get(more.read_only_by, ("the server", "ALTER SYSTEM SET"))
    what = "default_transaction_read_only"
    mend += f" {what}; COMMIT" if where != "the server" else f" {what} = off; SELECT pg_reload_conf()"
    if more.read_only_by == "client":
        where, mend = "this session", f"take {what} out of PGOPTIONS or the service file"
    return [
        Finding(
            Level.STOP,
            "read-only",
            f"Writes are off by default for {where} ({what}): no database can be made.",
            f"If nobody keeps them off on purpose: {mend}",
        )
    ]


def _rights(facts: ServerFacts) -> Finding:
    if facts.can_create_db or facts.is_superuser:
        return Finding(Level.OK, "rights", f"The role {clean(facts.user)} may create databases.")
    return Finding(
        Level.STOP,
        "rights",
        f"The role {clean(facts.user)} may not create databases.",
        f"As a superuser: ALTER ROLE {quoted(clean(facts.user))} CREATEDB",
    )


def _target(facts: ServerFacts, target: str) -> Finding:
    name = clean(target)
    if target not in facts.databases:
        return Finding(Level.OK, "target", f"There is no database {name} yet: it will be made.")
    number = next(
        n for n in range(2, len(facts.databases) + 3) if fitted(target, f"_{n}") not in facts.databases
    )
    return Finding(
        Level.STOP,
        "target",
        f"A database {name} exists already.",
        f"Use a name that is free: --to {clean(fitted(target, f'_{number}'))};"
        f" or, if nobody needs that one: DROP DATABASE {quoted(name)}",
    )


def _connections(facts: ServerFacts, more: RestoreFacts, jobs: int) -> Finding:
    wanted, free = jobs + _SESSIONS_BESIDES, more.free_connections
    said = (
        f"{max(0, free)} of {facts.max_connections} connections are free for this role; {wanted} are wanted."
    )
    if free >= wanted:
        return Finding(Level.OK, "connections", said)
    enough = free - _SESSIONS_BESIDES
    if enough < 1:
        mend = "End sessions that are not needed: SELECT pg_terminate_backend(pid) of pg_stat_activity"
        return Finding(Level.STOP, "connections", said, mend)
    return Finding(Level.WARNING, "connections", said, f"Use fewer workers: --jobs {enough}")


def _at_work(more: RestoreFacts) -> Finding:
    if not more.at_work:
        return Finding(Level.OK, "busy", "No other restore, backup or verification is at work on the server.")
    jobs = [name.removeprefix("pgdr ") for name in more.at_work if name.startswith("pgdr ")]
    attach = next((f"pgdr attach {clean(job)}" for job in jobs if "-" in job), None)
    others = plural(len(more.at_work), "other program")
    return Finding(
        Level.WARNING,
        "busy",
        f"{others} at work on the server: {some(more.at_work)}. Each makes the other slower.",
        f"Wait for it: {attach}" if attach else "Wait for its end, or go on if this matters more.",
    )


def some(names: tuple[str, ...] | list[str], limit: int = 5) -> str:
    """Given names, returns the first few, cleaned, and how many more there are."""
    shown = ", ".join(clean(n, 60) for n in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")
