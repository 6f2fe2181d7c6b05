"""The sample's databases: which there are, how they are filled, how they live on.

Everything is made on the server from hashes of row numbers, with a fixed seed: equal scales give equal
data, but for the times, which hang on an anchor, the present of the sample. Scale 1 is some 60 MB of
crypto_exchange and 170,000 rows; it grows in proportion.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tui.demo.server import Server
from tui.model.text import rfc3339

SEED = 17
SQL = Path(__file__).parent / "sql"
# Older than every row of the exchange: before that it is empty.
BEGINNING = timedelta(days=401)


@dataclass(frozen=True, slots=True)
class Member:
    """A database of the sample, on a server of its own, with the handbook's port and user."""

    name: str
    service: str
    port: int
    user: str


EXCHANGE = Member("crypto_exchange", "app-database", 5433, "exchange")
KONG = Member("kong", "kong-database", 5432, "kong")
GOALERT = Member("goalert", "goalert-db", 5434, "goalert")
MEMBERS = (EXCHANGE, KONG, GOALERT)


def found_exchange(server: Server, anchor: datetime, scale: float, until: timedelta) -> None:
    """Makes crypto_exchange as it was `until` before the anchor: tables, rows, then indexes and keys."""
    server.sql("CREATE DATABASE crypto_exchange")
    server.sql(_text("crypto_exchange_schema"), EXCHANGE.name)
    grow_exchange(server, anchor, scale, BEGINNING, until)
    server.sql(_text("crypto_exchange_finish"), EXCHANGE.name)


def grow_exchange(server: Server, anchor: datetime, scale: float, since: timedelta, until: timedelta) -> None:
    """Adds what happened between `since` and `until` before the anchor (negative: after it)."""
    given = _variables(anchor, scale) | {"from_h": _hours(since), "to_h": _hours(until)}
    server.sql(_text("crypto_exchange_grow"), EXCHANGE.name, given)


def make(member: Member, server: Server, anchor: datetime, scale: float) -> None:
    """Makes kong or goalert as it was at the anchor."""
    server.sql(f"CREATE DATABASE {member.name}")
    server.sql(_text(member.name), member.name, _variables(anchor, scale))


def _variables(anchor: datetime, scale: float) -> dict[str, str]:
    return {"anchor": rfc3339(anchor), "scale": f"{scale:f}", "seed": str(SEED)}


def _hours(span: timedelta) -> str:
    # In parentheses: psql puts it in as it is, and it may be negative.
    return f"({span.total_seconds() / 3600:f})"


def _text(name: str) -> str:
    return (SQL / f"{name}.sql").read_text()
