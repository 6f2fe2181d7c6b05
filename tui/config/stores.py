"""The tables [stores.NAME]: where backups lie, each kind with its own keys."""

from __future__ import annotations

import re
from collections.abc import Collection

from tui.config import keys
from tui.config.table import Place, Reading, Table, dotted
from tui.model.fleet import AzureStore, GcsStore, LocalStore, S3Store, StoreSpec

_STORE_NAME = re.compile(r"[\w.-]+")  # a backup is named STORE:KEY, on command lines too
_REQUIRED = {"local": ("path",), "s3": ("bucket",), "azure": ("container",), "gcs": ("bucket",)}
_MADE: dict[str, type[LocalStore | S3Store | AzureStore | GcsStore]] = {
    "local": LocalStore,
    "s3": S3Store,
    "azure": AzureStore,
    "gcs": GcsStore,
}


def read_stores(raw: Table, reading: Reading) -> tuple[StoreSpec, ...]:
    """Given the whole configuration, returns its stores; what is wrong with them goes to `reading`."""
    made: list[StoreSpec] = []
    for name, table in reading.named(raw, "stores"):
        at = ("stores", name)
        if not _STORE_NAME.fullmatch(name):
            reading.add(
                dotted(*at), "a store's name has letters, digits, dots, - and _ only: backups are STORE:KEY."
            )
        kind = reading.kind(table, at, keys.STORES)
        if kind is None:
            continue
        required = _REQUIRED[kind]
        read = reading.table(table, at, keys.STORES[kind], required=required, apart=("kind",))
        if kind == "s3":
            _s3(table, at, reading)
        elif kind == "azure":
            _azure(table, at, reading)
        if all(key in read for key in required):
            made.append(_MADE[kind](name=name, **read))
    _no_twins(made, reading)
    return tuple(made)


def _no_twins(stores: Collection[StoreSpec], reading: Reading) -> None:
    seen: dict[object, str] = {}
    for store in stores:
        first = seen.setdefault(_place(store), store.name)
        if first != store.name:
            reading.add(
                dotted("stores", store.name),
                f"is the same place as {dotted('stores', first)}.",
                "A copy there is no second copy: keep one of them.",
            )


def _place(store: StoreSpec) -> object:
    if isinstance(store, LocalStore):
        return store.path
    if isinstance(store, AzureStore):
        # Two connection strings may be of two accounts: only what names the same secret is the same.
        return (store.endpoint_url, store.account, store.connection_string, store.container, store.prefix)
    return (type(store), store.endpoint_url, store.bucket, store.prefix)


def _s3(raw: Table, at: Place, reading: Reading) -> None:
    pair = ("access_key", "secret_key")
    given = [key for key in pair if key in raw]
    if len(given) == 1:
        missing = next(key for key in pair if key not in raw)
        reading.add(dotted(*at, missing), f"is missing: {given[0]} needs it.")
    if given and "profile" in raw:
        reading.add(dotted(*at, "profile"), f"stands beside {given[0]}.", "Keep the profile or the keys.")
    if "kms_key" in raw and raw.get("sse") != "aws:kms":
        reading.add(dotted(*at, "kms_key"), "is used by no encryption.", 'Write sse = "aws:kms" beside it.')


def _azure(raw: Table, at: Place, reading: Reading) -> None:
    ways = [key for key in ("account_key", "sas_token", "connection_string") if key in raw]
    for other in ways[1:]:
        reading.add(dotted(*at, other), f"stands beside {ways[0]}.", "Keep one of them.")
    named = [key for key in ("account", "endpoint_url") if key in raw]
    if "connection_string" in ways:
        for key in named:
            reading.add(
                dotted(*at, key), "stands beside connection_string, which says it too.", "Take it out."
            )
    elif not named:
        reading.add(dotted(*at, "account"), "is missing.", "Name the storage account.")
    elif "account_key" in ways and "account" not in raw:
        reading.add(dotted(*at, "account"), "is missing: account_key needs it.")
