"""What is left to be done after an incident, told from what happened in it: nobody has to remember it."""

from __future__ import annotations

from tui.incident.clocks import back_at, data_lost, targets
from tui.incident.scenarios import known
from tui.incident.story import utc
from tui.model.amounts import duration, in_words
from tui.model.fleet import Database, Fleet
from tui.model.incident import Incident, Step, StepStatus
from tui.model.paused import Paused
from tui.model.progress import Progress
from tui.model.scenario import Scenario
from tui.model.wording import Occasion

_LONGEST_TOLD = 3


def follow_ups(incident: Incident, fleet: Fleet, job: Progress | None, paused: Paused) -> list[str]:
    """Given the incident, its fleet, its restore's job and what is still paused or frozen, returns what is
    left to be done, the most urgent first; each is plain text."""
    if incident.drill:
        return [*(f"Found in the drill: {said}" for said in incident.found), *_of_checks(incident)]
    database = fleet.database(incident.database)
    return [
        *_still_paused(incident, paused),
        *_gone_past(incident),
        *_of_checks(incident),
        *_kept(incident),
        *_of_errors(job),
        *_targets_missed(incident, fleet, database),
        *_telling(incident, fleet),
        *_of_scenario(incident),
        "Find the cause, and what would have shown it earlier.",
    ]


def _still_paused(incident: Incident, paused: Paused) -> list[str]:
    services = [
        f"Service {s.service} is still paused since {utc(s.at)}: pgdr unpause --service {s.service}."
        for s in paused.services
        if s.incident == incident.id or s.database == incident.database
    ]
    frozen = [
        f"Writes to {d.dbname} are still frozen ({d.how.value}) since {utc(d.at)}: pgdr thaw {d.database}."
        for d in paused.databases
        if (d.incident == incident.id or d.database == incident.database) and not d.aside
    ]
    return [*frozen, *services]


def _gone_past(incident: Incident) -> list[str]:
    said = {
        Step.VERIFY: "The restored data was put into use although its checks had not passed",
        Step.NOTIFY: "Nobody was told by this program",
        Step.ASSESS: "The damage was not assessed",
    }
    return [
        f"{said.get(r.step, f'{r.step.value} was gone past')}: {r.note}".rstrip(".") + "."
        for r in incident.steps
        if r.status is StepStatus.SKIPPED
    ]


def _of_checks(incident: Incident) -> list[str]:
    made = []
    for check in (*incident.checks, *incident.live_checks):
        if check.passed is False:
            mend = f" {check.mend}" if check.mend else ""
            made.append(f"Check “{check.name}” failed: expected {check.expected}, found {check.found}.{mend}")
        elif check.passed is None:
            made.append(f"Check “{check.name}” could not be asked ({check.found}): ask it by hand.")
    in_use = back_at(incident) is not None and incident.verdict is not None
    if in_use and not incident.checks and incident.record(Step.VERIFY).status is not StepStatus.SKIPPED:
        made.append("The restored data was never checked: compare it with the manifest, run the checks.")
    return made


def _kept(incident: Incident) -> list[str]:
    made, when = [], f" From {utc(incident.remove_at)} on it can go." if incident.remove_at else ""
    swap, merge = incident.swap, incident.merge
    if swap and swap.kept_as and not swap.undone_at:
        made.append(
            f"Once nobody needs it, drop the old database {swap.kept_as}: "
            f"pgdr drop {incident.database} {swap.kept_as} --confirm {swap.kept_as}.{when}"
        )
    left = swap.restored_name if swap and swap.undone_at else None
    left = merge.restored_name if merge else left
    left = incident.target if left is None and back_at(incident) is None else left
    if left:
        made.append(
            f"Once nobody needs it, drop the restored database {left}: "
            f"pgdr drop {incident.database} {left} --confirm {left}.{when}"
        )
    if back_at(incident) is not None and incident.ref is not None:
        made.append(f"Take a backup of {incident.database} as it is now: pgdr backup {incident.database}.")
    return made


def _of_errors(job: Progress | None) -> list[str]:
    mends = dict.fromkeys(e.mend for e in job.errors if e.mend) if job else {}
    return list(mends)[:_LONGEST_TOLD]


def _targets_missed(incident: Incident, fleet: Fleet, database: Database | None) -> list[str]:
    if database is None:
        return []
    rto, rpo = targets(fleet, incident, database)
    made, back, lost = [], back_at(incident), data_lost(incident)
    if back is not None and back - incident.declared_at > rto:
        took = {r.step.value: r.ended_at - r.began_at for r in incident.steps if r.began_at and r.ended_at}
        longest = max(took, key=lambda step: took[step], default=None)
        most = f" The longest step was {longest} ({duration(took[longest])})." if longest else ""
        over = in_words(back - incident.declared_at - rto)
        made.append(f"The recovery took {over} longer than the RTO allows.{most}")
    if lost is not None and lost > rpo:
        made.append(
            f"The backup was {in_words(lost - rpo)} older than the RPO allows: see why none was newer "
            "(pgdr late), or back up more often."
        )
    return made


def _telling(incident: Incident, fleet: Fleet) -> list[str]:
    made = []
    last = {sent.channel: sent for sent in incident.sent}
    for channel, sent in last.items():
        if sent.error:
            made.append(
                f"Channel {channel} did not take messages: {sent.error} Try it: pgdr notify --test {channel}."
            )
    told = {sent.occasion for sent in incident.sent if sent.error is None}
    over = {Occasion.RESOLVED.value, Occasion.STOOD_DOWN.value}
    if incident.closed_at is not None and told and not told & over:
        made.append("Those who were told of the incident have not been told that it is over.")
    if incident.closed_at is not None and not incident.sent and fleet.channels:
        made.append("Nobody was told of the incident by this program.")
    return made


def _of_scenario(incident: Incident) -> list[str]:
    """What the runbook says is left after some kinds of disaster."""
    if incident.scenario is Scenario.BAD_MIGRATION:
        return ["Mend the migration, rehearse it on staging, and apply it again."]
    if incident.scenario is Scenario.SITE_LOST:
        return ["Recover the other databases at the new place, and set up backups there."]
    if incident.scenario is Scenario.INSTANCE_LOST:
        return ["Make sure that the lost server does not come back and take writes."]
    if incident.scenario is not None and known(incident.scenario).freeze:
        return ["See that what did the damage can't do it again: its rights, its deployment, its jobs."]
    return []
