"""Databases that stand beside a live one: restored, put aside by a swap, or left by a verification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class KeptDatabase:
    """One of them. `purpose` is restore, before (it was live until a swap), verify or drill; `unfit` says why
    it can't take the live one's place; `needed` what still needs it; `remove_at` from when on a recovery may
    do without it; None where nothing is known."""

    name: str
    purpose: str
    made_at: datetime
    size_bytes: int | None
    sessions: int
    unfit: str | None = None
    needed: str | None = None
    remove_at: datetime | None = None
