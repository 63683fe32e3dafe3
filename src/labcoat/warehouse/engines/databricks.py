"""Open a Databricks SQL warehouse for one read: a time limit on the server, a cancel from here; grants forbid the rest.

Tried against its driver only: there is no Databricks to run here.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from databricks import sql as databricks_sql

from labcoat.warehouse.engines import dbapi
from labcoat.warehouse.engines.dbapi import Cursor, Driver, OpenConnection
from labcoat.warehouse.engines.engine import ColumnType
from labcoat.warehouse.sources import DatabricksSource

CONNECT_SECONDS = 60
"""A warehouse that sleeps takes so long to wake."""


def _cancel(cursor: Cursor) -> None:
    cursor.cancel()  # type: ignore[attr-defined]


DRIVER = Driver(
    types={
        ColumnType.NUMBER: ("TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL"),
        ColumnType.BOOLEAN: ("BOOLEAN",),
        ColumnType.TEXT: ("STRING", "VARCHAR", "CHAR", "VOID"),
        ColumnType.TIME: ("TIMESTAMP", "DATE"),
    },
    type_name=str,
    errors=(databricks_sql.Error, OSError, ValueError),
    words=str,
    too_slow=("STATEMENT_TIMEOUT", "timed out"),
    names_only=("UNRESOLVED_", "NOT_FOUND", "PARSE_SYNTAX_ERROR", "INSUFFICIENT_PERMISSIONS"),
    stop=_cancel,
)


@contextmanager
def opened(
    source: DatabricksSource,
    *,
    name: str,
    tables: Collection[str],  # noqa: ARG001
    seconds: float,
) -> Iterator[OpenConnection]:
    """Open the warehouse."""
    with dbapi.connected(lambda: _connect(source, seconds), name=name, errors=DRIVER.errors) as connection:
        yield OpenConnection(cursor=connection.cursor, driver=DRIVER, seconds=seconds)


def _connect(source: DatabricksSource, seconds: float) -> "databricks_sql.client.Connection":
    return databricks_sql.connect(
        server_hostname=source.host,
        http_path=source.http_path,
        access_token=source.token.get_secret_value(),
        catalog=source.catalog,
        schema=source.db_schema,
        session_configuration={
            "STATEMENT_TIMEOUT": str(max(1, round(seconds))),
            "TIMEZONE": "UTC",
            "ANSI_MODE": "true",
        },
        user_agent_entry="labcoat",
        enable_telemetry=False,
        _socket_timeout=round(seconds) + dbapi.GRACE_SECONDS,
        _retry_stop_after_attempts_duration=CONNECT_SECONDS,
    )
