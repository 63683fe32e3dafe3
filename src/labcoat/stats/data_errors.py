"""What makes numbers unusable before any statistics: empty arms, impossible moments, units that disappeared."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labcoat.stats.arrays import BoolArray
from labcoat.stats.moments import VALUE, MomentArrays
from labcoat.stats.results import Finding, Readout, Reason, Verdict
from labcoat.stats.rule import MetricRule, Role, Rule, Sample

TOLERATED_LOSS = 0.01

FINDINGS: tuple[Finding | None, ...] = (None, *Finding)
"""What the small numbers in arrays of findings mean: 0 is nothing, then a Finding each."""

_LARGEST_CORRELATION = 1 + 1e-6
_LARGEST_ROUNDING = 1e-12


def code(finding: Finding) -> int:
    """Return the number of a finding in arrays.

    >>> FINDINGS[code(Finding.SHRUNK)] is Finding.SHRUNK
    True
    """
    return FINDINGS.index(finding)


def arm_errors(moments: MomentArrays, *, is_proportion: BoolArray) -> NDArray[np.int8]:
    """Return the code of what is wrong with each variant's moments, 0 where nothing is; (..., n_variants).

    is_proportion: (...). A proportion outside 0-1 has a negative variance p (1 - p). Columns that correlate more than
    wholly have covariances that no numbers have, and a difference of them a negative variance.
    """
    value = moments.means[..., VALUE]
    is_finite = np.isfinite(moments.means).all(axis=-1) & np.isfinite(moments.covariances).all(axis=(-2, -1))
    with np.errstate(all="ignore"):
        # Rounding moves a constant column's moments a little away from 0, on either side.
        rounding = _LARGEST_ROUNDING * moments.means**2
        variances = np.diagonal(moments.covariances, axis1=-2, axis2=-1) + rounding
        deviations = np.sqrt(variances)
        largest = deviations[..., :, np.newaxis] * deviations[..., np.newaxis, :] * _LARGEST_CORRELATION
        is_impossible = (variances < 0).any(axis=-1) | (np.abs(moments.covariances) > largest).any(axis=(-2, -1))
    is_impossible |= is_proportion[..., np.newaxis] & ~((value >= 0) & (value <= 1))
    return np.select(
        [moments.counts <= 0, moments.counts < 2, ~is_finite, is_impossible],
        [
            np.int8(code(finding))
            for finding in (
                Finding.ARM_EMPTY,
                Finding.FEW_UNITS_FOR_VARIANCE,
                Finding.NOT_FINITE,
                Finding.NEGATIVE_VARIANCE,
            )
        ],
        default=np.int8(0),
    )


def find_data_errors(
    rule: Rule, sample: Sample, arm_codes: NDArray[np.int8], *, last: Readout | None
) -> tuple[Reason, ...]:
    """Return why nothing may be concluded from this sample; empty if it can be used.

    arm_codes: (n_metrics, n_variants), as from `arm_errors`.
    Exploratory metrics make no data error: they decide nothing, and their own estimate says what is missing.
    last: the newest sound readout, of the same variants.
    A metric that the sample has no moments of (nobody sent any yet) makes none either.
    """
    reasons = [
        Reason(finding=Finding.ARM_EMPTY, treatment=name)
        for name, units in zip(rule.variants, sample.exposed, strict=True)
        if units == 0
    ]
    for metric, codes in zip(rule.metrics, arm_codes, strict=True):
        if metric.role is not Role.SECONDARY and metric.name in sample.moments:
            for name, number in zip(rule.variants, codes, strict=True):
                if finding := FINDINGS[number]:
                    reasons.append(Reason(finding=finding, metric=metric.name, treatment=name))
    loss = lost_share(rule, sample, last=last)
    if loss > TOLERATED_LOSS:
        reasons.append(Reason(finding=Finding.SHRUNK, value=loss))
    return tuple(reasons)


def sound(rule: Rule, past: tuple[Readout, ...], exposed: tuple[int, ...]) -> tuple[Readout, ...]:
    """Return the readouts whose numbers can be right, oldest first.

    Without data errors; and of looks at an uneven split those whose units were still there later: what one day had too
    much of, as an arm that was loaded twice, was wrong data and no split. exposed: now, of all variants.
    """
    kept = [place for place, name in enumerate(rule.variants) if name not in {one.treatment for one in rule.dropped}]
    least, found = [exposed[place] for place in kept], []
    for readout in reversed([one for one in past if is_sound(one)]):
        units = [readout.sample_ratio.exposed[place] for place in kept]
        if readout.verdict is Verdict.INVALID and have_vanished(units, least):
            continue
        least = [min(pair) for pair in zip(least, units, strict=True)]
        found.append(readout)
    return tuple(reversed(found))


def have_vanished(before: Sequence[float], now: Sequence[float]) -> bool:
    """Tell whether an arm has lost more units than is tolerated; both by arm."""
    return any(later < (1 - TOLERATED_LOSS) * earlier for earlier, later in zip(before, now, strict=True))


def is_sound(readout: Readout) -> bool:
    """Tell whether a readout rests on numbers that can be right; what a data error showed is never carried on."""
    # After the final look its verdict is kept, and only the reasons tell.
    return not (readout.verdict is Verdict.DATA_ERROR or any(one.finding is Finding.SHRUNK for one in readout.reasons))


def lost_share(rule: Rule, sample: Sample, *, last: Readout | None) -> float:
    """Return the largest share of an arm's units, exposed or analysed, that disappeared since a sound readout."""
    if last is None:
        return 0.0
    before_and_now = list(zip(last.sample_ratio.exposed, sample.exposed, strict=True))
    names = {metric.name for metric in deciding(rule)} & sample.moments.keys()
    for estimate in last.estimates:
        if estimate.metric in names and estimate.treatment in rule.variants:
            arms = sample.moments[estimate.metric]
            treatment = arms[rule.variants.index(estimate.treatment)]
            before_and_now += [
                (estimate.control_count, arms[0].count),
                (estimate.treatment_count, treatment.count),
            ]
    return max((before - now) / before if before else 0.0 for before, now in before_and_now)


def deciding(rule: Rule) -> tuple[MetricRule, ...]:
    """Return the metrics that a verdict reads: goals and guardrails."""
    return tuple(metric for metric in rule.metrics if metric.role is not Role.SECONDARY)
