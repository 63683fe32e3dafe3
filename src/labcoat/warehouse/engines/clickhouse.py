"""Open ClickHouse for one read: a server by its HTTP interface, or Parquet files in this process by chdb.

A text must be a query where a query may stand, in brackets: no second statement, no INTO OUTFILE. A server's role says
what may be read; chdb knows no roles, so that its own parser must find no function that reads files or hosts.
"""

import importlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import httpx

from labcoat.warehouse import sql
from labcoat.warehouse.engines import engine
from labcoat.warehouse.engines.engine import Column, ColumnType
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
_READS_ONLY = {"readonly": "2"}  # and lets nothing undo it
_REACHES_OUT = re.compile(r"Function file \(|TableExpression[^\n]*\n\s*Function (?!numbers )")
_QUOTE_NAMES_ONLY = re.compile(
    r"\((UNKNOWN_\w+|SYNTAX_ERROR|READONLY|ACCESS_DENIED|TYPE_MISMATCH|ILLEGAL_\w+|NUMBER_OF_ARGUMENTS_\w+|NO_COMMON_TYPE)\)"
)
_MAY_PASS = ("MEMORY_LIMIT", "TOO_MANY_SIMULTANEOUS", "NETWORK_ERROR", "SOCKET_TIMEOUT")


class _Ask(Protocol):
    def __call__(self, text: str) -> str: ...


@dataclass(frozen=True, slots=True)
class OpenClickHouse:
    """Whoever answers SQL with JSON. is_here: it runs in this process, and could read its files."""

    ask: _Ask
    is_here: bool

    def columns(self, text: str) -> list[Column]:
        """Return each column, as the engine spells it."""
        self._require_no_reach(text)
        found = [(str(row[0]), _plain(str(row[1]))) for row in self._answer(f"DESCRIBE TABLE (\n{text}\n)")]
        return [Column(name, engine.typed(type_, _TYPES), type_) for name, type_ in found]

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """Return what the SELECT gives."""
        self._require_no_reach(text)
        return [tuple(row) for row in self._answer(_in_brackets(text))]

    def cost(self, text: str) -> str:
        """Return the rows that ClickHouse says it would read; nothing for files."""
        self._require_no_reach(text)
        lines = self._answer(f"EXPLAIN ESTIMATE {_in_brackets(text)}")
        rows = sum(int(str(line[3])) for line in lines)
        return f"reads about {rows:,} rows" if lines else ""

    def grants(self) -> list[str]:
        """Return what the user was granted, roles included where the server can merge them, a GRANT or REVOKE each.

        Every user may ask for its own; `system.grants` needs a right that few have.
        """
        try:
            lines = self._answer("SHOW GRANTS FINAL")
        except SourceError:  # an older server: FINAL came late in 2024
            lines = self._answer("SHOW GRANTS")
        return [str(row[0]) for row in lines]

    def _answer(self, text: str) -> list[list[object]]:
        answer = self.ask(text)
        try:
            found: list[list[object]] = json.loads(answer)["data"]
        except (ValueError, KeyError, TypeError) as error:
            message = "What answers is no ClickHouse, or broke off. Check the url of the source."
            raise SourceError(message, permanent=False) from error
        return found

    def _require_no_reach(self, text: str) -> None:
        if not self.is_here:
            return
        tree = "\n".join(str(row[0]) for row in self._answer(f"EXPLAIN AST {_in_brackets(text)}"))
        if _REACHES_OUT.search(tree):
            message = "The SQL may read tables only, no files or hosts. Name the file under `tables`."
            raise SourceError(message, permanent=True)


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
    # All sessions of a process share one server, so each read has a database of its own, dropped by who may write.
    connect = importlib.import_module("chdb.session").Session
    database = f"labcoat_{uuid4().hex}"
    with connect() as writer, connect() as reader:

        def ask(text: str, *, session: object = reader) -> str:
            try:
                return str(session.query(text, "JSONCompact"))  # type: ignore[attr-defined]
            except RuntimeError as error:  # all that chdb ever raises
                raise _refused(str(error), seconds) from error

        ask(f"CREATE DATABASE {database} ENGINE = Memory", session=writer)
        try:
            for table, path in source.tables.items():
                if table.casefold() in tables:
                    engine.require_file(path)
                    file = sql.quoted_text(str(path.resolve()).replace("\\", "\\\\"))
                    view = f"CREATE VIEW {database}.`{table}` AS SELECT * FROM file({file}, 'Parquet')"  # noqa: S608
                    ask(view, session=writer)
            ask(f"USE {database}")
            for setting, value in (_SETTINGS | {"max_execution_time": f"{seconds:g}"} | _READS_ONLY).items():
                ask(f"SET {setting} = {sql.quoted_text(value)}")
            yield OpenClickHouse(ask, is_here=True)
        finally:
            ask(f"DROP DATABASE {database}", session=writer)


@contextmanager
def _server(url: str, *, name: str, seconds: float) -> Iterator[OpenClickHouse]:
    unreachable = SourceError(
        f"The ClickHouse server of {name} can't be reached, or refuses the user. Check its url and that it runs.",
        permanent=False,
    )
    try:
        address, credentials, database = _parts(url)
    except ValueError:
        raise unreachable from None  # Python's message would quote the url
    settings: Mapping[str, str] = {
        **_SETTINGS,
        **_READS_ONLY,
        "max_execution_time": f"{seconds:g}",
        "database": database,
        "default_format": "JSONCompact",
        "cancel_http_readonly_queries_on_client_close": "1",
        "wait_end_of_query": "1",  # else an error may come in the middle of an answer
    }
    with httpx.Client(timeout=httpx.Timeout(seconds + 5, connect=10), auth=credentials, trust_env=False) as client:

        def ask(text: str) -> str:
            try:
                answer = client.post(address, params=settings, content=text.encode())
            except httpx.ConnectTimeout:
                raise unreachable from None
            except httpx.TimeoutException:
                raise engine.too_slow(seconds) from None
            except (httpx.HTTPError, httpx.InvalidURL):
                raise unreachable from None
            if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                raise unreachable
            if answer.status_code != httpx.codes.OK:
                raise _refused(answer.text, seconds)
            return answer.text

        yield OpenClickHouse(ask, is_here=False)


def _parts(url: str) -> tuple[str, tuple[str, str], str]:
    """Return the address, the credentials and the database of http(s)://user:password@host:port/database."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = "not an address of HTTP"
        raise ValueError(message)
    port = parts.port or (8443 if parts.scheme == "https" else 8123)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    credentials = (unquote(parts.username or "default"), unquote(parts.password or ""))
    return f"{parts.scheme}://{host}:{port}/", credentials, parts.path.strip("/") or "default"


def _in_brackets(text: str) -> str:
    return f"SELECT * FROM (\n{text}\n)"  # noqa: S608


def _plain(type_name: str) -> str:
    """Return a type without its wrappers.

    >>> _plain("LowCardinality(Nullable(String))"), _plain("Nullable(Decimal(9, 2))")
    ('String', 'Decimal(9, 2)')
    """
    for wrapper in ("LowCardinality(", "Nullable("):
        if type_name.startswith(wrapper):
            type_name = type_name.removeprefix(wrapper).removesuffix(")")
    return type_name


def _refused(text: str, seconds: float) -> SourceError:
    if "TIMEOUT_EXCEEDED" in text:
        return engine.too_slow(seconds)
    first = text.strip().splitlines()[0] if text.strip() else "it does not answer"
    first = re.sub(r"^(Code: \d+\. )?(DB::Exception: )?(Code: \d+\. )?(DB::Exception: )?", "", first)
    if "CANNOT_PARSE" in text:
        first = "a value is not what its column is cast to"
    elif not _QUOTE_NAMES_ONLY.search(text):  # the others may quote a person's value
        first = next(iter(re.findall(r"\(([A-Z_]{4,})\)", text)), "it refuses the SQL")
    is_lasting = not any(word in text for word in _MAY_PASS)
    return SourceError(f"The database says: {engine.without_folders(first)[:300]}", permanent=is_lasting)
