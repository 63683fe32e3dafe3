"""Plain values that go into the statistics: a plan's rule and what was seen; frozen, nothing that needs numpy.

With `results` the one stats module that domain, db and words may import: whoever stores or shows a number needs its
shape, not scipy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """What a metric is over units: a mean of any number, of 0/1, or one total over another, as clicks per view."""

    MEAN = "mean"
    PROPORTION = "proportion"
    RATIO = "ratio"


class Role(StrEnum):
    """What a metric is for in a plan: decides, explores, or must not get worse."""

    GOAL = "goal"
    SECONDARY = "secondary"
    GUARDRAIL = "guardrail"


class Direction(StrEnum):
    """Which way is good."""

    UP = "up"
    DOWN = "down"


class Design(StrEnum):
    """How repeated looks are paid for."""

    GROUP_SEQUENTIAL = "group sequential"
    CONFIDENCE_SEQUENCE = "confidence sequence"
    ONE_LOOK = "one look at the end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """A unit's other columns beside its value, for a ratio and for CUPED; a mean is a ratio over the constant 1.

    means: of the denominator, of the covariate (the metric before exposure), and of the covariate's denominator.
    covariances: 4 x 4, divisor n - 1, of (value, denominator, covariate, covariate's denominator).
    A denominator that a metric does not have has mean 1; a covariate, mean 0; both have variance and covariance 0.
    """

    means: tuple[float, float, float]
    covariances: tuple[
        tuple[float, float, float, float],
        tuple[float, float, float, float],
        tuple[float, float, float, float],
        tuple[float, float, float, float],
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """One variant's units on one metric.

    mean, variance: of one unit's value (a ratio's numerator), divisor n - 1; for a proportion p (1 - p).
    joint: None for a mean or a proportion without a covariate.
    """

    count: int
    mean: float
    variance: float
    joint: Joint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """All that is known as of a moment, cumulative since the start.

    exposed: units seen per variant, in the plan's order, control first.
    moments: by metric name, one per variant in the same order.
    """

    exposed: tuple[int, ...]
    moments: Mapping[str, tuple[Moments, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySums:
    """Units that came on one day and count from one day on, of all units or of one split's treatment.

    split: 0, 1, ...; None for all units. exposed_day, counted_day: 1 is the first; a unit of day d is known to the look
    at day d, and 0 counts at no look. sums: of what each column differs from its centre, then of the products of each
    pair of columns: (y, c, yy, yc, cc).
    """

    split: int | None
    exposed_day: int
    counted_day: int
    units: int
    sums: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """Past units, split at random as often as asked; only sums of them.

    columns: which of "yxcd" there are, as in `stats.moments`. centres: of each, near its mean.
    looks: None where a unit's numbers stay as they are once it counts, and every day's look adds up those before; else
    the days of the looks, the numbers of each being all units as of then: those of the n-th have counted_day n.
    """

    columns: str
    centres: tuple[float, ...]
    splits: int
    days: int
    looks: tuple[int, ...] | None
    sums: tuple[DaySums, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRule:
    """What the plan says about one metric.

    minimum_effect: absolute, in the metric's unit, > 0; None where nobody named one: then nothing is ever "no effect".
    margin: for a guardrail, the absolute worsening that is tolerated, >= 0.
    is_complete_at_exposure: a unit's value never changes after it is first seen.
    window_days: after which a unit's value is read and final, 0 if it keeps growing; None: as the rule's.
    """

    name: str
    role: Role
    kind: MetricKind
    direction: Direction
    minimum_effect: float | None = None
    margin: float = 0.0
    is_complete_at_exposure: bool = False
    window_days: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedCause:
    """The cause of an uneven split was found and ended: only units exposed since then count.

    after_look: the newest look before that was recorded; it and earlier ones are void, 0 if there is none.
    spent: u of the newest valid look among those; what was spent stays spent.
    """

    after_look: int
    spent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A treatment that people took out while the others went on. after_look: whose verdict it keeps, 0 for none."""

    treatment: str
    after_look: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A plan as the statistics see it; frozen at the start.

    variants: names, control first. weights: their planned shares, sum 1. alpha: two-sided, of the whole experiment.
    window_days: fixed window per unit after exposure, 0 if none. planned_units: over all variants, None if unknown.
    minimum_units, minimum_events: per arm, below which the verdict is "too early" before the final look.
    dropped, fixed_cause: what people did while it ran.
    """

    design: Design
    alpha: float
    planned_days: float
    variants: tuple[str, ...]
    weights: tuple[float, ...]
    metrics: tuple[MetricRule, ...]
    window_days: float = 0.0
    planned_units: int | None = None
    minimum_units: int = 100
    minimum_events: int = 25
    dropped: tuple[Dropped, ...] = ()
    fixed_cause: FixedCause | None = None

    @property
    def treatments(self) -> tuple[str, ...]:
        """The arms beside the control, dropped ones too."""
        return self.variants[1:]
