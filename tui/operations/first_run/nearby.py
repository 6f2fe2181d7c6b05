"""What a first configuration could name, found near here: servers, buckets, directories with backups."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tui.config.starter import store_at
from tui.model.elsewhere import address_in
from tui.model.errors import PgdrError, UsageError
from tui.model.fleet import AzureStore, Endpoint, GcsStore, LocalStore, S3Store, StoreSpec
from tui.model.text import clean
from tui.operations.first_run.look import InStore, look_into
from tui.postgres.facts.nearby import PORTS, SOCKETS, NearServer, ask, near_servers, sockets_in

DIRECTORIES = (
    "/var/backups",
    "/var/lib/postgresql/backups",
    "/var/lib/pgsql/backups",
    "/backup",
    "/backups",
    "/srv/backups",
)
_FEW_PAGES = 2  # of a listing: it is only asked whether there are backups
_MOST_BUCKETS = 20  # so many are looked into; of the others their names are told
_AT_ONCE = 8
FORMS = "[USER@]HOST[:PORT], s3://BUCKET/PREFIX, azure://ACCOUNT/CONTAINER, gs://BUCKET, or a directory"


@dataclass(frozen=True, slots=True)
class NearStore:
    """A store that may be one: where, who told of it, and what is in it, or why that isn't known.

    With neither it is still looked into, or, when it is `passed_by`, wasn't: there are too many.
    """

    spec: StoreSpec
    told_by: str
    inside: InStore | None = None
    problem: PgdrError | None = None
    passed_by: bool = False

    @property
    def where(self) -> str:
        """Its address, as `pgdr init` takes it."""
        return address_of(self.spec) if self.named else "buckets"

    @property
    def named(self) -> bool:
        """Whether it can be written down: not where only credentials are known."""
        return not isinstance(self.spec, S3Store) or bool(self.spec.bucket)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where is looked: the environment, the home directory, the current one, others for backups, those for
    sockets, and the ports of this machine."""

    environ: Mapping[str, str]
    home: Path | None
    here: Path
    directories: tuple[str, ...] = DIRECTORIES
    sockets: tuple[Path, ...] = SOCKETS
    ports: Sequence[int] = PORTS

    def servers(self, on_server: Callable[[NearServer], None]) -> None:
        """Asks every server that may be near: see `near_servers`."""
        near_servers(on_server, self.environ, self.home, self.sockets, self.ports)

    def stores(self, on_store: Callable[[NearStore], None]) -> None:
        """Looks for stores, side by side, and returns when all are known.

        `on_store` gets a bucket at once and again when it was looked into, a directory only when it holds
        backups, and a store without a bucket for credentials that may not list any; from several threads.
        """
        from tui.stores import nearby as buckets_here  # 0.3 s of CPU, while the servers are asked

        with ThreadPoolExecutor(_AT_ONCE, "pgdr-near") as pool:
            waiting = [pool.submit(self._directory, path, on_store) for path in self._directories()]
            for of in buckets_here.credentials(self.environ):
                told_by = f"profile {clean(of.profile, 30)}" if of.profile else "AWS_* variables"
                try:
                    names = buckets_here.buckets(of)
                except PgdrError as error:
                    on_store(NearStore(of, told_by, problem=error))
                    continue
                stores = [NearStore(replace(of, bucket=name), told_by) for name in names]
                for number, store in enumerate(stores):
                    on_store(replace(store, passed_by=number >= _MOST_BUCKETS))
                waiting += [pool.submit(look, one, on_store) for one in stores[:_MOST_BUCKETS]]
            for one in waiting:
                one.result()

    def typed(self, text: str) -> NearServer | NearStore:
        """Given what a person typed, returns the server or store that it names, not asked yet.

        Raises UsageError where it is neither, or holds a password, which isn't repeated then.
        """
        said = text.strip()
        told_by = "you"
        directory = said[:1] in ("/", ".", "~")
        if directory and (found := sockets_in(Path(said).expanduser())):
            return NearServer(found[0], told_by)
        if directory or (("://" in said) and not said.startswith(("postgres://", "postgresql://"))):
            return NearStore(store_at(said), told_by)
        return NearServer(_endpoint(said), told_by)

    def answer(self, server: NearServer) -> NearServer:
        """Asks one server."""
        return ask(server, self.environ)

    def _directories(self) -> list[Path]:
        given = [Path(name) for name in self.directories]
        given += [self.home / name for name in ("backup", "backups")] if self.home else []
        # A whole home or system is no store, however many archives lie about in it.
        too_wide = {Path("/"), *([self.home.resolve()] if self.home else [])}
        given += [self.here / "backups", *([self.here] if self.here.resolve() not in too_wide else [])]
        once: dict[Path, Path] = {}
        for path in given:
            if path.is_dir():
                once.setdefault(path.resolve(), path)
        return list(once.values())

    def _directory(self, path: Path, on_store: Callable[[NearStore], None]) -> None:
        try:
            store = NearStore(LocalStore("local", path.absolute()), "a directory")
            inside = look_into(store.spec, _FEW_PAGES)
        except PgdrError:
            return  # one that nobody asked for and that can't be read
        if inside.backups:
            on_store(replace(store, inside=inside))


def look(store: NearStore, on_store: Callable[[NearStore], None]) -> None:
    """Looks into a store and hands it over with what is in it, or with the reason why that isn't known."""
    try:
        on_store(replace(store, inside=look_into(store.spec, _FEW_PAGES)))
    except PgdrError as error:
        on_store(replace(store, problem=error))


def surroundings() -> Surroundings:
    """This process's own."""
    try:
        home: Path | None = Path.home()
    except RuntimeError:
        home = None
    return Surroundings(dict(os.environ), home, Path.cwd())


def address_of(spec: StoreSpec) -> str:
    """Given a store, returns its address as a person types it."""
    if isinstance(spec, LocalStore):
        return clean(str(spec.path))
    if isinstance(spec, AzureStore):
        return clean(f"azure://{spec.account}/{spec.container}/{spec.prefix}")
    kind = {S3Store: "s3", GcsStore: "gs"}[type(spec)]
    return clean(f"{kind}://{spec.bucket}/{spec.prefix}")


def _endpoint(said: str) -> Endpoint:
    rest = said.partition("://")[2] if "://" in said else said
    rest = rest.rstrip("/")
    user, at, address = rest.rpartition("@")
    if ":" in user:
        raise UsageError(
            "The address holds a password, and a configuration is no place for one.",
            mend="Give it without; put the password into ~/.pgpass or $PGPASSWORD.",
        )
    if at and not (user and user.isprintable()):
        raise UsageError("There is no role before the @.", mend=f"Give {FORMS}.")
    try:
        found = address_in(address)
    except UsageError:
        raise UsageError("That is no address of a server or store.", mend=f"Give {FORMS}.") from None
    return Endpoint(found.host, found.port, user or None)
