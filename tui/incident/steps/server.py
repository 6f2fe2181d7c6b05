"""Before step 4: the fresh server that takes the place of a lost one, and the roles that it misses."""

from __future__ import annotations

from tui.incident.work import Work, acting
from tui.model.backup import Manifest
from tui.model.elsewhere import address_in, database_at, told
from tui.model.errors import PgdrError, Refused, UsageError
from tui.model.facts import ServerFacts
from tui.model.fleet import Database
from tui.model.incident import Address, Incident
from tui.model.scenario import Scenario
from tui.model.text import clean
from tui.operations.catalogue.catalogue import read_manifest, split_ref
from tui.operations.restore.roles import make_roles
from tui.places.open import open_place
from tui.postgres.facts.facts import server_facts
from tui.stores.open import open_store

LOST = (Scenario.INSTANCE_LOST, Scenario.SITE_LOST)


class NotFresh(Refused):
    """The address is that of the old server, or of one that is in use."""


class FreshServer(Work):
    """Where it is restored when the server itself is lost."""

    @property
    def server_lost(self) -> bool:
        """Whether the scenario wants a fresh server."""
        return self._incident.scenario in LOST

    @property
    def wants_address(self) -> bool:
        """Whether a fresh server's address must be given before anything can be planned. A drill may do
        without: its scratch database can stand on any server."""
        return self.server_lost and self._incident.address is None and not self.drill

    @acting
    def set_address(self, typed: str, *, although_old: bool = False) -> Incident:
        """Settles where the fresh server listens: `host:port` as it was typed. User, password and TLS stay
        those of the configuration.

        Raises UsageError when it is no address, Refused when it is the old server and that lives (unless
        `although_old`) or a restore has been started already, and as `connect` does when it can't be reached.
        """
        address = address_in(typed, self.database.endpoint.port)
        self._require_none_started()
        there = database_at(self.database, address)
        facts = server_facts(open_place(there))
        if facts.in_recovery:
            raise Refused(
                f"{clean(told(address))} is a standby in recovery: nothing can be restored there.",
                mend="Give the primary's address, or promote it.",
            )
        why = self._why_old(facts)
        if why and not although_old:
            raise NotFresh(
                f"{clean(told(address))} is not a fresh server.",
                why,
                "If the old one lives, decide for another scenario at step 1; or use it all the same.",
            )
        system = f", system {facts.system_identifier}" if facts.system_identifier else ""
        text = f"Restore onto {clean(told(address))}: PostgreSQL {clean(facts.version)}{system}."
        self._note("decision", f"{text} {why} It is used all the same." if why else text)
        return self._change(address=address)

    @acting
    def clear_address(self) -> Incident:
        """Goes back to the configured server. Raises Refused once a restore has been started."""
        self._require_none_started()
        if self._incident.address is None:
            return self._incident
        self._note("decision", "Restore onto the configured server.")
        return self._change(address=None)

    @acting
    def make_roles(self, confirmation: str, statements: tuple[str, ...]) -> Incident:
        """Makes the roles that the server misses, in one transaction, by the statements of a plan.
        `confirmation` must be the database's name. Raises Refused when it isn't, PgdrError when the server
        says no: then none was made."""
        if confirmation != self.database.dbname:
            raise Refused("The name that was typed is not the database's.", mend="Nothing was changed.")
        if not statements:
            raise UsageError("No role is missing.")
        for statement in statements:
            self._note("command", clean(statement))
        if self.drill:
            self._note("fact", "DRILL: would make these roles.")
            return self.look_again()
        try:
            make_roles(self.recovering, statements)
        except PgdrError as error:
            self._note("error", f"The roles were not made: {clean(str(error), 300)}")
            raise
        self._note("fact", "The roles were made, without passwords.")
        return self.look_again()

    def _require_none_started(self) -> None:
        if self.look_again().job is not None:
            raise Refused(
                "A restore has been started already.", mend="Put it aside first: restore again (w), step 4."
            )

    def _why_old(self, facts: ServerFacts) -> str:
        """Why a server is taken for the old one, or one in use; nothing when it is taken for fresh."""
        manifest = self._manifest()
        if manifest and manifest.system_identifier and manifest.system_identifier == facts.system_identifier:
            return "It is the server that the backup was taken of, and it is alive."
        if self.database.dbname in facts.databases:
            return f"It has a database {clean(self.database.dbname)} already."
        return ""

    def _manifest(self) -> Manifest | None:
        if self._incident.ref is None:
            return None
        try:
            spec, key = split_ref(self._fleet, self._incident.ref)
            return read_manifest(open_store(spec), key)
        except PgdrError:
            return None  # only one of two signs: the database itself is the other


def where(address: Address | None, database: Database) -> str:
    """In words, the server that is restored to."""
    if address is not None:
        return told(address)
    endpoint = database.endpoint
    return f"{endpoint.host or 'local'}:{endpoint.port or ''}".rstrip(":")
