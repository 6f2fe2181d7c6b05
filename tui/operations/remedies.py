"""What pgdr itself can do about a trouble: in words, and as a command line."""

from __future__ import annotations

from dataclasses import dataclass

from tui.model.trouble import Remedy


@dataclass(frozen=True, slots=True)
class Told:
    """A remedy in words, and the verb that is it; DB, REF and JOB stand for names."""

    what: str
    command: str


_TOLD = {
    Remedy.END_SESSIONS: Told("see who is in the way, and end them", "pgdr sessions DB --end --confirm DB"),
    Remedy.CREATE_DATABASE: Told("create the database, empty", 'psql -c "CREATE DATABASE name"'),
    Remedy.RECOVER: Told("recover the database from a backup", "pgdr restore REF, pgdr swap DB NAME"),
    Remedy.CHECK_BACKUP: Told("see the backups, and verify one", "pgdr backups DB, pgdr verify REF"),
    Remedy.SHOW_DISK: Told("see what there is on the disks", "pgdr disk DB"),
    Remedy.ROLE: Told("see which rights the backup's role lacks", "pgdr role DB"),
    Remedy.CHECK: Told("try every database and store", "pgdr check"),
    Remedy.PAUSE: Told("pause what uses the database", "pgdr pause DB"),
    Remedy.GO_ON: Told("see the jobs, and go on with one", "pgdr jobs, pgdr resume JOB"),
}


def told(remedy: Remedy) -> Told:
    """What a remedy is, in words and as a command line."""
    return _TOLD[remedy]
