"""Which of a metric's own rows count for a unit: its window after the exposure, its pre-period before it.

Expressions over a row called r and a unit called u, in DuckDB's dialect.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from labcoat.domain.plan import SameDay
from labcoat.warehouse import bounding, sql
from labcoat.warehouse.measures import DAY_SECONDS, Measure, Subject


def counts(measure: Measure) -> tuple[str, str]:
    """Return when a row counts, and when it counts as the past; a row without a time always counts."""
    if measure.time is None:
        return "1 = 1", "1 = 0"
    start, exposed_at = begin(measure), "u.exposed_at"
    if measure.same_day is not None:
        exposed_at = _day_of(exposed_at)
    after = f"r.happened_at >= {start}"
    if measure.window_seconds:
        after += f" AND r.happened_at < {start} + INTERVAL '{measure.window_seconds}' SECOND"
    earliest = f"{exposed_at} - INTERVAL '{measure.pre_seconds}' SECOND"
    return after, f"r.happened_at < {exposed_at} AND r.happened_at >= {earliest}"


def begin(measure: Measure, exposed_at: str = "u.exposed_at") -> str:
    """Return from when a unit's rows count."""
    match measure.same_day:
        case None:
            return exposed_at
        case SameDay.INCLUDE:
            return _day_of(exposed_at)
        case SameDay.EXCLUDE:
            return f"{_day_of(exposed_at)} + INTERVAL '{DAY_SECONDS}' SECOND"


def is_closed(measure: Measure, until: datetime | None) -> str:
    """Return whether a unit's window is over. until: the end of all; None: it is a column."""
    if not measure.window_seconds:
        return "1 = 1"
    if until is not None:
        return f"{begin(measure)} < {sql.instant(until - timedelta(seconds=measure.window_seconds))}"
    return f"{begin(measure)} + INTERVAL '{measure.window_seconds}' SECOND < u.until"


def has_clock(moment: str) -> str:
    """Return 1 for a moment with a time of day, 0 for midnight UTC and for none."""
    return f"CASE WHEN {moment} <> {_day_of(moment)} THEN 1 ELSE 0 END"


def is_day(moment: str) -> str:
    """Return 1 for midnight UTC, 0 for any other moment and for none."""
    return f"CASE WHEN {moment} = {_day_of(moment)} THEN 1 ELSE 0 END"


def _day_of(moment: str) -> str:
    return f"DATE_TRUNC('day', {moment})"


def seconds_before(measures: Sequence[tuple[int, Measure]]) -> int:
    """Return how long before its exposure a unit's rows are read: a day more where the exposure's day counts whole."""
    return max(measure.pre_seconds + DAY_SECONDS * (measure.same_day is not None) for _, measure in measures)


def bounds(measures: Sequence[tuple[int, Measure]], subjects: Sequence[Subject]) -> list[str]:
    """Return constant bounds of a metric's own rows, none without a time: without them no engine skips a partition."""
    first = measures[0][1]
    if first.time is None:
        return []
    before = timedelta(seconds=seconds_before(measures))
    start, end = min(one.exposed_since for one in subjects) - before, max(one.until for one in subjects)
    days = first.time_days if first.time_days and first.time_days.column != first.time else None
    near = f"{first.time} >= {sql.instant(start)} AND {first.time} < {sql.instant(end)}"
    near = " AND ".join([*bounding.where(days, None, since=start, until=end), near])
    near = near if first.untimed is None else f"(({near}) OR ({first.untimed}))"
    return [*bounding.where(None, first.partition, since=start, until=None), near]
