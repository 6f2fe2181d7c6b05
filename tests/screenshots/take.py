"""Takes README's pictures: `python -m tests.screenshots.take` starts the demo, drops its database, drives
the real app through a recovery, exporting an SVG at each screen that README shows."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from tests.screens.eyes import screen_text, until_seen
from tests.servers import place
from tui.app import PgdrApp
from tui.demo.disasters import hurt
from tui.demo.start import RunningDemo, prepare

HERE = Path(__file__).parent
SIZE = (100, 30)
# A picture in a README may load nothing from elsewhere; without these it uses the reader's own monospace.
_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)


async def recover(demo: RunningDemo, take: Callable[[Pilot[int], str], None]) -> None:
    """By keys alone, from the fleet to the swap's question."""
    app = PgdrApp(demo.fleet, demo.state, operator="ann@bastion")
    async with app.run_test(size=SIZE) as pilot:
        await until_seen(pilot, "MISSING", "24h LATE", "never", "Newest backup  offsite")
        take(pilot, "fleet")
        await pilot.press("b")
        await until_seen(pilot, "offsite:", "trades", "rows", "read ")
        take(pilot, "backups")
        await pilot.press("escape")
        await until_seen(pilot, "MISSING")
        await pilot.press("r")
        await until_seen(pilot, "Declare an incident")
        await pilot.press("tab", "enter")
        await until_seen(pilot, "DAMAGED", "accept what is proposed")
        await pilot.press("enter")
        await until_seen(pilot, "ADVISE", "rows")
        take(pilot, "pick")
        await pilot.press("enter")
        await until_seen(pilot, "DR INITIATED", "send it")
        await pilot.press("s")
        await until_seen(pilot, "taken")
        await pilot.press("enter")
        await until_seen(pilot, "restore…", "pg_restore")
        take(pilot, "plan")
        await pilot.press("enter")
        await until_seen(pilot, "Type")
        await pilot.press(*"crypto_exchange", "enter", "enter")
        await until_seen(pilot, " indexing", " of 8 tables")
        take(pilot, "restore")
        await until_seen(pilot, "next: verify")
        await pilot.press("enter")
        await until_seen(pilot, "next: resume")
        take(pilot, "verify")
        await pilot.press("enter")
        await until_seen(pilot, "swap…", "ALTER DATABASE")
        await pilot.press("enter")
        await until_seen(pilot, "Type the name of the live database")
        take(pilot, "swap")


def main(directory: Path) -> None:
    """Writes the pictures into `directory`."""

    def take(pilot: Pilot[int], name: str) -> None:
        picture = _FONTS.sub("", pilot.app.export_screenshot(title=f"pgdr: {name}"))
        (directory / f"{name}.svg").write_text(picture)
        print(screen_text(pilot.app))

    with place() as demo_place, prepare(demo_place / "demo", scale=8.0) as demo:
        hurt(demo, "dropped-database")
        asyncio.run(recover(demo, take))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
    sys.exit(0)
