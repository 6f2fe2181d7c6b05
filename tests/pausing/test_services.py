"""Real processes paused and resumed: in order, as they were, and never forgotten on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.pausing.conftest import Little
from tests.recovery.world import utc_now
from tui.model.errors import PgdrError, Refused
from tui.model.fleet import Database, Fleet
from tui.model.paused import PausedService, PauseEvent, PauseState
from tui.operations.pause import pause as operation
from tui.operations.pause.pause import Cause
from tui.operations.pause.paused import alone_with, paused, paused_service, write_service
from tui.operations.pause.pausing import Pausing
from tui.services.health import ask_service

CAUSE = Cause("ann@db1", "a drop without a where", "shop", "7")


def forget(event: PauseEvent) -> None:
    """Tells nobody."""


def pause(state: Path, little: Little, on_event: operation.OnEvent = forget) -> PauseState:
    return operation.pause(state, little.spec, CAUSE, utc_now, on_event)


def test_there_and_back(tmp_path: Path, little: Little) -> None:
    events: list[PauseEvent] = []
    assert pause(tmp_path, little, events.append) is PauseState.PAUSED
    assert not little.runs
    assert [e.state for e in events] == [PauseState.PAUSING, PauseState.PAUSED]
    (record,) = paused(tmp_path).services
    assert (record.service, record.operator, record.why, record.incident) == (
        "little", "ann@db1", "a drop without a where", "7",
    )  # fmt: skip
    assert operation.view(tmp_path, "little", little.spec).state is PauseState.PAUSED
    health = operation.resume(tmp_path, little.spec, forget)
    assert health is not None and health.ok and little.runs
    assert paused(tmp_path).services == ()


def test_again_does_nothing_more(tmp_path: Path, little: Little) -> None:
    pause(tmp_path, little)
    began = paused(tmp_path).services[0].at
    pause(tmp_path, little)
    assert little.log == ["stop"] and paused(tmp_path).services[0].at == began
    operation.resume(tmp_path, little.spec, forget)
    operation.resume(tmp_path, little.spec, forget)
    assert little.log == ["stop", "start"]


def test_what_someone_else_has_stopped_isn_t_started(tmp_path: Path, little: Little) -> None:
    little.end()
    (little.directory / "pid").unlink()
    assert pause(tmp_path, little) is PauseState.STOPPED
    assert paused(tmp_path).services == () and little.log == []
    with pytest.raises(Refused, match="was not paused by pgdr here"):
        operation.resume(tmp_path, little.spec, forget)


def test_what_someone_else_has_started_meanwhile_is_only_asked(tmp_path: Path, little: Little) -> None:
    pause(tmp_path, little)
    little.begin()
    seen = operation.view(tmp_path, "little", little.spec)
    assert seen.state is PauseState.RUNNING and "someone else has started it" in seen.what
    operation.resume(tmp_path, little.spec, forget)
    assert little.log == [] and paused(tmp_path).services == ()


def test_a_program_that_hangs_is_ended_and_told(tmp_path: Path, little: Little) -> None:
    (little.directory / "hang").touch()
    hasty = replace(little, spec=replace(little.spec, timeout_s=2))
    with pytest.raises(PgdrError, match="had not ended after 2 s") as caught:
        pause(tmp_path, hasty)
    assert caught.value.why == "It said: about to hang"
    assert str(caught.value.mend).startswith("See what it says by hand: ")
    (record,) = paused(tmp_path).services
    assert record.state is PauseState.FAILED and "had not ended" in record.what
    seen = operation.view(tmp_path, "little", little.spec)
    assert seen.state is PauseState.FAILED and "Now: it runs" in seen.what
    (little.directory / "hang").unlink()
    assert pause(tmp_path, little) is PauseState.PAUSED


def test_what_a_program_says_is_cleaned(tmp_path: Path, little: Little) -> None:
    (little.directory / "fail").touch()
    with pytest.raises(PgdrError) as caught:
        pause(tmp_path, little)
    why = str(caught.value.why)
    assert r"exited with 7: \x1b[31mno such" in why and "\x1b" not in why


def test_one_that_isn_t_well_stays_listed(tmp_path: Path, little: Little) -> None:
    pause(tmp_path, little)
    little.answers(503, '{"status": "no database"}')
    hasty = replace(little.spec, health_within_s=1)
    with pytest.raises(PgdrError, match="runs, but was not well after 1 s") as caught:
        operation.resume(tmp_path, hasty, forget)
    assert "503" in str(caught.value.why) and little.runs
    assert paused(tmp_path).services[0].state is PauseState.FAILED
    little.answers(200, '{"status": "ok", "checks": {"database": false}}')
    with pytest.raises(PgdrError) as caught:
        operation.resume(tmp_path, hasty, forget)
    assert "checks.database should be true, and is false" in str(caught.value.why)
    little.answers(200, '{"status": "ok", "checks": {"database": true}}')
    operation.resume(tmp_path, hasty, forget)
    assert paused(tmp_path).services == () and little.log == ["stop", "start"]


@pytest.mark.parametrize(
    ("command", "well"), [(("true",), True), (("false",), False), (("no-such-program-of-ours",), False)]
)
def test_health_by_a_command(little: Little, command: tuple[str, ...], well: bool) -> None:
    by_both = ask_service(replace(little.spec, health_command=command))
    by_it = ask_service(replace(little.spec, health_url=None, health_json=(), health_command=command))
    assert by_both is not None and by_it is not None
    assert (by_both.ok, by_it.ok) == (well, well)
    assert ask_service(replace(little.spec, health_url=None)) is None


def test_how_many_there_were_survives_a_cut(tmp_path: Path, little: Little) -> None:
    """A kill after the scaling and before it was noted: what is there now is not what was there before."""
    before = PausedService(
        "little", "kubernetes", "shop", PauseState.PAUSING, utc_now(), "ann", "x", replicas=3
    )
    write_service(tmp_path, before)
    little.end()
    (little.directory / "pid").unlink()
    assert pause(tmp_path, little) is PauseState.PAUSED
    found = paused_service(tmp_path, "little")
    assert found is not None and found.replicas == 3


def test_two_at_once_are_kept_apart(tmp_path: Path, little: Little) -> None:
    with alone_with(tmp_path, "service", "little"), pytest.raises(Refused, match="Another pgdr"):
        pause(tmp_path, little)
    assert little.runs


def test_a_record_that_can_t_be_read_is_told_and_never_written_over(tmp_path: Path, little: Little) -> None:
    pause(tmp_path, little)
    (path,) = (tmp_path / "paused").glob("service.*.toml")
    path.write_text("replicas = ")
    (problem,) = paused(tmp_path).problems
    assert str(path) in problem
    with pytest.raises(PgdrError, match="can't be read"):
        pause(tmp_path, little)
    assert path.read_text() == "replicas = "


@pytest.mark.parametrize("name", ["a/../b", ".", "x.y", "naïve ☃", "a" * 60])
def test_any_name_is_one_file(tmp_path: Path, little: Little, name: str) -> None:
    odd = replace(little, spec=replace(little.spec, name=name))
    pause(tmp_path, odd)
    assert [s.service for s in paused(tmp_path).services] == [name]
    operation.resume(tmp_path, odd.spec, forget)
    assert list((tmp_path / "paused").glob("*.toml")) == []


# Several, in order


@pytest.fixture
def pausing(tmp_path: Path, two: tuple[Little, Little]) -> Pausing:
    database = Database("shop", "shop", "db", services=("server", "payment-processor"))
    fleet = Fleet("Shop", databases=(database,), services=tuple(reversed([one.spec for one in two])))
    return Pausing(fleet, tmp_path, database, CAUSE, utc_now)


def named(events: list[PauseEvent], state: PauseState) -> list[str]:
    return [event.name for event in events if event.state is state]


def test_all_are_stopped_in_order_and_started_in_reverse(
    pausing: Pausing, two: tuple[Little, Little]
) -> None:
    events: list[PauseEvent] = []
    views = pausing.pause_all(events.append)
    assert [v.state for v in views] == [PauseState.PAUSED] * 2
    assert named(events, PauseState.PAUSED) == ["server", "payment-processor"]
    events.clear()
    views = pausing.resume_all(events.append)
    assert named(events, PauseState.RUNNING) == ["payment-processor", "server"]
    assert [(v.state, v.healthy) for v in views] == [(PauseState.RUNNING, True)] * 2


def test_one_that_fails_keeps_no_other_running(pausing: Pausing, two: tuple[Little, Little]) -> None:
    notes: list[tuple[str, str]] = []
    pausing.note = lambda kind, text: notes.append((kind, text))
    server, processor = two
    (server.directory / "fail").touch()
    views = pausing.pause_all(forget)
    assert [v.state for v in views] == [PauseState.FAILED, PauseState.PAUSED] and not processor.runs
    failed = next(text for kind, text in notes if kind == "error")
    assert failed.startswith("server: The service server could not be stopped.")
    with pytest.raises(PgdrError, match="needs a reason"):
        pausing.go_past("server", " ")
    pausing.go_past("server", "It only reads.")
    assert [s.service for s in pausing.recorded().services] == ["payment-processor"]
    assert ("decision", "Service server was left as it is: It only reads.") in notes


def test_resuming_ends_at_the_first_that_fails(pausing: Pausing, two: tuple[Little, Little]) -> None:
    server, processor = two
    pausing.pause_all(forget)
    (processor.directory / "fail").touch()
    views = pausing.resume_all(forget)
    assert [v.state for v in views] == [PauseState.PAUSED, PauseState.FAILED] and not server.runs
    (processor.directory / "fail").unlink()
    assert [v.state for v in pausing.resume_all(forget)] == [PauseState.RUNNING] * 2


def test_one_that_nobody_has_described(pausing: Pausing) -> None:
    pausing.database = replace(pausing.database, services=("server", "mailer"))
    assert [v.state for v in pausing.services()] == [PauseState.RUNNING, PauseState.UNDECLARED]
    with pytest.raises(PgdrError, match=r"\[services.mailer\] is missing"):
        pausing.pause("mailer", forget)


def test_a_drill_stops_nothing(pausing: Pausing, two: tuple[Little, Little], tmp_path: Path) -> None:
    notes: list[str] = []
    pausing.drill, pausing.note = True, lambda kind, text: notes.append(text)
    views = pausing.pause_all(forget)
    assert [v.state for v in views] == [PauseState.PAUSED] * 2
    assert all(one.runs and one.log == [] for one in two) and not (tmp_path / "paused").exists()
    assert len(notes) == 2 and all(text.startswith("DRILL: would run ") for text in notes)
    assert [v.state for v in pausing.resume_all(forget)] == [PauseState.RUNNING] * 2
    assert all(one.log == [] for one in two)
