"""The plan of an experiment: its design, frozen when the experiment starts."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from zoneinfo import ZoneInfo

from labcoat.domain.amounts import Amount
from labcoat.domain.refusal import Reason, Refusal, require_text
from labcoat.stats.rule import Design, Direction, MetricKind, MetricRule, Role, Rule

LONGEST_DAYS = 366
SHORTEST_DAYS = 1 / 24
LONGEST_METRIC_NAME = 75
"""Characters; what a choice in Slack holds, and the same as in a metrics file."""
MOST_VARIANTS, MOST_METRICS = 10, 20
"""More would not fit one message, and every further goal or arm costs all the others power."""
ALLOCATION_TOLERANCE = 1e-6


class ResultSource(StrEnum):
    """Where the numbers come from: a metrics file's SQL, read every day, or people, when they like."""

    WAREHOUSE = "warehouse"
    TYPED = "typed"


class SameDay(StrEnum):
    """Whether rows of the exposure's own day count as after it, where rows have no time of day."""

    INCLUDE = "include"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One arm and its planned share of the units, 0-1."""

    name: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """How the warehouse measures a metric, frozen with the plan whatever becomes of the metrics file.

    window_days: after a unit's exposure, 0 for none. pre_period_days: before it, for the covariate, 0 for none.
    cap, floor: a unit's larger values, and its smaller ones, count as this; None for none. same_day: of rows that have
    days only.
    """

    window_days: float = 0.0
    pre_period_days: float = 0.0
    cap: float | None = None
    same_day: SameDay | None = None
    floor: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMetric:
    """One metric of a plan.

    baseline: the control's expected value. minimum_effect: a goal's smallest effect worth having.
    margin: the worsening of a guardrail that is tolerated. is_complete_at_exposure: as in the metrics file.
    deviation: of one unit's value, of a ratio its linearised one; None if nobody knows it.
    variance_reduction: the share of the variance that a covariate took away when it was measured, 0-1.
    measuring: None if people type its totals.
    format: how its values read, with {} where the number goes; None for the number alone. description, owner: what it
    means and whom to ask, as the metrics file said when it was planned.
    """

    name: str
    role: Role
    kind: MetricKind
    direction: Direction
    baseline: float | None = None
    minimum_effect: Amount | None = None
    margin: Amount | None = None
    is_complete_at_exposure: bool = False
    deviation: float | None = None
    variance_reduction: float = 0.0
    measuring: Measuring | None = None
    format: str | None = None
    description: str = ""
    owner: str = ""

    @property
    def is_growing(self) -> bool:
        """Whether a unit's value may still change once it is counted: it has no window, nor is complete at exposure."""
        has_window = self.measuring is not None and self.measuring.window_days > 0
        return not (has_window or self.is_complete_at_exposure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """When an experiment of the past ran; aware UTC, `ends_at` after `starts_at`."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is fixed before the start. Variants: control first.

    look_hour: local hour of the daily look in `zone`. planned_units: over all variants, None if unknown.
    units_per_day: new ones, all variants together, as people expect; None if nobody said.
    experiment_key: what the exposure data call it. period: for past data only.
    """

    variants: tuple[Variant, ...]
    unit: str
    metrics: tuple[PlannedMetric, ...]
    design: Design
    source: ResultSource
    planned_days: float
    zone: str
    alpha: float = 0.05
    power: float = 0.8
    window_days: float = 0.0
    look_hour: int = 8
    planned_units: int | None = None
    units_per_day: float | None = None
    experiment_key: str = ""
    period: Period | None = None

    @property
    def goal(self) -> PlannedMetric:
        """The first goal metric."""
        return next(metric for metric in self.metrics if metric.role is Role.GOAL)

    @property
    def variant_names(self) -> tuple[str, ...]:
        """All arms' names, control first."""
        return tuple(variant.name for variant in self.variants)

    @property
    def growing_metrics(self) -> tuple[PlannedMetric, ...]:
        """The goals and guardrails whose values keep growing; what secondary metrics do decides nothing."""
        return tuple(one for one in self.metrics if one.role is not Role.SECONDARY and one.is_growing)

    def with_window(self, days: float, *, names: Collection[str]) -> "Plan":
        """Return the plan with those metrics counting so many days after a unit's exposure, 0 for all days.

        names: of metrics that a warehouse measures.
        """
        metrics = tuple(
            replace(one, measuring=replace(one.measuring, window_days=days))
            if one.name in names and one.measuring is not None
            else one
            for one in self.metrics
        )
        windows = (one.measuring.window_days for one in metrics if one.measuring is not None)
        longest = max(windows, default=0.0) if self.period is None else 0.0
        return replace(self, metrics=metrics, window_days=longest)

    def metric(self, name: str) -> PlannedMetric:
        """Return the metric of that name; raise Refusal if the plan has none."""
        for metric in self.metrics:
            if metric.name.casefold() == name.casefold():
                return metric
        names = {metric.name.casefold(): metric.name for metric in self.metrics}
        near = get_close_matches(name.casefold()[:LONGEST_METRIC_NAME], names, n=1)
        nearest = names[near[0]] if near else None
        known = ", ".join(names.values())
        raise Refusal(Reason.NOT_A_PLAN_METRIC, "metric", text=name[:60], nearest=nearest, known=known)

    def rule(self) -> Rule:
        """Return the plan as the statistics see it."""
        return Rule(
            design=self.design,
            alpha=self.alpha,
            planned_days=self.planned_days,
            variants=self.variant_names,
            weights=tuple(variant.weight for variant in self.variants),
            metrics=tuple(_metric_rule(metric) for metric in self.metrics),
            window_days=self.window_days,
            planned_units=self.planned_units,
        )


def without(plan: Plan, names: Collection[str]) -> Plan:
    """Return the plan without these treatments; the other variants keep their shares to each other."""
    if not names:
        return plan
    kept = [variant for variant in plan.variants if variant.name not in names]
    total = sum(variant.weight for variant in kept)
    return replace(plan, variants=tuple(replace(variant, weight=variant.weight / total) for variant in kept))


def _metric_rule(metric: PlannedMetric) -> MetricRule:
    effect, margin = metric.minimum_effect, metric.margin
    return MetricRule(
        name=metric.name,
        role=metric.role,
        kind=metric.kind,
        direction=metric.direction,
        minimum_effect=effect.absolute(metric.baseline) if effect else None,
        margin=(margin.absolute(metric.baseline) or 0.0) if margin else 0.0,
        is_complete_at_exposure=metric.is_complete_at_exposure,
        window_days=metric.measuring.window_days if metric.measuring else None,
    )


def checked(plan: Plan) -> Plan:
    """Return the plan tidied; raise Refusal for the first thing that would make its numbers mean nothing."""
    plan = replace(plan, unit=require_text(plan.unit, field="unit", longest=40))
    _check_variants(plan.variants)
    _check_metrics(plan.metrics)
    _check_calendar(plan)
    if not 0 < plan.alpha < 0.5 or not 0.5 <= plan.power < 1:
        raise Refusal(Reason.NOT_A_NUMBER, "alpha", text=f"{plan.alpha:g}")
    if plan.source is ResultSource.TYPED:
        _check_typed_names(plan.variants)
    if plan.source is ResultSource.TYPED and plan.design is Design.GROUP_SEQUENTIAL:
        # People choose when they send numbers; spending by calendar would not pay for that.
        raise Refusal(Reason.DESIGN_NEEDS_WAREHOUSE, "design")
    growing = ", ".join(metric.name for metric in plan.growing_metrics)
    if growing and plan.design is Design.GROUP_SEQUENTIAL:
        # Increments of growing values depend on each other: .071 and .064 of A/A tests were called at alpha .05.
        raise Refusal(Reason.METRIC_KEEPS_GROWING, "design", metric=growing, unit=plan.unit)
    return plan


def valid_designs(source: ResultSource, *, has_growing_metric: bool) -> tuple[Design, ...]:
    """Return the designs that pay for the looks of such a plan, the default first.

    has_growing_metric: as `Plan.growing_metrics`, of goals and guardrails.
    """
    if source is ResultSource.TYPED or has_growing_metric:
        return (Design.CONFIDENCE_SEQUENCE, Design.ONE_LOOK)
    return (Design.GROUP_SEQUENTIAL, Design.CONFIDENCE_SEQUENCE, Design.ONE_LOOK)


def _check_typed_names(variants: tuple[Variant, ...]) -> None:
    for variant in variants:
        if len(variant.name.split()) > 1:
            raise Refusal(Reason.NAME_WITH_BLANK, "variants", name=variant.name[:60])


def _check_variants(variants: tuple[Variant, ...]) -> None:
    if len(variants) < 2:
        raise Refusal(Reason.TWO_VARIANTS, "variants")
    if len(variants) > MOST_VARIANTS:
        raise Refusal(Reason.TOO_LARGE, "variants", text=f"{len(variants)} variants")
    for variant in variants:
        require_text(variant.name, field="variants", longest=60)
        if not variant.weight > 0:
            raise Refusal(Reason.NOT_POSITIVE, "variants", text=f"{variant.name} {variant.weight:g}")
    twice = _first_repeated(variant.name.casefold() for variant in variants)
    if twice is not None:
        raise Refusal(Reason.VARIANT_TWICE, "variants", name=twice)
    total = math.fsum(variant.weight for variant in variants)
    if abs(total - 1) > ALLOCATION_TOLERANCE:
        raise Refusal(Reason.ALLOCATION, "variants", total=total)


def _check_metrics(metrics: tuple[PlannedMetric, ...]) -> None:
    for metric in metrics:
        field = "goal" if metric.role is Role.GOAL else "guardrails"
        require_text(metric.name, field=field, longest=LONGEST_METRIC_NAME)
    if len(metrics) > MOST_METRICS:
        raise Refusal(Reason.TOO_LARGE, "guardrails", text=f"{len(metrics)} metrics")
    twice = _first_repeated(metric.name.casefold() for metric in metrics)
    if twice is not None:
        raise Refusal(Reason.METRIC_TWICE, "guardrails", name=twice)
    goals = [metric for metric in metrics if metric.role is Role.GOAL]
    if not goals:
        raise Refusal(Reason.NO_GOAL, "goal")
    for metric in goals:
        if metric.minimum_effect is None:
            raise Refusal(Reason.NO_MINIMUM_EFFECT, "minimum_effect", metric=metric.name)
    for metric in metrics:
        if metric.minimum_effect is not None and metric.minimum_effect.absolute(metric.baseline) in (None, 0.0):
            raise Refusal(Reason.BASELINE_NEEDED, "baseline", metric=metric.name)
        if metric.margin is not None and metric.margin.absolute(metric.baseline) in (None, 0.0):
            raise Refusal(Reason.MARGIN_NEEDS_UNIT, "guardrails", metric=metric.name)


def _check_calendar(plan: Plan) -> None:
    if plan.period is not None and plan.period.ends_at <= plan.period.starts_at:
        raise Refusal(Reason.END_BEFORE_START, "ends_on")
    if not plan.planned_days >= SHORTEST_DAYS:
        raise Refusal(Reason.NOT_POSITIVE, "planned_days", text=f"{plan.planned_days:g}")
    if plan.planned_days > LONGEST_DAYS:
        raise Refusal(Reason.TOO_LARGE, "planned_days", text=f"{plan.planned_days:g}")
    if plan.window_days and plan.window_days >= plan.planned_days:
        raise Refusal(Reason.WINDOW_TOO_LONG, "planned_days", window=plan.window_days)
    if not 0 <= plan.look_hour <= 23:
        raise Refusal(Reason.NOT_A_NUMBER, "look_hour", text=str(plan.look_hour))
    ZoneInfo(plan.zone)


def _first_repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
