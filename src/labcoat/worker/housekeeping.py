"""Forget replays and answers that nobody asks for again, and what was told long ago."""

from datetime import timedelta

from labcoat.db import api_answers, clock, deliveries, retention
from labcoat.db.database import Database

ANSWERS_REMEMBERED = timedelta(hours=24)
"""How long a request over HTTP may come again under its key; a pipeline that lost an answer asks within the day."""
BATCHES_FORGOTTEN = 5
"""At one tick: 1,200,000 rows an hour, and between two of them a click finds the database free."""
REPLAYS_REMEMBERED = timedelta(days=1)
"""Longer than Slack sends an event again, which is an hour and more where a Socket Mode link was away."""


def forget(database: Database, *, keep_sent: timedelta | None) -> None:
    """Forget some of it, in small transactions. keep_sent: how long what was delivered stays, None for ever."""
    with database.writing() as tx:
        deliveries.forget(tx, before=clock.machine_now() - REPLAYS_REMEMBERED)
        api_answers.forget(tx, before=clock.machine_now() - ANSWERS_REMEMBERED)
    if keep_sent is None:
        return
    for _ in range(BATCHES_FORGOTTEN):
        with database.writing() as tx:
            if retention.forget_sent(tx, before=clock.lease_now(tx) - keep_sent) < retention.BATCH:
                return
