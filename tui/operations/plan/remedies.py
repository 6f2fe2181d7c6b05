"""What pgdr itself can do about a trouble: in words, and as a command line."""

from __future__ import annotations

from dataclasses import dataclass

from tui.model.trouble import Remedy


@dataclass(frozen=True, slots=True)
class Told:
    """A remedy in words, in one or two, and the verb that is it; DB, REF and JOB stand for names."""

    what: str
    short: str
    command: str


_TOLD = {
    Remedy.END_SESSIONS: Told(
        "see who is in the way, and end them", "end sessions", "pgdr sessions DB --end --confirm DB"
    ),
    Remedy.CREATE_DATABASE: Told("create the database, empty", "create it", 'psql -c "CREATE DATABASE name"'),
    Remedy.RECOVER: Told(
        "recover the database from a backup", "recover", "pgdr restore REF, pgdr swap DB NAME"
    ),
    Remedy.CHECK_BACKUP: Told(
        "see the backups, and verify one", "verify a backup", "pgdr backups DB, pgdr verify REF"
    ),
    Remedy.SHOW_DISK: Told("see what there is on the disks", "show disks", "pgdr disk DB"),
    Remedy.ROLE: Told("see which rights the backup's role lacks", "show rights", "pgdr role DB"),
    Remedy.CHECK: Told("try every database and store", "check", "pgdr check"),
    Remedy.PAUSE: Told("pause what uses the database", "pause", "pgdr pause DB"),
    Remedy.GO_ON: Told("see the jobs, and go on with one", "go on", "pgdr jobs, pgdr resume JOB"),
}


def told(remedy: Remedy) -> Told:
    """What a remedy is, in words and as a command line."""
    return _TOLD[remedy]
