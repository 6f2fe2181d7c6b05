"""A fleet into a commented configuration, to begin with and go on by hand."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import tomli_w

from tui.config import duration
from tui.config.keys import DATABASE, DUE, ENDPOINT, FIELDS
from tui.model.channels import ChannelSpec, GoAlert, Mail, Ntfy, Slack, Webhook
from tui.model.fleet import (
    AzureStore,
    BackupPolicy,
    Component,
    Database,
    Endpoint,
    Fleet,
    GcsStore,
    LocalStore,
    S3Store,
    StoreSpec,
)
from tui.model.secret import Secret
from tui.model.service import ComposeService, KubernetesService, ServiceSpec, SystemdService
from tui.model.smoke import Smoke
from tui.model.text import clean

_HEAD = """\
# The configuration of pgdr. Lengths of time are text: "6h", "30m", "7d", "4w", "1h30m".
# What a database leaves out of host, port, user and password is left to libpq: PG* variables,
# ~/.pgpass, pg_service.conf. Secrets are named, never written: { env = "NAME" } or { file = "PATH" }.
# `pgdr check` tells what is wrong; the packaged sample.toml describes every key.
"""
_KEYS = {field: key for key, field in FIELDS.items()}
_FIRST = ("dbname", "service", "place", *ENDPOINT)
_ORDER = tuple(FIELDS.get(key, key) for key in dict.fromkeys((*_FIRST, *DATABASE)))
_ABOUT = {
    "rpo": "how much may be lost: no newer backup than this is a problem",
    "rto": "how long a recovery may take",
    "key_tables": "counted first when something is wrong",
    "every": "how often a backup is due",
    "keep_for": 'how long a backup stays; "indefinite" is for ever',
}


def text_of(fleet: Fleet) -> str:
    """Given a fleet, returns a configuration that `load_text` turns back into it.

    What is as it would be without a word is left out, but for what an engineer should decide. Names
    are written so that none can end its string, hide or move the cursor. Raises ValueError where a
    value has no form in a configuration, such as half a second.
    """
    about = {key: now for key, now in _changed(fleet, None).items() if key in DUE}
    never = dict.fromkeys(DUE, "on demand")
    blocks = [_HEAD, _block("[fleet]", {"name": fleet.name, "jobs": fleet.jobs, **about}, never)]
    if fleet.programs.directories:
        comment = "Where PostgreSQL's programs are looked for before PATH."
        blocks.append(f"# {comment}\n{_block('[programs]', {'directories': fleet.programs.directories})}")
    if encryption := _changed(fleet.encryption, None):
        blocks.append(
            f"# What opens encrypted backups on this machine.\n{_block('[encryption]', encryption)}"
        )
    blocks += [_store(store) for store in fleet.stores]
    for number, database in enumerate(fleet.databases):
        blocks += _database(database, fleet, _ABOUT if number == 0 else {})
    blocks += [_service(service) for service in fleet.services]
    blocks += [_channel(channel) for channel in fleet.channels]
    blocks += [
        _block(_header("messages", said.occasion.value), {"title": said.title, "text": said.text})
        for said in fleet.messages
    ]
    if updates := _changed(fleet.updates, None):
        blocks.append(_block("[updates]", updates, {"every": "never"}))
    blocks += [
        _block(_header("scenarios", promised.scenario.value), {"rto": promised.rto, "rpo": promised.rpo})
        for promised in fleet.scenario_targets
    ]
    blocks += [_component(component) for component in fleet.components]
    blocks += [_block("[[contacts]]", {"name": c.name, "how": c.how}) for c in fleet.contacts]
    if looks := _changed(fleet.app, None):
        blocks.append(_block("[app]", looks))
    if fleet.keys:
        blocks.append(_block("[keys]", dict(fleet.keys)))
    return "\n".join(blocks)


def _database(database: Database, fleet: Fleet, notes: Mapping[str, str]) -> list[str]:
    name = database.name
    said = {
        **_changed(database, Database(name=name, dbname=name, service=name)),
        **_changed(database.endpoint, Endpoint()),
        **{field: getattr(database, field) for field in ("criticality", "rpo", "rto")},
    }
    shown = {field: said[field] for field in _ORDER if field in said}
    without = BackupPolicy(stores=tuple(store.name for store in fleet.stores), jobs=fleet.jobs)
    policy = database.backup
    backup = {"every": policy.every, "keep_for": policy.keep_for, **_changed(policy, without)}
    checks = ({"name": c.name, "sql": c.sql, "expect": c.expect} for c in database.checks)
    return [
        _block(_header("databases", name), shown, notes=notes),
        _block(_header("databases", name, "backup"), backup, {"every": "on demand"}, notes),
        *(_block(f"[{_header('databases', name, 'checks')}]", check) for check in checks),
        *(_block(f"[{_header('databases', name, 'smokes')}]", _smoke(smoke)) for smoke in database.smokes),
    ]


def _smoke(smoke: Smoke) -> dict[str, Any]:
    said = {"name": smoke.name, "kind": smoke.kind, **_changed(smoke, None)}
    if smoke.kind == "sql":
        said["expect"] = smoke.expect  # which may be nothing
    else:
        said.pop("expect", None)
    return said


def _store(store: StoreSpec) -> str:
    if isinstance(store, LocalStore):
        values: dict[str, Any] = {"kind": "local", "path": store.path, "offsite": store.offsite}
        notes = {"offsite": "whether it survives the loss of this place"}
        return _block(_header("stores", store.name), values, notes=notes)
    kind = {S3Store: "s3", AzureStore: "azure", GcsStore: "gcs"}[type(store)]
    return _block(_header("stores", store.name), {"kind": kind, **_changed(store, None)})


def _channel(channel: ChannelSpec) -> str:
    kind = {Ntfy: "ntfy", Webhook: "webhook", Slack: "slack", Mail: "mail", GoAlert: "goalert"}[type(channel)]
    return _block(_header("channels", channel.name), {"kind": kind, **_changed(channel, None)})


def _service(service: ServiceSpec) -> str:
    kinds = {ComposeService: "compose", KubernetesService: "kubernetes", SystemdService: "systemd"}
    kind = kinds.get(type(service), "command")
    return _block(_header("services", service.name), {"kind": kind, **_changed(service, None)})


def _component(component: Component) -> str:
    values = {"method": component.method, "every": component.every, "keep_for": component.keep_for}
    values |= _changed(component, None)
    return _block(_header("components", component.name), values, {"every": "on change"})


def _changed(value: Any, without: Any) -> dict[str, Any]:
    """The fields that differ from `without`'s, or from the class's own defaults where that is None."""
    changed = {}
    for field in fields(value):
        now = getattr(value, field.name)
        if field.name != "name" and now != (getattr(without, field.name) if without else field.default):
            changed[field.name] = now
    return changed


def _block(
    header: str,
    values: Mapping[str, Any],
    words: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
) -> str:
    """One table. A None is written as the field's word in `words`, or left out where it has none."""
    for_none = {"keep_for": "indefinite", **(words or {})}
    lines = [header]
    for field, value in values.items():
        said = for_none.get(field) if value is None else value
        if said is not None:
            note = f"  # {notes[field]}" if notes and field in notes else ""
            lines.append(f"{_KEYS.get(field, field)} = {_toml(said, field)}{note}")
    return "\n".join((*lines, ""))


def _header(*parts: str) -> str:
    return f"[{'.'.join(_key(part) for part in parts)}]"


def _key(part: str) -> str:
    return _visible(tomli_w.dumps({part: 0}).removesuffix(" = 0\n"))


def _toml(value: object, field: str) -> str:
    if isinstance(value, Secret):
        where = {"env": value.env} if value.env is not None else {"file": value.file}
        return "{ " + ", ".join(f"{key} = {_toml(item, key)}" for key, item in where.items()) + " }"
    if field in ("health_json", "json") and isinstance(value, tuple):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(wanted, key)}" for key, wanted in value) + " }"
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item, field) for item in value)}]"
    if isinstance(value, timedelta):
        value = duration.text_of(value)
    elif field in _KEYS and isinstance(value, (int, float)):
        value = duration.text_of(timedelta(seconds=value))
    elif isinstance(value, Enum):
        value = value.value
    elif isinstance(value, Path):
        value = str(value)
    return _visible(tomli_w.dumps({"_": value}).removeprefix("_ = ").removesuffix("\n"))


def _visible(written: str) -> str:
    """Escapes what tomli_w leaves as it is but an editor or terminal would not show: it is all in strings."""
    return "".join(_escaped(char) if clean(char) != char else char for char in written)


def _escaped(char: str) -> str:
    if unicodedata.category(char) == "Cs":
        raise ValueError("a lone surrogate has no form in TOML")
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"
