"""How wide an interval must be, k standard errors, so that all looks at all decisive metrics together keep alpha."""

from labcoat.stats import confidence_sequence, sequential
from labcoat.stats.results import Estimate, Readout
from labcoat.stats.rule import Design, MetricRule, Role, Rule


def alpha_of(rule: Rule, role: Role) -> float:
    """Return the two-sided alpha of one interval.

    Goals share alpha, over all treatments (Bonferroni); so do guardrails among themselves. Secondary metrics explore
    at the whole of it. A confidence sequence that began anew, after the cause of an uneven split was fixed, has half.
    """
    began_anew = rule.design is Design.CONFIDENCE_SEQUENCE and rule.fixed_cause is not None
    return rule.alpha / comparisons(rule, role) / (2 if began_anew else 1)


def comparisons(rule: Rule, role: Role) -> int:
    """Return how many intervals share alpha with one of that role; those of dropped treatments keep their share."""
    if role is Role.SECONDARY:
        return 1
    metrics = sum(metric.role is role for metric in rule.metrics)
    return metrics * len({*rule.treatments, *(one.treatment for one in rule.dropped)})


def multiplier(rule: Rule, estimate: Estimate, *, spent: float, looks: tuple[Readout, ...]) -> float:
    """Return k for one treatment on one metric, as a normal quantile.

    estimate: counts and information of this look are read. spent: u, now. looks: the earlier ones, up to the final;
    where they already include the final look nothing is left to spend and its own k is used again.
    One look at the end is a group-sequential design with one look; so an early one pays the price of its u.
    """
    alpha = alpha_of(rule, estimate.role)
    if rule.design is Design.CONFIDENCE_SEQUENCE:
        return float(
            confidence_sequence.multiplier(
                units=estimate.control_count + estimate.treatment_count,
                tuned_units=tuned_units(rule, estimate.treatment),
                alpha=alpha,
            )
        )
    path = paid_looks(looks, metric=estimate.metric, treatment=estimate.treatment)
    if not path or not looks[-1].is_final:
        path = (*path, (spent, estimate.information))
    shares, informations = zip(*path, strict=True)
    spent_before = rule.fixed_cause.spent if rule.fixed_cause else 0.0
    return sequential.boundary(shares, informations, alpha, spent_before=spent_before)[-1]


def tuned_units(rule: Rule, treatment: str) -> int:
    """Return at how many units of control and treatment a confidence sequence is tightest."""
    if not rule.planned_units:
        return confidence_sequence.TYPICAL_UNITS
    pair = rule.weights[0] + rule.weights[rule.variants.index(treatment)]
    return max(1, round(rule.planned_units * pair))


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


def is_growing(rule: Rule, metric: MetricRule) -> bool:
    """Tell whether the values of units already seen may still grow, so that what their mean estimates moves.

    A fixed window closes each unit's value before it counts; without one, only a metric that is complete at exposure
    keeps its values.
    """
    window_days = rule.window_days if metric.window_days is None else metric.window_days
    return window_days == 0 and not metric.is_complete_at_exposure


def is_approximate(rule: Rule, metric: MetricRule) -> bool:
    """Tell whether looks are paid for as if increments were independent, which values that still grow are not."""
    return rule.design is not Design.ONE_LOOK and is_growing(rule, metric)
