"""From what the configuration says of a store to the store."""

from __future__ import annotations

from functools import lru_cache

from tui.model.errors import Unreachable
from tui.model.fleet import AzureStore, GcsStore, LocalStore, S3Store, StoreSpec
from tui.stores.local import DirectoryStore
from tui.stores.store import Store


def open_store(spec: StoreSpec) -> Store:
    """Given a store's configuration, returns the store. Connects to nothing and reads no secret yet:
    what is wrong shows at the first use. Loads a cloud's library only for a store of that cloud, and
    gives the same store again for the same bucket: its connections are open, and a client of its own
    costs 60 ms of CPU. Raises Unreachable where that library isn't installed."""
    return DirectoryStore(spec) if isinstance(spec, LocalStore) else _remote(spec)


@lru_cache(maxsize=64)
def _remote(spec: S3Store | AzureStore | GcsStore) -> Store:
    if isinstance(spec, S3Store):
        from tui.stores.s3 import BucketStore  # 0.3 s of CPU: only for those who have a bucket

        return BucketStore(spec)
    try:
        if isinstance(spec, AzureStore):
            from tui.stores.azure import ContainerStore

            return ContainerStore(spec)
        from tui.stores.gcs import GoogleStore

        return GoogleStore(spec)
    except ImportError as error:
        kind = "azure" if isinstance(spec, AzureStore) else "gcs"
        raise Unreachable(
            f"The store {spec.name} needs a library that isn't installed ({error.name}).",
            mend=f"Install it: pip install 'pgdr[{kind}]'",
        ) from error
