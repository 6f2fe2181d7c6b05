"""`pgdr` without a verb: the terminal app."""

from __future__ import annotations

import gc
import sys

from tui.verbs.context import Context


def run(context: Context) -> int:
    """Opens the app on the fleet, or where there is no configuration the guide to a first one; returns its
    exit code."""
    from tui.config.paths import config_path

    if config_path(context.config) is None and sys.stdin.isatty() and sys.stderr.isatty():
        from tui.verbs import first_run

        return first_run.run(context)
    fleet = context.fleet()
    gc.disable()  # it costs a tenth of the time until the first paint; the app enables it then
    from tui.app import run_app

    return run_app(
        fleet=fleet,
        state=context.state_directory(),
        read_only=context.read_only,
        theme=context.theme,
        ascii_only=context.ascii_only,
        operator=context.operator(),
        mouse=context.mouse,
    )
