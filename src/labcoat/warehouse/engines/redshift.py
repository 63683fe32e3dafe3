"""Open Redshift for one read: a transaction that only reads, a time limit on the server.

Tried against its driver only: there is no Redshift to run here.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import redshift_connector

from labcoat.warehouse.engines import dbapi
from labcoat.warehouse.engines.dbapi import Cursor, Driver, OpenConnection
from labcoat.warehouse.engines.engine import ColumnType
from labcoat.warehouse.sources import RedshiftSource

CONNECT_SECONDS = 10
# As PostgreSQL numbers its types, and nothing else tells them.
_NAMES = {
    16: "BOOL",
    20: "INT8",
    21: "INT2",
    23: "INT4",
    25: "TEXT",
    26: "OID",
    700: "FLOAT4",
    701: "FLOAT8",
    705: "TEXT",
    1042: "BPCHAR",
    1043: "VARCHAR",
    1082: "DATE",
    1114: "TIMESTAMP",
    1184: "TIMESTAMPTZ",
    1700: "NUMERIC",
}


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return str(said.get("M", said)) if isinstance(said, dict) else str(said)


DRIVER = Driver(
    types={
        ColumnType.NUMBER: ("INT", "FLOAT", "NUMERIC", "OID"),
        ColumnType.BOOLEAN: ("BOOL",),
        ColumnType.TEXT: ("TEXT", "VARCHAR", "BPCHAR", "CHAR", "NAME"),
        ColumnType.TIME: ("TIMESTAMP", "DATE"),
    },
    type_name=lambda oid: _NAMES.get(oid if isinstance(oid, int) else 0, f"type {oid}"),
    errors=(redshift_connector.Error, OSError, ValueError),
    words=_words,
    too_slow=("canceled on user's request", "statement timeout", "timed out"),
    names_only=("does not exist", "syntax error", "permission denied", "read-only"),
    stop=lambda _: None,  # the driver cannot cancel; its socket's own time limit ends the wait
)


@contextmanager
def opened(
    source: RedshiftSource,
    *,
    name: str,
    tables: Collection[str],  # noqa: ARG001
    seconds: float,
) -> Iterator[OpenConnection]:
    """Open the database; whatever the user may do, this transaction only reads."""
    with dbapi.connected(lambda: _connect(source, seconds), name=name, errors=DRIVER.errors) as connection:

        def cursor() -> Cursor:
            found: Cursor = connection.cursor()
            found.paramstyle = "qmark"  # type: ignore[attr-defined]  # as it is, a % in the SQL would be a parameter
            return found

        yield OpenConnection(cursor=cursor, driver=DRIVER, seconds=seconds)


def _connect(source: RedshiftSource, seconds: float) -> redshift_connector.Connection:
    connection = redshift_connector.connect(
        host=source.host,
        port=source.port,
        user=source.user,
        password=source.password.get_secret_value(),
        database=source.database,
        ssl=True,
        timeout=round(seconds) + dbapi.GRACE_SECONDS,
        tcp_keepalive=True,
        application_name="labcoat",
    )
    connection.autocommit = True  # else the driver begins a transaction of its own, which may write
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout TO {round(seconds * 1000)}")
        cursor.execute("SET timezone TO 'UTC'")
        cursor.execute("BEGIN READ ONLY")
    return connection
