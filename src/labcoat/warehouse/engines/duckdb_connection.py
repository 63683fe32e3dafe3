"""A DuckDB that lives for one read, and can do nothing but read: the only home of duckdb.

DuckDB's own limits leave a hole: `COPY ... TO` overwrites any file that is open to reading, even a database attached
READ_ONLY. So text is loaded before access is shut off, and the engine's parser must call each statement a SELECT.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeAlias

from labcoat.warehouse import sql
from labcoat.warehouse.engines import engine
from labcoat.warehouse.engines.engine import Column, ColumnType
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import DuckDbSource

# DuckDB takes a quarter of a second to load, so the first file or source that is read loads it, not `labcoat serve`
# (decision 54).
if TYPE_CHECKING:
    import duckdb

Connection: TypeAlias = "duckdb.DuckDBPyConnection"
SPILL_LIMIT = "10GB"
GIVEN_MEMORY = "512MB"
TIME_LIMIT_SECONDS = 60.0

# One quoting style: DuckDB's guesses turn a file with one long line into a single column.
_QUOTES = "quote = '\"', escape = '\"'"
_LONGEST_LINE, _ROWS_TOGETHER = 4_000_000, 10_000
"""Bytes of a line of our own files, and rows written together; left to itself DuckDB refuses a line of over 2 MB, and
takes hundreds of MB for a long file.
"""
_QUOTE_NAMES_ONLY = (
    "BinderException",
    "CatalogException",
    "HTTPException",
    "IOException",
    "ParserException",
    "PermissionException",
)
_TYPES = {
    ColumnType.NUMBER: ("TINYINT", "SMALLINT", "INT", "BIGINT", "HUGEINT", "U", "FLOAT", "DOUBLE", "DECIMAL"),
    ColumnType.BOOLEAN: ("BOOLEAN",),
    ColumnType.TEXT: ("VARCHAR", '"NULL"', "NULL"),
    ColumnType.TIME: ("TIMESTAMP", "DATE"),
}


class ConversionError(Exception):
    """A cell is not of the type that it is cast to."""


@dataclass(frozen=True, slots=True)
class OpenSource:
    """Files that can be read, and nothing else can be done."""

    connection: Connection
    seconds: float
    paths: tuple[Path, ...]

    def columns(self, text: str) -> list[Column]:
        """Return each column, as the engine spells it."""
        with self._guard(text) as cursor:
            found = [(str(column[0]), str(column[1])) for column in cursor.description or ()]
        return [Column(name, engine.typed(type_, _TYPES), type_) for name, type_ in found]

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """Return what the SELECT gives."""
        with self._guard(text) as cursor:
            return cursor.fetchall()

    def cost(self, text: str) -> str:  # noqa: ARG002
        """Return nothing: DuckDB guesses rows, not what they take."""
        return ""

    @contextmanager
    def _guard(self, text: str) -> Iterator[Connection]:
        import duckdb

        with plain_errors(self.paths), time_limit(self.connection, seconds=self.seconds):
            statements = self.connection.extract_statements(text)
            if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
                message = "The SQL must be one SELECT statement."
                raise SourceError(message, permanent=True)
            yield self.connection.execute(statements[0])


@contextmanager
def connected(source: DuckDbSource) -> Iterator[Connection]:
    """Open an empty database in memory, with the source's limits."""
    import duckdb

    # Ten million units need a spill to disk at this memory; the folder goes with the connection.
    with TemporaryDirectory(prefix="labcoat-", ignore_cleanup_errors=True) as spill:
        connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": source.memory_limit,
                "threads": source.threads,
                "temp_directory": spill,
                "max_temp_directory_size": SPILL_LIMIT,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        try:
            connection.execute("SET enable_progress_bar = false")  # it is drawn into our output after two seconds
            connection.execute("SET TimeZone = 'UTC'")  # how timestamps without a zone are read
            yield connection
        finally:
            connection.close()


def attach(connection: Connection, path: Path, *, name: str) -> None:
    """Add a database file to read, as the one that tables are looked for in; raise SourceError while it is written."""
    import duckdb

    try:
        connection.execute(f"ATTACH {sql.quoted_text(str(path.resolve()))} AS {sql.quoted_name(name)} (READ_ONLY)")
    except duckdb.Error as error:
        # DuckDB lets one process write or many read; it says the first from another process, the second from ours.
        if "Could not set lock" in str(error) or "file handle conflict" in str(error):
            message = f"{path.name} is open for writing in another program. It can be read once that program closes it."
            raise SourceError(message, permanent=False) from error
        raise
    connection.execute(f"USE {sql.quoted_name(name)}")


def load_text(connection: Connection, path: Path, *, separator: str, width: int, table: str) -> None:
    """Load a CSV file in UTF-8 into a table of texts c0, c1, ...; an empty cell is NULL."""
    columns = ", ".join(f"c{place}: 'VARCHAR'" for place in range(width))
    how = (
        f"header = true, auto_detect = false, delim = {sql.quoted_text(separator)}, columns = {{{columns}}}, {_QUOTES}"
    )
    # A table, not a view: one state of the file for all metrics, and no file stays open that a COPY could overwrite.
    connection.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM read_csv({_file(path)}, {how})")  # noqa: S608


def view_parquet(connection: Connection, paths: Collection[Path], *, table: str) -> None:
    """Read Parquet files where they are: a copy of a hundred million rows would cost more than the readout.

    A folder such as day=2026-11-05 is a column; a file that lacks a column has NULL there.
    """
    listed = ", ".join(_file(path) for path in paths)
    how = "" if len(paths) == 1 else ", union_by_name = true"
    connection.execute(f"CREATE TEMP VIEW {table} AS SELECT * FROM read_parquet([{listed}]{how})")  # noqa: S608


def lock(connection: Connection, *, paths: Collection[Path], folders: Collection[Path] = ()) -> None:
    """Let nothing be opened from now on but these Parquet files, and what is in these folders."""
    connection.execute(f"SET allowed_paths = [{', '.join(_file(path) for path in paths)}]")
    inside = ", ".join(sql.quoted_text(f"{folder.resolve()}/") for folder in folders)
    connection.execute(f"SET allowed_directories = [{inside}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def write_parquet(path: Path, rows: Path, columns: Mapping[str, str]) -> None:
    """Write the rows of a CSV file of our own to a Parquet file; raise SourceError. columns: the type of each."""
    types = ", ".join(f"{sql.quoted_text(name)}: {sql.quoted_text(kind)}" for name, kind in columns.items())
    size = f"max_line_size = {_LONGEST_LINE}, buffer_size = {2 * _LONGEST_LINE}"
    how = f"header = true, auto_detect = false, columns = {{{types}}}, {_QUOTES}, {size}"
    written = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS_TOGETHER}"
    source = DuckDbSource(engine="duckdb", database=rows, memory_limit=GIVEN_MEMORY, threads=1)
    with connected(source) as connection, plain_errors((path, rows)):
        connection.execute(f"COPY (SELECT * FROM read_csv({_file(rows)}, {how})) TO {_file(path)} ({written})")  # noqa: S608


@contextmanager
def time_limit(connection: Connection, *, seconds: float) -> Iterator[None]:
    """End what takes longer, with SourceError."""
    import duckdb

    try:
        with engine.TimeLimit(seconds, connection.interrupt):
            yield
    except duckdb.InterruptException as error:
        raise engine.too_slow(seconds) from error


@contextmanager
def conversion_errors() -> Iterator[None]:
    """Raise ConversionError where a cell is not of the type that it is cast to."""
    import duckdb

    try:
        yield
    except duckdb.ConversionException as error:
        raise ConversionError from error


@contextmanager
def plain_errors(paths: Collection[Path]) -> Iterator[None]:
    """Raise what DuckDB complains of as SourceError. paths: named in it without their folders."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        message = (
            "The SQL needs more memory than its source may have. Raise memory_limit, or prepare a smaller table, one "
            "row per unit."
        )
        raise SourceError(message, permanent=True) from error
    except duckdb.Error as error:
        raise SourceError(_first_line(error, paths=paths), permanent=True) from error


@contextmanager
def file_errors(*, name: str, skipped: int) -> Iterator[None]:
    """Raise what DuckDB complains of in a file that is loaded as SourceError, with its line.

    skipped: lines that were above the header.
    """
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        message = f"{name} needs more memory than there is for one file. Leave out columns, or write it as Parquet."
        raise SourceError(message, permanent=True) from error
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise SourceError(_fault(str(error), name=name, skipped=skipped), permanent=True) from error


def _fault(text: str, *, name: str, skipped: int) -> str:
    where = re.search(r"CSV Error on Line: (\d+)", text)
    if where is None:
        return f"{name} can't be read to its end. Write it again, or give a CSV file."
    line = f"Line {int(where[1]) + skipped:,}"
    widths = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if widths is not None:
        return f"{line} has {widths[2]} values, and there are {widths[1]} names of columns. Write one value for each."
    if "Maximum line size" in text:
        return f"{line} has more than 2 MB. Shorten its longest cell, or leave that column out."
    if "unterminated quote" in text:
        return f"{line} has a quotation mark that does not end. Close it, or leave it out."
    return f"{line} can't be read as part of a table. Check its quotation marks and separators."


def _first_line(error: "duckdb.Error", *, paths: Collection[Path]) -> str:
    """Return the engine's message without folders, and without the person's value that a failed cast would quote."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    if refused := re.search(r'Cannot access file "([^"]+)"', line):
        return (
            f"The SQL reads {Path(refused[1]).name}, which is no Parquet file of the source's `tables`. List it there; "
            "of a CSV file, read the table that it is listed as."
        )
    if type(error).__name__ not in _QUOTE_NAMES_ONLY:
        line = engine.without_values(line)
    for path in paths:
        line = line.replace(str(path.resolve()), path.name).replace(str(path), path.name)
    return f"The database says: {engine.without_folders(line)}"


def _file(path: Path) -> str:
    return sql.quoted_text(str(path.resolve()))
