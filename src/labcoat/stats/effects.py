"""Treatment minus control: the difference, its standard error and, where events are few, Newcombe's interval.

Arrays end in one column per variant, control first; results end in one column per treatment. Leading axes are free.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, ndtr

from labcoat.stats.arrays import BoolArray, FloatArray

SMALL_CELL = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The absolute differences and what their intervals need.

    standard_error, degrees_of_freedom: Welch's. pooled_error, pooled_freedom: as if both arms had one variance.
    pooled_variance: that variance, each pair's own.
    """

    difference: FloatArray
    standard_error: FloatArray
    degrees_of_freedom: FloatArray
    pooled_variance: FloatArray
    pooled_error: FloatArray
    pooled_freedom: FloatArray


def compare(
    counts: FloatArray, means: FloatArray, control_variances: FloatArray, treatment_variances: FloatArray
) -> Effect:
    """Return each treatment's difference to control, without assuming equal variances and with the two pooled.

    variances: of one unit's value, divisor n - 1; for proportions p (1 - p). The control's may differ by pair.
    Where a small arm has few events, its own variance is small with them, and Welch's error by itself calls too often.
    Source: Welch 1947; degrees of freedom after Satterthwaite 1946; Student 1908.

    >>> effect = compare(np.array([50.0, 40.0]), np.array([10.0, 12.0]), np.array([25.0]), np.array([36.0]))
    >>> [round(float(value[0]), 4) for value in (effect.difference, effect.standard_error, effect.degrees_of_freedom)]
    [2.0, 1.1832, 75.7597]
    """
    control, treatment = control_variances / counts[..., :1], treatment_variances / counts[..., 1:]
    share = control / (control + treatment)
    freedom = counts - 1
    both = freedom[..., :1] + freedom[..., 1:]
    pooled = (freedom[..., :1] * control_variances + freedom[..., 1:] * treatment_variances) / both
    return Effect(
        difference=means[..., 1:] - means[..., :1],
        standard_error=np.sqrt(control + treatment),
        # In shares of the total, so that huge or tiny variances neither overflow nor vanish.
        degrees_of_freedom=1 / (share**2 / freedom[..., :1] + (1 - share) ** 2 / freedom[..., 1:]),
        pooled_variance=pooled,
        pooled_error=np.sqrt(pooled * (1 / counts[..., :1] + 1 / counts[..., 1:])),
        pooled_freedom=both,
    )


def information(counts: FloatArray) -> FloatArray:
    """Return 1 / (1/n0 + 1/n1) of each treatment with the control.

    >>> information(np.array([100.0, 100.0, 300.0])).tolist()
    [50.0, 75.0]
    """
    control, treatment = counts[..., :1], counts[..., 1:]
    return control * treatment / np.maximum(control + treatment, 1)


def is_harm_by_count(
    counts: FloatArray, proportions: FloatArray, *, is_up_good: BoolArray, multiplier: FloatArray
) -> BoolArray:
    """Tell for each treatment whether few events, counted exactly, are enough to call it worse; with ten always.

    Of all events (or of all non-events, where those are fewer) the treatment's follow a binomial with its share of the
    units, if nothing differs: their tail must be no larger than the interval's.
    is_up_good: per treatment, whether more events are better. multiplier: the interval's normal quantile.
    """
    events = np.rint(counts * proportions)
    others = counts - events
    are_rare = (events[..., :1] + events[..., 1:]) <= (others[..., :1] + others[..., 1:])
    control = np.where(are_rare, events[..., :1], others[..., :1])
    treatment = np.where(are_rare, events[..., 1:], others[..., 1:])
    total = control + treatment
    share = counts[..., 1:] / (counts[..., :1] + counts[..., 1:])
    are_bad = are_rare != is_up_good
    # At least as many as the treatment has, or at most; a binomial's tails are incomplete beta functions.
    at_least = np.where(treatment > 0, betainc(np.maximum(treatment, 1), control + 1, share), 1.0)
    at_most = np.where(control > 0, betainc(np.maximum(control, 1), treatment + 1, 1 - share), 1.0)
    tail = np.where(are_bad, at_least, at_most)
    return np.asarray((total >= SMALL_CELL) | (tail <= ndtr(-multiplier)))


def has_small_cell(counts: FloatArray, proportions: FloatArray) -> BoolArray:
    """Tell for each treatment whether it or the control has fewer than ten events or non-events."""
    events = np.rint(counts * proportions)
    cells = np.minimum(events, counts - events)
    return np.minimum(cells[..., :1], cells[..., 1:]) < SMALL_CELL


def newcombe(counts: FloatArray, proportions: FloatArray, multiplier: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the low and high end of each difference of proportions, good for few events and none.

    multiplier: the normal quantile, one per treatment.
    Source: Newcombe, Statistics in Medicine 1998, method 10 (Wilson's intervals, squared and added).
    """
    control, treatment = proportions[..., :1], proportions[..., 1:]
    control_low, control_high = _wilson(counts[..., :1], control, multiplier)
    treatment_low, treatment_high = _wilson(counts[..., 1:], treatment, multiplier)
    difference = treatment - control
    low = difference - np.hypot(treatment - treatment_low, control_high - control)
    high = difference + np.hypot(treatment_high - treatment, control - control_low)
    return low, high


def _wilson(counts: FloatArray, proportions: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    centre = proportions + z**2 / (2 * counts)
    half = z * np.sqrt(proportions * (1 - proportions) / counts + z**2 / (4 * counts**2))
    scale = 1 + z**2 / counts
    return (centre - half) / scale, (centre + half) / scale
