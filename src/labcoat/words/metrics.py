"""What `labcoat metrics` prints: a table of the metrics, and what each part of the file gives on the data."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path

from labcoat.domain.plan import PlannedMetric
from labcoat.stats.rule import MetricKind
from labcoat.warehouse.checked import Checked, ExposuresSeen, MetricSeen, QuerySeen, SourceSeen
from labcoat.warehouse.metrics_file import Metric, MetricsFile
from labcoat.warehouse.own_rows import OwnRows
from labcoat.warehouse.reading import MetricDescription
from labcoat.words import health, numbers

MEANING_LENGTH = 150
STALE = timedelta(days=3)
"""Older than this the newest row is asked about: a nightly load and a weekend."""
MOST_DAYS = 5
"""Days without rows that are named."""
MOST_NAMES = 3
"""Of metrics of which the same is said."""
MOST_EXPERIMENTS = 10
"""Shown of each exposures, the newest first."""
_CAN_BE_NONE = frozenset({"exposed_at", "experiment", "time", "value", "covariate", "covariate_denominator"})
_SAME_IDS = "Do its rows and its exposures use the same ids?"


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
    """Return what was found, part by part, and what has to be fixed or looked at, with its lines."""
    lines = [line for seen in checked.sources for line in _source(seen, now)]
    for one in checked.exposures:
        engine = metrics_file.sources[one.source].engine
        lines += [f"Exposures {one.name} ({one.source}, {engine}): {_exposures(one, now)}", *_arms(one)]
        lines += [f"  {said}" for said in _by_name(one.by_name)]
        lines += ["", *_tried(one, checked, metrics_file, now)]
    lines += _together(
        [(seen.name, line) for seen in checked.metrics for line in _said(seen, metrics_file.metrics[seen.name], now)]
    )
    names = tuple(metrics_file.metrics)
    lines += [f"{path.name}, line {line}: warning: {message}" for line, message in _grouped(warnings, names)]
    lines += [f"{path.name}, line {line}: {message}" for line, message in _grouped(troubles, names)]
    found = [numbers.counted(len(some), noun) for some, noun in ((troubles, "error"), (warnings, "warning")) if some]
    if troubles:
        lines.append(f"{' and '.join(found)}.")
    else:
        metrics, exposures = numbers.counted(len(checked.metrics), "metric"), len(checked.exposures)
        beside = f", {found[0]}" if found else ""
        entries = f"{exposures} exposures {'entry' if exposures == 1 else 'entries'}"
        lines.append(f"No errors{beside}. {metrics} and {entries} can be read.")
    return "\n".join(lines)


def as_json(checked: Checked, troubles: Sequence[tuple[int, str]], *, warnings: Sequence[tuple[int, str]] = ()) -> str:
    """Return the same as JSON."""
    shown = asdict(checked)
    shown["warnings"] = [{"line": line, "message": message} for line, message in warnings]
    shown["errors"] = [{"line": line, "message": message} for line, message in troubles]
    return json.dumps(shown, ensure_ascii=False, indent=2, default=str)


def _row(one: MetricDescription) -> tuple[str, ...]:
    window = numbers.days(one.window_days) if one.window_days else "-"
    return one.name, one.kind, one.direction, window, one.format or "-", one.owner or "-", one.source, one.description


def _source(seen: SourceSeen, now: datetime) -> Iterable[str]:
    if seen.complete_to is not None:
        yield f"Source {seen.name}: complete up to {_instant(seen.complete_to)} ({_ago(now - seen.complete_to)})"
    yield from (f"Source {seen.name}: ignored {part}." for part in seen.left_out)


def _exposures(one: ExposuresSeen, now: datetime) -> str:
    if one.trouble is not None:
        return "can't be read (see below), so its metrics were not tried"
    if not one.arms:
        return "no rows yet"
    units = sum(arm.units for arm in one.arms)
    newest = max((arm.newest for arm in one.arms if arm.newest is not None), default=None)
    last = "" if newest is None else f", newest row {_instant(newest)} ({_ago(now - newest)})"
    return f"{numbers.counted(units, 'unit')}{last}, {one.seconds:.1f} s"


def _arms(one: ExposuresSeen) -> Iterable[str]:
    keys = list(dict.fromkeys(arm.key for arm in one.arms))
    for key in keys[:MOST_EXPERIMENTS]:
        mine = sorted((arm for arm in one.arms if arm.key == key), key=lambda arm: arm.variant)
        units = " / ".join(f"{arm.variant[:40]} {numbers.count(arm.units)}" for arm in mine[:10])
        yield f"  {key or 'all'}: {units}"
    if len(keys) > MOST_EXPERIMENTS:
        yield f"  and {len(keys) - MOST_EXPERIMENTS} more"


def _by_name(fields: Sequence[str]) -> Iterable[str]:
    """Yield which fields the file leaves out and a column of the field's name answers.

    >>> list(_by_name(["unit", "variant", "experiment"]))
    ['Columns found by name: `unit`, `variant` and `experiment`. Write `experiment: null` where none is meant.']
    """
    if fields:
        null = " or ".join(f"`{field}: null`" for field in fields if field in _CAN_BE_NONE)
        *first, last = (f"`{field}`" for field in fields)
        names = f"{', '.join(first)} and {last}" if first else last
        yield f"Columns found by name: {names}.{f' Write {null} where none is meant.' if null else ''}"


def _tried(one: ExposuresSeen, checked: Checked, metrics_file: MetricsFile, now: datetime) -> Iterable[str]:
    """Yield the table of the metrics over some exposures, and what is true of all of them."""
    mine = [seen for seen in checked.metrics if seen.exposures == one.name]
    if all(seen.trouble is not None for seen in mine):
        return
    over = f"{one.key}, all variants" if one.key else "all variants"
    heads = (f"metric ({over})", "measured", "units with rows", "rows matched", "newest row", "days read")
    yield numbers.aligned([heads, *(_metric(seen, metrics_file.metrics[seen.name], now=now) for seen in mine)])
    yield from _queries([query for query in checked.queries if query.exposures == one.name])
    read = next((seen for seen in mine if seen.units), None)
    if read is not None:
        rest = replace(read.left_out, nameless={})  # told with each metric's rows
        yield from (f"Exposures {one.name}: {said}." for said in health.left_out(read.crossed, rest))
    yield ""


def _queries(queries: Sequence[QuerySeen]) -> Iterable[str]:
    """Yield what the queries took; of one for all metrics the engine's cost too."""
    if not queries:
        return
    seconds, metrics = sum(query.seconds for query in queries), sum(len(query.metrics) for query in queries)
    if len(queries) > 1:
        yield f"{len(queries)} queries, one per metric: {seconds:.1f} s"
    else:
        cost = f", {queries[0].cost}" if queries[0].cost else ""
        yield f"1 query for {numbers.counted(metrics, 'metric')}: {seconds:.1f} s{cost}"


def _metric(seen: MetricSeen, metric: Metric, *, now: datetime) -> tuple[str, ...]:
    measured = f"{numbers.count(seen.measured)} of {numbers.counted(seen.units, 'unit')}" if seen.units else "-"
    newest = "-" if seen.newest is None else f"{_instant(seen.newest)} ({_ago(now - seen.newest)})"
    rows = seen.rows
    units = "-" if rows is None else _share(rows.units, rows.exposed)
    met = (
        "-"
        if rows is None or not rows.row_count
        else f"{_share(rows.met, rows.row_count)} of {numbers.count(rows.row_count)}"
    )
    return (
        f"{seen.name}: {_value(seen, metric)}",
        measured,
        units,
        met,
        newest,
        ("-" if seen.trouble else seen.days or "all"),
    )


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
        return "can't be read (see below)"
    if seen.mean is None:
        return "nothing measured yet"
    mean = numbers.mean(seen.mean, metric.kind, format_=metric.format)
    if metric.kind is MetricKind.MEAN and seen.deviation is not None:
        return f"{mean}, standard deviation {numbers.mean(seen.deviation, metric.kind)}"
    return mean


def _said(seen: MetricSeen, metric: Metric, now: datetime) -> Iterable[str]:
    """Yield what a metric's rows have that a person should know, and what can be right and seldom is."""
    yield from (f"{said[0].lower()}{said[1:]}" for said in _by_name(seen.by_name))
    if seen.same_day is not None:
        with_it, without = (numbers.mean(one, metric.kind, format_=metric.format) for one in seen.same_day)
        yield f"{with_it} with `same_day: include`, {without} with `same_day: exclude`."
    if seen.rows is not None:
        yield from _of_rows(seen.rows, now)
    if seen.measured and seen.mean == 0 and (seen.rows is None or seen.rows.met):
        yield f"every unit has 0. {_SAME_IDS}"
    if seen.units and not seen.measured and seen.trouble is None:
        yield "no unit has completed its window yet, so there is nothing to measure."


def _together(said: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Yield what is said of metrics, the same of several in one line.

    >>> list(_together([("a", "one"), ("a", "two"), ("b", "one")]))
    ['a and b: one', 'a: two']
    """
    of: dict[str, list[str]] = {}
    for metric, line in said:
        of.setdefault(line, []).append(metric)
    for line, metrics in of.items():
        yield f"{_listed(metrics)}: {line}"


def _grouped(troubles: Iterable[tuple[int, str]], metrics: Sequence[str]) -> Iterable[tuple[int, str]]:
    """Yield what is wrong, each with its line; where the same is wrong with several metrics, the first with the others.

    >>> list(_grouped([(6, "Metric a: no file."), (7, "Metric b: no file."), (2, "No source.")], ["a", "b"]))
    [(6, 'Metric a: no file. Also: b (line 7).'), (2, 'No source.')]
    """
    of: dict[str, list[tuple[str, int, str]]] = {}
    for line, message in troubles:
        starts = [name for name in metrics if message.startswith((f"Metric {name}:", f"Metric {name} "))]
        name = max(starts, key=len, default="")
        of.setdefault(message.removeprefix(f"Metric {name}") if name else message, []).append((name, line, message))
    for (_, line, message), *others in of.values():
        also = [f"{name} (line {number})" for name, number, _ in others]
        yield line, f"{message} Also: {_listed(also)}." if also else message


def _listed(names: Sequence[str]) -> str:
    """Return names, the first ones of many.

    >>> _listed(["a", "b"]), _listed(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and 2 more')
    """
    more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    *first, last = (*names[:MOST_NAMES], *more)
    return f"{', '.join(first)} and {last}" if first else last


def _of_rows(rows: OwnRows, now: datetime) -> Iterable[str]:
    """Yield what is worth knowing of a metric's own rows."""
    count = numbers.counted(rows.row_count, "row")
    if not rows.row_count:
        yield "no rows in the days that are read, so every unit has 0."
        return
    if not rows.met:
        yield f"none of its {count} belongs to an exposed unit. {_SAME_IDS}"
    for lacking, what in ((rows.no_unit, "unit"), (rows.no_time, "time")):
        if lacking:
            have, are = ("has", "is") if lacking == 1 else ("have", "are")
            share = _share(lacking, rows.row_count)
            yield f"{numbers.count(lacking)} of {count} ({share}) {have} no {what} and {are} ignored."
    if rows.future:
        yield f"{numbers.counted(rows.future, 'row')} dated in the future. Times without a zone are read as UTC."
    if rows.days_without:
        first = ", ".join(f"{day.day} {day:%b}" for day in rows.days_without[:MOST_DAYS])
        more = f" and {len(rows.days_without) - MOST_DAYS} more" if len(rows.days_without) > MOST_DAYS else ""
        days = numbers.counted(len(rows.days_without), "day")
        yield f"no rows on {days} between the first and the newest: {first}{more}. Was a load skipped?"
    if rows.newest is not None and now - rows.newest > STALE:
        yield f"its newest row came {_ago(now - rows.newest)}. Is its load still running?"


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
