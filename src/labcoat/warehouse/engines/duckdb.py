"""Open DuckDB, and files as its tables, for one read."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from labcoat.warehouse import sources, sql
from labcoat.warehouse.engines import duckdb_connection, engine
from labcoat.warehouse.engines.duckdb_connection import TIME_LIMIT_SECONDS, Connection, OpenSource
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files import decode, tables
from labcoat.warehouse.files.tables import LoadedTable
from labcoat.warehouse.sources import DuckDbSource


@dataclass(frozen=True, slots=True)
class OpenTables(OpenSource):
    """A source whose tables may be files. loaded: those of text, by the table's name in lower case."""

    loaded: Mapping[str, LoadedTable]

    @property
    def left_out(self) -> tuple[str, ...]:
        """What is no row of these tables, each with its file."""
        return tuple(f"{part} ({one.file})" for one in self.loaded.values() for part in one.left_out)


@contextmanager
def opened(
    source: DuckDbSource, *, name: str, tables: Collection[str], seconds: float = TIME_LIMIT_SECONDS
) -> Iterator[OpenTables]:
    """Open the source's database and those of its files that are asked for, then lock everything else.

    name: of the source; its SQL may write `name.table` for a table of the database.
    tables: in lower case; names that are not the source's are ignored, the database may have them.
    seconds: for each statement. Other programs cannot write to the database while it is open here: close it soon.
    """
    asked = {table: entries for table, entries in source.tables.items() if table.casefold() in tables}
    paths = {table: _paths(entries, table=table) for table, entries in asked.items()}
    named = [path for files in paths.values() for path in files] + ([source.database] if source.database else [])
    with (
        TemporaryDirectory(prefix="labcoat-files-") as folder,
        duckdb_connection.connected(source) as connection,
    ):
        if source.database:
            engine.require_file(source.database)
            with duckdb_connection.plain_errors(named):
                duckdb_connection.attach(connection, source.database, name=name)
        loaded = {}
        for number, (table, files) in enumerate(paths.items()):
            apart = Path(folder) / str(number)
            apart.mkdir()
            with duckdb_connection.plain_errors(named):
                found = _open(connection, files, table=table, folder=apart, seconds=seconds)
            if found is not None:
                loaded[table.casefold()] = found
        _lock(connection, source, paths, loaded)
        yield OpenTables(connection, seconds, tuple(named), loaded)


def _paths(entries: Collection[Path], *, table: str) -> list[Path]:
    """Return the files of a table, each once; raise SourceError if there is none."""
    paths = list({path.resolve(): path for entry in entries for path in sources.files_in(entry)}.values())
    for path in paths:
        engine.require_file(path)
    if not paths:
        names = ", ".join(entry.name for entry in entries)
        message = f"There is no Parquet file in {names}, the table {table}. Put one there, or correct its path."
        raise SourceError(message, permanent=False)
    return paths


def _open(
    connection: Connection, paths: Collection[Path], *, table: str, folder: Path, seconds: float
) -> LoadedTable | None:
    """Make files a table; return what is known of one of text, None of Parquet."""
    if len(paths) == 1:
        (path,) = paths
        try:
            file = decode.look_at(path, name=path.name, folder=folder) if path.is_file() else None
            if file is not None and file.separator is not None:
                return tables.load(connection, file, table=table, seconds=seconds)
        except SourceError as error:
            raise error.of_file(path.name) from error
    with duckdb_connection.time_limit(connection, seconds=seconds):
        duckdb_connection.view_parquet(connection, paths, table=sql.quoted_name(table))
    return None


def _lock(
    connection: Connection,
    source: DuckDbSource,
    paths: Mapping[str, Collection[Path]],
    loaded: Mapping[str, LoadedTable],
) -> None:
    """Let views of the database read the Parquet files of all tables; without a database those that are open."""
    files = [path for table, mine in paths.items() if table.casefold() not in loaded for path in mine]
    folders: list[Path] = []
    if source.database:
        entries = [entry for mine in source.tables.values() for entry in mine]
        files += [entry for entry in entries if entry.suffix.lower() == sources.PARQUET and entry.is_file()]
        folders = [folder for entry in entries if (folder := sources.folder_of(entry)) is not None]
    duckdb_connection.lock(connection, paths=files, folders=folders)
