"""What the columns of some rows were found to be, as far as it decides how they are read."""

from dataclasses import dataclass, replace

from labcoat.domain.findings import FoundColumn
from labcoat.warehouse import bounding, times
from labcoat.warehouse.engines.engine import Column, ColumnType
from labcoat.warehouse.files.tables import LoadedTable
from labcoat.warehouse.files.text_numbers import Number
from labcoat.warehouse.metrics_file import Exposures, Metric
from labcoat.warehouse.naming import Named
from labcoat.warehouse.source_columns import Asking

TIMES = ("exposed_at", "time")
COVARIATES = ("covariate", "covariate_denominator")


@dataclass(frozen=True, slots=True)
class _Read:
    """Some rows as a part of the metrics file reads them. file: that they are; None if they come from anything else."""

    named: Named
    part: Exposures | Metric
    file: LoadedTable | None
    dialect: str


def of_exposures(exposures: Exposures, named: Named, asking: Asking) -> dict[str, FoundColumn | None]:
    """Return what the columns of exposures are, by field. named: their rows."""
    read = _Read(named, exposures, asking.file_of(exposures), asking.dialect)
    return {field: _found(read, field, column) for field, column in named.all_taken.columns.items()}


def of_metric(
    metric: Metric,
    named: Named,
    asking: Asking,
    *,
    exposures: Exposures,
    unit: Column | None,
    has_pre_period: bool,
) -> dict[str, FoundColumn | None]:
    """Return what the columns of a metric are, by field.

    unit: what the exposures call theirs, which a metric's own rows do too. has_pre_period: its covariate is no column.
    """
    read = _Read(named, metric, asking.file_of(metric if metric.has_own_rows else exposures), asking.dialect)
    taken = named.all_taken
    columns = dict(taken.columns)
    if "unit" in columns and columns["unit"] is None and unit is not None:
        alike = [column for column in taken.known if column.name.casefold() == unit.name.casefold()]
        columns["unit"] = next((column for column in alike if column.name == unit.name), next(iter(alike), None))
    return {
        field: _found(read, field, column)
        for field, column in columns.items()
        if not (has_pre_period and field in COVARIATES)
    }


def _found(read: _Read, field: str, column: Column | None) -> FoundColumn | None:
    if column is None:
        return None
    # A file of text has no types of its own: one more cell may make numbers or times text, and each is read as before.
    kind = column.type if read.file is None else ColumnType.UNKNOWN
    found = FoundColumn(name=column.name, kind=kind.value, type_name=column.type_name)
    if read.file is not None and column.name in read.file.empty:
        return found
    if field in TIMES:
        return _of_time(read, field, column, found)
    how = read.file.numbers.get(column.name) if read.file is not None else None
    return replace(found, is_percent=isinstance(how, Number) and how.is_percent)


def _of_time(read: _Read, field: str, column: Column, found: FoundColumn) -> FoundColumn:
    is_day = read.named.is_day(field)
    found = replace(found, is_day=is_day, has_clock=False if is_day else None)
    is_text = column.type is ColumnType.TEXT and read.dialect == "duckdb"
    if is_text and read.part.time_format not in times.EPOCHS:
        written = read.named.written(column, field)
        return replace(found, has_zone=written.has_zone, formats=written.formats)
    day = bounding.of_time(column, dialect=read.dialect)
    return found if day is None else replace(found, has_zone=day.has_zone)
