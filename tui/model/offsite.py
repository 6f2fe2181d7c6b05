"""The rule “at least one copy off-site”, in words."""

from __future__ import annotations


def offsite_words(kept: bool | None) -> str:
    """Given whether a copy of a database lies in an off-site store (None: it can't be told), says so."""
    if kept is None:
        return "Whether a copy of it is off-site can't be told: an off-site store can't be read."
    return "A copy of it is off-site." if kept else "No copy of it is off-site."
