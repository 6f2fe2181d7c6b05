"""The fleet: what the configuration says of databases, stores and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from tui.model.secret import Secret

if TYPE_CHECKING:  # made by who has them: a fleet without services waits for nothing of them
    from tui.model.channels import ChannelSpec
    from tui.model.scenario import Scenario
    from tui.model.service import ServiceSpec
    from tui.model.smoke import Smoke
    from tui.model.wording import Wording


class Criticality(Enum):
    """How much a database matters; the order is the order of work."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the most critical."""
        return list(Criticality).index(self)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a server is reached. What is None is left to libpq: PG* variables, ~/.pgpass, pg_service.conf."""

    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: Secret | None = None
    passfile: Path | None = None
    pg_service: str | None = None
    sslmode: str | None = None
    sslrootcert: Path | None = None
    connect_timeout_s: int = 5
    maintenance_db: str = "postgres"


@dataclass(frozen=True, slots=True)
class SqlCheck:
    """A question the fleet asks of a restored database: the first column of the first row of `sql`,
    as text, must equal `expect`."""

    name: str
    sql: str
    expect: str


@dataclass(frozen=True, slots=True)
class BackupPolicy:
    """How often a database is backed up (None: on demand), how long backups stay, and in which stores."""

    every: timedelta | None = timedelta(days=1)
    keep_for: timedelta | None = timedelta(days=7)
    keep_at_least: int = 3
    stores: tuple[str, ...] = ()
    role: str | None = None
    jobs: int = 2
    format: str = "custom"  # custom, directory, plain
    compression: str | None = None  # pg_dump's word: "zstd:3"; None leaves it to pg_dump
    encrypt_to: tuple[str, ...] = ()  # public keys: "age1…", "ssh-ed25519 …", "gpg:FINGERPRINT"
    keep_daily: int = 0  # beyond keep_for: the last good one of each of so many days, weeks, months
    keep_weekly: int = 0
    keep_monthly: int = 0


@dataclass(frozen=True, slots=True)
class Database:
    """One database of the fleet. `name` is unique in the fleet; `dbname` is its name on the server."""

    name: str
    dbname: str
    service: str
    place: str = "here"
    endpoint: Endpoint = Endpoint()
    purpose: str = ""
    environment: str = "prod"
    criticality: Criticality = Criticality.MEDIUM
    rpo: timedelta = timedelta(hours=24)
    rto: timedelta = timedelta(hours=2)
    schemas: tuple[str, ...] = ()
    key_tables: tuple[str, ...] = ()
    freshness: tuple[str, ...] = ()
    app_role: str | None = None
    checks: tuple[SqlCheck, ...] = ()
    health_url: str | None = None
    services: tuple[str, ...] = ()
    backup: BackupPolicy = BackupPolicy()
    smokes: tuple[Smoke, ...] = ()
    set_address: tuple[str, ...] = ()  # argv that gives the application another address (see hand_over)
    remove_old_after: timedelta = timedelta(days=7)  # when to think of dropping what a recovery has kept


@dataclass(frozen=True, slots=True)
class Component:
    """Something else that the fleet protects (configuration files, volumes), with its rule.

    What names neither `paths` (relative to the configuration's directory) nor `volumes` of docker is only
    shown, not backed up.
    """

    name: str
    method: str
    every: timedelta | None = None
    keep_for: timedelta | None = None
    paths: tuple[str, ...] = ()
    note: str = ""
    volumes: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    encrypt_to: tuple[str, ...] = ()
    image: str = "alpine"  # whose tar reads a volume
    keep_at_least: int = 3


@dataclass(frozen=True, slots=True)
class LocalStore:
    """A directory that holds backups."""

    name: str
    path: Path
    offsite: bool = False


@dataclass(frozen=True, slots=True)
class S3Store:
    """A bucket, or a prefix in it, at AWS or any S3-compatible endpoint.

    Without keys or profile the usual chain of boto3 applies (environment, files, instance role).
    """

    name: str
    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    access_key: Secret | None = None
    secret_key: Secret | None = None
    path_style: bool = False
    storage_class: str | None = None
    sse: str | None = None  # AES256, aws:kms; None: as the bucket does by itself
    kms_key: str | None = None
    offsite: bool = True


@dataclass(frozen=True, slots=True)
class AzureStore:
    """A container, or a prefix in it, of an Azure storage account or anything that speaks its language.

    Without a key, a token or a connection string the usual chain of azure-identity applies.
    """

    name: str
    container: str
    account: str | None = None
    prefix: str = ""
    endpoint_url: str | None = None
    account_key: Secret | None = None
    sas_token: Secret | None = None
    connection_string: Secret | None = None
    offsite: bool = True


@dataclass(frozen=True, slots=True)
class GcsStore:
    """A bucket, or a prefix in it, at Google Cloud Storage or anything that speaks its language.

    `credentials_file` is a service account's key in JSON. Without it the usual chain of google-auth
    applies; with an `endpoint_url` that isn't Google's, and no file, nobody is logged in.
    """

    name: str
    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None
    credentials_file: Path | None = None
    offsite: bool = True


StoreSpec = LocalStore | S3Store | AzureStore | GcsStore


@dataclass(frozen=True, slots=True)
class Updates:
    """When a running restore tells the channels by itself, where an incident asks for it: every so often
    (None: not for that alone), or when the time it should be ready at has moved by more than `moved`; never
    more often than `pause`."""

    every: timedelta | None = timedelta(minutes=15)
    moved: timedelta = timedelta(minutes=5)
    pause: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Programs:
    """Where PostgreSQL's client programs lie: directories searched before PATH."""

    directories: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Encryption:
    """What opens encrypted backups here: age or SSH identities (all of a file, or a variable), GnuPG's home
    (None: its own), and its key's passphrase where no agent knows it."""

    age_identity: Secret | None = None
    gnupg_home: Path | None = None
    gpg_passphrase: Secret | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom or what to turn to when this program isn't enough."""

    name: str
    how: str


@dataclass(frozen=True, slots=True)
class Looks:
    """How the app looks and is used, where its options don't say otherwise. A theme of None is what
    suits the terminal; `incident_theme` is worn while a recovery that is no drill is on the screen, "none"
    for none, None for the one that goes with the theme."""

    theme: str | None = None
    incident_theme: str | None = None
    mouse: bool = True
    ascii: bool = False


@dataclass(frozen=True, slots=True)
class Targets:
    """What this fleet promises of one scenario, where it differs from the runbook; None: as it says."""

    scenario: Scenario
    rto: timedelta | None = None
    rpo: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything one configuration says. `source` is the file it came from."""

    name: str
    source: Path | None = None
    databases: tuple[Database, ...] = ()
    stores: tuple[StoreSpec, ...] = ()
    channels: tuple[ChannelSpec, ...] = ()
    components: tuple[Component, ...] = ()
    contacts: tuple[Contact, ...] = ()
    programs: Programs = Programs()
    encryption: Encryption = Encryption()
    services: tuple[ServiceSpec, ...] = ()
    jobs: int = 2
    # How often a backup of each database is verified, a single table restored, a recovery rehearsed, and
    # the loss of everything simulated; None: never due.
    verify_every: timedelta | None = timedelta(days=30)
    table_drill_every: timedelta | None = timedelta(days=90)
    drill_every: timedelta | None = timedelta(days=90)
    full_drill_every: timedelta | None = timedelta(days=365)
    messages: tuple[Wording, ...] = ()
    updates: Updates = Updates()
    app: Looks = Looks()
    scenario_targets: tuple[Targets, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()  # (id, keys with commas between): other keys than the app's own

    def database(self, name: str) -> Database | None:
        """The database called `name`, or None.

        In a configuration of stores alone each name stands for the database of that name on the server
        that libpq's own environment leads to.
        """
        if not self.databases and name:
            return Database(name=name, dbname=name, service=name)
        return next((d for d in self.databases if d.name == name), None)

    def store(self, name: str) -> StoreSpec | None:
        """The store called `name`, or None."""
        return next((s for s in self.stores if s.name == name), None)

    def service(self, name: str) -> ServiceSpec | None:
        """The service called `name`, or None."""
        return next((s for s in self.services if s.name == name), None)
