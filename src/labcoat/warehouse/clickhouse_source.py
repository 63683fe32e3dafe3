"""Open ClickHouse for one read: a server by its HTTP interface, or Parquet files in this process by chdb."""

import importlib
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote, urlsplit

import httpx

from labcoat.warehouse import engine, sql
from labcoat.warehouse.engine import Column, ColumnType
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import ClickHouseSource

_TYPES = {
    ColumnType.NUMBER: ("INT", "UINT", "FLOAT", "DECIMAL", "BFLOAT"),
    ColumnType.BOOLEAN: ("BOOL",),
    ColumnType.TEXT: ("STRING", "FIXEDSTRING", "ENUM", "NOTHING"),
    ColumnType.TIME: ("DATE",),
}
# An outer join gives NULL, not 0, and an alias never hides the column it is made of; both as in the standard.
_SETTINGS = {"join_use_nulls": "1", "prefer_column_name_to_alias": "1", "session_timezone": "UTC"}


class _Ask(Protocol):
    def __call__(self, text: str, form: str) -> str: ...


@dataclass(frozen=True, slots=True)
class OpenClickHouse:
    """Whoever answers SQL with text."""

    ask: _Ask

    def columns(self, text: str) -> dict[str, Column]:
        """Return each column by its name in lower case."""
        described = json.loads(self.ask(f"DESCRIBE TABLE ({text})", "JSONCompact"))["data"]
        found = [(str(row[0]), _plain(str(row[1]))) for row in described]
        return {name.casefold(): Column(name, engine.typed(type_, _TYPES), type_) for name, type_ in found}

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """Return what the SELECT gives."""
        return [tuple(row) for row in json.loads(self.ask(text, "JSONCompact"))["data"]]

    def cost(self, text: str) -> str:
        """Return the rows and marks that ClickHouse says it would read."""
        lines = json.loads(self.ask(f"EXPLAIN ESTIMATE {text}", "JSONCompact"))["data"]
        rows = sum(int(line[3]) for line in lines)
        return f"reads about {rows:,} rows" if lines else ""


@contextmanager
def opened(source: ClickHouseSource, *, name: str, tables: Collection[str], seconds: float) -> Iterator[OpenClickHouse]:
    """Open the server, or the files."""
    if source.url is None:
        with _embedded(source, tables=tables, seconds=seconds) as opened:
            yield opened
    else:
        with _server(source.url.get_secret_value(), name=name, seconds=seconds) as opened:
            yield opened


@contextmanager
def _embedded(source: ClickHouseSource, *, tables: Collection[str], seconds: float) -> Iterator[OpenClickHouse]:
    session = importlib.import_module("chdb.session").Session()
    settings = _SETTINGS | {"max_execution_time": f"{seconds:g}"}

    def run(text: str, form: str) -> str:
        try:
            return str(session.query(text, form))
        except RuntimeError as error:  # all that chdb ever raises
            raise _refused(str(error), seconds) from error

    try:
        run("CREATE DATABASE IF NOT EXISTS labcoat_files ENGINE = Memory", "TabSeparated")
        run("USE labcoat_files", "TabSeparated")
        for table, path in source.tables.items():
            if table.casefold() in tables:
                if not path.exists():
                    message = (
                        f"The file {path.name} is not there. Put it back, or correct its path in the metrics file."
                    )
                    raise SourceError(message, permanent=False)
                file = sql.quoted_text(str(path.resolve()))
                run(f"CREATE VIEW `{table}` AS SELECT * FROM file({file}, 'Parquet')", "TabSeparated")  # noqa: S608
        for setting, value in settings.items():
            run(f"SET {setting} = {sql.quoted_text(value)}", "TabSeparated")
        run("SET readonly = 2", "TabSeparated")  # nothing after this may write, or undo it
        yield OpenClickHouse(run)
    finally:
        session.cleanup()


@contextmanager
def _server(url: str, *, name: str, seconds: float) -> Iterator[OpenClickHouse]:
    parts = urlsplit(url)
    credentials = (unquote(parts.username or "default"), unquote(parts.password or ""))
    address = f"{parts.scheme}://{parts.hostname}:{parts.port or 8123}/"
    settings = _SETTINGS | {
        "max_execution_time": f"{seconds:g}",
        "readonly": "2",  # reads only, and settings may be given with the request
        "database": parts.path.strip("/") or "default",
        "cancel_http_readonly_queries_on_client_close": "1",
    }
    with httpx.Client(timeout=httpx.Timeout(seconds + 5, connect=10), auth=credentials, trust_env=False) as client:

        def ask(text: str, form: str) -> str:
            try:
                answer = client.post(address, params=settings | {"default_format": form}, content=text.encode())
            except httpx.TimeoutException as error:
                raise engine.too_slow(seconds) from error
            except httpx.HTTPError:
                message = f"The ClickHouse server of {name} can't be reached. Check its url and that it runs."
                raise SourceError(message, permanent=False) from None
            if answer.status_code != httpx.codes.OK:
                raise _refused(answer.text, seconds)
            return answer.text

        yield OpenClickHouse(ask)


def _plain(type_name: str) -> str:
    """Return a type without its wrappers.

    >>> _plain("LowCardinality(Nullable(String))")
    'String'
    """
    for wrapper in ("LowCardinality(", "Nullable("):
        type_name = type_name.removeprefix(wrapper)
    return type_name.rstrip(")") if "(" not in type_name else type_name


def _refused(text: str, seconds: float) -> SourceError:
    if "TIMEOUT_EXCEEDED" in text:
        return engine.too_slow(seconds)
    first = text.strip().splitlines()[0] if text.strip() else "it does not answer"
    if "CANNOT_PARSE" in text:
        first = "a value is not what its column is cast to"
    is_lasting = not any(word in text for word in ("MEMORY_LIMIT", "TOO_MANY_SIMULTANEOUS", "NETWORK_ERROR"))
    return SourceError(f"The database says: {first[:300]}", permanent=is_lasting)
