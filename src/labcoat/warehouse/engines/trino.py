"""Open a Trino cluster for one read: a time limit on the server, a cancel from here; its rules forbid the rest.

Tried against its driver only: there is no Trino to run here.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import requests
import trino

from labcoat.warehouse.engines import dbapi
from labcoat.warehouse.engines.dbapi import Cursor, Driver, OpenConnection
from labcoat.warehouse.engines.engine import ColumnType
from labcoat.warehouse.sources import TrinoSource


def _cancel(cursor: Cursor) -> None:
    cursor.cancel()  # type: ignore[attr-defined]


def _words(error: Exception) -> str:
    if isinstance(error, trino.exceptions.TrinoQueryError):
        return f"{error.error_name}: {error.message}"
    return type(error).__name__  # of HTTP, with the address in it


_ERRORS = (
    *(trino.exceptions.Error, trino.exceptions.TrinoQueryError, trino.exceptions.HttpError),
    *(requests.RequestException, OSError, ValueError),
)
DRIVER = Driver(
    types={
        ColumnType.NUMBER: ("TINYINT", "SMALLINT", "INT", "BIGINT", "REAL", "DOUBLE", "DECIMAL"),
        ColumnType.BOOLEAN: ("BOOLEAN",),
        ColumnType.TEXT: ("VARCHAR", "CHAR", "UNKNOWN"),
        ColumnType.TIME: ("TIMESTAMP", "DATE"),
    },
    type_name=str,
    errors=_ERRORS,
    words=_words,
    too_slow=("EXCEEDED_TIME_LIMIT",),
    names_only=("SYNTAX_ERROR", "NOT_FOUND", "TYPE_MISMATCH", "PERMISSION_DENIED", "FUNCTION_NOT_FOUND"),
    stop=_cancel,
)


@contextmanager
def opened(
    source: TrinoSource,
    *,
    name: str,
    tables: Collection[str],  # noqa: ARG001
    seconds: float,
) -> Iterator[OpenConnection]:
    """Open the cluster; what a wrong address or password does is known with the first statement."""
    with dbapi.connected(lambda: _connect(source, seconds), name=name, errors=DRIVER.errors) as connection:
        yield OpenConnection(cursor=connection.cursor, driver=DRIVER, seconds=seconds)


def _connect(source: TrinoSource, seconds: float) -> "trino.dbapi.Connection":
    password = source.password.get_secret_value() if source.password else None
    connection = trino.dbapi.connect(
        host=source.host,
        port=source.port,
        user=source.user,
        catalog=source.catalog,
        schema=source.db_schema,
        http_scheme="https" if password else "http",
        auth=trino.auth.BasicAuthentication(source.user, password) if password else None,
        session_properties={"query_max_run_time": f"{max(1, round(seconds))}s"},
        source="labcoat",
        timezone="UTC",
        request_timeout=dbapi.GRACE_SECONDS,
        max_attempts=2,
    )
    cursor = connection.cursor()
    cursor.execute("SELECT 1")  # the driver asks nobody before
    cursor.fetchall()
    return connection
