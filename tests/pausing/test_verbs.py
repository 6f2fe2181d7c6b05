"""The command line: services, pause, unpause, freeze, thaw, paused."""

from __future__ import annotations

from dataclasses import replace

from tests.pausing.conftest import Little
from tests.recovery.world import World
from tui.config.write import text_of
from tui.files import write_whole


def states(answer: dict[str, list[dict[str, str]]]) -> list[tuple[str, str]]:
    return [(service["service"], service["state"]) for service in answer["services"]]


def test_a_database_s_services_there_and_back(world: World, two: tuple[Little, Little]) -> None:
    seen = world.answer("services", "shop")
    assert states(seen) == [("server", "running"), ("payment-processor", "running")]
    assert [s["healthy"] for s in seen["services"]] == [True, True]
    assert (seen["databases"][0]["read_only"], seen["databases"][0]["state"]) == (False, "running")

    asked = world.pgdr("pause", "shop")
    assert asked.returncode == 4 and "Add --confirm shop" in asked.stderr and "little.py" in asked.stderr
    assert all(one.log == [] for one in two)

    answer = world.answer("pause", "shop", "--confirm", "shop", "--reason", "wallets emptied")
    assert (
        states(answer) == [("server", "paused"), ("payment-processor", "paused")] and answer["errors"] == []
    )
    listed = world.answer("paused")
    assert [(s["why"], s["replicas"], s["incident"]) for s in listed["services"]] == [
        ("wallets emptied", None, None)
    ] * 2
    shown = world.pgdr("paused")
    assert "service server of shop: paused, since" in shown.stdout and "(wallets emptied)" in shown.stdout

    done = world.pgdr("unpause", "shop")
    assert done.returncode == 0 and "command  " in done.stderr and "server  running" in done.stdout
    assert world.pgdr("paused").stdout == "Nothing is paused or frozen.\n"


def test_services_by_name(world: World, two: tuple[Little, Little]) -> None:
    server, processor = two
    assert world.pgdr("pause", "--service", "server", "--confirm", "shop").returncode == 4
    world.answer("pause", "--service", "server", "--confirm", "server")
    assert not server.runs and processor.runs
    both = ("--service", "server", "--service", "payment-processor")
    world.answer("pause", *both, "--confirm", "Shop")
    assert not processor.runs and server.log == ["stop"]
    world.answer("unpause", *both)
    assert server.runs and processor.runs


def test_one_that_fails(world: World, two: tuple[Little, Little]) -> None:
    (two[0].directory / "fail").touch()
    answer = world.answer("pause", "shop", "--confirm", "shop", code=1)
    assert states(answer) == [("server", "failed"), ("payment-processor", "paused")]
    assert "exited with 7" in answer["errors"][0]["why"]
    world.answer("unpause", "--service", "server", "--give-up", "It only reads.")
    assert states(world.answer("paused")) == [("payment-processor", "paused")]
    (two[1].directory / "fail").touch()
    assert states(world.answer("unpause", "shop", code=1))[1] == ("payment-processor", "failed")


def test_what_makes_no_sense(world: World) -> None:
    for arguments, code in (
        (("pause",), 2),
        (("pause", "nobody", "--confirm", "nobody"), 2),
        (("pause", "shop", "--service", "server", "--confirm", "shop"), 2),
        (("pause", "--service", "mailer", "--confirm", "mailer"), 2),
        (("unpause", "--service", "server", "--give-up", " "), 2),
        (("freeze", "shop"), 4),
        (("freeze", "shop", "--confirm", "SHOP"), 4),
        (("thaw", "shop"), 4),
        (("thaw", "shop", "--give-up", ""), 2),
    ):
        assert world.pgdr(*arguments).returncode == code, arguments


def test_read_only_takes_them_away(world: World, two: tuple[Little, Little]) -> None:
    for verb in ("pause", "unpause", "freeze", "thaw"):
        confirm = ("--confirm", "shop") if verb in ("pause", "freeze") else ()
        done = world.pgdr("--read-only", verb, "shop", *confirm)
        assert done.returncode == 4 and "--read-only" in done.stderr
    assert all(one.runs for one in two)


def test_freeze_and_thaw(world: World) -> None:
    asked = world.pgdr("freeze", "shop")
    assert asked.returncode == 4
    assert (
        f"would run ALTER DATABASE \"{world.live.name}\" SET default_transaction_read_only TO 'on';"
        in asked.stderr
    )
    answer = world.answer("freeze", "shop", "--confirm", "shop")
    assert (answer["state"], answer["read_only"], answer["connections"]) == ("paused", True, True)
    assert answer["frozen"]["how"] == "read-only"
    assert (
        "takes no connections" in world.pgdr("freeze", "shop", "--no-connections", "--confirm", "shop").stdout
    )
    assert world.answer("paused")["databases"][0]["how"] == "no-connections"
    assert "frozen (no-connections), since" in world.pgdr("paused").stdout
    assert world.answer("thaw", "shop")["state"] == "running"


def test_check_tells_of_services_that_nobody_has_described(world: World) -> None:
    fleet = replace(world.fleet, services=world.fleet.services[:1])
    write_whole(world.config, text_of(fleet))
    problems = world.answer("check", code=2)["problems"]
    (found,) = [p for p in problems if p["where"].endswith("databases.shop.services")]
    assert found["what"] == 'There is no service "payment-processor": it can\'t be paused.'
    assert "[services.payment-processor]" in found["mend"]


def test_check_asks_every_service(world: World, two: tuple[Little, Little]) -> None:
    broken = replace(two[0].spec, state=("no-such-program-of-ours",))
    write_whole(world.config, text_of(replace(world.fleet, services=(broken, two[1].spec))))
    problems = world.answer("check", code=1)["problems"]
    assert ["services.server" in p["where"] for p in problems] == [True]
    assert "could not be started" in problems[0]["what"]
