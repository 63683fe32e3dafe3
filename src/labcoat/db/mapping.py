"""Rows to frozen values and back: a column is named as the field it holds."""

from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import RowMapping, Table

ValueT = TypeVar("ValueT")


@cache
def _shared_names(shape: type[Any], table: Table) -> tuple[str, ...]:
    return tuple(field.name for field in fields(shape) if field.name in table.columns)


def to_row(value: Any, table: Table, *, since: Any = None) -> dict[str, Any]:
    """Return the columns of the table that are fields of the value; only what differs since an earlier value."""
    names = _shared_names(type(value), table)  # type: ignore[arg-type]  # every class can be hashed
    row = {name: getattr(value, name) for name in names}
    return row if since is None else {name: one for name, one in row.items() if one != getattr(since, name)}


def from_row(shape: type[ValueT], table: Table, row: RowMapping) -> ValueT:
    """Return the value that a row of the table holds."""
    names = _shared_names(shape, table)  # type: ignore[arg-type]  # every class can be hashed
    return shape(**{name: row[name] for name in names})
