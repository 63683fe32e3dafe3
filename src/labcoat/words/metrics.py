"""What `labcoat metrics` prints: a table of the metrics, and what each part of the file gives on the data."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path

from labcoat.domain.plan import PlannedMetric
from labcoat.stats.rule import MetricKind
from labcoat.warehouse.checked import Checked, ExposuresSeen, MetricSeen, SourceSeen
from labcoat.warehouse.metrics_file import Metric, MetricsFile
from labcoat.warehouse.own_rows import OwnRows
from labcoat.warehouse.reading import MetricDescription
from labcoat.words import health, numbers

MEANING_LENGTH = 150
STALE = timedelta(days=3)
"""Older than this the newest row is asked about: a nightly load and a weekend."""
MOST_DAYS = 5
"""Days without rows that are named."""
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
    return numbers.aligned([heads, *(_row(one) for one in metrics)])


def list_as_json(metrics: Sequence[MetricDescription]) -> str:
    """Return the metrics as a JSON list."""
    return json.dumps([asdict(one) for one in metrics], ensure_ascii=False, indent=2)


def page(
    checked: Checked,
    troubles: Sequence[tuple[int, str]],
    metrics_file: MetricsFile,
    *,
    path: Path,
    now: datetime,
    warnings: Sequence[tuple[int, str]] = (),
) -> str:
    """Return what was found, part by part, and what has to be mended or looked at, with its lines."""
    lines = [line for seen in checked.sources if (line := _source(seen, now))]
    for one in checked.exposures:
        engine = metrics_file.sources[one.source].engine
        lines += [f"Exposures {one.name} ({one.source}, {engine}): {_exposures(one, now)}", *_arms(one), ""]
        mine = [(seen, metrics_file.metrics[seen.name]) for seen in checked.metrics if seen.exposures == one.name]
        if mine and one.trouble is None:
            over = f"over {one.key}, all variants together" if one.key else "all variants together"
            heads = (
                f"metric, {over}",
                "measured",
                "units with rows",
                "rows that meet",
                "rows up to",
                "cost",
                "seconds",
            )
            lines += [numbers.aligned([heads, *(_metric(*pair, now=now) for pair in mine)]), *_left_out(mine[0][0]), ""]
    lines += [line for seen in checked.metrics for line in _said(seen, metrics_file.metrics[seen.name], now)]
    lines += [f"{path.name}, line {line}: warning: {message}" for line, message in warnings]
    if troubles:
        lines += [f"{path.name}, line {line}: {message}" for line, message in troubles]
        lines.append(f"To mend: {numbers.counted(len(troubles), 'thing')}.")
    else:
        metrics, exposures = (len(part) for part in (checked.metrics, checked.exposures))
        lines.append(f"Everything can be read: {numbers.counted(metrics, 'metric')} on {exposures} exposures.")
    return "\n".join(lines)


def as_json(checked: Checked, troubles: Sequence[tuple[int, str]], *, warnings: Sequence[tuple[int, str]] = ()) -> str:
    """Return the same as JSON."""
    shown = asdict(checked)
    shown["warnings"] = [{"line": line, "message": message} for line, message in warnings]
    shown["to_mend"] = [{"line": line, "message": message} for line, message in troubles]
    return json.dumps(shown, ensure_ascii=False, indent=2, default=str)


def _row(one: MetricDescription) -> tuple[str, ...]:
    window = numbers.days(one.window_days) if one.window_days else "-"
    return one.name, one.kind, one.direction, window, one.format or "-", one.owner or "-", one.source, one.description


def _source(seen: SourceSeen, now: datetime) -> str:
    if seen.complete_to is None:
        return ""
    return f"Source {seen.name}: fresh until {_instant(seen.complete_to)}, {_ago(now - seen.complete_to)}"


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
    rest = replace(seen.left_out, nameless={})  # told with each metric's rows
    return [f"Exposures {seen.exposures}: {said}." for said in health.left_out(seen.crossed, rest)]


def _metric(seen: MetricSeen, metric: Metric, *, now: datetime) -> tuple[str, ...]:
    measured = f"{numbers.count(seen.measured)} of {numbers.counted(seen.units, 'unit')}" if seen.units else "-"
    newest = "-" if seen.newest is None else f"{_instant(seen.newest)} ({_ago(now - seen.newest)})"
    rows = seen.rows
    units = "-" if rows is None else _share(rows.units, rows.exposed)
    met = "-" if rows is None else f"{_share(rows.met, rows.row_count)} of {numbers.count(rows.row_count)}"
    return f"{seen.name}: {_value(seen, metric)}", measured, units, met, newest, seen.cost or "-", f"{seen.seconds:.1f}"


def _share(part: int, whole: int) -> str:
    """Return a share in percent, never rounded to none or all.

    >>> _share(1, 3000), _share(2999, 3000), _share(0, 0)
    ('<0.1 %', '>99.9 %', '-')
    """
    if not whole:
        return "-"
    if 0 < part < whole / 1000:
        return "<0.1 %"
    return ">99.9 %" if whole - whole / 1000 < part < whole else f"{numbers.plain(round(100 * part / whole, 1))} %"


def _value(seen: MetricSeen, metric: Metric) -> str:
    if seen.trouble is not None:
        return "can't be read, see below"
    if seen.mean is None:
        return "no unit measured yet"
    mean = numbers.mean(seen.mean, metric.kind, format_=metric.format)
    if metric.kind is MetricKind.MEAN and seen.deviation is not None:
        return f"{mean}, standard deviation {numbers.mean(seen.deviation, metric.kind)}"
    return mean


def _said(seen: MetricSeen, metric: Metric, now: datetime) -> Iterable[str]:
    """Yield what a metric's rows have that a person should know, and what can be right and seldom is."""
    if seen.by_name:
        fields = " and ".join(f"`{field}`" for field in seen.by_name)
        yield f"{seen.name}: the file leaves out {fields}, and columns of these names were taken. Write `name: null` for none."
    if seen.same_day is not None:
        with_it, without = (numbers.mean(one, metric.kind, format_=metric.format) for one in seen.same_day)
        yield f"{seen.name}: {with_it} with `same_day: include`, {without} with `same_day: exclude`."
    if seen.rows is not None:
        yield from (f"{seen.name}: {line}" for line in _of_rows(seen.rows, now))
    if seen.measured and seen.mean == 0 and (seen.rows is None or seen.rows.met):
        yield f"{seen.name}: every unit has 0. Do its rows and its exposures mean the same by a unit?"
    if seen.units and not seen.measured and seen.trouble is None:
        yield f"{seen.name}: no unit's window has closed yet, so nothing is measured."


def _of_rows(rows: OwnRows, now: datetime) -> Iterable[str]:
    """Yield what is worth knowing of a metric's own rows."""
    count = numbers.counted(rows.row_count, "row")
    if not rows.row_count:
        yield "there are no rows in the days that are read, so every unit has 0."
        return
    if not rows.met:
        yield f"none of {count} has a unit that is exposed. Do rows and exposures mean the same by a unit?"
    if rows.no_unit:
        yield f"{numbers.count(rows.no_unit)} of {count} have no unit ({_share(rows.no_unit, rows.row_count)}). They are nobody's and don't count."
    if rows.no_time:
        yield f"{numbers.count(rows.no_time)} of {count} have no time. They have not happened and don't count."
    if rows.future:
        yield f"{numbers.counted(rows.future, 'row')} of the future. Times without a zone are read as UTC."
    if rows.days_without:
        first = ", ".join(f"{day.day} {day:%b}" for day in rows.days_without[:MOST_DAYS])
        more = f" and {len(rows.days_without) - MOST_DAYS} more" if len(rows.days_without) > MOST_DAYS else ""
        yield f"{numbers.counted(len(rows.days_without), 'day')} between its rows without any: {first}{more}. Was a load left out?"
    if rows.newest is not None and now - rows.newest > STALE:
        yield f"its newest row is of {_ago(now - rows.newest)}. Does its load still run?"


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
