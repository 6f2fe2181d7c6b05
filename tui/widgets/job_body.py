"""The lines under a job's head: workers, what is done, tables, log; or one of them alone."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui.model import amounts as show
from tui.model.backup import Verdict
from tui.model.event import JobKind, JobState
from tui.model.progress import Progress
from tui.model.text import clean
from tui.widgets.check_lines import check_count, check_lines
from tui.widgets.error_lines import error_count, error_lines, newest_error
from tui.widgets.lines import BLANK, FAINT, STRONG, fit, line, wrapped
from tui.widgets.rows import joined
from tui.widgets.table_rows import index_rows, table_rows
from tui.widgets.text_lines import LazyLines
from tui.widgets.worker_lines import worker_lines


def overview(picture: Progress, width: int, height: int, with_tables: bool) -> list[Content]:
    """Given a job's picture and the room there is, returns what matters most of it in that room.

    The workers and the counts always; then tables (unless they stand beside) and the newest of the log.
    """
    made: list[Content] = []
    if picture.state is not JobState.RUNNING:
        made += _outcome(picture, width)
    if picture.workers and picture.state is JobState.RUNNING:
        made += [*worker_lines(picture.workers, width), BLANK]
    made.append(_counts(picture, width))
    room = height - len(made)
    if with_tables and picture.tables and room >= 6:
        rows = table_rows(picture.tables, width)
        cut = min(len(rows), room // 2)
        made += rows[:cut]  # no more than these are made
        if cut < len(rows):
            made[-1] = line((f"  … {len(rows) - cut + 1} more tables", FAINT))
        room = height - len(made)
    made += (
        [fit(line((clean(text), FAINT)), width) for text in picture.log[-max(0, room) :]] if room > 0 else []
    )
    return made


def tables_and_indexes(picture: Progress, width: int) -> LazyLines:
    """Given a job's picture, returns every table and every index or constraint it has."""
    done = sum(table.state == "done" for table in picture.tables)
    built = sum(index.state == "done" for index in picture.indexes)
    parts: list[Sequence[Content]] = [
        [line((f"tables  {done} of {len(picture.tables)} done", STRONG))],
        table_rows(picture.tables, width),
    ]
    if picture.indexes:
        parts.append([BLANK, line((f"indexes and keys  {built} of {len(picture.indexes)} done", STRONG))])
        parts.append(index_rows(picture.indexes, width))
    if picture.foreign_keys_total:
        keys = f"foreign keys  {picture.foreign_keys_done} of {picture.foreign_keys_total} done"
        parts.append([BLANK, line((keys, STRONG))])
    return LazyLines(*((len(part), part.__getitem__) for part in parts))


def errors(picture: Progress, width: int) -> list[Content]:
    """Given a job's picture, returns all its errors in full, and how it failed if it did."""
    made = [] if picture.state is JobState.RUNNING else _outcome(picture, width)
    running = picture.state is JobState.RUNNING
    return [*made, *error_lines(picture.errors, width, running=running, failed=_has_failed(picture))]


def _has_failed(picture: Progress) -> bool:
    ended_badly = picture.state not in (JobState.RUNNING, JobState.DONE)
    return ended_badly or picture.verdict is Verdict.FAILED


def log(picture: Progress) -> list[Content]:
    """Given a job's picture, returns the last lines of its log, uncut."""
    return [line(clean(text)) for text in picture.log] or [line(("The log is empty so far.", FAINT))]


def checks(picture: Progress, width: int) -> list[Content]:
    """Given a job's picture, returns its checks, failed ones first."""
    return [check_count(picture.checks), *check_lines(picture.checks, width)]


def _outcome(picture: Progress, width: int) -> list[Content]:
    """How it ended, what it left, what to do: the summary of a job that no longer runs."""
    made: list[Content] = []
    if picture.message:
        made += wrapped(clean(picture.message), width)
    if picture.mend:
        made += wrapped(clean(picture.mend), width, line(("next  ", FAINT)))
    if picture.state is JobState.LOST and not picture.message:
        made += wrapped(
            "The process that ran this is gone without having said how it ended. What it had made so far "
            "is still on the server; the live database was not touched.",
            width,
        )
    facts = [
        f"{show.count(picture.rows)} rows" if picture.rows is not None else "",
        f"fetched {show.size(picture.fetched_bytes)}" if picture.fetched_bytes else "",
    ]
    if any(facts):
        made.append(joined(facts))
    if picture.checks and picture.kind is not JobKind.BACKUP:
        made.append(line(("checks  ", FAINT), check_count(picture.checks)))
    return [*made, BLANK] if made else []


def _counts(picture: Progress, width: int) -> Content:
    parts: list[Content | str] = []
    if picture.tables:
        done = sum(table.state == "done" for table in picture.tables)
        parts.append(f"{done} of {len(picture.tables)} tables")
    if picture.indexes:
        built = sum(index.state == "done" for index in picture.indexes)
        parts.append(f"{built} of {len(picture.indexes)} indexes")
    parts.append(error_count(picture.errors, failed=_has_failed(picture)))
    counts = line(("done ", FAINT), joined(parts)) if len(parts) > 1 else joined(parts)
    why = newest_error(picture.errors)
    return fit(counts + (line(": ", why) if why else BLANK), width)


def beside(picture: Progress, width: int) -> Sequence[Content]:
    """Given a job's picture, returns what a wide screen shows beside the overview."""
    if picture.tables or picture.indexes:
        return tables_and_indexes(picture, width)
    return checks(picture, width) if picture.checks else []
