"""Check Labcoat on a team's own past: split units at random, let the looks of a plan run, and count what they call."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from labcoat.stats import entry
from labcoat.stats.rule import Design, MetricKind, MetricRule, Role, Rule
from labcoat.warehouse import reading, replaying
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.replaying import Asked
from labcoat.warehouse.resolving import AskedMetric

WEEK = 7
SPLITS, SPLITS_OF_GROWING = 500, 50
MOST_SPLITS, MOST_DAYS = 2000, 120
ALPHA = 0.05
"""As plans have it unless people change it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of it.

    since, until: of the exposures, the end excluded. rows, incomplete: of the exposures, and those left out.
    exposed, counted: units, and those that count by the end. mean, gain: as `stats.replay.UnitsTogether`.
    has_covariate: whether the metrics file gives the metric one.
    """

    metric: str
    kind: MetricKind
    exposures: str
    since: datetime
    until: datetime
    days: int
    window_days: float
    is_growing: bool
    rows: int
    incomplete: int
    exposed: int
    counted: int
    splits: int
    seed: int
    mean: float
    has_covariate: bool
    gain: float | None
    calls: tuple[entry.Calls, ...]

    @property
    def is_within(self) -> bool:
        """Whether no plan called more than it promises, chance allowed for."""
        return not any(one.is_more for one in self.calls)


def replay(
    metrics_file: MetricsFile,
    name: str,
    *,
    exposures: str | None,
    until: datetime,
    days: int,
    splits: int | None,
    seed: int,
    told: Callable[[int, int], object],
) -> Replayed:
    """Return what the looks call of past units split at random; raise SourceError.

    exposures: None for the metric's own. until: the end of the last whole day. splits: None for as many as the metric
    is worth: each look at values that grow reads all units anew. told: hears of the queries that are done, of all.
    """
    metric = reading.metric_of(metrics_file, name)
    measuring = reading.measuring_of(metric)
    if days <= measuring.window_days:
        message = (
            f"Metric {name} has a window of {measuring.window_days:g} days, so in {days} days no unit counts. Take in "
            "more days with `--days`."
        )
        raise SourceError(message, permanent=True)
    weekly = tuple(sorted({*range(WEEK, days + 1, WEEK), days}))
    asked = Asked(
        metric=AskedMetric(name=name, metric=metric, measuring=measuring),
        exposures=exposures or metrics_file.exposures_of(metric),
        until=until,
        days=days,
        look_days=weekly,
        splits=splits or (SPLITS_OF_GROWING if metric.is_growing else SPLITS),
        seed=seed,
    )
    past = replaying.read(metrics_file, asked, told=told)
    rule = Rule(
        design=Design.CONFIDENCE_SEQUENCE,
        alpha=ALPHA,
        planned_days=days,
        variants=("control", "treatment"),
        weights=(0.5, 0.5),
        metrics=(
            MetricRule(
                name=name,
                role=Role.GOAL,
                kind=metric.kind,
                direction=metric.direction,
                is_complete_at_exposure=metric.complete_at_exposure,
            ),
        ),
        window_days=measuring.window_days,
        planned_units=past.exposed,
    )
    together = entry.together(past.splits, metric.kind)
    return Replayed(
        metric=name,
        kind=metric.kind,
        exposures=asked.exposures,
        since=asked.since,
        until=until,
        days=days,
        window_days=measuring.window_days,
        is_growing=metric.is_growing,
        rows=past.rows,
        incomplete=past.incomplete,
        exposed=past.exposed,
        counted=past.counted,
        splits=asked.splits,
        seed=seed,
        mean=together.mean,
        has_covariate="c" in past.splits.columns,
        gain=together.gain,
        calls=entry.replay(past.splits, list(_plans(rule, weekly=weekly, is_growing=metric.is_growing))),
    )


def _plans(rule: Rule, *, weekly: tuple[int, ...], is_growing: bool) -> Iterator[tuple[Rule, tuple[int, ...]]]:
    """Yield the designs that a plan with this goal may have, with the days of their looks; the usual one first."""
    if is_growing:
        yield rule, weekly
        return
    days = weekly[-1]
    daily = tuple(range(1, days + 1))
    for design in (Design.GROUP_SEQUENTIAL, Design.CONFIDENCE_SEQUENCE):
        for looks in (weekly, daily):
            yield replace(rule, design=design), looks
    yield replace(rule, design=Design.ONE_LOOK), (days,)
