"""A component's files and volumes as one stream of tar.gz.

What is inside the configuration's directory has its name relative to it; what lies elsewhere its whole path
without the first "/"; a docker volume's files are below `volumes/NAME/`. No name is absolute or has `..`.
Symbolic links are kept as links and never followed; sockets, pipes and devices are left out, and told.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import secrets
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from tui.model.errors import ConfigError, PgdrError
from tui.model.fleet import Component
from tui.model.text import clean
from tui.operations.layers.encryption_pipe import Reader, Writer, filtered, through
from tui.process import Command, run

_GZIP_LEVEL = 6
_VOLUME = re.compile(
    r"[a-zA-Z0-9][a-zA-Z0-9_.-]*"
)  # anything else docker would take for a directory of this machine
_END_OF_TAR = bytes(1024)
_ASK_WITHIN_S = 30


@dataclass(slots=True)
class Counted:
    """What went into a component's tar so far: files (no directories), their bytes, and what was left out."""

    files: int = 0
    bytes: int = 0
    left_out: int = 0


def packed(
    component: Component, base: Path, counted: Counted, tell: Callable[[str], None]
) -> Iterator[bytes]:
    """Gives the component as tar.gz in pieces of about a megabyte. `base` is the configuration's directory.

    Raises ConfigError when something of it isn't there, PgdrError when it can't be read: what is missing
    from a backup unsaid would be missed too late.
    """
    places = [_place(base, path) for path in component.paths]
    for volume in component.volumes:
        _require_volume(volume)

    def work(reader: Reader, writer: Writer) -> None:
        with (
            gzip.GzipFile(
                filename="", fileobj=cast(IO[bytes], writer), mode="wb", compresslevel=_GZIP_LEVEL
            ) as file,
            tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            for place, name in places:
                _add(tar, place, name, counted, tell)
            for volume in component.volumes:
                _add_volume(tar, volume, component.image, counted)

    return through(work, (), _failure)


def volume_command(volume: str, image: str, container: str) -> Command:
    """The command that writes a docker volume as tar to stdout: a container of its own, called `container`,
    reads it, without a network, and can't write to it. Its output isn't logged, as docker else does."""
    alone = ("--name", container, "--network", "none", "--log-driver", "none")
    mounted = ("--volume", f"{volume}:/data:ro", "--entrypoint", "tar")
    return Command(("docker", "run", "--rm", *alone, *mounted, image, "-C", "/data", "-cf", "-", "."))


def _place(base: Path, path: str) -> tuple[Path, str]:
    """Where a configured path is, and what it is called in the tar."""
    place = Path(os.path.normpath(base / Path(path).expanduser()))
    inside = base.resolve()
    try:
        real = place.resolve(strict=True)
    except (OSError, RuntimeError):
        raise ConfigError(
            f"{clean(str(place))} is not there.", mend="Correct the component's paths, or bring it back."
        ) from None
    if place.is_symlink():
        if not real.is_relative_to(inside):
            raise ConfigError(
                f"{clean(str(place))} is a symbolic link that leads out of the configuration's directory.",
                mend=f"Name what it leads to, if that is meant: {clean(str(real))}",
            )
        place = real
    base = Path(os.path.normpath(base))
    name = str(place.relative_to(base)) if place.is_relative_to(base) else str(place).lstrip("/")
    return place, name


def _add(tar: tarfile.TarFile, place: Path, name: str, counted: Counted, tell: Callable[[str], None]) -> None:
    """One file, or a directory with everything in it, in the order of the names."""
    mode = place.lstat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
        counted.left_out += 1
        tell(f"{clean(str(place))} is left out: a socket, pipe or device has nothing to keep.")
        return
    about = tar.gettarinfo(str(place), name)
    if about.isreg():
        counted.files += 1
        counted.bytes += about.size
        with place.open("rb") as file:
            tar.addfile(about, file)
        return
    tar.addfile(about)
    if about.isdir():
        for below in sorted(os.listdir(place)):  # noqa: PTH208 - the names alone, as bytes would sort
            _add(tar, place / below, f"{name}/{below}" if name != "." else below, counted, tell)


def _require_volume(volume: str) -> None:
    """`docker run` would make a volume that isn't there, and its backup would be empty."""
    if not _VOLUME.fullmatch(volume):
        raise ConfigError(f"“{clean(volume, 80)}” is no name of a docker volume.")
    found = run(
        Command(("docker", "volume", "inspect", "--format", "{{.Name}}", volume)), timeout_s=_ASK_WITHIN_S
    )
    if found.code != 0:
        raise PgdrError(
            f"The docker volume {volume} can't be read.",
            clean(found.stderr.strip(), 200) or None,
            "docker volume ls shows those that are there; this user must be allowed to use docker.",
        )


def _add_volume(tar: tarfile.TarFile, volume: str, image: str, counted: Counted) -> None:
    container = f"pgdr-{secrets.token_hex(6)}"
    command = volume_command(volume, image, container)

    def failure(said: str, code: int) -> PgdrError | None:
        if code == 0:
            return None
        return PgdrError(
            f"The docker volume {volume} could not be read whole.",
            clean(said.strip(), 300) or f"docker ended with code {code}.",
            f"Try it by hand: {command.shown} > /dev/null",
        )

    tail = _Tail(filtered(command, (), failure))
    ended = False
    try:
        with (
            contextlib.suppress(
                tarfile.TarError
            ),  # what ends too early is told below, by docker where it can
            tarfile.open(fileobj=cast(IO[bytes], tail), mode="r|") as volume_tar,
        ):
            for about in volume_tar:
                about.name = _below(volume, about.name)
                if about.islnk():
                    about.linkname = _below(volume, about.linkname)
                if about.isreg():
                    counted.files += 1
                    counted.bytes += about.size
                tar.addfile(about, volume_tar.extractfile(about) if about.isreg() else None)
        while tail.read(1 << 16):  # what fills the last record
            pass
        ended = True
        if not tail.ended_well:
            raise PgdrError(
                f"The docker volume {volume} could not be read whole.",
                "Its tar is cut short, though docker says that all went well.",
                f"Try it by hand: {command.shown} > /dev/null",
            )
    finally:
        tail.close()
        if not ended:  # a container doesn't end with the docker that started it
            run(Command(("docker", "rm", "--force", container)), timeout_s=_ASK_WITHIN_S)


def _below(volume: str, name: str) -> str:
    inside = os.path.normpath("/" + name).lstrip("/")  # no ".." climbs over the root
    return f"volumes/{volume}/{inside}" if inside else f"volumes/{volume}"


class _Tail:
    """A stream of chunks to read from that remembers its last bytes: a tar that is whole ends with two empty
    blocks, and tarfile takes one that just ends for whole."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = bytearray()
        self._last = b""

    @property
    def ended_well(self) -> bool:
        """Whether the empty blocks were the last."""
        return self._last == _END_OF_TAR

    def read(self, size: int) -> bytes:
        """The next bytes, `size` of them unless it ends before."""
        while len(self._buffer) < size and (chunk := next(self._chunks, None)) is not None:
            self._buffer += chunk
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._last = (self._last + data)[-len(_END_OF_TAR) :]
        return data

    def close(self) -> None:
        """Ends what it comes from."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()


def _failure(error: BaseException) -> PgdrError:
    if isinstance(error, PgdrError):
        return error
    if isinstance(error, (OSError, tarfile.TarError)):
        name = getattr(error, "filename", None)
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return PgdrError(
            f"{clean(str(name))} can't be read." if name else "The component can't be packed.",
            f"{clean(why, 200)}.",
            "See to the rights, or to what changes it; a backup without it would not be one.",
        )
    raise error
