"""The commands that a plan stands for, as a person would type them by hand. No secret is in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from tui.model.backup import Manifest
from tui.model.fleet import AzureStore, GcsStore, LocalStore, S3Store, StoreSpec
from tui.model.text import clean
from tui.postgres import commands
from tui.postgres.creation import creation_text
from tui.postgres.locales import DatabaseLocale
from tui.postgres.programs import Program
from tui.postgres.properties import property_texts
from tui.process import Command

_LISTED = 400  # entries of a selection that are still written out


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
    chosen: Collection[int] = (),
) -> tuple[str, ...]:
    """Given pg_restore and how to reach the server, where the backup lies and what becomes of it, returns
    each command in order. `chosen` are the dump ids of a selection."""
    path, fetch = located(spec, key)
    made: list[str] = list(fetch)
    if fetch and manifest and manifest.sha256:
        made.append(f"echo '{clean(manifest.sha256)}  archive.dump' | sha256sum --check")
    made.append(_psql(env, maintenance_db, creation_text(target, locale)))
    use_list = Path("use.list") if chosen else None
    if chosen:
        ids = " ".join(map(str, sorted(chosen))) if len(chosen) <= _LISTED else "ID ID …"
        made.append(f"printf '%s;\\n' {ids} > use.list")
    made.append(commands.restore(client, env, path, target, jobs=jobs, use_list=use_list).shown)
    if manifest and not chosen:
        properties = property_texts(target, manifest.acl, manifest.settings)
        made += [_psql(env, maintenance_db, *properties)] if properties else []
    made.append(_psql(env, target, "ANALYZE"))
    return tuple(made)


def located(spec: StoreSpec, key: str, name: str = "archive.dump") -> tuple[Path, tuple[str, ...]]:
    """Given a store and a key, returns the path of the object as a file here, and the commands that bring it
    there (none where it is already)."""
    if isinstance(spec, LocalStore):
        return spec.path / key, ()
    return Path(name), (_fetch(spec, key, name),)


def _fetch(spec: S3Store | AzureStore | GcsStore, key: str, name: str) -> str:
    prefix = f"{spec.prefix.strip('/')}/" if spec.prefix.strip("/") else ""
    if isinstance(spec, GcsStore):
        return Command(("gcloud", "storage", "cp", f"gs://{spec.bucket}/{prefix}{key}", name)).shown
    if isinstance(spec, AzureStore):
        argv = ["az", "storage", "blob", "download", "--container-name", spec.container]
        argv += ["--name", prefix + key, "--file", name]
        argv += [f"--account-name={spec.account}"] if spec.account else []
        argv += [f"--blob-endpoint={spec.endpoint_url}"] if spec.endpoint_url else []
        return Command(tuple(argv)).shown
    argv = ["aws", "s3", "cp", f"s3://{spec.bucket}/{prefix}{key}", name]
    if spec.endpoint_url:
        argv.append(f"--endpoint-url={spec.endpoint_url}")
    if spec.region:
        argv.append(f"--region={spec.region}")
    if spec.profile:
        argv.append(f"--profile={spec.profile}")
    return Command(tuple(argv)).shown


def psql_file(env: Mapping[str, str], maintenance_db: str, file: Path) -> str:
    """Given a file of SQL, returns the command that runs it in the maintenance database."""
    return Command(("psql", "-X", "-w", f"--dbname={_name(maintenance_db)}", f"--file={file}"), env).shown


def _psql(env: Mapping[str, str], dbname: str, *statements: str) -> str:
    said = (f"--command={statement}" for statement in statements)
    argv = ("psql", "-X", "-w", "--set=ON_ERROR_STOP=1", f"--dbname={_name(dbname)}", *said)
    return Command(argv, env).shown


def _name(dbname: str) -> str:
    return commands.dbname_argument(dbname)
