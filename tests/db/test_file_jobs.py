"""Work on files is taken once, in order of its subject, and taken over from whoever died."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from builders import CHANNEL, E7, NOW, OTHER, OWNER, WORKSPACE, events
from labcoat.db import file_jobs
from labcoat.db.clock import machine_now
from labcoat.db.database import Database
from labcoat.db.tables import schema
from labcoat.domain.file_job import AskedExport, ExportFormat, FileJob, GivenTotals
from labcoat.domain.ids import ExperimentNumber

LEASE = timedelta(minutes=5)
EXPORT = AskedExport(format=ExportFormat.CSV)


def given(number: ExperimentNumber = E7, name: str = "orders.csv") -> GivenTotals:
    return GivenTotals(
        experiment=number,
        name=name,
        size=2_000_000,
        url="https://files.slack.com/1",
        metric="orders per user",
        channel=CHANNEL,
        as_of=NOW,
        is_correction=False,
    )


def claimed(database: Database, after: timedelta = timedelta()) -> FileJob | None:
    at = machine_now() + after
    with database.writing() as tx:
        return file_jobs.claim(tx, at=at, until=at + LEASE)


def put(database: Database, *tasks: GivenTotals | AskedExport) -> None:
    with database.writing() as tx:
        for task in tasks:
            assert file_jobs.put(tx, WORKSPACE, OWNER, task)


def test_a_job_is_kept_as_it_was_put_and_taken_once(database: Database) -> None:
    put(database, given())

    job = claimed(database)

    assert job is not None
    assert (job.task, job.person, job.workspace, job.attempts) == (given(), OWNER, WORKSPACE, 1)
    assert claimed(database) is None


def test_a_job_whose_worker_died_is_taken_over_after_its_lease(database: Database) -> None:
    put(database, given())
    first = claimed(database)
    second = claimed(database, after=2 * LEASE)

    assert first is not None
    assert second is not None
    assert (second.id, second.attempts) == (first.id, 2)
    with database.writing() as tx:
        assert not file_jobs.finish(tx, first)
        assert not file_jobs.keep(tx, first, until=machine_now())
        assert file_jobs.finish(tx, second)
    assert claimed(database, after=9 * LEASE) is None


def test_files_of_one_experiment_are_read_in_the_order_they_came(database: Database) -> None:
    put(database, given(name="first.csv"), given(name="second.csv"), given(ExperimentNumber(8), name="other.csv"))

    first, other = claimed(database), claimed(database)
    assert claimed(database) is None
    assert first is not None
    with database.writing() as tx:
        file_jobs.finish(tx, first, is_refused=True)
    second = claimed(database)

    names = [job.task.name for job in (first, other, second) if job and isinstance(job.task, GivenTotals)]
    assert names == ["first.csv", "other.csv", "second.csv"]


def test_a_job_that_was_put_back_waits(database: Database) -> None:
    put(database, given())
    job = claimed(database)
    assert job is not None
    with database.writing() as tx:
        file_jobs.retry(tx, job, at=machine_now() + timedelta(hours=1))

    assert claimed(database) is None
    assert claimed(database, after=timedelta(hours=2)) is not None


def test_a_second_export_is_not_begun_while_the_first_is_made(database: Database) -> None:
    put(database, EXPORT)

    with database.writing() as tx:
        assert not file_jobs.put(tx, WORKSPACE, OWNER, EXPORT)
        assert file_jobs.put(tx, WORKSPACE, OTHER, EXPORT)
    job = claimed(database)
    assert job is not None
    with database.writing() as tx:
        file_jobs.finish(tx, job)
        assert file_jobs.put(tx, WORKSPACE, OWNER, EXPORT)


def test_uploaded_files_are_remembered_until_slack_has_lost_them(database: Database) -> None:
    put(database, EXPORT)
    job = claimed(database)
    assert job is not None
    kept = FileJob(
        id=job.id,
        workspace=job.workspace,
        person=job.person,
        task=AskedExport(format=ExportFormat.CSV, uploaded=("F1",), said="Everything"),
        state=job.state,
        attempts=job.attempts,
    )
    with database.writing() as tx:
        assert file_jobs.keep(tx, kept, until=machine_now() + LEASE)
        file_jobs.retry(tx, job, at=machine_now())
    again = claimed(database)
    assert again is not None
    assert again.task == kept.task
    with database.writing() as tx:
        file_jobs.retry(tx, again, at=machine_now(), is_upload_gone=True)

    last = claimed(database)
    assert last is not None
    assert isinstance(last.task, AskedExport)
    assert last.task.uploaded == ()


def test_what_was_read_is_kept_for_a_correction_and_taken_once(database: Database) -> None:
    put(database, given())
    job = claimed(database)
    assert job is not None
    totals = {"orders per user": {"control": events(1, of=10)}}
    with database.writing() as tx:
        file_jobs.finish(tx, job, is_refused=True, totals=totals)
    with database.writing() as tx:
        found = file_jobs.find(tx, WORKSPACE, job.id)
        assert found is not None
        assert found.totals == totals
        assert [file_jobs.take_totals(tx, found) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("replicas", [4])
def test_replicas_that_ask_at_once_get_different_jobs(database: Database, replicas: int) -> None:
    put(database, *(given(ExperimentNumber(n)) for n in range(1, 1 + replicas)))

    with database.writing() as tx:
        at = machine_now()
        taken = [file_jobs.claim(tx, at=at, until=at + LEASE) for _ in range(replicas + 1)]

    assert len({job.id for job in taken if job}) == replicas
    assert taken[-1] is None
    with database.reading() as tx:
        assert tx.execute(select(func.count()).select_from(schema.file_jobs)).scalar_one() == replicas
