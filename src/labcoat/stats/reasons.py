"""Why a treatment's verdict is what it is: the conditions that matched in the table, as values with names."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from labcoat.stats import sample_ratio
from labcoat.stats.intersection import Path, Paths
from labcoat.stats.results import AnalysedSplit, Estimate, Finding, Reason, SampleRatio, Verdict
from labcoat.stats.rule import Role, Rule
from labcoat.stats.verdict import MINIMUM_DAYS, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One treatment of one experiment of a table, with the names that its arrays do not have.

    index: of the experiment. treatment: its name. estimates: all of the look, by metric and treatment, in the rule's
    order. paths: what earlier looks leave. errors: of the sample.
    """

    rule: Rule
    table: Table
    index: int
    treatment: str
    estimates: tuple[Estimate, ...]
    paths: Paths
    split: SampleRatio
    analysed_splits: tuple[AnalysedSplit, ...]
    errors: tuple[Reason, ...]
    is_final: bool

    def of(self, *roles: Role) -> Iterator[tuple["_Place", Estimate]]:
        """Return where the treatment's metrics of these roles are in the arrays, with their estimates."""
        treatments = len(self.rule.treatments)
        for number, estimate in enumerate(self.estimates):
            if estimate.role in roles and estimate.treatment == self.treatment:
                yield (self.index, *divmod(number, treatments)), estimate

    def path(self, estimate: Estimate) -> Path:
        """Return what earlier looks leave of an estimate."""
        return self.paths[estimate.metric, estimate.treatment]


_Place = tuple[int, int, int]


def give_reasons(case: Case, verdict: Verdict) -> tuple[Reason, ...]:
    """Return why the verdict, then what it must be read with."""
    reasons = _ROWS.get(verdict, _undecided)(case)
    return tuple(dict.fromkeys((*reasons, *_cautions(case, reasons))))


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
    if case.split.p_value < sample_ratio.INVALID_BELOW:
        return split_reasons(case.split)
    return [Reason(finding=Finding.NO_VALID_GOAL)]


def _guardrail_harm(case: Case) -> list[Reason]:
    return _harm(case, Role.GUARDRAIL)


def _goal_harm(case: Case) -> list[Reason]:
    return _harm(case, Role.GOAL)


def _harm(case: Case, role: Role) -> list[Reason]:
    return [
        _reason(Finding.BAD_SIDE, estimate)
        if case.table.is_bad[place]
        else _reason(Finding.CROSSED_EARLIER, estimate, value=_look_of_harm(case.path(estimate)))
        for place, estimate in case.of(role)
        if case.table.has_gone_bad[place]
    ]


def _look_of_harm(path: Path) -> float | None:
    return float(path.bad[0].look) if path.bad else None


def _too_early(case: Case) -> list[Reason]:
    needed = min(MINIMUM_DAYS, case.rule.planned_days)
    few_days = [Reason(finding=Finding.FEW_DAYS, value=needed)] if case.table.is_early_day[case.index] else []
    return few_days + _few(case)


def _win(case: Case) -> list[Reason]:
    return [
        reason
        for place, estimate in case.of(Role.GOAL)
        if not case.table.has_moved[place]
        for reason in _good_side(case, place, estimate)
    ]


def _win_guardrail_open(case: Case) -> list[Reason]:
    return [
        *_win(case),
        *(
            _reason(_why_open(case, place, estimate), estimate)
            for place, estimate in case.of(Role.GUARDRAIL)
            if case.table.is_open[place]
        ),
    ]


def _why_open(case: Case, place: _Place, estimate: Estimate) -> Finding:
    if case.table.has_moved[place]:
        return Finding.EFFECT_MOVED
    has_no_data = estimate.missing in (Finding.ARM_EMPTY, Finding.FEW_UNITS_FOR_VARIANCE)
    return Finding.GUARDRAIL_WITHOUT_DATA if has_no_data else Finding.GUARDRAIL_OPEN


def _win_effect_moved(case: Case) -> list[Reason]:
    return [reason for place, estimate in case.of(Role.GOAL) for reason in _good_side(case, place, estimate)]


def _good_side(case: Case, place: _Place, estimate: Estimate) -> list[Reason]:
    table = case.table
    if not table.has_won[place]:
        return []
    moved = [_reason(Finding.EFFECT_MOVED, estimate)] if table.has_moved[place] else []
    is_above = table.is_above[place] and not table.has_moved[place]
    above = [_reason(Finding.ABOVE_MINIMUM, estimate)] if is_above else []
    if table.is_good[place]:
        return [_reason(Finding.GOOD_SIDE, estimate), *above, *moved]
    path = case.path(estimate)
    return [_reason(Finding.CROSSED_EARLIER, estimate, value=_look_of_win(path)), *above, *moved]


def _look_of_win(path: Path) -> float | None:
    if path.good:
        return float(path.good[0].look)
    end = path.low if path.low and path.low.value > 0 else path.high
    return float(end.look) if end else None


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
    Verdict.WIN_EFFECT_MOVED: _win_effect_moved,
    Verdict.NO_EFFECT: _no_effect,
    Verdict.NO_GAIN: _no_effect,
}


def _undecided(case: Case) -> list[Reason]:
    return [
        _reason(Finding.EFFECT_MOVED if case.table.has_moved[place] else Finding.CROSSES_ZERO, estimate)
        for place, estimate in case.of(Role.GOAL)
        if case.table.has_moved[place] or _holds_zero(estimate)
    ]


def _holds_zero(estimate: Estimate) -> bool:
    shown = estimate.shown
    return shown.low is not None and shown.high is not None and shown.low <= 0 <= shown.high


def _is_said(estimate: Estimate, reasons: list[Reason]) -> bool:
    return _reason(Finding.GUARDRAIL_WITHOUT_DATA, estimate) in reasons


def _cautions(case: Case, reasons: list[Reason]) -> list[Reason]:
    if case.errors:
        return []
    p_values = {one.metric: one.p_value for one in case.analysed_splits}
    missing = [
        _reason(
            estimate.missing,
            estimate,
            value=p_values.get(estimate.metric) if estimate.missing is Finding.UNEVEN_ANALYSED else None,
        )
        for _, estimate in case.of(*Role)
        if estimate.missing and not _is_said(estimate, reasons)
    ]
    return split_reasons(case.split) + missing + (_few(case) if case.is_final else [])


def _few(case: Case) -> list[Reason]:
    """Return the goals of which the treatment or the control has few units or few events."""
    table, reasons = case.table, []
    for place, estimate in case.of(Role.GOAL):
        if table.has_few_units[place]:
            reasons.append(_reason(Finding.FEW_UNITS, estimate, value=float(table.units[place])))
        if table.has_few_events[place]:
            reasons.append(_reason(Finding.FEW_EVENTS, estimate, value=float(table.events[place])))
    return reasons


def _reason(finding: Finding, estimate: Estimate, *, value: float | None = None) -> Reason:
    return Reason(finding=finding, metric=estimate.metric, treatment=estimate.treatment, value=value)
