"""Where a person wants to go: a screen says so, the app knows the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui.model.backup import Backup, TableContents


class Recover(Message):
    """Begin a guided recovery of a database (its name in the fleet), with `ref` picked already if given."""

    def __init__(self, database: str, ref: str | None = None) -> None:
        super().__init__()
        self.database = database
        self.ref = ref


class BackUp(Message):
    """Take a backup of a database (its name in the fleet) now."""

    def __init__(self, database: str) -> None:
        super().__init__()
        self.database = database


class Verify(Message):
    """Restore a backup into a scratch database, check it, and write down what came of it."""

    def __init__(self, database: str, ref: str) -> None:
        super().__init__()
        self.database = database
        self.ref = ref


class Tables(Message):
    """Restore single ones of a backup's `tables` beside the live ones of a database of the fleet."""

    def __init__(self, database: str, backup: Backup, tables: tuple[TableContents, ...]) -> None:
        super().__init__()
        self.database = database
        self.backup = backup
        self.tables = tables


class Drill(Message):
    """Rehearse the recovery of a database (its name in the fleet) in a scratch database; `what` is the duty
    that it fulfils (single table, recovery, full)."""

    def __init__(self, database: str, what: str = "recovery") -> None:
        super().__init__()
        self.database = database
        self.what = what


class VerifyNewest(Message):
    """Verify the newest good backup of a database (its name in the fleet)."""

    def __init__(self, database: str) -> None:
        super().__init__()
        self.database = database


class Drills(Message):
    """See what is due and what was rehearsed, of one database first."""

    def __init__(self, database: str | None = None) -> None:
        super().__init__()
        self.database = database


class Retention(Message):
    """See what retention would remove from the stores, and keep."""


class TakeUp(Message):
    """Take an incident up where it was left, or read what became of it."""

    def __init__(self, incident: str) -> None:
        super().__init__()
        self.incident = incident


class Attach(Message):
    """Watch a job."""

    def __init__(self, job: str) -> None:
        super().__init__()
        self.job = job


class OpenBackup(Message):
    """Look inside a backup."""

    def __init__(self, backup: Backup) -> None:
        super().__init__()
        self.backup = backup


class CopyTo(Message):
    """Copy a backup, which is one of `database`'s, into another store."""

    def __init__(self, database: str, ref: str) -> None:
        super().__init__()
        self.database = database
        self.ref = ref


class BackupsOf(Message):
    """See the backups, those of one database first in sight."""

    def __init__(self, database: str | None) -> None:
        super().__init__()
        self.database = database


class Kept(Message):
    """See the databases that are kept beside a live one (its name in the fleet)."""

    def __init__(self, database: str) -> None:
        super().__init__()
        self.database = database


class Services(Message):
    """See what uses a database (its name in the fleet), and whether it takes writes."""

    def __init__(self, database: str) -> None:
        super().__init__()
        self.database = database


class Jobs(Message):
    """See the jobs."""


class Incidents(Message):
    """See the incidents."""


class Begin(Message):
    """Begin with the configuration that was just written at `path`."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path


class Demo(Message):
    """Leave for the demo."""


class Copy(Message):
    """Copy a text: to the terminal's clipboard, and into a file called after `name`."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self.name = name
        self.text = text
