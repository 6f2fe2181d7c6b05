"""The sample fleet's configuration, in the shape of its handbook."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from tui.demo.account import server_account
from tui.demo.binaries import reachable_bin
from tui.demo.history import LOCAL, OFFSITE
from tui.demo.sample import EXCHANGE, GOALERT, KONG, Member
from tui.model.channels import ChannelSpec, Ntfy, Webhook
from tui.model.fleet import (
    BackupPolicy,
    Component,
    Contact,
    Criticality,
    Database,
    Endpoint,
    Fleet,
    LocalStore,
    Programs,
    S3Store,
    SqlCheck,
)
from tui.model.secret import Secret

BUCKET = "krystalinex-backups"
PREFIX = "krystalinex/"
STORES = (LOCAL, OFFSITE)
KEY_TABLES = ("public.users", "public.wallets", "public.orders", "public.transactions", "public.trades")
FRESHNESS = ("public.trades.executed_at", "public.transactions.created_at")
NO_NEGATIVE_BALANCES = SqlCheck(
    "No negative balances", "SELECT count(*) FROM public.wallets WHERE balance < 0", "0"
)
NO_LOCKED_ABOVE_BALANCE = SqlCheck(
    "Nothing locked that isn't there", "SELECT count(*) FROM public.wallets WHERE locked > balance", "0"
)


def sample_fleet(
    endpoints: Mapping[str, Endpoint], local: Path, offsite: S3Store, topic: Path, web: str, source: Path
) -> Fleet:
    """Given each database's endpoint, the local store's directory, the offsite store, the file of the ntfy
    topic, the address of the demo's web server and where the configuration will lie, returns the fleet."""
    channels: tuple[ChannelSpec, ...] = (
        Ntfy("on-call", topic=Secret(file=topic), url=f"{web}/ntfy"),
        Webhook("stakeholders", url=f"{web}/webhook"),
    )
    return Fleet(
        name="KrystalineX",
        source=source,
        databases=(
            _exchange(endpoints[EXCHANGE.name], f"{web}/health"),
            _daily(KONG, endpoints[KONG.name], "API Gateway config, routes", Criticality.HIGH),
            _daily(GOALERT, endpoints[GOALERT.name], "Incident management", Criticality.MEDIUM),
        ),
        stores=(LocalStore(LOCAL, local), offsite),
        channels=channels,
        components=(
            Component("Configuration files", "Git + tar", note="on change, kept for ever"),
            Component(
                "Docker volumes", "volume backup", every=timedelta(weeks=1), keep_for=timedelta(weeks=4)
            ),
        ),
        contacts=(
            Contact("On-call", "GoAlert: http://localhost:8081"),
            Contact("Escalation", "RUNBOOK.md, section 10"),
        ),
        # The embedded programs are of the servers' own version; only a copy outside a private folder
        # can be run by the servers' user, but these are run by us: either will do.
        programs=Programs((reachable_bin(server_account()),)),
    )


def _exchange(endpoint: Endpoint, health: str) -> Database:
    return Database(
        name=EXCHANGE.name,
        dbname=EXCHANGE.name,
        service=EXCHANGE.service,
        endpoint=endpoint,
        purpose="Users, wallets, orders, trades",
        environment="demo",
        criticality=Criticality.CRITICAL,
        rpo=timedelta(hours=6),
        rto=timedelta(minutes=30),
        key_tables=KEY_TABLES,
        freshness=FRESHNESS,
        app_role=EXCHANGE.user,
        checks=(NO_NEGATIVE_BALANCES, NO_LOCKED_ABOVE_BALANCE),
        health_url=health,
        services=("server", "payment-processor"),
        backup=BackupPolicy(every=timedelta(hours=6), keep_for=timedelta(days=30), stores=STORES),
    )


def _daily(member: Member, endpoint: Endpoint, purpose: str, criticality: Criticality) -> Database:
    return Database(
        name=member.name,
        dbname=member.name,
        service=member.service,
        endpoint=endpoint,
        purpose=purpose,
        environment="demo",
        criticality=criticality,
        rpo=timedelta(hours=24),
        rto=timedelta(minutes=30),
        app_role=member.user,
        backup=BackupPolicy(every=timedelta(days=1), keep_for=timedelta(days=7), stores=STORES),
    )
