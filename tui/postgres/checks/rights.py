"""Checks of who may what: owners and grants as they were, and the application able to log in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tui.model.amounts import plural
from tui.model.backup import ObjectRights
from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.catalog.rights import rights
from tui.postgres.checks.asking import Answer, Asking, listed
from tui.postgres.commands import quoted
from tui.postgres.connection import connect

_ROLE = """
SELECT r.rolcanlogin, has_database_privilege(r.oid, d.oid, 'CONNECT'),
       coalesce(r.rolvaliduntil < now(), false), r.rolconnlimit = 0
  FROM pg_roles r, pg_database d WHERE r.rolname = %s AND d.datname = current_database()
"""


def against_manifest(asking: Asking) -> None:
    """Every object that was backed up belongs to whom it did, and others may do with it what they did."""
    manifest = asking.manifest
    if manifest is None or manifest.rights is None or manifest.selection != "full":
        return
    wanted, many = manifest.rights, plural(len(manifest.rights), "object")
    asking.ask("owners", f"of {many} as backed up", lambda: _owners(asking, wanted))
    grants = sum(len(w.grants) for w in wanted)
    asking.ask("grants", f"{plural(grants, 'grant')} on {many}", lambda: _grants(asking, wanted))


def application_role(asking: Asking, endpoint: Endpoint, dbname: str) -> None:
    """The role that the fleet's application logs in with may do so; tried where its password is known."""
    role = asking.database.app_role
    if role is not None:
        expected = f"{role} may log in and connect"
        asking.ask("application role", expected, lambda: _log_in(asking, endpoint, dbname, role))


def _found(asking: Asking) -> dict[tuple[str, str], ObjectRights]:
    return {(r.kind, r.name): r for r in rights(asking.connection)}


def _owners(asking: Asking, wanted: tuple[ObjectRights, ...]) -> Answer:
    found = _found(asking)
    differ = [
        (want, have)
        for want in wanted
        if (have := found.get((want.kind, want.name))) is not None and have.owner != want.owner
    ]
    if not differ:
        return Answer(True, f"of {plural(len(wanted), 'object')} the same")
    said = listed((f"{w.name} is {h.owner}'s, was {w.owner}'s" for w, h in differ), 3)
    absent = _absent(asking, {w.owner for w, _ in differ})
    mend = f"ALTER … OWNER TO each, or as a superuser restore again.{_first(absent)}"
    # Without the role nothing else could be done, and the restore's errors say so: no fault of the data's.
    return Answer(None if {w.owner for w, _ in differ} <= absent else False, said, mend)


def _grants(asking: Asking, wanted: tuple[ObjectRights, ...]) -> Answer:
    found = _found(asking)
    lost, gained = [], []
    for want in wanted:
        have = found.get((want.kind, want.name))
        if have is not None:
            lost += [(want.name, grant) for grant in want.grants if grant not in have.grants]
            gained += [(want.name, grant) for grant in have.grants if grant not in want.grants]
    # What was granted to one who is the owner now stays his own.
    owners = {name: have.owner for (_, name), have in found.items()}
    was = {want.name: want.owner for want in wanted}
    lost = [(name, grant) for name, grant in lost if _grantee(grant) != owners[name]]
    gained = [(name, grant) for name, grant in gained if _grantee(grant) != was[name]]
    if not lost and not gained:
        return Answer(True, f"{plural(sum(len(w.grants) for w in wanted), 'grant')} the same")
    said = [f"{name} lacks {grant}" for name, grant in lost]
    said += [f"{name} has besides {grant}" for name, grant in gained]
    absent = _absent(asking, {_grantee(grant) for _, grant in lost} - {""})
    explained = not gained and {_grantee(grant) for _, grant in lost} <= absent
    return Answer(None if explained else False, listed(said, 3), f"GRANT each of them again.{_first(absent)}")


def _grantee(grant: str) -> str:
    return grant.rpartition("=")[0]


def _absent(asking: Asking, names: set[str]) -> set[str]:
    rows = asking.connection.execute(
        "SELECT rolname::text FROM pg_roles WHERE rolname = ANY(%s)", (list(names),)
    ).fetchall()
    return names - {row[0] for row in rows}


def _first(absent: Iterable[str]) -> str:
    makes = "; ".join(f"CREATE ROLE {quoted(clean(role))}" for role in sorted(absent)[:3])
    return f" First: {makes}" if makes else ""


def _log_in(asking: Asking, endpoint: Endpoint, dbname: str, role: str) -> Answer:
    row = asking.connection.execute(_ROLE, (role,)).fetchone()
    name, database = quoted(clean(role)), quoted(clean(dbname))
    if row is None:
        return Answer(False, "there is no such role", f"CREATE ROLE {name} LOGIN, then give it its password.")
    may_log_in, may_connect, expired, shut = row
    if not may_log_in:
        return Answer(False, "it may not log in", f"ALTER ROLE {name} LOGIN")
    if not may_connect:
        return Answer(False, "it has no CONNECT", f"GRANT CONNECT ON DATABASE {database} TO {name}")
    if expired:
        return Answer(False, "its password has expired", f"ALTER ROLE {name} VALID UNTIL 'infinity'")
    if shut:
        return Answer(False, "its connection limit is 0", f"ALTER ROLE {name} CONNECTION LIMIT -1")
    if not _password_here(endpoint, role):
        return Answer(True, "it may; not tried, its password isn't here")
    try:
        with connect(replace(endpoint, user=role, password=None), dbname):
            return Answer(True, "it logged in")
    except PgdrError as error:
        why = " ".join(part for part in (error.what, error.why) if part)
        return Answer(False, why, error.mend)


def _password_here(endpoint: Endpoint, role: str) -> bool:
    """Whether the endpoint's passfile has a line for the role: no other secret is tried for it."""
    if endpoint.passfile is None:
        return False
    try:
        lines = endpoint.passfile.read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    return any(
        line.split(":")[3:4] == [role] and line.split(":")[0] in ("*", endpoint.host)
        for line in lines
        if not line.startswith("#")
    )
