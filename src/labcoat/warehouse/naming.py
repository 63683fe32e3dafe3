"""The columns of the user's rows, as the metrics file names them: found, read as what a field needs, or refused."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from labcoat.stats.rule import MetricKind
from labcoat.warehouse import bounding, sql, times
from labcoat.warehouse.bounding import DayColumn
from labcoat.warehouse.engines.engine import Column, ColumnType
from labcoat.warehouse.errors import SourceError, after_colon
from labcoat.warehouse.exposed_units import EARLIEST, LATEST
from labcoat.warehouse.files import text_numbers
from labcoat.warehouse.files.text_numbers import Number, UnclearNumbersError
from labcoat.warehouse.measures import ONE, ZERO
from labcoat.warehouse.metrics_file import Exposures, Metric
from labcoat.warehouse.source_columns import ROWS, Asking


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Which column each field of some rows has, None for none. known: all columns of the rows."""

    columns: Mapping[str, Column | None]
    known: tuple[Column, ...]


def _is_second_of(first: str, name: str) -> bool:
    renamed = re.fullmatch(r"(.+)_[0-9]+", name)
    return renamed is not None and renamed[1] != first and renamed[1].casefold() == first.casefold()


class Named:
    """The columns of some rows, as a part of the metrics file names them."""

    def __init__(
        self, who: str, part: Exposures | Metric, asking: Asking, *, rows: Exposures | Metric | None = None
    ) -> None:
        """rows: the part whose rows these are, where another one has them."""
        self._who = who
        self._part = part
        self._rows = rows or part
        self._asking = asking
        self._dialect = asking.dialect
        self._columns = asking.columns(self._rows, who)

    def read_by(self, who: str, metric: Metric) -> "Named":
        """Return the same rows as another part of the file names them."""
        return Named(who, metric, self._asking, rows=self._rows)

    @property
    def taken(self) -> tuple[str, ...]:
        """The fields that the file does not name, and that a column of a table has the name of."""
        if self._part.table is None:
            return ()
        is_left_out = [field for field in self._fields if field not in self._part.model_fields_set]
        return tuple(field for field in is_left_out if self._spelled(field, field) is not None)

    def taken_beside(self, seen: "Named") -> tuple[str, ...]:
        """Return the same of a metric's own rows; the exposures' own unit column was always meant."""
        mine, theirs = self.find("unit"), seen.find("unit")
        is_same = mine is not None and theirs is not None and mine.name.casefold() == theirs.name.casefold()
        return tuple(field for field in self.taken if not (field == "unit" and is_same))

    def require_one_unit(self, seen: "Named") -> None:
        """Refuse a table that has a column `unit` and the exposures' unit column, where the file names neither."""
        theirs = seen.find("unit")
        if self._part.table is None or "unit" in self._part.model_fields_set or theirs is None:
            return
        mine, other = self._spelled("unit", "unit"), self._spelled(theirs.name, "unit")
        if mine is not None and other is not None and mine.name != other.name:
            message = f"its unit could be {mine.name} or {other.name}. Write `unit:` with the one that is meant."
            raise self._wrong(message, "unit")

    @property
    def all_taken(self) -> Taken:
        """Which column each field has; raise SourceError as `find` does."""
        return Taken(columns={field: self.find(field) for field in self._fields}, known=tuple(self._columns))

    @property
    def _fields(self) -> tuple[str, ...]:
        """The fields that are columns of these rows."""
        if isinstance(self._part, Exposures):
            return ("unit", "variant", "exposed_at", "experiment")
        is_ratio = self._part.kind is MetricKind.RATIO
        past = () if self._part.pre_period_days else ("covariate", "covariate_denominator")[: 1 + is_ratio]
        rows = ("unit", "time") if self._part.has_own_rows else ()
        return (*rows, "value", *(("denominator",) if is_ratio else ()), *past)

    def find(self, field: str) -> Column | None:
        """Return the column of a field, None if the file names none and the rows have none of the field's name.

        A field that the file sets to null has none, whatever the rows have.
        """
        asked: str | None = getattr(self._part, field)
        if asked is None:
            has_rows = self._part.table is not None or self._part.sql is not None
            return self._spelled(field, field) if has_rows and field not in self._part.model_fields_set else None
        column = self._spelled(asked.strip('"`'), field)
        if column is None:
            message = f"there is no column {asked}. {self._hint(asked)}"
            raise self._wrong(message, field)
        return column

    def _spelled(self, name: str, field: str) -> Column | None:
        """Return the column of that name: spelled so, or the only one that differs in capitals alone."""
        alike = [column for column in self._columns if column.name.casefold() == name.casefold()]
        exact = [column for column in alike if column.name == name]
        if alike and self._dialect == "duckdb" and not exact:
            # Of columns that differ in capitals only it calls the second `amount_1`.
            alike += [column for column in self._columns if _is_second_of(alike[0].name, column.name)]
        if len(alike) > 1 and len(exact) != 1:
            names = " and ".join(column.name for column in alike)
            message = f"`{field}` could be {names}, which differ in capitals only. Write it as it is spelled."
            raise self._wrong(message, field)
        return next(iter(exact or alike), None)

    def expression(self, field: str, *, default: Column | None = None) -> str:
        """Return a column that must be there. default: the column of that name, where the file names none."""
        column = self.find(field) or (self._spelled(default.name, field) if default else None)
        if column is None:
            message = f"there is no column {field}. {self._hint(field)}"
            if default is not None:
                there = ", ".join(column.name for column in self._columns[:30])
                neither = f"there is no column {field}, nor {default.name} as in the exposures."
                message = f"{neither} Write `{field}:` with one of: {there}."
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

    def may_be_text(self, field: str, *, default: Column | None = None) -> bool:
        """Return whether a column is text, or the engine does not tell. default: as of `expression`."""
        column = self.find(field) or (self._spelled(default.name, field) if default else None)
        return column is None or column.type in (ColumnType.TEXT, ColumnType.UNKNOWN)

    def time(self, field: str) -> str | None:
        """Return a column as an instant, None without one."""
        column = self.find(field)
        if column is None:
            return None
        plain = sql.column(column.name, dialect=self._dialect)
        declared = self._part.time_format
        if declared is not None and declared in times.EPOCHS:
            return self._epoch(column, micros=times.EPOCHS[declared])
        if column.type is ColumnType.TEXT and self._tries_casts:
            return times.as_instant(plain, self.written(column, field).formats)
        if column.type is ColumnType.NUMBER:
            message = f"{column.name} has numbers. {self._suggestion(plain)}"
            raise self._wrong(message, field)
        if column.type is ColumnType.TEXT and declared is not None:
            message = f"`time_format` reads text on DuckDB only. Cast {column.name} to a timestamp in `sql`, in UTC."
            raise self._wrong(message, "time_format")
        if column.type not in (ColumnType.TIME, ColumnType.UNKNOWN):
            message = f"{column.name} is of type {column.type_name}. Cast it to a timestamp in `sql`, in UTC."
            raise self._wrong(message, field)
        if declared is not None:
            message = f"{column.name} is a time already ({column.type_name}). Leave out `time_format`."
            raise self._wrong(message, "time_format")
        # Not cast where it is UTC already: the engine can then skip parts of a file.
        is_utc = self._dialect == "duckdb" and column.type_name == "TIMESTAMP"
        return plain if is_utc else f"CAST({plain} AS TIMESTAMPTZ)"

    def is_day(self, field: str) -> bool:
        """Return whether a column has days, by its type or by how its texts are written."""
        column = self.find(field)
        if column is None or self._part.time_format in times.EPOCHS:
            return False
        if column.type is ColumnType.TEXT:
            return self._tries_casts and not self.written(column, field).has_clock
        return column.type_name.upper() in ("DATE", "DATE32")

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

    def untimed(self, field: str) -> str | None:
        """Return whether a row says a time that can't be read, or stands for none, or a day only among times.

        None where that can't be. A row with no text at all has not happened.
        """
        column = self.find(field)
        if column is None:
            return None
        plain, is_epoch = sql.column(column.name, dialect=self._dialect), self._part.time_format in times.EPOCHS
        if column.type is not ColumnType.TEXT or not self._tries_casts:
            if is_epoch:
                return f"({plain} IS NOT NULL AND {self.time(field)} IS NULL)"
            return self.stands_for_none(field)
        time, has_clock = self.time(field), not is_epoch and self.written(column, field).has_clock
        day = f" OR NOT {plain} LIKE '%:%'" if has_clock else ""
        return f"(TRIM({plain}) <> '' AND ({time} IS NULL{day}))"

    def stands_for_none(self, field: str) -> str | None:
        """Return whether a column of times says what stands for no time, as 1900 or infinity; None for any other.

        Of text and numbers such a time is nothing already.
        """
        column = self.find(field)
        days = bounding.of_time(column, dialect=self._dialect)
        if column is None or days is None:
            return None
        if self._dialect == "clickhouse" and self.is_day(field):  # its days end in 2149, and later ones are others
            time = self.time(field)
            return f"({time} < {sql.instant(EARLIEST)} OR {time} >= {sql.instant(LATEST)})"
        return days.outside(EARLIEST, LATEST)

    def written(self, column: Column, field: str) -> times.Written:
        """Return how a column's texts are written, as the file says or the whole column proves."""
        declared = self._part.time_format
        if declared not in (None, times.ISO):
            return times.declared(str(declared))
        query = times.shapes_query(sql.column(column.name, dialect=self._dialect), ROWS)
        found = times.shapes(self._asking.look(self._rows, query))
        try:
            return times.declared_iso(found) if declared == times.ISO else times.written(found)
        except times.UnclearError as error:
            message = f"{column.name} {error}."
            raise self._wrong(message, field) from error

    def _epoch(self, column: Column, *, micros: int) -> str:
        plain = sql.column(column.name, dialect=self._dialect)
        if column.type is ColumnType.TEXT and self._tries_casts:
            number = f"TRY_CAST({plain} AS DOUBLE)"
        elif column.type in (ColumnType.NUMBER, ColumnType.UNKNOWN):
            number = f"CAST({plain} AS DOUBLE)"  # 32 bits hold no microseconds
        else:
            message = f"{column.name} is of type {column.type_name}, not a number. Leave out `time_format`."
            raise self._wrong(message, "time_format")
        first, end = (f"{one.timestamp() * 1_000_000 / micros:.0f}" for one in (EARLIEST, LATEST))
        known = f"CASE WHEN {number} >= {first} AND {number} < {end} THEN {number} END"
        return sql.instant_of_microseconds(f"({known}) * {micros}")

    def _suggestion(self, plain: str) -> str:
        query = f"SELECT MAX(CAST({plain} AS DOUBLE)) AS largest FROM {ROWS} AS e"  # noqa: S608
        ((largest,),) = self._asking.look(self._rows, query)
        epoch = times.suggested_epoch(float(str(largest or 0)))
        if epoch is None:
            return "They are too small for seconds since 1970: days of a spreadsheet, or 20261105? Cast them in `sql`."
        return f"Say what they count: `time_format: {epoch}`."

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
            return text_numbers.number(plain, self._how(column, field))
        if column.type not in (ColumnType.NUMBER, ColumnType.UNKNOWN):
            message = f"{column.name} is of type {column.type_name}, not a number. Name another, or use `sql`."
            raise self._wrong(message, field)
        return f"CAST({plain} AS DOUBLE)"

    def _how(self, column: Column, field: str) -> Number:
        """Return how a column of text is read as numbers, as the file or all its rows prove it."""
        file = self._asking.file_of(self._rows)
        found = file.numbers.get(column.name) if file is not None else None
        if isinstance(found, SourceError):
            raise self._wrong(found.message, field)
        if found is not None:
            return found
        aggregates = text_numbers.looked_at(sql.column(column.name, dialect=self._dialect), place="1")
        (row,) = self._asking.look(self._rows, f"SELECT {aggregates} FROM {ROWS} AS e")  # noqa: S608
        try:
            return text_numbers.how(text_numbers.looked(row), separator=None)
        except UnclearNumbersError as error:
            raise self._wrong(after_colon(error.said(column.name)), field) from error

    def require_same_type(self, other: "Named", field: str) -> None:
        """Refuse to compare a number with text: engines differ in what they make of it."""
        theirs = other.find(field)
        mine = self.find(field) or (self._spelled(theirs.name, field) if theirs else None)
        if mine is None or theirs is None or self._is_empty(mine) or other._is_empty(theirs):
            return
        if mine.type is not theirs.type and not {mine.type, theirs.type} & {ColumnType.UNKNOWN, ColumnType.OTHER}:
            message = (
                f"{mine.name} is {mine.type}, and the exposures' {theirs.name} is {theirs.type}. Cast one in `sql`."
            )
            raise self._wrong(message, field)

    def _is_empty(self, column: Column) -> bool:
        return self._asking.is_empty(self._rows, column)

    @property
    def _tries_casts(self) -> bool:
        # One word on line 30,000 makes a whole column of a CSV file text; its other lines still count.
        return self._dialect == "duckdb"

    def _hint(self, asked: str) -> str:
        names = [column.name for column in self._columns]
        near = get_close_matches(asked.casefold(), [name.casefold() for name in names], n=1)
        return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names[:30])}."

    def _wrong(self, what: str, field: str) -> SourceError:
        return SourceError(f"{self._who}: {what}", permanent=True, field=field)
