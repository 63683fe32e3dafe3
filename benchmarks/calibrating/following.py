"""Many simulated experiments followed from look to look by the product's own table, their crossings carried along."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from labcoat.stats import batch, confidence_sequence, data_errors, sequential
from labcoat.stats.arrays import BoolArray, FloatArray
from labcoat.stats.batch import Analysis, Batch
from labcoat.stats.moments import MomentArrays
from labcoat.stats.results import Finding, Verdict
from labcoat.stats.rule import Design, MetricKind, Role
from labcoat.stats.verdict import VERDICTS, Earlier, Metrics, Moment

_WEAK = [data_errors.code(finding) for finding in (Finding.SMALL_CELL, Finding.CONSTANT_ARM)]
_NEVER = [VERDICTS.index(verdict) for verdict in (Verdict.DATA_ERROR, Verdict.INVALID, Verdict.TOO_EARLY)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric of the simulated plan; up is good. is_growing: values of units already seen may still grow."""

    role: Role = Role.GOAL
    kind: MetricKind = MetricKind.PROPORTION
    minimum_effect: float = np.nan
    margin: float = 0.0
    is_growing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A plan that many simulated experiments share.

    weights: control first. spent: u of each look. spent_before: as after a fixed cause. planned_units: over all arms.
    """

    metrics: tuple[Metric, ...]
    weights: tuple[float, ...] = (0.5, 0.5)
    spent: tuple[float, ...]
    days: float = 84.0
    design: Design = Design.GROUP_SEQUENTIAL
    alpha: float = 0.05
    spent_before: float = 0.0
    planned_units: int | None = None

    def alpha_of(self, role: Role) -> float:
        """Return the alpha of one interval, as the product shares it."""
        return self.alpha / (sum(metric.role is role for metric in self.metrics) * (len(self.weights) - 1))


@dataclass(slots=True)
class Seen:
    """The verdicts, (looks, runs, treatments), and whether the guardrails were shown safe, or a goal's effect moved."""

    verdicts: list[NDArray[np.int8]] = field(default_factory=list)
    is_open: list[BoolArray] = field(default_factory=list)

    def ever(self, *verdicts: Verdict) -> BoolArray:
        """Return whether each run's treatments ever had one of these verdicts; (runs, treatments)."""
        codes = [VERDICTS.index(verdict) for verdict in verdicts]
        return np.asarray(np.isin(np.stack(self.verdicts), codes).any(axis=0))

    def any_ever(self, *verdicts: Verdict) -> BoolArray:
        """Return whether some treatment of each run ever had one of these verdicts; (runs,)."""
        return np.asarray(self.ever(*verdicts).any(axis=1))

    def ever_safe(self) -> BoolArray:
        """Return whether no guardrail was open at some look; (runs, treatments)."""
        return np.asarray((~np.stack(self.is_open).any(axis=2)).any(axis=0))


def follow(study: Study, looks: Sequence[MomentArrays]) -> Seen:
    """Return what the looks said, oldest first.

    looks: cumulative moments, (runs, metrics, variants) each; counts are the same in all runs.
    """
    seen = Seen()
    earlier, ks = _nothing(looks[0]), _multipliers(study, looks)
    for number, moments in enumerate(looks):
        analysis = batch.analyse(_batch(study, moments, ks[number], earlier, number=number))
        seen.verdicts.append(analysis.table.verdicts)
        seen.is_open.append(analysis.table.is_open)
        earlier = _carried(study, earlier, analysis, number=number)
    return seen


def _nothing(moments: MomentArrays) -> Earlier:
    runs, metrics, variants = moments.counts.shape
    ends, looks = (
        np.full((runs, metrics, variants - 1), np.nan),
        np.zeros((runs, metrics, variants - 1), dtype=np.int64),
    )
    return Earlier(low=ends, high=ends, bad=looks, good=looks)


def _multipliers(study: Study, looks: Sequence[MomentArrays]) -> FloatArray:
    """Return k by look, metric and treatment; counts are the same in all runs."""
    counts = np.stack([moments.counts[0] for moments in looks])
    ks = np.empty((len(looks), len(study.metrics), counts.shape[2] - 1))
    for row, metric in enumerate(study.metrics):
        alpha = study.alpha_of(metric.role)
        for column in range(counts.shape[2] - 1):
            control, treatment = counts[:, row, 0], counts[:, row, 1 + column]
            if study.design is Design.CONFIDENCE_SEQUENCE:
                pair = study.weights[0] + study.weights[1 + column]
                tuned = study.planned_units * pair if study.planned_units else confidence_sequence.TYPICAL_UNITS
                ks[:, row, column] = confidence_sequence.multiplier(
                    units=control + treatment, tuned_units=tuned, alpha=alpha
                )
            else:
                information = tuple(control * treatment / (control + treatment))
                ks[:, row, column] = sequential.boundary(
                    study.spent, information, alpha, spent_before=study.spent_before
                )
    return ks


def _batch(study: Study, moments: MomentArrays, ks: FloatArray, earlier: Earlier, *, number: int) -> Batch:
    runs, metrics = moments.counts.shape[:2]
    each = np.ones(runs)

    def rows(values: Sequence[float]) -> FloatArray:
        return np.broadcast_to(np.array(values, dtype=np.float64), (runs, metrics))

    given = study.metrics
    is_final = number == len(study.spent) - 1 and study.spent[-1] >= 1
    return Batch(
        moments=moments,
        metrics=Metrics(
            is_goal=rows([metric.role is Role.GOAL for metric in given]) > 0,
            is_guardrail=rows([metric.role is Role.GUARDRAIL for metric in given]) > 0,
            is_proportion=rows([metric.kind is MetricKind.PROPORTION for metric in given]) > 0,
            sign=rows([1.0] * metrics),
            minimum_effect=rows([metric.minimum_effect for metric in given]),
            margin=rows([metric.margin for metric in given]),
        ),
        multipliers=np.broadcast_to(ks, (runs, *ks.shape)),
        is_student=(each > 0) & (study.design is not Design.CONFIDENCE_SEQUENCE),
        exposed=moments.counts[:, 0],
        weights=np.broadcast_to(np.array(study.weights), (runs, len(study.weights))),
        past_evidence=0 * each,
        has_error=each < 0,
        moment=Moment(
            day=study.spent[number] * study.days * each,
            planned_days=study.days * each,
            is_final=(each > 0) & is_final,
            minimum_units=100 * each,
            minimum_events=25 * each,
        ),
        earlier=earlier,
    )


def _carried(study: Study, earlier: Earlier, analysis: Analysis, *, number: int) -> Earlier:
    """Return what the next look knows of this one and those before it."""
    table, numbers = analysis.table, analysis.estimates
    enters = ~np.isin(table.verdicts, _NEVER)[:, np.newaxis]
    is_fixed = np.array([not metric.is_growing for metric in study.metrics])[:, np.newaxis]
    holds = enters & is_fixed & ~np.isin(numbers.missing, _WEAK)
    codes = np.array([VERDICTS.index(verdict) for verdict in (Verdict.GUARDRAIL_HARM, Verdict.GOAL_HARM)])
    is_guardrail = np.array([metric.role is Role.GUARDRAIL for metric in study.metrics])[:, np.newaxis]
    called_bad = np.where(is_guardrail, codes[0], codes[1]) == table.verdicts[:, np.newaxis]
    wins = [VERDICTS.index(verdict) for verdict in (Verdict.WIN, Verdict.WIN_GUARDRAIL_OPEN)]
    called_good = np.isin(table.verdicts, wins)[:, np.newaxis] & ~is_fixed
    return Earlier(
        low=np.fmax(earlier.low, np.where(holds, numbers.low, np.nan)),
        high=np.fmin(earlier.high, np.where(holds, numbers.high, np.nan)),
        bad=np.where((earlier.bad == 0) & called_bad & table.is_bad, number + 1, earlier.bad),
        good=np.where((earlier.good == 0) & called_good & table.is_good, number + 1, earlier.good),
    )
