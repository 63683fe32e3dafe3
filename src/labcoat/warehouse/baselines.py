"""Measure what metrics were for recent units: baseline, deviation, units per day, and what a covariate takes away.

Only sums over all units of a population come back, of at least FEWEST_UNITS: nothing of an experiment or a variant.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from labcoat.domain.baseline import Baseline
from labcoat.stats import entry
from labcoat.stats.entry import UnitValue
from labcoat.stats.rule import Moments
from labcoat.warehouse import connections, definitions, groups, population, reading
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.groups import Answer
from labcoat.warehouse.measures import Measure
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.population import EVERYBODY, Period
from labcoat.warehouse.resolving import AskedMetric

TRIAL_DAYS = 14.0
"""Of the pre-period that is tried where a metric has none, to say what CUPED would save."""
FEWEST_UNITS = 100
"""Of fewer units a mean says little, and might say something of somebody."""


def definition(metrics_file: MetricsFile, name: str) -> str:
    """Return a short hash of what decides a metric's baseline."""
    return definitions.hash_of(metrics_file, name, reading.measuring_of(metrics_file.metrics[name]))


def measure(metrics_file: MetricsFile, names: Collection[str], *, now: datetime) -> dict[str, Baseline | SourceError]:
    """Return the baseline of each metric, or why it has none; metrics with the same population share one query.

    names: of metrics of the file.
    """
    found: dict[str, Baseline | SourceError] = {}
    for exposures, asked in _by_population(metrics_file, names):
        period = population.recent(now, window_days=asked[0].measuring.window_days)
        try:
            # First without any metric: what is wrong with the exposures is not asked again for each of them.
            days = _days(metrics_file, exposures, period)
        except SourceError as error:
            found |= dict.fromkeys((one.name for one in asked), error)
        else:
            found |= _measured(metrics_file, exposures, asked, period=period, days=days, now=now)
    return {name: found[name] for name in names}


def _by_population(metrics_file: MetricsFile, names: Collection[str]) -> Iterator[tuple[str, list[AskedMetric]]]:
    """Yield the metrics that one query can measure, with the name of their exposures."""
    apart: dict[tuple[str, float, bool], list[AskedMetric]] = {}
    for name in names:
        metric = metrics_file.metrics[name]
        asked = _with_trial(metrics_file, AskedMetric(name=name, metric=metric, measuring=reading.measuring_of(metric)))
        key = (metrics_file.exposures_of(metric), asked.measuring.window_days, metric.has_own_rows)
        apart.setdefault(key, []).append(asked)
    for (exposures, _, _), asked_together in apart.items():
        yield exposures, asked_together


def _with_trial(metrics_file: MetricsFile, asked: AskedMetric) -> AskedMetric:
    """Return the metric with a pre-period to try, where it has no covariate as far as the file tells."""
    metric = asked.metric
    if metric.pre_period_days or metric.covariate is not None or not metrics_file.can_have_window(metric):
        return asked
    return replace(asked, measuring=replace(asked.measuring, pre_period_days=TRIAL_DAYS))


def _trial_days(asked: AskedMetric) -> float | None:
    is_trial = asked.measuring.pre_period_days and not asked.metric.pre_period_days
    return asked.measuring.pre_period_days if is_trial else None


def _days(metrics_file: MetricsFile, name: str, period: Period) -> int | None:
    """Return on how many days anybody was exposed; None where exposures have no time."""
    exposures = metrics_file.exposures[name]
    with connections.opened(metrics_file, exposures, ()) as source:
        text = population.days_query(source, metrics_file, exposures, period=period)
        if text is None:
            return None
        ((days,),) = source.rows(text)
    return int(str(days))


def _measured(
    metrics_file: MetricsFile,
    name: str,
    asked: Sequence[AskedMetric],
    *,
    period: Period,
    days: int | None,
    now: datetime,
) -> dict[str, Baseline | SourceError]:
    """Return what these metrics were; where their query fails each half is asked alone, so that one hides no other."""
    exposures = metrics_file.exposures[name]
    try:
        with connections.opened(metrics_file, exposures, asked) as source:
            text, resolved = population.query(source, metrics_file, exposures, asked, period=period)
            (answer,) = groups.parse(source.rows(text), resolved.measures, asked=asked)
    except SourceError as error:
        if len(asked) == 1 and _trial_days(asked[0]) is not None:
            plain = replace(asked[0], measuring=replace(asked[0].measuring, pre_period_days=0.0))
            return _measured(metrics_file, name, [plain], period=period, days=days, now=now)
        if len(asked) == 1:
            return {asked[0].name: error}
        halves = (asked[: len(asked) // 2], asked[len(asked) // 2 :])
        return {
            metric: found
            for half in halves
            for metric, found in _measured(metrics_file, name, half, period=period, days=days, now=now).items()
        }
    of = period if resolved.exposures.exposed_at is not None else None
    found: dict[str, Baseline | SourceError] = {}
    for one, measure_ in zip(asked, resolved.measures, strict=True):
        try:
            groups.refuse_wrong(answer, answer.found((EVERYBODY,)), (one,), key=name)
            value = _value(answer, one, measure_)
        except SourceError as error:
            found[one.name] = error
            continue
        units = _moments(answer, one).count
        found[one.name] = Baseline(
            metric=one.name,
            definition=definition(metrics_file, one.name),
            measured_at=now,
            since=of.since if of is not None else None,
            until=of.until if of is not None else None,
            units=units,
            units_per_day=units / days if of is not None and days else None,
            mean=value.mean,
            deviation=value.deviation,
            variance_reduction=value.variance_reduction,
            trial_days=_trial_days(one),
        )
    return found


def _moments(answer: Answer, asked: AskedMetric) -> Moments:
    (group,) = answer.groups
    return groups.moments(group, asked)


def _value(answer: Answer, asked: AskedMetric, measure_: Measure) -> UnitValue:
    """Return what the metric was; raise SourceError where too few units or its denominator say nothing."""
    moments = _moments(answer, asked)
    if moments.count < FEWEST_UNITS:
        few = f"{moments.count:,} unit{'s were' if moments.count != 1 else ' was'}"
        message = f"Only {few} exposed in that time; {FEWEST_UNITS} are needed for a baseline."
        raise SourceError(message, permanent=False)
    value = entry.of_units(moments, kind=asked.metric.kind, has_covariate="c" in measure_.columns)
    if value is None:
        message = f"Metric {asked.name}: its denominator is too near 0 for a ratio."
        raise SourceError(message, permanent=True)
    return value
