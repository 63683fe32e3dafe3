"""What waits and what went wrong, as numbers for whoever watches; each a query that old rows do not slow down."""

from dataclasses import dataclass

from sqlalchemy import func, select

from labcoat.db import clock
from labcoat.db.database import Transaction
from labcoat.db.outbox import DEAD, GIVEN_UP, PENDING, SENDING, UNKNOWN
from labcoat.db.tables import schema
from labcoat.domain.lifecycle import ExperimentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """outbox: notices by state, without those that were sent. oldest_seconds: how long the oldest has waited.

    It counts from when it was put, from its first try once there was one, and anew from a retry by hand.
    """

    outbox: dict[str, int]
    oldest_seconds: float
    running: int
    source_problems: int


def measure(tx: Transaction) -> Backlog:
    """Return what waits."""
    column = schema.outbox.c
    unfinished = (
        select(column.state, func.count(), func.min(column.tried_since))
        .where(column.finished_at.is_(None))
        .group_by(column.state)
    )
    states, oldest = dict.fromkeys((PENDING, SENDING, UNKNOWN), 0), None
    for state, number, since in tx.execute(unfinished):
        states[state] = number
        oldest = since if oldest is None else min(oldest, since)
    states[DEAD] = tx.execute(select(func.count()).where(GIVEN_UP)).scalar_one()
    now = clock.lease_now(tx)
    is_running = schema.experiments.c.state == ExperimentState.RUNNING
    return Backlog(
        outbox=states,
        oldest_seconds=0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()),
        running=tx.execute(select(func.count()).select_from(schema.experiments).where(is_running)).scalar_one(),
        source_problems=tx.execute(select(func.count()).select_from(schema.source_problems)).scalar_one(),
    )
