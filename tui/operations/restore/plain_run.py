"""A restore of plain SQL: its statements in their order, one by one, each error tied to the item that it came
from, every item accounted for. There are no workers: what comes later may rest on anything before it.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace

from tui.model.amounts import plural
from tui.model.backup import Contents, TocEntry
from tui.model.errors import ArchiveError
from tui.model.event import ArchivePosition, ErrorSeen, ItemFinished, ItemLaunched
from tui.model.text import clean
from tui.model.verdict import ErrorClass, RestoreError
from tui.operations.report import Report, Stop, Stopped
from tui.operations.restore.run import account_for
from tui.postgres.archive.plain import is_of_server, numbered
from tui.postgres.archive.script import Odd, Part, Rows, RowsEnd, Statement
from tui.postgres.progress.watch import Watcher
from tui.postgres.sql_session import Failed, SqlSession
from tui.postgres.troubles.errors import judge

_WATCH_EVERY_S = 1.0
_END_WITHIN_S = 10.0
_SHOWN = 2000  # bytes of a failed statement that are told
_TOGETHER = 64 << 10  # bytes of INSERTs that go in one message

_MOST_ALIKE = 20  # errors of one item, of one class, that are told one by one: INSERTs may be millions

_DROPS = re.compile(
    rb"(DROP\b|ALTER TABLE( ONLY)?( IF EXISTS)? \S+ (DROP|ALTER COLUMN \S+ DROP)\b"
    rb"|SELECT pg_catalog\.lo_unlink\()"
)
_TABLESPACE = re.compile(rb"SET default_tablespace = (.*);")
_OPEN = RestoreError(
    entry=None,
    dump_id=None,
    message="The text ends inside a transaction that it began and didn't commit.",
    error_class=ErrorClass.UNKNOWN,
    harmless=False,
    meaning="Nothing of what that transaction did is in the restored database.",
    mend="It may be cut short: use another copy. Else end it with COMMIT.",
)
_NOT_THERE = frozenset({"42P01", "42704", "42883", "3F000", "42703"})  # undefined table, object, function …


class PlainRun:
    """One such restore. `chunks` are the text, without what lay around it."""

    def __init__(
        self,
        session: SqlSession,
        contents: Contents,
        ids: Iterable[int],
        chunks: Iterable[bytes],
        report: Report,
        stop: Stop,
        *,
        tell_positions: bool,
    ) -> None:
        """Begins at once, in a thread of its own. With `tell_positions` it tells how many bytes of a table's
        rows were sent, for when nothing says how many rows there are."""
        self.code: int | None = None
        self._session = session
        self._contents = contents
        self._ids = tuple(ids)
        self._listed = frozenset(self._ids)
        self._by_id = {entry.dump_id: entry for entry in contents.entries}
        self._chunks = chunks
        self._report = report
        self._stop = stop
        self._tell_positions = tell_positions
        self._at = 0  # the item that is at work, 0 before the first
        self._sent = self._sent_before = 0  # bytes of its rows, and how many when INSERTs were last sent
        self._copying = False
        self._inserts: list[bytes] = []  # that wait to be sent together
        self._has_made = False  # anything; until then there is nothing to drop
        self._finished: set[int] = set()
        self._errors: list[RestoreError] = []
        self._failed: dict[int, None] = {}
        self._alike: Counter[tuple[ErrorClass, bool]] = Counter()  # errors of the item at work
        self._untold: dict[tuple[ErrorClass, bool], RestoreError] = {}  # the last of those that were too many
        self._failure: Exception | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="restore-sql", daemon=True)
        self._thread.start()

    def watch(self, watcher: Watcher) -> None:
        """Returns when the text has come to its end, or nothing more can be done. Raises Stopped after
        stopping it, and what reading the text raised."""
        try:
            while self._thread.is_alive():
                for event in watcher.poll():
                    self._report(event)
                if self._tell_positions and self._sent:
                    self._report(ArchivePosition(self._at, self._sent))
                if self._stop():
                    raise Stopped
                self._thread.join(_WATCH_EVERY_S)
            if self._failure is not None:
                raise self._failure
            self.code = 1 if self._errors else 0
        finally:
            watcher.close()
            self._end()

    def account_for(self) -> list[RestoreError]:
        """Every item must have been finished: see restore_run.account_for."""
        return account_for(self._contents, self._ids, self._finished, self._errors, self.code, self._report)

    def _end(self) -> None:
        self._ending.set()
        for _ in range(round(_END_WITHIN_S)):
            if not self._thread.is_alive():
                break
            self._session.cancel()
            self._thread.join(1.0)
        if self._thread.is_alive() and not self._session.is_lost:
            self._session.cut()
            self._thread.join(_END_WITHIN_S)
        if not self._thread.is_alive():
            self._session.close()

    def _work(self) -> None:
        try:
            with closing(numbered(self._chunks)) as parts:
                for number, part in parts:
                    if self._ending.is_set() or self._session.is_lost:
                        return
                    if isinstance(part, Statement) and part.text.startswith(b"INSERT "):
                        self._insert(part.text)
                        continue
                    self._send_inserts()
                    self._move_to(number)
                    self._do(part)
            self._send_inserts()
            if not self._session.is_lost:
                self._move_to(0)
                if self._session.is_in_transaction:
                    self._tell(_OPEN)
        except Exception as error:  # noqa: BLE001 - raised again by watch(): a thread's own end is seen by nobody
            self._failure = error
        finally:
            self._tell_rest()
            if self._copying and not self._session.is_lost:
                self._session.end_rows(b"the text ended before its rows")

    def _move_to(self, number: int) -> None:
        if number == self._at:
            return
        self._tell_rest()
        before, self._at = self._at, number
        self._sent = self._sent_before = 0
        if before in self._listed:
            self._finished.add(before)
            self._report(ItemFinished(before))
        if number and number not in self._by_id:
            raise ArchiveError("The text has changed since it was looked into.", mend="Restore it again.")
        if number in self._listed:
            self._report(ItemLaunched(number))

    def _do(self, part: Part) -> None:
        match part:
            case Statement() if is_of_server(part):  # refused before, should it have been there then
                raise ArchiveError(
                    "The text has changed since it was looked into.",
                    clean(part.text[:80].decode("utf-8", "replace")),
                    "Find out by whom, then restore again.",
                )
            case Statement() if part.copies:
                problem = self._session.begin_rows(part.text)
                self._copying = problem is None
                if problem is not None:
                    self._told(problem, part.text, rows=True)
            case Statement():
                if (problem := self._session.run(part.text)) is not None:
                    self._told(problem, part.text)
                elif part.text[:7].upper() == b"CREATE ":
                    self._has_made = True
            case Rows() if self._copying:
                self._sent += len(part.data)
                if (problem := self._session.rows(part.data)) is not None:
                    self._copying = False
                    self._told(problem, b"", rows=True)
            case RowsEnd() if self._copying:
                self._copying = False
                if (problem := self._session.end_rows()) is not None:
                    self._told(problem, b"", rows=True)
            case Odd():  # it was read to its end before, and had none
                raise ArchiveError(
                    "The text has changed since it was looked into.", part.what, "Restore again."
                )

    def _insert(self, statement: bytes) -> None:
        self._inserts.append(statement)
        self._sent += len(statement)
        if self._sent - self._sent_before >= _TOGETHER:
            self._send_inserts()

    def _send_inserts(self) -> None:
        """Rows of pg_dump --inserts: some at once are ten times as quick. They are one transaction then, of
        which nothing stays when one of them fails; so they are sent anew, each by itself."""
        statements, self._inserts = self._inserts, []
        self._sent_before = self._sent
        if len(statements) > 1:
            if (problem := self._session.run(b"\n".join(statements))) is None:
                return
            if self._session.is_lost:
                self._told(problem, b"")
        for statement in statements:
            if self._ending.is_set() or self._session.is_lost:
                return
            if (problem := self._session.run(statement)) is not None:
                self._told(problem, statement)

    def _told(self, problem: Failed, statement: bytes, *, rows: bool = False) -> None:
        if self._ending.is_set():
            return  # it was cancelled: what it says of that is no error of the dump's
        entry = self._by_id.get(self._at)
        error = self._judged(problem, statement, entry, rows=rows)
        if entry is not None and not error.harmless:
            self._failed[entry.dump_id] = None
        kind = (error.error_class, error.harmless)
        self._alike[kind] += 1
        if self._alike[kind] <= _MOST_ALIKE:
            self._tell(error)
        else:
            self._untold[kind] = error

    def _tell_rest(self) -> None:
        """Of the item at work: how many errors more there were than were told."""
        for kind, error in self._untold.items():
            more = self._alike[kind] - _MOST_ALIKE
            self._tell(replace(error, message=f"{plural(more, 'more error')} like these. {error.message}"))
        self._untold.clear()
        self._alike.clear()

    def _tell(self, error: RestoreError) -> None:
        self._errors.append(error)
        self._report(ErrorSeen(error))

    def _judged(
        self, problem: Failed, statement: bytes, entry: TocEntry | None, *, rows: bool
    ) -> RestoreError:
        """In pg_restore's words, by which errors are known (pg_backup_db.c, ExecuteSqlCommand, EndDBCopyMode;
        pg_backup_archiver.c, _selectTablespace)."""
        command = f"\nCommand was: {statement[:_SHOWN].decode('utf-8', 'replace')}" if statement else ""
        before = "could not execute query"
        if rows and entry is not None:
            before = f'COPY failed for table "{entry.name}"'
        elif space := _TABLESPACE.match(statement):
            before, command = f"could not set default_tablespace to {space[1].decode('utf-8', 'replace')}", ""
        error = judge(f"{before}: {problem.message}{command}", entry, self._failed)
        if problem.sqlstate in _NOT_THERE and not self._has_made and _DROPS.match(statement):
            return replace(  # pg_dump --clean drops everything first, and the database is a fresh one
                error,
                error_class=ErrorClass.ALREADY_EXISTS,
                harmless=True,
                meaning="It was to be dropped before it is made; in a fresh database there is none yet.",
                mend="Nothing has to be done.",
            )
        return error
