"""What is proposed and decided of an incident's scenario, since when, and the runbook's advice."""

from __future__ import annotations

from datetime import datetime, timedelta

from textual.content import Content

from tui.incident.scenarios import known, targets
from tui.model import amounts as show
from tui.model.fleet import Fleet
from tui.model.incident import Incident, Proposal, Step
from tui.model.scenario import Scenario
from tui.model.text import clean
from tui.widgets.lines import BAD, BLANK, FAINT, GOOD, STRONG, WARN, line, wrapped

_CONTAINER = timedelta(minutes=5)  # a container is back within it, a node takes longer


def advice_lines(incident: Incident, step: Step, width: int) -> list[Content]:
    """Given an incident, returns what the runbook says to do at `step` in the scenario that was decided on,
    in lines of `width` cells; none before that."""
    if incident.scenario is None:
        return []
    made: list[Content] = []
    for sentence in known(incident.scenario).steps.get(step, ()):
        made += wrapped(sentence, width, line(("» ", STRONG)))
    return made


def advice_below(incident: Incident, step: Step, width: int) -> list[Content]:
    """The same to stand below what else a step shows, while there is something to be done."""
    made = advice_lines(incident, step, width) if incident.closed_at is None else []
    return [BLANK, *made] if made else []


def scenario_lines(fleet: Fleet, incident: Incident, width: int) -> list[Content]:
    """Given an incident, returns what has happened, as decided, else as proposed, and since when; none before
    anything was proposed."""
    if incident.scenario is not None:
        return _decided(fleet, incident, width)
    return proposal_lines(fleet, incident.proposal, width) if incident.proposal is not None else []


def proposal_lines(fleet: Fleet, proposal: Proposal, width: int) -> list[Content]:
    """What an assessment proposes, why, and since when."""
    if proposal.scenario is None:
        return wrapped(clean(proposal.why), width, line(("nothing to recover  ", STRONG)))
    made = wrapped(
        f"{known(proposal.scenario).title}   {promised(fleet, proposal.scenario)}",
        width,
        line(("▲ proposed ", WARN)),
        style=STRONG,
    )
    made += wrapped(clean(proposal.why), width, line(("  why      ", FAINT)))
    said = _since(proposal.good_at, proposal.damaged_at, proposal.how)
    return made + wrapped(said, width, line(("  since    ", FAINT)))


def _decided(fleet: Fleet, incident: Incident, width: int) -> list[Content]:
    assert incident.scenario is not None
    made = wrapped(
        f"{known(incident.scenario).title}   {promised(fleet, incident.scenario)}",
        width,
        line(("✔ decided  ", GOOD)),
        style=STRONG,
    )
    if incident.scenario_why:
        made += wrapped(clean(incident.scenario_why), width, line(("  why      ", FAINT)))
    said = _since(incident.good_at, incident.damaged_at, incident.damaged_how)
    made += wrapped(said, width, line(("  since    ", FAINT)))
    if incident.tables:
        tables = ", ".join(clean(table.removeprefix("public.")) for table in incident.tables)
        made += wrapped(tables, width, line(("  tables   ", FAINT)))
    return made


def _since(good: datetime | None, damaged: datetime | None, how: str) -> str:
    """Since when, and how that is known; the moments only once."""
    told = [show.minute(at) in how for at in (good, damaged) if at is not None]
    said = [] if told and all(told) else [f"{between(good, damaged)}."]
    return clean(" ".join([*said, *([how] if how else [])]))


def promised(fleet: Fleet, scenario: Scenario) -> str:
    """The RTO and RPO of a scenario, in a few words."""
    rto, rpo = targets(fleet, scenario)
    lost = "nothing lost" if rpo == timedelta(0) else f"RPO {show.limit(rpo)}"
    return f"RTO {show.limit(rto)} · {lost}"


def between(good: datetime | None, damaged: datetime | None) -> str:
    """Since when it is damaged, as far as the two moments tell."""
    if good is not None and damaged is not None:
        return f"after {show.minute(good)}, by {show.minute(damaged)} UTC"
    if damaged is not None:
        return f"{show.minute(damaged)} UTC at the latest"
    return f"after {show.minute(good)} UTC" if good is not None else "not known"


def waiting_lines(incident: Incident, until: datetime, last: str, now: datetime, width: int) -> list[Content]:
    """Given an incident whose restart is waited for, when to stop waiting, and what the last look found,
    returns how it stands; none where nothing is waited for."""
    since = incident.waiting_since
    if since is None:
        return []
    if incident.returned_at is not None:
        took = show.duration(incident.returned_at - since)
        text = f"since {show.clock_s(incident.returned_at)} UTC, {took} after the waiting began."
        return wrapped(text, width, line(("✔ it is BACK  ", GOOD)))
    if now >= until:
        text = f"at {show.clock(until)} UTC. Count on its loss: decide for another scenario (s)."
        return wrapped(text, width, line(("✘ STOP WAITING  ", BAD)))
    container = since + _CONTAINER
    late = (
        "a container should be back by now" if now >= container else f"container by {show.clock(container)}"
    )
    text = f"{show.duration(now - since)} so far; {late}, node by {show.clock(until)}; then stop waiting."
    made = wrapped(text, width, line(("◌ waiting  ", STRONG)))
    return made + wrapped(clean(last), width, line(("  last look  ", FAINT)))
