"""Work on files: written with the answer to a click, taken by one process at a time, under a lease (decision 28)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import RowMapping, and_, func, insert, or_, select, update

from labcoat.db.clock import lease_now
from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row
from labcoat.db.tables.schema import file_jobs
from labcoat.domain.file_job import AskedExport, FileJob, FileJobState, GivenTotals
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.stats.rule import Moments

_UNFINISHED = (FileJobState.WAITING, FileJobState.WORKING)


def put(tx: Transaction, workspace: WorkspaceId, person: UserId, task: GivenTotals | AskedExport) -> bool:
    """Add a job; return False for an export while the person's last one is not finished."""
    at, is_export, column = lease_now(tx), isinstance(task, AskedExport), file_jobs.c
    subject = f"export {person}" if isinstance(task, AskedExport) else f"E-{task.experiment}"
    same = (column.workspace == workspace, column.subject == subject, column.state.in_(_UNFINISHED))
    if is_export and tx.execute(select(column.id).where(*same).limit(1)).first() is not None:
        return False
    tx.execute(
        insert(file_jobs).values(
            workspace=workspace,
            person=person,
            subject=subject,
            task=task,
            state=FileJobState.WAITING,
            created_at=at,
            next_try_at=at,
        )
    )
    return True


def claim(tx: Transaction, *, at: datetime, until: datetime) -> FileJob | None:
    """Lease the oldest job that can be done now; None if there is none. Machine time.

    Of one subject only the oldest: totals that were given later are read later.
    """
    column, earlier = file_jobs.c, file_jobs.alias("earlier")
    heads = (
        select(func.min(earlier.c.id))
        .where(earlier.c.state.in_(_UNFINISHED))
        .group_by(earlier.c.workspace, earlier.c.subject)
    )
    free = or_(
        and_(column.state == FileJobState.WAITING, column.next_try_at <= at),
        and_(column.state == FileJobState.WORKING, column.lease_until <= at),
    )
    query = select(file_jobs).where(column.id.in_(heads), free).order_by(column.id).limit(1)
    row = tx.execute(query.with_for_update(skip_locked=True)).mappings().first()
    if row is None:
        return None
    job = replace(_job(row), attempts=row["attempts"] + 1, state=FileJobState.WORKING)
    seen = and_(column.id == job.id, column.state == row["state"], column.attempts == row["attempts"])
    taken = update(file_jobs).where(seen)
    leased = {"state": FileJobState.WORKING, "attempts": job.attempts, "lease_until": until}
    return job if tx.execute(taken.values(leased)).rowcount == 1 else None


def keep(tx: Transaction, job: FileJob, *, until: datetime) -> bool:
    """Store how far a job has come and lease it for longer; return False if another process has it now."""
    return _change(tx, job, task=job.task, lease_until=until)


def retry(
    tx: Transaction, job: FileJob, *, at: datetime, is_upload_gone: bool = False, is_attempt: bool = True
) -> None:
    """Put a job back until `at`.

    is_upload_gone: Slack has lost the files that were uploaded, so they are made anew. is_attempt: False where Slack
    only wanted it later, which may come as often as it likes.
    """
    values: dict[str, object] = {"state": FileJobState.WAITING, "lease_until": None, "next_try_at": at}
    values["attempts"] = job.attempts if is_attempt else job.attempts - 1
    if is_upload_gone and isinstance(job.task, AskedExport):
        values["task"] = replace(job.task, uploaded=())
    _change(tx, job, **values)


def finish(
    tx: Transaction,
    job: FileJob,
    *,
    is_refused: bool = False,
    totals: Mapping[str, Mapping[str, Moments]] | None = None,
) -> bool:
    """Settle a job; return False if another process has it now: then nothing of it may be stored here.

    totals: what was read and not stored, because the person is asked first.
    """
    state = FileJobState.REFUSED if is_refused else FileJobState.DONE
    return _change(tx, job, state=state, lease_until=None, totals=totals)


def find(tx: Transaction, workspace: WorkspaceId, job_id: int) -> FileJob | None:
    """Return a job of this workspace."""
    query = select(file_jobs).where(file_jobs.c.workspace == workspace, file_jobs.c.id == job_id)
    row = tx.execute(query).mappings().first()
    return None if row is None else _job(row)


def take_totals(tx: Transaction, job: FileJob) -> bool:
    """Take what a refused job has read, to store it after all; return False if somebody did."""
    column = file_jobs.c
    mine = update(file_jobs).where(
        column.id == job.id, column.state == FileJobState.REFUSED, column.totals.is_not(None)
    )
    return tx.execute(mine.values(state=FileJobState.DONE, totals=None)).rowcount == 1


def _change(tx: Transaction, job: FileJob, **values: object) -> bool:
    # Only the holder of the lease may: another process may have taken the job after the lease ended.
    column = file_jobs.c
    mine = and_(column.id == job.id, column.state == FileJobState.WORKING, column.attempts == job.attempts)
    return tx.execute(update(file_jobs).where(mine).values(values)).rowcount == 1


def _job(row: RowMapping) -> FileJob:
    return from_row(FileJob, file_jobs, row)
