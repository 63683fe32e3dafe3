"""Treatment minus control: the difference, its standard error and, where events are few, Newcombe's interval.

Arrays end in one column per variant, control first; results end in one column per treatment. Leading axes are free.
"""

from dataclasses import dataclass

import numpy as np

from labcoat.stats.arrays import BoolArray, FloatArray

SMALL_CELL = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The absolute differences and what their intervals need.

    squared_errors: s_i^2 of every variant, control first.
    """

    difference: FloatArray
    standard_error: FloatArray
    degrees_of_freedom: FloatArray
    squared_errors: FloatArray


def welch(counts: FloatArray, means: FloatArray, variances: FloatArray) -> Effect:
    """Return each treatment's difference to control, without assuming equal variances.

    variances: of one unit's value, divisor n - 1; for proportions p (1 - p).
    Source: Welch 1947; degrees of freedom after Satterthwaite 1946.

    >>> effect = welch(np.array([50.0, 40.0]), np.array([10.0, 12.0]), np.array([25.0, 36.0]))
    >>> [round(float(value[0]), 4) for value in (effect.difference, effect.standard_error, effect.degrees_of_freedom)]
    [2.0, 1.1832, 75.7597]
    """
    squared_errors = variances / counts
    control, treatment = squared_errors[..., :1], squared_errors[..., 1:]
    share = control / (control + treatment)
    return Effect(
        difference=means[..., 1:] - means[..., :1],
        standard_error=np.sqrt(control + treatment),
        # In shares of the total, so that huge or tiny variances neither overflow nor vanish.
        degrees_of_freedom=1 / (share**2 / (counts[..., :1] - 1) + (1 - share) ** 2 / (counts[..., 1:] - 1)),
        squared_errors=squared_errors,
    )


def information(counts: FloatArray) -> FloatArray:
    """Return 1 / (1/n0 + 1/n1) of each treatment with the control.

    >>> information(np.array([100.0, 100.0, 300.0])).tolist()
    [50.0, 75.0]
    """
    control, treatment = counts[..., :1], counts[..., 1:]
    return control * treatment / np.maximum(control + treatment, 1)


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
