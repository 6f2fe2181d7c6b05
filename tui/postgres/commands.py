"""The command lines of PostgreSQL's client programs, as values. Nothing here runs them.

No password is ever an argument, no program ever prompts (-w), and no name is taken for anything
else: a database's name isn't read as a connection string, a table's not as a pattern.
https://www.postgresql.org/docs/current/app-pgdump.html, app-pgrestore.html, app-pg-dumpall.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tui.postgres.programs import Program
from tui.process import Command

TableName = tuple[str, str]  # schema, name


def dump(
    program: Program,
    env: Mapping[str, str],
    dbname: str,
    *,
    file: Path | None = None,
    format: str = "custom",  # noqa: A002 - pg_dump's own word
    snapshot: str | None = None,
    compress: str | None = None,
    jobs: int = 1,
    schema_only: bool = False,
    data_only: bool = False,
    inserts: bool = False,
    tables: Iterable[TableName] = (),
    schemas: Iterable[str] = (),
    role: str | None = None,
    verbose: bool = False,
    lock_wait_s: float | None = None,
) -> Command:
    """Given pg_dump and the endpoint's environment, returns the command that dumps `dbname`.

    It writes to `file`, else to stdout. `compress` is pg_dump's own word ("gzip:6", "zstd:3", "0"; before
    16 only a number). `jobs` counts for the format "directory" alone, pg_dump refuses it elsewhere. A table
    or schema that doesn't exist is an error, not an empty archive.
    """
    argv = [str(program.path), "-w", f"--format={format}", f"--dbname={dbname_argument(dbname)}"]
    if file is not None:
        argv.append(f"--file={file}")
    if snapshot is not None:
        argv.append(f"--snapshot={snapshot}")
    if compress is not None:
        argv.append(f"--compress={compress}")
    if jobs > 1 and format == "directory":
        argv.append(f"--jobs={jobs}")
    if schema_only:
        argv.append("--schema-only")
    if data_only:
        argv.append("--data-only")
    if inserts:
        argv.append("--inserts")
    chosen = [f"--table={pattern(*table)}" for table in tables]
    chosen += [f"--schema={quoted(schema)}" for schema in schemas]
    if chosen:
        argv += [*chosen, "--strict-names"]
    if role is not None:
        argv.append(f"--role={role}")
    if lock_wait_s is not None:
        argv.append(f"--lock-wait-timeout={round(lock_wait_s * 1000)}")
    if verbose:
        argv.append("--verbose")
    return Command(tuple(argv), dict(env))


def dump_globals(
    program: Program,
    env: Mapping[str, str],
    maintenance_db: str,
    *,
    file: Path | None = None,
    role: str | None = None,
    passwords: bool = False,
) -> Command:
    """Given pg_dumpall, returns the command that writes roles and tablespaces as SQL, to `file` or stdout.

    Without the roles' passwords (their hashes) unless they are asked for: a superuser alone may read them,
    and only an encrypted backup is a place for them.
    """
    argv = [str(program.path), "-w", "--globals-only"]
    if not passwords:
        argv.append("--no-role-passwords")
    argv.append(f"--database={dbname_argument(maintenance_db)}")
    if file is not None:
        argv.append(f"--file={file}")
    if role is not None:
        argv.append(f"--role={role}")
    return Command(tuple(argv), dict(env))


def restore(
    program: Program,
    env: Mapping[str, str],
    archive: Path | None,
    dbname: str,
    *,
    jobs: int = 1,
    use_list: Path | None = None,
    sections: Iterable[str] = (),
    verbose: bool = True,
    exit_on_error: bool = False,
    clean: bool = False,
    no_owner: bool = False,
    no_privileges: bool = False,
    role: str | None = None,
) -> Command:
    """Given pg_restore, returns the command that restores `archive` (None: from stdin) into `dbname`.

    `sections` are of pre-data, data, post-data. `clean` drops what it is about to make, where that is there
    already; data stays. Several jobs need a file that can be sought: from stdin there
    is always one. Exit code 1 covers harmless errors and fatal ones: read what it prints.
    """
    argv = [str(program.path), "-w", f"--dbname={dbname_argument(dbname)}"]
    if jobs > 1 and archive is not None:
        argv.append(f"--jobs={jobs}")
    if use_list is not None:
        argv.append(f"--use-list={use_list}")
    argv += [f"--section={section}" for section in sections]
    if verbose:
        argv.append("--verbose")
    if exit_on_error:
        argv.append("--exit-on-error")
    if clean:
        argv += ["--clean", "--if-exists"]
    if no_owner:
        argv.append("--no-owner")
    if no_privileges:
        argv.append("--no-privileges")
    if role is not None:
        argv.append(f"--role={role}")
    if archive is not None:
        argv.append(_operand(archive))
    return Command(tuple(argv), dict(env))


def list_archive(program: Program, archive: Path) -> Command:
    """Given pg_restore, returns the command that prints an archive's table of contents.

    It exits 0 on an archive whose data is cut short: it proves nothing about the data.
    """
    return Command((str(program.path), "--list", _operand(archive)))


def read_through(program: Program, archive: Path) -> Command:
    """Given pg_restore, returns the command that decodes the whole archive and keeps nothing.

    It fails on an archive that is cut short or damaged in its data.
    """
    return Command((str(program.path), "--file=/dev/null", _operand(archive)))


def dbname_argument(dbname: str) -> str:
    """Given a database's name, returns it so that libpq takes it for a name.

    libpq reads a dbname that holds `=` or begins like a URI as a connection string
    (recognized_connection_string in fe-connect.c); such a name is put into one.
    """
    if "=" not in dbname and not dbname.startswith(("postgres://", "postgresql://")):
        return dbname
    escaped = dbname.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{escaped}'"


def quoted(name: str) -> str:
    """Given a name, returns the quoted identifier; as a pattern of pg_dump's it matches that name alone.

    https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-PATTERNS
    """
    return '"' + name.replace('"', '""') + '"'


def pattern(schema: str, name: str) -> str:
    """Given a table, returns pg_dump's pattern that matches it and nothing else."""
    return f"{quoted(schema)}.{quoted(name)}"


def _operand(path: Path) -> str:
    text = str(path)
    return f"./{text}" if text.startswith("-") else text
