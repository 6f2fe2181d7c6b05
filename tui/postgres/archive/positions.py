"""How far pg_restore's workers are in the archive, where that can be seen: on Linux, on this machine.

https://www.kernel.org/doc/html/latest/filesystems/proc.html, 3.8: /proc/PID/fdinfo/FD
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from pathlib import Path

from tui.model.backup import Contents, Manifest
from tui.model.event import ArchivePosition
from tui.postgres.archive.archive import data_sizes

_PROC = Path("/proc")


def spans(contents: Contents, archive_bytes: int, manifest: Manifest | None) -> dict[int, tuple[int, int]]:
    """Given an archive, returns where each table's data block begins and how long it is, by dump id; only
    of those whose rows no manifest tells: for the others the server's own counts are better."""
    counted = {(t.schema, t.name) for t in manifest.tables} if manifest else set()
    blocks = manifest.blocks if manifest else ()
    sizes = data_sizes(contents, archive_bytes, blocks)
    noted = {b.dump_id: b.offset for b in blocks}
    begins = {e.dump_id: noted.get(e.dump_id, e.offset) for e in contents.entries}
    return {
        e.dump_id: (begin, sizes[e.dump_id])
        for e in contents.entries
        if (begin := begins[e.dump_id]) is not None
        and e.dump_id in sizes
        and (e.schema or "", e.name) not in counted
    }


class Positions:
    """Watches the positions of one pg_restore's workers in one archive. No call raises."""

    def __init__(self, archive: Path, blocks: Mapping[int, tuple[int, int]]) -> None:
        self._archive = archive.resolve()
        self._blocks = sorted((begin, size, dump_id) for dump_id, (begin, size) in blocks.items())
        self._begins = [begin for begin, _, _ in self._blocks]

    def poll(self, leader: int) -> list[ArchivePosition]:
        """Given pg_restore's process id, returns how many bytes of which tables' data have been read.

        Workers that are at something else stand somewhere too: it holds only for items that are at work.
        """
        if not self._blocks:
            return []
        found: dict[int, int] = {}
        for pid in _workers(leader) or [leader]:
            for position in self._positions(pid):
                place = bisect_right(self._begins, position) - 1
                # The end of the file is where a worker begins that has nothing to read.
                if place >= 0 and position < sum(self._blocks[place][:2]):
                    begin, _, dump_id = self._blocks[place]
                    found[dump_id] = max(position - begin, found.get(dump_id, 0))
        return [ArchivePosition(dump_id, read) for dump_id, read in sorted(found.items())]

    def _positions(self, pid: int) -> Iterator[int]:
        try:
            for link in (_PROC / str(pid) / "fd").iterdir():
                if link.readlink() == self._archive:
                    text = (_PROC / str(pid) / "fdinfo" / link.name).read_text()
                    yield int(text.split(maxsplit=2)[1])
        except (OSError, ValueError, IndexError):
            return  # it has ended, or it isn't ours to look at


def _workers(leader: int) -> list[int]:
    try:
        text = (_PROC / str(leader) / "task" / str(leader) / "children").read_text()
    except OSError:
        return []
    return [int(pid) for pid in text.split()]
