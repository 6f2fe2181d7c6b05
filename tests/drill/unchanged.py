"""What a server holds, in enough detail that any change to a live database is seen."""

from __future__ import annotations

import hashlib
import subprocess
from typing import Any

from tests.recovery.world import World
from tui.postgres.connection import environment
from tui.stores.open import open_store

# Each row with the transaction that wrote it and its place: writing the same values again is seen too.
_ROWS = """
SELECT md5(coalesce(string_agg(t::text || ' ' || t.xmin::text || ' ' || t.ctid::text, E'\\n'
                               ORDER BY t.ctid), ''))
  FROM {} t
"""
_CATALOG = {
    "relations": "SELECT c.oid, relname, relkind, relfilenode, reloptions, relacl, relowner FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public' ORDER BY 1",
    "writes": "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables ORDER BY 1",
    "sequences": "SELECT schemaname, sequencename, last_value, increment_by FROM pg_sequences ORDER BY 1, 2",
    "functions": "SELECT oid, proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "extensions": "SELECT extname, extversion FROM pg_extension ORDER BY 1",
}
_SERVER = {
    "databases": "SELECT oid, datname, datallowconn, datconnlimit, datacl, datdba, "
    "shobj_description(oid, 'pg_database') FROM pg_database ORDER BY 1",
    "settings of roles and databases": "SELECT * FROM pg_db_role_setting ORDER BY 1, 2",
    "settings": "SELECT name, setting, source FROM pg_settings "
    "WHERE source NOT IN ('client', 'session', 'default') ORDER BY 1",
    "roles": "SELECT * FROM pg_roles ORDER BY 1",
    "memberships": "SELECT * FROM pg_auth_members ORDER BY 1, 2",
    "tablespaces": "SELECT * FROM pg_tablespace ORDER BY 1",
    "slots": "SELECT slot_name FROM pg_replication_slots",
    "prepared": "SELECT gid FROM pg_prepared_xacts",
    "subscriptions": "SELECT subname FROM pg_subscription",
}


def held(world: World) -> dict[str, Any]:
    """Everything that a drill could have changed, by name: the live database's schema, rows, sequences and
    what was ever written to it, the server's databases, roles and settings, the backups."""
    server, live = world.live.server, world.live.name
    server.sql("SELECT pg_stat_force_next_flush()", live)
    found: dict[str, Any] = {name: server.sql(query, live) for name, query in _CATALOG.items()}
    found |= {name: server.sql(query) for name, query in _SERVER.items()}
    tables = server.sql(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", live
    ).split()
    found["rows"] = {table: server.sql(_ROWS.format(f'public."{table}"'), live) for table in tables}
    found["schema"] = _dump(world, "--schema-only")
    found["data"] = hashlib.sha256(_dump(world, "--data-only").encode()).hexdigest()
    found["backups"] = {
        (spec.name, o.key): (o.size_bytes, str(o.modified_at), o.etag)
        for spec in world.fleet.stores
        for page in open_store(spec).pages()
        for o in page
        if ".verified." not in o.key  # what a drill found is told to others there
    }
    assert tables and found["backups"]  # something is compared
    return found


def _dump(world: World, what: str) -> str:
    endpoint = world.live.endpoint
    done = subprocess.run(
        [world.live.server.bin_directory / "pg_dump", what],
        env=environment(endpoint, world.live.name), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    # Newer ones put a random word into each dump, so that no name in it can pose as a command of psql's.
    return "\n".join(
        row for row in done.stdout.splitlines() if not row.startswith(("\\restrict", "\\unrestrict"))
    )
