"""The guided recovery against a real server, without a screen."""

from __future__ import annotations

import time

import pytest

from tests.recovery.world import World, utc_now
from tui.incident.book import Book
from tui.incident.guide import Guide
from tui.model.amounts import minute
from tui.model.backup import Verdict
from tui.model.errors import Refused, UsageError
from tui.model.event import JobState
from tui.model.incident import Step, StepStatus
from tui.model.plan import Level
from tui.model.progress import Progress


def finish(guide: Guide) -> Progress:
    """Waits for the restore's end, two minutes at most."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        picture = guide.restore_picture()
        assert picture is not None
        if picture.state is not JobState.RUNNING:
            guide.finish_restore()
            return picture
        time.sleep(0.1)
    raise AssertionError("the restore did not end")


def restored(world: World) -> Guide:
    """A guide whose restore has ended well."""
    guide = world.guide()
    guide.assess(lambda f: None)
    found, problems = guide.candidates()
    assert not problems
    guide.pick(next(c for c in found if c.advised))
    guide.notify(guide.message())
    plan = guide.plan()
    guide.start_restore(world.live.name, plan)
    picture = finish(guide)
    assert (picture.state, picture.verdict, picture.errors) == (JobState.DONE, Verdict.CLEAN, ())
    return guide


def test_a_dropped_database_comes_back_by_the_six_steps(world: World) -> None:
    made = world.back_up()
    world.drop_live()
    guide = world.guide()

    findings = guide.assess(lambda f: None).findings
    assert findings[0].level is Level.STOP and "does not exist" in findings[0].what
    # Told before one is picked: the newest that was found.
    assert f"Last backup: {minute(made.manifest.created_at)} UTC" in guide.message().text

    guide = restored(world)
    guide.verify(lambda c: None)
    assert [c for c in guide.incident.checks if c.passed is False] == []
    assert guide.incident.record(Step.VERIFY).status is StepStatus.DONE
    guide.swap(world.live.name)
    incident = guide.close("recovered")

    assert {t: world.count(t) for t in ("users", "wallets", "orders")} == {
        t.name: t.rows for t in made.manifest.tables
    }
    assert [r.status for r in incident.steps] == [StepStatus.DONE] * 6
    report = guide.report_path.read_text()
    assert "Outcome: recovered" in report and "| restore | done |" in report


def test_the_live_database_is_kept_and_undo_puts_it_back(world: World) -> None:
    world.back_up()
    world.sql("TRUNCATE orders; INSERT INTO users (email) VALUES ('late@example.org')")
    guide = restored(world)
    guide.verify(lambda c: None)
    swap = guide.swap(world.live.name).swap
    assert swap is not None and swap.kept_as is not None
    assert (world.count("orders"), world.count("users")) == (500, 400)
    assert (world.count("orders", swap.kept_as), world.count("users", swap.kept_as)) == (0, 401)
    guide.undo(world.live.name)
    assert (world.count("orders"), world.count("users")) == (0, 401)
    with pytest.raises(Refused):
        guide.undo(world.live.name)
    back = f'ALTER DATABASE "{swap.kept_as}" RENAME TO "{swap.live_name}"'
    assert any(back in e.text for e in guide.incident.timeline if e.kind == "command")
    guide.swap_plan()
    guide.swap(world.live.name)
    assert world.count("orders") == 500
    guide.close("recovered")
    assert "\nAn earlier swap was undone at " in guide.report_path.read_text()


def test_assess_says_what_is_emptied_shrunk_gone_and_negative(world: World) -> None:
    world.back_up()
    world.sql("TRUNCATE orders; UPDATE wallets SET balance = -1 WHERE id = 7; DROP VIEW rich")
    world.sql("ALTER TABLE wallets DROP COLUMN note; DELETE FROM wallets WHERE id > 1500")
    said = {f.what for f in world.guide().assess(lambda f: None).findings if f.level is not Level.OK}
    assert any("orders is empty; the last backup had 500 rows" in what for what in said)
    assert any("wallets has 1,500 rows, 500 fewer" in what for what in said)
    assert any("No negative balances" in what for what in said)
    assert any("note" in what for what in said)


@pytest.mark.parametrize("typed", ["", "yes", "shop ", "SHOP"])
def test_nothing_starts_on_a_wrong_name(world: World, typed: str) -> None:
    world.back_up()
    guide = world.guide()
    guide.pick(next(c for c in guide.candidates()[0] if c.advised))
    with pytest.raises(Refused):
        guide.start_restore(typed, guide.plan())
    assert guide.incident.job is None and world.databases() == {world.live.name}


def test_a_swap_waits_for_the_checks(world: World) -> None:
    world.back_up()
    guide = restored(world)
    with pytest.raises(Refused, match="has not passed its checks"):
        guide.swap(world.live.name)
    with pytest.raises(UsageError):
        guide.skip(Step.VERIFY, "  ")
    guide.skip(Step.VERIFY, "The duty manager decided so.")
    assert guide.swap(world.live.name).swap is not None


def test_a_failed_check_stops_the_way(world: World) -> None:
    world.back_up()
    guide = restored(world)
    assert guide.incident.target is not None
    world.live.server.sql("DELETE FROM orders WHERE id = 1", guide.incident.target)
    guide.verify(lambda c: None)
    assert guide.incident.record(Step.VERIFY).status is StepStatus.FAILED
    with pytest.raises(Refused):
        guide.swap(world.live.name)


def test_an_incident_goes_on_after_the_app_is_gone(world: World) -> None:
    world.back_up()
    guide = world.guide()
    guide.assess(lambda f: None)
    guide.pick(next(c for c in guide.candidates()[0] if c.advised))
    guide.start_restore(world.live.name, guide.plan())
    # A new process would begin with nothing but the state directory:
    book = Book(world.state)
    (found,) = book.open_ones()
    again = Guide(world.fleet, world.state, book, found, "bob@db1", utc_now)
    assert found.record(Step.PICK).status is StepStatus.DONE
    again.take_over()
    assert finish(again).verdict is Verdict.CLEAN
    again.verify(lambda c: None)
    again.swap(world.live.name)
    assert again.close("recovered").closed_at is not None
    assert Book(world.state).open_ones() == ()


def test_a_cancelled_restore_can_be_gone_on_with(world: World) -> None:
    world.back_up()
    guide = world.guide()
    guide.pick(next(c for c in guide.candidates()[0] if c.advised))
    with pytest.raises(Refused):
        guide.resume_restore()
    first = guide.start_restore(world.live.name, guide.plan())
    guide.cancel_restore(keep=True)
    done = finish(guide)
    if done.verdict is None:  # it was stopped before it was done: it is quick
        assert guide.incident.record(Step.RESTORE).status is StepStatus.FAILED
        again = guide.resume_restore()
        assert again != first and guide.incident.job == again and guide.incident.target is not None
        done = finish(guide)
    assert done.verdict is Verdict.CLEAN
    guide.verify(lambda c: None)
    assert guide.incident.record(Step.VERIFY).status is StepStatus.DONE


def test_a_backup_cut_short_is_not_advised(world: World) -> None:
    first = world.back_up()
    time.sleep(1.1)  # the next one's key must differ: keys have seconds
    second = world.back_up()
    path = world.fleet.stores[0].path / second.manifest.key  # type: ignore[union-attr]
    path.write_bytes(path.read_bytes()[: second.manifest.size_bytes // 2])
    found, _ = world.guide().candidates()
    assert [c.backup.key for c in found] == [first.manifest.key, second.manifest.key]
    assert [(c.advised, c.complete) for c in found] == [(True, True), (False, False)]
    assert "cut" in found[1].why.lower() or "short" in found[1].why.lower()


def test_picking_another_backup_begins_the_restore_anew(world: World) -> None:
    world.back_up()
    guide = restored(world)
    first = guide.incident.target
    guide.pick(next(c for c in guide.candidates()[0] if c.advised))
    assert (guide.incident.target, guide.incident.job, guide.incident.verdict) == (None, None, None)
    assert guide.incident.record(Step.RESTORE).status is StepStatus.PENDING
    assert first in world.databases()
