"""What a plan takes, in the words that people plan with: units, days, and the effect that the days can show."""

from labcoat.domain.plan import Plan
from labcoat.stats.results import Design, MetricKind
from labcoat.usecases.sizing import Asked, Sizing
from labcoat.words import numbers, stories

WAITING = "Fill in what it is today and the smallest effect, and the units and days it takes are shown here."


def line(plan: Plan, sizing: Sizing) -> str:
    """Return what the plan takes, and what its days can show."""
    if sizing.units is None:
        return _missing(plan)
    units = f"About {numbers.roughly(sizing.units)} {plan.unit}s in all, {_per_variant(plan, sizing.units)}.{_uncounted(plan)}"
    if sizing.days is None or plan.units_per_day is None:
        return f"{units} Say how many new {plan.unit}s come a day, and the days are shown too."
    rate = numbers.roughly(round(plan.units_per_day))
    return f"{units} At {rate} a day that takes {numbers.days(sizing.days)}. {_shown(plan, sizing)}"


def _per_variant(plan: Plan, units: int) -> str:
    shares = [round(units * variant.weight) for variant in plan.variants]
    if len(set(shares)) == 1:
        return f"{numbers.roughly(shares[0])} a variant"
    return ", ".join(f"{one.name} {numbers.roughly(share)}" for one, share in zip(plan.variants, shares, strict=True))


def _uncounted(plan: Plan) -> str:
    names = [one.name for one in plan.metrics if one.margin is not None and one.baseline is None]
    return f" The margin of {', '.join(names)} is not counted: what it is today is not known." if names else ""


def _missing(plan: Plan) -> str:
    if plan.goal.baseline is None:
        return f"What is {plan.goal.name} today? From that the units and days are worked out."
    return f"{plan.goal.name} is a mean: its standard deviation is needed to say how many {plan.unit}s it takes."


def _shown(plan: Plan, sizing: Sizing) -> str:
    days = numbers.days(round(plan.planned_days, 1))
    if sizing.shown is None:
        return f"The planned {days} are too few to show any effect."
    size = numbers.share(sizing.shown, decimals=1)
    points = ""
    if plan.goal.kind is MetricKind.PROPORTION and plan.goal.baseline is not None:
        points = f" ({numbers.plain(round(100 * sizing.shown * plan.goal.baseline, 2))} points)"
    return f"The planned {days} show an effect of {size}{points} or more."


def shortfall(plan: Plan, sizing: Sizing) -> str:
    """Return that the planned days are too few, "" if they are enough or nobody knows."""
    if sizing.days is None or sizing.days <= plan.planned_days:
        return ""
    planned = numbers.days(round(plan.planned_days, 1))
    return f"It needs about {numbers.days(sizing.days)} at the expected traffic; {planned} are planned."


SIZED_FOR = "Two variants of the same size and one goal. A plan's form does the same for yours, with days."
_DESIGNS = {
    Design.ONE_LOOK: "one look at the end",
    Design.GROUP_SEQUENTIAL: "a look every day, a planned end (group sequential)",
    Design.CONFIDENCE_SEQUENCE: "look whenever you like (confidence sequence)",
}
_TRAFFIC = 1000


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
