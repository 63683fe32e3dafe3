"""What a metric was lately, measured on the team's own data: what a plan can expect of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

OLD_AFTER = timedelta(days=14)
"""A measurement is shown with its age from then on: traffic and seasons change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One metric of the metrics file over the units that were exposed lately, in whatever experiment and variant.

    definition: a short hash of what decides its numbers; of another definition this says nothing.
    since, until: of the exposures, aware, the end excluded; None where exposures have no time.
    units: measured. units_per_day: on days with exposures; None where they have no time.
    mean: of a ratio one total over the other. deviation: of one unit's value, of a ratio's linearised one.
    variance_reduction: CUPED's gain, the share of the variance that its covariate takes away, 0-1; None without one.
    trial_days: of the pre-period that gain is of, where the metric has none and it was only tried; else None.
    """

    metric: str
    definition: str
    measured_at: datetime
    since: datetime | None
    until: datetime | None
    units: int
    units_per_day: float | None
    mean: float
    deviation: float
    variance_reduction: float | None
    trial_days: float | None = None

    @property
    def counted_reduction(self) -> float:
        """What the metric's readouts take away, so that a plan may count on it; 0 for nothing."""
        return self.variance_reduction or 0.0 if self.trial_days is None else 0.0

    def is_old(self, now: datetime) -> bool:
        """Whether it was measured so long ago that people are told."""
        return now - self.measured_at > OLD_AFTER
