"""Sample ratio mismatch: whether traffic was split as planned, tested as often as anyone likes."""

from math import exp, log

import numpy as np
from scipy.special import chdtrc, gammaln, logsumexp, xlogy

from labcoat.stats.arrays import FloatArray
from labcoat.stats.results import SampleRatio

INVALID_BELOW = 0.01
WARN_BELOW = 0.05
# A prior weighs like so many units split as planned. The wide one sees the small mismatches of large experiments, the
# narrow ones large mismatches early; their average is as valid as each, and costs a factor of three at most
# (decision 14).
_PRIOR_UNITS = (100.0, 1_000.0, 10_000.0)


def check(exposed: tuple[int, ...], weights: tuple[float, ...], *, past: SampleRatio | None = None) -> SampleRatio:
    """Return the sequential p-value of the split, as of these cumulative counts.

    past: the newest earlier check; its evidence is kept, so the p-value never rises again.
    Raises ValueError for fewer than two variants.

    >>> round(check((44_700, 45_489), (0.5, 0.5)).chi_square_p, 4)
    0.0086
    """
    if len(exposed) < 2 or len(exposed) != len(weights):
        raise ValueError("one weight for each of two variants or more")
    counts, shares = np.array(exposed, dtype=np.float64), np.array(weights)
    evidence = float(running_maximum(counts, shares, past=np.array(past.log_bayes_factor if past else 0.0)))
    return SampleRatio(
        exposed=exposed,
        weights=weights,
        p_value=exp(-evidence),
        log_bayes_factor=evidence,
        chi_square_p=float(chi_square_p(counts, shares)),
    )


def running_maximum(counts: FloatArray, weights: FloatArray, *, past: FloatArray) -> FloatArray:
    """Return the largest log evidence of all checks up to this one, never below 0; exp(-it) is the p-value.

    counts, weights: (..., n_variants). past: (...), of the earlier checks, 0 without any.
    """
    return np.asarray(np.maximum(np.maximum(log_bayes_factor(counts, weights), past), 0.0))


def log_bayes_factor(counts: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the log evidence of another split against the planned one.

    counts, weights: (..., n_variants). Source: Lindon, Malek, NeurIPS 2022 (sequential multinomial test), averaged
    over Dirichlet priors of 100, 1,000 and 10,000 units around the plan. exp(-its running maximum) is a p-value
    valid at all times.
    """
    total, unlikely = counts.sum(axis=-1), xlogy(counts, weights).sum(axis=-1)
    evidence = []
    for units in _PRIOR_UNITS:
        prior = units * weights
        cells = (gammaln(prior + counts) - gammaln(prior)).sum(axis=-1)
        evidence.append(gammaln(units) - gammaln(units + total) + cells - unlikely)
    return np.asarray(logsumexp(evidence, axis=0) - log(len(_PRIOR_UNITS)))


def chi_square_p(counts: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the p-value of Pearson's test, which holds for one look only: a diagnostic; 1 without any unit."""
    expected = np.maximum(counts.sum(axis=-1, keepdims=True) * weights, np.finfo(np.float64).tiny)
    statistic = ((counts - expected) ** 2 / expected).sum(axis=-1)
    return np.asarray(chdtrc(counts.shape[-1] - 1, statistic))
