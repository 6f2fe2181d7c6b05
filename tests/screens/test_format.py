"""Text and bars in a number of cells."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tui.widgets.format import bar, cut, share


def test_bars() -> None:
    assert bar(0.5, 10) == "█████░░░░░"
    assert bar(None, 4) == "░░░░"
    assert share(1, 1_000_000, 20) == "█"  # little is told apart from nothing
    assert share(0, 1_000_000, 20) == ""
    assert share(5, 5, 20) == "█" * 20


@pytest.mark.parametrize("text", ["crypto_exchange", "データベース", "a", ""])
@pytest.mark.parametrize("width", [0, 1, 3, 5, 40])
def test_cut_is_never_silent_and_never_too_wide(text: str, width: int) -> None:
    made = cut(text, width)
    assert cell_len(made) <= width
    assert made == text or width == 0 or made.endswith("…")
