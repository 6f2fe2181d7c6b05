"""Questions that the tests ask of a running demo."""

from __future__ import annotations

import urllib.error
import urllib.request

from tui.demo.start import RunningDemo
from tui.model.backup import Backup, StoreProblem
from tui.operations.catalogue import catalogue


def backups(demo: RunningDemo) -> list[Backup]:
    """Every backup of every store."""
    found: list[Backup] = []
    problems: list[StoreProblem] = []
    catalogue.backups(demo.fleet, None, found.extend, problems.append)
    assert problems == []
    return found


def health(demo: RunningDemo) -> int:
    """The code that /health answers with."""
    try:
        with urllib.request.urlopen(f"{demo.messages.url}/health", timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
