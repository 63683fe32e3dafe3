"""The verdict table for one experiment: plain estimates become the arrays it reads, its answer reasons with names."""

from dataclasses import dataclass

import numpy as np

from labcoat.stats import estimates, reasons, standing, verdict
from labcoat.stats.arrays import FloatArray
from labcoat.stats.results import Estimate, Finding, Readout, Reason, Rule, SampleRatio, Verdict


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

    def array(self, numbers: list[float]) -> FloatArray:
        """Return one number per estimate as (1, n_metrics, n_treatments); a metric without estimates has NaN."""
        shape = 1, len(self.rule.metrics), len(self.rule.variants) - 1
        array = np.full(shape, np.nan)
        array.ravel()[: len(numbers)] = numbers
        return array


def decide(case: Case) -> tuple[Verdict, tuple[Reason, ...]]:
    """Return the verdict and reasons of a case, by the table and the reasons that every look has."""
    metrics = estimates.metric_arrays(case.rule)
    stands = standing.find(case.rule, case.past)
    is_up = (metrics.sign > 0)[..., np.newaxis]
    low, high = (
        case.array(
            [
                np.nan if end is None or one.missing is Finding.SMALL_CELL else end
                for one in case.estimates
                for end in [getattr(one, name)]
            ]
        )
        for name in ("low", "high")
    )
    table = verdict.decide(
        verdict.Evidence(
            low=np.where(is_up, low, -high),
            high=np.where(is_up, high, -low),
            units=case.array([float(one.control_count) for one in case.estimates]),
            events=case.array([one.control_count * (one.control_mean or 0.0) for one in case.estimates]),
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
        standing=stands,
    )
    called = verdict.VERDICTS[table.verdicts[0]]
    given = reasons.give_reasons(
        reasons.Case(
            rule=case.rule,
            table=table,
            standing=stands,
            index=0,
            estimates=case.estimates,
            split=case.sample_ratio,
            errors=case.data_errors,
            is_final=case.is_final,
        ),
        called,
    )
    return called, given
