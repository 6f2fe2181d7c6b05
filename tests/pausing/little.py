"""A little service of the tests: an HTTP process that is started, stopped and asked for by commands.

little.py DIRECTORY start|stop|status|serve. In DIRECTORY lie its pid and port, what it is to answer
(`status`, `body`), and, where a test wants it, a file `hang` that lets `stop` and `start` hang with a child
of their own, or `fail`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

HERE = Path(sys.argv[1])


def running() -> int | None:
    try:
        pid = int((HERE / "pid").read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def serve() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (HERE / "body").read_bytes()
            self.send_response(int((HERE / "status").read_text()))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", int((HERE / "port").read_text())), Handler)
    (HERE / "pid").write_text(str(os.getpid()))
    server.serve_forever()


def start() -> int:
    with (HERE / "log").open("a") as log:
        log.write("start\n")
    if running() is None:
        # It holds stdout and stderr open, as many that are started so do.
        subprocess.Popen([sys.executable, __file__, str(HERE), "serve"])
        until = time.monotonic() + 20
        while running() is None and time.monotonic() < until:
            time.sleep(0.02)
    return 0


def stop() -> int:
    with (HERE / "log").open("a") as log:
        log.write("stop\n")
    pid = running()
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        (HERE / "pid").unlink()
    return 0


if __name__ == "__main__":
    what = sys.argv[2]
    if what in ("start", "stop") and (HERE / "hang").exists():
        child = subprocess.Popen(["sleep", "300"])
        (HERE / "hung").write_text(str(child.pid))
        print("about to hang", file=sys.stderr, flush=True)
        child.wait()
    if what in ("start", "stop") and (HERE / "fail").exists():
        print("first line\n\x1b[31mno such\x1b[0m thing", file=sys.stderr)
        sys.exit(7)
    if what == "serve":
        serve()
    elif what == "status":
        print("it runs" if running() else "it doesn't run")
        sys.exit(0 if running() else 3)
    else:
        sys.exit(start() if what == "start" else stop())
