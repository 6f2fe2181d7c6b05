"""The pages of help: they fit, name only keys that there are, and follow a configuration's keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tui.screens
from tui.model.keys import KEYS, all_keys
from tui.screens.help import page, page_lines

PAGES = sorted((Path(tui.screens.__path__[0]) / "pages").glob("*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_fits_and_names_only_keys_that_there_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = dict(all_keys())
    for name in re.findall(r"\{([^}]*)\}", text):
        assert (name if "." in name else f"{path.stem}.{name}") in known, name
    told = page(path.stem, {})
    assert "{" not in told
    assert all(row.cell_length <= 78 for row in page_lines(told, 78))


def test_a_page_names_the_keys_of_the_configuration() -> None:
    assert "f3 shows what there is" in page("fleet", {"fleet.backups": "f3"})
    assert "b shows what there is" in page("fleet", {})
    assert "backups" in {key.name for key in KEYS["fleet"]}
    assert page("no_such_page", {}) == ""
