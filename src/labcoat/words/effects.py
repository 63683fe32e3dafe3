"""Effects in words: the one that a verdict is about, and a line for each metric, on the scale that decides."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from labcoat.domain import verdicts
from labcoat.domain.plan import Plan
from labcoat.stats.results import Estimate, Finding, Readout, Reason, TreatmentVerdict, Verdict
from labcoat.stats.rule import Direction, MetricRule, Role, Rule
from labcoat.words import numbers
from labcoat.words.findings import reason

_OPENING = frozenset(
    {Finding.GUARDRAIL_OPEN, Finding.GUARDRAIL_WITHOUT_DATA, Finding.UNEVEN_ANALYSED, Finding.EFFECT_MOVED}
)
WEAK = frozenset({Finding.SMALL_CELL, Finding.CONSTANT_ARM})
"""Their intervals call harm, and no win."""
_OF_SIZE = frozenset({Verdict.NO_EFFECT, Verdict.NO_GAIN})
_NOTES = {Role.GOAL: "goal", Role.GUARDRAIL: "guardrail", Role.SECONDARY: "exploratory"}


class GuardrailState(StrEnum):
    """What a guardrail is shown to be. UNHARMED: it has no margin that it could be shown to keep."""

    HARMED = "harmed"
    OPEN = "open"
    SAFE = "safe"
    UNHARMED = "no harm seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan says of its metrics, by name; nothing where nobody knows the plan. formats: as "€ {}"."""

    rules: Mapping[str, MetricRule]
    formats: Mapping[str, str | None]

    @classmethod
    def of(cls, plan: Plan | Rule | None) -> "Terms":
        """Return the terms of a plan, or of the rule of an analysis without one."""
        rule = plan.rule() if isinstance(plan, Plan) else plan
        formats = {metric.name: metric.format for metric in plan.metrics} if isinstance(plan, Plan) else {}
        return cls(rules={metric.name: metric for metric in rule.metrics} if rule else {}, formats=formats)

    def is_supported(self, estimate: Estimate, verdict: Verdict) -> bool:
        """Whether the interval that people read lies on the side of 0 that a win or a harm says."""
        low, high = estimate.low, estimate.high
        if numbers.lift(estimate) is not None:
            low, high = estimate.lift_low, estimate.lift_high
        if low is None or high is None or low <= 0 <= high:
            return False
        rule = self.rules.get(estimate.metric)
        return rule is None or (low > 0) is ((rule.direction is Direction.UP) is verdict.is_win)


def effect(
    readout: Readout, one: TreatmentVerdict, plan: Plan | Rule | None = None, *, names_metric: bool = True
) -> str:
    """Return the effect that a verdict is about; empty where none may be read.

    Beside a win or a harm its interval lies on that side of 0, or it is said at which look it did.
    """
    estimate = verdicts.deciding(readout, one)
    if estimate is None or not one.verdict.is_valid:
        return ""
    terms, name = Terms.of(plan), _name(readout, estimate) if names_metric else ""
    return _beside_verdict(readout, one, estimate, terms, name) + _later(readout, estimate, terms)


def _later(readout: Readout, decided: Estimate, terms: Terms) -> str:
    """Return what data that came after the final look say, which decide nothing; "" where there are none."""
    late = _late(readout, decided)
    said = numbers.effect(late, format_=_format(terms, late)) if late is not None else None
    return f"; later data say {said}" if said else ""


def _late(readout: Readout, decided: Estimate) -> Estimate | None:
    pair = (decided.metric, decided.treatment)
    return next((one for one in readout.estimates if (one.metric, one.treatment) == pair and one.decided), None)


def _beside_verdict(readout: Readout, one: TreatmentVerdict, estimate: Estimate, terms: Terms, name: str) -> str:
    if one.verdict is Verdict.WIN_EFFECT_MOVED:
        return _moved(estimate, terms, name)
    if one.verdict.is_win or one.verdict.is_harm:
        return _called(readout, one, estimate, terms, name)
    rule = terms.rules.get(estimate.metric)
    if one.verdict in _OF_SIZE and rule is not None and rule.minimum_effect is not None:
        return _beside_size(readout, estimate, rule.minimum_effect, terms, name)
    said = numbers.effect(estimate.shown, of=name, format_=_format(terms, estimate), note=as_of(readout, estimate))
    return f"{said}{_why_no_win(estimate)}" if said else ""


def _why_no_win(estimate: Estimate) -> str:
    """Return why an interval beside 0 makes no goal win, "" for one that holds 0."""
    low, high = estimate.low, estimate.high
    if estimate.missing not in WEAK or low is None or high is None or low <= 0 <= high:
        return ""
    return "; too few to call a win" if estimate.missing is Finding.SMALL_CELL else f"; {_constant(estimate)}"


def _constant(estimate: Estimate) -> str:
    return f"every unit of {estimate.constant_arm or 'a variant'} has the same value, so only harm can be called"


def newest(readout: Readout, one: TreatmentVerdict, plan: Plan) -> str:
    """Return what a look says of the metric that a verdict is about, whatever it says; empty where nothing may be read."""
    estimate = verdicts.deciding(readout, one)
    if estimate is None or not one.verdict.is_valid:
        return ""
    estimate = _late(readout, estimate) or estimate
    terms, note = Terms.of(plan), as_of(readout, estimate)
    return (
        numbers.effect(estimate.shown, of=_name(readout, estimate), format_=_format(terms, estimate), note=note) or ""
    )


def _name(readout: Readout, estimate: Estimate) -> str:
    is_unnamed = not readout.treatments and len({each.treatment for each in readout.estimates}) > 1
    return f"{estimate.metric}, {estimate.treatment}" if is_unnamed else estimate.metric


def _format(terms: Terms, estimate: Estimate) -> str | None:
    return terms.formats.get(estimate.metric)


def as_of(readout: Readout, estimate: Estimate) -> str:
    """Return from which earlier look the interval comes, "" for this one. Of two looks on a day the look is named."""
    held = estimate.held
    if held is None or estimate.has_moved or held.look >= readout.look:
        return ""
    is_same_day = f"{held.day:.0f}" == f"{readout.day:.0f}"
    return f"as of look {held.look}" if is_same_day else f"as of day {held.day:.0f}"


def _called(readout: Readout, one: TreatmentVerdict, estimate: Estimate, terms: Terms, name: str) -> str:
    format_ = _format(terms, estimate)
    now = numbers.effect(estimate.shown, format_=format_) or ""
    crossing = estimate.crossing
    if crossing is not None and crossing.look < readout.look and crossing.is_good is one.verdict.is_win:
        then = replace(
            estimate,
            difference=crossing.difference,
            low=crossing.low,
            high=crossing.high,
            lift=crossing.lift,
            lift_low=crossing.lift_low,
            lift_high=crossing.lift_high,
        )
        if terms.is_supported(then, one.verdict):
            said = f"{numbers.effect(then, of=name, format_=format_)} on day {crossing.day:.0f}"
            return f"{said}; now {now}" if now else said
    if terms.is_supported(estimate.shown, one.verdict):
        said = numbers.effect(estimate.shown, of=name, format_=format_, note=as_of(readout, estimate)) or ""
        return said + _since(estimate)
    if readout.is_after_final:
        later = numbers.effect(estimate, of=name, format_=format_)
        return f"later data say {later}" if later else ""
    look = next(
        (why.value for why in one.reasons if why.finding is Finding.CROSSED_EARLIER and _is_about(why, estimate)),
        None,
    )
    if look is None or not now:
        return ""
    return f"{name + ', ' if name else ''}shown at look {look:.0f}; now {now}{_since(estimate)}"


def _moved(estimate: Estimate, terms: Terms, name: str) -> str:
    said = numbers.effect(estimate, of=name, format_=_format(terms, estimate))
    return f"now {said}{_since(estimate)}" if said else ""


def _since(estimate: Estimate) -> str:
    since = estimate.since
    if since is None:
        return ""
    change = numbers.change(since.difference, since.low, since.high, estimate.kind)
    return f"; units since day {since.day:.0f}: {change}"


def _beside_size(readout: Readout, estimate: Estimate, size: float, terms: Terms, name: str) -> str:
    note = as_of(readout, estimate)
    said = numbers.against(estimate.shown, size, of=name, format_=_format(terms, estimate), note=note)
    return f"{said[0]}, smallest effect worth having {said[1]}" if said else ""


def _is_about(why: Reason, estimate: Estimate) -> bool:
    """Whether a reason is about this estimate; those of earlier versions stand together for all treatments."""
    return why.metric == estimate.metric and why.treatment in (None, estimate.treatment)


def guardrail_state(readout: Readout, estimate: Estimate, plan: Plan | Rule) -> GuardrailState:
    """Return what a guardrail is shown to be for the treatment of an estimate."""
    one, rule = verdicts.verdict_of(readout, estimate.treatment), Terms.of(plan).rules[estimate.metric]
    found = {why.finding for why in one.reasons if _is_about(why, estimate)}
    if one.verdict is Verdict.GUARDRAIL_HARM and found & {Finding.BAD_SIDE, Finding.CROSSED_EARLIER}:
        return GuardrailState.HARMED
    if estimate.is_harmed:
        return GuardrailState.HARMED
    if estimate.is_open is not None:
        return (
            GuardrailState.OPEN if estimate.is_open else GuardrailState.SAFE if rule.margin else GuardrailState.UNHARMED
        )
    shown = estimate.shown
    if shown.low is None or shown.high is None or found & _OPENING or estimate.missing in _OPENING:
        return GuardrailState.OPEN
    low, high = (shown.low, shown.high) if rule.direction is Direction.UP else (-shown.high, -shown.low)
    if high < -rule.margin:
        return GuardrailState.HARMED
    if rule.margin <= 0:
        return GuardrailState.UNHARMED
    return GuardrailState.SAFE if low > -rule.margin else GuardrailState.OPEN


def guardrail_effect(readout: Readout, estimate: Estimate, plan: Plan | Rule) -> str:
    """Return a guardrail's effect, beside its margin where it has one; empty where there is no number."""
    terms = Terms.of(plan)
    margin, format_, note = terms.rules[estimate.metric].margin, _format(terms, estimate), as_of(readout, estimate)
    if not margin:
        return numbers.effect(estimate.shown, format_=format_, note=note) or ""
    said = numbers.against(estimate.shown, margin, format_=format_, note=note)
    return f"{said[0]}, margin {said[1]}" if said else ""


def lines(readout: Readout, plan: Plan | Rule | None = None) -> list[str]:
    """Return one line a metric and treatment: effect with interval and unit first, then the means and units.

    The treatment that comes first is first. plan: its margins, and how its metrics' values read; None for the numbers
    alone.
    """
    return [line(readout, one, plan) for one in readable(readout)]


def readable(readout: Readout) -> list[Estimate]:
    """Return the estimates that may be read, of the treatment that comes first first."""
    order = [one.treatment for one in readout.treatments if one.verdict.is_valid]
    estimates = readout.as_decided.estimates
    if not readout.treatments:
        return list(estimates)
    return [each for treatment in order for each in estimates if each.treatment == treatment]


def line(readout: Readout, one: Estimate, plan: Plan | Rule | None) -> str:
    """Return the line of one estimate."""
    has_one_treatment = len({each.treatment for each in readout.estimates}) == 1
    label = f"{one.metric if has_one_treatment else f'{one.metric}, {one.treatment}'} ({_NOTES[one.role]})"
    terms = Terms.of(plan)
    state = f": {guardrail_state(readout, one, plan)}" if plan is not None and _has_margin(terms, one) else ""
    why_not = _why_not_valid(readout, one)
    said = None if why_not else _effect_and_means(readout, one, plan, terms, state)
    if said is None:
        why = why_not or (reason(Reason(finding=one.missing, metric=one.metric)) if one.missing else "no number yet")
        return f"{label}: {why.removeprefix(f'{one.metric}: ')}{state}"
    return f"{label}: {said}"


def _has_margin(terms: Terms, one: Estimate) -> bool:
    rule = terms.rules.get(one.metric)
    return rule is not None and one.role is Role.GUARDRAIL and rule.margin > 0


def _why_not_valid(readout: Readout, one: Estimate) -> str:
    given = verdicts.verdict_of(readout, one.treatment).reasons
    why = next((why for why in given if why.finding is Finding.UNEVEN_ANALYSED and _is_about(why, one)), None)
    return "" if why is None else reason(why)


def _effect_and_means(
    readout: Readout, one: Estimate, plan: Plan | Rule | None, terms: Terms, state: str
) -> str | None:
    shown, format_, note = one.shown, _format(terms, one), as_of(readout, one)
    said = numbers.effect(shown, format_=format_, note=note)
    if said is None or one.control_mean is None or one.treatment_mean is None:
        return None
    if state and plan is not None:
        said = f"{guardrail_effect(readout, one, plan)}{state}"
    else:
        absolute = numbers.difference(shown, format_=format_) if numbers.lift(shown) is not None else None
        said += f", {absolute}" if absolute else ""
    control, treatment = (
        numbers.mean(mean, one.kind, format_=format_) for mean in (one.control_mean, one.treatment_mean)
    )
    sizes = f"n {numbers.count(one.control_count)} / {numbers.count(one.treatment_count)}"
    few = "; too few of one kind in a variant to call a win"
    weak = few if one.missing is Finding.SMALL_CELL and one.role is Role.GOAL else ""
    weak = f"; {_constant(one)}" if one.missing is Finding.CONSTANT_ARM else weak
    return f"{said}; {control} to {treatment}, {sizes}{weak}{_later(readout, one, terms)}"
