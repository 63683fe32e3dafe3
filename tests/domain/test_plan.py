"""What a plan must say before its numbers can mean anything."""

from dataclasses import replace

import pytest

from builders import DAY, NOW, a_goal, a_guardrail, a_plan, a_typed_plan, an_experiment, refused
from labcoat.domain import plan
from labcoat.domain.amounts import Amount
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.plan import Measuring, Period, Plan, PlannedMetric, ResultSource, Variant
from labcoat.domain.refusal import Reason
from labcoat.stats.rule import Design, MetricKind, Role

RELATIVE = Amount(size=0.05, is_relative=True)


def _with_variants(*variants: Variant) -> Plan:
    return replace(a_plan(), variants=variants)


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.9, 0.1), (1 / 3, 1 / 3, 1 / 3), (0.1, 0.2, 0.3, 0.4)])
def test_shares_that_sum_to_1_are_accepted(weights: tuple[float, ...]) -> None:
    assert plan.checked(a_plan(weights=weights)).variants[-1].weight == weights[-1]


@pytest.mark.parametrize("weights", [(0.5, 0.4), (0.5, 0.50001), (50, 50), (0.5, float("inf"))])
def test_shares_that_do_not_sum_to_1_are_refused(weights: tuple[float, ...]) -> None:
    with refused(Reason.ALLOCATION, "variants", total=sum(weights)):
        plan.checked(a_plan(weights=weights))


@pytest.mark.parametrize("weight", [0.0, -0.5, float("nan")])
def test_every_variant_has_a_share(weight: float) -> None:
    with refused(Reason.NOT_POSITIVE, "variants"):
        plan.checked(a_plan(weights=(1.0, weight)))


@pytest.mark.parametrize("weights", [(), (1.0,)])
def test_there_are_two_variants_or_more(weights: tuple[float, ...]) -> None:
    with refused(Reason.TWO_VARIANTS, "variants"):
        plan.checked(a_plan(weights=weights))


def test_a_variant_is_there_once_in_whatever_case() -> None:
    with refused(Reason.VARIANT_TWICE, "variants"):
        plan.checked(_with_variants(Variant(name="Blue", weight=0.5), Variant(name="blue", weight=0.5)))


def test_a_variant_has_a_name() -> None:
    with refused(Reason.MISSING, "variants"):
        plan.checked(_with_variants(Variant(name="control", weight=0.5), Variant(name=" ", weight=0.5)))


def test_a_plan_has_a_unit() -> None:
    with refused(Reason.MISSING, "unit"):
        plan.checked(replace(a_plan(), unit=" "))

    assert plan.checked(replace(a_plan(), unit=" user ")).unit == "user"


def test_a_plan_has_a_goal() -> None:
    with refused(Reason.NO_GOAL, "goal"):
        plan.checked(a_plan(a_guardrail()))


def test_a_metric_has_one_role() -> None:
    with refused(Reason.METRIC_TWICE, "guardrails", name="orders"):
        plan.checked(a_plan(a_goal("orders"), a_guardrail("Orders")))


def test_every_goal_has_a_smallest_effect() -> None:
    with refused(Reason.NO_MINIMUM_EFFECT, "minimum_effect", metric="visits"):
        plan.checked(a_plan(a_goal("orders"), a_goal("visits", minimum_effect=None)))


@pytest.mark.parametrize("baseline", [None, 0.0])
def test_an_effect_in_percent_needs_a_baseline(baseline: float | None) -> None:
    with refused(Reason.BASELINE_NEEDED, "baseline", metric="orders per user"):
        plan.checked(a_plan(a_goal(minimum_effect=RELATIVE, baseline=baseline)))


def test_a_margin_in_percent_needs_a_baseline() -> None:
    with refused(Reason.MARGIN_NEEDS_UNIT, "guardrails", metric="refunds"):
        plan.checked(a_plan(a_goal(), a_guardrail(margin=RELATIVE)))


@pytest.mark.parametrize("days", [0.0, -1.0, 1e-300, float("nan")])
def test_a_plan_lasts_longer_than_nothing(days: float) -> None:
    with refused(Reason.NOT_POSITIVE, "planned_days"):
        plan.checked(a_plan(planned_days=days))


@pytest.mark.parametrize("days", [366.5, float("inf")])
def test_a_plan_lasts_a_year_at_most(days: float) -> None:
    with refused(Reason.TOO_LARGE, "planned_days"):
        plan.checked(a_plan(planned_days=days))

    assert plan.checked(a_plan(planned_days=366)).planned_days == 366


@pytest.mark.parametrize("window", [28.0, 30.0])
def test_a_window_is_shorter_than_the_plan(window: float) -> None:
    with refused(Reason.WINDOW_TOO_LONG, "planned_days", window=window):
        plan.checked(replace(a_plan(planned_days=28), window_days=window))


@pytest.mark.parametrize("hour", [-1, 24])
def test_the_look_hour_is_an_hour(hour: int) -> None:
    with refused(Reason.NOT_A_NUMBER, "look_hour"):
        plan.checked(replace(a_plan(), look_hour=hour))


@pytest.mark.parametrize(("alpha", "power"), [(0, 0.8), (0.5, 0.8), (float("nan"), 0.8), (0.05, 0.4), (0.05, 1)])
def test_alpha_and_power_are_risks_that_make_sense(alpha: float, power: float) -> None:
    with refused(Reason.NOT_A_NUMBER, "alpha"):
        plan.checked(replace(a_plan(), alpha=alpha, power=power))


def test_typed_results_are_not_group_sequential() -> None:
    with refused(Reason.DESIGN_NEEDS_WAREHOUSE, "design"):
        plan.checked(a_plan(design=Design.GROUP_SEQUENTIAL, source=ResultSource.TYPED))

    for design in (Design.CONFIDENCE_SEQUENCE, Design.ONE_LOOK):
        assert plan.checked(a_plan(design=design, source=ResultSource.TYPED)).design is design


GROWING = replace(a_goal("revenue"), is_complete_at_exposure=False, measuring=Measuring())


@pytest.mark.parametrize(
    ("metric", "is_growing"),
    [
        (GROWING, True),
        (replace(GROWING, measuring=None), True),  # people type its totals
        (replace(GROWING, measuring=Measuring(window_days=7)), False),
        (replace(GROWING, is_complete_at_exposure=True), False),
        (replace(GROWING, measuring=Measuring(pre_period_days=7)), True),
    ],
)
def test_a_value_grows_without_a_window_or_completeness_at_exposure(metric: PlannedMetric, is_growing: bool) -> None:
    assert metric.is_growing is is_growing


@pytest.mark.parametrize(
    "metrics",
    [
        (GROWING,),
        (a_goal(), replace(GROWING, role=Role.GUARDRAIL)),
        (replace(GROWING, name="a", measuring=Measuring(window_days=7)), GROWING),
    ],
)
def test_group_sequential_looks_are_not_paid_for_at_a_metric_that_grows(metrics: tuple[PlannedMetric, ...]) -> None:
    one = a_plan(*metrics)

    with refused(Reason.METRIC_KEEPS_GROWING, "design", metric="revenue", unit="user"):
        plan.checked(one)

    for design in plan.valid_designs(ResultSource.WAREHOUSE, has_growing_metric=True):
        assert plan.checked(replace(one, design=design)).design is design


def test_what_a_secondary_metric_does_decides_no_design() -> None:
    assert plan.checked(a_plan(a_goal(), replace(GROWING, role=Role.SECONDARY))).design is Design.GROUP_SEQUENTIAL


def test_default_design_is_group_sequential_only_where_its_looks_are_paid_for() -> None:
    assert plan.valid_designs(ResultSource.WAREHOUSE, has_growing_metric=False)[0] is Design.GROUP_SEQUENTIAL
    for source, has_growing in (
        (ResultSource.WAREHOUSE, True),
        (ResultSource.TYPED, True),
        (ResultSource.TYPED, False),
    ):
        designs = plan.valid_designs(source, has_growing_metric=has_growing)
        assert designs == (Design.CONFIDENCE_SEQUENCE, Design.ONE_LOOK)


def test_a_window_closes_the_metrics_it_is_given_and_the_longest_counts_for_the_calendar() -> None:
    own = replace(GROWING, name="own", measuring=Measuring(window_days=14, cap=5.0))
    one = a_plan(replace(GROWING, measuring=Measuring(pre_period_days=7)), own, a_guardrail("typed"))

    closed = one.with_window(7, names=["revenue", "typed"])

    assert [metric.measuring for metric in closed.metrics] == [
        Measuring(window_days=7, pre_period_days=7),
        Measuring(window_days=14, cap=5.0),
        None,
    ]
    assert closed.window_days == 14
    assert plan.checked(closed).design is Design.GROUP_SEQUENTIAL
    assert a_plan(GROWING).with_window(7, names=["revenue"]).window_days == 7


def test_a_running_plan_that_would_be_refused_today_still_has_its_rule() -> None:
    running = an_experiment(ExperimentState.RUNNING, plan=a_plan(GROWING))

    assert running.rule().design is Design.GROUP_SEQUENTIAL


def test_a_period_ends_after_it_starts() -> None:
    with refused(Reason.END_BEFORE_START, "ends_on"):
        plan.checked(replace(a_plan(), period=Period(starts_at=NOW, ends_at=NOW)))


def test_a_metric_is_found_in_any_case_and_an_unknown_one_is_refused() -> None:
    one = a_typed_plan(a_goal("Orders"), a_guardrail("refunds"))

    assert one.metric("orders").name == "Orders"
    with refused(Reason.NOT_A_PLAN_METRIC, "metric", known="Orders, refunds"):
        one.metric("clicks")


def test_the_statistics_get_absolute_effects_and_margins() -> None:
    goal = PlannedMetric(
        name="orders",
        role=Role.GOAL,
        kind=MetricKind.MEAN,
        direction=a_goal().direction,
        baseline=-4.0,
        minimum_effect=RELATIVE,
    )
    margin = Amount(size=0.002, is_relative=False)

    rule = a_plan(goal, a_guardrail(margin=margin), a_guardrail("errors")).rule()

    assert rule.metrics[0].minimum_effect == pytest.approx(0.2)  # 5 % of 4, whatever its sign
    assert [metric.margin for metric in rule.metrics[1:]] == [0.002, 0.0]
    assert (rule.variants, rule.weights) == (("control", "treatment"), (0.5, 0.5))


def test_the_planned_end_counts_from_when_traffic_began() -> None:
    running = an_experiment(ExperimentState.RUNNING, since=NOW, plan=a_plan(planned_days=10))

    assert running.planned_end == NOW + 10 * DAY
    assert an_experiment().planned_end is None
