"""The house itself: imports go one way, types and style hold, a verb loads only what it uses."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def loaded_by(code: str) -> set[str]:
    """The top-level packages that are loaded after `code` has run in a fresh interpreter."""
    done = run(
        sys.executable,
        "-c",
        f"import sys\ntry:\n    {code}\nexcept SystemExit: pass\n"
        "print('LOADED', *sorted({m.partition('.')[0] for m in sys.modules}))",
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("LOADED"))
    return set(line.split()[1:])


def test_imports_point_down_the_house() -> None:
    done = run(str(PROGRAMS / "lint-imports"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_is_in_the_import_rules() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {name.strip() for layer in rules[0]["layers"] for name in layer.split("|")}
    rooms = {p.stem for p in (ROOT / "tui").iterdir() if (p / "__init__.py").exists() or p.suffix == ".py"}
    assert rooms - {"__init__", "__main__"} <= layers


def test_types_hold() -> None:
    done = run(sys.executable, "-m", "mypy")
    assert done.returncode == 0, done.stdout


def test_style_holds() -> None:
    done = run(sys.executable, "-m", "ruff", "check", "tui", "tests")
    assert done.returncode == 0, done.stdout


def test_layout_of_the_code_is_the_formatter_s() -> None:
    done = run(sys.executable, "-m", "ruff", "format", "--check", "tui", "tests")
    assert done.returncode == 0, done.stdout


def test_help_loads_no_machinery() -> None:
    loaded = loaded_by("from tui.cli import main; main(['--help'])")
    assert not loaded & {"textual", "rich", "boto3", "botocore", "psycopg", "cattrs", "humanize", "psutil"}


def test_listing_local_backups_loads_no_screen_no_server_no_cloud(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    config = tmp_path / "pgdr.toml"
    config.write_text(
        '[fleet]\nname = "small"\n[stores.local]\nkind = "local"\npath = "backups"\n'
        '[databases.shop]\ndbname = "shop"\nservice = "db"\nhost = "127.0.0.1"\n'
    )
    loaded = loaded_by(
        f"from tui.cli import main; main(['--config', {str(config)!r}, '--state', {str(tmp_path / 's')!r}, "
        "'backups', '--json'])"
    )
    assert not loaded & {"textual", "rich", "boto3", "botocore", "psycopg"}


def test_the_first_screen_waits_for_nothing_that_only_others_need(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tui.app import PgdrApp; "
        "from tui.model.fleet import Fleet; from tui.screens.fleet import FleetScreen; "
        f"app = PgdrApp(Fleet('small'), Path({str(tmp_path)!r})); FleetScreen(app._house); "
        "print(*sorted(sys.modules))"
    )
    done = run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    heavy = {"psycopg", "boto3", "botocore", "cattrs", "tui.model.event", "tui.model.backup"}
    heavy |= {"tui.screens.wiring", "tui.incident.guide", "tui.screens.recovery.screen"}
    assert not set(done.stdout.split()) & heavy


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "tui").rglob("*.py")), *sorted((ROOT / "tui").rglob("*.md"))]
)
def test_the_project_speaks_of_itself_alone(path: Path) -> None:
    text = path.read_text()
    assert "shared/" not in text and "/work/" not in text
