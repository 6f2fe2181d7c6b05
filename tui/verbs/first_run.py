"""`pgdr` without a verb and without a configuration: the guide to a first one, on a terminal."""

from __future__ import annotations

import argparse

from tui.verbs.context import Context


def run(context: Context) -> int:
    """Opens it, and starts the demo where that is chosen; returns the exit code. Nothing is made on disk
    until something is written."""
    from tui.app import run_first
    from tui.config.paths import state_path
    from tui.screens.first_run import guide

    code = run_first(
        state_path(context.state),
        guide,
        context.read_only,
        context.theme,
        context.ascii_only,
        operator=context.operator(),
        mouse=context.mouse,
    )
    if code is not None:
        return code
    from tui.verbs import demo

    return demo.run(context, argparse.Namespace(disaster=None, headless=False, dir=None, scale=1.0))
