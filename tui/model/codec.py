"""Frozen values to and from plain JSON and TOML data.

Times are RFC 3339 in UTC, durations seconds, paths text. In JSON what is unknown is null; TOML has
no null, so there it is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import cattrs
from cattrs.gen import make_dict_structure_fn
from cattrs.strategies import configure_tagged_union

from tui.model.event import Entry, Event
from tui.model.text import rfc3339

T = TypeVar("T")


@cache
def converter() -> cattrs.Converter:
    """The one converter. Unknown keys are ignored: a newer program's files can be read."""
    made = cattrs.Converter()
    made.register_unstructure_hook(datetime, rfc3339)
    made.register_structure_hook(datetime, lambda value, _: _moment(value))
    made.register_unstructure_hook(timedelta, lambda value: value.total_seconds())
    made.register_structure_hook(timedelta, lambda value, _: timedelta(seconds=float(value)))
    made.register_unstructure_hook(Path, str)
    made.register_structure_hook(Path, lambda value, _: Path(value))
    made.register_structure_hook_factory(is_dataclass, lambda cls: _filling_none(cls, made))
    configure_tagged_union(Event, made, tag_name="event", tag_generator=lambda cls: cls.__name__)
    return made


def _filling_none(cls: type, made: cattrs.Converter) -> Callable[[Any, Any], Any]:
    """How to build a dataclass from data in which what is None was left out, as TOML must."""
    build_it: Callable[[Any, Any], Any] = make_dict_structure_fn(cls, made)
    hints = get_type_hints(cls)
    optional = [f.name for f in fields(cls) if type(None) in get_args(hints[f.name]) and f.default is MISSING]

    def structure(data: Any, _: Any) -> Any:
        if isinstance(data, Mapping):
            data = {**dict.fromkeys(optional), **data}
        return build_it(data, cls)

    return structure


def _moment(value: object) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError(f"a time without its zone: {value}")
    return moment.astimezone(timezone.utc)


def plain(value: object, declared: Any = None) -> Any:
    """Given a frozen value, returns dicts, lists, numbers and text that JSON can hold."""
    return converter().unstructure(value, unstructure_as=declared or type(value))


def build(data: Any, cls: type[T]) -> T:
    """Given plain data, returns it as `cls`. Raises ValueError saying what doesn't fit and where."""
    try:
        return converter().structure(data, cls)
    except Exception as error:  # cattrs raises groups of many kinds; all mean "doesn't fit"
        raise ValueError("; ".join(cattrs.transform_error(error))) from error


def without_none(data: Any) -> Any:
    """Given plain data, returns it with each None of a mapping left out, for TOML."""
    if isinstance(data, dict):
        return {key: without_none(item) for key, item in data.items() if item is not None}
    if isinstance(data, (list, tuple)):
        return [without_none(item) for item in data]
    return data


def entry_line(entry: Entry) -> str:
    """Given a journal entry, returns its line of JSON, with its line break."""
    return json.dumps(plain(entry), ensure_ascii=False, separators=(",", ":")) + "\n"


def entry_of(line: str) -> Entry:
    """Given a journal's line, returns the entry. Raises ValueError on anything else."""
    return build(json.loads(line), Entry)
