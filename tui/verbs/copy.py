"""`copy`: a backup into another store, with everything beside it."""

from __future__ import annotations

import argparse

from tui.model.amounts import age, plural, size
from tui.model.errors import UsageError
from tui.model.text import clean
from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Copies, and prints where to and the hash. Ctrl+C leaves nothing half-done."""
    from tui.operations.catalogue.catalogue import split_ref
    from tui.operations.copy import copy_backup
    from tui.stores.open import open_store

    context.refuse_if_read_only("Copying")
    fleet, console = context.fleet(), context.console
    spec, key = split_ref(fleet, arguments.ref)
    into = fleet.store(arguments.store)
    if into is None:
        raise UsageError(
            f"The configuration names no store {clean(arguments.store, 80)}.",
            mend=f"It names {', '.join(store.name for store in fleet.stores)}.",
        )
    if into == spec:
        raise UsageError(
            f"{clean(arguments.ref, 200)} is in the store {into.name} already.", mend="Name another store."
        )

    def advanced(moved: int, total: int) -> None:
        console.progress(f"{size(moved)} of {size(total)} copied")

    done = copy_backup(open_store(spec), key, open_store(into), advanced)
    if console.json_wanted:
        console.json(
            {
                "ref": done.ref,
                "copied_to": done.copied_to,
                "size_bytes": done.size_bytes,
                "sha256": done.sha256,
                "duration_s": done.duration_s,
                "objects": done.objects,
                "already_there": done.already_there,
            }
        )
    console.line(f"{done.copied_to}  {size(done.size_bytes)}, SHA-256 {done.sha256}")
    beside = plural(done.objects, "object")
    if done.already_there == done.objects:
        console.narrate(f"It was there already: {beside}, the same bytes.")
    else:
        console.narrate(f"{beside} in {age(done.duration_s)}, hash checked.")
    return 0
