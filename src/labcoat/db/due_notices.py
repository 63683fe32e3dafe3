"""Which notice is delivered next: the oldest unfinished one of a target, of those that are due longest."""

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, and_, bindparam, exists, func, select

from labcoat.db.database import Transaction
from labcoat.db.tables import schema

_LOOKED_AT = 20
"""Notices that are due longest; seldom do all of them wait for an earlier one."""


def _due_queries() -> tuple[Select[Any], Select[Any]]:
    table, earlier, due = schema.outbox.c, schema.outbox.alias("earlier").c, schema.outbox.alias("due").c
    first_due = (
        select(due.id)
        .where(due.finished_at.is_(None), due.next_try_at <= bindparam("at"))
        .order_by(due.next_try_at, due.id)
        .limit(_LOOKED_AT)
    )
    blocks = and_(
        earlier.finished_at.is_(None),
        earlier.workspace == table.workspace,
        earlier.target == table.target,
        earlier.id < table.id,
    )
    heads = select(func.min(due.id)).where(due.finished_at.is_(None)).group_by(due.workspace, due.target)
    claimable = (
        select(schema.outbox)
        .where(table.finished_at.is_(None), table.next_try_at <= bindparam("at"))
        .order_by(table.next_try_at, table.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=schema.outbox)
    )
    return claimable.where(table.id.in_(first_due), ~exists().where(blocks)), claimable.where(table.id.in_(heads))


NEXT_DUE = _due_queries()
"""What is claimed next: one of those due longest; if all of these wait for an earlier one, the first of each target.

Both use indexes of unfinished rows only. The first costs the same with any number of channels; the second stays fast
where one channel has thousands waiting.
"""


def find_next(tx: Transaction, at: datetime) -> RowMapping | None:
    """Return the row of the outbox that may be claimed now, locked; None if none may."""
    found = (tx.execute(query, {"at": at}).mappings().first() for query in NEXT_DUE)
    return next((one for one in found if one is not None), None)
