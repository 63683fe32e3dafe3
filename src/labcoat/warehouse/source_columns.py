"""One open source, asked for the columns of each table or SELECT once, and for what else its rows have."""

from collections.abc import Sequence

from labcoat.warehouse import sql
from labcoat.warehouse.engines.duckdb import OpenTables
from labcoat.warehouse.engines.engine import Column, Engine
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files.tables import LoadedTable
from labcoat.warehouse.metrics_file import Exposures, Metric
from labcoat.warehouse.sql import Bounds, Rows

ROWS = "labcoat_looked_at"
"""Stands for the rows of a part in SQL of ours."""


def rows_of(part: Exposures | Metric) -> Rows:
    """Return where a part of the metrics file has its rows."""
    return Rows(table=part.table, select=part.sql)


def _where(part: Exposures | Metric) -> str:
    return "sql" if part.sql is not None else "table"


class Asking:
    """One open source, asked for the columns of each table or SELECT once."""

    def __init__(self, source: Engine, dialect: str, bounds: Bounds) -> None:
        self.dialect = dialect
        self._source = source
        self._bounds = bounds
        self._known: dict[Rows, Sequence[Column]] = {}
        self._written: dict[tuple[Rows, str], Sequence[tuple[object, ...]]] = {}

    def columns(self, part: Exposures | Metric, who: str) -> Sequence[Column]:
        """Return the columns of a part's rows; raise SourceError. who: for what is wrong."""
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

    def look(self, part: Exposures | Metric, text: str) -> Sequence[tuple[object, ...]]:
        """Return what a SELECT of ours gives over the rows of a part, `ROWS` in it; asked once."""
        rows = rows_of(part)
        if (rows, text) not in self._written:
            query = sql.write(text, {ROWS: rows}, dialect=self.dialect, bounds=self._bounds)
            self._written[rows, text] = self._source.rows(query)
        return self._written[rows, text]

    def file_of(self, part: Exposures | Metric) -> LoadedTable | None:
        """Return the file of text that a part's table is; None if its rows come from anything else."""
        if part.table is None or not isinstance(self._source, OpenTables):
            return None
        (table,) = sql.table_names(rows_of(part), dialect=self.dialect)
        return self._source.loaded.get(table)

    def is_empty(self, part: Exposures | Metric, column: Column) -> bool:
        """Whether a column of a file has no cell: it is text only since nothing says what it will be."""
        file = self.file_of(part)
        return file is not None and column.name in file.empty
