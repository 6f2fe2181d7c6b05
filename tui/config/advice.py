"""What a usable configuration should be told all the same, before the night on which it matters."""

from __future__ import annotations

from collections.abc import Iterator

from tui.config.duration import text_of
from tui.config.secrets import exposure, reveal
from tui.config.table import dotted, nearest
from tui.model.channels import GoAlert, Mail, Ntfy, Slack, Webhook
from tui.model.errors import ConfigError
from tui.model.fleet import AzureStore, Criticality, Database, Endpoint, Fleet, S3Store
from tui.model.plan import Finding, Level
from tui.model.secret import Secret
from tui.model.text import clean

_CHANNELS = (Ntfy, Webhook, Slack, Mail, GoAlert)


def advice(fleet: Fleet) -> tuple[Finding, ...]:
    """Given a fleet, returns what is missing or unwise in it, each about a key of its configuration.

    STOP: a secret or passfile that isn't there, so that something will not be reached; a service that is to
    be paused but is declared nowhere. WARNING: a secret that others may read; a backup that is due less often
    than the RPO allows, goes nowhere, or has no copy off-site. Looks at the environment and at files, and
    connects to nothing.
    """
    found: list[Finding] = []
    for key, secret in _secrets(fleet):
        found += _secret(key, secret)
    for database in fleet.databases:
        found += _passfile(dotted("databases", database.name, "passfile"), database.endpoint)
        found += _policy(dotted("databases", database.name, "backup"), database, fleet)
        found += _services(dotted("databases", database.name, "services"), database, fleet)
    return tuple(found)


def _secrets(fleet: Fleet) -> Iterator[tuple[str, Secret]]:
    """Every secret that the fleet names, with its key."""
    for database in fleet.databases:
        if database.endpoint.password is not None:
            yield dotted("databases", database.name, "password"), database.endpoint.password
    kinds = (((S3Store, AzureStore), "stores", fleet.stores), (_CHANNELS, "channels", fleet.channels))
    for kind, section, specs in kinds:
        for spec in specs:
            if isinstance(spec, kind):
                for field in spec.__dataclass_fields__:
                    value = getattr(spec, field)
                    if isinstance(value, Secret):
                        yield dotted(section, spec.name, field), value


def _secret(key: str, secret: Secret) -> Iterator[Finding]:
    try:
        reveal(secret)
    except ConfigError as error:
        yield Finding(Level.STOP, key, error.what, error.mend)
    who = exposure(secret.file) if secret.file is not None else None
    if who is not None:
        path = clean(str(secret.file))
        yield Finding(Level.WARNING, key, f"{who.capitalize()} can read {path}.", f"chmod 600 {path}")


def _passfile(key: str, endpoint: Endpoint) -> Iterator[Finding]:
    # libpq leaves out, with a warning on stderr at most, a password file that is missing or that group
    # or others can read (fe-connect.c, passwordFromFile): the login then fails for want of a password.
    if endpoint.passfile is None:
        return
    path = clean(str(endpoint.passfile))
    who = exposure(endpoint.passfile)
    if not endpoint.passfile.is_file():
        yield Finding(Level.STOP, key, f"There is no file {path}.", "Write it in the form of ~/.pgpass.")
    elif who is not None:
        what = f"{who.capitalize()} can read {path}, so libpq will not use it."
        yield Finding(Level.STOP, key, what, f"chmod 600 {path}")


def _services(key: str, database: Database, fleet: Fleet) -> Iterator[Finding]:
    """Not a reason to refuse the whole configuration at night, but one to mend it by day."""
    known = [service.name for service in fleet.services]
    for name in database.services:
        if name not in known:
            near = nearest(name, known)
            table = dotted("services", name)
            mend = f"Write [{table}], which says how it is stopped and started, or take it out."
            yield Finding(
                Level.STOP,
                key,
                f'There is no service "{clean(name, 80)}": it can\'t be paused.',
                f"Did you mean {dotted(near)}? Else w{mend[1:]}" if near else mend,
            )


def _policy(key: str, database: Database, fleet: Fleet) -> Iterator[Finding]:
    policy = database.backup
    if policy.every is None:
        return
    if policy.every > database.rpo:
        yield Finding(
            Level.WARNING,
            f"{key}.every",
            f"A backup is due every {text_of(policy.every)}, but the RPO is {text_of(database.rpo)}.",
            "Back up more often, or say what RPO is true.",
        )
    thinning = [key for key in ("keep_daily", "keep_weekly", "keep_monthly") if getattr(policy, key)]
    if policy.keep_for is None and thinning:
        yield Finding(
            Level.WARNING,
            f"{key}.{thinning[0]}",
            "It changes nothing: keep_for is indefinite, so all backups stay.",
            "Say in keep_for how long all of them stay; thinning begins after that.",
        )
    stores = [store for store in fleet.stores if store.name in policy.stores]
    if not stores:
        yield Finding(
            Level.WARNING, f"{key}.stores", "Backups are due but there is no store for them.", "Name one."
        )
    elif database.criticality in (Criticality.CRITICAL, Criticality.HIGH) and not any(
        store.offsite for store in stores
    ):
        yield Finding(
            Level.WARNING,
            f"{key}.stores",
            f"No store of this {database.criticality.value} database is off-site.",
            "Name one that survives the loss of this place.",
        )
