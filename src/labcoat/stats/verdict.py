"""The verdict table: rows in order, the first that matches a treatment is what the numbers say about it.

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
class Earlier:
    """What earlier looks leave; each (n_experiments, n_metrics, n_treatments).

    low, high: the running intersection of their intervals, good is positive, NaN where there is none: before the first
    look, and for values that keep growing. bad, good: the number of the look that called it first, 0 where none did.
    """

    low: FloatArray
    high: FloatArray
    bad: NDArray[np.int64]
    good: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the table reads; unless said otherwise (n_experiments, n_metrics, n_treatments).

    difference, low, high: good is positive, NaN where there is no interval.
    may_win: the interval may make a goal win, and say that nothing is worth having. may_harm: it may call harm.
    may_reassure: it may show a guardrail safe. has_data: both arms have numbers.
    units, events: of the smaller arm of each pair; events infinite where the metric counts none.
    is_valid: (n_experiments, n_metrics), the units a metric was measured on are split as planned.
    has_error: (n_experiments,), the sample cannot be used. split_p: (n_experiments,).
    """

    difference: FloatArray
    low: FloatArray
    high: FloatArray
    may_win: BoolArray
    may_harm: BoolArray
    may_reassure: BoolArray
    has_data: BoolArray
    units: FloatArray
    events: FloatArray
    is_valid: BoolArray
    has_error: BoolArray
    split_p: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The verdicts, and what matched.

    verdicts: (n_experiments, n_treatments), index into VERDICTS. is_early_day: (n_experiments,).
    is_early: (n_experiments, n_treatments). All others (n_experiments, n_metrics, n_treatments):
    units, events: of the smaller arm; has_few_units, has_few_events: a goal has too few of them.
    is_bad and is_good: by this look's own interval; has_gone_bad, has_won: or by earlier looks; has_moved: the newest
    difference lies outside what all looks together allow. is_above the minimum effect; is_below it, and is_inside it on
    both sides; is_open: a guardrail that is not shown safe.
    """

    verdicts: NDArray[np.int8]
    is_early_day: BoolArray
    is_early: BoolArray
    units: FloatArray
    events: FloatArray
    has_few_units: BoolArray
    has_few_events: BoolArray
    is_bad: BoolArray
    is_good: BoolArray
    has_gone_bad: BoolArray
    has_won: BoolArray
    has_moved: BoolArray
    is_above: BoolArray
    is_below: BoolArray
    is_inside: BoolArray
    is_open: BoolArray


def decide(evidence: Evidence, *, metrics: Metrics, moment: Moment, earlier: Earlier) -> Table:
    """Return the first verdict of the table that matches for every treatment.

    Where no row matches nothing is decided: inconclusive at the final look, keep collecting before.
    """
    is_valid = evidence.is_valid[..., np.newaxis]
    is_goal, is_guardrail = metrics.is_goal[..., np.newaxis], metrics.is_guardrail[..., np.newaxis]
    minimum, margin = metrics.minimum_effect[..., np.newaxis], metrics.margin[..., np.newaxis]
    tolerated = np.where(is_guardrail, margin, 0.0)
    decides = (is_goal | is_guardrail) & is_valid
    low, high = (np.where(is_valid, end, np.nan) for end in (evidence.low, evidence.high))
    # A minimum or maximum with NaN is the other number: what one of them does not know leaves the other as it is.
    win_low, win_high = (
        np.fmax(earlier.low, np.where(evidence.may_win, low, np.nan)),
        np.fmin(earlier.high, np.where(evidence.may_win, high, np.nan)),
    )
    harm_high = np.fmin(earlier.high, np.where(evidence.may_harm, high, np.nan))
    safe_low = np.fmax(earlier.low, np.where(evidence.may_reassure, low, np.nan))
    has_moved = decides & ((evidence.difference < win_low) | (evidence.difference > win_high)) & evidence.may_win
    is_bad = decides & evidence.may_harm & (high < -tolerated)
    is_good = is_goal & decides & evidence.may_win & (low > 0)
    has_gone_bad = decides & ((harm_high < -tolerated) | (earlier.bad > 0))
    has_won = is_goal & decides & ((win_low > 0) | (earlier.good > 0))
    is_shown_safe = (margin == 0) | (safe_low > -margin)
    is_open = is_guardrail & (~evidence.has_data | ~is_valid | ~is_shown_safe | has_moved)
    is_below = is_goal & decides & (win_high < minimum) & ~has_moved
    is_inside = is_below & (win_low > -minimum)
    has_few_units = is_goal & (evidence.units < moment.minimum_units[:, np.newaxis, np.newaxis])
    has_few_events = is_goal & (evidence.events < moment.minimum_events[:, np.newaxis, np.newaxis])
    is_early_day = moment.day < np.minimum(MINIMUM_DAYS, moment.planned_days)
    is_early = ~moment.is_final[:, np.newaxis] & (
        is_early_day[:, np.newaxis] | (has_few_units | has_few_events).any(axis=1)
    )
    has_goal = np.asarray(metrics.is_goal.any(axis=1))
    is_invalid = (evidence.split_p < sample_ratio.INVALID_BELOW) | (
        has_goal & ~(metrics.is_goal & evidence.is_valid).any(axis=1)
    )
    of_all = np.ones_like(is_early)
    rows = {
        Verdict.DATA_ERROR: evidence.has_error[:, np.newaxis] & of_all,
        Verdict.INVALID: np.asarray(is_invalid)[:, np.newaxis] & of_all,
        Verdict.GUARDRAIL_HARM: (is_guardrail & has_gone_bad).any(axis=1),
        Verdict.GOAL_HARM: (is_goal & has_gone_bad).any(axis=1),
        Verdict.TOO_EARLY: is_early,
        Verdict.WIN: (has_won & ~has_moved).any(axis=1) & ~is_open.any(axis=1),
        Verdict.WIN_GUARDRAIL_OPEN: (has_won & ~has_moved).any(axis=1),
        Verdict.WIN_EFFECT_MOVED: has_won.any(axis=1),
        # One goal that may still have an effect is enough not to say this.
        Verdict.NO_EFFECT: (is_inside | ~is_goal).all(axis=1) & has_goal[:, np.newaxis],
        Verdict.NO_GAIN: (is_below | ~is_goal).all(axis=1) & has_goal[:, np.newaxis],
        Verdict.INCONCLUSIVE: moment.is_final[:, np.newaxis] & of_all,
    }
    return Table(
        verdicts=np.select(
            list(rows.values()),
            [np.int8(VERDICTS.index(verdict)) for verdict in rows],
            default=np.int8(VERDICTS.index(Verdict.KEEP_COLLECTING)),
        ),
        is_early_day=is_early_day,
        is_early=is_early,
        units=evidence.units,
        events=evidence.events,
        has_few_units=has_few_units,
        has_few_events=has_few_events,
        is_bad=is_bad,
        is_good=is_good,
        has_gone_bad=has_gone_bad,
        has_won=has_won,
        has_moved=has_moved,
        is_above=has_won & (win_low > minimum),
        is_below=is_below,
        is_inside=is_inside,
        is_open=is_open,
    )
