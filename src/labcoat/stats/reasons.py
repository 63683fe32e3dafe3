"""Why one experiment's verdict is what it is: the conditions that matched in the table, as values with names."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from labcoat.stats import sample_ratio
from labcoat.stats.results import Estimate, Finding, Reason, Role, Rule, SampleRatio, Verdict
from labcoat.stats.verdict import MINIMUM_DAYS, Standing, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One experiment of a table, with the names that its arrays do not have.

    index: of the experiment. estimates: by metric and treatment, in the rule's order. errors: of the sample.
    """

    rule: Rule
    table: Table
    standing: Standing
    index: int
    estimates: tuple[Estimate, ...]
    split: SampleRatio
    errors: tuple[Reason, ...]
    is_final: bool

    def of(self, role: Role) -> Iterator[tuple["_Place", Estimate]]:
        """Return where the role's metrics are in the arrays, with their estimates."""
        treatments = len(self.rule.variants) - 1
        for number, estimate in enumerate(self.estimates):
            if estimate.role is role:
                yield (self.index, *divmod(number, treatments)), estimate


_Place = tuple[int, int, int]


def give_reasons(case: Case, verdict: Verdict) -> tuple[Reason, ...]:
    """Return why the verdict, then what it must be read with."""
    reasons = _ROWS.get(verdict, _undecided)(case)
    return tuple(dict.fromkeys((*reasons, *_cautions(case))))


def split_reasons(split: SampleRatio) -> list[Reason]:
    """Return what there is to say about the split of traffic, if anything."""
    if split.p_value < sample_ratio.INVALID_BELOW:
        return [Reason(finding=Finding.UNEVEN_SPLIT, value=split.p_value)]
    if split.p_value < sample_ratio.WARN_BELOW:
        return [Reason(finding=Finding.SPLIT_WARNING, value=split.p_value)]
    return []


def _data_error(case: Case) -> list[Reason]:
    return list(case.errors)


def _invalid(case: Case) -> list[Reason]:
    return split_reasons(case.split)


def _guardrail_harm(case: Case) -> list[Reason]:
    return _harm(case, Role.GUARDRAIL)


def _goal_harm(case: Case) -> list[Reason]:
    return _harm(case, Role.GOAL)


def _harm(case: Case, role: Role) -> list[Reason]:
    reasons = []
    for place, estimate in case.of(role):
        if case.table.is_bad[place]:
            reasons.append(_reason(Finding.BAD_SIDE, estimate))
        elif case.standing.bad[place]:
            reasons.append(_reason(Finding.CROSSED_EARLIER, estimate, value=float(case.standing.bad[place])))
    return reasons


def _too_early(case: Case) -> list[Reason]:
    needed = min(MINIMUM_DAYS, case.rule.planned_days)
    few_days = [Reason(finding=Finding.FEW_DAYS, value=needed)] if case.table.is_early_day[case.index] else []
    return few_days + _few(case)


def _win(case: Case) -> list[Reason]:
    return [
        reason
        for place, estimate in case.of(Role.GOAL)
        if case.table.is_win[place]
        for reason in _good_side(case, place, estimate)
    ]


def _win_guardrail_open(case: Case) -> list[Reason]:
    good = [reason for place, estimate in case.of(Role.GOAL) for reason in _good_side(case, place, estimate)]
    treatments = dict.fromkeys(reason.treatment for reason in good)
    return good + [
        _reason(Finding.GUARDRAIL_OPEN, estimate)
        for treatment in treatments
        for place, estimate in case.of(Role.GUARDRAIL)
        if estimate.treatment == treatment and case.table.is_open[place]
    ]


def _good_side(case: Case, place: _Place, estimate: Estimate) -> list[Reason]:
    if case.table.is_good[place]:
        above = [_reason(Finding.ABOVE_MINIMUM, estimate)] if case.table.is_above[place] else []
        return [_reason(Finding.GOOD_SIDE, estimate), *above]
    if case.standing.good[place]:
        return [_reason(Finding.CROSSED_EARLIER, estimate, value=float(case.standing.good[place]))]
    return []


def _no_effect(case: Case) -> list[Reason]:
    return [
        _reason(Finding.INSIDE_MINIMUM if case.table.is_inside[place] else Finding.FUTILE, estimate)
        for place, estimate in case.of(Role.GOAL)
    ]


_ROWS: dict[Verdict, Callable[[Case], list[Reason]]] = {
    Verdict.DATA_ERROR: _data_error,
    Verdict.INVALID: _invalid,
    Verdict.GUARDRAIL_HARM: _guardrail_harm,
    Verdict.GOAL_HARM: _goal_harm,
    Verdict.TOO_EARLY: _too_early,
    Verdict.WIN: _win,
    Verdict.WIN_GUARDRAIL_OPEN: _win_guardrail_open,
    Verdict.NO_EFFECT: _no_effect,
}


def _undecided(case: Case) -> list[Reason]:
    return [
        _reason(Finding.CROSSES_ZERO, estimate)
        for _, estimate in case.of(Role.GOAL)
        if estimate.low is not None and estimate.missing is not Finding.SMALL_CELL
    ]


def _cautions(case: Case) -> list[Reason]:
    if case.errors:
        return []
    missing = [_reason(estimate.missing, estimate) for estimate in case.estimates if estimate.missing]
    return split_reasons(case.split) + missing + (_few(case) if case.is_final else [])


def _few(case: Case) -> list[Reason]:
    """Return the goals whose smallest arm has few units or few events."""
    table, reasons = case.table, []
    for number, metric in enumerate(case.rule.metrics):
        place = case.index, number
        if table.has_few_units[place]:
            reasons.append(Reason(finding=Finding.FEW_UNITS, metric=metric.name, value=float(table.units[place])))
        if table.has_few_events[place]:
            reasons.append(Reason(finding=Finding.FEW_EVENTS, metric=metric.name, value=float(table.events[place])))
    return reasons


def _reason(finding: Finding, estimate: Estimate, *, value: float | None = None) -> Reason:
    return Reason(finding=finding, metric=estimate.metric, treatment=estimate.treatment, value=value)
