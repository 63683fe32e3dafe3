"""Open BigQuery for one read: a dry run first, which tells what a text is and reads; then a cap on bytes, and on time.

Tried against its driver only: there is no BigQuery to run here.
"""

from collections.abc import Collection, Iterator
from concurrent.futures import TimeoutError as ResultTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass

from google.api_core.exceptions import BadRequest, Forbidden, GoogleAPICallError, NotFound
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery

from labcoat.warehouse.engines import engine
from labcoat.warehouse.engines.dbapi import GRACE_SECONDS
from labcoat.warehouse.engines.engine import Column, ColumnType
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import BigQuerySource

REQUEST_SECONDS = 30
GIGABYTE = 10**9
_TYPES = {
    ColumnType.NUMBER: ("INT", "FLOAT", "NUMERIC", "BIGNUMERIC"),
    ColumnType.BOOLEAN: ("BOOL",),
    ColumnType.TEXT: ("STRING",),
    ColumnType.TIME: ("TIMESTAMP", "DATE"),
}
_NAMES_ONLY = ("Unrecognized name", "Syntax error", "Not found", "Access Denied", "was not found", "No matching")


@dataclass(frozen=True, slots=True)
class OpenBigQuery:
    """A client for one project."""

    client: bigquery.Client
    source: BigQuerySource
    name: str
    seconds: float

    def columns(self, text: str) -> list[Column]:
        """Return each column, as the engine spells it."""
        fields = self._dry_run(text).schema or ()
        found = [(one.name, "REPEATED" if one.mode == "REPEATED" else one.field_type) for one in fields]
        return [Column(name, engine.typed(type_, _TYPES), type_) for name, type_ in found]

    def rows(self, text: str) -> list[tuple[object, ...]]:
        """Return what the SELECT gives; refused by BigQuery where it would read more than it may."""
        self._dry_run(text)
        config = self._config(
            maximum_bytes_billed=int(self.source.most_gigabytes * GIGABYTE),
            job_timeout_ms=round(self.seconds * 1000),
            labels={"app": "labcoat"},
        )
        with self._plain_errors():
            job = self.client.query(text, job_config=config, timeout=REQUEST_SECONDS, job_retry=None)
            try:
                return [tuple(row.values()) for row in job.result(timeout=self.seconds + GRACE_SECONDS, job_retry=None)]
            except ResultTimeoutError:
                job.cancel(timeout=REQUEST_SECONDS)
                raise engine.too_slow(self.seconds) from None

    def cost(self, text: str) -> str:
        """Return how much a dry run says that it reads."""
        return f"reads {(self._dry_run(text).total_bytes_processed or 0) / GIGABYTE:,.2f} GB"

    def _dry_run(self, text: str) -> bigquery.QueryJob:
        with self._plain_errors():
            config = self._config(dry_run=True, use_query_cache=False)
            job = self.client.query(text, job_config=config, timeout=REQUEST_SECONDS, job_retry=None)
        if job.statement_type != "SELECT":
            message = f"The SQL must be one SELECT statement; BigQuery calls this {job.statement_type}."
            raise SourceError(message, permanent=True)
        return job

    def _config(self, **settings: object) -> bigquery.QueryJobConfig:
        config = bigquery.QueryJobConfig(use_legacy_sql=False, **settings)
        if self.source.dataset:
            config.default_dataset = f"{self.source.project}.{self.source.dataset}"
        return config

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except (GoogleAuthError, OSError):
            raise _unreachable(self.name) from None
        except GoogleAPICallError as error:
            raise self._as_source_error(error) from None

    def _as_source_error(self, error: GoogleAPICallError) -> SourceError:
        said = " ".join(str(error.message or type(error).__name__).split())
        if "timed out" in said or "timeout" in said.lower():
            return engine.too_slow(self.seconds)
        if "bytesBilledLimitExceeded" in str(error.errors) or "bytes billed" in said:
            message = (
                f"The SQL would read more than {self.source.most_gigabytes:g} GB. Prepare a smaller table for it, or "
                "raise most_gigabytes."
            )
            return SourceError(message, permanent=True)
        if not any(word in said for word in _NAMES_ONLY):
            said = engine.without_values(said)
        return SourceError(
            f"The database says: {said[:300]}", permanent=isinstance(error, BadRequest | NotFound | Forbidden)
        )


@contextmanager
def opened(
    source: BigQuerySource,
    *,
    name: str,
    tables: Collection[str],  # noqa: ARG001
    seconds: float,
) -> Iterator[OpenBigQuery]:
    """Open the project with the machine's own credentials; its role says what they may read."""
    try:
        client = bigquery.Client(project=source.project, location=source.location)
    except (GoogleAuthError, OSError, ValueError):
        raise _unreachable(name) from None
    try:
        yield OpenBigQuery(client, source, name, seconds)
    finally:
        client.close()


def _unreachable(name: str) -> SourceError:
    message = f"BigQuery of {name} can't be reached. Check the machine's Google credentials and the project."
    return SourceError(message, permanent=False)
