"""A stream cut into parts: nothing is lost, and the large ones of a long stream go one at a time."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.errors import PgdrError
from tui.stores import parts as cut


@given(st.lists(st.binary(max_size=40), max_size=40))
def test_what_goes_in_comes_out(chunks: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut, "PART_BYTES", 7)
        patch.setattr(cut, "_EVEN_PARTS", 5)
        made = list(cut.parts(chunks))
    assert b"".join(made) == b"".join(chunks) and all(made)
    assert [len(one) for one in made[:-1]] == ([7] * 5 + [28] * 100)[: max(0, len(made) - 1)]


def test_large_parts_go_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut, "PART_BYTES", 4)
    monkeypatch.setattr(cut, "_EVEN_PARTS", 3)
    lock, at_once = threading.Lock(), 0
    most = {4: 0, 16: 0}

    def send(number: int, data: bytes) -> int:
        nonlocal at_once
        with lock:
            at_once += 1
            most[len(data)] = max(most[len(data)], at_once)
        threading.Event().wait(0.02)
        with lock:
            at_once -= 1
        return number

    sent, size = cut.send_parts(cut.parts([b"x" * (3 * 4 + 3 * 16)]), send, 6)
    assert (sent, size, most) == ([1, 2, 3, 4, 5, 6], 60, {4: 2, 16: 1})
    with pytest.raises(PgdrError, match="larger than one object"):
        cut.send_parts(cut.parts([b"x" * 61]), send, 5)
