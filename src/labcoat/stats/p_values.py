"""p-values and e-values of differences, only where they mean what people think they mean.

Under group-sequential looks there are none: the interval and its multiplier say all that is paid for.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr

from labcoat.stats import confidence_sequence, data_errors, multipliers
from labcoat.stats.arrays import FloatArray
from labcoat.stats.batch import Estimates
from labcoat.stats.results import Estimate, Finding
from labcoat.stats.rule import Design, MetricKind, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Against "no difference", each (1, n_metrics, n_treatments), NaN where the design has none.

    p_value: times the comparisons that share its alpha, as the interval is widened for them. unadjusted_p_value: before
    that. log_e_value: the natural logarithm of an e-value, unadjusted.
    """

    p_value: FloatArray
    unadjusted_p_value: FloatArray
    log_e_value: FloatArray


def find(rule: Rule, blanks: tuple[Estimate, ...], numbers: Estimates, *, is_only_look: bool) -> Evidence:
    """Return the evidence as far as the design has any.

    blanks: one per number, in order. is_only_look: the one look at the end, at the end.
    """
    # Neither belongs to Newcombe's interval, nor to one with a variance that is not the arm's own.
    has_any = ~np.isin(numbers.missing, [data_errors.code(one) for one in (Finding.SMALL_CELL, Finding.CONSTANT_ARM)])
    nothing = np.full(numbers.difference.shape, np.nan)
    with np.errstate(all="ignore"):
        z = np.where(has_any, numbers.difference / numbers.standard_error, np.nan)
        if rule.design is Design.CONFIDENCE_SEQUENCE:
            log_e = _log_e_values(rule, blanks, z)
            return _adjusted(rule, blanks, confidence_sequence.p_value(log_e), log_e)
        if rule.design is Design.ONE_LOOK and is_only_look:
            return _adjusted(rule, blanks, _two_sided(rule, z, numbers.degrees_of_freedom), nothing)
    return Evidence(p_value=nothing, unadjusted_p_value=nothing, log_e_value=nothing)


def _adjusted(rule: Rule, blanks: tuple[Estimate, ...], raw: FloatArray, log_e: FloatArray) -> Evidence:
    shares = np.array([rule.alpha / multipliers.alpha_of(rule, blank.role) for blank in blanks]).reshape(raw.shape)
    return Evidence(p_value=np.minimum(raw * shares, 1.0), unadjusted_p_value=raw, log_e_value=log_e)


def _log_e_values(rule: Rule, blanks: tuple[Estimate, ...], z: FloatArray) -> FloatArray:
    return confidence_sequence.log_e_value(
        z,
        units=np.array([blank.control_count + blank.treatment_count for blank in blanks]).reshape(z.shape),
        tuned_units=np.array([multipliers.tuned_units(rule, blank.treatment) for blank in blanks]).reshape(z.shape),
        alpha=np.array([multipliers.alpha_of(rule, blank.role) for blank in blanks]).reshape(z.shape),
    )


def _two_sided(rule: Rule, z: FloatArray, degrees_of_freedom: FloatArray) -> FloatArray:
    is_mean = np.array([metric.kind is not MetricKind.PROPORTION for metric in rule.metrics])[:, np.newaxis]
    # From the lower tail, where there are digits.
    tail = -np.abs(z)
    return np.asarray(2 * np.where(is_mean, stdtr(degrees_of_freedom, tail), ndtr(tail)))
