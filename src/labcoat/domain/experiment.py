"""An experiment: a controlled test of one hypothesis."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from labcoat.domain.ids import ExperimentNumber, UserId
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment of a hypothesis.

    plan_version: grows with each change of the plan; a look computed for an older one is dropped.
    since: when traffic began, as people say; ended_at: when it ended. started_at, stopped_at: when Labcoat was told.
    no_feedback_reason: why there is no evidence from users; skip_reason: why there was no prototype at all.
    """

    number: ExperimentNumber
    state: ExperimentState = ExperimentState.DRAFT
    plan: Plan
    plan_version: int = 1
    planned_by: UserId
    planned_at: datetime
    no_feedback_reason: str | None = None
    skip_reason: str | None = None
    since: datetime | None = None
    started_at: datetime | None = None
    is_registered_late: bool = False
    ended_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_reason: str | None = None
    cancel_reason: str | None = None

    @property
    def is_of_the_past(self) -> bool:
        """Whether its data were complete before it was registered."""
        return self.plan.period is not None

    @property
    def end_reached_at(self) -> datetime | None:
        """When people could first know that its planned end has passed; None before it started."""
        if self.planned_end is None or self.started_at is None:
            return None
        return max(self.planned_end, self.started_at)

    @property
    def planned_end(self) -> datetime | None:
        """When it should end; None before it started."""
        return None if self.since is None else self.since + timedelta(days=self.plan.planned_days)
