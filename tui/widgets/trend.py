"""How something went over time, in characters: a bar against its target. Numbers stand beside it, always."""

from __future__ import annotations

from collections.abc import Sequence

_FULL, _REST, _TARGET = "█", "·", "│"


def bar(value: float, target: float, top: float, width: int) -> str:
    """Given a value, its target and the value that fills all of `width` cells, returns a bar with the target
    marked in it: `██████·····│··`. What is more than `top` fills it too."""
    if width < 3 or top <= 0:
        return ""
    filled = max(1 if value > 0 else 0, min(width, round(value / top * width)))
    mark = min(width - 1, round(target / top * width))
    cells = [_FULL] * filled + [_REST] * (width - filled)
    cells[mark] = _TARGET
    return "".join(cells)


def top_of(values: Sequence[float], target: float) -> float:
    """What a chart of these values goes up to, so that the target is seen in it."""
    return max([*values, target * 1.1, 1e-9])
