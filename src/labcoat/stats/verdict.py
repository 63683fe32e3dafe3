"""The verdict table: rows in order, the first that matches any goal and treatment is what the numbers say.

Every row is one condition on arrays, so that one experiment and ten thousand are the same few lines. All rows read
the same intervals, with signs turned so that good is positive; what may not decide is NaN, and NaN matches no row.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labcoat.stats import sample_ratio
from labcoat.stats.arrays import BoolArray, FloatArray
from labcoat.stats.results import Verdict

MINIMUM_DAYS = 14.0

VERDICTS = tuple(Verdict)
"""What the numbers in `Table.verdicts` mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What the plans say of their metrics; each (n_experiments, n_metrics).

    sign: 1 where up is good, -1 where down is. minimum_effect: NaN where nobody named one. margin: >= 0.
    """

    is_goal: BoolArray
    is_guardrail: BoolArray
    is_proportion: BoolArray
    sign: FloatArray
    minimum_effect: FloatArray
    margin: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When the looks are, and what they need to be no longer too early; each (n_experiments,)."""

    day: FloatArray
    planned_days: FloatArray
    is_final: BoolArray
    minimum_units: FloatArray
    minimum_events: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Crossings of earlier looks that stand; each (n_experiments, n_metrics, n_treatments).

    bad, good: the number of the look, 0 where there is none. has_won: it was called a win.
    """

    bad: NDArray[np.int64]
    good: NDArray[np.int64]
    has_won: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the table reads.

    low, high: (n_experiments, n_metrics, n_treatments), good is positive, NaN where no interval may decide.
    units, events: same shape, of the smaller arm of each pair; events infinite where the metric counts none.
    has_error: (n_experiments,), the sample cannot be used. split_p: (n_experiments,).
    """

    low: FloatArray
    high: FloatArray
    units: FloatArray
    events: FloatArray
    has_error: BoolArray
    split_p: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The verdicts, and what matched.

    verdicts: (n_experiments,), index into VERDICTS. is_early_day: (n_experiments,).
    units, events: (n_experiments, n_metrics), the smallest; has_few_units, has_few_events: whether that is too few.
    All others (n_experiments, n_metrics, n_treatments): is_bad and is_good now; is_above the minimum effect;
    is_below the minimum effect, and is_inside it on both sides; is_open, a guardrail not shown safe; is_win.
    """

    verdicts: NDArray[np.int8]
    is_early_day: BoolArray
    units: FloatArray
    events: FloatArray
    has_few_units: BoolArray
    has_few_events: BoolArray
    is_bad: BoolArray
    is_good: BoolArray
    is_above: BoolArray
    is_below: BoolArray
    is_inside: BoolArray
    is_open: BoolArray
    is_win: BoolArray


def decide(evidence: Evidence, *, metrics: Metrics, moment: Moment, standing: Standing) -> Table:
    """Return the first verdict of the table that matches for every experiment.

    Where no row matches nothing is decided: inconclusive at the final look, keep collecting before.
    """
    low, high = evidence.low, evidence.high
    is_goal, is_guardrail = metrics.is_goal[..., np.newaxis], metrics.is_guardrail[..., np.newaxis]
    minimum, margin = metrics.minimum_effect[..., np.newaxis], metrics.margin[..., np.newaxis]
    is_bad = (is_goal | is_guardrail) & (high < -np.where(is_guardrail, margin, 0.0))
    is_good = is_goal & (low > 0)
    is_below = is_goal & (high < minimum)
    is_open = is_guardrail & (margin > 0) & ~(low > -margin)
    crossed_bad, crossed_good = is_bad | (standing.bad > 0), is_good | (is_goal & (standing.good > 0))
    is_win = crossed_good & (~is_open.any(axis=1, keepdims=True) | standing.has_won)
    units, events = evidence.units.min(axis=-1), evidence.events.min(axis=-1)
    has_few_units = metrics.is_goal & (units < moment.minimum_units[:, np.newaxis])
    has_few_events = metrics.is_goal & (events < moment.minimum_events[:, np.newaxis])
    is_early_day = moment.day < np.minimum(MINIMUM_DAYS, moment.planned_days)
    is_early = is_early_day | (has_few_units | has_few_events).any(axis=1)
    rows = {
        Verdict.DATA_ERROR: evidence.has_error,
        Verdict.INVALID: evidence.split_p < sample_ratio.INVALID_BELOW,
        Verdict.GUARDRAIL_HARM: (is_guardrail & crossed_bad).any(axis=(1, 2)),
        Verdict.GOAL_HARM: (is_goal & crossed_bad).any(axis=(1, 2)),
        Verdict.TOO_EARLY: ~moment.is_final & is_early,
        Verdict.WIN: is_win.any(axis=(1, 2)),
        Verdict.WIN_GUARDRAIL_OPEN: crossed_good.any(axis=(1, 2)),
        # One goal that may still have an effect is enough not to say this.
        Verdict.NO_EFFECT: (is_below | ~is_goal).all(axis=(1, 2)) & metrics.is_goal.any(axis=1),
        Verdict.INCONCLUSIVE: moment.is_final,
    }
    return Table(
        verdicts=np.select(
            list(rows.values()),
            [np.int8(VERDICTS.index(verdict)) for verdict in rows],
            default=np.int8(VERDICTS.index(Verdict.KEEP_COLLECTING)),
        ),
        is_early_day=is_early_day,
        units=units,
        events=events,
        has_few_units=has_few_units,
        has_few_events=has_few_events,
        is_bad=is_bad,
        is_good=is_good,
        is_above=is_good & (low > minimum),
        is_below=is_below,
        is_inside=is_below & (low > -minimum),
        is_open=is_open,
        is_win=is_win,
    )
