"""A plan warns while writes go on that the scenario wants to be stopped."""

from __future__ import annotations

from tests.recovery.world import World
from tui.model.paused import FreezeHow
from tui.model.scenario import Scenario


def test_until_they_are_frozen(world: World) -> None:
    world.back_up()
    guide = world.guide()
    guide.assess(lambda finding: None)
    guide.decide(Scenario.ACCIDENTAL_DELETION, "Somebody said so.")
    guide.pick(guide.candidates()[0][0])
    (warned,) = [f for f in guide.plan().findings if f.about == "writes"]
    assert warned.level.value == "warning" and "Freeze it" in (warned.mend or "")
    guide.freeze(FreezeHow.READ_ONLY)
    assert not [f for f in guide.plan().findings if f.about == "writes"]
    guide.thaw()
    assert [f for f in guide.plan().findings if f.about == "writes"]
