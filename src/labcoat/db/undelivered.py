"""Notices that were given up: who has to be told otherwise, and trying them once more."""

from sqlalchemy import ColumnElement, RowMapping, case, delete, exists, func, select, update

from labcoat.db import clock
from labcoat.db.database import NOTICES_PUT, Transaction
from labcoat.db.outbox import GIVEN_UP, PENDING, UNKNOWN
from labcoat.db.tables import schema
from labcoat.domain.ids import WorkspaceId
from labcoat.domain.notice import Undelivered


def count(tx: Transaction, workspace: WorkspaceId) -> int:
    """Return how many notices of a workspace were given up."""
    return tx.execute(select(func.count()).where(*_dead(workspace))).scalar_one()


def list_of(tx: Transaction, workspace: WorkspaceId | None = None, *, limit: int) -> list[Undelivered]:
    """Return the notices that were given up, newest first; of all workspaces unless one is named."""
    column = schema.outbox.c
    query = select(schema.outbox).where(*_dead(workspace)).order_by(column.finished_at.desc(), column.id.desc())
    return [_undelivered(row) for row in tx.execute(query.limit(limit)).mappings()]


def retry(tx: Transaction, workspace: WorkspaceId | None = None, *, number: int | None = None) -> int:
    """Try again one notice, or all of a workspace, or all; return how many.

    What may have reached Slack is looked up first, as ever. What a newer notice is about to show is left to that one.
    """
    column, at = schema.outbox.c, clock.lease_stamp(tx)
    wanted = [*_dead(workspace), *([] if number is None else [column.id == number])]
    left = tx.execute(delete(schema.outbox).where(*wanted, _is_overtaken())).rowcount
    fresh = {
        "state": case((column.may_be_sent, UNKNOWN), else_=PENDING),
        "finished_at": None,
        "tried_since": at,
        "next_try_at": at,
        "failures": 0,
    }
    retried = tx.execute(update(schema.outbox).where(*wanted).values(fresh)).rowcount
    tx.info[NOTICES_PUT] = tx.info.get(NOTICES_PUT, False) or retried > 0
    return retried + left


def _is_overtaken() -> ColumnElement[bool]:
    newer, column = schema.outbox.alias("newer"), schema.outbox.c
    return exists().where(
        newer.c.finished_at.is_(None),
        newer.c.workspace == column.workspace,
        newer.c.subject == column.subject,
        newer.c.id > column.id,
    )


def drop(tx: Transaction, number: int) -> bool:
    """Forget a notice that was given up; return False if there is none of this number."""
    gone = delete(schema.outbox).where(*_dead(None), schema.outbox.c.id == number)
    return tx.execute(gone).rowcount == 1


def _dead(workspace: WorkspaceId | None) -> list[ColumnElement[bool]]:
    return [GIVEN_UP, *([] if workspace is None else [schema.outbox.c.workspace == workspace])]


def _undelivered(row: RowMapping) -> Undelivered:
    return Undelivered(
        id=row["id"],
        workspace=row["workspace"],
        kind=row["kind"],
        channel=row["channel"],
        person=row["person"],
        problem=row["problem"] or "",
        since=row["finished_at"],
    )
