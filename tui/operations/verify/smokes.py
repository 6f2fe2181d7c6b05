"""Asking the fleet's smokes of a recovered database: SQL, commands, HTTP addresses. Each ends as a check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tui.model.errors import PgdrError
from tui.model.fleet import Database, Endpoint, SqlCheck
from tui.model.smoke import Smoke
from tui.model.text import clean
from tui.model.verdict import Check
from tui.places.open import open_place
from tui.postgres.checks.checks import own_question
from tui.postgres.connection import environment
from tui.process import Command, run_to_exit
from tui.services.health import ask

_SHOWN = 200


def smokes(
    database: Database, dbname: str, when: str, on_check: Callable[[Check], None] = lambda _: None
) -> tuple[Check, ...]:
    """Given a database of the fleet, the name under which the recovered one is on its server and `when` it is
    (see model/smoke.py), asks the smokes of then; each goes to `on_check` as it is made.

    Raises nothing for what they do: that is their answer. A command finds the database by libpq's variables;
    the password is among them, never in its argv.
    """
    made = []
    endpoint = open_place(database)
    for smoke in database.smokes:
        if smoke.when == when:
            made.append(_asked(endpoint, dbname, smoke))
            on_check(made[-1])
    return tuple(made)


def _asked(endpoint: Endpoint, dbname: str, smoke: Smoke) -> Check:
    if smoke.kind == "sql":
        check = own_question(
            endpoint, dbname, SqlCheck(smoke.name, smoke.sql, smoke.expect), timeout_s=smoke.timeout_s
        )
        return replace(check, mend=check.mend or (None if check.passed else "Ask it by hand."))
    if smoke.kind == "command":
        return _command(endpoint, dbname, smoke)
    answer = ask(smoke.url, smoke.timeout_s, status=smoke.status, expect=smoke.json)
    wanted = str(smoke.status) if smoke.status else "2xx"
    wanted += "".join(f", {key} = {value}" for key, value in smoke.json)
    mend = None if answer.ok else "Look at the application's own log."
    return Check(clean(smoke.name, 120), answer.ok, clean(wanted, 300), clean(answer.what, 300), mend)


def _command(endpoint: Endpoint, dbname: str, smoke: Smoke) -> Check:
    name, wanted = clean(smoke.name, 120), f"exit {smoke.exit_code}"
    try:
        done = run_to_exit(
            Command(smoke.command, environment(endpoint, dbname, application="pgdr smoke")),
            timeout_s=smoke.timeout_s,
        )
    except PgdrError as error:
        why = " ".join(part for part in (error.what, error.why) if part)
        return Check(name, False, wanted, clean(why, 300), error.mend or "Run it by hand.")
    said = (done.stdout.decode("utf-8", "replace") + done.stderr).strip().splitlines()
    last = f": {clean(said[-1], _SHOWN)}" if said else ""
    passed = done.code == smoke.exit_code
    return Check(name, passed, wanted, f"exit {done.code}{last}", None if passed else "Run it by hand.")
