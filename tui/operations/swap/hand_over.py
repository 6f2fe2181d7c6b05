"""The connection address that an application is given: shown to be copied, or set by a command."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from tui.model.errors import PgdrError
from tui.model.fleet import Database
from tui.model.text import clean
from tui.places.open import open_place
from tui.process import Command, run_to_exit

_LIMIT_S = 120.0
_USUAL_PORT = 5432


@dataclass(frozen=True, slots=True)
class ConnectionAddress:
    """Where the application finds the database; it holds no password."""

    host: str
    port: int
    dbname: str
    user: str | None
    sslmode: str | None

    @property
    def url(self) -> str:
        """As DATABASE_URL has it: https://www.postgresql.org/docs/current/libpq-connect.html"""
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        host, name = self.host, quote(self.dbname, safe="")
        query = f"?sslmode={self.sslmode}" if self.sslmode else ""
        if host.startswith("/"):  # a socket's directory
            return f"postgresql://{user}{quote(host, safe='')}:{self.port}/{name}{query}"
        host = f"[{host}]" if ":" in host else host
        return f"postgresql://{user}{host}:{self.port}/{name}{query}"


def address_of(database: Database, dbname: str) -> ConnectionAddress:
    """Given a database as it is reached, and its name on the server, returns its address for the application,
    as the application's own role where one is configured. Raises ConfigError as `open_place` does."""
    endpoint = open_place(database)
    return ConnectionAddress(
        endpoint.host or "localhost",
        endpoint.port or _USUAL_PORT,
        dbname,
        database.app_role or endpoint.user,
        endpoint.sslmode,
    )


def setting(database: Database, address: ConnectionAddress) -> Command | None:
    """The command that gives the application that address; None where none is configured. Its `{host}`,
    `{port}`, `{dbname}`, `{user}` and `{url}` are filled in, everything else stays as it is."""
    if not database.set_address:
        return None
    values = {
        "{host}": address.host,
        "{port}": str(address.port),
        "{dbname}": address.dbname,
        "{user}": address.user or "",
        "{url}": address.url,
    }
    program, *rest = database.set_address
    return Command((program, *(_filled(part, values) for part in rest)))


def _filled(part: str, values: dict[str, str]) -> str:
    # In one pass: what was filled in is not looked into again.
    made, rest = "", part
    while rest:
        at, field = min(((rest.find(name), name) for name in values if name in rest), default=(len(rest), ""))
        made += rest[:at] + values.get(field, "")
        rest = rest[at + len(field) :]
    return made


def run_setting(command: Command) -> str:
    """Runs it; returns what it said last. Raises PgdrError when it can't be started, takes too long, or exits
    with anything but 0."""
    done = run_to_exit(command, timeout_s=_LIMIT_S)
    said = (done.stdout.decode("utf-8", "replace") + done.stderr).strip().splitlines()
    last = clean(said[-1], 300) if said else ""
    if done.code != 0:
        raise PgdrError(
            f"{clean(command.argv[0])} exited with {done.code}: whether the application has its new address "
            "is not known.",
            last or None,
            "Look at what it did, then run it again or set the address by hand.",
        )
    return last
