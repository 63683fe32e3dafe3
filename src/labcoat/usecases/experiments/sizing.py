"""How many units and days a plan needs and what its days can show, as far as people know their metrics."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from labcoat.domain.amounts import LARGEST_COUNT, Amount
from labcoat.domain.plan import Plan, PlannedMetric, ResultSource, Variant
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats import entry
from labcoat.stats.entry import Budget, Condition, Target
from labcoat.stats.rule import Design, Direction, MetricKind, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What a plan takes, so that its whole rule passes with the plan's power.

    units: over all variants, None if a goal has no baseline, or is a mean or a ratio whose deviation nobody knows.
    days: whole days until they have come, None without units a day. shown: the smallest effect on the goal that the
    planned days show, as a share of its baseline; None where it is not known, or nothing the goal can do would show.
    is_short_for_guardrails: the planned days are too few to show the guardrails safe, whatever the goal does.
    """

    units: int | None
    days: int | None = None
    shown: float | None = None
    is_short_for_guardrails: bool = False


def sized(plan: Plan) -> Sizing:
    """Return what the plan takes; raise Refusal for an effect that the goal cannot have."""
    units, per_day = planned_units(plan), plan.units_per_day
    if units is None or per_day is None:
        return Sizing(units=units)
    days = entry.days_needed(units_per_day=per_day, needed=units, window_days=plan.window_days)
    coming = entry.units_in(days=plan.planned_days, units_per_day=per_day, window_days=plan.window_days)
    guardrails = [_condition(plan, one) for one in counted_guardrails(plan)]
    is_short = coming > 0 and bool(guardrails) and entry.missed(guardrails, units=coming) >= 1 - plan.power
    shown = _shown(plan, guardrails, units=coming)
    return Sizing(units=units, days=days, shown=shown, is_short_for_guardrails=is_short)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What a plan takes if only each unit's first days count, looked at group sequentially, and if all do, in sequence.

    window_days: how many those first days are.
    """

    window_days: float
    counted: Sizing
    growing: Sizing


def saving(plan: Plan, *, window_days: float, names: Collection[str]) -> Saving | None:
    """Return what a window for those metrics would save; None for an effect that the goal cannot have."""
    counted = replace(plan.with_window(window_days, names=names), design=Design.GROUP_SEQUENTIAL)
    growing = replace(plan.with_window(0.0, names=names), design=Design.CONFIDENCE_SEQUENCE)
    try:
        return Saving(window_days=window_days, counted=sized(counted), growing=sized(growing))
    except Refusal:
        return None


def _shown(plan: Plan, guardrails: Sequence[Condition], *, units: float) -> float | None:
    goal = plan.goal
    if not goal.baseline or units <= 0:
        return None
    budget = _budget(plan, Role.GOAL)
    effect = entry.smallest_rule_effect(_target(goal), guardrails=guardrails, units=units, budget=budget)
    return None if effect is None else effect / abs(goal.baseline)


def planned_units(plan: Plan) -> int | None:
    """Return the units over all variants with which the plan's whole rule passes with its power.

    Guardrails whose margin can't be counted are left out: see `uncounted_guardrails`. None if a goal has no baseline,
    or is a mean whose deviation nobody has said. Raises Refusal for an effect that the goal cannot have, such as 90
    points above 19 %, and for such a margin.
    """
    goals = [metric for metric in plan.metrics if metric.role is Role.GOAL]
    if not all(_is_known(metric) for metric in goals):
        return None
    conditions = [_condition(plan, metric) for metric in (*goals, *counted_guardrails(plan))]
    return entry.rule_size(conditions, power=plan.power).total


def counted_guardrails(plan: Plan) -> list[PlannedMetric]:
    """Return the guardrails with a margin that the plan's power covers."""
    return [one for one in _with_margin(plan) if _is_known(one)]


def uncounted_guardrails(plan: Plan) -> list[PlannedMetric]:
    """Return the guardrails whose margin the plan's power does not cover, because nobody said what they are today."""
    return [one for one in _with_margin(plan) if not _is_known(one)]


def _with_margin(plan: Plan) -> list[PlannedMetric]:
    return [one for one in plan.metrics if one.role is Role.GUARDRAIL and one.margin is not None]


def _is_known(metric: PlannedMetric) -> bool:
    return metric.baseline is not None and (metric.kind is MetricKind.PROPORTION or bool(metric.deviation))


def _condition(plan: Plan, metric: PlannedMetric) -> Condition:
    """Return what the rule asks of a goal or of a guardrail with a margin, as one that can be sized."""
    amount = metric.minimum_effect if metric.role is Role.GOAL else metric.margin
    assert amount is not None
    effect = amount.absolute(metric.baseline)
    assert effect is not None
    condition = Condition(target=_target(metric), effect=effect, budget=_budget(plan, metric.role))
    is_goal = metric.role is Role.GOAL
    field, what = ("minimum_effect", "an effect on") if is_goal else ("guardrails", "a margin of")
    try:
        most = condition.units(1 - (1 - plan.power) / (1 + len(counted_guardrails(plan))))
    except ValueError as error:
        raise Refusal(Reason.IMPOSSIBLE_EFFECT, field, metric=metric.name) from error
    except (OverflowError, ZeroDivisionError) as error:
        raise Refusal(Reason.TOO_SMALL_EFFECT, field, metric=metric.name, what=what) from error
    if most > LARGEST_COUNT:
        raise Refusal(Reason.TOO_SMALL_EFFECT, field, metric=metric.name, what=what)
    return condition


def _target(metric: PlannedMetric) -> Target:
    assert metric.baseline is not None
    variance = metric.deviation**2 if metric.deviation else None
    return Target(
        kind=metric.kind,
        baseline=metric.baseline,
        variance=variance,
        direction=metric.direction,
        role=metric.role,
        variance_reduction=metric.variance_reduction,
    )


def _budget(plan: Plan, role: Role) -> Budget:
    """Return what one metric of a role may err: all of the role share alpha, those without a margin too."""
    return Budget(
        design=plan.design,
        alpha=plan.alpha,
        power=plan.power,
        weights=tuple(variant.weight for variant in plan.variants),
        comparisons=sum(metric.role is role for metric in plan.metrics) * (len(plan.variants) - 1),
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

    def times_with_guardrails(self, count: int) -> float:
        """Return how many times the units it takes with so many guardrails whose margins are as hard to show."""
        return entry.rule_inflation(Budget(alpha=self.alpha, power=self.power), guardrails=count)

    def days(self, design: Design, *, units_per_day: float) -> int:
        """Return the whole days until those units have come."""
        return entry.days_needed(units_per_day=units_per_day, needed=self.units(design))


def require_sizable(asked: Asked) -> None:
    """Raise Refusal, naming the field, for what no experiment can show."""
    if asked.baseline is None:
        raise Refusal(Reason.BASELINE_NEEDED, "baseline", metric="the metric")
    if not asked.power > asked.alpha:
        raise Refusal(Reason.NOT_POSITIVE, "power", text=f"{asked.power:g}")
    for design in Design:
        asked.units(design)
