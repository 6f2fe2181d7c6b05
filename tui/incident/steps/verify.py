"""Step 5, verify: whether the restored database is right, or the one that came back by itself."""

from __future__ import annotations

from collections.abc import Callable

from tui.incident.steps.merge import MergeStep
from tui.incident.steps.restore import RestoreStep
from tui.model.amounts import minute
from tui.model.backup import Backup, Manifest
from tui.model.errors import PgdrError
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident, Step, StepStatus
from tui.model.smoke import LIVE, RESTORED
from tui.model.text import clean
from tui.model.verdict import Check
from tui.operations.catalogue.catalogue import backups, read_manifest
from tui.operations.catalogue.good import backups_of, good_ones
from tui.operations.report import Clock
from tui.operations.verify.smokes import smokes
from tui.operations.verify.verify import check_restored, count_tables, live_checks
from tui.stores.open import open_store

OnCheck = Callable[[Check], None]


class VerifyStep(MergeStep, RestoreStep):
    """Step 5, verify: whether the restored database is right."""

    def verify(self, on_check: OnCheck) -> Incident:
        """Checks the restored database against the manifest, and asks the fleet's own questions and smokes.
        Single tables are compared with the live ones as well.

        Where nothing was restored the live database is looked at: it only reads. A check that fails stops the
        way; going past it needs a reason.
        """
        if self.restores_nothing and self.look_again().job is None:
            self._begin(Step.VERIFY)
            return self._judge(_as_before(self._fleet, self.database, self._now, on_check))
        target, ref = self._restored()
        self._begin(Step.VERIFY)
        only = self._incident.restored_tables
        checks = check_restored(self._fleet, self.recovering, target, ref, on_check, tables=only)
        if not only:  # of single tables nobody knows what a smoke needs: they are asked after the merge
            checks += smokes(self.recovering, target, RESTORED, on_check)
        else:
            try:
                self.compare()
            except PgdrError as error:
                why = " ".join(part for part in (error.what, error.why) if part)
                unasked = Check("compared with the live ones", None, "every row", clean(why, 300), error.mend)
                on_check(unasked)
                checks += (unasked,)
        return self._judge(checks)

    def ask_live(self, on_check: OnCheck = lambda _: None) -> tuple[Check, ...]:
        """Once it is in place: asks the smokes of the live database, and after a merge the fleet's own
        questions and those of a restored one too."""
        self._begin(Step.RESUME)
        database, name = self.recovering, self.database.dbname
        checks: tuple[Check, ...] = ()
        if self.drill:
            self._would(*(f"ask {clean(s.name)}" for s in database.smokes if s.when == LIVE))
            return checks
        if self.merged:
            checks += live_checks(database, None)
            for check in checks:
                on_check(check)
            checks += smokes(database, name, RESTORED, on_check)
        checks += smokes(database, name, LIVE, on_check)
        for check in checks:
            if check.passed is False:
                self._note("error", _failed(check))
        if checks:
            self._note("fact", f"In place: {_passed(checks)}.")
        self._change(live_checks=checks)
        return checks

    def _judge(self, checks: tuple[Check, ...]) -> Incident:
        failed = [c for c in checks if c.passed is False]
        for check in failed:
            self._note("error", _failed(check))
        note = f"{_passed(checks)} passed"
        self._note("fact", note)
        status = StepStatus.FAILED if failed else StepStatus.DONE
        return self._end(Step.VERIFY, note, status, checks=checks)


def _failed(check: Check) -> str:
    return f"{check.name}: expected {check.expected}, found {check.found}"


def _passed(checks: tuple[Check, ...]) -> str:
    return f"{sum(c.passed is True for c in checks)} of {len(checks)} checks"


def _as_before(fleet: Fleet, database: Database, now: Clock, on_check: OnCheck) -> tuple[Check, ...]:
    """Whether a database that came back by itself has what its newest good backup had, and answers the
    fleet's own questions. It has moved on since: more rows are as they should be, fewer can't be judged."""
    made: list[Check] = []

    def tell(check: Check) -> None:
        made.append(check)
        on_check(check)

    manifest, of = _last_manifest(fleet, database, now)
    if manifest is None:
        tell(Check("rows", None, "as in the last backup", "no backup's manifest could be read"))
    for check in live_checks(database, manifest):
        tell(check)
    expected = {(t.schema, t.name): t.rows for t in manifest.tables} if manifest else {}
    found = count_tables(database, tuple(expected))
    for table, rows in expected.items():
        name = clean(".".join(table), 80)
        tell(_counted(name, rows, found.get(table), of))
    for check in smokes(database, database.dbname, RESTORED):
        tell(check)
    return tuple(made)


def _counted(name: str, expected: int, found: int | None, of: str) -> Check:
    wanted = f"{expected:,} rows, as {of}"
    if found is None:
        return Check(f"rows of {name}", False, wanted, "the table is not there", "It is no mere restart.")
    if found == 0 and expected > 0:
        return Check(f"rows of {name}", False, wanted, "0 rows", "It is no mere restart: see step 1.")
    if found < expected:
        return Check(f"rows of {name}", None, wanted, f"{found:,} rows", "Were they meant to go?")
    return Check(f"rows of {name}", True, wanted, f"{found:,} rows")


def _last_manifest(fleet: Fleet, database: Database, now: Clock) -> tuple[Manifest | None, str]:
    known: list[Backup] = []
    backups(fleet, database.dbname, known.extend, lambda problem: None)
    for backup in good_ones(backups_of(database, known), now()):
        spec = fleet.store(backup.store)
        if spec is None or not backup.has_manifest:
            continue
        try:
            manifest = read_manifest(open_store(spec), backup.key)
        except PgdrError:
            continue  # an older one serves as well
        if manifest is not None and manifest.selection == "full":
            return manifest, f"at {minute(manifest.created_at)} UTC"
    return None, ""
