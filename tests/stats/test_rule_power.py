"""Power of the whole rule: a goal is found and every guardrail with a margin is shown safe."""

import time
from dataclasses import replace
from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize, stats

from labcoat.stats import power, rule_power, sequential
from labcoat.stats.power import Budget, Target
from labcoat.stats.rule import Design, Direction, MetricKind, Role
from labcoat.stats.rule_power import Condition

REVENUE = Target(kind=MetricKind.MEAN, baseline=20.0, variance=900.0)
REFUNDS = Target(kind=MetricKind.PROPORTION, baseline=0.02, direction=Direction.DOWN, role=Role.GUARDRAIL)
EQUAL_SHARES = {0: (0.5, 0.5), 1: (0.5, 0.5), 3: (0.25, 0.25, 0.25, 0.25)}
designs = st.sampled_from(Design)
BoolArray = NDArray[np.bool_]


def a_rule(
    *,
    goals: int = 1,
    guardrails: int = 0,
    treatments: int = 1,
    design: Design = Design.ONE_LOOK,
    effect: float = 1.5,
    margins: tuple[float, ...] = (),
) -> list[Condition]:
    """Goals and guardrails of the same variance; the margins are as large as the effect unless given."""
    weights = EQUAL_SHARES[treatments]
    share = Budget(design=design, weights=weights, comparisons=max(guardrails, 1) * treatments)
    goal = Condition(target=REVENUE, effect=effect, budget=replace(share, comparisons=goals * treatments))
    safe = Condition(target=replace(REVENUE, role=Role.GUARDRAIL), effect=effect, budget=share)
    return [goal] * goals + [replace(safe, effect=one) for one in margins or (effect,) * guardrails]


def by_hand(conditions: list[Condition], *, wanted: float) -> float:
    """Return the units with one look that make the missed chances add up, from quantiles alone."""

    def chance(one: Condition, units: float) -> float:
        control, treatment = one.target.variances(one.effect)
        weights = one.budget.weights
        error = sqrt((control / weights[0] + treatment / min(weights[1:])) / units)
        critical = stats.norm.isf(one.budget.alpha / one.budget.comparisons / 2)
        return float(stats.norm.sf(one.effect / error - critical))

    def excess(units: float) -> float:
        goals = [chance(one, units) for one in conditions if one.target.role is Role.GOAL]
        guardrails = [chance(one, units) for one in conditions if one.target.role is Role.GUARDRAIL]
        return max(goals) + sum(guardrails) - (1 - wanted)

    return float(optimize.bisect(excess, 10, 1e9, xtol=1e-6))


@pytest.mark.parametrize("design", Design)
def test_reference_a_goal_alone_needs_what_it_needed_before(design: Design) -> None:
    for budget in (Budget(design=design), Budget(design=design, comparisons=3, power=0.9)):
        condition = Condition(target=REVENUE, effect=1.5, budget=budget)

        size = rule_power.rule_size([condition], power=budget.power)

        assert size == power.sample_size(REVENUE, effect=1.5, budget=budget)


@pytest.mark.parametrize(("guardrails", "times"), [(1, 1.34), (3, 1.66), (5, 1.83)])
def test_reference_a_shared_risk_costs_at_most_these_times_the_units(guardrails: int, times: float) -> None:
    # ((z.975 + z_(1 - .2 / (1 + G))) / (z.975 + z.8))^2, with z.9 = 1.2816, z.95 = 1.6449, z.9667 = 1.8339.
    goal = a_rule()[0]
    as_hard = replace(goal, target=replace(REVENUE, role=Role.GUARDRAIL))
    alone, same, easier = (
        rule_power.rule_size([goal, *others], power=0.8).total
        for others in ([], [as_hard] * guardrails, [replace(as_hard, effect=1.9)] * guardrails)
    )

    assert same / alone == pytest.approx(times, abs=5e-3)
    assert alone < easier < same
    assert rule_power.rule_inflation(goal.budget, guardrails=guardrails) == pytest.approx(times, abs=5e-3)


@pytest.mark.parametrize("margins", [(1.5,), (1.8, 2.5), (1.2, 1.5, 3.0), (2.0, 2.0, 2.0, 2.0, 6.0)])
@pytest.mark.parametrize("treatments", [1, 3])
@pytest.mark.parametrize("goals", [1, 2])
def test_reference_the_size_of_a_rule_by_hand(goals: int, treatments: int, margins: tuple[float, ...]) -> None:
    conditions = a_rule(goals=goals, guardrails=len(margins), treatments=treatments, margins=margins)

    size = rule_power.rule_size(conditions, power=0.8).total

    assert size == pytest.approx(by_hand(conditions, wanted=0.8), abs=2 * len(EQUAL_SHARES[treatments]))


def test_reference_a_rule_of_proportions_by_hand() -> None:
    # A refund rate that is good when it falls, and may rise by more than it is today.
    goal = Condition(
        target=Target(kind=MetricKind.PROPORTION, baseline=0.05),
        effect=0.005,
        budget=Budget(design=Design.ONE_LOOK, weights=(0.6, 0.4)),
    )
    guardrail = replace(goal, target=REFUNDS, effect=0.0025)

    size = rule_power.rule_size([goal, guardrail, replace(guardrail, effect=0.03)], power=0.9)

    assert size.total == pytest.approx(by_hand([goal, guardrail], wanted=0.9), abs=3)


@settings(max_examples=60, deadline=None)
@given(
    design=designs,
    wanted=st.floats(0.5, 0.95),
    goals=st.integers(1, 3),
    treatments=st.sampled_from([1, 3]),
    margins=st.lists(st.floats(0.7, 4), max_size=10),
)
def test_property_a_rule_never_needs_more_than_equal_risks_nor_less_than_each_condition(
    design: Design, wanted: float, goals: int, treatments: int, margins: list[float]
) -> None:
    count = len(margins)
    conditions = a_rule(
        goals=goals, guardrails=count, treatments=treatments, design=design, margins=tuple(margins), effect=1.0
    )

    size = rule_power.rule_size(conditions, power=wanted)

    shared = 1 - (1 - wanted) / (1 + count)
    each, alone = (
        [
            power.sample_size(one.target, effect=one.effect, budget=replace(one.budget, power=risk)).total
            for one in conditions
        ]
        for risk in (shared, wanted)
    )
    assert max(alone) <= size.total <= max(each)
    assert rule_power.missed(conditions, units=size.total) <= (1 - wanted) * (1 + 1e-6)


@settings(max_examples=40, deadline=None)
@given(design=designs, effect=st.floats(0.5, 3), margins=st.lists(st.floats(1, 4), max_size=5))
def test_property_the_smallest_effect_of_a_rules_size_is_the_effect_it_was_for(
    design: Design, effect: float, margins: list[float]
) -> None:
    goal, *guardrails = a_rule(guardrails=len(margins), design=design, margins=tuple(margins), effect=effect)
    size = rule_power.rule_size([goal, *guardrails], power=0.8)

    smallest = rule_power.smallest_rule_effect(goal.target, guardrails=guardrails, units=size.total, budget=goal.budget)

    assert smallest is not None
    assert smallest <= effect * (1 + 1e-6)
    assert rule_power.missed([replace(goal, effect=smallest), *guardrails], units=size.total) == pytest.approx(
        0.2, abs=1e-6
    )


def test_days_that_the_guardrails_alone_use_up_show_no_effect_at_all() -> None:
    goal, guardrail = a_rule(guardrails=1)
    few = int(0.9 * power.sample_size(guardrail.target, effect=1.5, budget=guardrail.budget).total)

    assert rule_power.smallest_rule_effect(goal.target, guardrails=[guardrail], units=few, budget=goal.budget) is None
    assert rule_power.smallest_rule_effect(goal.target, guardrails=[], units=few, budget=goal.budget) is not None


@pytest.mark.parametrize("design", Design)
def test_a_rule_of_ten_guardrails_is_sized_while_people_type(design: Design) -> None:
    conditions = a_rule(guardrails=10, design=design)
    rule_power.rule_size(conditions, power=0.8)

    began = time.perf_counter()
    rule_power.rule_size(conditions, power=0.81)

    assert time.perf_counter() - began < 0.1


def test_a_rule_without_a_goal_is_refused() -> None:
    with pytest.raises(ValueError, match="goal"):
        rule_power.rule_size(a_rule(guardrails=2)[1:], power=0.8)


RUNS = 8_000
WEEKS = tuple((week + 1) / 12 for week in range(12))


@pytest.mark.parametrize("treatments", [1, 3])
@pytest.mark.parametrize("goals", [1, 2])
@pytest.mark.parametrize("guardrails", range(6))
def test_simulation_a_rule_passes_with_its_power_at_one_look(guardrails: int, goals: int, treatments: int) -> None:
    """Joint independent z-statistics: the worst for a rule, as dependent guardrails pass together."""
    conditions = a_rule(goals=goals, guardrails=guardrails, treatments=treatments)
    units = rule_power.rule_size(conditions, power=0.8).total
    random = np.random.default_rng(1000 * guardrails + 10 * goals + treatments)
    weights = EQUAL_SHARES[treatments]
    drift = 1.5 / sqrt(900 / (units * weights[0]) + 900 / (units * weights[1]))
    goal, guardrail = (stats.norm.isf(0.025 / (max(count, 1) * treatments)) for count in (goals, guardrails))

    # Only the first goal moves; the others win by chance alone, which helps by less than alpha.
    found = random.normal(drift, 1, RUNS) > goal
    safe = np.all(random.normal(drift, 1, (RUNS, guardrails)) > guardrail, axis=1)

    assert np.mean(found & safe) >= 0.8 - 3 * sqrt(0.16 / RUNS)


def multipliers(design: Design, alpha: float) -> NDArray[np.float64]:
    """Return the k of each weekly look; of a confidence sequence by its formula, tuned to the last."""
    if design is Design.GROUP_SEQUENTIAL:
        return np.array(sequential.boundary(WEEKS, WEEKS, alpha))
    level = -2 * np.log(alpha)
    growth = np.array(WEEKS) * (level + np.log1p(level))
    return np.asarray(np.sqrt((growth + 1) / growth * (np.log1p(growth) + level)))


@pytest.mark.parametrize("guardrails", [0, 1, 3, 5])
@pytest.mark.parametrize("design", [Design.GROUP_SEQUENTIAL, Design.CONFIDENCE_SEQUENCE])
def test_simulation_a_rule_passes_with_its_power_over_weekly_looks(design: Design, guardrails: int) -> None:
    conditions = a_rule(guardrails=guardrails, design=design)
    units = rule_power.rule_size(conditions, power=0.8).total
    random = np.random.default_rng(17 + guardrails)
    drift = 1.5 / sqrt(4 * 900 / units)
    times = np.array(WEEKS)
    steps = np.sqrt([later - earlier for earlier, later in pairwise((0.0, *WEEKS))])

    def crossed(alpha: float, count: int) -> BoolArray:
        noise = np.cumsum(random.normal(size=(RUNS, count, 12)) * steps, axis=2) / np.sqrt(times)
        found: BoolArray = np.any(noise + drift * np.sqrt(times) > multipliers(design, alpha), axis=2)
        return found

    passed = crossed(0.05, 1).all(axis=1) & crossed(0.05 / max(guardrails, 1), guardrails).all(axis=1)

    assert np.mean(passed) >= 0.8 - 3 * sqrt(0.16 / RUNS)
