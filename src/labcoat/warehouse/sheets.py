"""Write rows to CSV and Parquet files, one at a time: no file is ever whole in memory."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from labcoat.domain.export_columns import Cell, Row, Value
from labcoat.warehouse.engines import duckdb_connection

Columns = Sequence[tuple[str, Cell]]
PutRow = Callable[[Row], None]

_TYPES = {
    Cell.TEXT: "VARCHAR",
    Cell.WHOLE: "BIGINT",
    Cell.NUMBER: "DOUBLE",
    Cell.FLAG: "BOOLEAN",
    Cell.TIME: "TIMESTAMPTZ",
}


@contextmanager
def opened_csv(path: Path, columns: Columns, *, has_mark: bool = False) -> Iterator[PutRow]:
    """Open a CSV file in UTF-8 for writing rows. has_mark: spreadsheets take it for something else without one."""
    with path.open("w", encoding="utf-8-sig" if has_mark else "utf-8", newline="") as file:
        # With these line ends, as RFC 4180 has them, Python quotes a cell with a lone \r too.
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([name for name, _ in columns])

        def put(row: Row) -> None:
            writer.writerow([_written(value) for value in row])

        yield put


@contextmanager
def opened_parquet(path: Path, columns: Columns, *, has_mark: bool = False) -> Iterator[PutRow]:  # noqa: ARG001
    """Open a Parquet file for writing rows; it is there once they are all written. Raises SourceError."""
    rows = path.with_suffix(".rows")
    try:
        with opened_csv(rows, columns) as put:
            yield put
        duckdb_connection.write_parquet(path, rows, {name: _TYPES[cell] for name, cell in columns})
    finally:
        rows.unlink(missing_ok=True)


def _written(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case float():
            return repr(value)
    return str(value)
