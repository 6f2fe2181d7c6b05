"""How long a restore will take: learned from earlier ones of the same database, else estimated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tui.model.amounts import duration, limit, plural
from tui.model.backup import Verdict
from tui.model.plan import Estimate, Finding, Level
from tui.operations.records import Drill, Timing

# Measured: 247 MB of custom-format archive (856 MB of tables) took 18 to 25 s with two workers on two
# cores, 10 to 14 MB/s. Machines differ by a factor of about three either way, hence the wide range.
_SLOW_BYTES_PER_S = 5e6
_FAST_BYTES_PER_S = 30e6
_OVERHEAD_S = 1.0
_NETWORK_BYTES_PER_S = (10e6, 100e6)
_NEWEST = 5


def restore_estimate(
    archive_bytes: int, remote: bool, learned: Sequence[Timing], *, overlaps: bool = False
) -> Estimate:
    """Given an archive's size, whether it must be fetched, and earlier restores of the same database,
    returns the expected duration as a range and what it rests on. `overlaps`: it is fetched while it loads,
    so that both together take as long as the longer one."""
    usable = [t for t in learned if t.archive_bytes > 0][-_NEWEST:]
    if not usable:
        low = archive_bytes / _FAST_BYTES_PER_S + _OVERHEAD_S
        high = archive_bytes / _SLOW_BYTES_PER_S + 3 * _OVERHEAD_S
        if remote:
            low = _with(low, archive_bytes / _NETWORK_BYTES_PER_S[1], overlaps)
            high = _with(high, archive_bytes / _NETWORK_BYTES_PER_S[0], overlaps)
        return Estimate(timedelta(seconds=low), timedelta(seconds=high), "estimated from the archive's size")
    whole = [t.restore_s * archive_bytes / t.archive_bytes for t in usable]
    fetched = [t.fetch_s * archive_bytes / t.archive_bytes for t in usable if t.fetch_s > 0]
    low, high = min(whole) * 0.9, max(whole) * 1.2 + _OVERHEAD_S
    if remote:
        low = _with(low, min(fetched, default=archive_bytes / _NETWORK_BYTES_PER_S[1]), overlaps)
        high = _with(high, max(fetched, default=archive_bytes / _NETWORK_BYTES_PER_S[0]), overlaps)
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
