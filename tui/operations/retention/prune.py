"""Retention carried out: what lies in the stores is held against the rules, and what may go is deleted.

A backup is deleted with all that lies beside it: the archive first, its manifest last. A prune that is
killed in between leaves no archive, so nothing that looks like a backup, and a manifest by which the next
one knows what is left over and ends the work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tui.model.backup import Backup, StoreProblem
from tui.model.errors import PgdrError, Refused, UsageError
from tui.model.fleet import Component, Database, Fleet, StoreSpec
from tui.model.text import clean
from tui.operations.catalogue.catalogue import listing
from tui.operations.catalogue.directory import TOCS, file_of
from tui.operations.catalogue.names import beside, component_told, told
from tui.operations.report import Clock
from tui.operations.retention.known import known_of
from tui.operations.retention.retention import Decision, Fate, Rule, decide
from tui.stores.open import open_store
from tui.stores.store import Store

_ALONE = "Goes because its archive is gone: what an interrupted prune or a person left beside it."

Needed = Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What a prune would do. `leftovers` are keys (with their store's name in front, as refs) whose archives
    are gone; `problems` are stores that couldn't be read: nothing of theirs is decided."""

    decisions: tuple[Decision, ...]
    leftovers: tuple[str, ...]
    problems: tuple[StoreProblem, ...]

    @property
    def kept(self) -> tuple[Decision, ...]:
        """What stays."""
        return tuple(d for d in self.decisions if d.fate is Fate.KEPT)

    @property
    def removed(self) -> tuple[Decision, ...]:
        """What goes, what is left over of earlier ones last."""
        return (
            *(d for d in self.decisions if d.fate is Fate.REMOVED),
            *(Decision(ref, Fate.REMOVED, _ALONE) for ref in self.leftovers),
        )

    @property
    def refused(self) -> tuple[Decision, ...]:
        """What stays and should be looked at."""
        return tuple(d for d in self.decisions if d.fate is Fate.REFUSED)


def plan_prune(
    fleet: Fleet,
    specs: Sequence[StoreSpec],
    databases: Collection[Database],
    components: Collection[Component],
    needed: Mapping[str, str],
    now: Clock,
) -> PrunePlan:
    """Decides on every backup of these databases and components in these stores. Only reads.

    `needed` tells of refs who works with them. With all of the fleet's databases, backups of those that it
    doesn't name are told too. A store that can't be read is a problem of the plan, not an error.
    """
    if not specs:
        return PrunePlan((), (), ())
    with ThreadPoolExecutor(len(specs), "pgdr-prune") as pool:
        plans = list(pool.map(lambda spec: _plan(fleet, spec, databases, components, needed, now), specs))
    return PrunePlan(
        tuple(d for plan in plans for d in plan.decisions),
        tuple(ref for plan in plans for ref in plan.leftovers),
        tuple(problem for plan in plans for problem in plan.problems),
    )


def carry_out(
    plan: PrunePlan,
    specs: Sequence[StoreSpec],
    needed: Needed,
    told_of: Callable[[Decision], None] = lambda _: None,
) -> tuple[tuple[Decision, ...], tuple[Decision, ...]]:
    """Deletes what a plan would remove; returns what was removed, and what was not and why. Each goes to
    `told_of` as it is done. `needed` is asked again before each: a restore may have begun meanwhile."""
    stores = {spec.name: open_store(spec) for spec in specs}
    removed: list[Decision] = []
    refused: list[Decision] = []
    for decision in plan.removed:
        name, _, key = decision.ref.partition(":")
        try:
            if (why := needed().get(decision.ref)) is not None:
                raise Refused(why)
            remove(stores[name], key)
            removed.append(decision)
            told_of(decision)
        except PgdrError as error:
            said = " ".join(part for part in (error.what, error.why) if part)
            refused.append(Decision(decision.ref, Fate.REFUSED, f"Not removed: {said}"))
            told_of(refused[-1])
    return tuple(removed), tuple(refused)


def remove(store: Store, key: str) -> None:
    """Deletes a backup and all that lies beside it, in the order that leaves no half of it unrecognised.

    Raises Refused when the store has it locked; what was deleted until then is gone. Raises as the store.
    """
    for name in objects_of(store, key):
        store.delete(name)


def plan_removal(plan: PrunePlan, ref: str) -> PrunePlan:
    """Given a plan and one backup in it, returns the plan of removing that one alone, by name.

    A person may remove what retention would keep, but not what is needed, and never the last good one.
    Raises UsageError when it isn't in the plan, Refused when it must stay.
    """
    found = next((d for d in plan.decisions if d.ref == ref), None)
    if found is None:
        raise UsageError(
            f"{clean(ref, 200)} is no backup that this configuration's retention is for.",
            mend="Name one of pgdr prune --dry-run, as STORE:KEY.",
        )
    if found.fixed:
        raise Refused(f"{clean(ref, 200)} stays. {found.why}", mend="Take and verify a newer one first.")
    return PrunePlan((Decision(ref, Fate.REMOVED, "Goes because it was named."),), (), plan.problems)


def _plan(
    fleet: Fleet,
    spec: StoreSpec,
    databases: Collection[Database],
    components: Collection[Component],
    needed: Mapping[str, str],
    now: Clock,
) -> PrunePlan:
    ours = {d.dbname: d for d in databases if spec.name in d.backup.stores}
    parts = {c.name: c for c in components if spec.name in (c.stores or [s.name for s in fleet.stores])}
    everything = len(databases) == len(fleet.databases)
    try:
        store = open_store(spec)
        found = [b for page in listing(store, None, [d.dbname for d in fleet.databases]) for b in page]
        # A store that lists in no order gives a backup twice, the second time with more known of it.
        found = list({backup.ref: backup for backup in found}.values())
        groups: dict[tuple[str, str], list[Backup]] = defaultdict(list)
        decisions: list[Decision] = []
        for backup in found:
            if backup.component in parts:
                groups["component", str(backup.component)].append(backup)
            elif backup.component is None and backup.database in ours:
                groups["database", str(backup.database)].append(backup)
            elif everything:
                decisions.append(Decision(backup.ref, Fate.REFUSED, _not_ours(backup), fixed=True))
        for (kind, name), backups in groups.items():
            what = parts[name] if kind == "component" else ours[name].backup
            decisions += decide(known_of(store, backups, needed), Rule.of(what), now())
        leftovers = _leftovers(store, {b.key for b in found}, ours.keys(), parts.keys())
        return PrunePlan(tuple(decisions), tuple(f"{spec.name}:{key}" for key in leftovers), ())
    except PgdrError as error:
        return PrunePlan((), (), (StoreProblem(spec.name, error.what, error.why, error.mend),))


def _not_ours(backup: Backup) -> str:
    if backup.component is not None:
        return (
            f"Not removed: the configuration has no component {clean(backup.component, 80)} for this store."
        )
    name = clean(backup.database or "an unknown database", 80)
    return f"Not removed: it is of {name}, for which the configuration doesn't have this store."


def _leftovers(
    store: Store, archives: Collection[str], databases: Collection[str], components: Collection[str]
) -> list[str]:
    """The keys beside which something lies though the archive is gone, of what is ours to clear."""
    alone: set[str] = set()
    for page in store.pages():
        for found in page:
            belongs = beside(found.key)
            if belongs is not None and belongs.key not in archives:
                alone.add(belongs.key)
    return [key for key in sorted(alone) if _ours(key, databases, components) and not _there(store, key)]


def _ours(key: str, databases: Collection[str], components: Collection[str]) -> bool:
    if (part := component_told(key)) is not None:
        return part[0] in components
    says = told(key) or told(f"{key}.dir")
    return says is not None and says.database in databases


def _there(store: Store, key: str) -> bool:
    """Whether the archive is there after all: a backup may have been taken while the store was listed."""
    return any(_is_archive(found, key) for found in objects_of(store, key))


def objects_of(store: Store, key: str) -> list[str]:
    """Given a backup's key, returns those of all its objects in the order of their deletion: what makes it an
    archive first, its manifest last. Raises as the store."""
    found = [item.key for page in store.pages(key) for item in page]
    # Below the key of an archive that is one object lies nothing of its own, whoever put it there.
    files = () if key in found else [name for name in found if _is_file_of(name, key)]
    mine = {name for name in found if name == key or _beside(name) == key}.union(files)
    return sorted(mine, key=lambda name: (_rank(name, key), name))


def _is_file_of(name: str, key: str) -> bool:
    inside = file_of(name)
    return inside is not None and inside[0] == key


def _is_archive(name: str, key: str) -> bool:
    """Whether an object is what makes the backup `key` an archive: itself, or its table of contents, which
    is written last and so deleted first."""
    return name == key or name in (f"{key}/{toc}" for toc in TOCS)


def _beside(name: str) -> str | None:
    belongs = beside(name)
    return belongs.key if belongs else None


def _rank(name: str, key: str) -> int:
    if _is_archive(name, key):
        return 0
    belongs = beside(name)
    if belongs is None or belongs.key != key:
        return 1
    return 3 if belongs.is_manifest else 2
