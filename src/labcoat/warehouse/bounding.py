"""Constant bounds for the engine: which days of the user's rows a read needs, so that it skips all other partitions.

They are written on the column itself and in its own type, since a function around it hides the partitions; and a day
wider than what is counted, since a column may be in a zone of its own. What is counted is decided elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from labcoat.warehouse import sql
from labcoat.warehouse.engines.engine import Column, ColumnType

LOOK_BACK = timedelta(days=28)
"""Before an experiment's start; a unit that was exposed in this time, and before the start, is not counted.

Decision 48 says why.
"""
RECENT = timedelta(days=400)
"""What `labcoat metrics check` reads, and drafts that wait for their data."""
_SLACK = timedelta(days=1)
_PSEUDO = {"_partitiondate": "DATE", "_partitiontime": "TIMESTAMP"}
_ZONELESS = ("duckdb", "postgres", "redshift", "trino")


class _Type(StrEnum):
    DAY = "DATE"
    TEXT = "TEXT"
    TIME = "TIMESTAMP"
    INSTANT = "TIMESTAMPTZ"


@dataclass(frozen=True, slots=True)
class DayColumn:
    """A column that tells a row's day. column: an expression over the rows called e."""

    column: str
    type: _Type

    @property
    def has_zone(self) -> bool | None:
        """Whether its times have a zone; None for days and text."""
        return None if self.type in (_Type.DAY, _Type.TEXT) else self.type is _Type.INSTANT

    def since(self, moment: datetime) -> str:
        """Return that a row is of that moment or later, with a day to spare."""
        return f"{self.column} >= {self._written(moment - _SLACK)}"

    def until(self, moment: datetime) -> str:
        """Return that a row is of before that moment, with a day to spare."""
        return f"{self.column} < {self._written(moment + 2 * _SLACK)}"

    def outside(self, since: datetime, until: datetime) -> str:
        """Return that a row is of before the one day or of the other day or later; both are midnights UTC."""
        return f"({self.column} < {self._written(since)} OR {self.column} >= {self._written(until)})"

    def _written(self, moment: datetime) -> str:
        day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.type is _Type.TEXT:
            return f"'{day:%Y-%m-%d}'"
        return sql.instant(day) if self.type is _Type.INSTANT else f"CAST('{day:%Y-%m-%d}' AS {self.type})"


def of_time(column: Column | None, *, dialect: str) -> DayColumn | None:
    """Return a column of times as the engine can skip by it; None for text, which has no order that is known."""
    if column is None or column.type is not ColumnType.TIME:
        return None
    return DayColumn(sql.column(column.name, dialect=dialect), _time_type(column.type_name.upper(), dialect))


def of_partition(column: Column, *, dialect: str) -> DayColumn | None:
    """Return a column of days as the engine can skip by it; None if it is neither a day, a time nor text."""
    if column.type is ColumnType.TEXT:
        return DayColumn(sql.column(column.name, dialect=dialect), _Type.TEXT)
    return of_time(column, dialect=dialect)


def pseudo_column(name: str, *, dialect: str) -> Column | None:
    """Return a column that a table has and does not list: BigQuery's day of ingestion."""
    type_name = _PSEUDO.get(name.casefold()) if dialect == "bigquery" else None
    return None if type_name is None else Column(name.upper(), ColumnType.TIME, type_name)


def where(
    time: DayColumn | None, partition: DayColumn | None, *, since: datetime | None, until: datetime | None
) -> list[str]:
    """Return the conditions for rows of these times. since, until: None for no bound.

    A load may be late, so rows of later partitions may belong here, and those of no partition yet.
    """
    found = []
    if time is not None and since is not None:
        found.append(time.since(since))
    if time is not None and until is not None:
        found.append(time.until(until))
    if partition is not None and since is not None:
        found.append(f"({partition.column} IS NULL OR {partition.since(since)})")
    return found


def joined(conditions: Sequence[str]) -> str:
    """Return conditions that all have to hold, each followed by AND.

    >>> joined(["a = 1"]), joined([])
    ('a = 1 AND ', '')
    """
    return "".join(f"{one} AND " for one in conditions)


def told(since: datetime, until: datetime) -> str:
    """Return in words which days are read.

    >>> told(datetime(2026, 10, 4, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    '2026-10-04 to 2026-12-01'
    """
    return f"{since.astimezone(UTC):%Y-%m-%d} to {until.astimezone(UTC):%Y-%m-%d}"


def _time_type(name: str, dialect: str) -> _Type:
    if name in ("DATE", "DATE32"):
        return _Type.DAY
    has_zone = "TZ" in name.removeprefix("TIMESTAMP_NTZ") or ("ZONE" in name and "WITHOUT" not in name)
    is_zoneless = dialect in _ZONELESS or "NTZ" in name or (dialect == "bigquery" and name == "DATETIME")
    return _Type.TIME if is_zoneless and not has_zone else _Type.INSTANT
