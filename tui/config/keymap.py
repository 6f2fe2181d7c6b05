"""[keys]: other keys for what the app does, checked against each other before anyone presses one."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator

from tui.config.table import Place, Reading, Table, dotted
from tui.model.key import Key
from tui.model.keys import TOGETHER, all_keys
from tui.model.text import clean

Keymap = tuple[tuple[str, str], ...]

_NAMES = frozenset(
    ("enter", "escape", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup")
) | {"pagedown", "up", "down", "left", "right", *(f"f{number}" for number in range(1, 25))}
# Textual's names of characters are Unicode's, but for these.
_SHORT = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
_TAKEN = {
    "ctrl+a": "tmux's or screen's prefix for many",
    "ctrl+b": "tmux's prefix",
    "ctrl+c": "what a terminal interrupts with",
    "ctrl+h": "what a terminal sends for backspace",
    "ctrl+i": "what a terminal sends for tab",
    "ctrl+j": "what a terminal sends for enter",
    "ctrl+m": "what a terminal sends for enter",
    "ctrl+o": "kept back by some terminals",
    "ctrl+s": "what stops a terminal's output",
    "ctrl+z": "what suspends a program",
}


def read_keys(raw: object, reading: Reading) -> Keymap:
    """Given what stands at [keys], returns (id, keys) pairs, the keys with commas between.

    Notes each problem in `reading`: an id that is not known, with the nearest one that is; a key that
    there isn't, or that terminals keep for themselves; a key that would stand for two things at once.
    """
    if not isinstance(raw, dict):
        reading.table(raw, ("keys",), {})
        return ()
    known = dict(all_keys())
    made: dict[str, str] = {}
    for at, value in _leaves(raw, ()):
        name = ".".join(map(str, at))
        where = dotted("keys", *at)
        if name not in known:
            reading.add(where, "is nothing that a key can be given to.", _near(name, known))
            continue
        keys = (value.split(",") if value != "," else [value]) if isinstance(value, str) else value
        if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
            reading.add(where, "expected a key or a list of keys.", 'Write "b", "ctrl+g" or ["b", "f3"].')
            continue
        spelled = [_spelled(key) for key in keys]
        for key, right in zip(keys, spelled, strict=True):
            if right is None:
                reading.add(where, f'there is no key "{clean(key, 40)}".', _KINDS)
            elif right in _TAKEN:
                reading.add(where, f'"{right}" is {_TAKEN[right]}.', "Take another key.")
        made[name] = ",".join(key for key in spelled if key is not None)
    _conflicts(made, known, reading)
    return tuple(made.items())


_KINDS = 'A character, "f1" to "f24", "enter", "pageup" …, alone or after "ctrl+", "alt+" or "shift+".'


def _leaves(table: Table, at: Place) -> Iterator[tuple[Place, object]]:
    """The keys of tables within tables: TOML makes one of `fleet.backups` where it isn't in quotes."""
    for key, value in table.items():
        parts = (*at, *key.split("."))
        if isinstance(value, dict):
            yield from _leaves(value, parts)
        else:
            yield parts, value


def _near(name: str, known: dict[str, Key]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    same = [one for one in known if one.partition(".")[2] == name.rpartition(".")[2]]
    if close:
        return f"Did you mean {close[0]}?"
    return f"Did you mean {same[0]}?" if same else "The screen of ? names the ids (pgdr, then ?)."


def _spelled(key: str) -> str | None:
    """A key as Textual calls it; None where there is no such key."""
    *held, last = key.strip().split("+") if key.strip() != "+" else ["+"]
    if not all(part in ("ctrl", "alt", "shift") for part in held):
        return None
    if len(last) == 1 and last.isprintable() and not last.isspace():
        if not last.isalnum():
            last = re.sub("[- ]", "_", unicodedata.name(last, "").lower())
            last = _SHORT.get(last, last)
    elif last.lower() in _NAMES or last in _SHORT.values() or _is_a_character(last):
        last = last.lower()
    else:
        return None
    return "+".join([*held, last]) if last else None


def _is_a_character(name: str) -> bool:
    """Whether it is a character's name, as Textual writes one: `question_mark`."""
    try:
        return unicodedata.lookup(name.replace("_", " ")).isprintable()
    except KeyError:
        return False


def _conflicts(made: dict[str, str], known: dict[str, Key], reading: Reading) -> None:
    """What has one key by itself in two ways is never there in both; all else must stay apart."""
    now = {name: set(made.get(name, key.keys).split(",")) for name, key in known.items()}
    told = set()
    for group in TOGETHER:
        ids = [name for name in known if name.partition(".")[0] in group]
        for number, one in enumerate(ids):
            for other in ids[number + 1 :]:
                pair = frozenset((one, other))
                both = now[one] & now[other]
                if not both or pair in told or not {one, other} & made.keys():
                    continue
                if set(known[one].keys.split(",")) & set(known[other].keys.split(",")):
                    continue
                told.add(pair)
                mine, its = (one, other) if one in made else (other, one)
                reading.add(
                    dotted("keys", *mine.split(".")),
                    f'"{min(both)}" would be {its} too ({known[its].label}).',
                    f"Give {mine} another key, or {its}.",
                )
