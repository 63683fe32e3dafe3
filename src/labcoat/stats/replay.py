"""The looks of a plan at past units that were split at random: how often do they call what is not there?

Every split goes from look to look through the same table, multipliers and running intersection as a real experiment; a
test compares them with `readout.read`. Arrays are (splits,) or (splits, 1 metric, 1 treatment), unless said otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from labcoat.stats import (
    adjusting,
    batch,
    confidence_sequence,
    data_errors,
    effects,
    estimates,
    multipliers,
    readout,
    sequential,
    split_moments,
)
from labcoat.stats.arrays import BoolArray, FloatArray
from labcoat.stats.batch import Analysis, Batch
from labcoat.stats.moments import MomentArrays
from labcoat.stats.results import Finding, Verdict
from labcoat.stats.rule import Design, MetricKind, Rule, Splits
from labcoat.stats.verdict import VERDICTS, Earlier, Metrics, Moment

_WEAK = [data_errors.code(finding) for finding in (Finding.SMALL_CELL, Finding.CONSTANT_ARM)]
_CODES = {verdict: VERDICTS.index(verdict) for verdict in VERDICTS}
_NEVER = [_CODES[verdict] for verdict in (Verdict.DATA_ERROR, Verdict.INVALID, Verdict.TOO_EARLY)]
_WINS = [_CODES[verdict] for verdict in VERDICTS if verdict.is_win]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What the looks of one plan called of splits that differ in nothing.

    looks: their days. wins, harms: splits with such a verdict at some look. false_calls: with either.
    uneven: splits that were called uneven at some look. alpha: the share of false calls that the plan allows.
    low, high: of the share of false calls, 95 %, exact. is_more: chance alone makes so many in 1 of 200 replays.
    """

    design: Design
    looks: tuple[int, ...]
    splits: int
    wins: int
    harms: int
    false_calls: int
    uneven: int
    alpha: float
    low: float
    high: float
    is_more: bool

    @property
    def share(self) -> float:
        """The share of false calls, 0-1."""
        return self.false_calls / self.splits


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsTogether:
    """What past units have, all together. mean: of a ratio the ratio.

    gain: the share of the variance, and so of the units, that the covariate saves, 0-1; None without one.
    """

    mean: float
    gain: float | None


def replay(splits: Splits, rules: Sequence[tuple[Rule, Sequence[int]]]) -> tuple[Calls, ...]:
    """Return what each rule calls at the looks on these days.

    rules: of one metric and two variants at equal shares; looks rise, the last at the planned end.
    """
    moments = split_moments.of(splits)
    return tuple(_calls(rule, _followed(rule, moments, looks), splits.splits, looks=looks) for rule, looks in rules)


def together(splits: Splits, kind: MetricKind) -> UnitsTogether:
    """Return the mean of all units by the end, and what the covariate saves: its squared correlation with the value."""
    units = split_moments.of(splits).together()
    analysed = adjusting.analyse(units, is_proportion=np.array([[kind is MetricKind.PROPORTION]]))
    raw, left = float(analysed.raw_variances[0, 0, 0]), float(analysed.variances[0, 0, 0])
    has_gain = bool(analysed.has_covariate[0, 0]) and raw > 0
    return UnitsTogether(mean=float(analysed.means[0, 0, 0]), gain=1 - left / raw if has_gain else None)


def share_interval(count: int, of: int, *, level: float) -> tuple[float, float]:
    """Return the exact interval of a share, 0-1. Source: Clopper, Pearson, Biometrika 1934.

    >>> low, high = share_interval(3, 11, level=0.95)
    >>> round(low, 2), round(high, 2)
    (0.06, 0.61)
    """
    tail = (1 - level) / 2
    low = float(betaincinv(count, of - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, of - count, 1 - tail)) if count < of else 1.0
    return low, high


def verdicts_by_look(rule: Rule, splits: Splits, looks: Sequence[int]) -> NDArray[np.int8]:
    """Return each split's verdict at each look, (looks, splits), index into VERDICTS; -1 where it had no new units."""
    return np.stack(_followed(rule, split_moments.of(splits), looks))


def _calls(rule: Rule, verdicts: Sequence[NDArray[np.int8]], splits: int, *, looks: Sequence[int]) -> Calls:
    def ever(codes: Sequence[int]) -> BoolArray:
        return np.asarray(np.isin(np.stack(verdicts), codes).any(axis=0))

    wins, harms = ever(_WINS), ever([_CODES[Verdict.GOAL_HARM]])
    called = int((wins | harms).sum())
    low, high = share_interval(called, splits, level=0.95)
    return Calls(
        design=rule.design,
        looks=tuple(looks),
        splits=splits,
        wins=int(wins.sum()),
        harms=int(harms.sum()),
        false_calls=called,
        uneven=int(ever([_CODES[Verdict.INVALID]]).sum()),
        alpha=rule.alpha,
        low=low,
        high=high,
        is_more=share_interval(called, splits, level=0.99)[0] > rule.alpha,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One look. spent: u. codes: what is wrong with the data, 0 for nothing. is_made: it has new units."""

    day: int
    spent: float
    exposed: FloatArray
    moments: MomentArrays
    codes: NDArray[np.int8]
    information: FloatArray
    is_made: BoolArray

    @property
    def is_sound(self) -> BoolArray:
        """Whether the look is made, of numbers that can be right."""
        return np.asarray(self.is_made & (self.codes == 0))


@dataclass(slots=True)
class _State:
    """What earlier looks left. evidence: (splits,), of an uneven split. verdicts: of each look."""

    earlier: Earlier
    evidence: FloatArray
    verdicts: list[NDArray[np.int8]] = field(default_factory=list)


def _followed(rule: Rule, moments: split_moments.SplitMoments, days: Sequence[int]) -> list[NDArray[np.int8]]:
    """Return the verdicts of each look, (splits,); -1 where a split had no look for want of new units."""
    looks = _looks(rule, moments, days)
    rows = looks[0].is_made.shape[0]
    shape = (rows, 1, 1)
    nothing = np.full(shape, np.nan)
    never = np.zeros(shape, dtype=np.int64)
    state = _State(Earlier(low=nothing, high=nothing, bad=never, good=never), np.zeros(rows))
    ks = _multipliers(rule, looks)
    for number, look in enumerate(looks):
        analysis = batch.analyse(_batch(rule, look, ks[:, number], state))
        made = np.where(look.is_made, analysis.table.verdicts[:, 0], np.int8(-1)).astype(np.int8)
        state.verdicts.append(made)
        state.evidence = np.where(look.is_sound, analysis.evidence, state.evidence)
        state.earlier = _carried(rule, state.earlier, analysis, made, number=number + 1)
        _give_back(rule, looks, ks, look.is_sound & np.isnan(analysis.estimates.multiplier[:, 0, 0]), number)
    return state.verdicts


def _looks(rule: Rule, moments: split_moments.SplitMoments, days: Sequence[int]) -> list[_Look]:
    """Return the looks there are: not before the first window closed, nor without new units."""
    is_proportion = estimates.metric_arrays(rule).is_proportion
    is_sequential = rule.design is Design.GROUP_SEQUENTIAL
    reached = np.zeros(len(moments.exposed) - 1)
    looks = []
    for day in days:
        spent = readout.calendar_share(rule, day=day)
        if spent == 0:
            continue
        found, exposed = moments.at(day, is_proportion=bool(is_proportion[0, 0])), moments.exposed_at(day)
        with np.errstate(all="ignore"):
            information = effects.information(found.counts[:, 0])[:, 0]
        codes = data_errors.arm_errors(found, is_proportion=np.broadcast_to(is_proportion, (len(reached), 1)))[:, 0]
        codes = codes.max(axis=-1)
        has_new = np.nan_to_num(information) > reached * (1 + sequential.LEAST_GROWTH)
        is_made = has_new | (codes > 0) | (spent >= 1) | (not is_sequential)
        look = _Look(
            day=day,
            spent=spent,
            exposed=exposed,
            moments=found,
            codes=codes,
            information=information,
            is_made=np.asarray(is_made),
        )
        reached = np.where(look.is_sound, np.fmax(reached, information), reached)
        looks.append(look)
    return looks


def _multipliers(rule: Rule, looks: Sequence[_Look]) -> FloatArray:
    """Return k, (splits, looks); NaN where a look has no number, which then costs it nothing."""
    ks = np.full((len(looks[0].is_made), len(looks)), np.nan)
    if rule.design is Design.CONFIDENCE_SEQUENCE:
        for number, look in enumerate(looks):
            ks[:, number] = np.where(
                look.is_sound,
                confidence_sequence.multiplier(
                    units=np.maximum(look.moments.counts[:, 0].sum(axis=-1), 1.0),
                    tuned_units=float(multipliers.tuned_units(rule, rule.variants[1])),
                    alpha=rule.alpha,
                ),
                np.nan,
            )
        return ks
    for split in range(len(ks)):
        _pay(rule, looks, ks[split], split, [number for number, look in enumerate(looks) if look.is_sound[split]])
    return ks


def _pay(rule: Rule, looks: Sequence[_Look], ks: FloatArray, split: int, paid: Sequence[int]) -> None:
    """Write the multipliers of one split's looks that pay."""
    if paid:
        spent = tuple(looks[number].spent for number in paid)
        information = tuple(float(looks[number].information[split]) for number in paid)
        ks[paid] = sequential.boundary(spent, information, rule.alpha)


def _give_back(rule: Rule, looks: Sequence[_Look], ks: FloatArray, gave_none: BoolArray, number: int) -> None:
    """Take a look that gave a split no interval out of what it paid: it could not cross."""
    if rule.design is Design.CONFIDENCE_SEQUENCE:
        return
    for split in np.flatnonzero(gave_none):
        ks[split, number] = np.nan
        paid = [one for one, k in enumerate(ks[split]) if not np.isnan(k)]
        _pay(rule, looks, ks[split], int(split), paid)


def _batch(rule: Rule, look: _Look, ks: FloatArray, state: _State) -> Batch:
    rows = len(ks)
    each = np.ones(rows)
    metrics = estimates.metric_arrays(rule)

    has_error = look.codes > 0
    return Batch(
        moments=look.moments,
        metrics=Metrics(
            is_goal=np.broadcast_to(metrics.is_goal, (rows, 1)),
            is_guardrail=np.broadcast_to(metrics.is_guardrail, (rows, 1)),
            is_proportion=np.broadcast_to(metrics.is_proportion, (rows, 1)),
            sign=np.broadcast_to(metrics.sign, (rows, 1)),
            minimum_effect=np.broadcast_to(metrics.minimum_effect, (rows, 1)),
            margin=np.broadcast_to(metrics.margin, (rows, 1)),
        ),
        multipliers=ks[:, np.newaxis, np.newaxis],
        is_student=np.full(rows, rule.design is not Design.CONFIDENCE_SEQUENCE),
        exposed=look.exposed,
        weights=np.broadcast_to(np.array(rule.weights), (rows, 2)),
        past_evidence=state.evidence,
        has_error=has_error,
        moment=Moment(
            day=look.day * each,
            planned_days=rule.planned_days * each,
            is_final=(look.spent >= 1) & ~has_error,
            minimum_units=rule.minimum_units * each,
            minimum_events=rule.minimum_events * each,
        ),
        earlier=state.earlier,
    )


def _carried(rule: Rule, earlier: Earlier, analysis: Analysis, made: NDArray[np.int8], *, number: int) -> Earlier:
    """Return what the next look knows of this one and those before it; as `intersection.paths` does."""
    table, numbers = analysis.table, analysis.estimates
    called = made[:, np.newaxis, np.newaxis]
    is_growing = multipliers.is_growing(rule, rule.metrics[0])
    enters = (called >= 0) & ~np.isin(called, _NEVER)
    holds = enters & ~np.isin(numbers.missing, _WEAK) & (not is_growing)
    is_up = estimates.metric_arrays(rule).sign[..., np.newaxis] > 0
    low, high = np.where(is_up, numbers.low, -numbers.high), np.where(is_up, numbers.high, -numbers.low)
    went_bad = enters & (called == _CODES[Verdict.GOAL_HARM]) & table.is_bad
    went_well = enters & np.isin(called, _WINS) & table.is_good & is_growing
    return Earlier(
        low=np.fmax(earlier.low, np.where(holds, low, np.nan)),
        high=np.fmin(earlier.high, np.where(holds, high, np.nan)),
        bad=np.where((earlier.bad == 0) & went_bad, number, earlier.bad),
        good=np.where((earlier.good == 0) & went_well, number, earlier.good),
    )
