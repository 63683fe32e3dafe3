"""How many units and days a plan needs, and what the days that people have can show.

n = (k + z_power)^2 (v0 / w0 + v1 / w1) / effect^2 over all variants, with k the width of the design's final interval.
Normal quantiles throughout: with the sizes this asks for, Student's differ in the third digit.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, fsum, inf, sqrt

import numpy as np
from numpy.polynomial import Chebyshev
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from labcoat.stats import confidence_sequence, sequential
from labcoat.stats.arrays import FloatArray
from labcoat.stats.rule import Design, Direction, MetricKind, Role

# Daily looks for four weeks; the inflation differs by half a percent between two weeks and twelve.
_LOOKS = tuple((look + 1) / 28 for look in range(28))
_ROUNDING = 1e-6
# So much beyond the last boundary an effect is missed in less than one experiment of a million.
_CERTAIN = 5.0
# The interpolated width is good to 1e-8.
_DEGREE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be shown on one metric.

    baseline: the control's expected mean, proportion or ratio. variance: of one unit's value, of a ratio its linearised
    one; not read for proportions. variance_reduction: the share of it that a covariate takes away, 0-1.
    direction: which way is good. role: a goal shall move by the effect, to the good side; a guardrail shall be shown
    not to get worse by it (then it is the margin), while in truth nothing changes.
    """

    kind: MetricKind
    baseline: float
    variance: float | None = None
    direction: Direction = Direction.UP
    role: Role = Role.GOAL
    variance_reduction: float = 0.0

    def variances(self, effect: float) -> tuple[float, float]:
        """Return the control's and the treatment's expected variance; raise ValueError for an impossible target."""
        if not 0 <= self.variance_reduction < 1:
            raise ValueError("a covariate takes away a share of the variance, at least 0 and less than 1")
        left = 1 - self.variance_reduction
        if self.kind is not MetricKind.PROPORTION:
            if self.variance is None or not 0 < self.variance < inf:
                raise ValueError("a mean or a ratio needs its variance, more than 0")
            return left * self.variance, left * self.variance
        rises = (self.direction is Direction.UP) is (self.role is not Role.GUARDRAIL)
        moved = self.baseline + (effect if rises else -effect)
        expected = self.baseline if self.role is Role.GUARDRAIL else moved
        if not (0 < self.baseline < 1 and 0 <= moved <= 1):
            raise ValueError("proportions are between 0 and 1")
        return left * self.baseline * (1 - self.baseline), left * expected * (1 - expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What error a plan allows and how it looks.

    alpha: of all sides, of this role in the whole experiment. comparisons: the role's metrics x treatments; they share
    it. weights: planned shares, control first, sum 1. sides: plans have intervals with two; a margin is shown by one of
    them, which is a one-sided test at half of alpha.
    Raises ValueError for a budget that cannot be.
    """

    design: Design = Design.GROUP_SEQUENTIAL
    alpha: float = 0.05
    power: float = 0.8
    weights: tuple[float, ...] = (0.5, 0.5)
    comparisons: int = 1
    sides: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 0.5 or not 0 < self.power < 1:
            raise ValueError("alpha is between 0 and 1/2, power between 0 and 1")
        if not self.power > self.alpha:
            raise ValueError("a power below alpha needs no units")
        if len(self.weights) < 2 or not all(weight > 0 for weight in self.weights):
            raise ValueError("each of two variants or more has a share above 0")
        if abs(fsum(self.weights) - 1) > _ROUNDING:
            raise ValueError("the shares add up to 1")
        if self.comparisons < 1 or self.sides not in (1, 2):
            raise ValueError("there is a comparison, and it has one side or two")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """Units per variant, control first, and over all of them."""

    per_arm: tuple[int, ...]
    total: int


def sample_size(target: Target, *, effect: float, budget: Budget) -> SampleSize:
    """Return the units with which an effect of that size is found with the budget's power.

    effect: absolute, > 0. A plan with several conditions needs `rule_power.rule_size`.
    Raises ValueError for an effect that the metric can not have.

    >>> retention = Target(kind=MetricKind.PROPORTION, baseline=0.05)
    >>> sample_size(retention, effect=0.005, budget=Budget(design=Design.ONE_LOOK)).per_arm
    (31231, 31231)
    """
    return whole_units(units_needed(target, effect=effect, budget=budget), weights=budget.weights)


def units_needed(target: Target, *, effect: float, budget: Budget) -> float:
    """Return what `sample_size` rounds up, over all variants."""
    _require_effect(effect)
    return _spread(target, effect, budget) * (_quantiles(budget) / effect) ** 2


def whole_units(units: float, *, weights: tuple[float, ...]) -> SampleSize:
    """Return units over all variants as whole units of each.

    >>> whole_units(99.5, weights=(0.5, 0.5))
    SampleSize(per_arm=(50, 50), total=100)
    """
    # Rounded first: 0.1 x 70 must not become 8 units.
    per_arm = tuple(ceil(round(units * weight, 6)) for weight in weights)
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

    if not 0 < units < inf:
        raise ValueError("an effect is found with units, more than 0")
    if target.kind is not MetricKind.PROPORTION:
        return -shortfall(0.0)
    room = 1 - target.baseline if target.direction is Direction.UP else target.baseline
    return float(brentq(shortfall, 0.0, room)) if shortfall(room) > 0 else None


def power_of(target: Target, *, effect: float, units: float, budget: Budget) -> float:
    """Return the chance that this many units find the effect, on its own side; the budget's power is not read.

    effect: absolute, > 0. units: over all variants, > 0. With a confidence sequence, the chance at those units alone.

    >>> retention = Target(kind=MetricKind.PROPORTION, baseline=0.05)
    >>> round(power_of(retention, effect=0.005, units=62_462, budget=Budget(design=Design.ONE_LOOK)), 3)
    0.8
    """
    return float(ndtr(_surplus(target, effect, units, budget)))


def chance_missed(target: Target, *, effect: float, units: float, budget: Budget) -> float:
    """Return the chance that this many units miss the effect, however small; else as `power_of`."""
    return float(ndtr(-_surplus(target, effect, units, budget)))


def days_left(*, days: float, units: int, needed: int, window_days: float = 0.0) -> int | None:
    """Return how many more whole days fill the sample at the rate so far; None if no unit came yet.

    days: since the start, > window_days where units count. units: that count so far, needed: over all variants.

    >>> days_left(days=10, units=4000, needed=10_000)
    15
    """
    if not days > window_days or units < 0 or needed < 0:
        raise ValueError("a rate needs days after the window, and units that are counted")
    if units == 0:
        return None
    return ceil(max(needed - units, 0) * (days - window_days) / units)


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
    one_look = _design_quantiles(Design.ONE_LOOK, budget.alpha / budget.comparisons, budget.power, budget.sides)
    return (_quantiles(budget) / one_look) ** 2


def _spread(target: Target, effect: float, budget: Budget) -> float:
    """Return v0 / w0 + v1 / w1 of the treatment with the smallest share."""
    control, treatment = target.variances(effect)
    return control / budget.weights[0] + treatment / min(budget.weights[1:])


def _require_effect(effect: float) -> None:
    if not 0 < effect < inf:
        raise ValueError("an effect has a size, more than 0")


def _surplus(target: Target, effect: float, units: float, budget: Budget) -> float:
    """Return how far the effect is expected beyond the width that must be crossed, in standard errors."""
    _require_effect(effect)
    if not 0 < units < inf:
        raise ValueError("an effect is found with units, more than 0")
    drift = effect / sqrt(_spread(target, effect, budget) / units)
    return drift - _width(budget.design, budget.alpha / budget.comparisons, budget.sides, drift)


def _quantiles(budget: Budget) -> float:
    return _design_quantiles(budget.design, budget.alpha / budget.comparisons, budget.power, budget.sides)


@lru_cache(maxsize=256)
def _design_quantiles(design: Design, alpha: float, power: float, sides: int) -> float:
    """Return the z at the end that is to be expected for the power asked."""
    beyond = float(ndtri(power))
    if design is not Design.GROUP_SEQUENTIAL:
        return _width(design, alpha, sides, 0.0) + beyond
    widest = _width(design, alpha, sides, inf) + beyond
    return float(brentq(lambda z: z - _width(design, alpha, sides, z) - beyond, 0.0, widest + 1, xtol=1e-10))


def _width(design: Design, alpha: float, sides: int, drift: float) -> float:
    """Return the k of one look at the end that is crossed as often as the design's looks together.

    drift: the z that is expected at the end.
    """
    if design is Design.CONFIDENCE_SEQUENCE:
        return confidence_sequence.multiplier(units=1, tuned_units=1, alpha=alpha, sides=sides)
    if design is Design.ONE_LOOK:
        return float(ndtri(1 - alpha / sides))
    width, largest = _sequential_width(alpha, sides)
    return float(width(min(drift, largest)))


@lru_cache(maxsize=256)
def _sequential_width(alpha: float, sides: int) -> tuple[Chebyshev, float]:
    """Return `_width` for daily looks as a polynomial in the drift, and the largest drift that it is for.

    The width hardly changes with the drift, so a few exact powers stand for all: a rule is sized in microseconds.
    """
    multipliers = sequential.boundary(_LOOKS, _LOOKS, alpha, sides=sides)
    largest = multipliers[-1] + _CERTAIN

    def width(drifts: FloatArray) -> FloatArray:
        found = [sequential.power(multipliers, _LOOKS, drift=float(drift), sides=sides) for drift in drifts]
        return np.asarray(drifts - ndtri(found))

    return Chebyshev.interpolate(width, _DEGREE, domain=[0.0, largest]), largest
