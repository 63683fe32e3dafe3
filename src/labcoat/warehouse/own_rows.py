"""A metric's own rows, apart from the units: rows of nobody, and how well rows and exposures fit together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from labcoat.warehouse import bounding, exposure_scan, sql, windows
from labcoat.warehouse.engines.engine import whole
from labcoat.warehouse.exposed_units import EXPOSURES, is_missing
from labcoat.warehouse.measures import Measure, Subject, scans
from labcoat.warehouse.resolving import Resolved

MOST_DAYS = 400
"""Days with rows that come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRows:
    """What the rows have that a metric counts, in the days that are read.

    row_count: all of them. no_unit, no_time: that lack it. met: whose unit is exposed. units: exposed ones with a row.
    exposed: all exposed units. newest: of the times until now; None without. future: rows of later than now.
    days_without: between the first row and the newest.
    """

    row_count: int
    no_unit: int
    no_time: int
    met: int
    units: int
    exposed: int
    newest: datetime | None
    future: int
    days_without: tuple[date, ...]


def nameless_query(resolved: Resolved, subjects: Sequence[Subject]) -> str | None:
    """Return, in our dialect, the query for rows without a unit; None where no metric has rows of its own.

    A row for each of `scans`: its number, and how many rows of nobody there are in the time of each experiment.
    """
    parts = []
    for number, (name, mine) in enumerate(scans(resolved.measures).items()):
        first = mine[0][1]
        before = timedelta(seconds=windows.seconds_before(mine))
        sums = [_in_time(first, one.exposed_since - before, one.until) for one in subjects]
        listed = ", ".join(f"{value} AS nobody_{place}" for place, value in enumerate(sums))
        nobody = is_missing(first.unit, is_text=first.is_unit_text)
        wanted = " AND ".join([nobody, *windows.bounds(mine, subjects)])
        parts.append(f"SELECT {number} AS scan, {listed} FROM {name} AS e WHERE {wanted}")
    return "\nUNION ALL\n".join(parts) or None


def nameless(rows: Sequence[tuple[object, ...]], resolved: Resolved, *, subjects: int) -> list[dict[int, int]]:
    """Return the rows of `nameless_query` by experiment: how many rows of nobody each metric has, by its place."""
    found: list[dict[int, int]] = [{} for _ in range(subjects)]
    every = list(scans(resolved.measures).values())
    for scan, *counts in rows:
        for mine, count in zip(found, counts, strict=True):
            mine |= {place: whole(count) for place, _ in every[whole(scan)] if whole(count)}
    return found


def _in_time(measure: Measure, since: datetime, until: datetime) -> str:
    if measure.time is None:
        return "COUNT(*)"
    is_in = f"{measure.time} >= {sql.instant(since)} AND {measure.time} < {sql.instant(until)}"
    return f"SUM(CASE WHEN {is_in} THEN 1 ELSE 0 END)"


def query(resolved: Resolved, measure: Measure, *, key: str | None, since: datetime, now: datetime) -> str:
    """Return, in our dialect, the query for `OwnRows` without its days. key: of the experiment; None for all."""
    exposures = resolved.exposures
    time = measure.time or "CAST(NULL AS TIMESTAMPTZ)"
    nobody = is_missing(measure.unit, is_text=measure.is_unit_text)
    only = (
        "" if key is None or exposures.experiment is None else f" AND {exposures.experiment} = {sql.quoted_text(key)}"
    )
    days = bounding.where(exposures.time_days, exposures.partition, since=since, until=now)
    exposed = f"NOT ({is_missing(exposures.unit, is_text=exposures.is_unit_text)}){only}"
    exposed = " AND ".join([exposed, *days])
    rows = f"SELECT {measure.unit} AS unit, {time} AS happened_at, CASE WHEN {nobody} THEN 1 ELSE 0 END AS is_nobody"
    no_time = "r.happened_at IS NULL" if measure.time is not None else "1 = 0"
    return f"""WITH labcoat_exposed AS (
SELECT DISTINCT {exposures.unit} AS unit FROM {EXPOSURES} AS e WHERE {exposed}
)
SELECT COUNT(*) AS row_count, SUM(r.is_nobody) AS no_unit, SUM(CASE WHEN {no_time} THEN 1 ELSE 0 END) AS no_time,
  SUM(CASE WHEN u.unit IS NULL THEN 0 ELSE 1 END) AS met, COUNT(DISTINCT u.unit) AS units,
  (SELECT COUNT(*) FROM labcoat_exposed) AS exposed,
  CAST(MAX(CASE WHEN r.happened_at <= {sql.instant(now)} THEN r.happened_at END) AS TEXT) AS newest_at,
  SUM(CASE WHEN r.happened_at > {sql.instant(now)} THEN 1 ELSE 0 END) AS future
FROM ({rows} FROM {measure.rows} AS e{_since(measure, since)}) AS r LEFT JOIN labcoat_exposed AS u ON u.unit = r.unit"""


def days_query(measure: Measure, *, since: datetime, now: datetime) -> str | None:
    """Return, in our dialect, the query for the days until now that have rows; None where rows have no time.

    Later ones are not asked for: engines have days that Python has not, as infinity and those of the year 10000.
    """
    time = measure.time
    if time is None:
        return None
    day = f"CAST({time} AS DATE)"
    known = f"{_since(measure, since)} AND {time} <= {sql.instant(now)}"
    rows = f"{measure.rows} AS e{known}"
    return f"SELECT DISTINCT CAST({day} AS TEXT) AS day FROM {rows} ORDER BY day DESC LIMIT {MOST_DAYS}"


def _since(measure: Measure, since: datetime) -> str:
    if measure.time is None:
        return " WHERE 1 = 1"
    start = since - timedelta(seconds=windows.seconds_before([(0, measure)]))
    near = bounding.where(measure.time_days, measure.partition, since=start, until=None)
    later = " AND ".join([*near, f"{measure.time} >= {sql.instant(start)}"])
    return f" WHERE ({later} OR {measure.time} IS NULL)"


def seen(row: Sequence[object], days: Sequence[tuple[object, ...]]) -> OwnRows:
    """Return what the rows of both queries say."""
    row_count, no_unit, no_time, met, units, exposed, newest, future = row
    known = sorted(date.fromisoformat(str(day)[:10]) for (day,) in days)
    between = range((known[-1] - known[0]).days) if known else ()
    every = {known[0] + timedelta(days=number) for number in between}
    return OwnRows(
        row_count=whole(row_count),
        no_unit=whole(no_unit),
        no_time=whole(no_time),
        met=whole(met),
        units=whole(units),
        exposed=whole(exposed),
        newest=exposure_scan.moment(newest),
        future=whole(future),
        days_without=tuple(sorted(every - set(known))),
    )
