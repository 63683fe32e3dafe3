"""How many units and days a plan needs and what its days can show, as far as people know their metrics."""

from dataclasses import dataclass

from labcoat.domain.amounts import LARGEST_COUNT, Amount
from labcoat.domain.plan import Plan, PlannedMetric, ResultSource, Variant
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats import answers
from labcoat.stats.answers import Budget, Target
from labcoat.stats.results import Design, Direction, MetricKind, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What a plan takes.

    units: over all variants, None if a goal has no baseline, or is a mean whose deviation nobody knows.
    days: whole days until they have come, None without units a day. shown: the smallest effect on the goal that the
    planned days show, as a share of its baseline; None where it is not known, or nothing the goal can do would show.
    """

    units: int | None
    days: int | None
    shown: float | None


def sized(plan: Plan) -> Sizing:
    """Return what the plan takes; raise Refusal for an effect that the goal cannot have."""
    units, per_day = planned_units(plan), plan.units_per_day
    if units is None or per_day is None:
        return Sizing(units=units, days=None, shown=None)
    days = answers.days_needed(units_per_day=per_day, needed=units, window_days=plan.window_days)
    return Sizing(units=units, days=days, shown=_shown(plan, per_day))


def _shown(plan: Plan, per_day: float) -> float | None:
    units = answers.units_in(days=plan.planned_days, units_per_day=per_day, window_days=plan.window_days)
    goal = plan.goal
    target = _target(goal)
    if target is None or not goal.baseline or units <= 0:
        return None
    goals = sum(metric.role is Role.GOAL for metric in plan.metrics)
    effect = answers.smallest_effect(target, units=units, budget=_budget(plan, count=goals))
    return None if effect is None else effect / abs(goal.baseline)


def planned_units(plan: Plan) -> int | None:
    """Return the units over all variants that the plan needs: the largest over its goals and guardrails with a margin.

    None if a goal has no baseline, or is a mean whose deviation nobody has said. Raises Refusal for an effect that the
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
    target = _target(metric)
    if effect is None or target is None:
        return None
    try:
        total = answers.sample_size(target, effect=effect, budget=_budget(plan, count=count)).total
    except ValueError as error:
        raise Refusal(Reason.IMPOSSIBLE_EFFECT, "minimum_effect", metric=metric.name) from error
    except (OverflowError, ZeroDivisionError) as error:
        raise Refusal(Reason.TOO_SMALL_EFFECT, "minimum_effect", metric=metric.name) from error
    if total > LARGEST_COUNT:
        raise Refusal(Reason.TOO_SMALL_EFFECT, "minimum_effect", metric=metric.name)
    return total


def _target(metric: PlannedMetric) -> Target | None:
    is_mean = metric.kind is not MetricKind.PROPORTION
    if metric.baseline is None or (is_mean and not metric.deviation):
        return None
    variance = metric.deviation**2 if is_mean and metric.deviation else None
    return Target(
        kind=metric.kind, baseline=metric.baseline, variance=variance, direction=metric.direction, role=metric.role
    )


def _budget(plan: Plan, *, count: int) -> Budget:
    return Budget(
        design=plan.design,
        alpha=plan.alpha,
        power=plan.power,
        weights=tuple(variant.weight for variant in plan.variants),
        comparisons=count * (len(plan.variants) - 1),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to know before there is a plan: two arms of the same size, one goal."""

    kind: MetricKind
    baseline: float | None
    deviation: float | None
    effect: Amount
    power: float
    alpha: float

    def units(self, design: Design) -> int:
        """Return the units over both variants; raise Refusal for an effect that the metric cannot have."""
        plan = Plan(
            variants=(Variant(name="control", weight=0.5), Variant(name="treatment", weight=0.5)),
            unit="unit",
            metrics=(
                PlannedMetric(
                    name="the metric",
                    role=Role.GOAL,
                    kind=self.kind,
                    direction=Direction.UP,
                    baseline=self.baseline,
                    minimum_effect=self.effect,
                    deviation=self.deviation,
                ),
            ),
            design=design,
            source=ResultSource.WAREHOUSE,
            planned_days=28,
            zone="UTC",
            alpha=self.alpha,
            power=self.power,
        )
        units = planned_units(plan)
        if units is None:
            raise Refusal(Reason.BASELINE_NEEDED, "baseline", metric="the metric")
        return units

    def days(self, design: Design, *, units_per_day: float) -> int:
        """Return the whole days until those units have come."""
        return answers.days_needed(units_per_day=units_per_day, needed=self.units(design))


def require_sizable(asked: Asked) -> None:
    """Raise Refusal, naming the field, for what no experiment can show."""
    if asked.baseline is None:
        raise Refusal(Reason.BASELINE_NEEDED, "baseline", metric="the metric")
    if not asked.power > asked.alpha:
        raise Refusal(Reason.NOT_POSITIVE, "power", text=f"{asked.power:g}")
    for design in Design:
        asked.units(design)
