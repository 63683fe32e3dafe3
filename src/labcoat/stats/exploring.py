"""Views beside the verdict, for exploring many metrics at once: adjusted p-values, discoveries, chances.

None of them decides anything; plain values in, plain values out.
"""

from collections.abc import Sequence
from math import nan

import numpy as np

from labcoat.stats import bayes, multiplicity
from labcoat.stats.results import Adjustment, Chances, Estimate, Explored


def adjusted(estimates: Sequence[Estimate], adjustment: Adjustment, *, alpha: float) -> tuple[Explored, ...]:
    """Return for each estimate whether it is a discovery at alpha among all of them.

    An estimate without the evidence that the adjustment reads is no hypothesis, and no discovery.
    """
    if adjustment is Adjustment.E_BENJAMINI_HOCHBERG:
        log_e = np.array([nan if one.log_e_value is None else one.log_e_value for one in estimates])
        found = multiplicity.e_benjamini_hochberg(log_e, alpha=alpha)
        return tuple(Explored(p_value=None, is_discovery=bool(one)) for one in found)
    raw = np.array([nan if one.unadjusted_p_value is None else one.unadjusted_p_value for one in estimates])
    adjust = multiplicity.holm if adjustment is Adjustment.HOLM else multiplicity.benjamini_hochberg
    return tuple(
        Explored(p_value=None if np.isnan(one) else float(one), is_discovery=bool(one <= alpha)) for one in adjust(raw)
    )


def chances(estimate: Estimate, *, prior_deviation: float) -> Chances | None:
    """Return the view of a lift under a normal prior around 0; None without a relative interval.

    prior_deviation: of true lifts, 0.1 = 10 %; > 0. The lift's error is read off its interval, half over k.
    """
    if estimate.lift is None or estimate.lift_low is None or estimate.lift_high is None or not estimate.multiplier:
        return None
    error = (estimate.lift_high - estimate.lift_low) / (2 * estimate.multiplier)
    view = bayes.posterior(np.array(estimate.lift), np.array(error), prior_deviation=prior_deviation)
    return Chances(
        chance=float(view.chance_to_win),
        low=float(view.low),
        high=float(view.high),
        loss_of_treatment=float(view.loss_of_treatment),
        loss_of_control=float(view.loss_of_control),
    )
