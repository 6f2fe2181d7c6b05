"""What is known at the moment of telling, as values; and as the words that a message is filled with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tui.model.amounts import clock, in_words, limit, minute, percent
from tui.model.text import clean, rfc3339

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one recovery; None and "" are not known. `eta` is how long it should still take, from
    `now`; `fraction` how far the restore is, 0 to 1; `thread` what its messages have in common."""

    fleet: str
    database: str
    operator: str
    now: datetime
    incident: str = ""
    environment: str = ""
    scenario: str = ""
    damaged_at: datetime | None = None
    declared_at: datetime | None = None
    rto: timedelta | None = None
    rpo: timedelta | None = None
    deadline: datetime | None = None
    eta: timedelta | None = None
    ready_low: datetime | None = None
    ready_high: datetime | None = None
    last_backup: datetime | None = None
    data_lost: str = ""
    fraction: float | None = None
    step: str = ""
    checks: str = ""
    took: timedelta | None = None
    reason: str = ""
    drill: bool = False
    thread: str = ""

    def words(self) -> dict[str, str]:
        """The facts by the names that a wording knows them by (see tui.model.wording.FIELDS), clean."""
        elapsed = self.now - self.declared_at if self.declared_at else None
        found = {
            "fleet": self.fleet,
            "database": self.database,
            "environment": self.environment,
            "incident": self.incident,
            "operator": self.operator,
            "scenario": self.scenario,
            "damaged_since": _moment(self.damaged_at),
            "declared": _moment(self.declared_at),
            "elapsed": _span(elapsed),
            "eta": _span(self.eta),
            "ready_at": self.ready_at,
            "deadline": f"{clock(self.deadline)} UTC" if self.deadline else UNKNOWN,
            "rto": limit(self.rto) if self.rto is not None else UNKNOWN,
            "rpo": limit(self.rpo) if self.rpo is not None else UNKNOWN,
            "last_backup": _moment(self.last_backup),
            "data_lost": self.data_lost or UNKNOWN,
            "progress": percent(self.fraction).strip() if self.fraction is not None else "nothing yet",
            "step": self.step,
            "checks": self.checks or "not run yet",
            "took": _span(self.took),
        }
        # A sentence that isn't there leaves no word behind.
        return {name: clean(word) or UNKNOWN for name, word in found.items()} | {"reason": clean(self.reason)}

    @property
    def ready_at(self) -> str:
        """When it should be ready: `03:37 – 03:41 UTC`, or the one moment that both ends are."""
        if self.ready_high is None:
            return "not known yet"
        low, high = clock(self.ready_low or self.ready_high), clock(self.ready_high)
        return f"{high} UTC" if low == high else f"{low} – {high} UTC"

    def fields(self, event: str) -> dict[str, str | None]:
        """The facts for programs: `event` and what goes with it; times in RFC 3339."""
        return {
            "event": event,
            "fleet": clean(self.fleet),
            "database": clean(self.database),
            "operator": clean(self.operator),
            "incident": clean(self.incident) or None,
            "scenario": clean(self.scenario) or None,
            "declared_at": _plain(self.declared_at),
            "last_backup": _plain(self.last_backup),
            "eta": _span(self.eta) if self.eta is not None else None,
            "ready_low": _plain(self.ready_low),
            "ready_high": _plain(self.ready_high),
            "deadline": _plain(self.deadline),
            "checks": clean(self.checks) or None,
            "drill": "true" if self.drill else "false",
        }


def _span(span: timedelta | None) -> str:
    return UNKNOWN if span is None else in_words(span)


def _moment(moment: datetime | None) -> str:
    return f"{minute(moment)} UTC" if moment else UNKNOWN


def _plain(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
