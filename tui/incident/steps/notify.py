"""Step 3, notify: who is told, at this step and at any other."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta

from tui.incident.clocks import back_at, clocks, data_lost, targets
from tui.incident.scenarios import known
from tui.incident.work import Work, acting
from tui.jobs.updates import Wanted, want_updates
from tui.model.amounts import in_words, minute, plural
from tui.model.channels import ChannelSpec
from tui.model.event import JobState
from tui.model.incident import Incident, Sent, Step, StepStatus, TimelineEntry
from tui.model.progress import Progress
from tui.model.text import clean, stamp
from tui.model.wording import Occasion
from tui.notify.facts import Facts
from tui.notify.message import Message
from tui.notify.send import send_all, shown
from tui.notify.templates import DRILL, draft


class NotifyStep(Work):
    """Step 3, notify: who is told."""

    def occasion(self) -> Occasion:
        """What is most likely to be told at this moment."""
        incident = self._incident
        told = {sent.occasion for sent in incident.sent if sent.error is None}
        if incident.closed_at is not None:
            return Occasion.RESOLVED if incident.outcome == "recovered" else Occasion.STOOD_DOWN
        if back_at(incident) is not None:
            return Occasion.RESOLVED
        if Occasion.DECLARED.value not in told and not incident.sent:
            return Occasion.DECLARED
        if incident.record(Step.VERIFY).status in (StepStatus.DONE, StepStatus.SKIPPED):
            return Occasion.READY
        now = clocks(self._fleet, incident, self.database, self.restore_picture(), self._now())
        late = now.over or now.will_be_late
        return Occasion.DELAYED if late and Occasion.DELAYED.value not in told else Occasion.PROGRESS

    def message(self, occasion: Occasion | None = None) -> Message:
        """What the stakeholders would be told now, on the occasion given or the one that fits; a person may
        change it before it is sent."""
        if self._incident.closed_at is None:
            self._begin(Step.NOTIFY)
        occasion = occasion or self.occasion()
        made = draft(occasion, self.facts(), self._fleet.messages)
        # Numbered, so that the same occasion can be told again, and a double press is shown once.
        number = len({sent.id for sent in self._incident.sent if sent.occasion == occasion.value}) + 1
        return replace(made, id=f"{self._thread}-{occasion.value}-{number}")

    def previews(self, message: Message) -> tuple[tuple[ChannelSpec, str], ...]:
        """The message as each channel will show it."""
        return tuple((channel, shown(channel, message)) for channel in self._fleet.channels)

    @acting
    def notify(
        self,
        message: Message,
        on_sent: Callable[[Sent], None] = lambda sent: None,
        occasion: Occasion | None = None,
        only: Collection[str] | None = None,
    ) -> tuple[Sent, ...]:
        """Sends the message to every channel, or those whose names are in `only`, and returns what became
        of each; each is written down, and handed to `on_sent`, as soon as it is known. A failure is told,
        it doesn't block: the step is done in any case. In a drill nothing is sent, only written down."""
        channels = [c for c in self._fleet.channels if only is None or c.name in only]
        names = ", ".join(clean(c.name) for c in channels) or "no channel"
        about = (occasion or _occasion_of(message) or self.occasion()).value
        text = " · ".join(clean(line) for line in message.text.splitlines() if line.strip())
        if self._incident.drill:
            self._note("message", f"{DRILL}: would tell {names}: '{clean(message.title)}': {text}")
        else:
            self._note("message", f"To {names}: '{clean(message.title)}': {text}")

        def known_now(sent: Sent) -> None:
            sent = replace(sent, occasion=about)
            entries = self._entries([("message", told_of(sent))])
            self._by(lambda now: with_sent(now, (sent,), entries))
            on_sent(sent)

        if self._incident.drill:
            at = self._now()
            outcomes = tuple(
                Sent(at, c.name, message.title, None, message.id, about, simulated=True) for c in channels
            )
            for sent in outcomes:
                known_now(sent)
        else:
            outcomes = send_all(channels, message, self._now, known_now)
        failed = [s for s in outcomes if s.error]
        note = f"{len(outcomes) - len(failed)} of {len(outcomes)} channels told"
        if self._incident.drill:
            note = f"{DRILL}: {plural(len(outcomes), 'channel')} would have been told"
        # What is told later, from other steps, is not the time that this one took.
        done = self._incident.record(Step.NOTIFY).status is StepStatus.DONE
        if self._incident.closed_at is None and (not done or about == Occasion.DECLARED.value):
            self._end(Step.NOTIFY, note)
        return tuple(replace(sent, occasion=about) for sent in outcomes)

    def set_updates(self, wanted: bool) -> Incident:
        """Whether the running restore, or the next one, tells the channels by itself when it should be ready.

        A drill's tells nobody. Raises NotWritten when the job can't be told.
        """
        self._note("decision", f"Messages on the restore's progress by itself: {'on' if wanted else 'off'}.")
        incident = self._change(updates=wanted)
        self.hand_updates_over()
        return incident

    def hand_updates_over(self, job: str | None = None) -> None:
        """Tells the restore's job whether it is to send messages by itself, and with which facts. Does
        nothing where there is no job yet; a job that has ended takes no notice."""
        incident = self._incident
        job = job or incident.job
        if job is None:
            return
        on = incident.updates and not incident.drill and bool(self._fleet.channels)
        facts = self.facts()
        want_updates(self._state, job, Wanted(on, facts, facts.deadline or self._now()))

    def take_told(self, picture: Progress | None = None) -> Incident:
        """Writes down what the restore's job has told by itself since the last look."""
        picture = picture or self.restore_picture()
        if picture is None or not _unknown(self._incident, picture):
            return self._incident

        def taken(now: Incident) -> Incident:
            new = _unknown(now, picture)
            # By whom: the job that one of the engineers has started
            entries = tuple(
                TimelineEntry(sent.at, f"job {picture.job}", "message", told_of(sent)) for sent in new
            )
            return with_sent(now, new, entries) if new else now

        return self._by(taken, anyone=True)  # it is in the journal, whoever reads it

    def facts(self) -> Facts:
        """The facts of this moment, for messages."""
        incident, now = self._incident, self._now()
        picture = self.restore_picture()
        rto, rpo = targets(self._fleet, incident, self.database)
        time = clocks(self._fleet, incident, self.database, picture, now)
        running = picture is not None and picture.state is JobState.RUNNING
        eta = time.ready_high - now if time.ready_high else rto
        passed = sum(check.passed is True for check in incident.checks)
        gone_past = incident.record(Step.VERIFY).status is StepStatus.SKIPPED
        checks = f"{passed} of {len(incident.checks)} passed" if incident.checks else ""
        stood_down = incident.outcome if incident.outcome not in (None, "recovered") else ""
        return Facts(
            fleet=self._fleet.name,
            database=self.database.name,
            operator=self._operator,
            now=now,
            incident=incident.id,
            environment=self.database.environment,
            scenario=known(incident.scenario).title if incident.scenario else "",
            damaged_at=incident.damaged_at,
            declared_at=incident.declared_at,
            rto=rto,
            rpo=rpo,
            deadline=time.deadline,
            eta=max(eta, timedelta(0)),
            ready_low=time.ready_low,
            ready_high=time.ready_high,
            last_backup=incident.backup_at or incident.newest_at,
            data_lost=lost_in_words(incident),
            fraction=picture.fraction if picture is not None and (running or incident.verdict) else None,
            step=incident.current.value,
            checks="gone past with a reason" if gone_past else checks,
            took=time.used if time.ended_at else None,
            reason=(stood_down or "").capitalize() + ("." if stood_down else ""),
            drill=incident.drill,
            thread=self._thread,
        )

    @property
    def _thread(self) -> str:
        # The number alone is not enough: another state directory counts its own incidents.
        return f"pgdr-{clean(self._fleet.name, 80)}-{self._incident.id}-{stamp(self._incident.declared_at)}"


def lost_in_words(incident: Incident) -> str:
    """What is lost, as a part of a sentence; nothing where it isn't known yet."""
    lost = data_lost(incident)
    if lost is None:
        return ""
    if not lost:
        return "none"
    upto = f" (what was written after {minute(incident.backup_at)} UTC)" if incident.backup_at else ""
    return f"at most {in_words(lost)}{upto}"


def with_sent(incident: Incident, sent: tuple[Sent, ...], entries: tuple[TimelineEntry, ...]) -> Incident:
    """The incident with messages that were sent, and the entries that tell of them."""
    return replace(incident, sent=(*incident.sent, *sent), timeline=(*incident.timeline, *entries))


def told_of(sent: Sent) -> str:
    """What became of one message to one channel, as a timeline has it."""
    what = f"Message '{clean(sent.title)}' to {clean(sent.channel)}: "
    if sent.simulated:
        return f"{DRILL}: {what}not sent"
    again = f" at the {sent.tries}. try" if sent.tries > 1 else ""
    return what + (f"failed, {clean(sent.error)}" if sent.error else f"taken{again}")


def _occasion_of(message: Message) -> Occasion | None:
    event = message.fields.get("event")
    names = {"initiated": Occasion.DECLARED} | {o.value: o for o in Occasion}
    return names.get(event) if event else None


def _unknown(incident: Incident, picture: Progress) -> tuple[Sent, ...]:
    seen = {(sent.id, sent.channel) for sent in incident.sent}
    return tuple(sent for sent in picture.told if (sent.id, sent.channel) not in seen)
