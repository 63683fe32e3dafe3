"""Open a PostgreSQL database for one read: a read-only transaction, a time limit on the server, a cancel from here."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql as psycopg_sql

from labcoat.warehouse.engines import engine
from labcoat.warehouse.engines.engine import Column, ColumnType
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import PostgresqlSource

CONNECT_SECONDS = 10
_DEAD_AFTER_MILLISECONDS = 30_000
# Every join of ours is over all units; from a guess of a few rows the planner would loop over them for hours.
_OPTIONS = (
    "-c default_transaction_read_only=on -c statement_timeout={milliseconds} -c TimeZone=UTC -c enable_nestloop=off "
    "-c jit=off"
)
_TYPES = {
    ColumnType.NUMBER: ("INT", "FLOAT", "NUMERIC", "OID"),
    ColumnType.BOOLEAN: ("BOOL",),
    ColumnType.TEXT: ("TEXT", "VARCHAR", "BPCHAR", "NAME", "UNKNOWN"),
    ColumnType.TIME: ("TIMESTAMP", "DATE"),
}
# Of these classes PostgreSQL's message quotes a value, which may be a person's, or a path of the server.
_QUOTE_VALUES = (psycopg.errors.DataError, psycopg.errors.IntegrityError)


@dataclass(frozen=True, slots=True)
class OpenPostgresql:
    """A connection inside a transaction that can't write."""

    connection: psycopg.Connection
    seconds: float

    def columns(self, text: str) -> list[Column]:
        """Return each column, as the engine spells it."""
        with self._guard(text) as cursor:
            found = [(one.name, self._type_name(one.type_code)) for one in cursor.description or ()]
        return [Column(name, engine.typed(type_, _TYPES), type_) for name, type_ in found]

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """Return what the SELECT gives."""
        with self._guard(text) as cursor:
            return cursor.fetchall()

    def cost(self, text: str) -> str:
        """Return the planner's guess of rows read, from EXPLAIN."""
        with self._guard(f"EXPLAIN (FORMAT JSON) {text}") as cursor:
            row = cursor.fetchone()
        plan = row[0][0]["Plan"] if row else {}
        return f"the planner's cost is {plan.get('Total Cost', 0):,.0f}"

    def _type_name(self, oid: int) -> str:
        known = self.connection.adapters.types.get(oid)
        return "unknown type" if known is None else known.name

    @contextmanager
    def _guard(self, text: str) -> Iterator[psycopg.Cursor]:
        with engine.TimeLimit(self.seconds + CONNECT_SECONDS, self.connection.cancel) as limit:
            try:
                with self.connection.cursor() as cursor:
                    cursor.execute(text.encode())
                    yield cursor
            except psycopg.errors.QueryCanceled as error:
                raise engine.too_slow(self.seconds) from error
            except psycopg.OperationalError as error:
                raise engine.too_slow(self.seconds) if limit.is_over else _dropped() from error
            except psycopg.Error as error:
                raise _as_source_error(error) from error


@contextmanager
def opened(
    source: PostgresqlSource,
    *,
    name: str,
    tables: Collection[str],  # noqa: ARG001
    seconds: float,
) -> Iterator[OpenPostgresql]:
    """Open the database; whatever the role may do, this session only reads."""
    try:
        connection = psycopg.connect(
            source.url.get_secret_value(),
            connect_timeout=CONNECT_SECONDS,
            tcp_user_timeout=_DEAD_AFTER_MILLISECONDS,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=4,
            application_name="labcoat",
            options=_OPTIONS.format(milliseconds=round(seconds * 1000)),
        )
    except (psycopg.Error, ValueError):
        # Not `from error`: psycopg quotes the address, and a wrong one may have the password in it.
        raise _unreachable(name) from None
    try:
        _begin(connection, name=name)
        yield OpenPostgresql(connection, seconds)
    finally:
        connection.close()


def _begin(connection: psycopg.Connection, *, name: str) -> None:
    try:
        connection.read_only = True
        # With a snapshot taken, PostgreSQL lets nothing turn this transaction into one that writes.
        connection.execute(psycopg_sql.SQL("SELECT 1"))
    except psycopg.Error:
        raise _unreachable(name) from None


def _unreachable(name: str) -> SourceError:
    message = f"The database of {name} can't be reached, or refuses the role. Check its url and that it runs."
    return SourceError(message, permanent=False)


def _dropped() -> SourceError:
    return SourceError("The connection to the database was lost while it answered.", permanent=False)


def _as_source_error(error: psycopg.Error) -> SourceError:
    primary = error.diag.message_primary or type(error).__name__
    if isinstance(error, _QUOTE_VALUES):
        primary, quotes, _ = primary.partition(":")
        primary += ". A value is not what its column is cast to" if quotes else ""
    return SourceError(f"The database says: {primary}", permanent=True)
