"""The backups that a recovery could use: what each would lose, how long it would take, which is advised."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from tui.incident.assess_stores import Shelf, read_shelf, stores_of
from tui.incident.assess_tables import qualified
from tui.incident.clocks import targets, writes_ended
from tui.incident.parts import Parts
from tui.incident.scenarios import Known, Scope, known
from tui.model import amounts as show
from tui.model.backup import ArchiveFormat, Backup, StoreProblem, Verdict
from tui.model.errors import ConfigError, PgdrError
from tui.model.fleet import Database, Fleet, LocalStore
from tui.model.incident import Incident
from tui.model.plan import Estimate, Finding, Level
from tui.model.text import clean
from tui.operations.backup.check import opens
from tui.operations.catalogue.catalogue import Description, describe
from tui.operations.layers.encryption import GPG, NoKey
from tui.operations.plan.estimate import Part, opening_s, restore_estimate
from tui.operations.records import Timing, timings
from tui.stores.open import open_store
from tui.stores.store import Store

# Looking inside costs a ranged read or two each; others can be looked into when they are compared.
_LOOKED_INTO = 12
_BATCHES = 4  # so many times more are looked into, while none of them can be used
_AT_ONCE = 4
_LOCKED = "key"  # what a finding of a backup that no key here opens is about
_LIST_S = 20.0
_INSIDE_S = 20.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One backup, seen as a choice. `age` is the data lost if it is used.

    `complete` is None where nothing tells. `usable`: nothing speaks against it for this scenario and the time
    of the damage; `why` says why it is or isn't advised.
    """

    backup: Backup
    age: timedelta
    within_rpo: bool
    estimate: Estimate
    within_rto: bool
    advised: bool
    why: str
    description: Description | None
    complete: bool | None = None
    offsite: bool = False
    usable: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a recovery needs of a backup: the scenario's knowledge (None: not decided yet), since when it is
    damaged and when it was well last, the tables concerned, until when there were writes, when it
    must be ready and what may be lost."""

    about: Known | None
    damaged_at: datetime | None
    good_at: datetime | None
    tables: tuple[str, ...]
    writes_ended: datetime
    deadline: datetime
    rpo: timedelta

    @property
    def only_tables(self) -> bool:
        """Whether single tables are restored."""
        return self.about is not None and self.about.scope is Scope.TABLES and bool(self.tables)


def wanted(fleet: Fleet, database: Database, incident: Incident | None, now: datetime) -> Wanted:
    """Given an incident (None: one that begins now, of no known kind), returns what it needs of a backup."""
    if incident is None:
        return Wanted(None, None, None, (), now, now + database.rto, database.rpo)
    rto, rpo = targets(fleet, incident, database)
    scenario = incident.scenario
    proposal = incident.proposal
    return Wanted(
        about=known(scenario) if scenario else None,
        damaged_at=incident.damaged_at,
        good_at=incident.good_at,
        tables=incident.tables or (proposal.tables if proposal and scenario else ()),
        writes_ended=writes_ended(incident),
        deadline=incident.declared_at + rto,
        rpo=rpo,
    )


def candidates(
    fleet: Fleet, state: Path, database: Database, now: datetime, incident: Incident | None = None
) -> tuple[tuple[Candidate, ...], tuple[StoreProblem, ...]]:
    """Every backup of `database` in its stores as a candidate, and the stores that couldn't be read, within
    some forty seconds however slow one of them is.

    Those that nothing speaks against come first, then those that can't be used; the newest first in both. At
    most one is advised: the newest of the first, from the store that has it nearest.
    """
    need = wanted(fleet, database, incident, now)
    shelves, problems = _read(fleet, database, state)
    own = [backup for shelf in shelves for backup in shelf.backups]
    own.sort(
        key=lambda b: (not _too_late(b.sort_time, need), b.sort_time, _near(fleet, b), b.ref), reverse=True
    )
    learned = timings(state, database.name)
    inside: dict[str, Description] = {}
    looked: set[str] = set()
    listed: list[Candidate] = []
    for batch in range(0, _BATCHES * _LOOKED_INTO, _LOOKED_INTO):
        some = own[batch : batch + _LOOKED_INTO]
        inside |= _look_inside(fleet, some)
        looked |= {backup.ref for backup in some}
        listed = _listed(fleet, own, inside, looked, need, learned, now)
        if any(c.usable and c.description for c in listed) or len(looked) == len(own):
            break
    return _advise(listed, need), problems


def _listed(
    fleet: Fleet,
    own: Sequence[Backup],
    inside: dict[str, Description],
    looked: Collection[str],
    need: Wanted,
    learned: Sequence[Timing],
    now: datetime,
) -> list[Candidate]:
    """Every backup as a candidate, none advised yet, ranked."""
    lost = _lost_tables(inside.values(), need)
    listed = []
    for found in own:
        description = inside.get(found.ref)
        backup = description.backup if description else found
        why = _objection(fleet, backup, own, need, now)
        if not why and description is not None:
            why = _flaw(description, need, lost.get(backup.ref, ()))
        elif not why and backup.ref in looked:
            why = "It could not be looked into."
        estimate = _estimate(fleet, backup, description, need, learned)
        age = max(need.writes_ended - backup.sort_time, timedelta(0))
        listed.append(
            Candidate(
                backup=backup,
                age=age,
                within_rpo=age <= need.rpo,
                estimate=estimate,
                within_rto=now + estimate.high <= need.deadline,
                advised=False,
                why=why,
                description=description,
                complete=_complete(description),
                offsite=_offsite(fleet, backup),
                usable=not why,
            )
        )

    def rank(candidate: Candidate) -> tuple[bool, datetime, bool, str]:
        backup = candidate.backup
        return candidate.usable, backup.sort_time, _near(fleet, backup), backup.ref

    return sorted(listed, key=rank, reverse=True)


def look_inside(fleet: Fleet, candidate: Candidate) -> Candidate:
    """A candidate that was too old to be looked into at once, looked into. Raises PgdrError."""
    if candidate.description is not None:
        return candidate
    spec = fleet.store(candidate.backup.store)
    if spec is None:
        raise PgdrError(f"There is no store {clean(candidate.backup.store)} any more.")
    description = describe(open_store(spec), candidate.backup, fleet)
    return replace(candidate, description=description, complete=_complete(description))


def _read(fleet: Fleet, database: Database, state: Path) -> tuple[list[Shelf], tuple[StoreProblem, ...]]:
    """What the stores have; one that doesn't answer in time is a problem of its own."""
    parts = Parts(lambda finding: None, _LIST_S)
    reading = [
        (spec, parts.start(f"store {spec.name}", lambda spec=spec: read_shelf(fleet, database, spec, state)))  # type: ignore[misc]
        for spec in stores_of(fleet, database)
    ]
    shelves: list[Shelf] = []
    problems: list[StoreProblem] = []
    for spec, future in reading:
        shelf = parts.wait(future)
        if shelf is not None:
            shelves.append(shelf)
            problems += shelf.problems
        else:
            what = f"It has not answered within {_LIST_S:g} s."
            problems.append(
                StoreProblem(spec.name, what, None, "Go on without it, or read the stores again.")
            )
    return shelves, tuple(problems)


def _look_inside(fleet: Fleet, some: Sequence[Backup]) -> dict[str, Description]:
    """Descriptions by ref, of those that could be had in time."""
    parts = Parts(lambda finding: None, _INSIDE_S)
    keys = _Keys(fleet)
    todo = list(reversed(some))
    found: dict[str, Description] = {}

    def work() -> None:
        while True:
            try:
                backup = todo.pop()  # a list's pop is one step, whatever the threads do
            except IndexError:
                return
            spec = fleet.store(backup.store)
            try:
                if spec is not None:
                    store = open_store(spec)
                    found[backup.ref] = keys.tried(store, describe(store, backup, fleet))
            except PgdrError:
                continue  # it stays in the list, as one that could not be looked into

    threads = [parts.start(f"contents {number}", work) for number in range(min(_AT_ONCE, len(some)))]
    for thread in threads:
        parts.wait(thread)
    return dict(found)


class _Keys:
    """Which encrypted backups a key at hand opens. Those for the same recipients are tried once."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._known: dict[tuple[str, ...], PgdrError | None] = {}

    def tried(self, store: Store, description: Description) -> Description:
        """The same description; with a stop, when no key here opens the backup."""
        backup, manifest = description.backup, description.manifest
        if backup.encryption is None:
            return description
        recipients = manifest.recipients if manifest is not None else ()
        whom = (backup.encryption, *(recipients or (backup.ref,)))
        if whom not in self._known:
            self._known[whom] = self._refusal(store, backup)
        refused = self._known[whom]
        if refused is None:
            return description
        locked = Finding(Level.STOP, _LOCKED, f"No key here opens it. {refused.what}", refused.mend)
        return replace(description, problems=(locked, *description.problems))

    def _refusal(self, store: Store, backup: Backup) -> PgdrError | None:
        try:
            opens(store, backup, self._fleet)
        except (NoKey, ConfigError) as error:
            return error
        return None


def _advise(listed: Sequence[Candidate], need: Wanted) -> tuple[Candidate, ...]:
    chosen = next((c for c in listed if c.usable and c.description), None)
    result = []
    for candidate in listed:
        if candidate is chosen:
            result.append(replace(candidate, advised=True, why=_praise(candidate, need)))
        elif candidate.usable:
            result.append(replace(candidate, why=_lesser(candidate, chosen)))
        else:
            result.append(candidate)
    return tuple(result)


def _praise(candidate: Candidate, need: Wanted) -> str:
    lost = "within" if candidate.within_rpo else "beyond"
    what = "The newest complete one" if candidate.complete else "The newest one that can be used"
    if need.about and need.about.before_damage and need.damaged_at is not None:
        what += " from before the damage"
    if need.about and need.about.offsite:
        what += " that is off-site"
    said = f"{what}; the data lost is {lost} the RPO."
    if not candidate.within_rto:
        said += " It will not be ready within the RTO."
    return said + _doubt(candidate, need)


def _doubt(candidate: Candidate, need: Wanted) -> str:
    """What a person should know who picks it: whether it may have the damage too."""
    if need.about is None or not need.about.before_damage or need.damaged_at is not None:
        return ""
    if need.good_at is None:
        return " Since when it is damaged is not known: it may have the damage too."
    if candidate.backup.sort_time > need.good_at:
        return f" It may have the damage too; that of {show.minute(need.good_at)} UTC is known to be well."
    return ""


def _lesser(candidate: Candidate, chosen: Candidate | None) -> str:
    if chosen is None:
        return "Not looked into: whether it can be used is not known."
    if candidate.backup.sort_time == chosen.backup.sort_time:
        return "The same backup, farther away." if not _same_store(candidate, chosen) else "The same moment."
    said = f"Older than the advised one: {show.age(candidate.age - chosen.age)} more of data lost."
    if candidate.description is None:
        said += " Not looked into."
    done = candidate.backup.verification
    if done is not None and done.verdict is Verdict.CLEAN and chosen.backup.verification is None:
        said += " It was restored and checked, which the advised one was not."
    return said


def _same_store(one: Candidate, other: Candidate) -> bool:
    return one.backup.store == other.backup.store


def _objection(fleet: Fleet, backup: Backup, own: Sequence[Backup], need: Wanted, now: datetime) -> str:
    """What speaks against a backup by what a listing tells of it, or nothing."""
    if backup.verification and backup.verification.verdict is Verdict.FAILED:
        return f"Its verification failed, {show.age(now - backup.verification.at)} ago."
    if _too_late(backup.sort_time, need):
        return f"Taken after the damage ({show.minute(need.damaged_at)} UTC): it has it too."
    if need.about and need.about.offsite and not _offsite(fleet, backup):
        return f"It lies on-site ({clean(backup.store)}), which is lost in this scenario."
    sizes = sorted(b.size_bytes for b in own)
    if not backup.has_manifest and backup.size_bytes * 2 < sizes[len(sizes) // 2]:
        return "Much smaller than the others, and without a manifest that would explain it."
    return ""


def _flaw(description: Description, need: Wanted, lost: Collection[str]) -> str:
    """What speaks against a backup by what is inside it, or nothing."""
    stops = [f.what for f in description.problems if f.level is Level.STOP]
    if stops:
        return stops[0]
    if description.contents is None and description.manifest is None:
        return "Its contents can't be read."
    if description.manifest and description.manifest.selection != "full" and not _has_all(description, need):
        return f"Not a full backup ({clean(description.manifest.selection)})."
    if lost:
        names = ", ".join(clean(table.removeprefix("public.")) for table in list(lost)[:4])
        return f"An older one has rows of {names}, this one has none: it has the damage too."
    if need.only_tables and (missing := _missing(description, need.tables)):
        return f"It does not have {', '.join(clean(table) for table in missing[:4])}."
    return ""


def _too_late(taken: datetime, need: Wanted) -> bool:
    about, damaged = need.about, need.damaged_at
    return about is not None and about.before_damage and damaged is not None and taken >= damaged


def _lost_tables(some: Collection[Description], need: Wanted) -> dict[str, tuple[str, ...]]:
    """By ref, the tables concerned that a backup has no rows of although an older one has: it was taken after
    they were lost, whatever is known of the time."""
    if need.about is None or not need.about.before_damage or not need.tables:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    had: set[str] = set()
    for description in sorted(some, key=lambda d: d.backup.sort_time):
        if description.manifest is None:
            continue
        rows = {f"{t.schema}.{t.name}": t.rows for t in description.manifest.tables}
        if description.manifest.selection == "full":
            lost = tuple(t for t in need.tables if t in had and not rows.get(t))
            if lost:
                found[description.backup.ref] = lost
        had |= {table for table, number in rows.items() if number}
    return found


def _has_all(description: Description, need: Wanted) -> bool:
    """Whether a backup of single tables has those that are wanted, with their rows."""
    manifest = description.manifest
    kinds = ("tables", "data")
    return (
        need.only_tables
        and manifest is not None
        and manifest.selection in kinds
        and not _missing(description, need.tables)
    )


def _missing(description: Description, tables: Sequence[str]) -> list[str]:
    there = {(t.schema, t.name) for t in description.tables}
    return [table for table in tables if qualified(table) not in there] if there else []


def _complete(description: Description | None) -> bool | None:
    if description is None:
        return None
    if any(f.level is Level.STOP and f.about != _LOCKED for f in description.problems):
        return False
    return True if description.manifest is not None else None


def _estimate(
    fleet: Fleet,
    backup: Backup,
    description: Description | None,
    need: Wanted,
    learned: Sequence[Timing],
) -> Estimate:
    """How long it takes from where it lies: only the tables' part of it, where that can be read by itself;
    overlapped with the loading, where it can be read as it loads."""
    size, overlaps = backup.size_bytes, False
    contents = description.contents if description else None
    if description is not None and contents is not None and not contents.layers:
        overlaps = contents.format is ArchiveFormat.CUSTOM
        parts = {(t.schema, t.name): t.compressed_bytes for t in description.tables}
        sizes = [parts.get(qualified(table)) for table in need.tables] if need.only_tables else []
        if sizes and all(part is not None for part in sizes):
            size = sum(part or 0 for part in sizes)
    made = description.manifest if description else None
    files = len(made.files) if made is not None and made.encryption == GPG else 0
    part = Part(size, size, opening_s(files, fleet.encryption), files)
    return restore_estimate(part, not _near(fleet, backup), learned, overlaps=overlaps)


def _near(fleet: Fleet, backup: Backup) -> bool:
    return isinstance(fleet.store(backup.store), LocalStore)


def _offsite(fleet: Fleet, backup: Backup) -> bool:
    spec = fleet.store(backup.store)
    return spec is not None and spec.offsite
