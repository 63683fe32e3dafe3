"""Open Snowflake for one read: a time limit on the server, one statement at a time; a role must forbid the rest.

Tried against its driver only: there is no Snowflake to run here.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import snowflake.connector

from labcoat.warehouse.engines import dbapi
from labcoat.warehouse.engines.dbapi import Driver, OpenConnection
from labcoat.warehouse.engines.engine import ColumnType
from labcoat.warehouse.sources import SnowflakeSource

CONNECT_SECONDS = 30
# The driver gives a number for each type, in this order.
TYPE_NAMES = (
    *("FIXED", "REAL", "TEXT", "DATE", "TIMESTAMP", "VARIANT", "TIMESTAMP_LTZ", "TIMESTAMP_TZ", "TIMESTAMP_NTZ"),
    *("OBJECT", "ARRAY", "BINARY", "TIME", "BOOLEAN"),
)


DRIVER = Driver(
    types={
        ColumnType.NUMBER: ("FIXED", "REAL"),
        ColumnType.BOOLEAN: ("BOOLEAN",),
        ColumnType.TEXT: ("TEXT",),
        ColumnType.TIME: ("TIMESTAMP", "DATE"),
    },
    type_name=lambda code: (
        TYPE_NAMES[code] if isinstance(code, int) and 0 <= code < len(TYPE_NAMES) else f"type {code}"
    ),
    errors=(snowflake.connector.Error, OSError, ValueError),
    words=str,
    too_slow=("reached its statement or warehouse timeout", "STATEMENT_TIMEOUT", "000604", "000630"),
    names_only=("SQL compilation error", "SQL access control error"),
    stop=lambda cursor: cursor.close(),
)


@contextmanager
def opened(
    source: SnowflakeSource,
    *,
    name: str,
    tables: Collection[str],  # noqa: ARG001
    seconds: float,
) -> Iterator[OpenConnection]:
    """Open the account's database."""
    with dbapi.connected(lambda: _connect(source, seconds), name=name, errors=DRIVER.errors) as connection:
        yield OpenConnection(cursor=connection.cursor, driver=DRIVER, seconds=seconds)


def _connect(source: SnowflakeSource, seconds: float) -> "snowflake.connector.Connection":
    return snowflake.connector.connect(
        account=source.account,
        user=source.user,
        password=source.password.get_secret_value(),
        warehouse=source.warehouse,
        database=source.database,
        schema=source.db_schema,
        role=source.role,
        login_timeout=CONNECT_SECONDS,
        application="labcoat",
        session_parameters={
            "STATEMENT_TIMEOUT_IN_SECONDS": max(1, round(seconds)),
            "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": max(1, round(seconds)),
            "MULTI_STATEMENT_COUNT": 1,
            "TIMEZONE": "UTC",
            "QUERY_TAG": "labcoat",
        },
    )
