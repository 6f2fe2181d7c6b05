"""Every key that the configuration knows, table by table, each with its reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.config import backup_values as b
from tui.config import service_values as s
from tui.config import values as v
from tui.model.scenario import Scenario
from tui.model.wording import Occasion

Keys = Mapping[str, v.Reader[Any]]

FLEET: Keys = {
    "name": v.text,
    "jobs": v.whole(1, 64),
    "verify_every": v.length_or("on demand"),
    "table_drill_every": v.length_or("on demand"),
    "drill_every": v.length_or("on demand"),
    "full_drill_every": v.length_or("on demand"),
}

DUE = ("verify_every", "table_drill_every", "drill_every", "full_drill_every")

PROGRAMS: Keys = {"directories": v.many(v.path)}

ENCRYPTION: Keys = {"age_identity": v.secret, "gnupg_home": v.path, "gpg_passphrase": v.secret}

# How a server is reached. Those of a service file can all come from there.
FROM_SERVICE = ("host", "port", "user", "password", "passfile", "sslmode", "sslrootcert")
ENDPOINT: Keys = {
    "host": v.host,
    "port": v.whole(1, 65535),
    "user": v.name,
    "password": v.password,
    "passfile": v.path,
    "pg_service": v.text,
    "sslmode": v.one_of(*v.SSL_MODES),
    "sslrootcert": v.certificate,
    "connect_timeout": v.seconds,
    "maintenance_db": v.name,
}

ABOUT: Keys = {
    "dbname": v.name,
    "service": v.text,
    "place": v.place,
    "purpose": v.note,
    "environment": v.text,
    "criticality": v.criticality,
    "rpo": v.length,
    "rto": v.length,
    "schemas": v.many(v.name),
    "key_tables": v.many(v.text),
    "freshness": v.many(v.column),
    "app_role": v.name,
    "health_url": v.url,
    "services": v.many(v.text),
    "set_address": s.argv,
    "remove_old_after": v.length,
}

DATABASE: Keys = {**ABOUT, **ENDPOINT}

# What several databases may share. A name and the checks belong to one.
DEFAULTS: Keys = {key: read for key, read in DATABASE.items() if key != "dbname"}

BACKUP: Keys = {
    "every": v.length_or("on demand"),
    "keep_for": v.length_or("indefinite"),
    "keep_at_least": v.whole(1, 100_000),
    "keep_daily": v.whole(0, 100_000),
    "keep_weekly": v.whole(0, 100_000),
    "keep_monthly": v.whole(0, 100_000),
    "stores": v.many(v.text),
    "role": v.name,
    "jobs": v.whole(1, 64),
    "format": v.one_of(*b.FORMATS),
    "compression": b.compression,
    "encrypt_to": v.many(b.recipient),
}

CHECK: Keys = {"name": v.text, "sql": v.text, "expect": v.answer}

_SMOKE: Keys = {"name": v.text, "when": v.one_of("restored", "live"), "timeout": v.seconds}

SMOKES: Mapping[str, Keys] = {
    "sql": {"sql": v.text, "expect": v.answer, **_SMOKE},
    "command": {"command": s.argv, "exit_code": v.whole(0, 255), **_SMOKE},
    "http": {"url": v.url, "status": v.whole(100, 599), "json": s.answers, **_SMOKE},
}

STORES: Mapping[str, Keys] = {
    "local": {"path": v.path, "offsite": v.flag},
    "s3": {
        "bucket": v.bucket,
        "prefix": v.prefix,
        "endpoint_url": v.url,
        "region": v.text,
        "profile": v.text,
        "access_key": v.secret,
        "secret_key": v.secret,
        "path_style": v.flag,
        "storage_class": v.text,
        "sse": v.one_of("AES256", "aws:kms"),
        "kms_key": v.text,
        "offsite": v.flag,
    },
    "azure": {
        "account": v.text,
        "container": v.bucket,
        "prefix": v.prefix,
        "endpoint_url": v.url,
        "account_key": v.secret,
        "sas_token": v.secret,
        "connection_string": v.secret,
        "offsite": v.flag,
    },
    "gcs": {
        "bucket": v.bucket,
        "prefix": v.prefix,
        "endpoint_url": v.url,
        "credentials_file": v.path,
        "offsite": v.flag,
    },
}

_SERVICE: Keys = {
    "timeout": v.seconds,
    "health_url": v.url,
    "health_status": v.whole(100, 599),
    "health_json": s.answers,
    "health_command": s.argv,
    "health_within": v.seconds,
}

SERVICES: Mapping[str, Keys] = {
    "compose": {
        "program": s.program,
        "file": v.path,
        "project": v.text,
        "directory": v.path,
        "service": s.word,
        **_SERVICE,
    },
    "kubernetes": {
        "deployment": s.word,
        "statefulset": s.word,
        "namespace": s.word,
        "context": s.word,
        **_SERVICE,
    },
    "systemd": {"unit": s.unit, "user": v.flag, "sudo": v.flag, **_SERVICE},
    "command": {"stop": s.argv, "start": s.argv, "state": s.argv, "directory": v.path, **_SERVICE},
}

CHANNELS: Mapping[str, Keys] = {
    "ntfy": {
        "topic": v.secret,
        "url": v.url,
        "token": v.secret,
        "priority": v.one_of(*v.PRIORITIES),
        "tags": v.many(v.text),
        "timeout": v.seconds,
        "retry_for": v.seconds,
    },
    "webhook": {
        "url": v.url_or_secret,
        "header": v.header,
        "header_value": v.secret,
        "timeout": v.seconds,
        "retry_for": v.seconds,
    },
    "slack": {"url": v.url_or_secret, "timeout": v.seconds, "retry_for": v.seconds},
    "mail": {
        "host": v.host,
        "port": v.whole(1, 65535),
        "security": v.one_of("starttls", "tls", "none"),
        "user": v.text,
        "password": v.secret,
        "from": v.mailbox,
        "to": v.many(v.mailbox),
        "timeout": v.seconds,
        "retry_for": v.seconds,
    },
    "goalert": {"url": v.url, "token": v.secret, "timeout": v.seconds, "retry_for": v.seconds},
}

MESSAGE: Keys = {"title": v.wording, "text": v.wording}

# Nothing is lost by a restart.
SCENARIOS: Mapping[str, Keys] = {
    s.value: {"rto": v.length} if s is Scenario.RESTART else {"rto": v.length, "rpo": v.length}
    for s in Scenario
}

UPDATES: Keys = {"every": v.length_or("never"), "moved": v.length, "pause": v.length}

COMPONENT: Keys = {
    "method": v.text,
    "every": v.length_or("on change", "on demand"),
    "keep_for": v.length_or("indefinite"),
    "keep_at_least": v.whole(1, 100_000),
    "paths": v.many(v.text),
    "volumes": v.many(v.text),
    "stores": v.many(v.text),
    "encrypt_to": v.many(b.recipient),
    "image": v.text,
    "note": v.note,
}

CONTACT: Keys = {"name": v.text, "how": v.text}

APP: Keys = {"theme": v.text, "incident_theme": v.text, "mouse": v.flag, "ascii": v.flag}

TOP = (
    "fleet",
    "programs",
    "encryption",
    "stores",
    "defaults",
    "databases",
    "services",
    "channels",
    "messages",
    "updates",
    "scenarios",
    "components",
    "contacts",
    "app",
    "keys",
)

# Keys whose values have a unit that the model's field names tell.
FIELDS = {
    "connect_timeout": "connect_timeout_s",
    "timeout": "timeout_s",
    "retry_for": "retry_for_s",
    "health_within": "health_within_s",
    "from": "sender",
}

# What people write who come from elsewhere; difflib finds slips of the finger by itself.
SYNONYMS = {
    "database": "dbname",
    "db": "dbname",
    "username": "user",
    "pass": "password",
    "passwd": "password",
    "pwd": "password",
    "hostname": "host",
    "address": "host",
    "frequency": "every",
    "interval": "every",
    "schedule": "every",
    "retention": "keep_for",
    "priority": "criticality",
    "tables": "key_tables",
    "health": "health_url",
    "endpoint": "endpoint_url",
    "type": "kind",
    "query": "sql",
    "directory": "path",
}


def known_keys() -> frozenset[str]:
    """Returns the full name of every key, `NAME` standing for a name that the writer chooses."""
    tables: list[tuple[str, Keys]] = [
        ("fleet", FLEET),
        ("programs", PROGRAMS),
        ("encryption", ENCRYPTION),
        ("databases.NAME", DATABASE),
        ("databases.NAME.backup", BACKUP),
        ("databases.NAME.checks", CHECK),
        *(("databases.NAME.smokes", keys) for keys in SMOKES.values()),
        ("defaults", DEFAULTS),
        ("defaults.backup", BACKUP),
        ("components.NAME", COMPONENT),
        ("contacts", CONTACT),
        ("app", APP),
        *((f"messages.{occasion.value}", MESSAGE) for occasion in Occasion),
        ("updates", UPDATES),
        *((f"scenarios.{kind}", keys) for kind, keys in SCENARIOS.items()),
        *(("stores.NAME", keys) for keys in STORES.values()),
        *(("channels.NAME", keys) for keys in CHANNELS.values()),
        *(("services.NAME", keys) for keys in SERVICES.values()),
    ]
    kinds = {f"{table}.NAME.kind" for table in ("stores", "channels", "services")}
    kinds.add("databases.NAME.smokes.kind")
    return frozenset(kinds | {f"{table}.{key}" for table, keys in tables for key in keys})
