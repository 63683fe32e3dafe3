"""Open a Spark session for one read: on this machine, where Parquet files become views, or at a Spark Connect server.

Spark knows no session that only reads. So a text must be a query where a query may stand, in brackets, which no command
is; and on this machine, where Spark could read our environment, its analysed plan must call neither Java nor a shell.
"""

import importlib
import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import create_connection
from threading import Lock
from uuid import uuid4

from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession

from labcoat.warehouse.engines import engine
from labcoat.warehouse.engines.engine import Column, ColumnType
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import SparkSource

CONNECT_SECONDS = 10
_TYPES = {
    ColumnType.NUMBER: ("TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL"),
    ColumnType.BOOLEAN: ("BOOLEAN",),
    ColumnType.TEXT: ("STRING", "VARCHAR", "CHAR", "VOID"),
    ColumnType.TIME: ("TIMESTAMP", "DATE"),
}
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.runSQLOnFiles": "false",  # else text.`/etc/passwd` is a table
}
_REACHES_OUT = ("CallMethodViaReflection", "ScriptTransformation")
_WORLD = (PySparkException, Py4JError, OSError)
_ONE_START = Lock()

logging.getLogger("SQLQueryContextLogger").disabled = True  # PySpark's own, which would print people's values


@dataclass(frozen=True, slots=True)
class OpenSpark:
    """A session with the source's views; one on this machine shares Spark with the others, and no names."""

    session: SparkSession
    seconds: float
    is_here: bool

    def columns(self, text: str) -> list[Column]:
        """Return each column, as the engine spells it."""
        with self._guard():
            found = self._query(text).dtypes
        return [Column(name, engine.typed(type_, _TYPES), type_) for name, type_ in found]

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """Return what the SELECT gives."""
        with self._guard():
            return [tuple(row) for row in self._query(text).collect()]

    def cost(self, text: str) -> str:  # noqa: ARG002
        """Return nothing: Spark does not tell before it runs."""
        return ""

    def read_file(self, path: str, *, table: str) -> None:
        """Make a Parquet file a table of this session."""
        with self._guard():
            self.session.read.parquet(path).createOrReplaceTempView(table)

    def _query(self, text: str) -> DataFrame:
        query = self.session.sql(f"SELECT * FROM (\n{text}\n)")  # noqa: S608
        if self.is_here:
            plan: str = query._jdf.queryExecution().analyzed().toJSON()
            if any(name in plan for name in _REACHES_OUT):
                message = "The SQL may not call Java or a program. Leave out reflect, java_method and TRANSFORM."
                raise SourceError(message, permanent=True)
        return query

    @contextmanager
    def _guard(self) -> Iterator[None]:
        begin, stop, end = _cancelling(self.session, is_here=self.is_here)
        with engine.TimeLimit(self.seconds, stop) as limit:
            try:
                begin()
                yield
                end()  # a session that failed is not used again
            except _WORLD as error:
                raise engine.too_slow(self.seconds) if limit.is_over else _as_source_error(error) from error


@contextmanager
def opened(source: SparkSource, *, name: str, tables: Collection[str], seconds: float) -> Iterator[OpenSpark]:
    """Open a session; Spark on this machine goes on running for the next read, for it takes seconds to start."""
    try:
        session = _here() if source.url is None else _there(source.url.get_secret_value())
        for setting, value in _SETTINGS.items():
            session.conf.set(setting, value)
    except (*_WORLD, ImportError, ValueError, RuntimeError):
        # Not `from error`: it would quote the address, which may have a token in it.
        message = f"Spark of {name} can't be reached. Check its url, or without one that Java 17 or later is there."
        raise SourceError(message, permanent=False) from None
    try:
        opened = OpenSpark(session, seconds, is_here=source.url is None)
        for table, path in source.tables.items():
            if table.casefold() in tables:
                engine.require_file(path)
                opened.read_file(str(path.resolve()), table=table)
        yield opened
    finally:
        if source.url is not None:
            session.stop()


def _here() -> SparkSession:
    builder = (
        SparkSession.builder.appName("labcoat")
        .master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "8")
    )
    with _ONE_START:
        return builder.getOrCreate().newSession()


def _there(url: str) -> SparkSession:
    # Not by the usual builder, which refuses a server beside a Spark that runs here; and only where grpc is installed.
    connect = importlib.import_module("pyspark.sql.connect.session")
    client = importlib.import_module("pyspark.sql.connect.client.core")
    retries = importlib.import_module("pyspark.sql.connect.client.retries")
    host, _, port = client.DefaultChannelBuilder(url).endpoint.rpartition(":")
    # Spark itself would wait ten minutes for a server that is not there.
    create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    session: SparkSession = connect.SparkSession.builder.remote(url).create()
    session.client.set_retry_policies([retries.DefaultPolicy(max_retries=3)])
    return session


def _cancelling(session: SparkSession, *, is_here: bool) -> tuple[Callable[[], object], ...]:
    """Return what marks this thread's work, what stops all that is marked, and what ends the marking."""
    tag = f"labcoat-{uuid4().hex}"
    if is_here:
        # Its interruptTag finds nothing when another thread asks (tried with 4.3).
        spark = session.sparkContext
        add, cancel, remove = spark.addJobTag, spark.cancelJobsWithTag, spark.removeJobTag
    else:
        add, cancel, remove = session.addTag, session.interruptTag, session.removeTag
    return lambda: add(tag), lambda: cancel(tag), lambda: remove(tag)


def _as_source_error(error: Exception) -> SourceError:
    if not isinstance(error, PySparkException):
        return SourceError("Spark broke off while it answered. Its log says why.", permanent=False)
    condition = error.getCondition() or ""
    text = (error.getMessage() or str(error)).strip().splitlines()
    if "CAST" in condition or "CANNOT_PARSE" in condition:
        said = "a value is not what its column is cast to"
    elif isinstance(error, AnalysisException) and text:  # of the SQL itself; all others may quote a person's value
        said = engine.without_folders(text[0])[:300]
    else:
        said = condition or type(error).__name__
    return SourceError(f"The database says: {said}", permanent=True)
