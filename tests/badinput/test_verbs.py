"""The command line when what it needs is broken: sentences, exit codes, one JSON document, no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.recovery.world import World
from tui.verbs.console import json_text


@pytest.mark.parametrize(
    "value", ["caf\udce9", "a\x1b[2Jb", "\x9b31m", "\u202egpj", "\x7f", "日本 é 😀", '"\\', "\u2028"]
)
def test_json_keeps_what_it_says_and_commands_no_terminal(value: str) -> None:
    text = json_text({value: [value]})
    assert json.loads(text) == {value: [value]}
    text.encode()
    assert not any(
        (ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2028" for c in text
    )


def test_names_that_are_no_utf8_are_shown(world: World) -> None:
    world.answer("backup", "shop")
    (archive,) = (world.config.parent / "backups").glob("*.dump")
    odd = os.fsencode(archive.parent) + b"/caf\xe9\x1b[2J-20261101-000000.dump"
    Path(os.fsdecode(odd)).write_bytes(archive.read_bytes())
    refs = [b["ref"] for b in world.answer("backups")["backups"]]
    assert len(refs) == 2 and any("caf\udce9" in ref for ref in refs)
    shown = subprocess.run(world.argv("backups"), capture_output=True, check=False)
    assert shown.returncode == 0 and b"\\udce9\\x1b[2J" in shown.stdout and b"\x1b" not in shown.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_unicode_ends_no_verb(world: World, encoding: str) -> None:
    for verb in (("check",), ("backups",), ("inventory",), ("show", "local:“")):
        done = world.pgdr(*verb, PYTHONIOENCODING=encoding)
        assert "Traceback" not in done.stderr and "fault" not in done.stderr, verb


def test_a_name_in_an_error_commands_no_terminal(world: World) -> None:
    for verb in (("backups", "--store", "no\x1b[2J"), ("backup", "shop", "--store", "\u202ex")):
        done = world.pgdr(*verb)
        assert done.returncode == 2 and not {"\x1b", "\u202e"} & set(done.stderr)


def test_a_report_that_is_not_there_is_told_in_json_too(world: World) -> None:
    done = world.pgdr("report", "7", "--format", "json")
    assert done.returncode == 2 and "no incident 7" in json.loads(done.stdout)["error"]["what"]


def test_a_file_where_the_state_should_be(world: World) -> None:
    world.state.mkdir()
    (world.state / "jobs").write_text("in the way")
    for verb in (("jobs",), ("attach", "last")):
        said = world.answer(*verb, code=1)["error"]
        assert str(world.state / "jobs") in said["what"] and said["mend"]


def test_a_command_line_that_makes_no_sense_is_told_in_json_too(world: World) -> None:
    for verb in (("restore",), ("restor", "x"), ("backups", "--limit", "many"), ("demo", "\x1b[2J")):
        done = world.pgdr(*verb, "--json")
        error = json.loads(done.stdout)["error"]
        assert done.returncode == 2 and error["what"].endswith(".") and "--help" in error["mend"]
        assert "\x1b" not in done.stderr


def test_a_configuration_that_is_no_file_is_not_waited_for(world: World, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        argv = [*world.argv("inventory")[:3], "--config", str(path), "inventory"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 2 and "is no file" in done.stderr


def test_ctrl_c_while_the_program_is_loaded_leaves_no_traceback(world: World) -> None:
    # The first line that -v prints of its own modules comes while they are being imported.
    argv = world.argv("backups")
    process = subprocess.Popen([argv[0], "-v", *argv[1:]], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "tui/model" in line or "tui.cli" in line:
            break
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait(30) in (-signal.SIGINT, 130) and "Traceback" not in rest


def test_a_job_whose_server_does_not_answer_ends_with_the_code_for_it(world: World) -> None:
    ref = world.answer("backup", "shop")[0]["ref"]
    order = world.answer("restore", ref, "--plan")["plan"]
    assert order["commands"]
    text = world.config.read_text()
    job = world.answer("restore", ref, "--detach")["job"]
    world.answer("attach", job)
    world.config.write_text(text.replace(f"port = {world.live.endpoint.port}", "port = 1"))
    assert world.pgdr("restore", ref).returncode == 5
    assert world.pgdr("verify", ref).returncode == 5
