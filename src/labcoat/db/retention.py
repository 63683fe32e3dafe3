"""Forgetting what was told long ago: rows of the outbox whose messages are in Slack.

Kept for ever are what people decided and learned (hypotheses, looks, history), where messages are (`posts`), and the
keys by which a digest or a nudge is told once. What was given up stays until somebody retries or drops it. Decision 39.
"""

from datetime import datetime

from sqlalchemy import delete, select

from labcoat.db.database import Transaction
from labcoat.db.outbox import SENT
from labcoat.db.tables import schema

BATCH = 1000
"""Rows a transaction: short enough that no click waits for it."""


def forget_sent(tx: Transaction, *, before: datetime, limit: int = BATCH) -> int:
    """Forget the oldest notices that were sent before; return how many. before: machine time.

    What another replica is forgetting is left to it.
    """
    column = schema.outbox.c
    old = (
        select(column.id)
        .where(column.state == SENT, column.finished_at < before)
        .order_by(column.finished_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    numbers = list(tx.execute(old).scalars())
    if numbers:
        tx.execute(delete(schema.outbox).where(column.id.in_(numbers)))
    return len(numbers)
