"""Which backups are advised for which scenario and time, on real stores; and what is decided about them."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.backup.keys import age_key
from tests.recovery.test_guide import finish
from tests.recovery.world import World, utc_now
from tests.servers import Bucket
from tui.config.write import text_of
from tui.files import write_whole
from tui.incident import candidates as ranking
from tui.incident.candidates import Candidate
from tui.incident.compare import compare
from tui.incident.guide import Guide
from tui.incident.steps.assess import Waited
from tui.model.backup import ArchiveFormat
from tui.model.errors import Refused, UsageError
from tui.model.facts import Status
from tui.model.fleet import LocalStore, S3Store, Targets
from tui.model.incident import Proposal, Step, StepStatus
from tui.model.scenario import Scenario
from tui.model.secret import Secret
from tui.operations.backup.backup import Making


def ranked(guide: Guide) -> list[Candidate]:
    found, problems = guide.candidates()
    assert not problems
    return list(found)


def advised(found: list[Candidate]) -> Candidate:
    (one,) = [c for c in found if c.advised]
    assert one is found[0]  # the advised one stands first
    return one


def test_only_what_is_older_than_the_damage_is_advised(world: World) -> None:
    old, new = world.back_up(), world.back_up()
    guide = world.guide()
    assert advised(ranked(guide)).backup.key == new.manifest.key

    between = old.manifest.created_at + (new.manifest.created_at - old.manifest.created_at) / 2
    guide.decide(Scenario.BAD_MIGRATION, "the release", between, "as the release log has it")
    found = ranked(guide)
    assert advised(found).backup.key == old.manifest.key
    assert "from before the damage" in found[0].why
    assert (
        not found[1].usable and "Taken after the damage" in found[1].why and "it has it too" in found[1].why
    )


def test_a_restart_of_the_ranking_gives_up_a_backup_that_has_the_damage(world: World) -> None:
    old, new = world.back_up(), world.back_up()
    guide = world.guide()
    guide.decide(Scenario.ACCIDENTAL_DELETION, "rows are missing")
    guide.pick(advised(ranked(guide)))
    assert guide.incident.ref == f"local:{new.manifest.key}"
    guide.decide(Scenario.ACCIDENTAL_DELETION, "rows are missing", new.manifest.created_at)
    incident = guide.incident
    assert incident.ref is None and incident.record(Step.PICK).status is StepStatus.PENDING
    assert any("is given up" in entry.text for entry in incident.timeline)
    assert advised(ranked(guide)).backup.key == old.manifest.key


def test_what_the_assessment_knows_of_the_time_counts(world: World) -> None:
    old = world.back_up()
    world.sql("TRUNCATE wallets CASCADE")
    new = world.back_up()
    guide = world.guide()
    proposal = guide.assess(lambda finding: None).proposal
    assert proposal is not None and proposal.scenario is Scenario.ACCIDENTAL_DELETION
    incident = guide.decide(proposal.scenario, proposal.why)
    assert (incident.good_at, incident.damaged_at) == (old.manifest.created_at, new.manifest.created_at)
    assert advised(ranked(guide)).backup.key == old.manifest.key


def test_what_a_backup_has_lost_speaks_against_it_whatever_the_time(world: World) -> None:
    old = world.back_up()
    world.sql("TRUNCATE wallets CASCADE")
    world.back_up()
    guide = world.guide()
    guide._change(proposal=Proposal(Scenario.ACCIDENTAL_DELETION, "why", ("public.wallets",)))
    guide.decide(Scenario.ACCIDENTAL_DELETION, "why")
    found = ranked(guide)
    assert advised(found).backup.key == old.manifest.key
    assert found[1].why == "An older one has rows of wallets, this one has none: it has the damage too."


def test_when_the_time_is_not_known_the_doubt_is_told(world: World) -> None:
    world.back_up()
    guide = world.guide()
    guide.decide(Scenario.DATABASE_CORRUPTION, "checks fail")
    assert "it may have the damage too" in advised(ranked(guide)).why


def test_a_lost_place_takes_its_own_backups_along(two_stores: World) -> None:
    two_stores.back_up()
    guide = two_stores.guide()
    near = advised(ranked(guide))
    assert near.backup.store == "local" and not near.offsite and near.complete
    guide.decide(Scenario.SITE_LOST, "the data centre is dark")
    found = ranked(guide)
    assert advised(found).backup.store == "offsite" and found[0].offsite
    assert "lost in this scenario" in found[1].why
    assert found[0].estimate.high >= found[1].estimate.high  # it is fetched while it loads


def test_single_tables_take_less_time_and_a_backup_of_them_alone_will_do(world: World) -> None:
    whole = world.back_up()
    critical = world.back_up(selection="tables", tables=(("public", "orders"),))
    guide = world.guide()
    found = ranked(guide)
    assert advised(found).backup.key == whole.manifest.key
    assert found[1].why == "Not a full backup (tables)."
    guide.decide(Scenario.TABLE_CORRUPTION, "orders are gone", tables=("public.orders",))
    one = advised(ranked(guide))
    assert one.backup.key == critical.manifest.key
    guide.decide(Scenario.TABLE_CORRUPTION, "wallets too", tables=("public.wallets",))
    other = advised(ranked(guide))
    assert other.backup.key == whole.manifest.key
    assert other.estimate.high < found[0].estimate.high


def test_older_ones_are_looked_into_until_one_can_be_used(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = world.back_up()
    (local,) = (store.path for store in world.fleet.stores if isinstance(store, LocalStore))
    for _ in range(2):
        archive = local / world.back_up().manifest.key
        archive.write_bytes(archive.read_bytes()[:-100])
    world.back_up(selection="schema")
    monkeypatch.setattr(ranking, "_LOOKED_INTO", 2)
    found = ranked(world.guide())
    assert advised(found).backup.key == good.manifest.key
    assert [c.usable for c in found] == [True, False, False, False]
    assert [c.complete for c in found] == [True, True, False, False]


@pytest.mark.parametrize("form", [ArchiveFormat.CUSTOM, ArchiveFormat.DIRECTORY])
def test_one_that_no_key_here_opens_is_not_advised(world: World, tmp_path: Path, form: ArchiveFormat) -> None:
    plain = world.back_up()
    key = age_key(tmp_path)
    sealed = world.back_up(making=Making(form, encrypt_to=(key.recipient,)))
    found = ranked(world.guide())
    assert advised(found).backup.key == plain.manifest.key
    locked = next(c for c in found if c.backup.key == sealed.manifest.key)
    assert not locked.usable and "No key here opens it" in locked.why and locked.complete
    write_whole(world.config, text_of(replace(world.fleet, encryption=key.fleet.encryption)))
    assert advised(ranked(world.guide())).backup.key == sealed.manifest.key


def test_targets_are_the_scenario_s(world: World) -> None:
    world.back_up()
    fleet = replace(world.fleet, scenario_targets=(Targets(Scenario.SITE_LOST, rpo=timedelta(seconds=1)),))
    write_whole(world.config, text_of(fleet))
    guide = world.guide()
    guide._change(declared_at=utc_now() + timedelta(seconds=5))
    assert ranked(guide)[0].within_rpo  # the database's own: six hours
    guide.decide(Scenario.SITE_LOST, "gone")
    assert not ranked(guide)[0].within_rpo
    late = guide._change(declared_at=utc_now() - timedelta(hours=3))
    assert late.declared_at and not ranked(guide)[0].within_rto  # the two hours are over


def test_a_store_that_hangs_is_told_and_keeps_nobody_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.back_up()
    monkeypatch.setattr(ranking, "_LIST_S", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        key = Secret(env="HOME")
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        far = S3Store("far", "bucket", endpoint_url=url, path_style=True, access_key=key, secret_key=key)
        policy = replace(world.database.backup, stores=("local", "far"))
        database = replace(world.database, backup=policy)
        fleet = replace(world.fleet, stores=(*world.fleet.stores, far), databases=(database,))
        write_whole(world.config, text_of(fleet))
        found, problems = world.guide().candidates()
    assert [p.store for p in problems] == ["far"] and "not answered" in problems[0].what
    assert found[0].advised


def test_two_are_compared_by_what_is_in_them(world: World, bucket: Bucket) -> None:
    world.back_up()
    world.sql("DROP TABLE orders; CREATE TABLE fresh (id int); DELETE FROM wallets WHERE id > 1900")
    world.back_up()
    guide = world.guide()
    new, old = sorted(ranked(guide), key=lambda c: c.backup.sort_time, reverse=True)
    assert old.description is not None and new.description is not None
    pairs = compare(old.description, new.description)
    assert [(p.name, p.differs, p.change) for p in pairs] == [
        ("orders", True, -500), ("fresh", True, 0), ("wallets", True, -100), ("users", False, 0),
    ]  # fmt: skip
    assert guide.look_inside(replace(old, description=None)).description is not None


# What is decided


def test_a_decision_is_written_down_and_may_be_taken_anew(world: World) -> None:
    world.back_up()
    world.sql("UPDATE wallets SET balance = -1")
    guide = world.guide()
    guide.assess(lambda finding: None)
    at = utc_now() - timedelta(minutes=20)
    incident = guide.decide(Scenario.TABLE_CORRUPTION, "balances are wrong", at, "the first complaint")
    assert (incident.scenario, incident.tables) == (Scenario.TABLE_CORRUPTION, ("public.wallets",))
    assert (incident.damaged_at, incident.damaged_how) == (at, "the first complaint")
    told = [entry.text for entry in incident.timeline if entry.kind == "decision"]
    assert "Scenario: Single table corruption. balances are wrong" in told
    assert "Tables: public.wallets." in told
    incident = guide.decide(Scenario.DATABASE_CORRUPTION, "more is wrong than that")
    assert (incident.scenario, incident.tables) == (Scenario.DATABASE_CORRUPTION, ())


def test_what_makes_no_sense_is_refused(world: World) -> None:
    guide = world.guide()
    with pytest.raises(UsageError, match="which tables"):
        guide.decide(Scenario.TABLE_CORRUPTION, "why")
    with pytest.raises(UsageError, match="time to come"):
        guide.decide(Scenario.BAD_MIGRATION, "why", utc_now() + timedelta(minutes=5))
    assert guide.incident.scenario is None
    guide.close("stood down")
    with pytest.raises(Refused, match="closed"):
        guide.decide(Scenario.BAD_MIGRATION, "why")


def test_nothing_is_decided_anew_once_it_is_in_place(world: World) -> None:
    world.back_up()
    guide = world.guide()
    guide.pick(advised(ranked(guide)))
    guide.start_restore(world.live.name, guide.plan())
    finish(guide)
    guide.skip(Step.VERIFY, "in a hurry")
    guide.swap(world.live.name)
    with pytest.raises(Refused, match="in place already"):
        guide.decide(Scenario.BAD_MIGRATION, "why")


# A restart that is waited for


def test_a_restart_is_waited_for_and_seen(world: World) -> None:
    guide = world.guide()
    with pytest.raises(Refused, match="No restart is waited for"):
        guide.watch(lambda facts: None)
    incident = guide.decide(Scenario.RESTART, "the node was drained")
    assert [r.status for r in incident.steps[:4] if r.step in (Step.PICK, Step.RESTORE)] == [
        StepStatus.SKIPPED,
        StepStatus.SKIPPED,
    ]
    server = world.live.server
    port = server.port
    server.stop()
    looks: list[Status] = []

    def looked(facts: object) -> None:
        looks.append(facts.status)  # type: ignore[attr-defined]
        if len(looks) == 2:
            server.start(port)

    endpoint = replace(world.database.endpoint, port=port)
    guide.database = replace(guide.database, endpoint=endpoint)
    assert guide.watch(looked, every_s=0.1) is Waited.BACK
    assert looks[0] is Status.DOWN and looks[-1] is Status.UP
    assert guide.incident.returned_at is not None
    assert [e.text for e in guide.incident.timeline if "It is back" in e.text]
    assert guide.decide(Scenario.RESTART, "once more").returned_at is None


def test_waiting_ends_and_may_be_left(world: World) -> None:
    guide = world.guide()
    guide.database = replace(guide.database, endpoint=replace(guide.database.endpoint, port=9))
    guide.decide(Scenario.RESTART, "why")
    assert guide.watch(lambda facts: None, stop=lambda: True) is Waited.LEFT
    guide._change(waiting_since=utc_now() - timedelta(minutes=11))
    assert guide.watch(lambda facts: None, every_s=0.1) is Waited.OVERDUE
    assert guide.watch(lambda facts: None, every_s=0.1) is Waited.OVERDUE
    assert len([e for e in guide.incident.timeline if "waiting is over" in e.text]) == 1
    assert guide.assess(lambda f: None).proposal.scenario is Scenario.INSTANCE_LOST  # type: ignore[union-attr]
    incident = guide.decide(Scenario.INSTANCE_LOST, "it did not come back")
    assert incident.record(Step.PICK).status is StepStatus.PENDING and incident.waiting_since is None


def test_the_targets_say_how_long_a_restart_is_waited_for(world: World) -> None:
    fleet = replace(world.fleet, scenario_targets=(Targets(Scenario.RESTART, timedelta(minutes=3)),))
    write_whole(world.config, text_of(fleet))
    guide = world.guide()
    since: datetime | None = guide.decide(Scenario.RESTART, "why").waiting_since
    assert since is not None and guide.waits_until == since + timedelta(minutes=3)
