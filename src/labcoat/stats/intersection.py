"""What earlier looks leave: the running intersection of their intervals, and crossings that stand.

The intervals of all looks hold together with the probability that one of them has, so their intersection holds too: a
crossing stands by itself. That is true of a parameter that does not move. The mean of a total that keeps growing does;
of such a metric the newest interval is read, and the look that called it first is remembered (decision 44).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

import numpy as np

from labcoat.stats import multipliers
from labcoat.stats.results import Crossing, Estimate, Finding, Held, Readout, Reason, Verdict
from labcoat.stats.rule import Direction, MetricRule, Role, Rule
from labcoat.stats.verdict import Earlier

_WEAK = (Finding.SMALL_CELL, Finding.CONSTANT_ARM)
"""Their intervals may call harm at their own look, and hold nothing together with others'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of the intersection, on the scale it was measured, and the look that gave it."""

    value: float
    look: int
    day: float


@dataclass(slots=True)
class Path:
    """What earlier looks leave of one metric and treatment; ends are the tightest, signs as measured.

    bad, good: the looks that called it first, with their estimates.
    """

    low: End | None = None
    high: End | None = None
    lift_low: float = -inf
    lift_high: float = inf
    bad: tuple[Readout, Estimate] | None = None
    good: tuple[Readout, Estimate] | None = None

    def add(self, look: Readout, estimate: Estimate) -> None:
        """Take in the interval of a look."""
        if estimate.low is None or estimate.high is None or estimate.missing in _WEAK:
            return
        if self.low is None or estimate.low > self.low.value:
            self.low = End(value=estimate.low, look=look.look, day=look.day)
        if self.high is None or estimate.high < self.high.value:
            self.high = End(value=estimate.high, look=look.look, day=look.day)
        if estimate.lift_low is not None and estimate.lift_high is not None:
            self.lift_low = max(self.lift_low, estimate.lift_low)
            self.lift_high = min(self.lift_high, estimate.lift_high)


Paths = dict[tuple[str, str], Path]
"""By metric and treatment."""


def paths(rule: Rule, past: tuple[Readout, ...]) -> Paths:
    """Return what earlier looks leave of every metric and treatment. past: those that count, oldest first.

    Valid looks that were not too early enter with all their intervals, and so does any look that called harm. Of a
    look that an earlier version stored the one verdict counts for all treatments.
    """
    fixed = {metric.name for metric in rule.metrics if not multipliers.is_growing(rule, metric)}
    found = {(metric.name, treatment): Path() for metric in rule.metrics for treatment in rule.treatments}
    for look in past:
        if look.is_after_final:
            continue
        verdicts = {one.treatment: one.verdict for one in look.by_treatment}
        for estimate in look.estimates:
            pair = (estimate.metric, estimate.treatment)
            called = verdicts.get(estimate.treatment, look.verdict)
            if pair in found and called.is_valid and called is not Verdict.TOO_EARLY:
                if estimate.metric in fixed:
                    found[pair].add(look, estimate)
                for reason in _reasons(look, estimate):
                    _remember(found[pair], reason, look, estimate)
    return found


def _reasons(look: Readout, estimate: Estimate) -> Iterator[Reason]:
    own = next((one.reasons for one in look.treatments if one.treatment == estimate.treatment), look.reasons)
    return (one for one in own if (one.metric, one.treatment) == (estimate.metric, estimate.treatment))


def _remember(path: Path, reason: Reason, look: Readout, estimate: Estimate) -> None:
    if reason.finding is Finding.BAD_SIDE and path.bad is None:
        path.bad = look, estimate
    if reason.finding is Finding.GOOD_SIDE and path.good is None:
        path.good = look, estimate


def as_arrays(rule: Rule, found: Paths) -> Earlier:
    """Return the paths as the verdict table reads them: a batch of one, good is positive.

    A goal's crossing of a value that keeps growing stands; of other metrics the intersection says it.
    """
    shape = (1, len(rule.metrics), len(rule.treatments))
    low, high = np.full(shape, np.nan), np.full(shape, np.nan)
    bad, good = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for row, metric in enumerate(rule.metrics):
        is_growing = multipliers.is_growing(rule, metric)
        for column, treatment in enumerate(rule.treatments):
            place, path = (0, row, column), found[metric.name, treatment]
            low[place], high[place] = _turned(metric, path)
            bad[place] = path.bad[0].look if path.bad else 0
            good[place] = path.good[0].look if path.good and is_growing else 0
    return Earlier(low=low, high=high, bad=bad, good=good)


def _turned(metric: MetricRule, path: Path) -> tuple[float, float]:
    if path.low is None or path.high is None:
        return np.nan, np.nan
    if metric.direction is Direction.UP:
        return path.low.value, path.high.value
    return -path.high.value, -path.low.value


def held(estimate: Estimate, path: Path) -> Held | None:
    """Return what all looks together allow, None where that is this look's own interval.

    estimate: of this look. A weak interval takes no part: then earlier looks alone say it.
    """
    if path.low is None or path.high is None:
        return None
    is_strong = estimate.low is not None and estimate.high is not None and estimate.missing not in _WEAK
    own_low, own_high = (estimate.low, estimate.high) if is_strong else (-inf, inf)
    assert own_low is not None
    assert own_high is not None
    ends = [
        end
        for end, is_tighter in ((path.low, path.low.value > own_low), (path.high, path.high.value < own_high))
        if is_tighter
    ]
    if not ends:
        return None
    newest = max(ends, key=lambda end: end.look)
    lift_low, lift_high = path.lift_low, path.lift_high
    if is_strong and estimate.lift_low is not None and estimate.lift_high is not None:
        lift_low, lift_high = max(lift_low, estimate.lift_low), min(lift_high, estimate.lift_high)
    has_lift = -inf < lift_low <= lift_high < inf
    return Held(
        low=max(own_low, path.low.value),
        high=min(own_high, path.high.value),
        lift_low=lift_low if has_lift else None,
        lift_high=lift_high if has_lift else None,
        look=newest.look,
        day=newest.day,
    )


def left_behind(estimate: Estimate, path: Path) -> End | None:
    """Return the end that the newest estimate lies beyond, None if it lies within what earlier looks allow."""
    if estimate.difference is None or estimate.missing in _WEAK or path.low is None or path.high is None:
        return None
    if estimate.difference > path.high.value:
        return path.high
    return path.low if estimate.difference < path.low.value else None


def crossing(metric: MetricRule, estimate: Estimate, path: Path) -> Crossing | None:
    """Return the look that called a value that keeps growing, where this look's own interval does not say it."""
    called = path.bad or (path.good if metric.role is Role.GOAL else None)
    if called is None or estimate.low is None or estimate.high is None:
        return None
    is_good = called is not path.bad
    points_up = is_good is (metric.direction is Direction.UP)
    tolerated = 0.0 if is_good or metric.role is Role.GOAL else metric.margin
    if (points_up and estimate.low > tolerated) or (not points_up and estimate.high < -tolerated):
        return None
    look, then = called
    if then.difference is None or then.low is None or then.high is None:
        return None
    return Crossing(
        look=look.look,
        day=look.day,
        is_good=is_good,
        difference=then.difference,
        low=then.low,
        high=then.high,
        lift=then.lift,
        lift_low=then.lift_low,
        lift_high=then.lift_high,
    )
