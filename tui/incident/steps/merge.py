"""The end of a recovery that isn't a swap: what the live tables miss is put back from the restored ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tui.incident.drill import Rehearsal
from tui.incident.scenarios import Way, known
from tui.incident.work import acting
from tui.model.amounts import plural
from tui.model.difference import TableDifference
from tui.model.errors import Refused
from tui.model.incident import Incident, Merge, Step, StepStatus
from tui.model.text import clean, stamp
from tui.operations.restore import tables
from tui.operations.restore.tables import ASIDE, MergePlan, OnRows
from tui.postgres.merge.merge import MergeOptions


@dataclass(frozen=True, slots=True)
class Weighed:
    """What speaks for merging and for cutting over: rows that the live tables miss, that they have with other
    values, and that only they have (`extra`: written since the backup; lost by cutting over). `unknown` are
    tables that could not be compared."""

    missing: int
    changed: int
    extra: int
    unknown: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The same, a sentence each."""
        said = [
            f"Merging puts {plural(self.missing, 'row')} back"
            + (
                f"; {plural(self.changed, 'row')} differ, and are overwritten where that is chosen."
                if self.changed
                else "."
            ),
            f"Cutting over loses {plural(self.extra, 'row')} that only the live tables have"
            + (f", and the newer values of up to {self.changed:,} more." if self.changed else "."),
        ]
        if self.unknown:
            said.append(f"Not compared: {', '.join(self.unknown[:4])}.")
        return tuple(said)


def weighed(differences: tuple[TableDifference, ...]) -> Weighed:
    """Given how the restored tables differ from the live ones, returns what speaks for which end."""
    return Weighed(
        sum(d.missing or 0 for d in differences),
        sum(d.changed or 0 for d in differences),
        sum(d.extra or 0 for d in differences),
        tuple(clean(".".join(d.table), 60) for d in differences if d.reason is not None),
    )


class MergeStep(Rehearsal):
    """Comparing restored tables with the live ones, merging, and taking that back."""

    @property
    def ways(self) -> tuple[Way, ...]:
        """How this recovery can end, the usual way first. Single tables can only be merged: a swap would put
        a database of these tables alone in the live one's place."""
        incident = self._incident
        ways = known(incident.scenario).ways if incident.scenario is not None else (Way.SWAP,)
        if incident.restored_tables:
            return (Way.MERGE,)
        if incident.address is not None:
            return tuple(dict.fromkeys((Way.ADDRESS, *(w for w in ways if w is not Way.MERGE), Way.SWAP)))
        return tuple(w for w in ways if w is not Way.ADDRESS) if ways != (Way.ADDRESS,) else ways

    @property
    def merged(self) -> bool:
        """Whether a merge stands."""
        merge = self._incident.merge
        return merge is not None and merge.undone_at is None

    def compare(
        self,
        on_table: Callable[[TableDifference], None] = lambda difference: None,
        on_rows: OnRows = lambda table, live, restored: None,
    ) -> Incident:
        """Compares the restored tables with the live ones, row by row: those concerned where they are known,
        else all. Only reads. Raises Refused before there is a restored database, and as `connect` does."""
        target, _ = self._restored()
        self.must_drive()
        wanted = self._incident.restored_tables or self._incident.tables
        chosen = tables.chosen_tables(self.recovering, target, wanted)
        found = tables.compare_tables(self.recovering, target, chosen, on_table, on_rows)
        told = [("fact", _in_words(d)) for d in found if not d.same]
        told = told or [("fact", f"{plural(len(found), 'table')} compared: the same as the live ones.")]
        at, entries = self._now(), self._entries(told)
        return self._by(
            lambda now: replace(now, differences=found, compared_at=at, timeline=(*now.timeline, *entries))
        )

    def merge_plan(self, chosen: tuple[tuple[str, str], ...] | None = None) -> MergePlan:
        """What merging would do to the tables `chosen` (None: all that miss rows or have them with other
        values), by what was compared last. Raises Refused before that, and as `connect` does."""
        incident = self._incident
        target, _ = self._restored()
        if incident.compared_at is None:
            raise Refused("The tables have not been compared yet.", mend="Compare them: d.")
        self._begin(Step.RESUME)
        differences = [
            d
            for d in incident.differences
            if (d.table in chosen if chosen is not None else d.reason is None and (d.missing or d.changed))
        ]
        return tables.plan_merge(self.recovering, target, differences)

    @acting
    def merge(self, confirmation: str, plan: MergePlan, how: MergeOptions) -> Incident:
        """Puts what the plan says back into the live tables, in one transaction. What is needed to take it
        back is kept beside the restored tables. `confirmation` must be the live database's name.

        In a drill it only goes through what that would do. Raises Refused when the name isn't right, the plan
        has a stop, or before the checks have passed or been gone past; and as `merge_tables` does.
        """
        target, _ = self._restored()
        self._confirmed(confirmation)
        self._require_checked()
        if plan.restored != target:
            raise Refused("Another database has been restored since.", mend="Compare it, and plan anew.")
        if plan.stops:
            raise Refused(plan.stops[0].what, mend=plan.stops[0].mend)
        if self.merged:
            raise Refused("It is merged already.", mend="Take that back first, or close the incident.")
        self._begin(Step.RESUME)
        named = [clean(".".join(t.difference.table), 60) for t in plan.tables]
        self._note("confirmation", f"Merge into {', '.join(named)} confirmed.")
        if self.drill:
            what = (f"merge {plural(t.difference.missing or 0, 'row')} into {n}" for t, n in
                    zip(plan.tables, named, strict=True))  # fmt: skip
            return self._gone_through(what)
        at = self._now()
        aside = f"{ASIDE}{stamp(at).lower()}"
        chosen = [t.difference.table for t in plan.tables]
        done = tables.merge_tables(
            self.recovering, target, chosen, replace(how, aside=aside), plan.planned(how.update_changed)
        )
        for t in done:
            left_out = f", {plural(t.skipped, 'row')} left out" if t.skipped else ""
            said = f"{clean(f'{t.schema}.{t.name}')}: {plural(t.inserted, 'row')} put back, "
            self._note("fact", f"{said}{t.updated:,} overwritten{left_out}; {t.after:,} now.")
        merge = Merge(
            live_name=self.database.dbname,
            restored_name=target,
            aside=aside,
            tables=done,
            triggers=how.triggers,
            at=at,
            operator=self._operator,
        )
        return self._change(merge=merge, remove_at=at + self.database.remove_old_after)

    @acting
    def undo_merge(self, confirmation: str) -> Incident:
        """Takes the merge back: rows that it put in go, those that it wrote over are as they were. Rows that
        were written to since stay. Raises Refused when the name isn't right or there is no merge, and as
        `take_merge_back` does."""
        self._confirmed(confirmation)
        merge = self.look_again().merge
        if merge is None or merge.undone_at is not None:
            raise Refused("There is no merge to take back.")
        done = tables.take_merge_back(
            self.recovering, merge.restored_name, merge.aside, triggers=merge.triggers
        )
        self._note("confirmation", f"Merge into {clean(merge.live_name)} taken back.")
        for t in done:
            name, removed = clean(f"{t.schema}.{t.name}"), plural(t.removed, "row")
            said = f"{name}: {removed} removed, {t.put_back:,} as before"
            self._note("fact", said + (f", {t.left:,} left: written to since." if t.left else "."))
        undone = replace(merge, undone_at=self._now(), left=sum(t.left for t in done))
        # What was compared is true no longer.
        return self._change(merge=undone, differences=(), compared_at=None, remove_at=None)

    def _confirmed(self, confirmation: str) -> None:
        if confirmation != self.database.dbname:
            raise Refused("The name that was typed is not the live database's.", mend="Nothing was changed.")

    def _require_checked(self) -> None:
        if self._incident.record(Step.VERIFY).status not in (StepStatus.DONE, StepStatus.SKIPPED):
            raise Refused(
                "The restored database has not passed its checks.",
                mend="Run step 5, verify; or go past it with a written reason.",
            )


def _in_words(d: TableDifference) -> str:
    name = clean(".".join(d.table), 80)
    if d.reason is not None:
        return f"{name} could not be compared: {clean(d.reason, 200)}"
    changed = "no key" if d.changed is None else f"{d.changed:,} different"
    return f"{name}: {d.missing or 0:,} rows missing, {d.extra or 0:,} only live, {changed}."
