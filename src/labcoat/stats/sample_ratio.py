"""Sample ratio mismatch: whether traffic was split as planned, tested as often as anyone likes."""

from math import exp

import numpy as np
from scipy.special import chdtrc, gammaln, xlogy

from labcoat.stats.effects import FloatArray
from labcoat.stats.results import SampleRatio

INVALID_BELOW = 0.01
WARN_BELOW = 0.05
# The prior weighs like 10,000 units split as planned: it looks for the small mismatches of large experiments.
_PRIOR_UNITS = 10_000.0


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
    evidence = max(float(log_bayes_factor(counts, shares)), past.log_bayes_factor if past else 0.0, 0.0)
    return SampleRatio(
        exposed=exposed,
        weights=weights,
        p_value=exp(-evidence),
        log_bayes_factor=evidence,
        chi_square_p=float(chi_square_p(counts, shares)),
    )


def log_bayes_factor(counts: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the log evidence of another split against the planned one.

    counts, weights: (..., n_variants). Source: Lindon, Malek, NeurIPS 2022 (sequential multinomial test), with a
    Dirichlet prior of 10,000 units around the plan. exp(-its running maximum) is a p-value valid at all times.
    """
    prior = _PRIOR_UNITS * weights
    cells = gammaln(prior + counts) - gammaln(prior) - xlogy(counts, weights)
    total = gammaln(_PRIOR_UNITS) - gammaln(_PRIOR_UNITS + counts.sum(axis=-1))
    return np.asarray(total + cells.sum(axis=-1))


def chi_square_p(counts: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the p-value of Pearson's test, which holds for one look only: a diagnostic; 1 without any unit."""
    expected = np.maximum(counts.sum(axis=-1, keepdims=True) * weights, np.finfo(np.float64).tiny)
    statistic = ((counts - expected) ** 2 / expected).sum(axis=-1)
    return np.asarray(chdtrc(counts.shape[-1] - 1, statistic))
