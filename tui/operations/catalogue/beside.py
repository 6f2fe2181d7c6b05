"""What is kept beside a backup: its manifest and what came of verifying it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tui.model import codec
from tui.model.backup import Manifest, StoredObject, Verification
from tui.model.errors import ArchiveError
from tui.model.text import clean
from tui.model.verdict import Check
from tui.operations.catalogue.names import MANIFEST, verification_key
from tui.stores.store import ObjectMissing, Store

# A manifest of 100,000 tables has some 20 MB; what is larger is none, and isn't read into memory.
_LONGEST = 64 << 20


def read_manifest(store: Store, key: str) -> Manifest | None:
    """Given an archive's key, returns its manifest, None when it has none.

    Raises ArchiveError when there is one that can't be understood, Unreachable when the store can't
    be asked.
    """
    try:
        data = store.read(key + MANIFEST, 0, _LONGEST + 1)
    except ObjectMissing:
        return None
    return manifest_of(data, key)


def manifest_of(data: bytes, key: str) -> Manifest:
    """Given a manifest's bytes and its archive's key (for the message), returns the manifest.

    Raises ArchiveError when it can't be understood.
    """
    why = "It is larger than any manifest."
    if len(data) <= _LONGEST:
        try:
            return codec.build(json.loads(data), Manifest)
        except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, nested without end, other fields
            why = clean(str(error), 200)
    raise ArchiveError(
        f"The manifest of “{clean(key, 200)}” can't be understood.",
        why=why,
        mend="The archive itself may be whole; its rows then have nothing to be compared with.",
    )


def write_manifest(store: Store, manifest: Manifest) -> StoredObject:
    """Puts the manifest beside its archive. To be done last: a backup that has one is complete."""
    return store.put(manifest.key + MANIFEST, _json(codec.plain(manifest)))


def record_verification(
    store: Store, key: str, verification: Verification, checks: Sequence[Check], operator: str | None = None
) -> StoredObject:
    """Puts the outcome of verifying the archive `key` beside it, and who did it. Earlier outcomes stay; the
    newest counts."""
    document = {
        "version": 1,
        "key": key,
        **codec.plain(verification),
        "operator": operator,
        "checks": [codec.plain(check) for check in checks],
    }
    return store.put(verification_key(key, verification), _json(document))


def _json(document: object) -> bytes:
    # "backslashreplace": a key that is no UTF-8 holds half surrogates, which JSON has escapes for
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")
