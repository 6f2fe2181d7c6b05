"""From where a database runs to how it is reached."""

from __future__ import annotations

from tui.model.errors import ConfigError
from tui.model.fleet import Database, Endpoint
from tui.model.text import clean

HERE = "here"
DOCKER = "docker:"


def open_place(database: Database) -> Endpoint:
    """Given a database, returns the endpoint at which this machine reaches its server.

    `here` is the endpoint as configured; `docker:NAME` is a container reached by the host and port that
    it publishes, never through `docker exec`, which can corrupt a binary stream. Raises ConfigError when
    a container has no such address, or the place is another.
    """
    if database.place == HERE:
        return database.endpoint
    container = database.place.removeprefix(DOCKER)
    if container != database.place and container:
        endpoint = database.endpoint
        if endpoint.host is None and endpoint.pg_service is None:
            # Without a host libpq would take this machine's own socket: another server.
            raise ConfigError(
                f"{clean(database.name)} runs in the container {clean(container)}, "
                "but its configuration has no host.",
                mend="Set host and port to where the container publishes 5432: "
                f"docker port {clean(container)} 5432",
            )
        return endpoint
    raise ConfigError(
        f"The place “{clean(database.place)}” of {clean(database.name)} is not one that pgdr opens.",
        mend='Use place = "here" and a host and port that lead there, such as those of a tunnel '
        "(kubectl port-forward, ssh -L).",
    )
