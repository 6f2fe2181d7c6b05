"""A smoke: a question that the fleet asks before a recovered database is believed."""

from __future__ import annotations

from dataclasses import dataclass

RESTORED = "restored"  # asked of the restored database, before it takes any place
LIVE = "live"  # asked once it is in place


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoke:
    """One of them. `kind` is sql (the first column of the first row of `sql`, as text, is `expect`), command
    (an argv that exits with `exit_code`; it finds the database by PGHOST, PGPORT, PGUSER, PGDATABASE) or
    http (`url` answers with `status`, None for any 2xx, and its JSON has each value of `json` under that
    dotted key)."""

    name: str
    kind: str
    when: str = RESTORED
    timeout_s: int = 60
    sql: str = ""
    expect: str = ""
    command: tuple[str, ...] = ()
    exit_code: int = 0
    url: str = ""
    status: int | None = None
    json: tuple[tuple[str, str], ...] = ()
