"""A replay calls what `readout.read` calls of the same splits, look by look; and few calls where there is nothing."""

import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import numpy as np
import pytest

from labcoat.stats import moments, readout, replay
from labcoat.stats.results import NoLook, Readout, Verdict
from labcoat.stats.rule import (
    DaySums,
    Design,
    Direction,
    Joint,
    MetricKind,
    MetricRule,
    Moments,
    Role,
    Rule,
    Sample,
    Splits,
)
from labcoat.stats.verdict import VERDICTS

SPLITS, DAYS = 12, 28


@dataclass(frozen=True)
class Unit:
    """One past unit. sides: of each split, 1 for the treatment. columns: by name."""

    day: int
    sides: tuple[int, ...]
    columns: dict[str, float]


def made(columns: str, *, count: int, seed: int, draw: Callable[[random.Random], dict[str, float]]) -> list[Unit]:
    """Return units of all days; the first splits differ between their sides, so that something is called."""
    dice = random.Random(seed)
    units = []
    for _ in range(count):
        sides = tuple(dice.randrange(2) for _ in range(SPLITS))
        drawn = draw(dice)
        if sides[0] != sides[1] and sides[0]:
            drawn["y"] += 0.0 if columns == "y" else 1.0
        units.append(Unit(dice.randrange(DAYS) + 1, sides, {name: drawn[name] for name in columns}))
    return units


def summed(
    units: Sequence[Unit], columns: str, *, window_days: int, centres: tuple[float, ...] | None = None
) -> Splits:
    """Return the sums as the warehouse gives them, of differences from the means."""
    centres = centres or tuple(sum(one.columns[name] for one in units) / len(units) for name in columns)
    groups: dict[tuple[int | None, int], list[Unit]] = {}
    for one in units:
        groups.setdefault((None, one.day), []).append(one)
        for split, side in enumerate(one.sides):
            if side:
                groups.setdefault((split, one.day), []).append(one)
    return Splits(
        columns=columns,
        centres=centres,
        splits=SPLITS,
        days=DAYS,
        looks=None,
        sums=tuple(
            DaySums(
                split=split,
                exposed_day=day,
                counted_day=day + window_days if day + window_days <= DAYS else 0,
                units=len(group),
                sums=differences(group, columns, centres),
            )
            for (split, day), group in groups.items()
        ),
    )


def differences(units: Sequence[Unit], columns: str, centres: Sequence[float]) -> tuple[float, ...]:
    apart = [[one.columns[name] - centre for name, centre in zip(columns, centres, strict=True)] for one in units]
    places = range(len(columns))
    return (
        *(sum(row[place] for row in apart) for place in places),
        *(sum(row[one] * row[two] for row in apart) for one, two in combinations_with_replacement(places, 2)),
    )


def sample_at(units: Sequence[Unit], split: int, *, day: int, window_days: int, kind: MetricKind) -> Sample:
    """Return what a real experiment's readout would be of one split, straight from the units."""
    seen = [[one for one in units if one.sides[split] == side and one.day <= day] for side in (0, 1)]
    counted = [[one for one in arm if one.day + window_days <= day] for arm in seen]
    return Sample(
        exposed=(len(seen[0]), len(seen[1])), moments={"goal": tuple(moments_of(arm, kind) for arm in counted)}
    )


def moments_of(units: Sequence[Unit], kind: MetricKind) -> Moments:
    if len(units) < 2:
        return Moments(count=len(units), mean=0.0, variance=0.0)
    given = {name: np.array([one.columns[name] for one in units]) for name in units[0].columns}
    found = moments.from_rows(
        given["y"],
        denominators=given.get("x"),
        covariates=given.get("c"),
        covariate_denominators=given.get("d"),
    )
    mean = float(found.means[0])
    is_proportion = kind is MetricKind.PROPORTION
    return Moments(
        count=len(units),
        mean=mean,
        variance=mean * (1 - mean) if is_proportion else float(found.covariances[0, 0]),
        joint=Joint(means=tuple(found.means[1:]), covariances=tuple(map(tuple, found.covariances))),  # type: ignore[arg-type]  # numpy knows no lengths
    )


def a_rule(
    design: Design, kind: MetricKind, *, window_days: int, direction: Direction = Direction.UP, is_growing: bool = False
) -> Rule:
    goal = MetricRule(
        name="goal",
        role=Role.GOAL,
        kind=kind,
        direction=direction,
        is_complete_at_exposure=not (window_days or is_growing),
    )
    return Rule(
        design=design,
        alpha=0.05,
        planned_days=DAYS,
        variants=("a", "b"),
        weights=(0.5, 0.5),
        metrics=(goal,),
        window_days=window_days,
        planned_units=2000,
    )


def by_readouts(rule: Rule, units: Sequence[Unit], split: int, days: Sequence[int]) -> list[int]:
    """Return the verdicts of one split's looks, made one after the other as for a real experiment."""
    past: tuple[Readout, ...] = ()
    found = []
    (goal,) = rule.metrics
    for day in days:
        window_days = round(rule.window_days)
        sample = sample_at(units, split, day=day, window_days=window_days, kind=goal.kind)
        if readout.calendar_share(rule, day=day) == 0:
            continue
        look = readout.read(rule, sample, day=day, past=past)
        if isinstance(look, NoLook):
            found.append(-1)
            continue
        past = (*past, look)
        found.append(VERDICTS.index(look.verdict))
    return found


def any_mean(dice: random.Random) -> dict[str, float]:
    past = dice.gauss(0, 1)
    return {"y": 1e9 + 3 * past + dice.gauss(0, 2), "c": 1e6 + past}


def rare(dice: random.Random) -> dict[str, float]:
    return {"y": float(dice.random() < 0.03)}


def any_ratio(dice: random.Random) -> dict[str, float]:
    past, now = dice.randrange(1, 9), dice.randrange(1, 9)
    return {"y": now * dice.random(), "x": float(now), "c": past * dice.random(), "d": float(past)}


CASES = {
    "mean with a covariate, near 1e9": ("yc", MetricKind.MEAN, any_mean, 1500, 7),
    "rare events": ("y", MetricKind.PROPORTION, rare, 1500, 0),
    "ratio with a covariate": ("yxcd", MetricKind.RATIO, any_ratio, 1500, 3),
    "few units": ("y", MetricKind.MEAN, lambda dice: {"y": float(dice.randrange(2))}, 40, 0),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("design", Design)
@pytest.mark.parametrize(("every", "direction"), [(1, Direction.UP), (7, Direction.DOWN)])
def test_splits_go_through_the_looks_as_real_experiments(
    case: str, design: Design, every: int, direction: Direction
) -> None:
    columns, kind, draw, count, window_days = CASES[case]
    days = [DAYS] if design is Design.ONE_LOOK else list(range(every, DAYS + 1, every))
    units = made(columns, count=count, seed=sum(map(ord, case)), draw=draw)
    rule = a_rule(design, kind, window_days=window_days, direction=direction)

    found = replay.verdicts_by_look(rule, summed(units, columns, window_days=window_days), days)

    for split in range(SPLITS):
        assert found[:, split].tolist() == by_readouts(rule, units, split, days)


def test_values_that_grow_go_through_the_looks_as_real_experiments() -> None:
    """Every look reads all units anew, each with what it has gathered by then."""
    days = [7, 14, 21, 28]
    plain = made("y", count=1500, seed=4, draw=lambda dice: {"y": dice.expovariate(1)})
    units = [replace(one, columns={"y": one.columns["y"] * (1 + one.sides[0])}) for one in plain]
    by_look = [
        [Unit(one.day, one.sides, {"y": one.columns["y"] * (day - one.day + 1)}) for one in units if one.day <= day]
        for day in days
    ]
    rule = a_rule(Design.CONFIDENCE_SEQUENCE, MetricKind.MEAN, window_days=0, is_growing=True)
    sums = [
        replace(one, exposed_day=look, counted_day=look, sums=one.sums)
        for look, seen in enumerate(by_look, start=1)
        for one in summed([replace(unit, day=1) for unit in seen], "y", window_days=0, centres=(3.0,)).sums
    ]
    splits = Splits(columns="y", centres=(3.0,), splits=SPLITS, days=DAYS, looks=tuple(days), sums=tuple(sums))

    found = replay.verdicts_by_look(rule, splits, days)

    for split in range(SPLITS):
        past: tuple[Readout, ...] = ()
        for day, seen in zip(days, by_look, strict=True):
            sample = sample_at(seen, split, day=day, window_days=0, kind=MetricKind.MEAN)
            look = readout.read(rule, sample, day=day, past=past)
            assert isinstance(look, Readout)
            past = (*past, look)
        assert found[:, split].tolist() == [VERDICTS.index(look.verdict) for look in past]
    assert VERDICTS.index(Verdict.WIN) in found


def test_an_effect_that_only_the_first_split_has_is_called_in_it_alone() -> None:
    dice = random.Random(8)
    sides = [tuple(dice.randrange(2) for _ in range(SPLITS)) for _ in range(4000)]
    units = [Unit(dice.randrange(DAYS) + 1, one, {"y": dice.gauss(one[0], 1)}) for one in sides]
    rule = a_rule(Design.GROUP_SEQUENTIAL, MetricKind.MEAN, window_days=0)

    (calls,) = replay.replay(summed(units, "y", window_days=0), [(rule, (14, 28))])

    assert (calls.wins, calls.harms, calls.false_calls) == (1, 0, 1)
    assert calls.share == pytest.approx(1 / SPLITS)


def test_what_the_covariate_saves_is_its_squared_correlation_by_hand() -> None:
    units = made("yc", count=500, seed=9, draw=any_mean)

    found = replay.together(summed(units, "yc", window_days=0), MetricKind.MEAN)

    values, past = ([one.columns[name] - much for one in units] for name, much in (("y", 1e9), ("c", 1e6)))
    assert found.gain == pytest.approx(statistics.correlation(values, past) ** 2, rel=1e-6)
    assert found.mean == pytest.approx(1e9 + statistics.fmean(values), abs=1e-5)


def test_a_ratio_s_covariate_saves_what_linearised_values_say_by_hand() -> None:
    """Deng, Knoblich, Lu 2018: a unit's part of a ratio R = sum y / sum x is y - R x."""
    units = made("yxcd", count=500, seed=9, draw=any_ratio)

    found = replay.together(summed(units, "yxcd", window_days=0), MetricKind.RATIO)

    y, x, c, d = ([one.columns[name] for one in units] for name in "yxcd")
    now, past = sum(y) / sum(x), sum(c) / sum(d)
    parts = [
        [one - now * two for one, two in zip(y, x, strict=True)],
        [one - past * two for one, two in zip(c, d, strict=True)],
    ]
    assert found.mean == pytest.approx(now, rel=1e-12)
    assert found.gain == pytest.approx(statistics.correlation(*parts) ** 2, rel=1e-9)


def test_without_a_covariate_nothing_is_saved_and_a_constant_one_is_none() -> None:
    plain = summed(made("y", count=50, seed=1, draw=rare), "y", window_days=0)
    constant = made("yc", count=50, seed=1, draw=lambda dice: {"y": dice.random(), "c": 7.0})

    assert replay.together(plain, MetricKind.PROPORTION).gain is None
    assert replay.together(summed(constant, "yc", window_days=0), MetricKind.MEAN).gain is None


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 50, 0.0, 0.0711), (3, 11, 0.0602, 0.6097), (25, 500, 0.0326, 0.0729), (50, 50, 0.9289, 1.0)],
)
def test_the_interval_is_clopper_and_pearson_s(count: int, of: int, low: float, high: float) -> None:
    """Reference: each end's binomial tail is 2.5 %; the tails are summed here term by term."""
    found = replay.share_interval(count, of, level=0.95)

    assert found == pytest.approx((low, high), abs=5e-5)
    if count:
        assert sum(_binomial(k, of, found[0]) for k in range(count, of + 1)) == pytest.approx(0.025, rel=1e-9)
    if count < of:
        assert sum(_binomial(k, of, found[1]) for k in range(count + 1)) == pytest.approx(0.025, rel=1e-9)


def _binomial(k: int, n: int, p: float) -> float:
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


@pytest.mark.parametrize(("called", "is_more"), [(25, False), (38, False), (41, True)])
def test_only_what_chance_seldom_makes_is_more_than_promised(called: int, *, is_more: bool) -> None:
    """Of 500 splits at 5 % chance makes 41 or more in .0015, and 38 or more in .0065, which is above 1 in 200."""
    low, _ = replay.share_interval(called, 500, level=0.99)

    assert (low > 0.05) is is_more
    tail = sum(_binomial(k, 500, 0.05) for k in range(called, 501))
    assert (tail < 0.005) is is_more
