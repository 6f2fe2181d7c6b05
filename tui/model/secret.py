"""Where a secret is, never the secret itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Secret:
    """An environment variable, or a file (its first line)."""

    env: str | None = None
    file: Path | None = None
