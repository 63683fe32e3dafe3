"""The nudges that were sent: every step asks for those of its hypothesis, however many others there are."""

from datetime import UTC, datetime

from sqlalchemy import insert, text

from explaining import explained
from labcoat.db import nudging
from labcoat.db.database import Database
from labcoat.db.tables_nudges import nudges

WORKSPACE = "T1"


def test_the_nudges_of_one_hypothesis_are_found_without_reading_all(database: Database) -> None:
    sent = {
        "workspace": WORKSPACE,
        "person": "UANA",
        "made_at": datetime(2026, 11, 2, 9, tzinfo=UTC),
        "subject": "nudge",
    }
    rows = [sent | {"key": f"nudge {number}", "hypothesis": number // 3} for number in range(3000)]
    with database.writing() as tx:
        tx.execute(insert(nudges), rows)
        if not database.is_sqlite:  # which is never told to, by us either
            tx.execute(text("ANALYZE"))

    plan = explained(database, nudging.UNANSWERED.params(workspace=WORKSPACE, hypothesis=7))

    assert "ix_nudges_open" in plan
