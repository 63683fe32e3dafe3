"""How wide an interval must be, k standard errors, so that all looks at all decisive metrics together keep alpha."""

from scipy.special import ndtr, stdtrit

from labcoat.stats import confidence_sequence, sequential
from labcoat.stats.effects import FloatArray
from labcoat.stats.results import Design, Estimate, MetricRule, Readout, Role, Rule


def alpha_of(rule: Rule, role: Role) -> float:
    """Return the two-sided alpha of one interval.

    Goals share alpha, over all treatments (Bonferroni); so do guardrails among themselves. Secondary metrics explore
    at the whole of it.
    """
    if role is Role.SECONDARY:
        return rule.alpha
    metrics = sum(metric.role is role for metric in rule.metrics)
    return rule.alpha / (metrics * (len(rule.variants) - 1))


def multiplier(
    rule: Rule, metric: MetricRule, estimate: Estimate, *, spent: float, looks: tuple[Readout, ...]
) -> float:
    """Return k for one treatment on one metric, as a normal quantile.

    estimate: counts and information of this look are read. spent: u, now. looks: the earlier ones, up to the final;
    where they already include the final look nothing is left to spend and its own k is used again.
    One look at the end is a group-sequential design with one look; so an early one pays the price of its u.
    """
    alpha = alpha_of(rule, metric.role)
    if rule.design is Design.CONFIDENCE_SEQUENCE:
        tuned = confidence_sequence.TYPICAL_UNITS
        if rule.planned_units:
            pair = rule.weights[0] + rule.weights[rule.variants.index(estimate.treatment)]
            tuned = max(1, round(rule.planned_units * pair))
        units = estimate.control_count + estimate.treatment_count
        return confidence_sequence.multiplier(units=units, tuned_units=tuned, alpha=alpha)
    path = paid_looks(looks, metric=estimate.metric, treatment=estimate.treatment)
    if not path or not looks[-1].is_final:
        path = (*path, (spent, estimate.information))
    return sequential.boundary(*zip(*path, strict=True), alpha)[-1]


def paid_looks(looks: tuple[Readout, ...], *, metric: str, treatment: str) -> tuple[tuple[float, float], ...]:
    """Return (spent, information) of the earlier looks that gave this pair an interval.

    One that gave none could not cross: it spent nothing on this pair, and the next look has its share too.
    """
    return tuple(
        (look.spent, estimate.information)
        for look in looks
        for estimate in look.estimates
        if (estimate.metric, estimate.treatment) == (metric, treatment) and estimate.multiplier is not None
    )


def student(multiplier: FloatArray, degrees_of_freedom: FloatArray) -> FloatArray:
    """Return the t quantile that leaves out as much as the normal one: t^-1_df(Phi(k)), from the upper tail."""
    quantile: FloatArray = -stdtrit(degrees_of_freedom, ndtr(-multiplier))
    return quantile
