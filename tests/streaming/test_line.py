"""Bytes for several readers at once: right, bounded in memory, patient for a while, and ended when asked."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.model.backup import BlockOffset
from tui.model.errors import ArchiveError, Unreachable
from tui.operations.report import Stopped
from tui.operations.restore import stream_line
from tui.operations.restore.stream_line import AHEAD_BYTES, EXPECTED_BYTES, RANGE_BYTES, Line
from tui.operations.restore.stream_run import checked

DATA = hashlib.sha256(b"seed").digest() * (RANGE_BYTES * 5 // 32)


def served(start: int, length: int) -> bytes:
    return DATA[start : start + length]


def test_readers_get_their_bytes_whatever_a_read_returns() -> None:
    def shorter(start: int, length: int) -> bytes:
        return served(start, max(1, length // 3))

    with closing(Line(shorter)) as line:
        ranges = [(5, RANGE_BYTES * 2 + 7), (RANGE_BYTES * 3, 1), (RANGE_BYTES * 3 + 1, RANGE_BYTES)]
        streams = [line.bytes_of(begin, length, 1.0) for begin, length in ranges]
        for (begin, length), stream in zip(ranges, streams, strict=True):
            assert b"".join(stream) == served(begin, length)
        assert line.fetched == sum(length for _, length in ranges)


def test_no_more_is_read_ahead_than_is_said() -> None:
    asked, full = [0], threading.Event()
    total = AHEAD_BYTES + 10 * RANGE_BYTES

    def counted(start: int, length: int) -> bytes:
        asked[0] = max(asked[0], start + length)
        if asked[0] >= AHEAD_BYTES:
            full.set()
        return bytes(length)

    with closing(Line(counted)) as line:
        stream = line.bytes_of(0, total, 1.0)
        assert full.wait(30)
        assert asked[0] <= AHEAD_BYTES + RANGE_BYTES
        assert sum(map(len, stream)) == total


def test_the_more_urgent_has_the_line_first() -> None:
    order: list[int] = []
    go = threading.Event()

    def noted(start: int, length: int) -> bytes:
        go.wait(30)
        order.append(start)
        return bytes(length)

    far = 1 << 40
    with closing(Line(noted)) as line:
        line.bytes_of(far * 2, 1, 9.0)  # what the readers hold until both others are there
        patient = line.bytes_of(0, RANGE_BYTES * 6, 1.0)
        urgent = line.bytes_of(far, RANGE_BYTES * 6, 5.0)
        go.set()
        assert sum(map(len, urgent)) == sum(map(len, patient)) == RANGE_BYTES * 6
    rest = [start for start in order if start != far * 2]
    assert sum(start >= far for start in rest[:7]) >= 3


def test_what_is_expected_is_read_when_nothing_else_is_and_no_more_than_is_said() -> None:
    order: list[int] = []
    go = threading.Event()

    def noted(start: int, length: int) -> bytes:
        go.wait(30)
        order.append(start)
        return bytes(length)

    far, length = 1 << 40, EXPECTED_BYTES + 8 * RANGE_BYTES
    with closing(Line(noted)) as line:
        for _ in range(2):  # said twice, it is one
            line.expect(far, length, 9.0)
        assert not line.is_ahead(far, length)
        wanted = line.bytes_of(0, RANGE_BYTES * 6, 1.0)
        go.set()
        assert sum(map(len, wanted)) == RANGE_BYTES * 6
        while line.fetched < RANGE_BYTES * 6 + EXPECTED_BYTES:
            assert sum(start >= far for start in order) * RANGE_BYTES <= EXPECTED_BYTES
        time.sleep(0.1)
        assert line.fetched == RANGE_BYTES * 6 + EXPECTED_BYTES and line.is_ahead(far, length)
        # four are under way when it begins: of the others the wanted ones come first
        assert sum(start >= far for start in order[:8]) <= 5
        assert sum(map(len, line.bytes_of(far, length, 9.0))) == length
        assert len(order) == len(set(order)) and line.fetched == RANGE_BYTES * 6 + length


def test_a_line_that_breaks_for_a_moment_costs_only_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_line, "_AGAIN_AFTER_S", 0.01)
    failures = iter([True, False, True])

    def breaking(start: int, length: int) -> bytes:
        if next(failures, False):
            raise Unreachable("The store broke off.")
        return served(start, length)

    with closing(Line(breaking)) as line:
        assert b"".join(line.bytes_of(0, RANGE_BYTES * 3, 1.0)) == served(0, RANGE_BYTES * 3)


def test_what_stays_broken_is_told_to_every_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_line, "_TRY_FOR_S", 0.0)

    def broken(start: int, length: int) -> bytes:
        raise Unreachable("The store broke off.")

    with closing(Line(broken)) as line:
        for _ in range(2):
            with pytest.raises(Unreachable):
                list(line.bytes_of(0, 10, 1.0))


def test_an_archive_that_has_become_shorter_is_told() -> None:
    with closing(Line(served)) as line, pytest.raises(ArchiveError, match="shorter"):
        list(line.bytes_of(0, len(DATA) + 1, 1.0))


def test_who_waits_when_it_is_closed_is_stopped() -> None:
    held, release = threading.Event(), threading.Event()

    def waiting(start: int, length: int) -> bytes:
        held.set()
        release.wait(30)
        return bytes(length)

    line = Line(waiting)
    stream = line.bytes_of(0, 10, 1.0)
    assert held.wait(30)
    threading.Timer(0.05, line.close).start()
    with pytest.raises(Stopped):
        list(stream)
    release.set()


@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=6), step=st.integers(1, 60), data=st.data())
@settings(deadline=None)
def test_no_block_ends_before_its_hash_is_right(sizes: list[int], step: int, data: st.DataObject) -> None:
    blocks, at = [], 0
    for number, size in enumerate(sizes):
        digest = hashlib.sha256(DATA[at : at + size]).hexdigest()
        blocks.append(BlockOffset(number, at, size, digest))
        at += size

    def pieces(of: bytes) -> Iterator[bytes]:
        for start in range(0, len(of), step):
            yield of[start : start + step]

    assert b"".join(checked(pieces(DATA[:at]), tuple(blocks))) == DATA[:at]
    wrong = data.draw(st.integers(0, at - 1))
    hurt = bytearray(DATA[:at])
    hurt[wrong] ^= 1
    got = b""
    with pytest.raises(ArchiveError):
        for piece in checked(pieces(bytes(hurt)), tuple(blocks)):
            got += piece
    block = next(b for b in blocks if wrong < b.offset + b.size_bytes)
    assert len(got) < block.offset + block.size_bytes
