"""What metrics were lately: measured once a day and source with no transaction open, stored, and shown in plan forms.

A person never waits for it, and a problem is nobody's but the operator's: it is logged and kept.
"""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta

from labcoat.db import baselines
from labcoat.db.baselines import Tried
from labcoat.db.database import Transaction
from labcoat.domain import schedule
from labcoat.domain.baseline import Baseline
from labcoat.domain.ids import WorkspaceId
from labcoat.warehouse import baselines as warehouse
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile

_log = logging.getLogger(__name__)

QUIET_HOUR = time(3)
"""In the team's zone: people sleep, and looks are made later."""
CHANGED_AFTER = timedelta(hours=1)
"""A metric whose definition changed is measured again no earlier than that."""
FORGOTTEN_AFTER = timedelta(days=30)
"""A metric that is in no metrics file any more."""


def of_metrics(tx: Transaction, workspace: WorkspaceId, metrics: MetricsFile | None) -> dict[str, Baseline]:
    """Return the stored baseline of each metric whose definition is still the same."""
    if metrics is None:
        return {}
    tried = baselines.all_of(tx, workspace)
    known = {name: warehouse.definition(metrics, name) for name in tried if name in metrics.metrics}
    return baselines.usable(tried, known)


def due(
    tx: Transaction, workspace: WorkspaceId, metrics: MetricsFile, *, source: str, zone: str, now: datetime
) -> list[str]:
    """Return the metrics of a source to measure: all once a day, new ones at once, changed ones soon."""
    tried, night = baselines.all_of(tx, workspace), _newest_night(now, zone)
    return [
        name
        for name, metric in metrics.metrics.items()
        if metrics.exposures[metrics.exposures_of(metric)].source == source
        and not _is_known(tried.get(name), warehouse.definition(metrics, name), night=night, now=now)
    ]


def _is_known(tried: Tried | None, definition: str, *, night: datetime, now: datetime) -> bool:
    if tried is None:
        return False
    # While one replica has the new metrics file and another the old one, they must not undo each other's at each tick.
    return tried.tried_at >= night if tried.definition == definition else now - tried.tried_at < CHANGED_AFTER


def _newest_night(now: datetime, zone: str) -> datetime:
    """Return the newest quiet hour that is over.

    >>> _newest_night(datetime.fromisoformat("2026-12-01T01:59Z"), "Europe/Berlin").isoformat()
    '2026-11-30T02:00:00+00:00'
    """
    today = schedule.local_date(now, zone)
    newest = schedule.at_local(today, QUIET_HOUR, zone)
    return newest if newest <= now else schedule.at_local(today - timedelta(days=1), QUIET_HOUR, zone)


def measure(metrics: MetricsFile, names: Collection[str], *, now: datetime) -> dict[str, Tried]:
    """Return what these metrics were, or why it can't be said; slow, and never inside a transaction."""
    return {
        name: _tried(metrics, name, found, now=now)
        for name, found in warehouse.measure(metrics, names, now=now).items()
    }


def _tried(metrics: MetricsFile, name: str, found: Baseline | SourceError, *, now: datetime) -> Tried:
    definition = warehouse.definition(metrics, name)
    if isinstance(found, Baseline):
        return Tried(metric=name, definition=definition, tried_at=now, baseline=found)
    _log.info("no baseline of metric %s: %s", name, found.message)
    return Tried(metric=name, definition=definition, tried_at=now, problem=found.message)


def record(tx: Transaction, workspace: WorkspaceId, found: Mapping[str, Tried], *, now: datetime) -> None:
    """Store what was measured, and forget metrics that are gone for long."""
    for one in found.values():
        baselines.store(tx, workspace, one)
    baselines.forget(tx, workspace, before=now - FORGOTTEN_AFTER)
