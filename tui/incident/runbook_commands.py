"""The commands that recover a database by hand, for bash: each step goes on with the variables before it.

Names of databases, tables and objects are quoted; no secret is in them, only where it is.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from tui.model.fleet import AzureStore, Database, Fleet, GcsStore, LocalStore, S3Store, StoreSpec
from tui.model.secret import Secret
from tui.model.text import clean
from tui.operations.catalogue.names import GLOBALS, MANIFEST, key_prefix
from tui.services.open import open_service

NAME = "${DB:0:38}"  # _restore_20261121T031800Z must fit behind it into PostgreSQL's 63 bytes
NOW = "$(date -u +%Y%m%dT%H%M%SZ)"
_BESIDE = r"-e '[.]json$' -e '[.]globals[.]sql'"


def settings(fleet: Fleet, database: Database) -> tuple[str, ...]:
    """Where the server is and as whom; then two questions to it."""
    end = database.endpoint
    said: list[str] = ["umask 077"]
    if fleet.programs.directories:
        directories = ":".join(map(str, fleet.programs.directories))
        said.append(f"export PATH={shlex.quote(directories)}:$PATH")
    plain = {
        "PGSERVICE": end.pg_service,
        "PGHOST": end.host,
        "PGPORT": end.port,
        "PGUSER": end.user,
        "PGSSLMODE": end.sslmode,
        "PGSSLROOTCERT": end.sslrootcert,
        "PGPASSFILE": end.passfile,
        "PGCONNECT_TIMEOUT": end.connect_timeout_s,
    }
    said += [f"export {name}={shlex.quote(str(value))}" for name, value in plain.items() if value is not None]
    if end.password is not None:
        said.append(_secret("PGPASSWORD", end.password))
    elif end.passfile is None:
        said.append("# The password, where one is asked for: in ~/.pgpass, or PGPASSWORD")
    return (
        *said,
        f"DB={shlex.quote(database.dbname)}; ADMIN={shlex.quote(end.maintenance_db)}",
        'psql -X -w -d "$ADMIN" -c "SELECT version()"',
        'psql -X -w -d "$DB" -c "SELECT count(*) FROM pg_stat_activity" \\',
        '  || echo "The database itself can\'t be reached."',
    )


def services(fleet: Fleet, database: Database) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stops its services, in order, and what starts them again, in reverse; then asks for health."""
    stops: list[str] = []
    starts: list[str] = []
    for name in database.services:
        spec = fleet.service(name)
        if spec is None:
            stops.append(f"# Stop {clean(name)}: the configuration does not say how")
            starts.insert(0, f"# Start {clean(name)}: the configuration does not say how")
            continue
        control = open_service(spec)
        into = f"cd {shlex.quote(str(control.directory))} && " if control.directory else ""
        stop, start = control.stop().shown, control.start(None).shown
        stops += [f"({into}\\", f"  {stop})"] if into else [stop]
        starts = [f"({into}\\", f"  {start})", *starts] if into else [start, *starts]
    if database.health_url:
        starts.append(f"curl -fsS {shlex.quote(database.health_url)}")
    return tuple(stops), tuple(starts)


def fetching(store: StoreSpec, database: Database) -> tuple[str, ...]:
    """Lists the backups, the newest last, and brings the newest into a directory of its own."""
    listing, fetch, login = _ways(store, directory=False)
    if not isinstance(store, LocalStore):
        _, files, _ = _ways(store, directory=True)
        named = ("  " + line for line in files)
        fetch = (
            'case "$KEY" in *.dir|*.dir.age|*.dir.gpg)    # a directory of files',
            *named,
            ";; *)    # one file",
            *("  " + line for line in fetch),
            ";; esac",
        )
    return (
        *login,
        'WORK="$(mktemp -d)"; cd "$WORK"',
        "backups() {",
        f"  {listing} \\",
        f"    | grep -E {shlex.quote(_pattern(database))} \\",
        f"    | grep -v {_BESIDE} | sort",
        "}",
        "backups | tail -n 10",
        'KEY="$(backups | tail -n 1)"',
        'echo "${KEY:?There is no backup of it here}"    # or another of the list: KEY=...',
        'FILE="$WORK/$KEY"',
        *fetch,
        f'MANIFEST="$FILE{MANIFEST}"; ROLES="$FILE{GLOBALS}"',
    )


def _pattern(database: Database) -> str:
    prefix = "".join(f"[{char}]" if char in ".~-" else char for char in key_prefix(database.dbname))
    return f"^{prefix}[0-9]{{8}}-[0-9]{{6}}[.]"


def _ways(store: StoreSpec, *, directory: bool) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """How a store is listed (names alone), how "$KEY" is fetched from it, and what logs in there."""
    beside = (MANIFEST, GLOBALS)
    if isinstance(store, LocalStore):
        path = shlex.quote(str(store.path))
        copies = [f'cp -r {path}/"$KEY" "$FILE"']
        copies += [f'cp {path}/"$KEY{end}" "$WORK" || true' for end in beside]
        return f"ls -1 {path}", tuple(copies), ()
    prefix = f"{store.prefix.strip('/')}/" if store.prefix.strip("/") else ""
    if isinstance(store, S3Store):
        more = "".join(
            f" {option}={shlex.quote(value)}"
            for option, value in (
                ("--endpoint-url", store.endpoint_url),
                ("--region", store.region),
                ("--profile", store.profile),
            )
            if value
        )
        at = shlex.quote(f"s3://{store.bucket}/{prefix}")
        whole = f'aws s3 cp{more} {at}"$KEY" "$FILE"'
        if directory:
            whole = f'aws s3 cp{more} --recursive {at}"$KEY/" "$FILE/"'
        copies = [whole, *(f'aws s3 cp{more} {at}"$KEY{end}" "$WORK/" || true' for end in beside)]
        login = [
            _secret(name, secret)
            for name, secret in (
                ("AWS_ACCESS_KEY_ID", store.access_key),
                ("AWS_SECRET_ACCESS_KEY", store.secret_key),
            )
            if secret
        ]
        return f"aws s3 ls{more} {at} | awk '{{print $NF}}' | sed 's,/$,,'", tuple(copies), tuple(login)
    if isinstance(store, GcsStore):
        at = shlex.quote(f"gs://{store.bucket}/{prefix}")
        login = []
        if store.credentials_file:
            file = shlex.quote(str(store.credentials_file))
            login = [f"gcloud auth activate-service-account --key-file={file}"]
        whole = f'gcloud storage cp {"-r " if directory else ""}{at}"$KEY" "$FILE"'
        copies = [whole, *(f'gcloud storage cp {at}"$KEY{end}" "$WORK/" || true' for end in beside)]
        return f"gcloud storage ls {at} | sed 's,/$,,; s,.*/,,'", tuple(copies), tuple(login)
    return _azure(store, prefix, directory)


def _azure(store: AzureStore, prefix: str, directory: bool) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    login = [f"export AZURE_STORAGE_ACCOUNT={shlex.quote(store.account)}"] if store.account else []
    login += [
        _secret(name, secret)
        for name, secret in (
            ("AZURE_STORAGE_KEY", store.account_key),
            ("AZURE_STORAGE_SAS_TOKEN", store.sas_token),
            ("AZURE_STORAGE_CONNECTION_STRING", store.connection_string),
        )
        if secret
    ]
    to = f"--container-name {shlex.quote(store.container)}"
    at = shlex.quote(prefix)
    end_point = f" --blob-endpoint={shlex.quote(store.endpoint_url)}" if store.endpoint_url else ""
    listing = (
        f"az storage blob list {to}{end_point} --prefix {at} --num-results '*' --query '[].name' -o tsv"
        f" | awk -v p={at} 'index($0, p) == 1 {{ print substr($0, length(p) + 1) }}' | sed 's,/.*,,' | uniq"
    )
    if directory:
        batch = f'--source {shlex.quote(store.container)}{end_point} --pattern {at}"$KEY/*"'
        whole = [f'az storage blob download-batch {batch} --destination "$WORK"', f'FILE="$WORK/"{at}"$KEY"']
    else:
        whole = [f'az storage blob download {to}{end_point} --name {at}"$KEY" --file "$FILE"']
    more = [
        f'az storage blob download {to}{end_point} --name {at}"$KEY{end}" --file "$FILE{end}" || true'
        for end in (MANIFEST, GLOBALS)
    ]
    return listing, (*whole, *more), tuple(login)


def opening(fleet: Fleet, database: Database) -> tuple[str, ...]:
    """Compares the file with its manifest, takes off what it is packed in, and reads its contents."""
    key = fleet.encryption.age_identity
    identity = "IDENTITY-FILE"
    if key is not None:
        identity = shlex.quote(str(key.file)) if key.file else f"<(printenv {shlex.quote(key.env or '')})"
    home = (
        f" --homedir {shlex.quote(str(fleet.encryption.gnupg_home))}" if fleet.encryption.gnupg_home else ""
    )
    said = [
        'if [ -f "$MANIFEST" ]; then',
        'python3 - "$FILE" "$MANIFEST" <<\'PY\' | sha256sum --check --quiet \\',
        '  && echo "The hashes are those of its manifest: OK"',
        "import json, sys",
        "made = json.load(open(sys.argv[2]))",
        'for file in made.get("files") or [made]:',
        '    print(file["sha256"] + "  " + "/".join([sys.argv[1], *filter(None, [file.get("name")])]))',
        "PY",
        "fi",
        'OPEN="$FILE"    # what is inside, where it is encrypted or compressed',
        'case "$FILE" in',
        f'  *.age) OPEN="${{FILE%.age}}"; unlock() {{ age -d -i {identity} -o "$2" "$1"; }};;',
        f'  *.gpg) OPEN="${{FILE%.gpg}}"; unlock() {{ gpg{home} --yes -o "$2" -d "$1"; }};;',
        "esac",
        'if [ "$OPEN" != "$FILE" ] && [ -d "$FILE" ]; then',
        '  mkdir -p "$OPEN"',
        '  for file in "$FILE"/*; do',
        '    unlock "$file" "$OPEN/$(basename "${file%.*}")" || { echo "NOT OPENED: $file"; break; }',
        "  done",
        'elif [ "$OPEN" != "$FILE" ]; then',
        '  unlock "$FILE" "$OPEN"',
        "fi",
        'case "$OPEN" in',
        '  *.gz) gunzip -kf "$OPEN"; OPEN="${OPEN%.gz}";;',
        '  *.zst) zstd -df "$OPEN"; OPEN="${OPEN%.zst}";;',
        "esac",
    ]
    return (*said, *_by_format('grep -c "^COPY " "$OPEN"', 'pg_restore -l "$OPEN" | head -n 20'))


def _by_format(sql: str, *archive: str) -> tuple[str, ...]:
    """What is done with plain SQL, and with anything else: the file's name tells which it is."""
    *first, last = archive
    return (
        'case "$OPEN" in',
        f"  *.sql) {sql};;",
        "  *)",
        *(f"    {line}" for line in first),
        f"    {last};;",
        "esac",
    )


def restoring(fleet: Fleet, database: Database) -> tuple[str, ...]:
    """Makes a fresh database and restores into it."""
    said = [
        "# On a fresh server, its roles first (those that are there already are told as errors):",
        '#   psql -X -w -d "$ADMIN" -f "$ROLES"',
        "# As the database was made. Where the server's own differ, give createdb -E, --lc-collate,",
        "# --lc-ctype and -O; its grants and settings can be set again once it is in place:",
        "python3 - \"$MANIFEST\" <<'PY' || true",
        "import json, sys",
        "made = json.load(open(sys.argv[1]))",
        'for name in ("encoding", "collate", "ctype", "owner", "acl", "settings"):',
        "    print(name, made.get(name))",
        "PY",
        f'NEW="{NAME}_restore_{NOW}"',
        'createdb -w --maintenance-db="$ADMIN" -T template0 "$NEW"',
    ]
    jobs = database.backup.jobs or fleet.jobs
    said += _by_format(
        'psql -X -w -q -v ON_ERROR_STOP=1 -d "$NEW" -f "$OPEN"',
        f'pg_restore -w -j {jobs} -d "$NEW" "$OPEN" \\',
        '  || echo "Read each error: roles that are missing may be harmless, rows are not."',
    )
    return (*said, 'psql -X -w -d "$NEW" -c "ANALYZE"')


def verifying(database: Database) -> tuple[str, ...]:
    """Counts against the manifest, and the fleet's own questions."""
    said = [
        "# The rows of each table, as its manifest has them, and as they are now",
        'python3 - "$MANIFEST" <<\'PY\' | LC_ALL=C sort > "$WORK/had"',
        "import json, sys",
        'for table in json.load(open(sys.argv[1]))["tables"]:',
        '    print("{schema}.{name}: {rows}".format(**table))',
        "PY",
        'psql -X -w -At -F ": " -d "$NEW" <<\'SQL\' | LC_ALL=C sort > "$WORK/has"',
        "SELECT format('SELECT %L, count(*) FROM ONLY %I.%I',",
        "    schemaname || '.' || t.relname, schemaname, t.relname)",
        "  FROM pg_stat_user_tables t JOIN pg_class c ON c.oid = relid AND relkind = 'r'",
        "  WHERE NOT EXISTS (SELECT FROM pg_depend WHERE objid = relid",
        "    AND classid = 'pg_class'::regclass AND deptype = 'e') \\gexec",
        "SQL",
        'cat "$WORK/has"; diff "$WORK/had" "$WORK/has" \\',
        '  && echo "Every table has the rows that it had."',
    ]
    for check in database.checks:
        query = " ".join(check.sql.split())
        said += [
            f"# {clean(check.name)}: must be {clean(check.expect)}",
            f'psql -X -w -At -d "$NEW" -c {shlex.quote(query)}',
        ]
    for column in database.freshness:
        table, _, name = column.rpartition(".")
        quoted = ".".join(_ident(part) for part in table.split("."))
        query = f"SELECT max({_ident(name)}) FROM {quoted}"  # noqa: S608 - both are quoted
        said += [f"# How recent: {clean(column)}", f'psql -X -w -At -d "$NEW" -c {shlex.quote(query)}']
    return tuple(said)


def backing_up(database: Database, stores: list[StoreSpec]) -> tuple[str, ...]:
    """One dump of the whole database, checked, and brought to where its backups lie."""
    said = [f'OUT={shlex.quote(key_prefix(database.dbname))}"$(date -u +%Y%m%d-%H%M%S).dump"']
    role = f" --role={shlex.quote(database.backup.role)}" if database.backup.role else ""
    container = database.place.removeprefix("docker:")
    if container != database.place:
        user = f" -U {shlex.quote(database.endpoint.user)}" if database.endpoint.user else ""
        said += [
            "# Where PostgreSQL's programs are missing here, those in the container:",
            f'#   docker exec {shlex.quote(container)} pg_dump{user} -Fc -d "$DB" > "$OUT"',
        ]
    said += [f'pg_dump -w -Fc{role} -d "$DB" -f "$OUT"', 'pg_restore -l "$OUT" > /dev/null && ls -l "$OUT"']
    recipients = database.backup.encrypt_to
    if recipients and not recipients[0].startswith("gpg:"):
        to = " ".join(f"-r {shlex.quote(one)}" for one in recipients)
        said += [f'age {to} -o "$OUT.age" "$OUT" && rm "$OUT" && OUT="$OUT.age"']
    elif recipients:
        to = " ".join(f"-r {shlex.quote(one.removeprefix('gpg:'))}" for one in recipients)
        said += [f'gpg {to} -o "$OUT.gpg" -e "$OUT" && rm "$OUT" && OUT="$OUT.gpg"']
    return (*said, *(_upload(store) for store in stores))


def _upload(store: StoreSpec) -> str:
    if isinstance(store, LocalStore):
        return f'cp "$OUT" {shlex.quote(str(store.path))}/'
    prefix = f"{store.prefix.strip('/')}/" if store.prefix.strip("/") else ""
    if isinstance(store, S3Store):
        options = (
            ("--endpoint-url", store.endpoint_url),
            ("--region", store.region),
            ("--profile", store.profile),
        )
        more = "".join(f" {option}={shlex.quote(value)}" for option, value in options if value)
        return f'aws s3 cp{more} "$OUT" {shlex.quote(f"s3://{store.bucket}/{prefix}")}"$OUT"'
    if isinstance(store, GcsStore):
        return f'gcloud storage cp "$OUT" {shlex.quote(f"gs://{store.bucket}/{prefix}")}"$OUT"'
    to = f"--container-name {shlex.quote(store.container)}"
    return f'az storage blob upload {to} --name {shlex.quote(prefix)}"$OUT" --file "$OUT"'


def _secret(variable: str, secret: Secret) -> str:
    """A variable set from where the secret is."""
    if secret.env is not None:
        return (
            f'export {variable}="${secret.env}"' if secret.env != variable else f"export {variable}  # set it"
        )
    path = shlex.quote(str(secret.file or Path()))
    return f'export {variable}="$(head -n 1 {path})"'


def _ident(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
