"""[keys]: other keys, and every reason why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config.load import load_text
from tui.config.write import text_of
from tui.model.errors import ConfigError
from tui.model.fleet import Looks

_BASE = '[stores.local]\nkind = "local"\npath = "x"\n'
_AT = Path("pgdr.toml")


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_text(_BASE + text, _AT)
    return [str(problem) for problem in caught.value.problems]


def test_other_keys_are_read_and_written_again() -> None:
    fleet = load_text(
        _BASE + '[app]\nmouse = false\ntheme = "light"\n[keys]\nfleet.backups = "f3"\n'
        '"rows.last" = ["end", "G", "%"]\napp.find = "ctrl+f"\n',
        _AT,
    )
    assert fleet.keys == (
        ("fleet.backups", "f3"),
        ("rows.last", "end,G,percent_sign"),
        ("app.find", "ctrl+f"),
    )
    assert fleet.app == Looks(theme="light", mouse=False)
    again = load_text(text_of(fleet), _AT)
    assert (again.keys, again.app) == (fleet.keys, fleet.app)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('fleet.backup = "f3"', "Did you mean fleet.backups?"),
        ('fleet.drop = "f3"', "Did you mean"),
        ('zzzz.qqqqq = "f3"', "? names the ids"),
        ('fleet.verify = "foo"', 'there is no key "foo"'),
        ('fleet.verify = "hyper+x"', 'there is no key "hyper+x"'),
        ('fleet.verify = ""', "there is no key"),
        ("fleet.verify = 3", "expected a key or a list of keys"),
        ("fleet.verify = []", "expected a key or a list of keys"),
        ('fleet.incidents = "ctrl+b"', "tmux's prefix"),
        ('fleet.incidents = "ctrl+s"', "stops a terminal's output"),
        ('fleet.jobs = "r"', '"r" would be fleet.recover too'),
        ('fleet.jobs = "?"', '"question_mark" would be app.help too'),
        ('fleet.jobs = "k"', '"k" would be rows.up too'),
        ('kept.drop = "/"', '"slash" would be kept.filter too'),
    ],
)
def test_what_is_wrong_with_a_key_is_said_with_a_mend(line: str, said: str) -> None:
    (problem,) = problems(f"[keys]\n{line}\n")
    assert "keys." in problem and said in problem


def test_two_keys_may_change_places_and_siblings_share_theirs() -> None:
    fleet = load_text(_BASE + '[keys]\nfleet.jobs = "i"\nfleet.incidents = "J"\n', _AT)
    assert dict(fleet.keys) == {"fleet.jobs": "i", "fleet.incidents": "J"}
    # The two ways to leave a recovery are never there at once.
    assert load_text(_BASE + '[keys]\nrecovery.leave = "f9"\nrecovery.leave_running = "f9"\n', _AT).keys


def test_all_is_told_at_once() -> None:
    assert len(problems('[keys]\nfleet.jobs = "r"\nfleet.nope = "x"\nrows.up = "ctrl+a"\n')) == 3
    assert "expected a table" in problems("[[keys]]\nx = 1\n")[0]
