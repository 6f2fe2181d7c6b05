"""The verbs, in the order of the help. Each module has `arguments(parser)` and `run(context, arguments)`;
what a verb needs is imported when it runs, so that the help stays quick."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.verbs.context import Context


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: the module that does it and its line in the help."""

    module: str
    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    speaks_json: bool = True

    def run(self, context: Context, arguments: argparse.Namespace) -> int:
        """Does it and returns the exit code."""
        code: int = import_module(f"tui.verbs.{self.module}").run(context, arguments)
        return code


def _ref(to: argparse.ArgumentParser) -> None:
    to.add_argument("ref", metavar="REF", help="a backup, STORE:KEY")


def _confirm(to: argparse.ArgumentParser) -> None:
    to.add_argument("--confirm", metavar="NAME", help="the name, typed again, of what will be changed")


def _nothing(to: argparse.ArgumentParser) -> None:
    pass


def _demo(to: argparse.ArgumentParser) -> None:
    to.add_argument("--dir", metavar="DIR", help="where the sample fleet is kept")
    to.add_argument("--disaster", metavar="KIND", help="hurt it first: dropped-database, truncated-table, "
                    "corrupt-rows, bad-migration, instance-loss")  # fmt: skip
    to.add_argument("--headless", action="store_true", help="run one whole recovery without the app")
    to.add_argument("--scale", type=float, default=1.0, help="how much sample data (1: some 50 MB)")


def _init(to: argparse.ArgumentParser) -> None:
    to.add_argument("where", metavar="WHERE", nargs="?", help="where backups lie: s3://BUCKET/PREFIX, "
                    "azure://ACCOUNT/CONTAINER/PREFIX, gs://BUCKET/PREFIX, or a directory")  # fmt: skip
    to.add_argument("--host", metavar="HOST", help="the server whose databases are written down")
    to.add_argument("--port", metavar="PORT", type=int, help="its port")
    to.add_argument("--user", metavar="USER", help="the role to connect as; passwords are libpq's matter")
    to.add_argument("--endpoint-url", metavar="URL", help="where the store is, if not in the cloud itself")
    to.add_argument("--region", metavar="NAME", help="the region of an S3 bucket")
    to.add_argument("--profile", metavar="NAME", help="the profile of ~/.aws for an S3 bucket")
    to.add_argument(
        "--output", metavar="FILE", help="where to write it (default: pgdr.toml here); - prints it"
    )
    to.add_argument("--force", action="store_true", help="replace a file that is there")


def _backups(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", nargs="?", help="only of this database")
    to.add_argument("--store", metavar="S", help="only in this store")
    to.add_argument("--limit", type=int, metavar="N", help="the newest N only")


def _backup(to: argparse.ArgumentParser) -> None:
    to.add_argument("databases", metavar="DB", nargs="*", help="databases of the fleet")
    to.add_argument(
        "--all", action="store_true", help="every database and component, the most critical first"
    )
    to.add_argument(
        "--component", metavar="NAME", action="append", default=[], help="this component (repeatable)"
    )
    to.add_argument("--store", metavar="S", action="append", default=[], help="into this store (repeatable)")
    what = to.add_mutually_exclusive_group()
    what.add_argument("--schema-only", action="store_true", help="no rows")
    what.add_argument("--data-only", action="store_true", help="rows alone")
    what.add_argument("--table", metavar="T", action="append", default=[], help="this table (repeatable)")
    to.add_argument("--format", choices=("custom", "directory", "plain"), help="plain is SQL, for psql")
    to.add_argument("--inserts", action="store_true", help="rows as INSERT, to seed other databases with")
    to.add_argument("--compress", metavar="HOW", help="none, gzip, lz4 or zstd, maybe with a level: zstd:3")
    to.add_argument(
        "--encrypt-to", metavar="KEY", action="append", default=[], help="a public key (repeatable)"
    )
    to.add_argument("--with-role-passwords", action="store_true", help="keep the roles' password hashes too")
    to.add_argument("--quiet", action="store_true", help="say nothing when all goes well")
    to.add_argument("--notify-failure", action="store_true", help="tell the channels what failed")
    _confirm(to)


def _role(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", help="a database of the fleet")
    to.add_argument(
        "--name", metavar="ROLE", help="the role's name; default: the configured one, or pgdr_backup"
    )


def _copy(to: argparse.ArgumentParser) -> None:
    _ref(to)
    to.add_argument("store", metavar="STORE", help="the store that it is copied to")


def _restore(to: argparse.ArgumentParser) -> None:
    _ref(to)
    to.add_argument(
        "--database", metavar="DB", help="the database of the fleet on whose server it is restored"
    )
    to.add_argument("--to", metavar="NAME", help="the fresh database's name on the server")
    to.add_argument(
        "--table", metavar="S.T", action="append", default=[], help="this table only (repeatable)"
    )
    to.add_argument("--jobs", type=int, metavar="N", help="workers of pg_restore")
    to.add_argument("--plan", action="store_true", help="show the plan and stop")
    to.add_argument("--detach", action="store_true", help="start it and return")
    _confirm(to)


def _verify(to: argparse.ArgumentParser) -> None:
    to.add_argument("ref", metavar="REF", nargs="*", help="a backup, STORE:KEY; with --due databases' names")
    to.add_argument(
        "--due", action="store_true", help="the newest backup of each database whose verification is due"
    )
    to.add_argument("--database", metavar="DB", help="the database of the fleet on whose server it is tried")


def _swap(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", help="a database of the fleet")
    to.add_argument("restored", metavar="FROM", help="the restored database's name on the server")
    _confirm(to)


def _restored(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", help="a database of the fleet")
    to.add_argument("restored", metavar="FROM", help="the restored database's name on the server")


def _compare(to: argparse.ArgumentParser) -> None:
    _restored(to)
    to.add_argument(
        "--table", metavar="S.T", action="append", default=[], help="this table only (repeatable)"
    )


def _merge(to: argparse.ArgumentParser) -> None:
    _restored(to)
    to.add_argument("--table", metavar="S.T", action="append", required=True, help="this table (repeatable)")
    to.add_argument(
        "--triggers", choices=("on", "off"), default="on", help="whether the tables' own triggers fire"
    )
    to.add_argument("--update-changed", action="store_true", help="overwrite rows that have other values now")
    to.add_argument("--skip-blocked", action="store_true", help="leave out rows that a constraint keeps out")
    to.add_argument(
        "--lock-timeout", type=float, metavar="S", default=5.0, help="seconds to wait for the tables' locks"
    )
    _confirm(to)


def _undo(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", help="a database of the fleet")
    _confirm(to)


def _kept(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", nargs="?", help="only of this database")


def _drop(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", help="a database of the fleet")
    to.add_argument("kept", metavar="NAME", help="the kept database's name on the server")
    _confirm(to)


def _services(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", nargs="?", help="only those of this database")


def _to_pause(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", nargs="?", help="a database of the fleet: all of its services")
    to.add_argument(
        "--service", metavar="NAME", action="append", default=[], help="this service (repeatable)"
    )


def _pause(to: argparse.ArgumentParser) -> None:
    _to_pause(to)
    to.add_argument("--reason", metavar="TEXT", help="why, for those who find it paused")
    to.add_argument(
        "--confirm", metavar="NAME", help="the database's name, the service's, or for several the fleet's"
    )


def _give_up(to: argparse.ArgumentParser) -> None:
    to.add_argument("--give-up", metavar="REASON", help="leave it as it is, and list it no longer")


def _unpause(to: argparse.ArgumentParser) -> None:
    _to_pause(to)
    _give_up(to)


def _freeze(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", help="a database of the fleet")
    to.add_argument("--no-connections", action="store_true", help="let nobody in, pgdr neither")
    to.add_argument("--keep-sessions", action="store_true", help="end no session; they may write on")
    to.add_argument("--reason", metavar="TEXT", help="why, for those who find it frozen")
    _confirm(to)


def _thaw(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", help="a database of the fleet")
    _give_up(to)


def _databases(to: argparse.ArgumentParser) -> None:
    to.add_argument("databases", metavar="DB", nargs="*", help="only of these databases")


def _sessions(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", help="a database of the fleet")
    to.add_argument("--end", action="store_true", help="end all of them")
    _confirm(to)


def _one_database(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", help="a database of the fleet")


def _explain(to: argparse.ArgumentParser) -> None:
    to.add_argument("text", metavar="TEXT", nargs="+", help="an error's text, or a few words; - reads stdin")
    to.add_argument("--limit", type=int, metavar="N", default=5, help="the N that fit best (default: 5)")


def _late(to: argparse.ArgumentParser) -> None:
    _databases(to)
    to.add_argument("--notify", action="store_true", help="tell the channels of the configuration")
    to.add_argument("--quiet", action="store_true", help="say nothing when none is late")


def _drill(to: argparse.ArgumentParser) -> None:
    to.add_argument("database", metavar="DB", nargs="?", help="a database of the fleet")
    to.add_argument("--from", dest="ref", metavar="REF", help="this backup; default: the newest good one")
    to.add_argument(
        "--table",
        metavar="S.T",
        action="append",
        default=[],
        help="rehearse restoring this table (repeatable)",
    )
    to.add_argument("--all", action="store_true", help="every database: the loss of everything")


def _prune(to: argparse.ArgumentParser) -> None:
    to.add_argument("databases", metavar="DB", nargs="*", help="only of these databases; default: everything")
    to.add_argument(
        "--store", metavar="S", action="append", default=[], help="only in this store (repeatable)"
    )
    to.add_argument("--dry-run", action="store_true", help="only tell what would stay and go, and why")
    to.add_argument("--remove", metavar="REF", help="remove this one backup instead, whatever its age")
    to.add_argument("--quiet", action="store_true", help="say nothing when there is nothing to do")
    to.add_argument(
        "--confirm", metavar="NAME", help="the fleet's name, or the database's where one is named: do it"
    )


def _schedule(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "--format", dest="form", metavar="FORM", default="cron",
        help="cron (the default), systemd, kubernetes, windows, or several: cron,systemd",
    )  # fmt: skip
    to.add_argument("--environment", metavar="NAME", help="only of this one: dev, staging, prod")
    to.add_argument("--out", metavar="DIR", help="write the files there instead of printing them")
    to.add_argument("--image", metavar="IMAGE", help="for kubernetes: one with pgdr and pg_dump in it")


def _job(to: argparse.ArgumentParser) -> None:
    to.add_argument("job", metavar="JOB", help="a job's id, the beginning of one, or `last`")


def _resume(to: argparse.ArgumentParser) -> None:
    _job(to)
    to.add_argument("--detach", action="store_true", help="start it and return")


def _cancel(to: argparse.ArgumentParser) -> None:
    _job(to)
    to.add_argument("--keep", action="store_true", help="keep the unfinished database")


def _notify(to: argparse.ArgumentParser) -> None:
    to.add_argument("channels", metavar="CHANNEL", nargs="*", help="only these channels; default: all")
    to.add_argument("--test", action="store_true", help="send a message that is marked as a test")


def _report(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "id", metavar="ID", nargs="?", help="an incident's number; with --runbook a database's name"
    )
    to.add_argument(
        "--format", choices=("md", "json", "text"), default="md",
        help="Markdown (the default), JSON, or plain text (of the runbook)",
    )  # fmt: skip
    to.add_argument(
        "--runbook", action="store_true", help="the card for when pgdr can't be used: contacts and commands"
    )


VERBS: dict[str, Verb] = {
    "demo": Verb("demo", "start a disposable PostgreSQL with a sample fleet and open the app on it", _demo),
    "init": Verb("init", "write a first configuration from a bucket, a directory or a server", _init),
    "check": Verb("check", "validate the configuration and reach every database and store", _nothing),
    "inventory": Verb("inventory", "the fleet, live", _nothing),
    "backups": Verb("backups", "the backups in all stores, newest first", _backups),
    "show": Verb("show", "what is inside a backup, read from where it lies", _ref),
    "backup": Verb("backup", "take a backup with its manifest", _backup),
    "role": Verb("role", "the SQL for a role that takes backups, and what the present one lacks", _role),
    "copy": Verb("copy", "copy a backup, with what is beside it, to another store", _copy),
    "restore": Verb("restore", "plan, restore into a fresh database, judge", _restore),
    "verify": Verb("verify", "restore into a scratch database, compare, record the result", _verify),
    "drill": Verb("drill", "rehearse a recovery in a scratch database, record RTO and RPO", _drill),
    "drills": Verb("drills", "the rehearsals, against their targets", _databases),
    "due": Verb("due", "which verifications and rehearsals are due", _databases),
    "late": Verb("late", "which databases have no good backup within their RPO", _late),
    "prune": Verb("prune", "apply retention, never to the last good backup", _prune),
    "swap": Verb("swap", "put a restored database in the live one's place, keeping the old", _swap),
    "undo": Verb("undo", "take the last swap back", _undo),
    "kept": Verb("kept", "the databases that restores and swaps left beside the live ones", _kept),
    "drop": Verb("drop", "drop one of the kept databases for good", _drop),
    "services": Verb(
        "services", "what uses the databases, how it is, and whether they take writes", _services
    ),
    "pause": Verb("pause", "stop the services of a database, to be resumed as they were", _pause),
    "unpause": Verb("unpause", "start again what was paused, and ask whether it is well", _unpause),
    "freeze": Verb("freeze", "keep writes out of a database", _freeze),
    "thaw": Verb("thaw", "let writes in again, as before", _thaw),
    "paused": Verb("paused", "what is still paused or frozen", _nothing),
    "sessions": Verb("sessions", "who is in a database; ends them where they are in the way", _sessions),
    "disk": Verb("disk", "what fills the disks of a database's server and of this machine", _one_database),
    "explain": Verb("explain", "what an error means and what helps, searched by its text", _explain),
    "compare": Verb("compare", "how a restored database's tables differ from the live ones", _compare),
    "merge": Verb("merge", "put rows that live tables miss back from a restored database", _merge),
    "schedule": Verb("schedule", "print what to install so that all of it runs on its own", _schedule),
    "jobs": Verb("jobs", "what is running or has run", _nothing),
    "attach": Verb("attach", "follow a job", _job),
    "resume": Verb("resume", "go on with an interrupted restore from what is done", _resume),
    "cancel": Verb("cancel", "stop a job", _cancel),
    "notify": Verb("notify", "try the channels with a message that is marked as a test", _notify),
    "incidents": Verb("incidents", "incidents, newest first", _nothing),
    "report": Verb("report", "one incident as a post-incident report", _report, speaks_json=False),
}
