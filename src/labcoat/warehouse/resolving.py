"""Find the columns that the metrics file means among those the data has, and say what is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from labcoat.domain.findings import FoundColumn
from labcoat.domain.plan import Measuring, SameDay
from labcoat.stats.rule import MetricKind
from labcoat.warehouse import bounding, found_columns
from labcoat.warehouse.bounding import DayColumn
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.exposed_units import EXPOSURES
from labcoat.warehouse.measures import DAY_SECONDS, ExposureColumns, Measure
from labcoat.warehouse.metrics_file import COVARIATE_WITH_TIME, Exposures, Metric
from labcoat.warehouse.naming import Named
from labcoat.warehouse.source_columns import Asking, rows_of
from labcoat.warehouse.sql import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMetric:
    """A metric to measure. measuring: goes before what the metrics file says."""

    name: str
    metric: Metric
    measuring: Measuring


_Scan = tuple[Rows, str, str | None, SameDay | None, DayColumn | None]
"""Rows, how their unit, their time and the exposure's own day are read, and what they are kept apart by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What the query needs: expressions over the user's rows, and which rows each stand-in means.

    found: what the columns of the exposures are, by field.
    """

    exposures: ExposureColumns
    measures: tuple[Measure, ...]
    rows: Mapping[str, Rows]
    found: Mapping[str, FoundColumn | None] = field(default_factory=dict)


def resolve(asking: Asking, exposures: Exposures, metrics: Sequence[AskedMetric]) -> Resolved:
    """Return the query's parts; raise SourceError naming the column that is missing or of a wrong type."""
    seen = Named("Exposures", exposures, asking)
    found = ExposureColumns(
        unit=seen.expression("unit"),
        variant=f"CAST({seen.expression('variant')} AS TEXT)",
        exposed_at=seen.time("exposed_at"),
        experiment=seen.text("experiment"),
        is_unit_text=seen.may_be_text("unit"),
        untimed=seen.untimed("exposed_at"),
        time_days=bounding.of_time(seen.find("exposed_at"), dialect=asking.dialect),
        partition=seen.partition("exposed_at"),
    )
    stand_ins: dict[_Scan, str] = {}
    measures = tuple(
        replace(
            _measure(asked, asking, seen, found, stand_ins),
            found=_found_columns(asked, asking, exposures, seen),
        )
        for asked in metrics
    )
    rows = {name: mine for (mine, *_), name in stand_ins.items()}
    return Resolved(
        exposures=found,
        measures=measures,
        rows={EXPOSURES: rows_of(exposures), **rows},
        found=found_columns.of_exposures(exposures, seen, asking),
    )


def _measure(
    asked: AskedMetric,
    asking: Asking,
    seen: Named,
    exposures: ExposureColumns,
    stand_ins: dict[_Scan, str],
) -> Measure:
    metric, who = asked.metric, f"Metric {asked.name}"
    named, unit, time, stand_in, partition = seen.read_by(who, metric), "", None, None, None
    # A plan of before it was asked for has none: then it is the file's.
    same_day = asked.measuring.same_day or metric.same_day
    if metric.has_own_rows:
        named = Named(who, metric, asking)
        named.require_same_type(seen, "unit")
        named.require_one_unit(seen)
        unit, time = named.expression("unit", default=seen.find("unit")), named.time("time")
        partition = named.partition("time")
        # Metrics that read the same rows in the same way share one scan.
        scan = (rows_of(metric), unit, time, same_day, partition)
        stand_in = stand_ins.setdefault(scan, f"labcoat_rows_{len(stand_ins)}")
    _require_times(asked, time=time, exposures=exposures, who=who)
    if same_day is not None and asked.measuring.window_days % 1:
        message = f"{who}: with `same_day` its window is whole days. Write `window_days` as 1, 7 ..."
        raise SourceError(message, permanent=True, field="window_days")
    if time is not None and named.find("covariate") is not None and not asked.measuring.pre_period_days:
        message = f"{who}: {COVARIATE_WITH_TIME}."
        raise SourceError(message, permanent=True, field="covariate")
    is_ratio = metric.kind is MetricKind.RATIO
    covariate = None if asked.measuring.pre_period_days else named.number("covariate", is_needed=False)
    mine = named.taken_beside(seen) if metric.has_own_rows else ()
    return Measure(
        kind=metric.kind,
        rows=stand_in,
        unit=unit,
        is_unit_text=named.may_be_text("unit", default=seen.find("unit")),
        time=time,
        untimed=None if time is None else named.untimed("time"),
        value=named.number("value", is_needed=not metric.has_own_rows),
        denominator=named.number("denominator") if is_ratio else None,
        covariate=covariate,
        covariate_denominator=named.number("covariate_denominator") if is_ratio and covariate else None,
        window_seconds=round(asked.measuring.window_days * DAY_SECONDS),
        pre_seconds=round(asked.measuring.pre_period_days * DAY_SECONDS),
        cap=asked.measuring.cap,
        floor=asked.measuring.floor,
        same_day=same_day,
        is_day=time is not None and named.is_day("time"),
        time_days=None if time is None else bounding.of_time(named.find("time"), dialect=asking.dialect),
        partition=partition,
        taken=(*(f"exposures.{field}" for field in seen.taken), *mine),
    )


def _found_columns(
    asked: AskedMetric, asking: Asking, exposures: Exposures, seen: Named
) -> Mapping[str, FoundColumn | None]:
    metric, who = asked.metric, f"Metric {asked.name}"
    return found_columns.of_metric(
        metric,
        Named(who, metric, asking) if metric.has_own_rows else seen.read_by(who, metric),
        asking,
        exposures=exposures,
        unit=seen.find("unit"),
        has_pre_period=bool(asked.measuring.pre_period_days),
    )


def _require_times(asked: AskedMetric, *, time: str | None, exposures: ExposureColumns, who: str) -> None:
    if exposures.exposed_at is None and (asked.measuring.window_days or time is not None):
        why = "its window needs it" if asked.measuring.window_days else "the time of its rows is compared with it"
        message = f"{who}: its exposures have no column exposed_at, and {why}."
        raise SourceError(message, permanent=True)
    if asked.measuring.pre_period_days and time is None:
        message = f"{who}: `pre_period_days` needs `time`, the column of each row's time."
        raise SourceError(message, permanent=True)
