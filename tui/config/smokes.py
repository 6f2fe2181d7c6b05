"""The tables [[databases.NAME.smokes]]: what is asked before a recovered database is believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.config import keys
from tui.config.table import Place, Reading, Table, dotted
from tui.config.values import found

if TYPE_CHECKING:
    from tui.model.smoke import Smoke

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "sql": ("name", "sql", "expect"),
    "command": ("name", "command"),
    "http": ("name", "url"),
}


def read_smokes(raw: Table, at: Place, reading: Reading) -> tuple[Smoke, ...]:
    """Given a database's table and its place, returns its smokes; what is wrong goes to `reading`."""
    if "smokes" not in raw:
        return ()
    from tui.model.smoke import LIVE, Smoke

    tables = raw["smokes"]
    at = (*at, "smokes")
    if not isinstance(tables, list):
        reading.add(
            dotted(*at), f"expected a list of tables, found {found(tables)}.", f"Write [[{dotted(*at)}]]."
        )
        return ()
    made: list[Smoke] = []
    for number, table in enumerate(tables, 1):
        place = (*at, number)
        if not isinstance(table, dict):
            reading.add(dotted(*place), f"expected a table, found {found(table)}.")
            continue
        kind = reading.kind(table, place, keys.SMOKES)
        if kind is None:
            continue
        required = _REQUIRED[kind]
        read = reading.table(table, place, keys.SMOKES[kind], required=required, apart=("kind",))
        if kind == "http":
            if read.get("when", LIVE) != LIVE:
                reading.add(
                    dotted(*place, "when"),
                    "an application answers by the live database only.",
                    'Leave it out, or write "live".',
                )
            read["when"] = LIVE
        if read.get("name") in [smoke.name for smoke in made]:
            reading.add(dotted(*place, "name"), "another smoke of this database has the same name.")
        if all(key in read for key in required):
            made.append(Smoke(kind=kind, **read))
    return tuple(made)
