"""How long a restore will take: learned from earlier ones of the same database, else estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tui.model.amounts import duration, limit, plural
from tui.model.backup import ArchiveFormat, Contents, Layer, Verdict
from tui.model.event import Item
from tui.model.fleet import Encryption
from tui.model.plan import Estimate, Finding, Level
from tui.operations.records import Drill, Timing

# Measured: 247 MB of custom-format archive (856 MB of tables) took 18 to 25 s with two workers on two
# cores, 10 to 14 MB/s. Machines differ by a factor of about three either way, hence the wide range.
_SLOW_BYTES_PER_S = 5e6
_FAST_BYTES_PER_S = 30e6
_OVERHEAD_S = 1.0
_NETWORK_BYTES_PER_S = (10e6, 100e6)
_NEWEST = 5
# Measured: gpg opened 44 files of a directory in 1.2 s, and in 35 s with a key that has a passphrase, from
# which its agent derives a key for each file anew, one at a time.
_GPG_FILE_S = (0.02, 0.1)
_GPG_LOCKED_FILE_S = (0.2, 0.9)
_OPENS_LONG_S = 60.0


@dataclass(frozen=True, slots=True)
class Part:
    """How much of an archive a restore fetches, where it isn't on this machine, and how much it loads; the
    seconds, at least and at most, that opening its files takes beside that, and how many those are."""

    fetched_bytes: int
    loaded_bytes: int
    opening_s: tuple[float, float] = (0.0, 0.0)
    opened_files: int = 0


def part_of(
    contents: Contents,
    archive_bytes: int,
    todo: Sequence[Item],
    encryption: Encryption,
    *,
    selected: bool,
    streams: bool,
) -> Part:
    """Given an archive, what is to be done of it and what opens it here, returns how much of it that is: of
    single tables (`selected`) theirs, where the archive tells, and where it can be read in parts (`streams`,
    or files)."""
    files, seconds = 0, (0.0, 0.0)
    if contents.format is ArchiveFormat.DIRECTORY and Layer.GPG in contents.layers:
        files = 1 + sum(item.desc == "TABLE DATA" for item in todo) if selected else contents.files
        seconds = opening_s(files, encryption)
    weights = [item.weight_bytes for item in todo if item.desc == "TABLE DATA"]
    if not selected or None in weights:
        return Part(archive_bytes, archive_bytes, seconds, files)
    loaded = min(archive_bytes, sum(weight or 0 for weight in weights))
    in_parts = streams or contents.format is ArchiveFormat.DIRECTORY
    fetched = min(archive_bytes, contents.toc_bytes + loaded) if in_parts else archive_bytes
    return Part(fetched, loaded, seconds, files)


def opening_s(files: int, encryption: Encryption) -> tuple[float, float]:
    """The seconds, at least and at most, that gpg takes to open so many files with the key that is here."""
    least, most = _GPG_LOCKED_FILE_S if encryption.gpg_passphrase is not None else _GPG_FILE_S
    return files * least, files * most


def opening(part: Part) -> Finding | None:
    """What is to be said of a restore that opens many files, one by one; None of any other."""
    if part.opening_s[1] < _OPENS_LONG_S:
        return None
    low, high = (duration(seconds) for seconds in part.opening_s)
    return Finding(
        Level.WARNING,
        "opening",
        f"gpg opens each of its {part.opened_files:,} files by itself: {low} to {high}.",
        "age opens them in seconds, as gpg does one file: take the next backups with an age key, or in the"
        " custom format.",
    )


def restore_estimate(
    part: Part, remote: bool, learned: Sequence[Timing], *, overlaps: bool = False
) -> Estimate:
    """Given how much is loaded, whether it must be fetched, and earlier restores of the same database,
    returns the expected duration as a range and what it rests on. `overlaps`: it is fetched while it loads,
    so that both together take as long as the longer one."""
    fetching, loading = part.fetched_bytes, part.loaded_bytes
    usable = [t for t in learned if t.archive_bytes > 0][-_NEWEST:]
    if not usable:
        low = loading / _FAST_BYTES_PER_S + _OVERHEAD_S + part.opening_s[0]
        high = loading / _SLOW_BYTES_PER_S + 3 * _OVERHEAD_S + part.opening_s[1]
        if remote:
            low = _with(low, fetching / _NETWORK_BYTES_PER_S[1], overlaps)
            high = _with(high, fetching / _NETWORK_BYTES_PER_S[0], overlaps)
        return Estimate(timedelta(seconds=low), timedelta(seconds=high), "estimated from the archive's size")
    whole = [t.restore_s * loading / t.archive_bytes for t in usable]
    fetched = [t.fetch_s * fetching / t.archive_bytes for t in usable if t.fetch_s > 0]
    low, high = min(whole) * 0.9, max(whole) * 1.2 + _OVERHEAD_S
    if not fetched or not remote:  # what was learned of fetching has the opening in it
        low, high = low + part.opening_s[0], high + part.opening_s[1]
    if remote:
        low = _with(low, min(fetched, default=fetching / _NETWORK_BYTES_PER_S[1]), overlaps)
        high = _with(high, max(fetched, default=fetching / _NETWORK_BYTES_PER_S[0]), overlaps)
    count = len(usable)
    return Estimate(
        timedelta(seconds=low),
        timedelta(seconds=high),
        f"learned from {count} restore{'s' if count > 1 else ''}",
    )


def rehearsed(drills: Sequence[Drill], tables: bool, rto: timedelta) -> Finding | None:
    """Given the drills of a database, returns what they let expect of a whole recovery (of single `tables`),
    from the declaration until the database can be used, against the RTO; None where none went well."""
    alike = [d for d in drills if (d.kind == "table") is tables and d.verdict is not Verdict.FAILED]
    took = [d.rto_s for d in alike[-_NEWEST:]]
    if not took:
        return None
    low, high = duration(min(took)), duration(max(took))
    span = f"{low} to {high}" if low != high else high
    said = f"The last {plural(len(took), 'drill')} took {span} in all; the RTO is {limit(rto)}."
    if max(took) <= rto.total_seconds():
        return Finding(Level.OK, "drills", said)
    return Finding(Level.WARNING, "drills", said, "Tell those who wait a later time than the RTO's.")


def _with(loading: float, fetching: float, overlaps: bool) -> float:
    return max(loading, fetching) if overlaps else loading + fetching
