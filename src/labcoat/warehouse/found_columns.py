"""What the columns of some rows were found to be, as far as it decides how they are read."""

from collections.abc import Mapping
from dataclasses import replace

from labcoat.domain.findings import FoundColumn
from labcoat.warehouse import bounding
from labcoat.warehouse.engine import Column
from labcoat.warehouse.naming import Named

TIMES = ("exposed_at", "time")
COVARIATES = ("covariate", "covariate_denominator")


def of_exposures(named: Named, *, dialect: str) -> dict[str, FoundColumn | None]:
    """Return what the columns of exposures are, by field."""
    return {field: _found(named, field, column, dialect) for field, column in named.all_taken.columns.items()}


def of_metric(named: Named, exposures: Named, *, has_pre_period: bool, dialect: str) -> dict[str, FoundColumn | None]:
    """Return what the columns of a metric are, by field. has_pre_period: its covariate is no column then."""
    columns: Mapping[str, Column | None] = named.all_taken.columns
    if "unit" in columns:
        columns = {**columns, "unit": named.column("unit", default=exposures.find("unit"))}
    return {
        field: _found(named, field, column, dialect)
        for field, column in columns.items()
        if not (has_pre_period and field in COVARIATES)
    }


def _found(named: Named, field: str, column: Column | None, dialect: str) -> FoundColumn | None:
    if column is None:
        return None
    found = FoundColumn(name=column.name, kind=column.type.value, type_name=column.type_name)
    if field not in TIMES:
        return found
    is_day = named.is_day(field)
    found = replace(found, is_day=is_day, has_clock=False if is_day else None)
    written = named.written(field)
    if written is not None:
        return replace(found, has_zone=written.has_zone, formats=written.formats)
    day = bounding.of_time(column, dialect=dialect)
    return found if day is None else replace(found, has_zone=day.has_zone)
