"""Lines: nothing is cut unseen, a state is a shape and a word, outside text can't do anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from textual.content import Content

from tests.recovery_screens.answers import CHECKS, COUNTS, FINDINGS, PLAN
from tests.recovery_screens.pictures import BAD_ROW, DONE, FAILED, HALFWAY, NOW, ROLE_MISSING
from tests.recovery_screens.scripted import incident_at
from tui.model.event import JobState
from tui.model.incident import Step, StepStatus
from tui.model.verdict import Check
from tui.screens.ways import is_at
from tui.widgets import job_body
from tui.widgets.check_lines import check_count, check_lines
from tui.widgets.error_lines import error_lines
from tui.widgets.finding_lines import count_lines, finding_lines
from tui.widgets.job_head import JobContext, job_head
from tui.widgets.plan_lines import plan_lines
from tui.widgets.step_strip import step_line
from tui.widgets.text_lines import folded
from tui.widgets.worker_lines import worker_lines


def plain(lines: Sequence[Content]) -> str:
    return "\n".join(row.plain for row in lines)


def test_folding_keeps_every_word_and_the_indent() -> None:
    text = "  " + " ".join(f"word{n}" for n in range(40))
    rows = folded(Content(text), 30)
    assert all(row.cell_length <= 30 and row.plain.startswith("  ") for row in rows)
    assert " ".join(row.plain.strip() for row in rows).split() == text.split()


def test_findings_come_worst_first_with_their_mend() -> None:
    text = plain(finding_lines(FINDINGS, 78, "DAMAGED"))
    assert text.index("✘ DAMAGED") < text.index("! warning") < text.index("✔ ok")
    assert "next  Restore it, or the whole database." in text


def test_counts_tell_missing_from_empty_from_fewer() -> None:
    rows = plain(count_lines(COUNTS, 78)).splitlines()
    assert [row.split()[1] for row in rows[1:]] == ["missing", "EMPTY", "fewer", "there"]
    assert "GONE" in rows[1] and "-3,600,120" in rows[2]


def test_failed_checks_stand_first_and_in_full() -> None:
    text = plain(check_lines(CHECKS, 78))
    assert text.startswith("✘ FAILED    no negative balances")
    assert text.index("? not asked") < text.index("✔ passed")
    assert check_count(CHECKS).plain == "✘ 1 FAILED · ? 1 not asked · ✔ 12 of 14 passed"


def test_errors_show_what_they_mean_and_control_characters_as_text() -> None:
    text = plain(error_lines((ROLE_MISSING, BAD_ROW), 78))
    assert text.index("✘ FAILED") < text.index("! explained")
    assert "[/bold]" in text and "\x1b" not in text and "\\x1b" in text
    assert "Command was: GRANT SELECT" in text


def test_the_head_says_when_it_is_ready_and_whether_that_is_late() -> None:
    text = plain(job_head(HALFWAY, JobContext(deadline=NOW + timedelta(minutes=20)), NOW, 78))
    assert "ready 03:37 – 03:41   (RTO 03:45)" in text and "48 %" in text
    late = plain(job_head(HALFWAY, JobContext(deadline=NOW + timedelta(minutes=2)), NOW, 78))
    assert "! RTO 03:27 LATE" in late


def test_a_head_fits_any_width_and_keeps_what_is_at_work() -> None:
    for width in (40, 60, 78, 118, 198):
        rows = job_head(HALFWAY, JobContext("app-database (PostgreSQL 16.4)", "2h 02m"), NOW, width)
        assert all(row.cell_length <= width for row in rows), width
    assert "data 81 %" in plain(job_head(HALFWAY, JobContext(), NOW, 78))


def test_the_head_of_an_ended_job_says_how() -> None:
    assert "✔ done 03:25:41 in 22m 04s · ! explained" in plain(job_head(DONE, JobContext(), NOW, 78))
    assert "✘ FAILED 03:25:41" in plain(job_head(FAILED, JobContext(), NOW, 78))
    lost = replace(FAILED, state=JobState.LOST, message=None, mend=None)
    assert "without having said how it ended" in plain(job_body.overview(lost, 78, 20, True))


def test_each_worker_has_a_line_of_the_same_width() -> None:
    for width in (77, 117):
        assert {row.cell_length for row in worker_lines(HALFWAY.workers, width)} == {width}
    text = plain(worker_lines(HALFWAY.workers, 117))
    assert "7.9M of 12.0M rows" in text and "sorting 64 %" in text and "+42s" in text


def test_the_overview_never_needs_more_room_than_there_is() -> None:
    for height in range(8, 40):
        assert len(job_body.overview(HALFWAY, 77, height, True)) <= height


def test_tables_at_work_stand_before_those_done_and_say_rows_of_expected() -> None:
    text = plain(job_body.tables_and_indexes(HALFWAY, 77))
    assert text.index("loading  trades") < text.index("failed   sessions") < text.index("done     users")
    assert "7,900,000 of 12,004,112" in text and "871 expected" in text and "sorting" in text


def test_the_strip_fits_80_columns_and_names_the_step_on_screen() -> None:
    text = step_line(incident_at(Step.RESUME), Step.VERIFY, NOW, 80).plain
    assert len(text) <= 80 and "VERIFY" in text and "1✔ assess 2m" in text and "6· resume" in text
    assert "assess" in step_line(incident_at(Step.RESUME), Step.PICK, NOW, 50).plain


def test_a_skipped_step_is_told_from_a_done_one() -> None:
    incident = incident_at(Step.RESTORE)
    skipped = tuple(
        replace(r, status=StepStatus.SKIPPED) if r.step is Step.NOTIFY else r for r in incident.steps
    )
    assert "3– notify" in step_line(replace(incident, steps=skipped), Step.RESTORE, NOW, 80).plain


def test_a_plan_shows_its_commands_and_the_time_to_spare() -> None:
    text = plain(plan_lines(PLAN, NOW, NOW + timedelta(minutes=30), 300))
    assert "createdb -h 127.0.0.1" in text and "12m to spare before the RTO" in text
    late = plain(plan_lines(PLAN, NOW, NOW + timedelta(minutes=3), 300))
    assert "! would end up to 15m after the RTO" in late


def test_hostile_names_stay_text() -> None:
    check = Check("[bold]x[/x] \x1b[2J", False, "a\u202eb", "c", None)
    text = plain(check_lines((check,), 78))
    assert "[bold]x[/x]" in text and "\x1b" not in text and "\u202e" not in text


def test_an_incident_that_is_taken_up_says_how_its_step_stands() -> None:
    begun = incident_at(Step.RESUME)
    assert is_at(begun) == "resume: not begun"
    record = replace(begun.record(Step.RESUME), status=StepStatus.ACTIVE, began_at=NOW)
    assert is_at(replace(begun, steps=(*begun.steps[:5], record))) == f"resume: begun at {NOW:%H:%M} UTC"
    assert is_at(incident_at(Step.PICK)).startswith("pick: ")
    untold = replace(begun.record(Step.NOTIFY), status=StepStatus.ACTIVE, began_at=NOW)  # and gone on
    steps = tuple(untold if r.step is Step.NOTIFY else r for r in begun.steps)
    assert is_at(replace(begun, steps=steps)) == "resume: not begun"
