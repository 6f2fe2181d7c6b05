"""`check`: validate the configuration, then reach every database and store, every problem at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tui.model import codec
from tui.model.errors import ConfigError, PgdrError, Problem, Unreachable
from tui.model.facts import DatabaseFacts, Status
from tui.model.fleet import Fleet, StoreSpec
from tui.model.plan import Finding, Level
from tui.model.service import ServiceSpec
from tui.model.text import clean
from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0 all well, 2 the configuration, 5 a server or store, 1 anything else."""
    console = context.console
    try:
        fleet = context.fleet()
    except ConfigError as error:
        problems = error.problems or (Problem("configuration", str(error.what), error.mend),)
        return _answer(context, list(problems), error.exit_code)
    console.narrate(f"{fleet.source}: {len(fleet.databases)} databases, {len(fleet.stores)} stores.")
    found = _reach_databases(context, fleet) + _reach_stores(fleet)
    found += [(problem, 1) for problem in _programs(fleet)]
    found += [(problem, 1) for problem in _backups(fleet)]
    found += _ask_services(fleet)
    found += _advice(context, fleet)
    if fleet.channels:
        console.narrate(
            "The channels are not tried here; pgdr notify --test sends each a message marked as a test."
        )
    code = next((c for c in (2, 5, 1) if any(c == own for _, own in found)), 0)
    return _answer(context, [problem for problem, _ in found], code, _offsite(context, fleet))


def _answer(context: Context, problems: list[Problem], code: int, notes: Sequence[Finding] = ()) -> int:
    console = context.console
    if console.json_wanted:
        listed: list[dict[str, Any]] = [{"where": p.where, "what": p.what, "mend": p.mend} for p in problems]
        console.json({"ok": not problems, "problems": listed, "notes": [codec.plain(note) for note in notes]})
    for note in notes:
        mark = "·" if note.level is Level.OK else "!"
        console.line(f"{mark} {note.about}: {note.what} {note.mend or ''}".rstrip())
    for problem in problems:
        console.line(f"✖ {problem.where}: {problem.what}")
        if problem.mend:
            console.line(f"    {problem.mend}")
    if not problems:
        console.line("✔ Everything answers.")
    return code


def _reach_databases(context: Context, fleet: Fleet) -> list[tuple[Problem, int]]:
    from tui.operations.inventory import look_all

    found: list[tuple[Problem, int]] = []
    asked = {d.name: d for d in fleet.databases}

    def judge(facts: DatabaseFacts) -> None:
        if facts.status is Status.UP:
            return
        endpoint = asked[facts.database].endpoint
        where = f"{fleet.source}: databases.{clean(facts.database)} ({endpoint.host or 'default host'})"
        if facts.status is Status.MISSING:
            what = f"The server answers; the database {clean(asked[facts.database].dbname)} does not exist."
            found.append((Problem(where, what, "Recover it: pgdr, then r."), 1))
        else:
            found.append((Problem(where, facts.why or f"It is {facts.status.value}.", facts.mend), 5))

    look_all(fleet, judge, context.now)
    return sorted(found, key=lambda item: item[0].where)


def _reach_stores(fleet: Fleet) -> list[tuple[Problem, int]]:
    from tui.stores.open import open_store

    def reach(spec: StoreSpec) -> tuple[Problem, int] | None:
        try:
            next(open_store(spec).pages(), ())
        except PgdrError as error:
            said = " ".join(part for part in (error.what, error.why) if part)
            where = f"{fleet.source}: stores.{clean(spec.name)}"
            return Problem(where, said, error.mend), 5 if isinstance(error, Unreachable) else 1
        return None

    if not fleet.stores:
        return []
    with ThreadPoolExecutor(len(fleet.stores)) as pool:
        return [problem for problem in pool.map(reach, fleet.stores) if problem]


def _ask_services(fleet: Fleet) -> list[tuple[Problem, int]]:
    """Whether the tools that would pause the services can be run, and know them."""
    from tui.services.open import open_service

    def ask(spec: ServiceSpec) -> tuple[Problem, int] | None:
        try:
            open_service(spec).look()
        except PgdrError as error:
            said = " ".join(part for part in (error.what, error.why) if part)
            return Problem(f"{fleet.source}: services.{clean(spec.name)}", said, error.mend), 1
        return None

    if not fleet.services:
        return []
    with ThreadPoolExecutor(len(fleet.services)) as pool:
        return [problem for problem in pool.map(ask, fleet.services) if problem]


def _offsite(context: Context, fleet: Fleet) -> tuple[Finding, ...]:
    """The rule of the copy off-site for each database, and how the off-site stores keep what they hold."""
    from tui.operations.catalogue.offsite import offsite_copies, protections, rule

    copies = offsite_copies(fleet, context.state_directory())
    return (*(rule(fleet, d, copies[d.name]) for d in fleet.databases), *protections(fleet))


def _advice(context: Context, fleet: Fleet) -> list[tuple[Problem, int]]:
    """What the configuration itself makes impossible (a problem) or risky (told, no problem)."""
    from tui.config.advice import advice

    found = []
    for finding in advice(fleet):
        if finding.level is Level.STOP:
            found.append((Problem(f"{fleet.source}: {finding.about}", finding.what, finding.mend), 2))
        else:
            context.console.narrate(f"! {finding.about}: {finding.what} {finding.mend or ''}".rstrip())
    return found


def _backups(fleet: Fleet) -> list[Problem]:
    """Whether the roles can take the backups, and the keys open them."""
    from tui.operations.backup import check

    asked = (check.roles_lack, check.recipients_fail, check.keys_beside, check.keys_open)
    return [problem for ask in asked for problem in ask(fleet)]


def _programs(fleet: Fleet) -> list[Problem]:
    from tui.postgres.programs import find_program

    problems = []
    for name in ("pg_dump", "pg_restore", "pg_dumpall"):
        try:
            find_program(name, fleet.programs)
        except PgdrError as error:
            problems.append(Problem("programs", error.what, error.mend))
    return problems
