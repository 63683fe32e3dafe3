"""Open DuckDB and CSV files for one read and close them again: the only home of duckdb.

DuckDB's own limits leave a hole: `COPY ... TO` overwrites any file that is open to reading, even a database attached
READ_ONLY. So CSV files are loaded before access is shut off, and the engine's parser must call each statement a SELECT.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from labcoat.warehouse import engine, sql
from labcoat.warehouse.engine import Column, ColumnType
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import DuckDbSource, files_of

SPILL_LIMIT = "10GB"
TIME_LIMIT_SECONDS = 60.0

# One quoting style and the whole file sampled: DuckDB's guesses turn a file with one long line into a single column,
# and a file with text on line 30,000 into an error instead of a count.
_QUOTES = "quote = '\"', escape = '\"'"
_CSV_OPTIONS = "header = true, delim = ',', quote = '\"', escape = '\"', sample_size = -1"

_QUOTE_NAMES_ONLY = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.IOException,
    duckdb.ParserException,
    duckdb.PermissionException,
)
_TYPES = {
    ColumnType.NUMBER: ("TINYINT", "SMALLINT", "INT", "BIGINT", "HUGEINT", "U", "FLOAT", "DOUBLE", "DECIMAL"),
    ColumnType.BOOLEAN: ("BOOLEAN",),
    ColumnType.TEXT: ("VARCHAR", '"NULL"', "NULL"),
    ColumnType.TIME: ("TIMESTAMP", "DATE"),
}
GIVEN, PLACE = "given", "labcoat_row_number"
"""The table of a file that somebody gave, and its column that numbers the rows from 0."""
_ENGINES_PLACE = "file_row_number"
_LONGEST_LINE, _ROWS_TOGETHER = 4_000_000, 10_000
"""Bytes of a line of our own files, and rows written together; left to itself DuckDB refuses a line of over 2 MB, and
takes hundreds of MB for a long file.
"""
_GIVEN_MEMORY = "512MB"


@dataclass(frozen=True, slots=True)
class OpenSource:
    """Files that can be read, and nothing else can be done."""

    connection: duckdb.DuckDBPyConnection
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
    def _guard(self, text: str) -> Iterator[duckdb.DuckDBPyConnection]:
        with _plain_errors(self.paths), _time_limit(self.connection, seconds=self.seconds):
            statements = self.connection.extract_statements(text)
            if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
                message = "The SQL must be one SELECT statement."
                raise SourceError(message, permanent=True)
            yield self.connection.execute(statements[0])


@contextmanager
def opened(
    source: DuckDbSource, *, name: str, tables: Collection[str], seconds: float = TIME_LIMIT_SECONDS
) -> Iterator[OpenSource]:
    """Open the source's database and those of its CSV files that are asked for, then lock everything else.

    name: of the source; its SQL may write `name.table` for a table of the database.
    tables: in lower case; names that are not the source's are ignored, the database may have them.
    seconds: for each statement. Other programs cannot write to the database while it is open here: close it soon.
    """
    files = {table: path for table, path in source.tables.items() if table.casefold() in tables}
    paths = files_of(source, tables)
    for path in paths:
        engine.require_file(path)
    with _connection(source) as connection:
        if source.database:
            with _plain_errors(paths):
                _attach(connection, source.database, name=name)
        for table, path in files.items():
            with _plain_errors(paths), _time_limit(connection, seconds=seconds):
                (_view if path.suffix.lower() == ".parquet" else _load)(connection, path, table=table)
        allowed = ", ".join(sql.quoted_text(str(path.resolve())) for path in files.values() if path.suffix != ".csv")
        connection.execute(f"SET allowed_paths = [{allowed}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield OpenSource(connection, seconds, paths)


@contextmanager
def opened_given(
    path: Path, *, name: str, separator: str | None, width: int, skipped: int, seconds: float, threads: int = 1
) -> Iterator[OpenSource]:
    """Open one file that somebody gave as the table `given`, then lock everything else.

    separator, width: of a CSV file in UTF-8, whose columns become texts c0, c1, ...; None for Parquet.
    name: as people know it. skipped: lines that were above the header, for the line that a complaint names.
    """
    source = DuckDbSource(engine="duckdb", database=path, memory_limit=_GIVEN_MEMORY, threads=threads)
    file = sql.quoted_text(str(path.resolve()))
    with _connection(source) as connection:
        with _given_errors(name=name, skipped=skipped), _time_limit(connection, seconds=seconds):
            if separator is None:
                _require_free(connection, file, name=name)
                rows = (
                    f"SELECT * RENAME ({_ENGINES_PLACE} AS {PLACE}) FROM read_parquet({file}, {_ENGINES_PLACE} = true)"  # noqa: S608
                )
                connection.execute(f"CREATE TEMP VIEW {GIVEN} AS {rows}")
            else:
                columns = ", ".join(f"c{place}: 'VARCHAR'" for place in range(width))
                how = (
                    f"header = true, auto_detect = false, delim = {sql.quoted_text(separator)}, columns = {{{columns}}}"
                )
                connection.execute(f"CREATE TEMP TABLE loaded AS SELECT * FROM read_csv({file}, {how}, {_QUOTES})")  # noqa: S608
                connection.execute(f"CREATE TEMP VIEW {GIVEN} AS SELECT rowid AS {PLACE}, * FROM loaded")  # noqa: S608
        connection.execute(f"SET allowed_paths = [{file if separator is None else ''}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        with _given_errors(name=name, skipped=skipped):
            yield OpenSource(connection, seconds, (path,))


def _require_free(connection: duckdb.DuckDBPyConnection, file: str, *, name: str) -> None:
    """Refuse a column with the name of ours: rows would be told by its values."""
    columns = connection.execute(f"SELECT * FROM read_parquet({file}) LIMIT 0").description or ()  # noqa: S608
    for column in columns:
        if column[0].casefold() in (PLACE, _ENGINES_PLACE):
            message = f"{name} has a column {column[0]}, a name that is needed to number its rows. Rename that column."
            raise SourceError(message, permanent=True)


def write_parquet(path: Path, rows: Path, columns: Mapping[str, str]) -> None:
    """Write the rows of a CSV file of our own to a Parquet file; raise SourceError. columns: the type of each."""
    types = ", ".join(f"{sql.quoted_text(name)}: {sql.quoted_text(kind)}" for name, kind in columns.items())
    size = f"max_line_size = {_LONGEST_LINE}, buffer_size = {2 * _LONGEST_LINE}"
    how = f"header = true, auto_detect = false, columns = {{{types}}}, {_QUOTES}, {size}"
    written = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS_TOGETHER}"
    source = DuckDbSource(engine="duckdb", database=rows, memory_limit=_GIVEN_MEMORY, threads=1)
    with _connection(source) as connection, _plain_errors((path, rows)):
        connection.execute(
            f"COPY (SELECT * FROM read_csv({sql.quoted_text(str(rows.resolve()))}, {how})) "  # noqa: S608
            f"TO {sql.quoted_text(str(path.resolve()))} ({written})"
        )


@contextmanager
def _given_errors(*, name: str, skipped: int) -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        message = f"{name} needs more memory than there is for one file. Sum it up: a row a variant."
        raise SourceError(message, permanent=True) from error
    except duckdb.Error as error:
        raise SourceError(_given_fault(str(error), name=name, skipped=skipped), permanent=True) from error


def _given_fault(text: str, *, name: str, skipped: int) -> str:
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


@contextmanager
def _connection(source: DuckDbSource) -> Iterator[duckdb.DuckDBPyConnection]:
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


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, *, name: str) -> None:
    try:
        connection.execute(f"ATTACH {sql.quoted_text(str(path.resolve()))} AS {sql.quoted_name(name)} (READ_ONLY)")
    except duckdb.Error as error:
        # DuckDB lets one process write or many read; it says the first from another process, the second from ours.
        if "Could not set lock" in str(error) or "file handle conflict" in str(error):
            message = f"{path.name} is open for writing in another program. It can be read once that program closes it."
            raise SourceError(message, permanent=False) from error
        raise
    connection.execute(f"USE {sql.quoted_name(name)}")


def _view(connection: duckdb.DuckDBPyConnection, path: Path, *, table: str) -> None:
    # Read where it is: a copy of a hundred million rows would cost more than the readout.
    file = sql.quoted_text(str(path.resolve()))
    connection.execute(f"CREATE TEMP VIEW {sql.quoted_name(table)} AS SELECT * FROM read_parquet({file})")  # noqa: S608


def _load(connection: duckdb.DuckDBPyConnection, path: Path, *, table: str) -> None:
    file = sql.quoted_text(str(path.resolve()))
    try:
        # Tables, not views: one state of the file for all metrics, and no file stays open that a COPY could overwrite.
        connection.execute(
            f"CREATE TEMP TABLE {sql.quoted_name(table)} AS "  # noqa: S608
            f"SELECT * FROM read_csv({file}, {_CSV_OPTIONS}{_unproved(connection, file)})"
        )
    except duckdb.InvalidInputException as error:
        line = re.search(r"CSV Error on Line: (\d+)", str(error))
        where = f"; see line {line[1]}" if line else ""
        message = (
            f"{path.name} can't be read as CSV{where}. It must be UTF-8 with commas, a line of column names first, and "
            "as many values on each line."
        )
        raise SourceError(message, permanent=True) from error


def _unproved(connection: duckdb.DuckDBPyConnection, file: str) -> str:
    """Return the option that leaves times text where they are not ISO: DuckDB would guess which number is the month."""
    (found,) = connection.execute(
        f"SELECT Columns, DateFormat, TimestampFormat FROM sniff_csv({file}, {_CSV_OPTIONS})"  # noqa: S608
    ).fetchall()
    columns, *formats = found
    guessed = {"DATE": formats[0], "TIMESTAMP": formats[1], "TIMESTAMP WITH TIME ZONE": formats[1]}
    texts = [one["name"] for one in columns if not (guessed.get(one["type"]) or "%Y-").startswith(("%Y-", "%Y/"))]
    listed = ", ".join(f"{sql.quoted_text(name)}: 'VARCHAR'" for name in texts)
    return f", types = {{{listed}}}" if texts else ""


@contextmanager
def _time_limit(connection: duckdb.DuckDBPyConnection, *, seconds: float) -> Iterator[None]:
    try:
        with engine.TimeLimit(seconds, connection.interrupt):
            yield
    except duckdb.InterruptException as error:
        raise engine.too_slow(seconds) from error


@contextmanager
def _plain_errors(paths: tuple[Path, ...]) -> Iterator[None]:
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


def _first_line(error: duckdb.Error, *, paths: tuple[Path, ...]) -> str:
    """Return the engine's message without folders, and without the person's value that a failed cast would quote."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    if not isinstance(error, _QUOTE_NAMES_ONLY):
        line = engine.without_values(line)
    for path in paths:
        line = line.replace(str(path.resolve()), path.name).replace(str(path), path.name)
    return f"The database says: {engine.without_folders(line)}"
