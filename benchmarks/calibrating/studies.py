"""Studies of single rules: unequal shares, rare events, growing totals, a fixed cause, several treatments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, sqrt

import numpy as np
from benchmarks.calibrating import draws
from benchmarks.calibrating.draws import Draw
from benchmarks.calibrating.following import Metric, Seen, Study, follow

from labcoat.stats.arrays import BoolArray, FloatArray
from labcoat.stats.moments import VALUE, MomentArrays
from labcoat.stats.power import Budget, Target
from labcoat.stats.results import Verdict
from labcoat.stats.rule import Design, MetricKind, Role
from labcoat.stats.rule_power import Condition, rule_size

Row = dict[str, object]
WINS = (Verdict.WIN, Verdict.WIN_GUARDRAIL_OPEN, Verdict.WIN_EFFECT_MOVED)
HARMS = (Verdict.GUARDRAIL_HARM, Verdict.GOAL_HARM)
POWER = 0.8
_CHUNK, _DAYS = 1000, 84


def shares(*called: BoolArray) -> float:
    """Return the mean of truths, rounded as the tables have them."""
    return round(float(np.concatenate([one.ravel() for one in called]).mean()), 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is true: a draw for each metric, new units of each variant between looks, effects by metric and variant.

    events_are_bad: of these metrics more is worse, so they are counted as units without: up is good.
    """

    draws: Sequence[Draw]
    units: Sequence[int]
    lifts: Sequence[Sequence[float]] | None = None
    events_are_bad: tuple[int, ...] = ()

    def looks(self, rng: np.random.Generator, *, runs: int, count: int) -> list[MomentArrays]:
        """Return cumulative moments at so many looks."""
        found = draws.looks(rng, self.draws, runs=runs, units=self.units, count=count, lifts=self.lifts)
        return [_turned(one, self.events_are_bad) for one in found]


def _turned(moments: MomentArrays, metrics: tuple[int, ...]) -> MomentArrays:
    """Return the moments with these proportions turned into their complements."""
    means = moments.means.copy()
    for row in metrics:
        means[:, row, :, VALUE] = 1 - means[:, row, :, VALUE]
    return MomentArrays(counts=moments.counts, means=means, covariances=moments.covariances)


def simulated(study: Study, world: World, *, runs: int, seed: Sequence[int], chunk: int = _CHUNK) -> list[Seen]:
    """Return what all runs saw, a part at a time: a part's moments fit in memory."""
    rng = np.random.default_rng(list(seed))
    return [
        follow(study, world.looks(rng, runs=min(chunk, runs - begin), count=len(study.spent)))
        for begin in range(0, runs, chunk)
    ]


def even(looks: int) -> tuple[float, ...]:
    """Return u at so many looks at even distances."""
    return tuple(look / looks for look in range(1, looks + 1))


def unequal_shares(runs: int) -> list[Row]:
    """Return how often an A/A test with 13 looks is called, when one arm is small."""
    kinds: dict[str, tuple[Draw, MetricKind, int]] = {
        "binary, 0.5 %": (draws.binary(0.005), MetricKind.PROPORTION, 20_000),
        "ratio, 1 user in 20 clicks": (draws.ratio, MetricKind.RATIO, 1000),
        "revenue, 1 in 50 buys": (draws.revenue(buyers=0.02, sigma=1.0), MetricKind.MEAN, 10_000),
    }
    rows: list[Row] = []
    for seed, (name, (draw, kind, units)) in enumerate(kinds.items(), start=11):
        for control in (10, 20, 50, 90):
            part = units * control // 100
            weights = (control / 100, 1 - control / 100)
            study = Study(metrics=(Metric(kind=kind),), weights=weights, spent=even(13), days=91)
            world = World(draws=[draw], units=(part, units - part))
            seen = simulated(study, world, runs=runs, seed=(seed, control), chunk=250)
            rows.append(
                {
                    "metric": name,
                    "control : treatment": f"{control} : {100 - control}",
                    "false win": shares(*(one.ever(*WINS) for one in seen)),
                    "false harm": shares(*(one.ever(*HARMS) for one in seen)),
                }
            )
    return rows


def rare_events(runs: int) -> list[Row]:
    """Return how often a guardrail with few events is called harmed, or shown safe, when it is not; 12 looks."""
    rows: list[Row] = []
    units, looks = 50_000, 12
    for seed, expected in enumerate((0.5, 2, 5, 15), start=31):
        rate = expected / (units * looks)
        for weights in ((0.5, 0.5), (0.2, 0.8), (0.8, 0.2)):
            arms = [round(2 * units * share) for share in weights]
            both = [draws.binary(0.1), draws.binary(rate)]
            found = {}
            for margin, lift in ((0.0, 0.0), (2 * rate, 2.0)):
                study = Study(
                    metrics=(Metric(), Metric(role=Role.GUARDRAIL, margin=margin)), weights=weights, spent=even(looks)
                )
                world = World(draws=both, units=arms, lifts=[[0.0, 0.0], [0.0, lift]], events_are_bad=(1,))
                found[lift] = simulated(study, world, runs=runs, seed=(seed, round(10 * weights[0]), round(lift)))
            rows.append(
                {
                    "events expected in an arm of half": expected,
                    "control : treatment": f"{100 * weights[0]:.0f} : {100 * weights[1]:.0f}",
                    "false harm": shares(*(one.ever(Verdict.GUARDRAIL_HARM) for one in found[0.0])),
                    "false safety": shares(*(one.ever_safe() for one in found[2.0])),
                }
            )
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spending:
    """Orders since exposure, one in twenty days on average.

    early: the share of users who come in the first week, the others over all days. step: days between looks.
    differ: whether every user has a rate of their own, or all the same.
    """

    users: int
    early: float
    differ: bool
    step: int

    def looks(self, rng: np.random.Generator, *, runs: int) -> list[MomentArrays]:
        """Return cumulative moments at the looks of 84 days."""
        first = round(self.early * self.users)
        arrive = np.sort(np.concatenate([rng.integers(0, 7, first), rng.integers(0, _DAYS, self.users - first)]))
        total = np.zeros((runs, 2, self.users))
        rate = rng.gamma(0.5, 0.1, total.shape) if self.differ else np.full(total.shape, 0.05)
        found = []
        for day in range(_DAYS):
            there = int(np.searchsorted(arrive, day, side="right"))
            total[..., :there] += rng.poisson(rate[..., :there])
            if (day + 1) % self.step == 0:
                found.append(_moments(total[..., :there]))
        return found


def _moments(values: FloatArray) -> MomentArrays:
    runs, arms, units = values.shape
    means, covariances = np.zeros((runs, 1, arms, 4)), np.zeros((runs, 1, arms, 4, 4))
    means[..., 1] = means[..., 3] = 1
    means[:, 0, :, VALUE] = values.mean(axis=2)
    covariances[:, 0, :, VALUE, VALUE] = values.var(axis=2, ddof=1)
    return MomentArrays(counts=np.full((runs, 1, arms), float(units)), means=means, covariances=covariances)


def growing_totals(runs: int) -> list[Row]:
    """Return how often A/A tests of totals that keep growing are called, by design and by how soon people come.

    A fifth of the runs: every user is simulated every day.
    """
    rows: list[Row] = []
    fewer = -(-runs // 5)
    crowds = (("nine in ten in the first week", 0.9), ("evenly", 0.0))
    for (name, early), differ in product(crowds, (False, True)):
        for calendar, step in (("weekly", 7), ("daily", 1)):
            for design in (Design.GROUP_SEQUENTIAL, Design.CONFIDENCE_SEQUENCE):
                rng = np.random.default_rng([41, round(10 * early), differ, step])
                world = _Spending(users=1000, early=early, differ=differ, step=step)
                metric = Metric(kind=MetricKind.MEAN, is_growing=True)
                study = Study(metrics=(metric,), spent=even(_DAYS // step), design=design, planned_units=2000)
                seen = [follow(study, world.looks(rng, runs=min(100, fewer - begin))) for begin in range(0, fewer, 100)]
                rows.append(
                    {
                        "users come": name,
                        "and buy": "at their own rates" if differ else "at one rate",
                        "design": f"{design}, {calendar}",
                        "called": shares(*(one.ever(*WINS, *HARMS) for one in seen)),
                    }
                )
    return rows


def fixed_cause(runs: int) -> list[Row]:
    """Return how often A/A tests are called before or after the cause of an uneven split is fixed, both counted.

    The looks before are as if nobody had found the split uneven. What they call is void and would not be seen; but what
    they spent may not be spent again, as the second row of each pair does.
    """
    rows: list[Row] = []
    world = World(draws=[draws.binary(0.05)], units=(2000, 2000))
    for before in (2, 6, 10):
        for name, again in (("A(u) - A(u_v), as built", False), ("A(u) anew", True)):
            first = Study(metrics=(Metric(),), spent=even(12)[:before])
            then = Study(
                metrics=(Metric(),), spent=even(12)[before:], spent_before=0.0 if again else even(12)[before - 1]
            )
            parts = [
                simulated(study, world, runs=runs, seed=(51, before, place))
                for place, study in enumerate((first, then))
            ]
            called = [one.ever(*WINS, *HARMS) | other.ever(*WINS, *HARMS) for one, other in zip(*parts, strict=True)]
            rows.append({"looks before": before, "the looks after may spend": name, "called": shares(*called)})
    return rows


def several_treatments(runs: int) -> list[Row]:
    """Return how often some treatment of three is called in A/A/A/A tests, and flagged as moved."""
    rows: list[Row] = []
    for goals, guardrails in ((1, 0), (2, 0), (1, 2), (4, 3)):
        metrics = (*(Metric() for _ in range(goals)), *(Metric(role=Role.GUARDRAIL) for _ in range(guardrails)))
        study = Study(metrics=metrics, weights=(0.25,) * 4, spent=even(12))
        world = World(draws=[draws.binary(0.05)] * len(metrics), units=(2000,) * 4)
        seen = simulated(study, world, runs=runs, seed=(61, goals, guardrails))
        rows.append(
            {
                "goals": goals,
                "guardrails": guardrails,
                "any win or goal harm": shares(*(one.any_ever(*WINS, Verdict.GOAL_HARM) for one in seen)),
                "any guardrail harm": shares(*(one.any_ever(Verdict.GUARDRAIL_HARM) for one in seen)),
                "effect moved": shares(*(one.any_ever(Verdict.WIN_EFFECT_MOVED) for one in seen)),
            }
        )
    return rows


def whole_rule(runs: int) -> list[Row]:
    """Return how often a plan sized for a power of .8 passes its own rule, for the treatment that has the effect.

    One goal of the first treatment moves by the minimum effect; nothing else changes. Guardrails are independent.
    """
    rows: list[Row] = []
    rate, effect = 0.1, 0.01
    for goals, treatments, guardrails in product((1, 2), (1, 3), range(6)):
        arms = 1 + treatments
        weights = (1 / arms,) * arms
        units = _sized(rate, effect, goals=goals, guardrails=guardrails, weights=weights)
        metrics = (
            *(Metric(minimum_effect=effect) for _ in range(goals)),
            *(Metric(role=Role.GUARDRAIL, margin=effect) for _ in range(guardrails)),
        )
        still = [0.0] * arms
        world = World(
            draws=[draws.binary(rate)] * len(metrics),
            units=(ceil(units / arms / 12),) * arms,
            lifts=[[0.0, effect / rate, *still[2:]], *([still] * (len(metrics) - 1))],
        )
        study = Study(metrics=metrics, weights=weights, spent=even(12))
        seen = simulated(study, world, runs=runs, seed=(71, goals, treatments, guardrails))
        rows.append(
            {
                "goals": goals,
                "treatments": treatments,
                "guardrails with a margin": guardrails,
                "units": units,
                "passes": shares(*(one.ever(Verdict.WIN)[:, 0] for one in seen)),
                "won at all": shares(*(one.ever(*WINS)[:, 0] for one in seen)),
            }
        )
    return rows


def _sized(rate: float, effect: float, *, goals: int, guardrails: int, weights: tuple[float, ...]) -> int:
    treatments = len(weights) - 1

    def condition(role: Role, metrics: int) -> Condition:
        target = Target(kind=MetricKind.PROPORTION, baseline=rate, role=role)
        budget = Budget(weights=weights, comparisons=metrics * treatments)
        return Condition(target=target, effect=effect, budget=budget)

    asked = [condition(Role.GOAL, goals)] + [condition(Role.GUARDRAIL, guardrails) for _ in range(guardrails)]
    return rule_size(asked, power=POWER).total


STUDIES: dict[str, Callable[[int], list[Row]]] = {
    "unequal shares": unequal_shares,
    "rare events": rare_events,
    "growing totals": growing_totals,
    "fixed cause": fixed_cause,
    "several treatments": several_treatments,
    "whole rule": whole_rule,
}


def at_most(share: float, runs: int) -> float:
    """Return what a true share stays below in 999 of 1,000 such simulations."""
    return share + 3.09 * sqrt(share * (1 - share) / runs)


def _number(row: Row, name: str) -> float:
    return float(str(row[name]))


def _unequal_within(row: Row, runs: int) -> bool:
    # Proportions of a small arm are a little above what is paid: STATISTICS has .026.
    return _number(row, "false win") <= at_most(0.026, runs)


def _rare_within(row: Row, runs: int) -> bool:
    return max(_number(row, "false harm"), _number(row, "false safety")) <= at_most(0.025, runs)


def _growing_within(row: Row, runs: int) -> bool:
    return str(row["design"]).startswith(Design.GROUP_SEQUENTIAL) or _number(row, "called") <= at_most(0.05, runs)


def _fixed_within(row: Row, runs: int) -> bool:
    return str(row["the looks after may spend"]).endswith("anew") or _number(row, "called") <= at_most(0.05, runs)


def _several_within(row: Row, runs: int) -> bool:
    harms = _number(row, "any guardrail harm") <= at_most(0.025, runs)
    return harms and _number(row, "any win or goal harm") <= at_most(0.05, runs)


def _rule_within(row: Row, runs: int) -> bool:
    least = 0.95 * POWER
    return _number(row, "passes") >= least - 3.09 * sqrt(least * (1 - least) / runs)


LIMITS: dict[str, Callable[[Row, int], bool]] = {
    "unequal shares": _unequal_within,
    "rare events": _rare_within,
    "growing totals": _growing_within,
    "fixed cause": _fixed_within,
    "several treatments": _several_within,
    "whole rule": _rule_within,
}
"""Whether a row is as it should be."""
