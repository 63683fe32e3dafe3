"""How many units a plan needs, as far as what people know of their metrics tells."""

from labcoat.domain.amounts import LARGEST_COUNT
from labcoat.domain.plan import Plan, PlannedMetric
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.answers import Budget, Target, sample_size
from labcoat.stats.results import MetricKind, Role


def planned_units(plan: Plan) -> int | None:
    """Return the units over all variants that the plan needs: the largest over its goals and guardrails with a margin.

    None if a goal is a mean, whose variance nobody has said, or has no baseline. Raises Refusal for an effect that the
    goal cannot have, such as 90 points above 19 %.
    """
    goals = [metric for metric in plan.metrics if metric.role is Role.GOAL]
    guardrails = [metric for metric in plan.metrics if metric.role is Role.GUARDRAIL]
    sizes = [_units(plan, metric, count=len(goals)) for metric in goals]
    if None in sizes:
        return None
    sizes += [_units(plan, metric, count=len(guardrails)) for metric in guardrails]
    return max(size for size in sizes if size is not None)


def _units(plan: Plan, metric: PlannedMetric, *, count: int) -> int | None:
    amount = metric.minimum_effect if metric.role is Role.GOAL else metric.margin
    effect = amount.absolute(metric.baseline) if amount is not None else None
    if effect is None or metric.baseline is None or metric.kind is MetricKind.MEAN:
        return None
    target = Target(kind=metric.kind, baseline=metric.baseline, direction=metric.direction, role=metric.role)
    budget = Budget(
        design=plan.design,
        alpha=plan.alpha,
        power=plan.power,
        weights=tuple(variant.weight for variant in plan.variants),
        comparisons=count * (len(plan.variants) - 1),
    )
    try:
        total = sample_size(target, effect=effect, budget=budget).total
    except ValueError as error:
        raise Refusal(Reason.IMPOSSIBLE_EFFECT, "minimum_effect", metric=metric.name) from error
    except (OverflowError, ZeroDivisionError) as error:
        raise Refusal(Reason.TOO_SMALL_EFFECT, "minimum_effect", metric=metric.name) from error
    if total > LARGEST_COUNT:
        raise Refusal(Reason.TOO_SMALL_EFFECT, "minimum_effect", metric=metric.name)
    return total
