"""Backing up components: configuration files and docker volumes, as tar.gz with a manifest beside.

components/NAME-20261121-010210.tar.gz
components/NAME-20261121-010210.tar.gz.manifest.json    last: what has one is complete
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tui.model import codec
from tui.model.errors import PgdrError, UsageError
from tui.model.event import BytesMoved, LogLine, Phase, PhaseBegan
from tui.model.fleet import Component, Fleet
from tui.operations.backup.fan import Fan, StoreFailed
from tui.operations.backup.tar import Counted, packed
from tui.operations.catalogue.catalogue import MANIFEST
from tui.operations.catalogue.names import component_key
from tui.operations.layers.encryption import check_recipients, encrypted, kind_of
from tui.operations.report import Clock, Report
from tui.stores.store import Store

VERSION = 1


@dataclass(frozen=True, slots=True)
class ComponentManifest:
    """What a component's backup holds. Size and hash are those of the stored bytes."""

    version: int
    key: str
    component: str
    created_at: datetime
    duration_s: float
    size_bytes: int
    sha256: str
    files: int
    files_bytes: int
    left_out: int  # sockets, pipes, devices
    paths: tuple[str, ...]
    volumes: tuple[str, ...]
    encryption: str | None = None
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ComponentBackedUp:
    """A component's backup: a ref for each store, what is in it, and the stores that could not take it."""

    refs: tuple[str, ...]
    manifest: ComponentManifest
    duration_s: float
    failed: tuple[StoreFailed, ...] = ()


def back_up_component(
    fleet: Fleet, component: Component, stores: Sequence[Store], *, report: Report, now: Clock
) -> ComponentBackedUp:
    """Backs a component up into each of `stores`, in one pass over its files, with nothing staged on disk.

    Raises UsageError for one that has nothing to back up, ConfigError, PgdrError or Unreachable when it can't
    be read or no store can take it; nothing is left then.
    """
    if not component.paths and not component.volumes:
        raise UsageError(
            f"The component {component.name} names neither paths nor volumes.",
            mend="Say in its configuration what belongs to it; until then it is only shown.",
        )
    began, moment = time.monotonic(), now()
    kind, home = kind_of(component.encrypt_to), fleet.encryption.gnupg_home
    if kind:
        check_recipients(component.encrypt_to, home)
    key = component_key(component.name, moment, f".tar.gz.{kind}" if kind else ".tar.gz")
    base = fleet.source.parent if fleet.source else Path()
    counted = Counted()
    report(PhaseBegan(Phase.DUMP))
    chunks: Iterable[bytes] = packed(component, base, counted, lambda said: report(LogLine(said)))
    if kind:
        chunks = encrypted(chunks, component.encrypt_to, home)
    fan = Fan(stores, key)
    appeared: list[Store] = []
    try:
        size, digest = 0, hashlib.sha256()
        for chunk in chunks:
            digest.update(chunk)
            fan.feed(chunk)
            size += len(chunk)
            report(BytesMoved(Phase.DUMP, size, None))
        report(PhaseBegan(Phase.STORE))
        appeared = fan.finish(lambda: None)
        manifest = ComponentManifest(
            version=VERSION,
            key=key,
            component=component.name,
            created_at=moment,
            duration_s=time.monotonic() - began,
            size_bytes=size,
            sha256=digest.hexdigest(),
            files=counted.files,
            files_bytes=counted.bytes,
            left_out=counted.left_out,
            paths=component.paths,
            volumes=component.volumes,
            encryption=kind,
            recipients=component.encrypt_to,
        )
        stored, failed = _manifests(appeared, manifest, fan.failed)
    except BaseException:
        fan.abandon()
        for store in appeared:
            _take_away(store, key)
        raise
    refs = tuple(f"{store.name}:{key}" for store in stored)
    return ComponentBackedUp(refs, manifest, time.monotonic() - began, tuple(failed))


def _manifests(
    appeared: list[Store], manifest: ComponentManifest, failed: list[StoreFailed]
) -> tuple[list[Store], list[StoreFailed]]:
    text = (json.dumps(codec.plain(manifest), ensure_ascii=False, indent=1) + "\n").encode()
    stored = []
    for store in appeared:
        try:
            store.put(manifest.key + MANIFEST, text)
            stored.append(store)
        except PgdrError as error:
            failed.append(StoreFailed(store.name, error))
            _take_away(store, manifest.key)
    if not stored:
        raise failed[0].error
    return stored, failed


def _take_away(store: Store, key: str) -> None:
    for name in (key + MANIFEST, key):
        try:
            store.delete(name)
        except PgdrError:
            continue  # the store that fails to store may fail to delete; without a manifest it isn't complete
