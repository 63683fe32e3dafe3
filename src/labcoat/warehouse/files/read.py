"""Read a table that somebody gave as a file: opened once, its cells as text, its columns as numbers.

The engine checks and aggregates; what is wrong is said with the line that a person finds in their own file.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from labcoat.warehouse import sql
from labcoat.warehouse.engines import duckdb_connection
from labcoat.warehouse.engines.duckdb_connection import Connection, OpenSource
from labcoat.warehouse.engines.engine import ColumnType, whole
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files import decode, text_numbers
from labcoat.warehouse.files.decode import GivenFile, refuse
from labcoat.warehouse.files.text_numbers import FIGURES, Number, UnclearNumbersError
from labcoat.warehouse.sources import DuckDbSource

GIVEN, PLACE = "labcoat_given", "labcoat_row_number"
"""The table of a file, and its column that numbers the rows from 0."""
_ENGINES_PLACE = "file_row_number"
_SHOWN = 40
"""Characters of a cell that are shown when it cannot be read."""


@contextmanager
def opened(path: Path, *, name: str, seconds: float, threads: int = 1) -> Iterator["GivenTable"]:
    """Open a file for one read. name: as people know it. seconds: for each step. threads: of the engine.

    Raises SourceError, its message for the person who gave the file.
    """
    source = DuckDbSource(engine="duckdb", database=path, memory_limit=duckdb_connection.GIVEN_MEMORY, threads=threads)
    with (
        TemporaryDirectory(prefix="labcoat-given-") as folder,
        duckdb_connection.connected(source) as connection,
    ):
        file = decode.look_at(path, name=name, folder=Path(folder))
        with duckdb_connection.time_limit(connection, seconds=seconds):
            load(connection, file)
        duckdb_connection.lock(connection, paths=() if file.separator else (file.path,))
        with duckdb_connection.file_errors(name=name, skipped=file.skipped_lines):
            yield GivenTable(file, OpenSource(connection, seconds, (path,)))


def load(connection: Connection, file: GivenFile) -> None:
    """Make a file the table GIVEN; raise SourceError."""
    with duckdb_connection.file_errors(name=file.name, skipped=file.skipped_lines):
        if file.separator is None:
            parquet = f"read_parquet({sql.quoted_text(str(file.path.resolve()))}"
            _require_free(connection, f"{parquet})", name=file.name)
            rows = f"SELECT * RENAME ({_ENGINES_PLACE} AS {PLACE}) FROM {parquet}, {_ENGINES_PLACE} = true)"
            connection.execute(f"CREATE TEMP VIEW {GIVEN} AS {rows}")
            return
        loaded, width = f"{GIVEN}_text", len(file.header)
        duckdb_connection.load_text(connection, file.path, separator=file.separator, width=width, table=loaded)
        connection.execute(f"CREATE TEMP VIEW {GIVEN} AS SELECT rowid AS {PLACE}, * FROM {loaded}")


def unload(connection: Connection) -> None:
    """Drop the table GIVEN of a text file."""
    connection.execute(f"DROP VIEW {GIVEN}")
    connection.execute(f"DROP TABLE {GIVEN}_text")


def _require_free(connection: Connection, rows: str, *, name: str) -> None:
    """Refuse a column with the name of ours: rows would be told by its values."""
    for column in connection.execute(f"SELECT * FROM {rows} LIMIT 0").description or ():
        if column[0].casefold() in (PLACE, _ENGINES_PLACE):
            message = f"{name} has a column {column[0]}, a name that is needed to number its rows. Rename that column."
            raise SourceError(message, permanent=True)


class GivenTable:
    """A file that is open.

    columns: their names without outer blanks, in order. separator: None for Parquet. left_out, notes: what people
    are told of the reading.
    """

    def __init__(self, file: GivenFile, source: OpenSource) -> None:
        self._file, self._source = file, source
        self._columns = [column for column in source.columns(f"SELECT * FROM {GIVEN}") if column.name != PLACE]
        names = file.header or tuple(column.name for column in self._columns)
        self.columns: tuple[str, ...] = tuple(name.strip() for name in names)
        self.name, self.separator = file.name, file.separator
        self.left_out: list[str] = []
        self.notes: list[str] = []
        if file.titles:
            self.left_out.append(f"what stands above the names of the columns (“{file.titles[0][:_SHOWN]}”)")

    def line(self, place: int) -> str:
        """Return how a person finds a row again."""
        return self._file.line(place)

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """Return what a SELECT gives."""
        return self._source.rows(text)

    def is_number(self, place: int) -> bool:
        """Whether the column's own type is a number: its text is never in anybody's style."""
        return self._columns[place].type is ColumnType.NUMBER

    def first_rows(self, most: int) -> list[tuple[str, tuple[str, ...]]]:
        """Return at most so many rows, each with its line, every cell as text; blank rows are left out."""
        cells = ", ".join(self.text(place) for place in range(len(self._columns)))
        rows = self.rows(f"SELECT {PLACE}, {cells} FROM {self.filled} ORDER BY {PLACE} LIMIT {most}")
        return [
            (self.line(whole(place)), tuple("" if cell is None else str(cell) for cell in row)) for place, *row in rows
        ]

    def last_row(self) -> tuple[int, tuple[str, ...]] | None:
        """Return the last row that is not blank, with its place; None if there are no rows."""
        cells = ", ".join(self.text(place) for place in range(len(self._columns)))
        (top,) = self.rows(f"SELECT MAX({PLACE}) FROM {self.filled}")
        if top[0] is None:
            return None
        ((place, *row),) = self.rows(f"SELECT {PLACE}, {cells} FROM {GIVEN} WHERE {PLACE} = {top[0]}")
        return whole(place), tuple("" if cell is None else str(cell) for cell in row)

    def text(self, place: int) -> str:
        """Return the expression of a column's text, NULL for an empty one."""
        return text_numbers.text_of(self.raw(place))

    def cell(self, column: int, place: int) -> str:
        """Return a cell as it is shown when it cannot be read."""
        ((cell,),) = self.rows(f"SELECT {self.text(column)} FROM {GIVEN} WHERE {PLACE} = {place}")
        return "" if cell is None else " ".join(str(cell).split())[:_SHOWN]

    @cached_property
    def filled(self) -> str:
        """The rows that are not blank: spreadsheets leave rows of empty cells behind."""
        # What is not below "!" has a first sign that is no blank: it need not be trimmed to be told.
        blank = " AND ".join(
            f"({self.raw(place)} IS NULL OR CAST({self.raw(place)} AS TEXT) < '!' AND {self.text(place)} IS NULL)"
            for place in range(len(self._columns))
        )
        ((first,),) = self.rows(f"SELECT MIN({PLACE}) FROM {GIVEN} WHERE {blank}")
        return GIVEN if first is None else f"(SELECT * FROM {GIVEN} WHERE NOT ({blank}))"

    def numbers(self, columns: Sequence[int], *, rows: str) -> list[str]:
        """Return the expression of each column's numbers, NULL where there is none.

        rows: the table to look at. Raises SourceError for a column whose numbers can be read in two ways.
        """
        distinct = sorted(set(columns))
        texts = [place for place in distinct if self._columns[place].type is ColumnType.TEXT]
        found = self.how(texts, rows=rows)
        return [self._number(place, found.get(place)) for place in columns]

    def how(self, columns: Sequence[int], *, rows: str) -> dict[int, Number | SourceError]:
        """Return how columns of text are read as numbers, or why they can't be.

        rows: the table to look at.
        """
        plain = self._plain(columns, rows)
        looked = [place for place in columns if place not in plain or self.separator != ","]
        return dict.fromkeys(columns, Number()) | self._written(looked, plain, rows)

    def raw(self, place: int) -> str:
        """Return the expression of a column as it is."""
        return sql.quoted_name(self._columns[place].name)

    def _plain(self, columns: Sequence[int], rows: str) -> set[int]:
        """Return the columns that the engine reads as numbers as they stand."""
        if not columns:
            return set()
        odd = ", ".join(
            f"MIN({PLACE}) FILTER (WHERE TRY_CAST({self.raw(place)} AS DOUBLE) IS NULL AND {self.text(place)} "
            "IS NOT NULL)"
            for place in columns
        )
        (found,) = self.rows(f"SELECT {odd} FROM {rows}")
        return {place for place, first in zip(columns, found, strict=True) if first is None}

    def _written(self, columns: Sequence[int], plain: set[int], rows: str) -> dict[int, Number | SourceError]:
        if not columns:
            return {}
        wanted = ", ".join(
            text_numbers.looked_at(self.raw(place), place=PLACE, is_bare=place in plain) for place in columns
        )
        (found,) = self.rows(f"SELECT {wanted} FROM {rows}")
        every = {place: text_numbers.looked(found[FIGURES * n : FIGURES * (n + 1)]) for n, place in enumerate(columns)}
        proved = {one.seen.style for one in every.values() if one.seen.is_proved}
        told: dict[int, Number | SourceError] = {}
        for place, looked in every.items():
            try:
                told[place] = text_numbers.how(looked, separator=self.separator, proved=proved)
            except UnclearNumbersError as error:
                message = error.said(self.columns[place], [self.line(one) for one in error.places])
                told[place] = SourceError(message, permanent=True)
        return told

    def _number(self, place: int, how: Number | SourceError | None) -> str:
        column = self._columns[place]
        if isinstance(how, SourceError):
            raise how
        if column.type in (ColumnType.NUMBER, ColumnType.BOOLEAN):
            return f"CAST({self.raw(place)} AS DOUBLE)"
        if how is None:
            refuse(f"{self.columns[place]} has the type {column.type_name.lower()}, and a metric needs numbers")
        return text_numbers.number(self.raw(place), how)
