"""Find the columns that the metrics file means among those the data has, and say what is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from labcoat.domain.plan import Measuring
from labcoat.stats.rule import MetricKind
from labcoat.warehouse import bounding, sql
from labcoat.warehouse.bounding import DayColumn
from labcoat.warehouse.engine import Column, ColumnType, Engine
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.exposed_units import EXPOSURES
from labcoat.warehouse.measures import ONE, ZERO, ExposureColumns, Measure
from labcoat.warehouse.metrics_file import COVARIATE_WITH_TIME, Exposures, Metric
from labcoat.warehouse.sql import Bounds, Rows

DAY_SECONDS = 86_400
_Scan = tuple[Rows, str, str | None, DayColumn | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMetric:
    """A metric to measure. measuring: goes before what the metrics file says."""

    name: str
    metric: Metric
    measuring: Measuring


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What the query needs: expressions over the user's rows, and which rows each stand-in means."""

    exposures: ExposureColumns
    measures: tuple[Measure, ...]
    rows: Mapping[str, Rows]


def resolve(
    source: Engine, exposures: Exposures, metrics: Sequence[AskedMetric], *, dialect: str, bounds: Bounds
) -> Resolved:
    """Return the query's parts; raise SourceError naming the column that is missing or of a wrong type."""
    asking = _Asking(source, dialect, bounds)
    seen = _Named("Exposures", exposures, asking.columns(exposures, "Exposures"), dialect)
    found = ExposureColumns(
        unit=seen.expression("unit"),
        variant=f"CAST({seen.expression('variant')} AS TEXT)",
        exposed_at=seen.time("exposed_at"),
        experiment=seen.text("experiment"),
        is_unit_text=seen.may_be_text("unit"),
        time_days=bounding.of_time(seen.find("exposed_at"), dialect=dialect),
        partition=seen.partition("exposed_at"),
    )
    stand_ins: dict[_Scan, str] = {}
    measures = tuple(_measure(asked, asking, seen, found, stand_ins) for asked in metrics)
    rows = {name: mine for (mine, *_), name in stand_ins.items()}
    return Resolved(exposures=found, measures=measures, rows={EXPOSURES: rows_of(exposures), **rows})


def _is_day(column: Column) -> bool:
    return column.type_name.upper() in ("DATE", "DATE32")


def rows_of(part: Exposures | Metric) -> Rows:
    """Return where a part of the metrics file has its rows."""
    return Rows(table=part.table, select=part.sql)


def _where(part: Exposures | Metric) -> str:
    return "sql" if part.sql is not None else "table"


def _measure(
    asked: AskedMetric,
    asking: "_Asking",
    seen: "_Named",
    exposures: ExposureColumns,
    stand_ins: dict[_Scan, str],
) -> Measure:
    metric, who = asked.metric, f"Metric {asked.name}"
    named, unit, time, stand_in, partition = seen.read_by(who, metric), "", None, None, None
    if metric.has_own_rows:
        named = _Named(who, metric, asking.columns(metric, who), asking.dialect)
        named.require_same_type(seen, "unit")
        named.require_time_of_day("time", beside=seen)
        unit, time = named.expression("unit", default=seen.find("unit")), named.time("time")
        partition = named.partition("time")
        # Metrics that read the same rows in the same way share one scan.
        stand_in = stand_ins.setdefault((rows_of(metric), unit, time, partition), f"labcoat_rows_{len(stand_ins)}")
    _require_times(asked, time=time, exposures=exposures, who=who)
    if time is not None and named.find("covariate") is not None and not asked.measuring.pre_period_days:
        message = f"{who}: {COVARIATE_WITH_TIME}."
        raise SourceError(message, permanent=True, field="covariate")
    is_ratio = metric.kind is MetricKind.RATIO
    covariate = None if asked.measuring.pre_period_days else named.number("covariate", is_needed=False)
    return Measure(
        kind=metric.kind,
        rows=stand_in,
        unit=unit,
        time=time,
        untimed=None if time is None else named.untimed("time", beside=seen),
        value=named.number("value", is_needed=not metric.has_own_rows),
        denominator=named.number("denominator") if is_ratio else None,
        covariate=covariate,
        covariate_denominator=named.number("covariate_denominator") if is_ratio and covariate else None,
        window_seconds=round(asked.measuring.window_days * DAY_SECONDS),
        pre_seconds=round(asked.measuring.pre_period_days * DAY_SECONDS),
        cap=asked.measuring.cap,
        time_days=None if time is None else bounding.of_time(named.find("time"), dialect=asking.dialect),
        partition=partition,
    )


def _require_times(asked: AskedMetric, *, time: str | None, exposures: ExposureColumns, who: str) -> None:
    if exposures.exposed_at is None and (asked.measuring.window_days or time is not None):
        why = "its window needs it" if asked.measuring.window_days else "the time of its rows is compared with it"
        message = f"{who}: its exposures have no column exposed_at, and {why}."
        raise SourceError(message, permanent=True)
    if asked.measuring.pre_period_days and time is None:
        message = f"{who}: `pre_period_days` needs `time`, the column of each row's time."
        raise SourceError(message, permanent=True)


class _Asking:
    """One open source, asked for the columns of each table or SELECT once."""

    def __init__(self, source: Engine, dialect: str, bounds: Bounds) -> None:
        self.dialect = dialect
        self._source = source
        self._bounds = bounds
        self._known: dict[Rows, Mapping[str, Column]] = {}

    def columns(self, part: Exposures | Metric, who: str) -> Mapping[str, Column]:
        rows = rows_of(part)
        if rows not in self._known:
            try:
                query = sql.columns_query(rows, dialect=self.dialect, bounds=self._bounds)
                self._known[rows] = self._source.columns(query)
            except sql.SqlError as error:
                message = f"{who}: {error}"
                raise SourceError(message, permanent=True, field=_where(part)) from error
            except SourceError as error:
                message = f"{who}: {error.message}"
                raise SourceError(message, permanent=error.permanent, field=_where(part)) from error
        return self._known[rows]


class _Named:
    """The columns of some rows, as a part of the metrics file names them."""

    def __init__(self, who: str, part: Exposures | Metric, columns: Mapping[str, Column], dialect: str) -> None:
        self._who = who
        self._part = part
        self._columns = columns
        self._dialect = dialect

    def read_by(self, who: str, metric: Metric) -> "_Named":
        """Return the same rows as another part of the file names them."""
        return _Named(who, metric, self._columns, self._dialect)

    def find(self, field: str) -> Column | None:
        """Return the column of a field, None if the file names none and the rows have none of the field's name."""
        asked: str | None = getattr(self._part, field)
        if asked is None:
            # Of a SELECT the field's own name is meant; a table may have a column of that name that is something else.
            return self._columns.get(field) if self._part.sql is not None else None
        column = self._columns.get(asked.strip('"`').casefold())
        if column is None:
            message = f"there is no column {asked}. {self._hint(asked)}"
            raise self._wrong(message, field)
        return column

    def expression(self, field: str, *, default: Column | None = None) -> str:
        """Return a column that must be there. default: the column of that name, where the file names none."""
        column = self.find(field) or (self._columns.get(default.name.casefold()) if default else None)
        if column is None:
            message = f"there is no column {field}. {self._hint(field)}"
            raise self._wrong(message, field)
        return sql.column(column.name, dialect=self._dialect)

    def text(self, field: str) -> str | None:
        """Return a column as text, None without one."""
        column = self.find(field)
        if column is None:
            return None
        plain = sql.column(column.name, dialect=self._dialect)
        # Not cast where it is text: the engine can then use an index.
        return plain if column.type is ColumnType.TEXT else f"CAST({plain} AS TEXT)"

    def may_be_text(self, field: str) -> bool:
        """Return whether a column is text, or the engine does not tell."""
        column = self.find(field)
        return column is None or column.type in (ColumnType.TEXT, ColumnType.UNKNOWN)

    def time(self, field: str) -> str | None:
        """Return a column as an instant, None without one."""
        column = self.find(field)
        if column is None:
            return None
        plain = sql.column(column.name, dialect=self._dialect)
        if column.type is ColumnType.TEXT and self._tries_casts:
            return f"TRY_CAST({plain} AS TIMESTAMPTZ)"
        if column.type not in (ColumnType.TIME, ColumnType.UNKNOWN):
            message = f"{column.name} is of type {column.type_name}. Cast it to a timestamp in `sql`, in UTC."
            raise self._wrong(message, field)
        # Not cast where it is UTC already: the engine can then skip parts of a file.
        is_utc = self._dialect == "duckdb" and column.type_name == "TIMESTAMP"
        return plain if is_utc else f"CAST({plain} AS TIMESTAMPTZ)"

    def partition(self, time: str) -> DayColumn | None:
        """Return the column that keeps rows of different days apart, None without one. time: the field beside it."""
        asked = self._part.partition
        if asked is None:
            return None
        column = bounding.pseudo_column(asked, dialect=self._dialect) or self.find("partition")
        found = None if column is None else bounding.of_partition(column, dialect=self._dialect)
        if column is not None and found is None:
            message = (
                f"{column.name} is of type {column.type_name}. A partition is a day, a time, or text as 2026-11-01."
            )
            raise self._wrong(message, "partition")
        if self.find(time) is None:
            message = f"`partition` needs `{time}`, the column of each row's time."
            raise self._wrong(message, "partition")
        return found

    def untimed(self, field: str, *, beside: "_Named") -> str | None:
        """Return whether a row's text is no time, or only a day where the exposures have times of day; None if typed.

        A row with no text at all has not happened.
        """
        column = self.find(field)
        if column is None or column.type is not ColumnType.TEXT:
            return None
        plain = sql.column(column.name, dialect=self._dialect)
        seen = beside.find("exposed_at")
        has_hours = seen is not None and seen.type is ColumnType.TIME and not _is_day(seen)
        day = f" OR NOT {plain} LIKE '%:%'" if has_hours else ""
        return f"TRIM({plain}) <> '' AND (TRY_CAST({plain} AS TIMESTAMPTZ) IS NULL{day})"

    def require_time_of_day(self, field: str, *, beside: "_Named") -> None:
        """Refuse days where the exposures have times: a row of the exposure's own day would count as before it."""
        mine, seen = self.find(field), beside.find("exposed_at")
        if mine is not None and seen is not None and _is_day(mine) and not _is_day(seen):
            message = (
                f"{mine.name} is a day without a time, so nobody can tell whether a row of the exposure's own day came "
                "after it. Name a column with times, or cast exposed_at to a day in the exposures' `sql`."
            )
            raise self._wrong(message, field)

    def number(self, field: str, *, is_needed: bool = True) -> str | None:
        """Return a column as a double; None if it need not be there, and is not."""
        column = self.find(field)
        if column is None:
            if is_needed:
                message = f"there is no column {field}. {self._hint(field)}"
                raise self._wrong(message, field)
            return None
        plain = sql.column(column.name, dialect=self._dialect)
        if column.type is ColumnType.BOOLEAN and isinstance(self._part, Metric):
            if self._part.kind is not MetricKind.PROPORTION:
                message = f"{column.name} is true or false. Set `kind: proportion`."
                raise self._wrong(message, field)
            return f"CASE WHEN {plain} THEN {ONE} WHEN NOT {plain} THEN {ZERO} END"
        if column.type is ColumnType.TEXT and self._tries_casts:
            return f"TRY_CAST({plain} AS DOUBLE)"
        if column.type not in (ColumnType.NUMBER, ColumnType.UNKNOWN):
            message = f"{column.name} is of type {column.type_name}, not a number. Name another, or use `sql`."
            raise self._wrong(message, field)
        return f"CAST({plain} AS DOUBLE)"

    def require_same_type(self, other: "_Named", field: str) -> None:
        """Refuse to compare a number with text: engines differ in what they make of it."""
        theirs = other.find(field)
        mine = self.find(field) or (self._columns.get(theirs.name.casefold()) if theirs else None)
        unknown = (ColumnType.UNKNOWN, ColumnType.OTHER)
        if mine and theirs and mine.type is not theirs.type and not {mine.type, theirs.type} & set(unknown):
            message = (
                f"{mine.name} is {mine.type}, and the exposures' {theirs.name} is {theirs.type}. Cast one in `sql`."
            )
            raise self._wrong(message, field)

    @property
    def _tries_casts(self) -> bool:
        # One word on line 30,000 makes a whole column of a CSV file text; its other lines still count.
        return self._dialect == "duckdb"

    def _hint(self, asked: str) -> str:
        names = [column.name for column in self._columns.values()]
        near = get_close_matches(asked.casefold(), [name.casefold() for name in names], n=1)
        return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names[:30])}."

    def _wrong(self, what: str, field: str) -> SourceError:
        return SourceError(f"{self._who}: {what}", permanent=True, field=field)
