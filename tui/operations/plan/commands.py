"""The commands that a plan stands for, as a person would type them by hand. No secret is in them."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from pathlib import Path

from tui.model.backup import ArchiveFormat, Contents, Layer, Manifest
from tui.model.fleet import AzureStore, Encryption, GcsStore, LocalStore, S3Store, StoreSpec
from tui.model.text import clean
from tui.postgres import commands
from tui.postgres.catalog.properties import property_texts
from tui.postgres.catalog.schemas import schema_text
from tui.postgres.databases.creation import creation_text
from tui.postgres.facts.locales import DatabaseLocale
from tui.postgres.programs import Program
from tui.process import Command

_LISTED = 400  # entries of a selection, or files, that are still written out
_ENDS = {Layer.AGE: ".age", Layer.GPG: ".gpg", Layer.GZIP: ".gz", Layer.ZSTD: ".zst", Layer.LZ4: ".lz4"}
_OPENERS = {
    Layer.AGE: ("age", "-d"),
    Layer.GPG: ("gpg", "--decrypt"),
    Layer.GZIP: ("gzip", "-dc"),
    Layer.ZSTD: ("zstd", "-dc"),
    Layer.LZ4: ("lz4", "-dc"),
}


def restore_commands(
    client: Program,
    env: Mapping[str, str],
    spec: StoreSpec,
    key: str,
    target: str,
    *,
    maintenance_db: str,
    locale: DatabaseLocale,
    manifest: Manifest | None,
    jobs: int,
    contents: Contents,
    encryption: Encryption,
    chosen: Collection[int] = (),
    schemas: Collection[str] = (),
) -> tuple[str, ...]:
    """Given pg_restore and how to reach the server, where the backup lies and what becomes of it, returns
    each command in order. `contents` tell what is in the backup and what it is packed in, `encryption` the
    keys; `chosen` are the dump ids of a selection, `schemas` those that aren't in the backup."""
    layers = contents.layers
    directory = contents.format is ArchiveFormat.DIRECTORY
    first = "archive.sql" if contents.format is ArchiveFormat.PLAIN else "archive.dump"
    name = first + "".join(_ENDS[layer] for layer in reversed(layers))
    path, fetch = located(spec, key, name, directory=directory)
    made: list[str] = list(fetch)
    if (fetch or layers) and directory and manifest:
        made += _checked_files(manifest, path)
    elif (fetch or layers) and manifest and manifest.sha256:
        line = shlex.quote(f"{clean(manifest.sha256)}  {path}")
        made.append(f"echo {line} | sha256sum --check")
    creating = [_psql(env, maintenance_db, creation_text(target, locale))]
    creating += [_psql(env, target, *map(schema_text, schemas))] if schemas else []
    if contents.format is ArchiveFormat.PLAIN:
        made += creating
        made.append(_sql_file(client, env, target, path, layers, encryption))
        return (*made, *_finishing(env, maintenance_db, target, manifest))
    if layers and directory:
        made.append(_opened_files(layers[0], path, encryption))
        path = Path("archive.dump")
    elif layers:
        made.append(f"(umask 077; {_opening(layers, path, encryption)} > archive.dump)")
        path = Path("archive.dump")
    if contents.format is ArchiveFormat.TAR:
        jobs = 1  # pg_restore reads a tar from its beginning to its end
    made += creating
    use_list = Path("use.list") if chosen else None
    if chosen:
        ids = " ".join(map(str, sorted(chosen))) if len(chosen) <= _LISTED else "ID ID …"
        made.append(f"printf '%s;\\n' {ids} > use.list")
    made.append(commands.restore(client, env, path, target, jobs=jobs, use_list=use_list).shown)
    return (*made, *_finishing(env, maintenance_db, target, None if chosen else manifest))


def _finishing(
    env: Mapping[str, str], maintenance_db: str, target: str, manifest: Manifest | None
) -> tuple[str, ...]:
    properties = (
        property_texts(
            target, manifest.acl, manifest.settings, manifest.role_settings, manifest.connection_limit
        )
        if manifest
        else ()
    )
    first = (_psql(env, maintenance_db, *properties),) if properties else ()
    return (*first, _psql(env, target, "ANALYZE"))


def _sql_file(
    client: Program,
    env: Mapping[str, str],
    target: str,
    path: Path,
    layers: tuple[Layer, ...],
    encryption: Encryption,
) -> str:
    """psql by hand. It stops at the first error, and a dump can hold commands of psql's: look at it first."""
    file = f"--file={'-' if layers else path}"
    argv = (str(client.path), "-X", "-w", "--set=ON_ERROR_STOP=1", f"--dbname={_name(target)}", file)
    shown = Command(argv, env).shown
    return f"(set -o pipefail; {_opening(layers, path, encryption)} | {shown})" if layers else shown


def located(
    spec: StoreSpec, key: str, name: str = "archive.dump", *, directory: bool = False
) -> tuple[Path, tuple[str, ...]]:
    """Given a store and a key, returns the path of the object as a file here, or of a `directory`, and the
    commands that bring it there (none where it is already)."""
    if isinstance(spec, LocalStore):
        return spec.path / key, ()
    prefix = f"{spec.prefix.strip('/')}/" if spec.prefix.strip("/") else ""
    if directory and isinstance(spec, AzureStore):  # which puts them below their own names
        return Path(name) / (prefix + key), (f"mkdir -p {name}", _fetch(spec, prefix + key, name, True))
    first = (f"mkdir -p {name}",) if directory else ()
    return Path(name), (*first, _fetch(spec, prefix + key, name, directory))


def _fetch(spec: S3Store | AzureStore | GcsStore, whole: str, name: str, directory: bool) -> str:
    if isinstance(spec, GcsStore):
        argv = ["gcloud", "storage", "cp"]
        source = f"gs://{spec.bucket}/{whole}"
        return Command((*argv, f"{source}/*", f"{name}/") if directory else (*argv, source, name)).shown
    if isinstance(spec, AzureStore):
        argv = ["az", "storage", "blob"]
        if directory:
            argv += ["download-batch", "--source", spec.container, "--pattern", f"{whole}/*"]
            argv += ["--destination", name]
        else:
            argv += ["download", "--container-name", spec.container, "--name", whole, "--file", name]
        argv += [f"--account-name={spec.account}"] if spec.account else []
        argv += [f"--blob-endpoint={spec.endpoint_url}"] if spec.endpoint_url else []
        return Command(tuple(argv)).shown
    argv = ["aws", "s3", "cp", f"s3://{spec.bucket}/{whole}{'/' if directory else ''}", name]
    if directory:
        argv.append("--recursive")
    if spec.endpoint_url:
        argv.append(f"--endpoint-url={spec.endpoint_url}")
    if spec.region:
        argv.append(f"--region={spec.region}")
    if spec.profile:
        argv.append(f"--profile={spec.profile}")
    return Command(tuple(argv)).shown


def _checked_files(manifest: Manifest, path: Path) -> list[str]:
    if len(manifest.files) > _LISTED:
        return [f"# The hashes of its {len(manifest.files):,} files stand in its manifest."]
    lines = " ".join(shlex.quote(f"{clean(f.sha256)}  {path}/{clean(f.name)}") for f in manifest.files)
    return [f"printf '%s\\n' {lines} | sha256sum --check --quiet"] if lines else []


def _opened_files(cipher: Layer, path: Path, encryption: Encryption) -> str:
    """A loop that opens each file of a directory archive, and ends at the first that doesn't open."""
    end = _ENDS[cipher]
    one = _opening((cipher,), Path("FILE"), encryption).removesuffix(" FILE")
    opened = f'*{end}) {one} "$file" > archive.dump/"$(basename "$file" {end})";;'
    case = f'case "$file" in {opened} *) cp "$file" archive.dump/;; esac'
    files = f"{shlex.quote(str(path))}/*"
    return f"(umask 077; mkdir -p archive.dump; for file in {files}; do {case} || exit; done)"


def _opening(layers: tuple[Layer, ...], path: Path, encryption: Encryption) -> str:
    """The pipe that opens a packed file; it fails where a part fails."""
    steps = []
    for number, layer in enumerate(layers):
        argv = list(_OPENERS[layer])
        if layer is Layer.AGE:
            secret = encryption.age_identity
            argv += ["-i", str(secret.file) if secret and secret.file else "IDENTITY"]
        elif layer is Layer.GPG and encryption.gnupg_home:
            argv += ["--homedir", str(encryption.gnupg_home)]
        steps.append(Command((*argv, str(path)) if not number else tuple(argv)).shown)
    pipe = "set -o pipefail; " if len(steps) > 1 else ""
    return f"{pipe}{' | '.join(steps)}"


def psql_file(env: Mapping[str, str], maintenance_db: str, file: Path) -> str:
    """Given a file of SQL, returns the command that runs it in the maintenance database."""
    return Command(("psql", "-X", "-w", f"--dbname={_name(maintenance_db)}", f"--file={file}"), env).shown


def _psql(env: Mapping[str, str], dbname: str, *statements: str) -> str:
    said = (f"--command={statement}" for statement in statements)
    argv = ("psql", "-X", "-w", "--set=ON_ERROR_STOP=1", f"--dbname={_name(dbname)}", *said)
    return Command(argv, env).shown


def _name(dbname: str) -> str:
    return commands.dbname_argument(dbname)
