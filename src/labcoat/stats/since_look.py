"""The effect on the units that came after an earlier look, for when the newest effect is not what that look allowed."""

from math import isfinite

import numpy as np

from labcoat.stats import adjusting, effects
from labcoat.stats.estimates import moment_arrays
from labcoat.stats.intersection import End
from labcoat.stats.moments import without
from labcoat.stats.results import Estimate, Since
from labcoat.stats.rule import MetricKind, Rule, Sample

_K = 2.5758293035489004  # of a plain 99 % interval


def effect_since(rule: Rule, estimate: Estimate, sample: Sample, before: Sample | None, end: End) -> Since | None:
    """Return the effect on units that the earlier look had not seen; None where it cannot be told.

    before: what that look saw, of the same variants as `sample`, or of those and dropped ones.
    """
    if before is None or len(before.exposed) != len(sample.exposed):
        return None
    row = [metric.name for metric in rule.metrics].index(estimate.metric)
    column = rule.treatments.index(estimate.treatment)
    with np.errstate(all="ignore"):
        new = without(moment_arrays(rule, sample), moment_arrays(rule, before))
        is_proportion = np.array([[metric.kind is MetricKind.PROPORTION for metric in rule.metrics]])
        analysed = adjusting.analyse(new, is_proportion=is_proportion)
        effect = effects.compare(new.counts, analysed.means, analysed.variances[..., :1], analysed.variances[..., 1:])
    place = (0, row, column)
    difference = float(effect.difference[place])
    error = float(max(effect.standard_error[place], effect.pooled_error[place]))
    has_units = new.counts[0, row, 0] >= 2 and new.counts[0, row, 1 + column] >= 2
    if not has_units or not isfinite(difference) or not isfinite(error):
        return None
    return Since(
        look=end.look, day=end.day, difference=difference, low=difference - _K * error, high=difference + _K * error
    )
