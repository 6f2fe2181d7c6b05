"""Reads what `pg_restore --verbose` prints while it prints it, and turns it into events.

The messages are those of pg_backup_archiver.c in PostgreSQL 12 to 18, in English. With several jobs,
workers write to one stderr in pieces: the prefixes of two lines may come first and their texts after
(`pg_restore: pg_restore: creating …`, then a line that has no prefix). Names come from outside and
may hold line breaks, even lines that look like messages.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable

from tui.model.backup import Contents, TocEntry
from tui.model.event import ErrorSeen, Event, ItemFinished, ItemLaunched, LogLine
from tui.model.text import clean
from tui.postgres.archive.items import restored
from tui.postgres.troubles.errors import judge

_PREFIX = re.compile(r"\s*(pg_restore:|error:|warning:|detail:|hint:)\s*")
_NUMBERED = re.compile(
    r"(launching item|finished item|skipping item|processing item|processing missed item) (\d+) "
)
_FROM = re.compile(r"from TOC entry (\d+); ")
_IGNORED = re.compile(r"errors ignored on restore: (\d+)")
_BLOCK_ID = re.compile(r"\bblock ID \(?(\d+)")
_EXPECTED_ID = re.compile(r"\bexpected (\d+)")
_STAGE = re.compile(r"while (INITIALIZING|PROCESSING TOC|FINALIZING):")
# One line per large object, and settings of the session: they would drown a journal.
_NOISE = re.compile(r"restoring large object with OID|executing SELECT pg_catalog\.set_config\(")
_PROGRESS = re.compile(
    r"(launching|finished|skipping|processing) (missed )?item \d+ |(creating|executing|dropping) [A-Z]+ "
    r"|processing data for table \"|processing BLOB|restored \d+ large object|restoring large object"
    r"|(entering|finished) main parallel loop|connecting to (new )?database|from TOC entry \d"
    r"|while (INITIALIZING|PROCESSING|FINALIZING)|errors ignored on restore"
)
_ERROR = re.compile(
    r"could not |COPY failed |connection |error |found unexpected |unrecognized |(a )?worker "
)
_SURELY_ERROR = re.compile(r"could not execute query: |COPY failed for table ")
_LONGEST_ERROR = 400  # lines; a function's body can be longer than anyone reads


class RestoreOutput:
    """Folds lines of stderr into events; keeps what it needs of the archive's TOC.

    `ids` are the items that this restore does (all of them where None): events are made for no other.
    """

    def __init__(self, contents: Contents, ids: Iterable[int] | None = None) -> None:
        wanted = None if ids is None else set(ids)
        entries = [e for e in restored(contents) if wanted is None or e.dump_id in wanted]
        self.errors_ignored: int | None = None  # what pg_restore itself counted, at its end
        self._by_id = {e.dump_id: e for e in contents.entries}
        self._order = {e.dump_id: place for place, e in enumerate(entries)}
        self._entries = entries
        self._by_message: dict[str, deque[TocEntry]] = defaultdict(deque)
        for entry in entries:
            for text in _announcements(entry):
                self._by_message[text.split("\n", 1)[0]].append(entry)
        self._dropped = {  # only --clean says these, and only their line breaks matter
            f"dropping {e.desc} {e.name}".split("\n", 1)[0]: e.name.split("\n")[1:]
            for e in contents.entries
            if "\n" in e.name
        }
        self._numbered = False  # whether pg_restore tells ids: it does with several jobs
        self._alone: int | None = None  # the item at work where nothing says that one is finished
        self._next = 0  # place in `_entries` of the next item when it works alone
        self._running: dict[int, None] = {}
        self._expected: deque[str] = deque()  # the rest of a message that has line breaks in a name
        self._owed = 0  # prefixes that came without their texts
        self._owed_error = False
        self._error: list[str] | None = None
        self._froms: list[int] = []  # entries that were named for errors still to come
        self._error_froms: list[int] = []
        self._failed: dict[int, None] = {}
        self._last_named: list[int] = []  # entries that had errors, the latest first
        self._done: set[int] = set()
        self._broken = False  # an error after which pg_restore does not go on

    def feed(self, line: str) -> list[Event]:
        """Given one line of stderr, returns what became known by it.

        An error's event comes with the first line that is no part of it.
        """
        line = line.rstrip("\r\n")
        if self._expected:
            if line == self._expected[0] or line.startswith(self._expected[0] + " "):
                self._expected.popleft()
                if self._error is not None:
                    self._add(line)
                return []
            self._expected.clear()
        tokens, text = _split(line)
        if not line.startswith("pg_restore:") and not (tokens and self._owed > 0):
            return self._without_prefix(line)
        self._owed += tokens.count("pg_restore:") - 1
        if _PROGRESS.match(text):
            # The "error:" before it belongs to a text of another worker that is still to come.
            self._owed_error = self._owed_error or "error:" in tokens
            return self._message(text)
        if "error:" in tokens:
            self._owed_error = self._owed_error or tokens.count("error:") > 1
            return self._begin_error(text)
        if self._error is not None and ("detail:" in tokens or "hint:" in tokens):
            self._add(f"{'DETAIL' if 'detail:' in tokens else 'HINT'}:  {text}")
            return []
        return self._message(text) if text else []

    def close(self, exit_code: int | None = None) -> list[Event]:
        """Says that pg_restore has ended, with its exit code where known; returns what is left to tell.

        pg_restore tells only with several jobs when an item is finished; alone, the last one counts as
        finished when pg_restore came to its own end. Without `exit_code` that is taken from what it said.
        """
        events = self._end_error()
        complete = self.errors_ignored is not None or (
            not self._broken if exit_code is None else exit_code == 0
        )
        if complete:
            events += self._finish_alone()
            if not self._numbered:
                events += self._pass_silent(len(self._entries))
        return events

    def _without_prefix(self, line: str) -> list[Event]:
        text = line.lstrip()
        if self._owed > 0 and _PROGRESS.match(text):
            self._owed -= 1
            return self._message(text)
        if self._owed > 0 and self._owed_error and _ERROR.match(text):
            self._owed, self._owed_error = self._owed - 1, False
            return self._begin_error(text)
        if self._error is None and _SURELY_ERROR.match(text):  # better an error too many than one missed
            return self._begin_error(text)
        if self._error is not None:
            self._add(line)
            return []
        return [LogLine(clean(line))] if text else []

    def _message(self, text: str) -> list[Event]:
        """A whole message that is no error; whatever error was open has ended before it."""
        events = self._end_error()
        if found := _NUMBERED.match(text):
            return events + self._item(found[1], int(found[2]))
        if found := _FROM.match(text):
            self._froms.append(int(found[1]))
            self._expect(int(found[1]))
            return events
        if _STAGE.match(text) or _NOISE.match(text):
            return events
        if found := _IGNORED.match(text):
            self.errors_ignored = int(found[1])
        elif text.startswith("entering main parallel loop"):
            self._numbered = True
            events += self._finish_alone()
        elif text in self._dropped:
            self._expected = deque(self._dropped[text])
        elif waiting := self._by_message.get(text):
            entry = waiting[0]
            rest = next(a for a in _announcements(entry) if a.split("\n", 1)[0] == text).split("\n")[1:]
            self._expected = deque(rest)
            if self._numbered:
                return events  # the item's launch has told it
            waiting.popleft()
            events += self._finish_alone()
            events += self._pass_silent(self._order[entry.dump_id])
            return events + self._launch_alone(entry.dump_id)
        elif self._numbered and text.startswith(("creating ", "processing data for table ")):
            return events
        return [*events, LogLine(clean(text))]

    def _item(self, verb: str, dump_id: int) -> list[Event]:
        self._numbered = True
        self._expect(dump_id)
        if verb == "finished item":
            return self._finish(dump_id)
        if verb == "launching item":
            if dump_id not in self._order:
                return []
            self._running[dump_id] = None
            return [*self._finish_alone(), ItemLaunched(dump_id)]
        events = self._finish_alone()
        if verb != "skipping item" and dump_id in self._order:
            events += self._launch_alone(dump_id)
        return events

    def _launch_alone(self, dump_id: int) -> list[Event]:
        self._alone = dump_id
        self._running[dump_id] = None
        self._next = max(self._next, self._order[dump_id] + 1)
        return [ItemLaunched(dump_id)]

    def _finish_alone(self) -> list[Event]:
        if self._alone is None:
            return []
        dump_id, self._alone = self._alone, None
        return self._finish(dump_id)

    def _finish(self, dump_id: int) -> list[Event]:
        if dump_id not in self._order or dump_id in self._done:
            return []
        self._done.add(dump_id)
        launched = dump_id in self._running
        self._running.pop(dump_id, None)
        return [ItemFinished(dump_id)] if launched else [ItemLaunched(dump_id), ItemFinished(dump_id)]

    def _pass_silent(self, place: int) -> list[Event]:
        """pg_restore says nothing of statistics; when what comes after them begins, they are done."""
        events: list[Event] = []
        for entry in self._entries[self._next : place]:
            if entry.desc == "STATISTICS DATA":
                events += [ItemLaunched(entry.dump_id), ItemFinished(entry.dump_id)]
        self._next = max(self._next, place)
        return events

    def _expect(self, dump_id: int) -> None:
        entry = self._by_id.get(dump_id)
        if entry is not None:
            self._expected = deque(entry.name.split("\n")[1:])

    def _begin_error(self, text: str) -> list[Event]:
        events = self._end_error()
        self._error = [text]
        self._error_froms, self._froms = self._froms, []
        return events

    def _add(self, line: str) -> None:
        if self._error is None or len(self._error) >= _LONGEST_ERROR:
            return
        self._error.append(line)
        if line.startswith("Command was: "):
            # The command's own lines may look like messages: a function's body can hold any text.
            first = line.removeprefix("Command was: ")
            for dump_id in self._error_froms[:1] or self._last_named[:1]:
                lines = self._by_id[dump_id].definition.split("\n") if dump_id in self._by_id else []
                if first in lines:
                    self._expected = deque(lines[lines.index(first) + 1 :])

    def _end_error(self) -> list[Event]:
        if self._error is None:
            return []
        message, self._error = "\n".join(self._error).strip(), None
        entry = self._entry_of(message)
        error = judge(message, entry, self._failed)
        if entry is not None and not error.harmless:
            self._failed[entry.dump_id] = None
        if not message.startswith(("could not execute query", "COPY failed", "could not set ")):
            self._broken = True
        return [ErrorSeen(error)]

    def _entry_of(self, message: str) -> TocEntry | None:
        """The entry an error belongs to: pg_restore names it before the entry's first error only."""
        for pattern in (_EXPECTED_ID, _BLOCK_ID):
            if (found := pattern.search(message)) and int(found[1]) in self._by_id:
                self._froms, self._error_froms = self._error_froms + self._froms, []
                return self._by_id[int(found[1])]
        command = message.partition("\nCommand was: ")[2].strip()
        froms = [d for d in self._error_froms if d in self._by_id]
        chosen = next((d for d in froms if _fits(self._by_id[d], command, message)), None)
        if chosen is None and froms:
            chosen = froms[0]
        if chosen is not None:
            froms.remove(chosen)
            self._froms = froms + self._froms
            self._last_named = [chosen, *(d for d in self._last_named if d != chosen)][:16]
            return self._by_id[chosen]
        for dump_id in self._last_named:
            if _fits(self._by_id[dump_id], command, message):
                return self._by_id[dump_id]
        if not command and len(self._running) == 1:
            return self._by_id[next(iter(self._running))]
        return None


def _split(line: str) -> tuple[list[str], str]:
    tokens, at = [], 0
    while found := _PREFIX.match(line, at):
        tokens.append(found[1])
        at = found.end()
    return tokens, line[at:]


def _announcements(entry: TocEntry) -> tuple[str, ...]:
    """What restore_toc_entry says when it begins with an entry; only one of these for each."""
    if entry.desc in ("BLOBS", "BLOB COMMENTS"):
        return (f"processing {entry.desc}",)
    if entry.has_data:
        return (f'processing data for table "{entry.schema}.{entry.name}"',)
    name = f"{entry.schema}.{entry.name}" if entry.schema else entry.name
    return (f'creating {entry.desc} "{name}"', f"executing {entry.desc} {entry.name}")


def _fits(entry: TocEntry, command: str, message: str) -> bool:
    """Whether a failed command is one of those that an entry is made of."""
    if not command:
        return entry.has_data and f'"{entry.name}"' in message.partition("\n")[0]
    first = command.partition("\n")[0]
    return (
        first in entry.definition
        or first in (entry.copy_statement or "")
        or (first.startswith("ALTER ") and _is_owner_of(entry, command))
        or (first.startswith("TRUNCATE ") and entry.has_data and entry.name in command)
    )


def _is_owner_of(entry: TocEntry, command: str) -> bool:
    """Whether a command is the ALTER … OWNER TO that pg_restore makes for an entry."""
    quoted = '"' + entry.name.replace('"', '""') + '"'
    return any(f"{before}{name} OWNER TO " in command for before in " ." for name in (entry.name, quoted))
