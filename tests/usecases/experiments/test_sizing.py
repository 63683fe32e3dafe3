"""What a plan takes so that its whole rule passes, and what its words say about it."""

from dataclasses import replace
from typing import Any

import pytest
from scipy import stats

from builders import a_goal, a_guardrail, a_plan, refused
from labcoat.domain.amounts import Amount
from labcoat.domain.plan import Measuring, Plan, PlannedMetric
from labcoat.domain.refusal import Reason
from labcoat.stats.rule import Design, MetricKind
from labcoat.usecases.experiments import sizing
from labcoat.words import sizing as words

POINT, HALF_A_POINT = Amount(size=0.01, is_relative=False), Amount(size=0.005, is_relative=False)
GOAL = a_goal(baseline=0.1, minimum_effect=POINT)
SAFE = replace(a_guardrail("refunds", margin=POINT), baseline=0.1)


def one_look(*metrics: PlannedMetric, weights: tuple[float, ...] = (0.5, 0.5), **changes: Any) -> Plan:
    return replace(a_plan(*metrics, design=Design.ONE_LOOK, weights=weights), **changes)


def units(*, alpha: float, missed: float, variance: float, effect: float, shares: float = 4.0) -> float:
    """Return (z + z)^2 v (1/w0 + 1/w1) / effect^2, from quantiles alone."""
    z = stats.norm.isf(alpha / 2) + stats.norm.isf(missed)
    return float(z**2 * variance * shares / effect**2)


def test_reference_a_plan_without_margins_needs_what_its_goal_needs() -> None:
    expected = units(alpha=0.05, missed=0.2, variance=(0.1 * 0.9 + 0.11 * 0.89) / 2, effect=0.01)

    for plan in (one_look(GOAL), one_look(GOAL, a_guardrail("errors"), a_guardrail("refunds", margin=POINT))):
        assert sizing.planned_units(plan) == pytest.approx(expected, abs=2)


def test_reference_all_guardrails_share_alpha_also_those_without_a_margin() -> None:
    # The goal needs next to nothing, so the guardrail may miss all of the risk: N_c at alpha / 3 and power .8.
    goal = replace(GOAL, minimum_effect=Amount(size=0.1, is_relative=False))
    plan = one_look(goal, replace(SAFE, margin=HALF_A_POINT), a_guardrail("errors"), a_guardrail("waits"))

    expected = units(alpha=0.05 / 3, missed=0.2, variance=0.1 * 0.9, effect=0.005)

    assert sizing.planned_units(plan) == pytest.approx(expected, abs=2)


@pytest.mark.parametrize("kind", [MetricKind.MEAN, MetricKind.RATIO])
def test_reference_what_a_covariate_takes_away_saves_that_share_of_the_units(kind: MetricKind) -> None:
    goal = replace(GOAL, kind=kind, baseline=40.0, deviation=60.0, minimum_effect=Amount(size=2, is_relative=False))

    expected = units(alpha=0.05, missed=0.2, variance=60.0**2 * (1 - 0.31), effect=2)

    assert sizing.planned_units(one_look(replace(goal, variance_reduction=0.31))) == pytest.approx(expected, abs=2)
    assert "takes away 31 % of the variance of" in said(replace(goal, variance_reduction=0.31))
    assert "CUPED" not in said(goal)


def said(goal: PlannedMetric) -> str:
    plan = one_look(goal, units_per_day=1000.0)
    return words.line(plan, sizing.sized(plan))


def test_a_ratio_whose_deviation_nobody_measured_says_so() -> None:
    assert "is a ratio" in said(replace(GOAL, kind=MetricKind.RATIO, deviation=None))


@pytest.mark.parametrize(("count", "times"), [(1, 1.34), (3, 1.66), (5, 1.83)])
def test_guardrails_cost_at_most_these_times_the_units_of_the_goal(count: int, times: float) -> None:
    # Their margins are easy enough to need no more than the goal does, although they share alpha.
    easy = replace(SAFE, margin=Amount(size=0.012, is_relative=False), baseline=0.09)
    plan = one_look(GOAL, *(replace(easy, name=f"guard {n}") for n in range(count)))

    alone, needed = sizing.planned_units(one_look(GOAL)), sizing.planned_units(plan)

    assert alone is not None
    assert needed is not None
    assert 1 < needed / alone < times


def test_the_smallest_effect_that_the_days_show_leaves_room_for_the_guardrails() -> None:
    plan = one_look(GOAL, SAFE, units_per_day=1500.0, planned_days=28)
    alone = one_look(GOAL, units_per_day=1500.0, planned_days=28)

    with_guardrail, without = sizing.sized(plan), sizing.sized(alone)

    assert with_guardrail.shown is not None
    assert without.shown is not None
    assert without.shown < with_guardrail.shown
    # Solved anew: with that effect as the goal's the plan takes those days.
    effect = Amount(size=with_guardrail.shown, is_relative=True)
    again = sizing.planned_units(one_look(replace(GOAL, minimum_effect=effect), SAFE))
    assert again == pytest.approx(1500 * 28, rel=1e-3)


def test_days_that_are_too_few_for_the_guardrails_alone_say_so() -> None:
    plan = one_look(GOAL, replace(SAFE, margin=HALF_A_POINT), units_per_day=1500.0, planned_days=14)

    takes = sizing.sized(plan)

    assert takes.shown is None
    assert takes.is_short_for_guardrails
    assert "The planned 14 days are too few to show the guardrails safe, whatever the effect." in words.line(
        plan, takes
    )


def test_a_margin_may_be_larger_than_a_rate_that_should_fall() -> None:
    rare = replace(SAFE, baseline=0.002, margin=POINT)

    assert sizing.planned_units(one_look(GOAL, rare)) == pytest.approx(sizing.planned_units(one_look(GOAL)), rel=0.01)


def test_an_impossible_margin_is_refused_under_the_guardrails() -> None:
    with refused(Reason.IMPOSSIBLE_EFFECT, "guardrails", metric="refunds"):
        sizing.planned_units(one_look(GOAL, replace(SAFE, baseline=0.995)))
    with refused(Reason.TOO_SMALL_EFFECT, "guardrails", metric="refunds", what="a margin of"):
        sizing.planned_units(one_look(GOAL, replace(SAFE, margin=Amount(size=1e-7, is_relative=False))))


UNCOUNTED = a_guardrail("errors", margin=POINT)
ONE_LEFT_OUT = (
    "The margin of errors is not counted: that power does not cover it until its line says what it is today, as in "
    "“today 2 %”."
)
TWO_LEFT_OUT = (
    "The margins of refunds and errors are not counted: that power does not cover them until their lines say what they "
    "are today, as in “today 4.2, sd 7.9”."
)


@pytest.mark.parametrize(
    ("guardrails", "said"),
    [
        ((), "80 % for the goal."),
        ((a_guardrail("errors"),), "80 % for the goal."),
        ((SAFE,), "80 % for the whole rule (1 guardrail)."),
        ((SAFE, replace(SAFE, name="b"), replace(SAFE, name="c")), "80 % for the whole rule (3 guardrails)."),
        ((SAFE, a_guardrail("errors")), "80 % for the whole rule (1 guardrail with a margin)."),
        ((SAFE, UNCOUNTED), f"80 % for the goal and 1 guardrail. {ONE_LEFT_OUT}"),
        ((replace(SAFE, kind=MetricKind.MEAN), UNCOUNTED), f"80 % for the goal. {TWO_LEFT_OUT}"),
    ],
)
def test_what_the_power_covers_is_said_plainly(guardrails: tuple[PlannedMetric, ...], said: str) -> None:
    plan = one_look(GOAL, *guardrails)
    takes = sizing.sized(plan)

    assert words.power(plan, takes).endswith(f" users: {said}")
    assert words.line(plan, takes).endswith(said)


def test_a_window_saves_the_days_that_a_sequence_costs() -> None:
    goal = replace(GOAL, is_complete_at_exposure=False, measuring=Measuring())
    plan = one_look(goal, units_per_day=1000.0)

    saving = sizing.saving(plan, window_days=7, names=[goal.name])

    # 14,749 a variant with one look, times 1.049 for daily looks, or 1.914 ((3.035 + .842) / (1.960 + .842))^2.
    assert saving is not None
    assert (saving.counted.days, saving.growing.days) == (38, 57)
    assert words.saving(saving, unit="user") == "Count each user's first 7 days: 38 days instead of 57."
    quick = sizing.saving(replace(plan, units_per_day=10_000.0), window_days=7, names=[goal.name])
    assert words.saving(quick, unit="user") == "Count each user's first 7 days: 11 days, and 6 without it."
    unknown = sizing.saving(replace(plan, units_per_day=None), window_days=7, names=[goal.name])
    assert words.saving(unknown, unit="user") == "Count each user's first 7 days: 30,900 users instead of 56,500."
