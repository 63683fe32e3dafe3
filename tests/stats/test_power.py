"""Sample size, days, and the smallest effect that can show."""

from dataclasses import replace
from math import inf, nan, sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import NormalIndPower, zt_ind_solve_power

from labcoat.stats import power
from labcoat.stats.power import Budget, Target
from labcoat.stats.rule import Design, Direction, MetricKind, Role

ONE_LOOK = Budget(design=Design.ONE_LOOK)
REVENUE = Target(kind=MetricKind.MEAN, baseline=20.0, variance=900.0)
RETENTION = Target(kind=MetricKind.PROPORTION, baseline=0.05)
designs = st.sampled_from(Design)


@pytest.mark.parametrize(("wanted", "alpha"), [(0.8, 0.05), (0.9, 0.01)])
def test_reference_size_of_a_mean_is_statsmodels(wanted: float, alpha: float) -> None:
    expected = zt_ind_solve_power(effect_size=1.5 / 30, alpha=alpha, power=wanted)

    size = power.sample_size(REVENUE, effect=1.5, budget=Budget(design=Design.ONE_LOOK, power=wanted, alpha=alpha))

    assert size.per_arm[0] == pytest.approx(expected, abs=1)


def test_reference_size_of_a_proportion_by_hand() -> None:
    # (1.959964 + 0.841621)^2 (.05 x .95 + .055 x .945) / .005^2 = 31,231 per arm (Fleiss 1981 without continuity).
    size = power.sample_size(RETENTION, effect=0.005, budget=ONE_LOOK)

    assert size.per_arm == (31_231, 31_231)
    assert size.total == 62_462


def test_reference_an_uneven_split_is_statsmodels() -> None:
    expected = NormalIndPower().solve_power(effect_size=1.5 / 30, alpha=0.05, power=0.8, ratio=1 / 9)

    size = power.sample_size(REVENUE, effect=1.5, budget=Budget(design=Design.ONE_LOOK, weights=(0.9, 0.1)))

    assert size.per_arm[0] == pytest.approx(expected, rel=1e-3)


def test_reference_an_open_end_costs_about_1_9_times_the_units() -> None:
    # ((3.035 + .842) / (1.960 + .842))^2, with k = 3.035 where the sequence is tightest.
    assert power.inflation(Budget(design=Design.CONFIDENCE_SEQUENCE)) == pytest.approx(1.91, abs=0.01)


def test_reference_daily_looks_cost_about_5_percent() -> None:
    assert power.inflation(Budget(design=Design.GROUP_SEQUENTIAL)) == pytest.approx(1.049, abs=0.001)
    assert power.inflation(Budget(design=Design.ONE_LOOK)) == 1


def test_more_comparisons_share_alpha() -> None:
    three = power.sample_size(REVENUE, effect=1.0, budget=Budget(design=Design.ONE_LOOK, comparisons=3))
    third = power.sample_size(REVENUE, effect=1.0, budget=Budget(design=Design.ONE_LOOK, alpha=0.05 / 3))

    assert three == third


def test_three_arms_are_sized_for_the_smallest_treatment() -> None:
    size = power.sample_size(REVENUE, effect=1.5, budget=Budget(design=Design.ONE_LOOK, weights=(0.5, 0.3, 0.2)))

    assert size.per_arm == pytest.approx((size.total * 0.5, size.total * 0.3, size.total * 0.2), abs=2)
    found = 1.5 / sqrt(900 / size.per_arm[0] + 900 / size.per_arm[2])
    assert stats.norm.sf(stats.norm.isf(0.025) - found) == pytest.approx(0.8, abs=1e-3)


def test_a_guardrail_is_sized_to_be_shown_safe_while_nothing_changes() -> None:
    guardrail = Target(kind=MetricKind.PROPORTION, baseline=0.05, role=Role.GUARDRAIL)

    size = power.sample_size(guardrail, effect=0.005, budget=ONE_LOOK)

    assert size.per_arm[0] == pytest.approx(7.8489 * 2 * 0.05 * 0.95 / 0.005**2, rel=1e-4)


@given(design=designs, effect=st.floats(0.01, 20), wanted=st.floats(0.5, 0.95))
def test_property_the_smallest_effect_of_a_size_is_the_effect_it_was_for(
    design: Design, effect: float, wanted: float
) -> None:
    budget = Budget(design=design, power=wanted)
    size = power.sample_size(REVENUE, effect=effect, budget=budget)

    smallest = power.smallest_effect(REVENUE, units=size.total, budget=budget)

    assert smallest is not None
    assert smallest <= effect * (1 + 1e-9)
    assert smallest == pytest.approx(effect, rel=2 / size.total)


@given(effect=st.floats(0.001, 0.04), direction=st.sampled_from(Direction))
def test_property_the_same_for_proportions(effect: float, direction: Direction) -> None:
    target = Target(kind=MetricKind.PROPORTION, baseline=0.05, direction=direction)
    size = power.sample_size(target, effect=effect, budget=ONE_LOOK)

    assert power.smallest_effect(target, units=size.total, budget=ONE_LOOK) == pytest.approx(effect, rel=0.02)


@given(effect=st.floats(0.01, 5), larger=st.floats(1.01, 3))
def test_property_a_larger_effect_needs_fewer_units(effect: float, larger: float) -> None:
    small = power.sample_size(REVENUE, effect=effect, budget=ONE_LOOK)

    assert power.sample_size(REVENUE, effect=effect * larger, budget=ONE_LOOK).total < small.total


def test_ten_units_can_show_no_effect_on_a_proportion() -> None:
    assert power.smallest_effect(Target(kind=MetricKind.PROPORTION, baseline=0.9), units=10, budget=ONE_LOOK) is None


def test_days_wait_for_the_last_window_to_close() -> None:
    assert power.days_needed(units_per_day=100, needed=701, window_days=7) == 15
    assert power.units_in(days=15, units_per_day=100, window_days=7) == 800
    assert power.units_in(days=3, units_per_day=100, window_days=7) == 0


@pytest.mark.parametrize(
    ("target", "effect"),
    [
        (REVENUE, 0.0),
        (REVENUE, float("nan")),
        (Target(kind=MetricKind.MEAN, baseline=3.0), 1.0),
        (Target(kind=MetricKind.MEAN, baseline=3.0, variance=0.0), 1.0),
        (RETENTION, 0.96),
        (Target(kind=MetricKind.PROPORTION, baseline=0.05, direction=Direction.DOWN), 0.06),
        (Target(kind=MetricKind.PROPORTION, baseline=0.0), 0.01),
    ],
)
def test_refuses_what_the_metric_cannot_do(target: Target, effect: float) -> None:
    with pytest.raises(ValueError, match=r"effect|variance|proportions"):
        power.sample_size(target, effect=effect, budget=ONE_LOOK)


CLICKS = Target(kind=MetricKind.RATIO, baseline=0.1, variance=0.04)
targets = st.sampled_from([REVENUE, RETENTION, CLICKS, replace(REVENUE, variance_reduction=0.4)])
budgets = st.builds(
    Budget,
    design=designs,
    alpha=st.sampled_from([0.01, 0.05, 0.1]),
    power=st.floats(0.5, 0.95),
    weights=st.sampled_from([(0.5, 0.5), (0.8, 0.2), (0.4, 0.3, 0.3)]),
    comparisons=st.integers(1, 4),
    sides=st.sampled_from([1, 2]),
)


@settings(max_examples=60, deadline=None)
@given(target=targets, budget=budgets, share=st.floats(0.02, 0.2))
def test_property_size_effect_and_power_are_the_same_equation(target: Target, budget: Budget, share: float) -> None:
    effect = share * target.baseline
    units = power.sample_size(target, effect=effect, budget=budget).total

    assert power.power_of(target, effect=effect, units=units, budget=budget) == pytest.approx(budget.power, abs=2e-3)
    found = power.smallest_effect(target, units=units, budget=budget)
    assert found == pytest.approx(effect, rel=2e-2)


@settings(max_examples=40, deadline=None)
@given(budget=budgets, units=st.integers(1000, 10**6))
def test_property_more_units_and_larger_effects_have_more_power(budget: Budget, units: int) -> None:
    def found(effect: float, seen: int) -> float:
        return power.power_of(REVENUE, effect=effect, units=seen, budget=budget)

    assert found(0.5, units) <= found(0.5, 2 * units) + 1e-9
    assert found(0.5, units) <= found(0.6, units) + 1e-9


def test_reference_power_of_a_mean_is_statsmodels() -> None:
    expected = NormalIndPower().power(effect_size=1.5 / 30, nobs1=4000, alpha=0.05, alternative="larger")

    one_sided = Budget(design=Design.ONE_LOOK, sides=1)

    assert power.power_of(REVENUE, effect=1.5, units=8000, budget=one_sided) == pytest.approx(expected, abs=1e-9)


def test_a_margin_is_shown_by_one_side_at_half_of_alpha() -> None:
    margin = replace(RETENTION, role=Role.GUARDRAIL, direction=Direction.DOWN)

    for design in Design:
        two, one = Budget(design=design), Budget(design=design, alpha=0.025, sides=1)
        sizes = [power.sample_size(margin, effect=0.005, budget=budget).total for budget in (two, one)]
        assert sizes[0] == pytest.approx(sizes[1], rel=0.05)


def test_a_covariate_takes_its_share_of_the_units_away() -> None:
    plain, adjusted = (
        power.sample_size(replace(REVENUE, variance_reduction=share), effect=1.5, budget=ONE_LOOK).total
        for share in (0.0, 0.4)
    )

    assert adjusted == pytest.approx(0.6 * plain, abs=2)


@pytest.mark.parametrize(
    ("days", "units", "needed", "window", "left"),
    [(10, 4000, 10_000, 0, 15), (10, 0, 10_000, 0, None), (10, 4000, 3000, 0, 0), (17, 1000, 2000, 7, 10)],
)
def test_days_left_at_the_rate_so_far(days: float, units: int, needed: int, window: float, left: int | None) -> None:
    assert power.days_left(days=days, units=units, needed=needed, window_days=window) == left


@pytest.mark.parametrize(
    "wrong",
    [
        {"alpha": 0.0},
        {"alpha": 0.6},
        {"alpha": nan},
        {"power": 1.0},
        {"power": 0.04},
        {"weights": (1.0,)},
        {"weights": (0.5, 0.6)},
        {"weights": (1.0, 0.0)},
        {"comparisons": 0},
        {"sides": 3},
    ],
)
def test_a_budget_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"alpha|power|share|comparison"):
        Budget(**wrong)


@pytest.mark.parametrize(
    "target",
    [
        Target(kind=MetricKind.RATIO, baseline=0.1),
        Target(kind=MetricKind.MEAN, baseline=1, variance=nan),
        Target(kind=MetricKind.MEAN, baseline=1, variance=-1.0),
        Target(kind=MetricKind.MEAN, baseline=1, variance=1.0, variance_reduction=1.0),
        Target(kind=MetricKind.PROPORTION, baseline=1.0),
    ],
)
def test_a_target_that_cannot_be_is_refused(target: Target) -> None:
    for ask in (
        lambda: power.sample_size(target, effect=0.1, budget=ONE_LOOK),
        lambda: power.smallest_effect(target, units=100, budget=ONE_LOOK),
        lambda: power.power_of(target, effect=0.1, units=100, budget=ONE_LOOK),
    ):
        with pytest.raises(ValueError, match=r"variance|between 0 and 1"):
            ask()


@pytest.mark.parametrize(("effect", "units"), [(0.0, 100), (nan, 100), (0.1, 0), (0.1, nan), (inf, 100)])
def test_no_effect_or_no_units_have_no_power(effect: float, units: float) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        power.power_of(REVENUE, effect=effect, units=units, budget=ONE_LOOK)
