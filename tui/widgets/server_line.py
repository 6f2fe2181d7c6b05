"""A server in one line: enough to know that it is the right one."""

from __future__ import annotations

from typing import Protocol

from tui.model import amounts as show
from tui.model.text import clean


class Placed(Protocol):
    """A plan that knows its server."""

    @property
    def host(self) -> str | None:
        """Its host, or the directory of its socket."""

    @property
    def port(self) -> int | None:
        """Its port."""

    @property
    def system_identifier(self) -> str | None:
        """The number that a cluster gets at its birth, and keeps."""

    @property
    def server_version(self) -> str:
        """`16.4`."""


def server_line(plan: Placed, service: str = "") -> str:
    """Given a plan, returns `app-database · 127.0.0.1:5433 · system 7412…0093 · PostgreSQL 16.4`.

    Of the system identifier (its upper half is the time of initdb) the two ends are enough to tell
    servers apart by eye.
    """
    where = f"{plan.host or 'local'}:{plan.port or ''}".rstrip(":")
    number = plan.system_identifier or show.UNKNOWN
    short = f"{number[:4]}…{number[-4:]}" if len(number) > 12 else number
    parts = (service, where, f"system {short}", f"PostgreSQL {plan.server_version}")
    return " · ".join(clean(part) for part in parts if part)
