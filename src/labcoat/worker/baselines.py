"""The daily job that measures what metrics were lately; the warehouse runs with no transaction open."""

import logging
from datetime import datetime, timedelta

from labcoat.db import baselines as stored
from labcoat.db import clock
from labcoat.db.database import Database
from labcoat.domain.ids import WorkspaceId
from labcoat.observability import telemetry
from labcoat.usecases.looks import baselines
from labcoat.warehouse.metrics_file import MetricsFile

_log = logging.getLogger(__name__)

LEASE = timedelta(hours=2)
"""How long a process that died, or whom a bug ended, keeps others from measuring the same source."""


def measure_all(database: Database, workspace: WorkspaceId, metrics: MetricsFile, *, zone: str, now: datetime) -> None:
    """Measure and store what is due, one source after the other, unless another process does."""
    for source in metrics.sources:
        _measure(database, workspace, metrics, source=source, zone=zone, now=now)


def _measure(
    database: Database, workspace: WorkspaceId, metrics: MetricsFile, *, source: str, zone: str, now: datetime
) -> None:
    with database.reading() as tx:
        if not baselines.due(tx, workspace, metrics, source=source, zone=zone, now=now):
            return
    with database.writing() as tx:
        at = clock.lease_now(tx)
        if not stored.claim(tx, workspace, source, at=at, until=at + LEASE):
            return
    # Asked again under the lease: another process may have measured all of it just before.
    with database.reading() as tx:
        due = baselines.due(tx, workspace, metrics, source=source, zone=zone, now=now)
    found = baselines.measure(metrics, due, now=now)
    with database.writing() as tx:
        baselines.record(tx, workspace, found, now=now)
        stored.release(tx, workspace, source, at=clock.lease_now(tx))
    for one in found.values():
        telemetry.read("baseline", is_problem=one.problem is not None)
    if found:
        _log.info("measured the baselines of %d metrics of %s", len(found), source)
