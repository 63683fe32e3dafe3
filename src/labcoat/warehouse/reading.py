"""Read an experiment's moments from where the user's data is: the one entry to the warehouse.

Only counts, means and variances come back. What would make them wrong is refused, never repaired.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import NamedTuple

from pydantic import TypeAdapter

from labcoat.stats.results import Direction, MetricKind, Moments, Sample
from labcoat.warehouse import duckdb_source, sql
from labcoat.warehouse.duckdb_source import OpenSource
from labcoat.warehouse.errors import NoRowsYet, SourceError
from labcoat.warehouse.metrics_file import Metric, MetricsFile

_REQUIRED = ("unit", "variant", "value")
_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*|VARCHAR|\"?NULL\"?|BOOLEAN")
_TIME = re.compile(r"TIMESTAMP.*|DATE|VARCHAR|\"?NULL\"?")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDescription:
    """What a person needs to choose a metric."""

    name: str
    kind: MetricKind
    direction: Direction
    description: str
    window_days: float


class _Group(NamedTuple):
    """One variant as `sql.aggregate` gives it: units, and units that make it wrong (`unnamed`: rows)."""

    variant: str | None
    exposed: int
    measured: int
    mean: float | None
    variance: float | None
    not_numbers: int
    not_binary: int
    unnamed: int
    crossed: int
    repeated: int
    untimed: int


_GROUPS = TypeAdapter(tuple[_Group, ...])


def describe(metrics_file: MetricsFile) -> tuple[MetricDescription, ...]:
    """Return the file's metrics, in its order."""
    return tuple(
        MetricDescription(
            name=name,
            kind=metric.kind,
            direction=metric.direction,
            description=metric.description,
            window_days=metric.window_days,
        )
        for name, metric in metrics_file.metrics.items()
    )


def read_sample(
    metrics_file: MetricsFile,
    *,
    metrics: tuple[str, ...],
    variants: tuple[str, ...],
    experiment_key: str,
    since: datetime | None,
    until: datetime | None,
) -> Sample:
    """Return what the data says about an experiment as of `until`.

    metrics: the goal first; its units are the exposed ones, whether or not their window has closed.
    variants: all of the plan, control first. A variant without rows gets count 0, mean 0 and variance 0.
    since, until: aware UTC, of the first exposure, the end excluded; None for no bound.
    Raises NoRowsYet if a metric has no unit at all, SourceError for anything that would make the numbers wrong.
    """
    chosen = {name: _metric(metrics_file, name) for name in metrics}
    groups: dict[str, dict[str, _Group]] = {}
    for source_name in dict.fromkeys(metric.source for metric in chosen.values()):
        mine = {name: metric for name, metric in chosen.items() if metric.source == source_name}
        tables = frozenset().union(*(_table_names(metric, name=name) for name, metric in mine.items()))
        with duckdb_source.opened(metrics_file.sources[source_name], name=source_name, tables=tables) as source:
            for name, metric in mine.items():
                found = _read(source, metric, name=name, experiment_key=experiment_key, since=since, until=until)
                _refuse_wrong(found, metric, name=name, variants=variants, experiment_key=experiment_key)
                groups[name] = {group.variant: group for group in found if group.variant is not None}
    goal = groups[metrics[0]]
    return Sample(
        exposed=tuple(goal[variant].exposed if variant in goal else 0 for variant in variants),
        moments={
            name: tuple(_moments(groups[name].get(variant), kind=metric.kind) for variant in variants)
            for name, metric in chosen.items()
        },
    )


def _metric(metrics_file: MetricsFile, name: str) -> Metric:
    if name in metrics_file.metrics:
        return metrics_file.metrics[name]
    near = get_close_matches(name, metrics_file.metrics, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"It has: {', '.join(metrics_file.metrics)}."
    message = f"The metrics file has no metric {name}. {hint}"
    raise SourceError(message, permanent=True)


def _table_names(metric: Metric, *, name: str) -> frozenset[str]:
    try:
        return sql.table_names(metric.sql)
    except sql.SqlError as error:
        message = f"Metric {name}: {error}"
        raise SourceError(message, permanent=True) from error


def _read(
    source: OpenSource,
    metric: Metric,
    *,
    name: str,
    experiment_key: str,
    since: datetime | None,
    until: datetime | None,
) -> tuple[_Group, ...]:
    try:
        columns = source.columns(sql.columns_query(metric.sql))
        _refuse_columns(columns, metric)
        query = sql.aggregate(
            metric.sql,
            experiment_key=experiment_key if "experiment" in columns else None,
            has_exposed_at="exposed_at" in columns,
            since=since,
            until=until,
            window_days=metric.window_days,
        )
        return _GROUPS.validate_python(tuple(source.rows(query)))
    except SourceError as error:
        message = f"Metric {name}: {error.message}"
        raise SourceError(message, permanent=error.permanent) from error


def _refuse_columns(columns: Mapping[str, str], metric: Metric) -> None:
    missing = [column for column in _REQUIRED if column not in columns]
    if metric.window_days and "exposed_at" not in columns:
        missing.append("exposed_at")
    if missing:
        why = " (its window needs it)" if missing == ["exposed_at"] else ""
        message = f"The SQL gives no column {missing[0]}{why}. It gives: {', '.join(columns)}."
        raise SourceError(message, permanent=True)
    value, exposed_at = columns["value"], columns.get("exposed_at", "TIMESTAMP")
    if not _NUMBER.fullmatch(value):
        message = f"Its values are of type {value}, not numbers. Change `value` in its SQL."
        raise SourceError(message, permanent=True)
    if value == "BOOLEAN" and metric.kind is not MetricKind.PROPORTION:
        message = "Its values are true or false. Set `kind: proportion`."
        raise SourceError(message, permanent=True)
    if not _TIME.fullmatch(exposed_at):
        message = f"exposed_at is of type {exposed_at}. Cast it to TIMESTAMP, in UTC."
        raise SourceError(message, permanent=True)


def _refuse_wrong(
    groups: tuple[_Group, ...], metric: Metric, *, name: str, variants: tuple[str, ...], experiment_key: str
) -> None:
    """Refuse what would make the numbers wrong; the first reason explains the ones after it."""
    if not groups:
        message = f"Metric {name} has no rows of {experiment_key} yet."
        raise NoRowsYet(message)
    for wrong in _reasons(groups, metric, variants=variants):
        message = f"Metric {name} has {wrong}"
        raise SourceError(message, permanent=True)


def _reasons(groups: tuple[_Group, ...], metric: Metric, *, variants: tuple[str, ...]) -> Iterable[str]:
    if count := sum(group.unnamed for group in groups):
        yield f"{_some(count, 'row')} without a unit. Leave them out in its SQL."
    if count := sum(group.untimed for group in groups):
        yield f"{_some(count, 'unit')} without a time in exposed_at. Leave out units that were never exposed."
    if count := sum(group.crossed for group in groups):
        yield f"{_some(count, 'unit')} in two variants. If these are several experiments, give a column `experiment`."
    if count := sum(group.repeated for group in groups):
        yield f"{_some(count, 'unit')} with several rows. Aggregate to one row per unit: GROUP BY unit, variant."
    if unplanned := [group.variant for group in groups if group.variant not in variants]:
        shown = ", ".join("(empty)" if variant is None else variant[:75] for variant in unplanned[:3])
        more = f" and {len(unplanned) - 3} more" if len(unplanned) > 3 else ""
        yield f"a variant that is not in the plan: {shown}{more}. The plan has {', '.join(variants)}."
    if count := sum(group.not_numbers for group in groups):
        are = "that is not a number" if count == 1 else "that are not numbers"
        yield f"{_some(count, 'value')} {are} (empty, text, NaN or infinite). If empty means 0, say COALESCE(value, 0)."
    if metric.kind is MetricKind.PROPORTION and (count := sum(group.not_binary for group in groups)):
        yield f"{_some(count, 'value')} other than 0 and 1. A proportion needs 0 or 1 per unit; else set `kind: mean`."
    if any(not math.isfinite(number) for group in groups for number in (group.mean or 0.0, group.variance or 0.0)):
        yield "values too large to average. Use a larger unit or cap them in its SQL."


def _some(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> _some(1200, "unit")
    '1,200 units'
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _moments(group: _Group | None, *, kind: MetricKind) -> Moments:
    if group is None or group.mean is None:
        return Moments(count=0, mean=0.0, variance=0.0)
    if kind is MetricKind.PROPORTION:
        return Moments(count=group.measured, mean=group.mean, variance=group.mean * (1 - group.mean))
    return Moments(count=group.measured, mean=group.mean, variance=group.variance or 0.0)  # one unit has none
