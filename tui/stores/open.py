"""From what the configuration says of a store to the store."""

from __future__ import annotations

from functools import lru_cache

from tui.model.fleet import LocalStore, S3Store, StoreSpec
from tui.stores.local import DirectoryStore
from tui.stores.store import Store


def open_store(spec: StoreSpec) -> Store:
    """Given a store's configuration, returns the store. Connects to nothing and reads no secret yet:
    what is wrong shows at the first use. Loads boto3 only for S3, and gives the same store again for
    the same bucket: its connections are open, and a client of its own costs 60 ms of CPU."""
    return DirectoryStore(spec) if isinstance(spec, LocalStore) else _bucket(spec)


@lru_cache(maxsize=64)
def _bucket(spec: S3Store) -> Store:
    from tui.stores.s3 import BucketStore  # 0.3 s of CPU: only for those who have a bucket

    return BucketStore(spec)
