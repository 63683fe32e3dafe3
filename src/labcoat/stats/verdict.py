"""The verdict table: rows in order, the first that matches any goal and treatment is what the numbers say.

Every row is a function from the case to its reasons; no reasons, no match. All read the same intervals, with signs
turned so that good is positive.
"""

from collections.abc import Callable
from dataclasses import dataclass

from labcoat.stats import sample_ratio
from labcoat.stats.results import (
    Direction,
    Estimate,
    Finding,
    MetricKind,
    MetricRule,
    Readout,
    Reason,
    Role,
    Rule,
    SampleRatio,
    Verdict,
)

MINIMUM_DAYS = 14.0

_CALLED = (Verdict.GUARDRAIL_HARM, Verdict.GOAL_HARM, Verdict.WIN, Verdict.WIN_GUARDRAIL_OPEN)
_VOIDING = (Verdict.DATA_ERROR, Verdict.INVALID)
_GOOD = (Finding.GOOD_SIDE, Finding.CROSSED_EARLIER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that the table reads.

    data_errors: why the sample cannot be used. past: the earlier looks, for a crossing stands.
    """

    rule: Rule
    estimates: tuple[Estimate, ...]
    sample_ratio: SampleRatio
    data_errors: tuple[Reason, ...] = ()
    day: float
    is_final: bool
    past: tuple[Readout, ...] = ()

    def of(self, role: Role) -> list[tuple[MetricRule, Estimate]]:
        """Return the metrics of a role with their estimates, one entry per treatment."""
        by_name = {metric.name: metric for metric in self.rule.metrics if metric.role is role}
        return [(by_name[estimate.metric], estimate) for estimate in self.estimates if estimate.metric in by_name]


def decide(case: Case) -> tuple[Verdict, tuple[Reason, ...]]:
    """Return the first verdict of the table that matches, its reasons, then what it must be read with.

    Where no row matches nothing is decided: inconclusive at the final look, keep collecting before.
    """
    matches = ((verdict, find_reasons(case)) for verdict, find_reasons in _TABLE)
    undecided = (Verdict.INCONCLUSIVE if case.is_final else Verdict.KEEP_COLLECTING, _undecided(case))
    verdict, reasons = next((match for match in matches if match[1]), undecided)
    return verdict, (*reasons, *(reason for reason in _cautions(case) if reason not in reasons))


def split_reasons(split: SampleRatio) -> list[Reason]:
    """Return what there is to say about the split of traffic, if anything."""
    if split.p_value < sample_ratio.INVALID_BELOW:
        return [Reason(finding=Finding.UNEVEN_SPLIT, value=split.p_value)]
    if split.p_value < sample_ratio.WARN_BELOW:
        return [Reason(finding=Finding.SPLIT_WARNING, value=split.p_value)]
    return []


def _data_error(case: Case) -> list[Reason]:
    return list(case.data_errors)


def _invalid(case: Case) -> list[Reason]:
    return [reason for reason in split_reasons(case.sample_ratio) if reason.finding is Finding.UNEVEN_SPLIT]


def _guardrail_harm(case: Case) -> list[Reason]:
    return [
        reason
        for metric, estimate in case.of(Role.GUARDRAIL)
        for reason in _bad_side(case, metric, estimate, tolerated=metric.margin)
    ]


def _goal_harm(case: Case) -> list[Reason]:
    return [reason for metric, estimate in case.of(Role.GOAL) for reason in _bad_side(case, metric, estimate)]


def _too_early(case: Case) -> list[Reason]:
    if case.is_final:
        return []
    needed = min(MINIMUM_DAYS, case.rule.planned_days)
    few_days = [Reason(finding=Finding.FEW_DAYS, value=needed)] if case.day < needed else []
    return few_days + _few(case)


def _win(case: Case) -> list[Reason]:
    return [
        reason
        for metric, estimate in case.of(Role.GOAL)
        if not _open_guardrails(case, estimate.treatment) or _has_won(case, estimate)
        for reason in _good_side(case, metric, estimate)
    ]


def _win_guardrail_open(case: Case) -> list[Reason]:
    good = [reason for metric, estimate in case.of(Role.GOAL) for reason in _good_side(case, metric, estimate)]
    treatments = dict.fromkeys(reason.treatment for reason in good)
    return good + [reason for treatment in treatments for reason in _open_guardrails(case, treatment)]


def _no_effect(case: Case) -> list[Reason]:
    reasons = [_below_minimum(metric, estimate) for metric, estimate in case.of(Role.GOAL)]
    # One goal that may still have an effect is enough not to say this.
    return [reason for reason in reasons if reason] if all(reasons) else []


_TABLE: tuple[tuple[Verdict, Callable[[Case], list[Reason]]], ...] = (
    (Verdict.DATA_ERROR, _data_error),
    (Verdict.INVALID, _invalid),
    (Verdict.GUARDRAIL_HARM, _guardrail_harm),
    (Verdict.GOAL_HARM, _goal_harm),
    (Verdict.TOO_EARLY, _too_early),
    (Verdict.WIN, _win),
    (Verdict.WIN_GUARDRAIL_OPEN, _win_guardrail_open),
    (Verdict.NO_EFFECT, _no_effect),
)


def _undecided(case: Case) -> list[Reason]:
    return [
        _reason(Finding.CROSSES_ZERO, estimate)
        for metric, estimate in case.of(Role.GOAL)
        if _good_interval(metric, estimate) is not None
    ]


def _cautions(case: Case) -> list[Reason]:
    if case.data_errors:
        return []
    missing = [_reason(estimate.missing, estimate) for estimate in case.estimates if estimate.missing]
    return split_reasons(case.sample_ratio) + missing + (_few(case) if case.is_final else [])


def _few(case: Case) -> list[Reason]:
    """Return the goals whose smallest arm has few units or few events."""
    reasons = []
    for metric in (metric for metric in case.rule.metrics if metric.role is Role.GOAL):
        pairs = [estimate for estimate in case.estimates if estimate.metric == metric.name]
        units = min(min(pair.control_count, pair.treatment_count) for pair in pairs)
        if units < case.rule.minimum_units:
            reasons.append(Reason(finding=Finding.FEW_UNITS, metric=metric.name, value=float(units)))
        if metric.kind is MetricKind.PROPORTION:
            events = min(_fewest_events(pair) for pair in pairs)
            if events < case.rule.minimum_events:
                reasons.append(Reason(finding=Finding.FEW_EVENTS, metric=metric.name, value=float(events)))
    return reasons


def _fewest_events(pair: Estimate) -> int:
    control = round(pair.control_count * (pair.control_mean or 0.0))
    return min(control, round(pair.treatment_count * (pair.treatment_mean or 0.0)))


def _good_interval(metric: MetricRule, estimate: Estimate) -> tuple[float, float] | None:
    """Return the interval turned so that good is positive; None where it may not decide."""
    if estimate.low is None or estimate.high is None or estimate.missing is Finding.SMALL_CELL:
        return None
    return (estimate.low, estimate.high) if metric.direction is Direction.UP else (-estimate.high, -estimate.low)


def _bad_side(case: Case, metric: MetricRule, estimate: Estimate, *, tolerated: float = 0.0) -> list[Reason]:
    interval = _good_interval(metric, estimate)
    if interval is not None and interval[1] < -tolerated:
        return [_reason(Finding.BAD_SIDE, estimate)]
    return _crossed_earlier(case, Finding.BAD_SIDE, estimate)


def _good_side(case: Case, metric: MetricRule, estimate: Estimate) -> list[Reason]:
    interval = _good_interval(metric, estimate)
    if interval is None or interval[0] <= 0:
        return _crossed_earlier(case, Finding.GOOD_SIDE, estimate)
    is_above = metric.minimum_effect is not None and interval[0] > metric.minimum_effect
    above = [_reason(Finding.ABOVE_MINIMUM, estimate)] if is_above else []
    return [_reason(Finding.GOOD_SIDE, estimate), *above]


def _below_minimum(metric: MetricRule, estimate: Estimate) -> Reason | None:
    interval, minimum = _good_interval(metric, estimate), metric.minimum_effect
    if interval is None or minimum is None or interval[1] >= minimum:
        return None
    return _reason(Finding.INSIDE_MINIMUM if interval[0] > -minimum else Finding.FUTILE, estimate)


def _open_guardrails(case: Case, treatment: str | None) -> list[Reason]:
    reasons = []
    for metric, estimate in case.of(Role.GUARDRAIL):
        if estimate.treatment == treatment and metric.margin > 0:
            interval = _good_interval(metric, estimate)
            if interval is None or interval[0] <= -metric.margin:
                reasons.append(_reason(Finding.GUARDRAIL_OPEN, estimate))
    return reasons


def _standing(case: Case) -> list[Readout]:
    """Return the earlier looks whose crossings stand: those since the last data error or uneven split."""
    voids = [index for index, readout in enumerate(case.past) if readout.verdict in _VOIDING]
    return [readout for readout in case.past[voids[-1] + 1 if voids else 0 :] if readout.verdict in _CALLED]


def _crossed_earlier(case: Case, finding: Finding, estimate: Estimate) -> list[Reason]:
    crossing = _reason(finding, estimate)
    looks = [readout.look for readout in _standing(case) if crossing in readout.reasons]
    return [_reason(Finding.CROSSED_EARLIER, estimate, value=float(looks[0]))] if looks else []


def _has_won(case: Case, estimate: Estimate) -> bool:
    wins = (readout for readout in _standing(case) if readout.verdict is Verdict.WIN)
    crossed = {(reason.metric, reason.treatment) for win in wins for reason in win.reasons if reason.finding in _GOOD}
    return (estimate.metric, estimate.treatment) in crossed


def _reason(finding: Finding, estimate: Estimate, *, value: float | None = None) -> Reason:
    return Reason(finding=finding, metric=estimate.metric, treatment=estimate.treatment, value=value)
