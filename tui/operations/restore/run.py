"""One pg_restore at work, watched until its end, and every item of it accounted for."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import psutil

from tui.model.backup import Contents
from tui.model.event import ErrorSeen, ItemsLeft, LogLine
from tui.model.text import clean
from tui.model.verdict import ErrorClass, RestoreError
from tui.operations.report import Report, Stop, Stopped
from tui.operations.restore.at_work import AtWork
from tui.postgres.archive.output import RestoreOutput
from tui.postgres.archive.positions import Positions
from tui.postgres.progress.watch import Watcher
from tui.process import Command

_WATCH_EVERY_S = 1.0
_END_WITHIN_S = 10.0


class Run:
    """One pg_restore with its workers, and the server watched beside it."""

    def __init__(
        self,
        command: Command,
        contents: Contents,
        ids: Iterable[int],
        positions: Positions,
        report: Report,
        stop: Stop,
    ) -> None:
        self.code: int | None = None
        self._ids = tuple(ids)
        self._contents = contents
        self._positions = positions
        self._report = report
        self._stop = stop
        report(LogLine(command.shown))
        self._at_work = AtWork(command, RestoreOutput(contents, self._ids), report)

    def watch(self, watcher: Watcher) -> None:
        """Returns when pg_restore has ended and all it said was told. Raises Stopped after stopping it."""
        try:
            ended = False
            while not ended:
                for event in (*watcher.poll(), *self._positions.poll(self._at_work.pid)):
                    self._report(event)
                if self._stop():
                    raise Stopped
                ended = self._at_work.wait(_WATCH_EVERY_S)
            self.code = self._at_work.code
        finally:
            watcher.close()
            self._at_work.end()

    def account_for(self) -> list[RestoreError]:
        """Every item must have been finished: see account_for."""
        done = self._at_work
        return account_for(self._contents, self._ids, done.finished, done.errors, self.code, self._report)


def account_for(
    contents: Contents,
    ids: Iterable[int],
    finished: Collection[int],
    errors: Iterable[RestoreError],
    code: int | None,
    report: Report,
) -> list[RestoreError]:
    """Given the items that were to be restored, those that were, the errors and pg_restore's exit code,
    returns all errors; one of which nothing was heard is an error too, and makes the restore a failed one."""
    wanted = frozenset(ids)
    silent = [e for e in contents.entries if e.dump_id in wanted and e.dump_id not in finished]
    if not silent:
        return list(errors)
    report(ItemsLeft(tuple(e.dump_id for e in silent)))
    named = ", ".join(clean(f"{e.desc} {e.name}", 60) for e in silent[:3])
    more = f" and {len(silent) - 3} more" if len(silent) > 3 else ""
    error = RestoreError(
        entry=None,
        dump_id=None,
        message=f"The restore ended (code {code}) without finishing {named}{more}.",
        error_class=ErrorClass.UNKNOWN,
        harmless=False,
        meaning="What was not finished is not in the restored database.",
        mend="See the errors before this one and the log, and mend their cause.",
    )
    report(ErrorSeen(error))
    return [*errors, error]


def end_leftovers(application: str) -> int:
    """Ends what an earlier job's pg_restore may have left on this machine, should its guard have been
    killed too. Returns how many processes there were; they are known by the name of their sessions."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PGAPPNAME") == application and "pg_restore" in process.name():
                process.terminate()
                found.append(process)
        except psutil.Error:
            continue  # gone, or another user's
    _, alive = psutil.wait_procs(found, timeout=_END_WITHIN_S)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=_END_WITHIN_S)
    return len(found)
