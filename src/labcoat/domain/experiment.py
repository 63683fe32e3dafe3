"""An experiment: a controlled test of one hypothesis."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from labcoat.domain.ids import ExperimentNumber, UserId
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.plan import Plan
from labcoat.stats.results import Readout, SampleRatio
from labcoat.stats.rule import Dropped, FixedCause, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedTreatment:
    """A treatment that the owner took out while the others went on.

    at: since when it gets no traffic, as people say; recorded_at: when Labcoat was told.
    after_look: the number of the newest look by then, whose verdict it keeps; 0 if there was none.
    """

    treatment: str
    reason: str
    at: datetime
    recorded_at: datetime
    by: UserId
    after_look: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseFixed:
    """The cause of an uneven split, found and ended: only units exposed since then count.

    since: when it ended, as people say; recorded_at: when Labcoat was told. after_look, spent: as in the statistics'
    FixedCause, of the looks by then.
    """

    reason: str
    since: datetime
    recorded_at: datetime
    by: UserId
    after_look: int
    spent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WhileItRan:
    """What people did to an experiment while it ran, which stays in view wherever its result is told.

    zone: of its plan. fixed_count: over all experiments of its hypothesis.
    """

    number: ExperimentNumber
    zone: str
    dropped: tuple[DroppedTreatment, ...]
    fixed_cause: CauseFixed | None
    fixed_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment of a hypothesis.

    plan_version: grows with each change of the plan; a look computed for an older one is dropped.
    since: when traffic began, as people say; ended_at: when it ended. started_at, stopped_at: when Labcoat was told.
    no_feedback_reason: why there is no evidence from users; skip_reason: why there was no prototype at all.
    dropped: treatments that were taken out while it ran. fixed_cause: of an uneven split, at most once.
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
    dropped: tuple[DroppedTreatment, ...] = ()
    fixed_cause: CauseFixed | None = None

    def rule(self) -> Rule:
        """Return the plan as the statistics see it, with what people did while it ran."""
        fixed = self.fixed_cause
        return replace(
            self.plan.rule(),
            dropped=tuple(Dropped(treatment=one.treatment, after_look=one.after_look) for one in self.dropped),
            fixed_cause=FixedCause(after_look=fixed.after_look, spent=fixed.spent) if fixed else None,
        )

    @property
    def dropped_treatments(self) -> tuple[str, ...]:
        """The treatments that were dropped, in that order."""
        return tuple(one.treatment for one in self.dropped)

    @property
    def remaining_treatments(self) -> tuple[str, ...]:
        """The treatments that were not dropped."""
        return tuple(name for name in self.plan.variant_names[1:] if name not in self.dropped_treatments)

    @property
    def remaining_variants(self) -> tuple[str, ...]:
        """The control and the treatments that were not dropped, in the plan's order."""
        return (self.plan.variant_names[0], *self.remaining_treatments)

    @property
    def exposed_since(self) -> datetime | None:
        """From when on exposures count: since the start, or since the cause of an uneven split was fixed."""
        return self.fixed_cause.since if self.fixed_cause else self.since

    def variants_of(self, split: SampleRatio) -> tuple[str, ...]:
        """Return whose units a check of the split compares: all of the plan, or the ones that remain."""
        names = self.plan.variant_names
        return names if len(split.exposed) == len(names) else self.remaining_variants

    def is_void(self, readout: Readout) -> bool:
        """Whether a look says nothing any more, because the cause of an uneven split was fixed after it."""
        return self.fixed_cause is not None and readout.look <= self.fixed_cause.after_look

    def standing(self, readout: Readout | None) -> Readout | None:
        """Return the readout if it says something still, else None."""
        return None if readout is None or self.is_void(readout) else readout

    @property
    def is_stopped_early(self) -> bool:
        """Whether traffic ended before the planned end."""
        return self.ended_at is not None and self.planned_end is not None and self.ended_at < self.planned_end

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
