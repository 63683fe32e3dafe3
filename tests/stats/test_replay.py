"""A replay calls what `readout.read` calls of the same splits, look by look; and few calls where there is nothing."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import pytest

from labcoat.stats import moments, readout, replay
from labcoat.stats.results import NoLook, Readout
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
            drawn["y"] = draw(dice)["y"] + drawn["y"] * (columns != "y")
        units.append(Unit(dice.randrange(DAYS) + 1, sides, {name: drawn[name] for name in columns}))
    return units


def summed(units: Sequence[Unit], columns: str, *, window_days: int) -> Splits:
    """Return the sums as the warehouse gives them, of differences from the means."""
    centres = tuple(sum(one.columns[name] for one in units) / len(units) for name in columns)
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
        joint=Joint(means=tuple(found.means[1:]), covariances=tuple(map(tuple, found.covariances))),
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
    return {"y": 1e9 + 3 * past + dice.gauss(0, 2), "c": 1e9 + past}


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
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("design", Design)
@pytest.mark.parametrize("every", [1, 7])
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
