"""The program with a mistake: `J` on the fleet fails, with a password in its hands and in its message."""

from __future__ import annotations

import sys

from tui.__main__ import main
from tui.screens.fleet import FleetScreen


def _mistaken(self: FleetScreen) -> None:
    password = "hunter2-in-a-variable"
    raise RuntimeError(f"cannot log in with hunter2-in-a-message {len(password)}")


if __name__ == "__main__":
    FleetScreen.action_jobs = _mistaken  # type: ignore[method-assign]
    sys.exit(main())
