"""Tables of TOML, read key by key; what is wrong is collected, so that a person sees all of it at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from tui.config import values
from tui.config.keys import FIELDS, SYNONYMS, Keys
from tui.model.errors import Problem
from tui.model.text import clean

_BARE = re.compile(r"[A-Za-z0-9_-]+")
Table = dict[str, Any]
Place = tuple[str | int, ...]  # a key's parts; a number counts the tables of a list, from 1


def dotted(*parts: str | int) -> str:
    """Given a key's parts, returns it as TOML writes it, safe to show: `databases."we ird".checks[1]`."""
    shown = ""
    for part in parts:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            shown += "." * bool(shown) + (part if _BARE.fullmatch(part) else f'"{clean(part, 80)}"')
    return shown


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `word` was most likely meant to be, or None."""
    choices = {choice.lower(): choice for choice in known}
    synonym = SYNONYMS.get(word.lower())
    if synonym in choices:
        return synonym
    close = difflib.get_close_matches(word.lower().replace("-", "_"), choices, n=1)
    return choices[close[0]] if close else None


class Reading:
    """One configuration being read: where it is from, and what was wrong so far."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.base = source.absolute().parent
        self.problems: list[Problem] = []

    def add(self, key: str, what: str, mend: str | None = None) -> None:
        """Notes a problem at `key`, already dotted; an empty one means the file."""
        self.problems.append(Problem(": ".join(filter(None, (clean(str(self.source)), key))), what, mend))

    def table(
        self,
        raw: object,
        at: Place,
        keys: Keys,
        *,
        required: tuple[str, ...] = (),
        apart: tuple[str, ...] = (),
        elsewhere: Mapping[str, Collection[str]] | None = None,
    ) -> Table:
        """Given what stands at `at`, returns its values under the model's field names.

        A key that is absent, unknown or unfit is left out. `apart` are keys that the caller reads
        itself; `elsewhere` maps other tables to their keys, for keys that stand in the wrong one.
        """
        if not self._is_table(raw, at):
            return {}
        read: Table = {}
        for key, value in raw.items():
            if key in keys:
                try:
                    read[FIELDS.get(key, key)] = keys[key](value, self.base)
                except values.Unfit as unfit:
                    self.add(dotted(*at, key), unfit.what, unfit.mend)
            elif key not in apart:
                self._unknown(at, key, (*keys, *apart), elsewhere or {})
        for missing in required:
            if missing not in raw:
                self.add(dotted(*at, missing), "is missing.")
        return read

    def _is_table(self, raw: object, at: Place) -> TypeGuard[Table]:
        if isinstance(raw, dict):
            return True
        self.add(dotted(*at), f"expected a table, found {values.found(raw)}.", f"Write [{dotted(*at)}].")
        return False

    def _unknown(
        self, at: Place, key: str, known: tuple[str, ...], elsewhere: Mapping[str, Collection[str]]
    ) -> None:
        other = next((table for table, keys in elsewhere.items() if key in keys), None)
        near = nearest(key, known)
        if other is not None:
            mend: str | None = f"It belongs in [{other}]."
        else:
            mend = f"Did you mean {dotted(near)}?" if near else None
        self.add(dotted(*at, key), "is not a key that is known here.", mend)

    def named(self, raw: Table, section: str) -> Iterator[tuple[str, Table]]:
        """The tables `[section.NAME]`, each with its name."""
        tables = raw.get(section, {})
        if not isinstance(tables, dict):
            self.add(
                section,
                f"expected tables with a name each, found {values.found(tables)}.",
                f"Write [{section}.NAME].",
            )
            return
        for name, table in tables.items():
            if not name.strip() or "\0" in name:
                self.add(dotted(section, name), "a name must not be empty or hold a NUL character.")
            elif self._is_table(table, (section, name)):
                yield name, table

    def listed(self, raw: Table, at: Place, keys: Keys) -> Iterator[tuple[Place, Table]]:
        """The tables `[[at]]`, each with its place and its values; every one of `keys` is required."""
        tables = raw.get(str(at[-1]), [])
        if not isinstance(tables, list):
            self.add(
                dotted(*at),
                f"expected a list of tables, found {values.found(tables)}.",
                f"Write [[{dotted(*at)}]].",
            )
            return
        for number, table in enumerate(tables, 1):
            yield (*at, number), self.table(table, (*at, number), keys, required=tuple(keys))

    def kind(self, raw: Table, at: Place, kinds: Mapping[str, Keys]) -> str | None:
        """The `kind` of a store or channel; None (and a problem) where it tells none that is known."""
        try:
            return values.one_of(*kinds)(raw["kind"], self.base)
        except KeyError:
            self.add(dotted(*at, "kind"), "is missing.", f"Known: {', '.join(kinds)}.")
        except values.Unfit as unfit:
            self.add(dotted(*at, "kind"), unfit.what, unfit.mend)
        return None
