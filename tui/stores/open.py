"""From what the configuration says of a store to the store."""

from __future__ import annotations

from tui.model.fleet import LocalStore, StoreSpec
from tui.stores.local import DirectoryStore
from tui.stores.store import Store


def open_store(spec: StoreSpec) -> Store:
    """Given a store's configuration, returns the store. Connects to nothing and reads no secret yet:
    what is wrong shows at the first use. Loads boto3 only for S3."""
    if isinstance(spec, LocalStore):
        return DirectoryStore(spec)
    from tui.stores.s3 import BucketStore  # 0.3 s of CPU: only for those who have a bucket

    return BucketStore(spec)
