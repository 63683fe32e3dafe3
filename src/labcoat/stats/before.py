"""What one unit's value is before anything changes it: what a plan's size is made of."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from labcoat.stats import adjusting, estimates
from labcoat.stats.moments import denominator_is_near_zero
from labcoat.stats.rule import MetricKind, Moments

MOST_REDUCTION = 0.99
"""A covariate that explains more is a copy of the value, and a plan that believed it would need no units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitValue:
    """mean: of a ratio one total over the other. deviation: of one unit's value, of a ratio's linearised one.

    variance_reduction: the share of its variance that the covariate takes away, 0-1; None without a covariate.
    """

    mean: float
    deviation: float
    variance_reduction: float | None


def of_units(moments: Moments, *, kind: MetricKind, has_covariate: bool) -> UnitValue | None:
    """Return what units have, all together, by the formulas of a readout; None for a denominator too near 0.

    moments: of at least two units. Source: as `adjusting.analyse`.

    >>> of_units(Moments(count=100, mean=0.2, variance=0.16), kind=MetricKind.PROPORTION, has_covariate=False)
    UnitValue(mean=0.2, deviation=0.4, variance_reduction=None)
    """
    arrays = estimates.arrays_of([moments], shape=(1, 1))
    if bool(denominator_is_near_zero(arrays).any()):
        return None
    found = adjusting.analyse(arrays, is_proportion=np.array([kind is MetricKind.PROPORTION]))
    raw, left = float(found.raw_variances[0, 0]), float(found.variances[0, 0])
    reduction = None
    if has_covariate:
        reduction = min(max(1 - left / raw, 0.0), MOST_REDUCTION) if raw > 0 else 0.0
    # With one arm only, adjusting moves nothing: its common mean is its own.
    return UnitValue(mean=float(found.means[0, 0]), deviation=sqrt(max(raw, 0.0)), variance_reduction=reduction)
