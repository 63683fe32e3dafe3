"""Open a Spark session for one read; Parquet files become temporary views."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from uuid import uuid4

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from labcoat.warehouse import engine
from labcoat.warehouse.engine import Column, ColumnType
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import SparkSource

_TYPES = {
    ColumnType.NUMBER: ("TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL"),
    ColumnType.BOOLEAN: ("BOOLEAN",),
    ColumnType.TEXT: ("STRING", "VARCHAR", "CHAR", "VOID"),
    ColumnType.TIME: ("TIMESTAMP", "DATE"),
}
_ONE_SESSION = Lock()


@dataclass(frozen=True, slots=True)
class OpenSpark:
    """A session with the source's views."""

    session: SparkSession
    seconds: float

    def columns(self, text: str) -> dict[str, Column]:
        """Return each column by its name in lower case."""
        with self._guard():
            found = self.session.sql(text).dtypes
        return {name.casefold(): Column(name, engine.typed(type_, _TYPES), type_) for name, type_ in found}

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """Return what the SELECT gives."""
        with self._guard():
            return [tuple(row) for row in self.session.sql(text).collect()]

    def cost(self, text: str) -> str:  # noqa: ARG002
        """Return nothing: Spark does not tell before it runs."""
        return ""

    @contextmanager
    def _guard(self) -> Iterator[None]:
        tag = f"labcoat-{uuid4().hex}"
        self.session.addTag(tag)

        def stop() -> None:
            self.session.interruptTag(tag)

        with engine.TimeLimit(self.seconds, stop) as limit:
            try:
                yield
            except PySparkException as error:
                if limit.is_over:
                    raise engine.too_slow(self.seconds) from error
                raise _as_source_error(error) from error
            finally:
                self.session.removeTag(tag)


@contextmanager
def opened(source: SparkSource, *, name: str, tables: Collection[str], seconds: float) -> Iterator[OpenSpark]:
    """Open the session; it stays for the next read, for Spark takes seconds to start."""
    with _ONE_SESSION:
        try:
            session = _session(source)
        except (PySparkException, OSError, ValueError) as error:
            message = f"Spark of {name} can't be reached. Check its url, or without one that Java 17 or later is there."
            raise SourceError(message, permanent=False) from error
    opened = OpenSpark(session, seconds)
    for table, path in source.tables.items():
        if table.casefold() in tables:
            if not path.exists():
                message = f"The file {path.name} is not there. Put it back, or correct its path in the metrics file."
                raise SourceError(message, permanent=False)
            with opened._guard():
                session.read.parquet(str(path)).createOrReplaceTempView(table)
    yield opened


def _session(source: SparkSource) -> SparkSession:
    builder = SparkSession.builder.appName("labcoat")
    if source.url is not None:
        builder = builder.remote(source.url.get_secret_value())
    else:
        builder = (
            builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "8")
        )
    session = builder.getOrCreate()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return session


def _as_source_error(error: PySparkException) -> SourceError:
    text = (error.getMessage() or str(error)).strip().splitlines()
    first = text[0] if text else type(error).__name__
    # A failed cast quotes the value.
    if "CAST_INVALID_INPUT" in first or "CAST" in (error.getCondition() or ""):
        first = "a value is not what its column is cast to"
    return SourceError(f"The database says: {first[:300]}", permanent=True)
