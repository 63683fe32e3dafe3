"""What `labcoat metrics` prints: a table of the metrics, and what each part of the file gives on the data."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from labcoat.domain.plan import PlannedMetric
from labcoat.stats.rule import MetricKind
from labcoat.warehouse.checking import Checked, ExposuresSeen, MetricSeen
from labcoat.warehouse.metrics_file import Metric, MetricsFile
from labcoat.warehouse.reading import MetricDescription
from labcoat.words import health, numbers

MEANING_LENGTH = 150
MOST_EXPERIMENTS = 10
"""Shown of each exposures, the newest first."""


def meaning(metric: MetricDescription | PlannedMetric) -> str:
    """Return what a metric means and whom to ask, "" where the metrics file says neither."""
    description = numbers.shortened(metric.description.strip().rstrip("."), MEANING_LENGTH)
    owner = numbers.shortened(metric.owner.strip().rstrip("."), MEANING_LENGTH)
    return " ".join(part for part in (description and f"{description}.", owner and f"Ask {owner}.") if part)


def table(metrics: Sequence[MetricDescription]) -> str:
    """Return the metrics one a line."""
    heads = ("metric", "kind", "better", "window", "format", "owner", "source", "description")
    return _aligned([heads, *(_row(one) for one in metrics)])


def list_as_json(metrics: Sequence[MetricDescription]) -> str:
    """Return the metrics as a JSON list."""
    return json.dumps([asdict(one) for one in metrics], ensure_ascii=False, indent=2)


def page(
    checked: Checked, troubles: Sequence[tuple[int, str]], metrics_file: MetricsFile, *, path: Path, now: datetime
) -> str:
    """Return what was found, part by part, and what has to be mended with its lines."""
    lines = []
    for one in checked.exposures:
        engine = metrics_file.sources[one.source].engine
        lines += [f"Exposures {one.name} ({one.source}, {engine}): {_exposures(one, now)}", *_arms(one), ""]
        mine = [(seen, metrics_file.metrics[seen.name]) for seen in checked.metrics if seen.exposures == one.name]
        if mine and one.trouble is None:
            over = f"over {one.key}, all variants together" if one.key else "all variants together"
            heads = (f"metric, {over}", "measured", "rows up to", "cost", "seconds")
            lines += [_aligned([heads, *(_metric(*pair, now=now) for pair in mine)]), *_left_out(mine[0][0]), ""]
    lines += [line for seen in checked.metrics if (line := _doubt(seen, now))]
    if troubles:
        lines += [f"{path.name}, line {line}: {message}" for line, message in troubles]
        lines.append(f"To mend: {numbers.counted(len(troubles), 'thing')}.")
    else:
        metrics, exposures = (len(part) for part in (checked.metrics, checked.exposures))
        lines.append(f"Everything can be read: {numbers.counted(metrics, 'metric')} on {exposures} exposures.")
    return "\n".join(lines)


def as_json(checked: Checked, troubles: Sequence[tuple[int, str]]) -> str:
    """Return the same as JSON."""
    shown = asdict(checked)
    shown["to_mend"] = [{"line": line, "message": message} for line, message in troubles]
    return json.dumps(shown, ensure_ascii=False, indent=2, default=str)


def _row(one: MetricDescription) -> tuple[str, ...]:
    window = numbers.days(one.window_days) if one.window_days else "-"
    return one.name, one.kind, one.direction, window, one.format or "-", one.owner or "-", one.source, one.description


def _exposures(one: ExposuresSeen, now: datetime) -> str:
    if one.trouble is not None:
        return "can't be read, see below; its metrics were not tried"
    if not one.arms:
        return "no rows yet"
    units = sum(arm.units for arm in one.arms)
    newest = max((arm.newest for arm in one.arms if arm.newest is not None), default=None)
    return f"{numbers.counted(units, 'unit')}{_fresh(newest, now)}, {one.seconds:.1f} s"


def _fresh(newest: datetime | None, now: datetime) -> str:
    return "" if newest is None else f", newest {_instant(newest)} ({_ago(now - newest)})"


def _arms(one: ExposuresSeen) -> Iterable[str]:
    keys = list(dict.fromkeys(arm.key for arm in one.arms))
    for key in keys[:MOST_EXPERIMENTS]:
        mine = sorted((arm for arm in one.arms if arm.key == key), key=lambda arm: arm.variant)
        units = " / ".join(f"{arm.variant[:40]} {numbers.count(arm.units)}" for arm in mine[:10])
        yield f"  {key or 'all'}: {units}"
    if len(keys) > MOST_EXPERIMENTS:
        yield f"  and {len(keys) - MOST_EXPERIMENTS} more"


def _left_out(seen: MetricSeen) -> list[str]:
    return [f"Exposures {seen.exposures}: {said}." for said in health.left_out(seen.crossed, seen.left_out)]


def _metric(seen: MetricSeen, metric: Metric, *, now: datetime) -> tuple[str, ...]:
    measured = f"{numbers.count(seen.measured)} of {numbers.counted(seen.units, 'unit')}" if seen.units else "-"
    newest = "-" if seen.newest is None else f"{_instant(seen.newest)} ({_ago(now - seen.newest)})"
    return f"{seen.name}: {_value(seen, metric)}", measured, newest, seen.cost or "-", f"{seen.seconds:.1f}"


def _value(seen: MetricSeen, metric: Metric) -> str:
    if seen.trouble is not None:
        return "can't be read, see below"
    if seen.mean is None:
        return "no unit measured yet"
    mean = numbers.mean(seen.mean, metric.kind, format_=metric.format)
    if metric.kind is MetricKind.MEAN and seen.deviation is not None:
        return f"{mean}, standard deviation {numbers.mean(seen.deviation, metric.kind)}"
    return mean


def _doubt(seen: MetricSeen, now: datetime) -> str:
    """Return what can be right and seldom is."""
    if seen.measured and seen.mean == 0:
        return f"{seen.name}: every unit has 0. Do its rows and its exposures mean the same by a unit?"
    if seen.units and not seen.measured and seen.trouble is None:
        return f"{seen.name}: no unit's window has closed yet, so nothing is measured."
    if seen.newest is not None and seen.newest > now + timedelta(hours=1):
        return f"{seen.name}: its newest row is in the future. Times without a zone are read as UTC."
    return ""


def _instant(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y %H:%M} UTC"


def _ago(age: timedelta) -> str:
    """Return how long ago something was.

    >>> _ago(timedelta(minutes=90)), _ago(timedelta(days=3)), _ago(timedelta(days=-1))
    ('1.5 hours ago', '3 days ago', 'in the future')
    """
    minutes = age.total_seconds() / 60
    if minutes < 0:
        return "in the future"
    if minutes < 60:
        return f"{numbers.counted(round(minutes), 'minute')} ago"
    if minutes < 48 * 60:
        return f"{numbers.plain(round(minutes / 60, 1))} hours ago"
    return f"{numbers.counted(round(minutes / 1440), 'day')} ago"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
