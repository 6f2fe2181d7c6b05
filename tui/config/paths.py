"""Where the configuration and the state are: said outright, in the environment, or where XDG puts them.

Source for the last: XDG Base Directory Specification 0.8, which also says to ignore relative paths in
its variables.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tui.files import private_directory
from tui.model.errors import ConfigError
from tui.model.text import clean

_ANOTHER_STATE = "Name another with --state or $PGDR_STATE."


def config_path(explicit: Path | None) -> Path | None:
    """Given what `--config` says, returns the configuration to use, None where there is none anywhere.

    In order: `explicit`, $PGDR_CONFIG, ./pgdr.toml, $XDG_CONFIG_HOME/pgdr/pgdr.toml. What was asked for
    by the first two must be there: ConfigError, rather than another configuration's databases.
    """
    said = _said(explicit, "--config", "PGDR_CONFIG")
    if said is not None:
        path, by = said
        if not path.exists():
            raise ConfigError(
                f"There is no configuration {clean(str(path))} ({by}).",
                mend="`pgdr init` writes a first one.",
            )
        return path
    here = Path("pgdr.toml").absolute()
    if here.exists():
        return here
    home = _xdg("XDG_CONFIG_HOME", ".config")
    if home is not None and (home / "pgdr" / "pgdr.toml").exists():
        return home / "pgdr" / "pgdr.toml"
    return None


def first_places() -> tuple[Path, ...]:
    """Returns where a first configuration is looked for without a word: the one that is found from every
    directory, and the one of this directory alone."""
    home = _xdg("XDG_CONFIG_HOME", ".config")
    return (*([home / "pgdr" / "pgdr.toml"] if home is not None else []), Path("pgdr.toml").absolute())


def require_config(explicit: Path | None) -> Path:
    """Like `config_path`, but where there is none raises ConfigError with the places looked at."""
    path = config_path(explicit)
    if path is None:
        raise ConfigError(
            "There is no configuration: not at --config, $PGDR_CONFIG, ./pgdr.toml"
            " or $XDG_CONFIG_HOME/pgdr/pgdr.toml.",
            mend="`pgdr init` writes one from the databases of a server; `pgdr demo` needs none.",
        )
    return path


def state_path(explicit: Path | None) -> Path:
    """Given what `--state` says, returns where the state is, or will be: nothing is made.

    In order: `explicit`, $PGDR_STATE, $XDG_STATE_HOME/pgdr. Raises ConfigError where there is no home.
    """
    said = _said(explicit, "--state", "PGDR_STATE")
    if said is not None:
        return said[0]
    home = _xdg("XDG_STATE_HOME", ".local/state")
    if home is None:
        raise ConfigError("There is no home directory to keep state in.", mend=_ANOTHER_STATE)
    return home / "pgdr"


def state_dir(explicit: Path | None) -> Path:
    """Given what `--state` says, returns the state's directory, made for its owner only if it wasn't there.

    It is that of `state_path`. A directory that was there keeps its mode,
    for it may hold other things; the files in it are private anyway. Raises ConfigError where it can't
    be made or every user may write to it, for who can rename a journal there can forge one.
    """
    path, mend = state_path(explicit), _ANOTHER_STATE
    try:
        private_directory(path)
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(
            f"The state directory {clean(str(path))} could not be made: {error.strerror}.", mend=mend
        ) from error
    if mode & stat.S_IWOTH:
        raise ConfigError(
            f"Every user may write to the state directory {clean(str(path))}.",
            mend="Take that right away (chmod o-w), or name another with --state or $PGDR_STATE.",
        )
    return path


def own_themes() -> Path | None:
    """Returns where a person's own themes are, $XDG_CONFIG_HOME/pgdr/themes, whether it exists or not;
    None where there is no home."""
    home = _xdg("XDG_CONFIG_HOME", ".config")
    return home / "pgdr" / "themes" if home is not None else None


def _said(explicit: Path | None, option: str, variable: str) -> tuple[Path, str] | None:
    value = os.environ.get(variable, "")
    by = option if explicit is not None else f"${variable}"
    path = explicit if explicit is not None else Path(value) if value else None
    if path is None:
        return None
    try:
        return path.expanduser().absolute(), by
    except RuntimeError:  # pathlib's word for "no such user"
        raise ConfigError(f"No home directory is known for {clean(str(path))} ({by}).") from None


def _xdg(variable: str, otherwise: str) -> Path | None:
    value = os.environ.get(variable, "")
    if value and Path(value).is_absolute():
        return Path(value)
    try:
        return Path.home() / otherwise
    except RuntimeError:  # neither $HOME nor an entry in passwd
        return None
