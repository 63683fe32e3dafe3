"""How often experiments are called, without an effect and with one, at 12 weekly and 84 daily looks; one JSON line.

Every number comes from the product's own `batch.analyse`, look by look, on the same simulated paths for each design:
`PYTHONPATH=. python benchmarks/calibration.py [RUNS] [--table]`, 10,000 runs unless said, `--table` for the tables of
the docs. `calibrating/studies.py` has the studies of single rules: unequal shares, rare events, totals that keep
growing, a fixed cause, several treatments, the power of the whole rule.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

import numpy as np
from benchmarks.calibrating.studies import LIMITS, STUDIES, Row

from labcoat.stats import batch, confidence_sequence, sequential
from labcoat.stats.arrays import BoolArray, FloatArray
from labcoat.stats.batch import Analysis, Batch
from labcoat.stats.moments import VALUE, MomentArrays, from_sums
from labcoat.stats.results import Verdict
from labcoat.stats.rule import MetricKind
from labcoat.stats.verdict import VERDICTS, Earlier, Metrics, Moment

DAYS, WEEK = 84, 7
ALPHA = 0.05
GUARDRAILS = 3
RUNS = 10_000
CHUNK = 250
ONE_LOOK, GROUP_SEQUENTIAL = "one look at the end", "group sequential"
PLANNED, TYPICAL = "confidence sequence, N* planned", "confidence sequence, N* 5,000"
DESIGNS = (GROUP_SEQUENTIAL, PLANNED, TYPICAL, ONE_LOOK)
CALENDARS = {"weekly": tuple(range(WEEK, DAYS + 1, WEEK)), "daily": tuple(range(1, DAYS + 1))}

Generator = np.random.Generator
Rows = Callable[[Generator, int], FloatArray]
"""Draws of one unit's columns, (columns, units)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What units are like. per_week: units per arm. rows: value, denominator, covariate as far as it has them."""

    name: str
    per_week: int
    seed: int
    rows: Rows
    kind: MetricKind = MetricKind.MEAN


def _binary(rng: Generator, units: int) -> FloatArray:
    return (rng.random((1, units)) < 0.05).astype(np.float64)


def _revenue(*, buyers: float, sigma: float) -> Rows:
    def rows(rng: Generator, units: int) -> FloatArray:
        buys = rng.random(units) < buyers
        spent = np.zeros((1, units))
        spent[0, buys] = rng.lognormal(3, sigma, int(buys.sum()))
        return spent

    return rows


def _ratio(rng: Generator, units: int) -> FloatArray:
    """Clicks over views: users differ in how much they look and in how often they click."""
    views = 1.0 + rng.poisson(rng.gamma(1.0, 8.0, units))
    return np.stack([rng.binomial(views.astype(np.int64), rng.beta(2, 18, units)).astype(np.float64), views])


def _cuped(rng: Generator, units: int) -> FloatArray:
    """Spending that follows the spending before; three users in ten are new and have none."""
    taste = rng.lognormal(1, 1, units)
    before = taste * rng.lognormal(0, 0.5, units) * (rng.random(units) < 0.7)
    return np.stack([taste * rng.lognormal(0, 0.5, units), np.ones(units), before])


SCENARIOS = (
    Scenario(name="binary, 5 %, 2,000", per_week=2000, seed=1, rows=_binary, kind=MetricKind.PROPORTION),
    Scenario(name="revenue, 200", per_week=200, seed=2, rows=_revenue(buyers=0.1, sigma=1.0)),
    Scenario(name="revenue, 2,000", per_week=2000, seed=3, rows=_revenue(buyers=0.1, sigma=1.0)),
    Scenario(name="very heavy revenue, 2,000", per_week=2000, seed=4, rows=_revenue(buyers=0.02, sigma=2.0)),
    Scenario(name="ratio, 200", per_week=200, seed=5, rows=_ratio, kind=MetricKind.RATIO),
    Scenario(name="CUPED, 200", per_week=200, seed=6, rows=_cuped),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What happened in each run, (runs,) bool each, per design and calendar.

    called: 4, 6 or 6b at some look, without an effect. crossed: the goal's interval left 0 at some look, however
    early. harmed: on the bad side. whole: 3, 4, 6 or 6b in an experiment with three guardrails. won: with an effect.
    dismissed: 7, although the effect is the smallest worth having.
    """

    called: BoolArray
    crossed: BoolArray
    whole: BoolArray
    won: BoolArray
    dismissed: BoolArray


def simulate(scenario: Scenario, *, runs: int, designs: tuple[str, ...] = DESIGNS) -> dict[tuple[str, str], Calls]:
    """Return what happened, by calendar and design; the same paths for all of them."""
    rng = np.random.default_rng(scenario.seed)
    lift = _worthwhile_lift(scenario)
    parts: dict[tuple[str, str], list[Calls]] = {}
    for begin in range(0, runs, CHUNK):
        size = min(CHUNK, runs - begin)
        control, same, better = paths(scenario, rng, runs=size, lift=lift)
        for calendar, days in CALENDARS.items():
            for design in designs:
                calls = _read(scenario, design, days, control=control, same=same, better=better, lift=lift)
                parts.setdefault((calendar, design), []).append(calls)
    return {key: _joined(calls) for key, calls in parts.items()}


def _joined(parts: list[Calls]) -> Calls:
    names = Calls.__slots__
    return Calls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _units_by_day(per_week: int) -> list[int]:
    ends = [round(per_week * day / WEEK) for day in range(DAYS + 1)]
    return [after - before for before, after in pairwise(ends)]


def _worthwhile_lift(scenario: Scenario) -> float:
    """Return the relative effect that one look at the end finds in four of five: z = 2.8 there."""
    rows = scenario.rows(np.random.default_rng(1000 + scenario.seed), 400_000)
    value, denominator = rows[0], rows[1] if len(rows) > 1 else np.ones_like(rows[0])
    ratio = value.sum() / denominator.sum()
    left = (value - ratio * denominator) / denominator.mean()
    if len(rows) > 2:
        left -= np.cov(left, rows[2])[0, 1] / rows[2].var() * (rows[2] - rows[2].mean())
    return float(2.8 * sqrt(2 * left.var() / (scenario.per_week * DAYS / WEEK)) / ratio)


def paths(
    scenario: Scenario, rng: Generator, *, runs: int, lift: float
) -> tuple[MomentArrays, MomentArrays, MomentArrays]:
    """Return the control, a treatment without an effect and one with, (runs, days): cumulative moments."""
    units = _units_by_day(scenario.per_week)
    same = [_cumulative(scenario.rows, rng, units=units, runs=runs) for _ in range(2)]
    if scenario.kind is MetricKind.PROPORTION:
        # More ones, not larger ones.
        risen = 0.05 * (1 + lift)
        better = _cumulative(
            lambda rng, n: (rng.random((1, n)) < risen).astype(np.float64), rng, units=units, runs=runs
        )
        return same[0], same[1], better
    # Every unit's value rises by as much per unit of its denominator: the ratio rises, the residuals stay.
    rise = np.eye(4)
    rise[VALUE, 1] = lift * (same[1].means[:, -1, VALUE] / same[1].means[:, -1, 1]).mean()
    better = MomentArrays(
        counts=same[1].counts, means=same[1].means @ rise.T, covariances=rise @ same[1].covariances @ rise.T
    )
    return same[0], same[1], better


def _cumulative(rows: Rows, rng: Generator, *, units: list[int], runs: int) -> MomentArrays:
    """Return the moments of all units up to each day, (runs, days)."""
    sums, products = np.zeros((runs, DAYS, 4)), np.zeros((runs, DAYS, 4, 4))
    for day, count in enumerate(units):
        drawn = rows(rng, runs * count)
        given = drawn.reshape(len(drawn), runs, count).transpose(1, 0, 2)
        columns = np.concatenate([given, np.zeros((runs, 4 - len(drawn), count))], axis=1)
        columns[:, 3] = 1
        if len(drawn) == 1:
            columns[:, 1] = 1
        sums[:, day], products[:, day] = columns.sum(axis=2), columns @ columns.transpose(0, 2, 1)
    counts = np.broadcast_to(np.cumsum(units).astype(np.float64), (runs, DAYS))
    return from_sums(counts, sums.cumsum(axis=1), products.cumsum(axis=1))


def _read(
    scenario: Scenario,
    design: str,
    days: tuple[int, ...],
    *,
    control: MomentArrays,
    same: MomentArrays,
    better: MomentArrays,
    lift: float,
) -> Calls:
    days = days[-1:] if design == ONE_LOOK else days
    minimum = lift * control.means[0, -1, VALUE] / control.means[0, -1, 1]
    if scenario.kind is MetricKind.PROPORTION:
        minimum = lift * 0.05

    def look(control: MomentArrays, treatment: MomentArrays, *, with_guardrails: bool = False) -> Analysis:
        return look_at(
            scenario, design, days, control=control, treatment=treatment, minimum=minimum, guards=with_guardrails
        )

    runs = len(control.counts)
    null, whole, real = look(control, same), look(control, same, with_guardrails=True), look(control, better)

    def ever(analysis: Analysis, *verdicts: Verdict) -> BoolArray:
        codes = [VERDICTS.index(verdict) for verdict in verdicts]
        return np.asarray(np.isin(analysis.table.verdicts, codes).reshape(runs, -1).any(axis=1))

    wins = Verdict.WIN, Verdict.WIN_GUARDRAIL_OPEN
    crossed = (null.table.is_bad | null.table.is_good).reshape(runs, -1).any(axis=1)
    return Calls(
        called=ever(null, Verdict.GOAL_HARM, *wins),
        crossed=np.asarray(crossed),
        whole=ever(whole, Verdict.GUARDRAIL_HARM, Verdict.GOAL_HARM, *wins),
        won=ever(real, *wins),
        dismissed=ever(real, Verdict.NO_EFFECT, Verdict.NO_GAIN),
    )


def look_at(
    scenario: Scenario,
    design: str,
    days: tuple[int, ...],
    *,
    control: MomentArrays,
    treatment: MomentArrays,
    minimum: float,
    guards: bool,
) -> Analysis:
    """Return every look at every run as one batch, runs first; guardrails are the paths of the next runs."""
    runs, looks = len(control.counts), len(days)
    metrics = 1 + GUARDRAILS * guards
    picked = np.array(days) - 1

    def stacked(name: str) -> FloatArray:
        arms = np.stack([getattr(arm, name)[:, picked] for arm in (control, treatment)], axis=2)
        others = np.stack([np.roll(arms, -shift, axis=0) for shift in range(metrics)], axis=2)
        return others.reshape(runs * looks, *others.shape[2:])

    moments = MomentArrays(counts=stacked("counts"), means=stacked("means"), covariances=stacked("covariances"))
    size = runs * looks
    ks = np.array(
        [
            _multipliers(scenario, design, days, comparisons=max(1, metrics - 1)),
        ]
        * metrics
    )
    ks[0] = _multipliers(scenario, design, days, comparisons=1)
    row = np.arange(metrics) == 0
    day = np.tile(np.array(days, dtype=np.float64), runs)
    crossings, ends = np.zeros((size, metrics, 1), dtype=np.int64), np.full((size, metrics, 1), np.nan)

    def of_metric(value: FloatArray | BoolArray | float) -> FloatArray:
        return np.broadcast_to(np.asarray(value, dtype=np.float64), (size, metrics))

    return batch.analyse(
        Batch(
            moments=moments,
            metrics=Metrics(
                is_goal=of_metric(row) > 0,
                is_guardrail=of_metric(~row) > 0,
                is_proportion=of_metric(float(scenario.kind is MetricKind.PROPORTION)) > 0,
                sign=of_metric(1.0),
                minimum_effect=of_metric(minimum),
                margin=of_metric(0.0),
            ),
            multipliers=np.tile(ks.T, (runs, 1))[..., np.newaxis],
            is_student=np.full(size, design in (ONE_LOOK, GROUP_SEQUENTIAL)),
            exposed=moments.counts[:, 0],
            weights=np.full((size, 2), 0.5),
            past_evidence=np.zeros(size),
            has_error=np.zeros(size, dtype=np.bool_),
            moment=Moment(
                day=day,
                planned_days=np.full(size, float(DAYS)),
                is_final=day >= DAYS,
                minimum_units=np.full(size, 100.0),
                minimum_events=np.full(size, 25.0),
            ),
            earlier=Earlier(low=ends, high=ends, bad=crossings, good=crossings),
        )
    )


def _multipliers(scenario: Scenario, design: str, days: tuple[int, ...], *, comparisons: int) -> FloatArray:
    alpha = ALPHA / comparisons
    units = np.cumsum(_units_by_day(scenario.per_week))[np.array(days) - 1]
    if design in (PLANNED, TYPICAL):
        tuned = 2 * scenario.per_week * DAYS // WEEK if design == PLANNED else confidence_sequence.TYPICAL_UNITS
        ks = [confidence_sequence.multiplier(units=2 * int(seen), tuned_units=tuned, alpha=alpha) for seen in units]
        return np.array(ks, dtype=np.float64)
    return np.array(sequential.boundary(tuple(day / DAYS for day in days), tuple(units / 2.0), alpha))


def summarise(scenario: Scenario, calls: dict[tuple[str, str], Calls]) -> list[dict[str, object]]:
    """Return one row per calendar and design."""
    rows: list[dict[str, object]] = []
    for (calendar, design), seen in calls.items():
        if design == ONE_LOOK and calendar == "daily":
            continue
        ratio, low = paired_ratio(seen.won, calls[calendar, ONE_LOOK].won)
        rows.append(
            {
                "units per arm and week": scenario.name,
                "design": design if design == ONE_LOOK else f"{design}, {calendar}",
                **{name: round(float(getattr(seen, name).mean()), 4) for name in Calls.__slots__},
                "power ratio": round(ratio, 3),
                "at least": round(low, 3),
            }
        )
    return rows


def paired_ratio(of: BoolArray, to: BoolArray) -> tuple[float, float]:
    """Return the ratio of two shares of the same runs, and its lower 99 % bound by the delta method."""
    ratio = float(of.mean() / to.mean())
    left = of - ratio * to
    return ratio, ratio - 2.326 * float(left.std() / to.mean()) / sqrt(len(of))


def largest_share(runs: int) -> float:
    """Return what a true share of .05 stays below in 999 of 1,000 such simulations."""
    return ALPHA + 3.09 * sqrt(ALPHA * (1 - ALPHA) / runs)


def _row_set(task: tuple[str, int]) -> list[Row]:
    name, runs = task
    if name in STUDIES:
        return STUDIES[name](runs)
    scenario = next(one for one in SCENARIOS if one.name == name)
    return summarise(scenario, simulate(scenario, runs=runs))


def _print_table(rows: list[Row]) -> None:
    names = list(rows[0])
    print("|", " | ".join(names), "|\n|", "|".join("---" for _ in names), "|", sep="")
    for row in rows:
        print("|", " | ".join(_cell(value) for value in row.values()), "|")
    print()


def _cell(value: object) -> str:
    if isinstance(value, float):
        return str(value).replace("0.", ".", 1) if value != 0 else "0"
    return str(value)


def main() -> None:
    """Simulate and print."""
    begun = time.perf_counter()
    runs = next((int(argument) for argument in sys.argv[1:] if argument.isdigit()), RUNS)
    names = [*STUDIES, *(scenario.name for scenario in SCENARIOS)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(names, pool.map(_row_set, [(name, runs) for name in names]), strict=True))
    rows = [row for scenario in SCENARIOS for row in found[scenario.name]]
    if "--table" in sys.argv:
        for table in (rows, *(found[name] for name in STUDIES)):
            _print_table(table)
        return
    called = max(float(str(row[name])) for row in rows for name in ("called", "crossed"))
    planned = [float(str(row["at least"])) for row in rows if str(row["design"]).startswith(GROUP_SEQUENTIAL)]
    limits = {"largest_called": round(largest_share(runs), 4), "smallest_power_ratio": 0.95}
    beyond = [f"{name}: {row}" for name in STUDIES for row in found[name] if not LIMITS[name](row, runs)]
    print(
        json.dumps(
            {
                "benchmark": "calibration",
                "runs": runs,
                "largest_called": called,
                "smallest_power_ratio": min(planned),
                "seconds": round(time.perf_counter() - begun, 1),
                "rows": rows,
                "studies": {name: found[name] for name in STUDIES},
                "limits": limits,
                "beyond_limits": beyond,
                "is_within_limits": called <= limits["largest_called"] and min(planned) >= 0.95 and not beyond,
            }
        )
    )


if __name__ == "__main__":
    main()
