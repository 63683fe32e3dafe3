"""What a plan takes, in the words that people plan with: units, days, and the effect that the days can show."""

from collections.abc import Sequence

from labcoat.domain.plan import Plan, PlannedMetric
from labcoat.stats.rule import Design, MetricKind, Role
from labcoat.usecases.experiments.sizing import (
    Asked,
    Saving,
    Sizing,
    counted_guardrails,
    uncounted_guardrails,
)
from labcoat.words import numbers, stories

WAITING = "Fill in what it is today and the smallest effect, and the units and days it takes are shown here."


def line(plan: Plan, sizing: Sizing) -> str:
    """Return what the plan takes, and what its days can show."""
    if sizing.units is None:
        return _missing(plan)
    units = f"About {numbers.roughly(sizing.units)} {plan.unit}s in all, {_per_variant(plan, sizing.units)}."
    if sizing.days is None or plan.units_per_day is None:
        days = f"Say how many new {plan.unit}s come a day, and the days are shown too."
    else:
        rate = numbers.roughly(round(plan.units_per_day))
        days = f"At {rate} a day that takes {numbers.days(sizing.days)}. {_shown(plan, sizing)}"
    return f"{units} {days} {power(plan, sizing)}{_reduced(plan)}"


def _reduced(plan: Plan) -> str:
    """Return that CUPED is counted in, "" where it does next to nothing."""
    share = numbers.share(plan.goal.variance_reduction, decimals=0)
    if share == numbers.share(0.0, decimals=0):
        return ""
    return f" CUPED is counted in: it takes away {share} of the variance of {plan.goal.name}."


def power(plan: Plan, sizing: Sizing) -> str:
    """Return what the plan's power is for, and which guardrails it does not cover; "" if nobody knows the units."""
    if sizing.units is None:
        return ""
    counted, uncounted = counted_guardrails(plan), uncounted_guardrails(plan)
    has_others = len(counted) < sum(one.role is Role.GUARDRAIL for one in plan.metrics)
    guardrails = numbers.counted(len(counted), "guardrail")
    covered = "the goal"
    if counted and uncounted:
        covered = f"the goal and {guardrails}"
    elif counted:
        covered = f"the whole rule ({guardrails}{' with a margin' if has_others else ''})"
    size, share = numbers.roughly(sizing.units), numbers.share(plan.power, decimals=0)
    return f"Power with {size} {plan.unit}s: {share} for {covered}.{_uncounted(uncounted)}"


def _per_variant(plan: Plan, units: int) -> str:
    shares = [round(units * variant.weight) for variant in plan.variants]
    if len(set(shares)) == 1:
        return f"{numbers.roughly(shares[0])} a variant"
    return ", ".join(f"{one.name} {numbers.roughly(share)}" for one, share in zip(plan.variants, shares, strict=True))


def _uncounted(guardrails: Sequence[PlannedMetric]) -> str:
    if not guardrails:
        return ""
    is_share = all(one.kind is MetricKind.PROPORTION for one in guardrails)
    example = "today 2 %" if is_share else "today 4.2, sd 7.9"
    names = numbers.listed([one.name for one in guardrails])
    if len(guardrails) > 1:
        said = f"The margins of {names} are not counted: that power does not cover them until their lines say"
        return f" {said} what they are today, as in “{example}”."
    said = f"The margin of {names} is not counted: that power does not cover it until its line says"
    return f" {said} what it is today, as in “{example}”."


def _missing(plan: Plan) -> str:
    if plan.goal.baseline is None:
        return f"What is {plan.goal.name} today? From that the units and days are worked out."
    if plan.goal.kind is MetricKind.RATIO:
        return (
            f"{plan.goal.name} is a ratio: the deviation of one {plan.unit}'s part in it is needed to say how many "
            f"{plan.unit}s it takes. Labcoat measures it every night."
        )
    return f"{plan.goal.name} is a mean: its standard deviation is needed to say how many {plan.unit}s it takes."


def _shown(plan: Plan, sizing: Sizing) -> str:
    days = numbers.days(round(plan.planned_days, 1))
    if sizing.is_short_for_guardrails:
        return f"The planned {days} are too few to show the guardrails safe, whatever the effect."
    if sizing.shown is None:
        return f"The planned {days} are too few to show any effect."
    size = numbers.share(sizing.shown, decimals=1)
    points = ""
    if plan.goal.kind is MetricKind.PROPORTION and plan.goal.baseline is not None:
        points = f" ({numbers.plain(round(100 * sizing.shown * plan.goal.baseline, 2))} points)"
    return f"The planned {days} show an effect of {size}{points} or more."


def saving(one: Saving | None, *, unit: str) -> str:
    """Return what a window per unit saves, in the plan's own numbers as far as they are known."""
    counted, growing = (one.counted, one.growing) if one else (None, None)
    if counted is None or growing is None or counted.units is None or growing.units is None:
        return f"Counting only each {unit}'s first days makes group sequential possible, which takes about half the {unit}s."
    assert one is not None
    has_saved, with_it, without = (
        counted.units < growing.units,
        f"{numbers.roughly(counted.units)} {unit}s",
        numbers.roughly(growing.units),
    )
    if counted.days is not None and growing.days is not None:
        has_saved, with_it, without = counted.days < growing.days, numbers.days(counted.days), str(growing.days)
    window = f"Count each {unit}'s first {numbers.days(one.window_days)}"
    return (
        f"{window}: {with_it} instead of {without}." if has_saved else f"{window}: {with_it}, and {without} without it."
    )


def shortfall(plan: Plan, sizing: Sizing) -> str:
    """Return that the planned days are too few, "" if they are enough or nobody knows."""
    if sizing.days is None or sizing.days <= plan.planned_days:
        return ""
    planned = numbers.days(round(plan.planned_days, 1))
    return f"It needs about {numbers.days(sizing.days)} at the expected traffic; {planned} are planned."


_DESIGNS = {
    Design.ONE_LOOK: "one look at the end",
    Design.GROUP_SEQUENTIAL: "a look every day, a planned end (group sequential)",
    Design.CONFIDENCE_SEQUENCE: "look whenever you like (confidence sequence)",
}
_TRAFFIC = 1000
_GUARDRAILS = 3


def asked(one: Asked) -> str:
    """Return what was asked."""
    baseline = "" if one.baseline is None else numbers.mean(one.baseline, one.kind)
    effect = stories.amount(one.effect, one.kind)
    return f"To see {effect} on {baseline}, with power {one.power:g} at alpha {one.alpha:g}"


def designs(one: Asked) -> list[str]:
    """Return what it takes, a line for each way to look at it."""
    lines = []
    for design, name in _DESIGNS.items():
        units = one.units(design)
        days = one.days(design, units_per_day=_TRAFFIC)
        lines.append(
            f"{name}: {numbers.roughly(units)} units, {numbers.roughly(units // 2)} a variant; "
            f"{numbers.days(days)} at {_TRAFFIC:,} a day"
        )
    return lines


def sized_for(one: Asked) -> str:
    """Return what those units are for, and what guardrails would add."""
    times = numbers.plain(round(one.times_with_guardrails(_GUARDRAILS), 2))
    return (
        "That power is for the goal alone, with two variants of the same size. Each guardrail with a margin must be shown "
        f"safe too, which takes more: about {times} times the units with {_GUARDRAILS} guardrails as hard to show as the "
        "goal, and more if a margin is tighter. A plan's form works it out for yours, with days."
    )
