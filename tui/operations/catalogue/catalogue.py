"""The catalogue: which backups there are, what is beside them, what is inside one.

There is no index to lose: everything is told by the objects in the stores themselves.
"""

from __future__ import annotations

from tui.operations.catalogue.beside import read_manifest, record_verification, write_manifest
from tui.operations.catalogue.describe import Description, describe
from tui.operations.catalogue.listing import backups, listing, newest
from tui.operations.catalogue.names import GLOBALS, MANIFEST, key_for, split_ref

__all__ = [
    "GLOBALS",
    "MANIFEST",
    "Description",
    "backups",
    "describe",
    "key_for",
    "listing",
    "newest",
    "read_manifest",
    "record_verification",
    "split_ref",
    "write_manifest",
]
