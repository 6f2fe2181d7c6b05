"""Who is told during a recovery, and how; apart from the fleet, whose first screen needs none of it."""

from __future__ import annotations

from dataclasses import dataclass

from tui.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Ntfy:
    """An ntfy topic. The topic is a secret: who knows it can read and write it."""

    name: str
    topic: Secret
    url: str = "https://ntfy.sh"
    token: Secret | None = None
    priority: str = "urgent"
    tags: tuple[str, ...] = ("rotating_light", "disaster")
    timeout_s: float = 10.0
    retry_for_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Webhook:
    """Any HTTP address that takes a JSON document by POST. `url` may itself be a secret."""

    name: str
    url: Secret | str
    header: str | None = None
    header_value: Secret | None = None
    timeout_s: float = 10.0
    retry_for_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Slack:
    """An incoming webhook of Slack, or of anything that takes the same JSON. The address is a secret: who
    knows it can write there."""

    name: str
    url: Secret | str
    timeout_s: float = 10.0
    retry_for_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Mail:
    """A server that takes e-mail by SMTP. `port` None: the usual one of its `security` (587 for starttls, 465
    for tls, 25 for none); user and password belong together."""

    name: str
    host: str
    sender: str
    to: tuple[str, ...]
    port: int | None = None
    security: str = "starttls"  # starttls, tls, none
    user: str | None = None
    password: Secret | None = None
    timeout_s: float = 10.0
    retry_for_s: float = 20.0


@dataclass(frozen=True, slots=True)
class GoAlert:
    """A service of GoAlert, by its generic API key: one alert for each incident, closed with it."""

    name: str
    url: str
    token: Secret
    timeout_s: float = 10.0
    retry_for_s: float = 20.0


ChannelSpec = Ntfy | Webhook | Slack | Mail | GoAlert
