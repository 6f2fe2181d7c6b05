"""The app in a real terminal (a pty): it begins, it ends, and it gives the terminal back."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from pathlib import Path

import pexpect
import pytest

from tests.terminal.terminal import Terminal
from tui.widgets.ascii import needs_ascii

ROOT = Path(__file__).parents[2]
ALTERNATE_OFF = "\x1b[?1049l"
CURSOR_ON = "\x1b[?25h"


def config(directory: Path, port: int) -> Path:
    """A fleet whose server and store take connections and never answer."""
    (directory / "secret").write_text("x\n")
    path = directory / "pgdr.toml"
    path.write_text(f"""
[fleet]
name = "deaf"
[stores.far]
kind = "s3"
bucket = "b"
endpoint_url = "http://127.0.0.1:{port}"
access_key = {{ file = "{directory / "secret"}" }}
secret_key = {{ file = "{directory / "secret"}" }}
[databases.quiet]
dbname = "quiet"
service = "x"
host = "127.0.0.1"
port = {port}
connect_timeout = "10m"
[databases.quiet.backup]
stores = ["far"]
""")
    return path


def opened(path: Path, *options: str) -> pexpect.spawn:
    """The app on that configuration, in a terminal of 80x24."""
    return pexpect.spawn(
        sys.executable,
        ["-m", "tui", "--config", str(path), "--state", str(path.parent / "state"), *options],
        env={**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)},
        dimensions=(24, 80),
        encoding="utf-8",
        timeout=30,
        cwd=str(path.parent),
    )


def test_nobody_answers_and_every_screen_says_so_and_can_be_left(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        path = config(tmp_path, deaf.getsockname()[1])
        with Terminal("--config", str(path), "--state", str(tmp_path / "state")) as app:

            def waits(said: str) -> None:
                app.until(lambda: re.search(said, app.text) is not None, said)

            waits(r"quiet +waiting \d+s")
            app.press("b")
            waits(r"far: still reading… \d+s")
            app.press("q")
            app.see("waiting", "recover")
            app.press("D")
            waits(r"waiting \d+s · drills")
            app.press("q")
            app.see("waiting", "recover")
            app.press("enter")
            app.see("Waiting for its server", "kept databases")
            app.press("d")
            waits(r"waiting \d+s · quiet › kept")
            app.press("q")
            app.see("Waiting for its server", "kept databases")
            app.press("q")
            app.see("waiting", "recover")
            app.press("r")
            app.see("Declare an incident")
            app.press("tab", "enter")
            waits(r"◌ .*… \d+s")
            app.press("q")
            app.see("waiting", "recover")
            app.press("q")
            # Bounded by its 30 s: were the waiting threads not left, it took minutes (boto3's timeouts).
            assert app.end() == 0
            sent = app.received.decode()
            assert ALTERNATE_OFF in sent and CURSOR_ON in sent and "Traceback" not in sent


def test_sigterm_gives_the_terminal_back(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        app = opened(config(tmp_path, deaf.getsockname()[1]))
        app.expect("waiting")
        app.kill(signal.SIGTERM)
        app.expect(pexpect.EOF)
        app.close()
        assert app.exitstatus == 128 + signal.SIGTERM
        assert ALTERNATE_OFF in app.before and CURSOR_ON in app.before


@pytest.mark.parametrize("options", [("--ascii", "--theme", "mono"), ("--theme", "ansi16")])
def test_few_colours_mean_few_bytes_of_colour(tmp_path: Path, options: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        app = opened(config(tmp_path, deaf.getsockname()[1]), *options)
        app.expect("waiting")
        app.send("q")
        app.expect(pexpect.EOF)
        app.close()
        printed = str(app.before)
        assert "38;2;" not in printed and "38;5;" not in printed
        if "--ascii" in options:
            assert printed.isascii()


@pytest.mark.parametrize(
    ("environ", "needed"),
    [
        ({"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "linux", "LANG": "en_US.UTF-8"}, True),
        ({"TERM": "xterm", "LANG": "C"}, True),
        ({"TERM": "xterm", "LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # as Python changes it
        ({"TERM": "xterm", "LANG": "C.utf8"}, False),
        ({"TERM": "xterm", "LANG": "en_US.UTF-8", "LC_ALL": "de_DE.ISO-8859-1"}, True),
    ],
)
def test_ascii_is_chosen_where_the_terminal_can_do_no_more(environ: dict[str, str], needed: bool) -> None:
    assert needs_ascii(environ) is needed
