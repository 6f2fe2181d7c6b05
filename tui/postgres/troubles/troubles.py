"""The table of troubles, `troubles.toml` beside this file."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from tui.model.trouble import Remedy, Trouble

_TABLE = Path(__file__).with_name("troubles.toml")


@cache
def troubles() -> tuple[Trouble, ...]:
    """Every trouble that is known, in the table's order."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(_trouble(row) for row in table["trouble"])


def _trouble(row: dict[str, Any]) -> Trouble:
    return Trouble(
        key=row["key"],
        symptom=row["symptom"],
        cause=row["cause"],
        do=tuple(row["do"]),
        said=tuple(row["said"]),
        pattern=re.compile(row["pattern"], re.IGNORECASE),
        remedies=tuple(Remedy(name) for name in row["remedies"]),
        words=row["words"],
    )
