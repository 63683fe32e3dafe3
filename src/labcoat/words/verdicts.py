"""A readout in words: the one place where a verdict and its reasons become sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labcoat.domain.plan import Plan
from labcoat.stats.results import Design, Finding, NoLookReason, Readout, Reason, Role, Verdict
from labcoat.words import numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictWords:
    """sign: an emoji's name, never the only carrier of the meaning. name: a few words.

    now: what to do while it runs. then: what to do once it is stopped or final, "" for the same.
    """

    sign: str
    name: str
    now: str
    then: str = ""


_HARM_AVOIDED = "A costly mistake avoided is a result: close it with what was learned."

WORDS: Mapping[Verdict, VerdictWords] = {
    Verdict.DATA_ERROR: VerdictWords(
        sign="warning",
        name="Data error",
        now="The numbers can't be right. Check the metric and its data. If fewer units are right, correct the totals "
        "that were sent, or stop it and run it again.",
        then="The numbers can't be right. Check the metric and its data. If fewer units are right, correct the totals "
        "that were sent, or run it again.",
    ),
    Verdict.INVALID: VerdictWords(
        sign="warning",
        name="Not valid: traffic is not split as planned (SRM)",
        now="Effects mean nothing until that is understood. Find the cause and end it; then start over with “The cause "
        "is fixed”, where that is offered, or stop it and run it again.",
        then="Effects mean nothing. Find the cause, then run it again.",
    ),
    Verdict.GUARDRAIL_HARM: VerdictWords(
        sign="rotating_light",
        name="Harm on a guardrail",
        now="Consider stopping now: a costly mistake avoided is a result.",
        then=_HARM_AVOIDED,
    ),
    Verdict.GOAL_HARM: VerdictWords(
        sign="rotating_light",
        name="The goal got worse",
        now="Consider stopping now: a costly mistake avoided is a result.",
        then=_HARM_AVOIDED,
    ),
    Verdict.TOO_EARLY: VerdictWords(
        sign="hourglass_flowing_sand",
        name="Too early to tell",
        now="Keep it running.",
        then="It ended early. Say what was learned, or run it again.",
    ),
    Verdict.WIN: VerdictWords(
        sign="white_check_mark",
        name="Win",
        now="Stop it and ask a lead to release the investment.",
        then="Ask a lead to release the investment.",
    ),
    Verdict.WIN_GUARDRAIL_OPEN: VerdictWords(
        sign="large_yellow_circle",
        name="Win, but a guardrail is not yet shown safe",
        now="Keep collecting; at the end, people decide.",
        then="The guardrail was not shown safe: people decide.",
    ),
    Verdict.WIN_EFFECT_MOVED: VerdictWords(
        sign="large_yellow_circle",
        name="It won, but the effect has moved since",
        now="Keep collecting; at the end, people decide.",
        then="The newest effect is not what the win rests on: people decide.",
    ),
    Verdict.NO_EFFECT: VerdictWords(
        sign="heavy_minus_sign",
        name="No meaningful effect",
        now="Any effect is smaller than what was worth having. Close it with what was learned.",
    ),
    Verdict.NO_GAIN: VerdictWords(
        sign="heavy_minus_sign",
        name="No gain worth having; a loss is possible",
        now="A gain worth having is ruled out, a loss is not. Close it with what was learned.",
    ),
    Verdict.INCONCLUSIVE: VerdictWords(
        sign="grey_question", name="No clear effect", now="The planned end is reached. Say what was learned and choose."
    ),
    Verdict.KEEP_COLLECTING: VerdictWords(
        sign="hourglass_flowing_sand", name="No clear effect yet", now="Keep it running until its planned end."
    ),
}

_FINDINGS: Mapping[Finding, str] = {
    Finding.ARM_EMPTY: "{treatment} has no units{on_metric}",
    Finding.FEW_UNITS_FOR_VARIANCE: "a variant has fewer than two units{on_metric}",
    Finding.NOT_FINITE: "there are values that are not numbers{on_metric}",
    Finding.NEGATIVE_VARIANCE: "a variance is negative{on_metric}",
    Finding.SHRUNK: "{percent} of the units disappeared since the last good look",
    Finding.CONSTANT_ARM: "{metric}: every unit of one variant has the same value, so only harm can be read",
    Finding.NEGATIVE_BASELINE: "{metric}: control is below zero, so the change is given in its own unit",
    Finding.UNEVEN_ANALYSED: "{metric}: the units it was measured on are not split as planned (p {probability}), "
    "so it is not valid",
    Finding.NO_VALID_GOAL: "no goal is valid",
    Finding.GUARDRAIL_WITHOUT_DATA: "{metric}: no data yet, so it is not shown safe",
    Finding.EFFECT_MOVED: "{metric}: the newest effect lies outside what all looks together allow",
    Finding.DROPPED: "{treatment} was dropped",
    Finding.NO_VARIANCE: "all units have the same value{on_metric}, so no interval can be given",
    Finding.DENOMINATOR_NEAR_ZERO: "{metric}: what it is divided by is too close to zero for a ratio",
    Finding.SMALL_CELL: "{metric}: fewer than 10 of one kind in a variant, too few to judge",
    Finding.NO_RELATIVE: "{metric}: control is too close to zero for a relative effect",
    Finding.UNEVEN_SPLIT: "chance alone would split it so with p {probability}",
    Finding.SPLIT_WARNING: "the traffic split looks odd (p {probability}): watch it",
    Finding.BAD_SIDE: "{metric}: the whole interval is on the bad side",
    Finding.GOOD_SIDE: "{metric}: the whole interval is on the good side",
    Finding.ABOVE_MINIMUM: "{metric}: all of it is above the smallest effect worth having",
    Finding.GUARDRAIL_OPEN: "{metric}: not yet shown to stay within its margin",
    Finding.INSIDE_MINIMUM: "{metric}: the whole interval is smaller than the effect worth having",
    Finding.FUTILE: "{metric}: even its good end is below the effect worth having",
    Finding.CROSSES_ZERO: "{metric}: the interval contains zero",
    Finding.FEW_DAYS: "fewer than {number} days of data",
    Finding.FEW_UNITS: "only {number} units in a variant",
    Finding.FEW_EVENTS: "{metric}: only {number} events in a variant",
    Finding.CROSSED_EARLIER: "this was reached at look {number}, and a crossing stands",
}

_ABOUT_A_NUMBER = frozenset({Finding.NO_RELATIVE, Finding.SMALL_CELL})
"""Said beside the number that is missing, not as a reason for the verdict."""

NO_LOOK: Mapping[NoLookReason, str] = {
    NoLookReason.BEFORE_THE_END: "The plan has one look, at its end.",
    NoLookReason.WINDOW_OPEN: "No unit's window has closed yet.",
    NoLookReason.NO_NEW_UNITS: "No new units since the last look, so nothing was spent.",
    NoLookReason.SLIGHTLY_FEWER: "There were slightly fewer units than at the last look, so nothing was spent.",
}

DESIGNS: Mapping[Design, str] = {
    Design.GROUP_SEQUENTIAL: "group sequential: looked at every day, alpha spent by the calendar",
    Design.CONFIDENCE_SEQUENCE: "confidence sequence: may be looked at whenever you like",
    Design.ONE_LOOK: "one look at the end",
}


def reason(one: Reason) -> str:
    """Return a finding in words, without a full stop."""
    value = one.value if one.value is not None else 0.0
    return _FINDINGS[one.finding].format(
        metric=one.metric or "the metric",
        treatment=one.treatment or "a variant",
        on_metric=f" on {one.metric}" if one.metric else "",
        number=numbers.plain(value),
        percent=numbers.share(value, decimals=1),
        probability=numbers.probability(value),
    )


def as_said(verdict: Verdict | None, *, when: str) -> str:
    """Return a verdict as the end of a sentence. when: "was", "is" or "is still".

    >>> as_said(Verdict.WIN, when="was"), as_said(Verdict.INCONCLUSIVE, when="is")
    ('it was a win', 'there is no clear effect')
    """
    if verdict is None:
        return f"there {when} no verdict"
    subject, rest = _AS_SAID[verdict]
    return f"{subject} {when} {rest}"


_AS_SAID: Mapping[Verdict, tuple[str, str]] = {
    Verdict.DATA_ERROR: ("there", "a data error"),
    Verdict.INVALID: ("it", "not valid"),
    Verdict.GUARDRAIL_HARM: ("there", "harm on a guardrail"),
    Verdict.GOAL_HARM: ("there", "harm on the goal"),
    Verdict.TOO_EARLY: ("it", "too early to tell"),
    Verdict.WIN: ("it", "a win"),
    Verdict.WIN_GUARDRAIL_OPEN: ("it", "a win with a guardrail not shown safe"),
    Verdict.WIN_EFFECT_MOVED: ("it", "a win whose effect has moved since"),
    Verdict.NO_EFFECT: ("there", "no meaningful effect"),
    Verdict.NO_GAIN: ("there", "no gain worth having"),
    Verdict.INCONCLUSIVE: ("there", "no clear effect"),
    Verdict.KEEP_COLLECTING: ("there", "no clear effect yet"),
}


def headline(readout: Readout) -> str:
    """Return the verdict in a few words; the final look of an inconclusive experiment says so."""
    name = WORDS[readout.verdict].name
    if readout.is_after_final:
        return f"{name} (decided at the final look)"
    return name


def reasons(readout: Readout) -> str:
    """Return why the verdict is what it is, as one sentence; empty without reasons."""
    said = list(dict.fromkeys(reason(one) for one in readout.reasons if one.finding not in _ABOUT_A_NUMBER))
    if not said:
        return ""
    sentence = "; ".join(said)
    starts_with_name = any(one.metric is not None and sentence.startswith(one.metric) for one in readout.reasons)
    return (sentence if starts_with_name else sentence[0].upper() + sentence[1:]) + "."


def next_step(readout: Readout, *, is_running: bool) -> str:
    """Return what to do now."""
    words = WORDS[readout.verdict]
    if not is_running:
        return words.then or words.now
    if readout.verdict is Verdict.KEEP_COLLECTING and readout.days_left:
        return f"{words.now} About {numbers.days(readout.days_left)} left."
    return words.now


def may_show_effects(readout: Readout) -> bool:
    """Whether effects may be read at all: not on a split that is not valid, nor on wrong data."""
    return readout.verdict not in (Verdict.INVALID, Verdict.DATA_ERROR)


def telling_effect(readout: Readout) -> str | None:
    """Return the effect that the verdict is about: the harmed guardrail's, else the goal's; None if none may be read."""
    if not may_show_effects(readout):
        return None
    harmed = {one.metric for one in readout.reasons if one.finding is Finding.BAD_SIDE}
    about = [one for one in readout.estimates if one.metric in harmed]
    about += [one for one in readout.estimates if one.role is Role.GOAL]
    return numbers.effect(about[0], of=about[0].metric) if about else None


def split_line(readout: Readout, variants: Sequence[str]) -> str:
    """Return units per variant and whether they are split as planned; variants: names, control first."""
    split = readout.sample_ratio
    arms = " / ".join(f"{name} {numbers.count(units)}" for name, units in zip(variants, split.exposed, strict=True))
    checked = f"SRM p {numbers.probability(split.p_value)} (chi-square {numbers.probability(split.chi_square_p)})"
    return f"Units: {arms} · {checked}"


def look_line(readout: Readout, plan: Plan) -> str:
    """Return where this look stands, as "Look 3, day 14 of 28, 50 % of the calendar; k = 2.96"."""
    parts = [f"Look {readout.look}, {day(readout, plan)}"]
    if readout.is_after_final:
        parts.append("after the final look")
    elif readout.is_final:
        parts.append("final")
    goal = next((one for one in readout.estimates if one.role is Role.GOAL and one.multiplier is not None), None)
    if goal is not None and goal.multiplier is not None:
        parts.append(f"interval at {goal.multiplier:.2f} standard errors")
    if goal is not None and goal.is_approximate:
        parts.append("approximate: values of units already seen may still grow")
    return ", ".join(parts)


def day(readout: Readout, plan: Plan) -> str:
    """Return the day of a look among the planned ones."""
    planned = numbers.plain(round(plan.planned_days, 1))
    between = ", planned" if readout.day > plan.planned_days else " of"
    return f"day {readout.day:.0f}{between} {planned}"


def estimate_lines(readout: Readout, plan: Plan | None = None) -> list[str]:
    """Return one line a metric and treatment: effect with interval and unit first, then the means and units.

    plan: how its metrics' values read; None for the numbers alone.
    """
    lines = []
    formats = {metric.name: metric.format for metric in plan.metrics} if plan is not None else {}
    has_one_treatment = len({one.treatment for one in readout.estimates}) == 1
    for one in readout.estimates:
        format_ = formats.get(one.metric)
        said, absolute = numbers.effect(one, format_=format_), numbers.difference(one, format_=format_)
        label = one.metric if has_one_treatment else f"{one.metric}, {one.treatment}"
        note = {Role.GOAL: "goal", Role.GUARDRAIL: "guardrail", Role.SECONDARY: "exploratory"}[one.role]
        if said is None or one.control_mean is None or one.treatment_mean is None:
            why = reason(Reason(finding=one.missing, metric=one.metric)) if one.missing else "no number yet"
            lines.append(f"{label} ({note}): {why}")
            continue
        small = "; too few of one kind in a variant to judge" if one.missing is Finding.SMALL_CELL else ""
        extra = f", {absolute}" if absolute and absolute != said else ""
        control, treatment = (
            numbers.mean(mean, one.kind, format_=format_) for mean in (one.control_mean, one.treatment_mean)
        )
        sizes = f"n {numbers.count(one.control_count)} / {numbers.count(one.treatment_count)}"
        lines.append(f"{label} ({note}): {said}{extra}; {control} to {treatment}, {sizes}{small}")
    return lines


def alt_text(readout: Readout, plan: Plan) -> str:
    """Return what a chart of a look says, for whoever does not see it."""
    lead = f"{headline(readout)}, {day(readout, plan)}."
    if not may_show_effects(readout):
        return f"{lead} {split_line(readout, plan.variant_names)}."
    said = (f"{one.metric}, {one.treatment}: {numbers.effect(one) or 'no number yet'}" for one in readout.estimates)
    return f"{lead} Change to {plan.variant_names[0]} with intervals: {'; '.join(said)}."
