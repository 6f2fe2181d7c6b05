"""The looks stay as they are until someone changes them on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.looks.snapshots import HERE, NAMES, WAYS, take


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
async def test_a_screen_looks_as_it_did(name: str, way: str, tmp_path: Path) -> None:
    kept = (HERE / f"{name}.{way}").read_text(encoding="utf-8")
    taken = await take(name, way, tmp_path)
    assert taken.split("\n") == kept.split("\n"), "if it is meant to: python -m tests.looks.snapshots"
    assert (way == "ascii") is kept.isascii() and ("\x1b[" in kept) is (way != "ascii")


def test_colours_are_kept_as_the_terminal_has_them() -> None:
    """256 colours are what SSH leaves of them: no code of 24 bits among them."""
    for name in NAMES:
        assert "38;2;" in (HERE / f"{name}.truecolor").read_text(encoding="utf-8")
        few = (HERE / f"{name}.256").read_text(encoding="utf-8")
        assert "38;5;" in few and "38;2;" not in few
