"""How many units a plan's whole rule needs: a goal is found, and every guardrail with a margin is shown safe.

Each of these conditions is missed with some probability. Whatever depends on what, the rule passes at least as often as
one less their sum, so it keeps its power where they add up to 1 - power.
Source: Schultzberg, Ankargren, Frånberg 2024, arXiv 2402.11609.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum

from scipy.optimize import brentq

from labcoat.stats import power as single
from labcoat.stats.power import Budget, SampleSize, Target
from labcoat.stats.rule import MetricKind, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One thing that the rule asks of a treatment: a goal moves by its effect, or a guardrail keeps within its margin.

    effect: the minimum effect or the margin, absolute, > 0. budget: its alpha and shares; its power is not read.
    """

    target: Target
    effect: float
    budget: Budget

    def missed(self, units: float) -> float:
        """Return the chance that so many units over all variants do not show it."""
        return single.chance_missed(self.target, effect=self.effect, units=units, budget=self.budget)

    def units(self, power: float) -> float:
        """Return the units over all variants that show it with that power."""
        return single.units_needed(self.target, effect=self.effect, budget=replace(self.budget, power=power))


def rule_size(conditions: Sequence[Condition], *, power: float) -> SampleSize:
    """Return the fewest units with which the rule passes with at least that power.

    conditions: all goals, of which any one may be the only one that moves, and guardrails with a margin.
    Never more units than with 1 - power shared equally; with no guardrail, those of the goal that needs most.
    Raises ValueError without a goal, and for an effect that a metric cannot have.

    >>> from labcoat.stats.rule import Design
    >>> retention = Target(kind=MetricKind.PROPORTION, baseline=0.05)
    >>> goal = Condition(target=retention, effect=0.005, budget=Budget(design=Design.ONE_LOOK))
    >>> guardrail = replace(goal, target=replace(retention, role=Role.GUARDRAIL))
    >>> rule_size([goal], power=0.8).total, rule_size([goal, guardrail], power=0.8).total
    (62462, 81750)
    """
    if not any(one.target.role is Role.GOAL for one in conditions):
        raise ValueError("a rule has a goal")
    guardrails = sum(one.target.role is Role.GUARDRAIL for one in conditions)
    least = max(one.units(power) for one in conditions)
    most = max(one.units(1 - (1 - power) / (1 + guardrails)) for one in conditions)

    def excess(units: float) -> float:
        return missed(conditions, units=units) - (1 - power)

    if not guardrails or excess(least) <= 0:
        units = least
    elif excess(most) >= 0:  # by rounding: all conditions need the same
        units = most
    else:
        units = float(brentq(excess, least, most, rtol=1e-12))
    return single.whole_units(units, weights=conditions[0].budget.weights)


def missed(conditions: Sequence[Condition], *, units: float) -> float:
    """Return the bound on the chance that the rule does not pass: of the goals the worst, of the guardrails the sum."""
    goals = [one.missed(units) for one in conditions if one.target.role is Role.GOAL]
    guardrails = [one.missed(units) for one in conditions if one.target.role is Role.GUARDRAIL]
    return max(goals, default=0.0) + fsum(guardrails)


def smallest_rule_effect(
    goal: Target, *, guardrails: Sequence[Condition], units: float, budget: Budget
) -> float | None:
    """Return the smallest effect on the goal with which the rule passes with the budget's power.

    budget: the goal's. units: over all variants, > 0. None if the guardrails alone are missed too often, or even the
    largest effect that the goal can have would be.
    """
    power = budget.power + missed(guardrails, units=units)
    if not power < 1:
        return None
    return single.smallest_effect(goal, units=units, budget=replace(budget, power=power))


def rule_inflation(budget: Budget, *, guardrails: int) -> float:
    """Return how many times the units of the goal alone a rule needs whose guardrails need as many as the goal.

    >>> from labcoat.stats.rule import Design
    >>> [round(rule_inflation(Budget(design=Design.ONE_LOOK), guardrails=count), 2) for count in (0, 1, 3, 5)]
    [1.0, 1.34, 1.66, 1.83]
    """
    one = Condition(target=Target(kind=MetricKind.MEAN, baseline=1.0, variance=1.0), effect=1.0, budget=budget)
    return one.units(1 - (1 - budget.power) / (1 + guardrails)) / one.units(budget.power)
