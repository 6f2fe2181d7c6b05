"""The roles that own a backup's objects or were granted to, and the statements that make missing ones."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from tui.model.backup import Manifest, TocEntry
from tui.model.facts import ServerFacts
from tui.model.plan import Finding, Level
from tui.model.text import clean
from tui.operations.plan.server import some
from tui.postgres.commands import quoted
from tui.postgres.facts.restore import RestoreFacts

_NAME = r'(?:"(?:[^"]|"")+"|[^\s;,]+)'
_GRANTEE = re.compile(rf" TO ({_NAME})(?: WITH GRANT OPTION)?;")
_SHOWN = 3
# What pg_dumpall writes after ALTER ROLE name WITH, passwords aside; nothing else of its line is believed.
_ATTRIBUTES = re.compile(
    r"( (NO)?(SUPERUSER|INHERIT|CREATEROLE|CREATEDB|LOGIN|REPLICATION|BYPASSRLS)"
    r"| CONNECTION LIMIT -?\d+| VALID UNTIL '[^'\\]*')+;"
)
_MEMBER = re.compile(rf"GRANT ({_NAME}) TO ({_NAME})((?: WITH [A-Z, ]+?)?)(?: GRANTED BY {_NAME})?;")


@dataclass(frozen=True, slots=True)
class Globals:
    """The roles that were dumped beside a backup: as SQL, and where it lies, as a person would type it."""

    sql: str
    shown: str


def owners(entries: Collection[TocEntry]) -> tuple[str, ...]:
    """Given entries, returns who owns what they make."""
    return tuple(sorted({e.owner for e in entries if e.owner}))


def about_roles(
    facts: ServerFacts,
    more: RestoreFacts,
    entries: Collection[TocEntry],
    manifest: Manifest | None,
    beside: Globals | None,
) -> list[Finding]:
    """Given the server, the entries that will be restored, the manifest and the roles kept beside the backup,
    returns whether all roles are there and may be given what is theirs."""
    named, missing = _named(entries, manifest), missing_roles(facts, entries, manifest)
    found = [_missing(facts, missing, beside)] if missing else []
    if more.not_its_own:
        grants = "; ".join(
            f"GRANT {quoted(clean(r))} TO {quoted(clean(facts.user))}" for r in more.not_its_own
        )
        found.append(
            Finding(
                Level.WARNING,
                "owners",
                f"{clean(facts.user)} may not give objects to {some(more.not_its_own)}; they stay its own.",
                f"As a superuser: {grants}",
            )
        )
    return found or [Finding(Level.OK, "roles", f"All its roles are there: {some(sorted(named)) or 'none'}.")]


def _named(entries: Collection[TocEntry], manifest: Manifest | None) -> set[str]:
    return set(owners(entries)) | _grantees(entries) | set(manifest.roles if manifest else ())


def missing_roles(facts: ServerFacts, entries: Collection[TocEntry], manifest: Manifest | None) -> list[str]:
    """The roles that the entries to be restored and the manifest name, and the server misses."""
    return sorted(_named(entries, manifest) - set(facts.roles) - {"public", "PUBLIC"})


def making(facts: ServerFacts, missing: Collection[str], beside: Globals | None) -> tuple[str, ...]:
    """Given the server and the roles that it misses, returns what makes them: as they were dumped, with
    their memberships among each other and in roles that are there. Never a password, never anything else."""
    made: list[str] = []
    for role in missing:
        made.append(f"CREATE ROLE {quoted(role)};")
        for name in (quoted(role), role):
            start = f"ALTER ROLE {name} WITH"
            dumped = beside.sql.splitlines() if beside else ()
            rest = [line.removeprefix(start) for line in dumped if line.startswith(f"{start} ")]
            made += [f"ALTER ROLE {quoted(role)} WITH{r}" for r in rest[:1] if _ATTRIBUTES.fullmatch(r)]
    there = set(missing) | set(facts.roles)
    for found in map(_MEMBER.fullmatch, beside.sql.splitlines() if beside else ()):
        group, member = (_plain(found[1]), _plain(found[2])) if found else ("", "")
        if found and member in missing and group in there:
            made.append(f"GRANT {quoted(group)} TO {quoted(member)}{found[3]};")
    return tuple(dict.fromkeys(made))


def statements(role: str, beside: Globals | None) -> tuple[str, ...]:
    """Given a role, returns the statements that make it: as they were dumped beside the backup, else the
    shortest one. A role that was dumped has its attributes, but never its password."""
    names = (quoted(role), role)
    if beside is not None:
        found = tuple(
            clean(line)
            for line in beside.sql.splitlines()
            if any(line == f"CREATE ROLE {n};" or line.startswith(f"ALTER ROLE {n} WITH ") for n in names)
        )
        if found:
            return found
    return (f"CREATE ROLE {quoted(clean(role))};",)


def _missing(facts: ServerFacts, missing: list[str], beside: Globals | None) -> Finding:
    if len(missing) > _SHOWN and beside is not None:
        mend = f"Create them first: {beside.shown} (errors of roles that exist already don't matter)"
    else:
        mend = "First: " + " ".join(s for role in missing for s in statements(role, beside))
    return Finding(
        Level.WARNING,
        "roles",
        f"Roles missing on the server: {some(missing)}. Their objects go to {clean(facts.user)}, grants to"
        " them are lost.",
        f"{mend.rstrip(';')}; then a password for those that log in.",
    )


def _grantees(entries: Collection[TocEntry]) -> set[str]:
    found: set[str] = set()
    for entry in entries:
        if entry.desc in ("ACL", "DEFAULT ACL"):
            found.update(_plain(name) for name in _GRANTEE.findall(entry.definition))
    return found


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
