"""Simulated experiments with weekly and daily looks: how often they are called, without an effect and with one.

A small version of `benchmarks/calibration.py`, whose table is in docs/statistics.md: every run goes through the batch
that every look goes through. Seeds are fixed; bounds are binomial, some four standard deviations wide.
"""

from dataclasses import replace
from functools import lru_cache
from math import nan, sqrt

import numpy as np
import pytest
from benchmarks.calibrating.studies import LIMITS, STUDIES
from benchmarks.calibration import (
    CALENDARS,
    DESIGNS,
    GROUP_SEQUENTIAL,
    ONE_LOOK,
    PLANNED,
    SCENARIOS,
    Calls,
    Scenario,
    largest_share,
    look_at,
    paired_ratio,
    paths,
    simulate,
)

from labcoat.stats import readout, sequential
from labcoat.stats.moments import VALUE, MomentArrays
from labcoat.stats.results import Readout, Verdict
from labcoat.stats.rule import Design, Joint, Moments, Sample
from labcoat.stats.verdict import VERDICTS
from stats.builders import a_metric, a_rule, array, compared

RUNS = 500
BINARY = SCENARIOS[0]
# The others in the tests have fewer units than in the benchmark: what is checked here is the way, not the table.
SMALL = {scenario.name: replace(scenario, per_week=200) for scenario in SCENARIOS}


@lru_cache(maxsize=len(SMALL))
def _simulated(name: str) -> dict[tuple[str, str], Calls]:
    return simulate(SMALL[name], runs=RUNS)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("calendar", ["weekly", "daily"])
@pytest.mark.parametrize("design", DESIGNS)
def test_calibration_without_an_effect_one_in_twenty_is_called_at_most(name: str, calendar: str, design: str) -> None:
    calls = _simulated(name)[calendar, design]

    assert calls.called.mean() <= largest_share(RUNS)
    assert calls.crossed.mean() <= largest_share(RUNS)
    # Three guardrails share another alpha, of which harm is one side.
    assert calls.whole.mean() <= 0.075 + 4 * sqrt(0.075 * 0.925 / RUNS)


@pytest.mark.parametrize("name", [name for name in SMALL if "heavy" not in name])
@pytest.mark.parametrize("calendar", ["weekly", "daily"])
def test_calibration_looking_on_the_way_costs_little_power(name: str, calendar: str) -> None:
    calls = _simulated(name)
    ratio, _ = paired_ratio(calls[calendar, GROUP_SEQUENTIAL].won, calls[calendar, ONE_LOOK].won)

    assert ratio == pytest.approx(0.97, abs=0.06)


@pytest.mark.parametrize("calendar", ["weekly", "daily"])
def test_calibration_the_smallest_effect_worth_having_is_hardly_ever_dismissed(calendar: str) -> None:
    calls = _simulated(BINARY.name)

    for design in DESIGNS:
        assert calls[calendar, design].dismissed.mean() <= 0.025 + 4 * sqrt(0.025 * 0.975 / RUNS)


def test_calibration_a_confidence_sequence_calls_less_and_finds_less() -> None:
    calls = _simulated(BINARY.name)
    sequence, fixed = calls["weekly", PLANNED], calls["weekly", ONE_LOOK]

    assert sequence.called.mean() < 0.03
    # The project's own earlier simulation: .35 of .68.
    assert sequence.won.mean() / fixed.won.mean() == pytest.approx(0.57, abs=0.12)


def test_calibration_what_it_is_for_a_fixed_test_at_every_look_calls_one_in_five() -> None:
    runs = 4000
    events = np.random.default_rng(107).binomial(2000, 0.05, (12, runs, 2)).cumsum(axis=0)
    counts = np.broadcast_to(2000.0 * np.arange(1, 13)[:, np.newaxis, np.newaxis], events.shape)
    means = events / counts

    effect = compared(counts, means, means * (1 - means))

    called = (np.abs(effect.difference) > 1.959964 * effect.standard_error).any(axis=(0, 2))
    assert np.mean(called) == pytest.approx(0.205, abs=4 * sqrt(0.205 * 0.795 / runs))


def test_calibration_group_sequential_power_is_what_the_recursion_says() -> None:
    runs = 10_000
    events = np.random.default_rng(103).binomial(2000, (0.05, 0.055), (12, runs, 2)).cumsum(axis=0)
    counts = np.broadcast_to(2000.0 * np.arange(1, 13)[:, np.newaxis, np.newaxis], events.shape)
    means = events / counts
    effect = compared(counts, means, means * (1 - means))
    shares = tuple(week / 12 for week in range(1, 13))
    ks = sequential.boundary(shares, shares, 0.05)

    won = (effect.difference > array(*ks)[:, np.newaxis, np.newaxis] * effect.standard_error).any(axis=(0, 2))

    drift = 0.005 / sqrt((0.05 * 0.95 + 0.055 * 0.945) / 24_000)
    expected = sequential.power(ks, shares, drift=drift)
    assert expected == pytest.approx(0.67, abs=0.01)
    assert np.mean(won) == pytest.approx(expected, abs=4 * sqrt(expected * (1 - expected) / runs))


@pytest.mark.parametrize("scenario", [SMALL[scenario.name] for scenario in SCENARIOS], ids=lambda one: one.name)
def test_a_batch_of_many_experiments_decides_as_one_readout_after_the_other(scenario: Scenario) -> None:
    runs, weeks = 20, CALENDARS["weekly"]
    rng = np.random.default_rng(108)
    control, _, better = paths(scenario, rng, runs=runs, lift=0.4)
    together = look_at(scenario, GROUP_SEQUENTIAL, weeks, control=control, treatment=better, minimum=1e-4, guards=False)
    verdicts = together.table.verdicts.reshape(runs, len(weeks))
    lows = together.estimates.low.reshape(runs, len(weeks))

    for run in range(runs):
        past: tuple[Readout, ...] = ()
        for day in weeks:
            arms = tuple(_plain(arm, run, day) for arm in (control, better))
            sample = Sample(exposed=(arms[0].count, arms[1].count), moments={"orders": arms})
            rule = a_rule(
                a_metric(kind=scenario.kind, minimum_effect=1e-4),
                design=Design.GROUP_SEQUENTIAL,
                planned_days=84,
            )
            look = readout.read(rule, sample, day=float(day), past=past)
            assert isinstance(look, Readout)
            past = (*past, look)

        alone = [nan if one.estimates[0].low is None else one.estimates[0].low for one in past]
        assert alone == pytest.approx(lows[run].tolist(), rel=1e-6, nan_ok=True)
        first = next((place for place, code in enumerate(verdicts[run]) if VERDICTS[code] in _CALLED), None)
        if first is not None:
            # A crossing stands, which the batch's rows, all without a past, do not know.
            assert {one.verdict for one in past[first:]} == {VERDICTS[verdicts[run, first]]}


_CALLED = (Verdict.WIN, Verdict.GOAL_HARM)


def _plain(moments: MomentArrays, run: int, day: int) -> Moments:
    mean, matrix = moments.means[run, day - 1].tolist(), moments.covariances[run, day - 1].tolist()
    return Moments(
        count=int(moments.counts[run, day - 1]),
        mean=mean[0],
        variance=matrix[0][0],
        joint=Joint(
            means=(mean[1], mean[2], mean[3]),
            covariances=(tuple(matrix[0]), tuple(matrix[1]), tuple(matrix[2]), tuple(matrix[3])),
        ),
    )


def test_rounding_in_sums_is_no_data_error() -> None:
    # The constant denominator of a mean has a covariance of 1e-13 with the value when both come from sums.
    scenario = SMALL["revenue, 200"]
    control, same, _ = paths(scenario, np.random.default_rng(1), runs=50, lift=0.1)

    analysis = look_at(scenario, ONE_LOOK, (84,), control=control, treatment=same, minimum=0.1, guards=False)

    assert np.abs(control.covariances[..., VALUE, 1]).max() > 0
    assert (analysis.estimates.missing == 0).all()


@pytest.mark.parametrize("name", STUDIES)
def test_calibration_of_single_rules(name: str) -> None:
    for row in STUDIES[name](400):
        assert LIMITS[name](row, 400), row


def test_calibration_what_the_fix_of_a_cause_spends_may_not_be_spent_twice() -> None:
    """The control of the study: with A(u) anew, two paths of looks call .075 of A/A tests."""
    rows = STUDIES["fixed cause"](4000)

    assert (
        max(float(str(row["called"])) for row in rows if str(row["the looks after may spend"]).endswith("anew")) > 0.06
    )
