"""The verdict table for one experiment: plain estimates become the arrays it reads, its answer reasons with names."""

from dataclasses import dataclass

import numpy as np

from labcoat.stats import batch, estimates, headline, intersection, reasons, verdict
from labcoat.stats.arrays import FloatArray
from labcoat.stats.data_errors import code
from labcoat.stats.results import Estimate, Finding, Readout, Reason, SampleRatio, TreatmentVerdict, Verdict
from labcoat.stats.rule import Rule

_WEAK = (Finding.SMALL_CELL, Finding.CONSTANT_ARM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One experiment's row of the arrays that the table reads."""

    rule: Rule
    estimates: tuple[Estimate, ...]
    sample_ratio: SampleRatio
    data_errors: tuple[Reason, ...]
    day: float
    is_final: bool
    past: tuple[Readout, ...]
    invalid_metrics: tuple[str, ...] = ()

    def array(self, numbers: list[float]) -> FloatArray:
        """Return one number per estimate as (1, n_metrics, n_treatments); a metric without estimates has NaN."""
        shape = 1, len(self.rule.metrics), len(self.rule.variants) - 1
        array = np.full(shape, np.nan)
        array.ravel()[: len(numbers)] = numbers
        return array


def decide(case: Case) -> tuple[Verdict, tuple[Reason, ...]]:
    """Return the headline's verdict and reasons, by the table and the reasons that every look has."""
    first = each(case)[0]
    return first.verdict, first.reasons


def each(case: Case) -> tuple[TreatmentVerdict, ...]:
    """Return every treatment's verdict, the headline's first."""
    metrics = estimates.metric_arrays(case.rule)
    paths = intersection.paths(case.rule, case.past)
    is_up = (metrics.sign > 0)[..., np.newaxis]
    numbers = [[np.nan if end is None else end for end in (one.low, one.high)] for one in case.estimates]
    low, high = (case.array([ends[place] for ends in numbers]) for place in (0, 1))
    given = case.array([np.nan if one.difference is None else one.difference for one in case.estimates])
    difference = np.where(np.isnan(given), (low + high) / 2, given)
    is_weak = case.array([float(one.missing in _WEAK) for one in case.estimates]) > 0
    codes = case.array([float(code(one.missing)) if one.missing else 0.0 for one in case.estimates])
    has_interval = np.isfinite(low)
    table = verdict.decide(
        verdict.Evidence(
            difference=np.where(is_up, difference, -difference),
            low=np.where(is_up, low, -high),
            high=np.where(is_up, high, -low),
            may_win=has_interval & ~is_weak,
            may_harm=has_interval,
            may_reassure=has_interval & (codes != code(Finding.CONSTANT_ARM)),
            has_data=~np.isin(codes, batch.NO_MEANS),
            units=case.array([float(one.control_count) for one in case.estimates]),
            events=case.array([one.control_count * (one.control_mean or 0.0) for one in case.estimates]),
            is_valid=np.array([[metric.name not in case.invalid_metrics for metric in case.rule.metrics]]),
            has_error=np.array([bool(case.data_errors)]),
            split_p=np.array([case.sample_ratio.p_value]),
        ),
        metrics=metrics,
        moment=verdict.Moment(
            day=np.array([case.day]),
            planned_days=np.array([case.rule.planned_days]),
            is_final=np.array([case.is_final]),
            minimum_units=np.array([float(case.rule.minimum_units)]),
            minimum_events=np.array([float(case.rule.minimum_events)]),
        ),
        earlier=intersection.as_arrays(case.rule, paths),
    )
    found = []
    for column, treatment in enumerate(case.rule.treatments):
        called = verdict.VERDICTS[table.verdicts[0, column]]
        said = reasons.Case(
            rule=case.rule,
            table=table,
            index=0,
            treatment=treatment,
            estimates=case.estimates,
            paths=paths,
            split=case.sample_ratio,
            analysed_splits=(),
            errors=case.data_errors,
            is_final=case.is_final,
        )
        one = TreatmentVerdict(treatment=treatment, verdict=called, reasons=reasons.give_reasons(said, called))
        metric = headline.deciding_metric(case.rule, one, case.estimates)
        found.append(TreatmentVerdict(treatment=treatment, verdict=called, reasons=one.reasons, metric=metric))
    return headline.in_order(case.rule, tuple(found), case.estimates)
