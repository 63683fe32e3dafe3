"""How many units and days a plan needs, and what the days that people have can show.

n = (k + z_power)^2 (v0 / w0 + v1 / w1) / effect^2 over all variants, with k the width of the design's final interval.
Normal quantiles throughout: with the sizes this asks for, Student's differ in the third digit.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt

from scipy.optimize import brentq
from scipy.special import ndtri

from labcoat.stats import confidence_sequence, sequential
from labcoat.stats.results import Design, Direction, MetricKind, Role

# Daily looks for four weeks; the inflation differs by half a percent between two weeks and twelve.
_TYPICAL_LOOKS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be shown on one metric.

    baseline: the control's expected mean or proportion. variance: of one unit's value; not read for proportions.
    role: a goal shall move by the effect; a guardrail shall be shown not to get worse by it (then it is the margin),
    while in truth nothing changes.
    """

    kind: MetricKind
    baseline: float
    variance: float | None = None
    direction: Direction = Direction.UP
    role: Role = Role.GOAL

    def variances(self, effect: float) -> tuple[float, float]:
        """Return the control's and the treatment's expected variance; raise ValueError for an impossible target."""
        if self.kind is MetricKind.MEAN:
            if self.variance is None or not self.variance > 0:
                raise ValueError("a mean needs its variance")
            return self.variance, self.variance
        moved = self.baseline + (effect if self.direction is Direction.UP else -effect)
        expected = self.baseline if self.role is Role.GUARDRAIL else moved
        if not (0 < self.baseline < 1 and 0 <= moved <= 1):
            raise ValueError("proportions are between 0 and 1")
        return self.baseline * (1 - self.baseline), expected * (1 - expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What error a plan allows and how it looks.

    alpha: two-sided, of this role in the whole experiment. comparisons: the role's metrics x treatments; they share it.
    weights: planned shares, control first, sum 1.
    """

    design: Design = Design.GROUP_SEQUENTIAL
    alpha: float = 0.05
    power: float = 0.8
    weights: tuple[float, ...] = (0.5, 0.5)
    comparisons: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """Units per variant, control first, and over all of them."""

    per_arm: tuple[int, ...]
    total: int


def sample_size(target: Target, *, effect: float, budget: Budget) -> SampleSize:
    """Return the units with which an effect of that size is found with the budget's power.

    effect: absolute, > 0. A plan with several targets needs the largest of their sizes.
    Raises ValueError for an effect that the metric can not have.

    >>> retention = Target(kind=MetricKind.PROPORTION, baseline=0.05)
    >>> sample_size(retention, effect=0.005, budget=Budget(design=Design.ONE_LOOK)).per_arm
    (31231, 31231)
    """
    if not effect > 0:
        raise ValueError("an effect has a size")
    units = _spread(target, effect, budget) * (_quantiles(budget) / effect) ** 2
    # Rounded first: 0.1 x 70 must not become 8 units.
    per_arm = tuple(ceil(round(units * weight, 6)) for weight in budget.weights)
    return SampleSize(per_arm=per_arm, total=sum(per_arm))


def smallest_effect(target: Target, *, units: float, budget: Budget) -> float | None:
    """Return the smallest effect that this many units find with the budget's power.

    units: over all variants, > 0, as from `units_in`. None if even the largest the metric can have would be missed.

    >>> retention = Target(kind=MetricKind.PROPORTION, baseline=0.05)
    >>> round(smallest_effect(retention, units=62_462, budget=Budget(design=Design.ONE_LOOK)), 4)
    0.005
    """

    def shortfall(effect: float) -> float:
        return effect - _quantiles(budget) * sqrt(_spread(target, effect, budget) / units)

    if target.kind is MetricKind.MEAN:
        return -shortfall(0.0)
    room = 1 - target.baseline if target.direction is Direction.UP else target.baseline
    return float(brentq(shortfall, 0.0, room)) if shortfall(room) > 0 else None


def days_needed(*, units_per_day: float, needed: int, window_days: float = 0.0) -> int:
    """Return how many whole days fill the sample.

    units_per_day: new randomised units a day, all variants together, > 0.
    needed: units over all variants, as from `sample_size`. window_days: after exposure, until a unit counts.

    >>> days_needed(units_per_day=400, needed=1000)
    3
    >>> days_needed(units_per_day=400, needed=1000, window_days=7)
    10
    """
    return ceil(needed / units_per_day + window_days)


def units_in(*, days: float, units_per_day: float, window_days: float = 0.0) -> float:
    """Return how many units count after so many days.

    >>> units_in(days=28, units_per_day=400, window_days=7)
    8400.0
    """
    return float(max(days - window_days, 0.0) * units_per_day)


def inflation(budget: Budget) -> float:
    """Return how many times the units of a single look at the end this design needs.

    >>> [round(inflation(Budget(design=design)), 2) for design in Design]
    [1.05, 1.91, 1.0]
    """
    one_look = _design_quantiles(Design.ONE_LOOK, budget.alpha / budget.comparisons, budget.power)
    return (_quantiles(budget) / one_look) ** 2


def _spread(target: Target, effect: float, budget: Budget) -> float:
    """Return v0 / w0 + v1 / w1 of the treatment with the smallest share."""
    control, treatment = target.variances(effect)
    return control / budget.weights[0] + treatment / min(budget.weights[1:])


def _quantiles(budget: Budget) -> float:
    return _design_quantiles(budget.design, budget.alpha / budget.comparisons, budget.power)


@lru_cache(maxsize=256)
def _design_quantiles(design: Design, alpha: float, power: float) -> float:
    """Return the z at the end that is to be expected for the power asked."""
    needed = float(ndtri(1 - alpha / 2) + ndtri(power))
    match design:
        case Design.ONE_LOOK:
            return needed
        case Design.CONFIDENCE_SEQUENCE:
            return confidence_sequence.multiplier(units=1, tuned_units=1, alpha=alpha) + float(ndtri(power))
        case Design.GROUP_SEQUENTIAL:
            looks = tuple((look + 1) / _TYPICAL_LOOKS for look in range(_TYPICAL_LOOKS))
            multipliers = sequential.boundary(looks, looks, alpha)
            return float(
                brentq(lambda z: sequential.power(multipliers, looks, drift=z) - power, needed / 2, needed * 2)
            )
