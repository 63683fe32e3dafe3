"""The asymptotic confidence sequence: an interval that holds at every moment, whenever people choose to look."""

from math import log, log1p, sqrt

TYPICAL_UNITS = 5000


def multiplier(*, units: int, tuned_units: int, alpha: float) -> float:
    """Return the k of the interval d +- k se that holds at all times at once.

    units: of the two arms compared, > 0. tuned_units: where the interval is tightest; fixed before the start.
    Source: Waudby-Smith et al., Annals of Statistics 2024, arXiv 2103.06476; tuned as in its appendix, with
    L = -2 ln alpha and V = n (L + ln(1 + L)) / N*.

    >>> round(multiplier(units=5000, tuned_units=5000, alpha=0.05), 3)
    3.035
    """
    level = -2 * log(alpha)
    scaled = units * (level + log1p(level)) / tuned_units
    return sqrt((scaled + 1) / scaled * (log1p(scaled) + level))
