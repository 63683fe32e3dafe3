"""What metrics of the metrics file were lately, and the lease by which one process at a time measures a source."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update

from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row, to_row
from labcoat.db.tables.schema import baseline_reads, metric_baselines
from labcoat.db.workspaces import add_once
from labcoat.domain.baseline import Baseline
from labcoat.domain.ids import WorkspaceId

_VALUES = ("measured_at", "since", "until", "units", "units_per_day", "mean", "deviation")
_GAIN = ("variance_reduction", "trial_days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One try to measure a metric. baseline: None where it failed; problem: why, None where it did not."""

    metric: str
    definition: str
    tried_at: datetime
    baseline: Baseline | None = None
    problem: str | None = None


def all_of(tx: Transaction, workspace: WorkspaceId) -> dict[str, Tried]:
    """Return what is known of each metric that was tried; `baseline` is the newest that could be measured."""
    query = select(metric_baselines).where(metric_baselines.c.workspace == workspace)
    found = {}
    for row in tx.execute(query).mappings():
        tried = from_row(Tried, metric_baselines, row)
        baseline = from_row(Baseline, metric_baselines, row) if row["measured_at"] is not None else None
        found[tried.metric] = replace(tried, baseline=baseline)
    return found


def store(tx: Transaction, workspace: WorkspaceId, tried: Tried) -> None:
    """Store a try over the one before it; what failed keeps the numbers of the same definition."""
    column = metric_baselines.c
    mine = (column.workspace == workspace) & (column.metric == tried.metric)
    values: dict[str, object] = to_row(tried, metric_baselines)
    if tried.baseline is not None:
        values |= to_row(tried.baseline, metric_baselines)
    elif not _is_of(tx, tried, mine):
        values |= dict.fromkeys((*_VALUES, *_GAIN))
    if tx.execute(update(metric_baselines).where(mine).values(values)).rowcount == 0:
        add_once(tx, metric_baselines, {"workspace": workspace, **values})


def _is_of(tx: Transaction, tried: Tried, mine: ColumnElement[bool]) -> bool:
    """Whether the numbers that are stored are of the definition that was tried."""
    query = select(metric_baselines.c.definition).where(mine)
    return tx.execute(query).scalar_one_or_none() == tried.definition


def forget(tx: Transaction, workspace: WorkspaceId, *, before: datetime) -> None:
    """Forget metrics that were not tried since then: no metrics file has them any more."""
    column = metric_baselines.c
    tx.execute(delete(metric_baselines).where(column.workspace == workspace, column.tried_at < before))


def claim(tx: Transaction, workspace: WorkspaceId, source: str, *, at: datetime, until: datetime) -> bool:
    """Take the right to measure a source; return False if another process does. Machine time."""
    column = baseline_reads.c
    mine = (column.workspace == workspace) & (column.source == source)
    add_once(tx, baseline_reads, {"workspace": workspace, "source": source, "reading_until": at})
    taken = update(baseline_reads).where(mine, column.reading_until <= at).values(reading_until=until)
    return tx.execute(taken).rowcount == 1


def release(tx: Transaction, workspace: WorkspaceId, source: str, *, at: datetime) -> None:
    """Let others measure a source again."""
    column = baseline_reads.c
    mine = (column.workspace == workspace) & (column.source == source)
    tx.execute(update(baseline_reads).where(mine).values(reading_until=at))


def usable(tried: Mapping[str, Tried], definitions: Mapping[str, str]) -> dict[str, Baseline]:
    """Return the baselines that are of the definitions that metrics have now."""
    return {
        name: one.baseline
        for name, one in tried.items()
        if one.baseline is not None and definitions.get(name) == one.definition
    }
