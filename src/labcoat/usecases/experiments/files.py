"""Totals that come in a file: read while the form waits where that is quick, else later, and told when they are."""

from datetime import datetime

from labcoat.db import file_jobs, outbox
from labcoat.db.database import Transaction
from labcoat.domain import correcting
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.facts import ExportFailed, FileRefused, FileStored
from labcoat.domain.file_job import AskedExport, ExportFormat, FileJob, GivenTotals
from labcoat.domain.ids import ExperimentNumber, UserId, WorkspaceId
from labcoat.domain.member import Member
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.plan import PlannedMetric
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.subject import Subject
from labcoat.usecases import finding
from labcoat.usecases.experiments import recording
from labcoat.usecases.experiments.recording import Taken
from labcoat.usecases.experiments.uploads import FileTotals, Totals


def take(tx: Transaction, dossier: Dossier, given: GivenTotals, *, by: Member, now: datetime) -> None:
    """Note a file to be read soon; raise Refusal if its totals could not be stored anyway."""
    experiment = dossier.get_experiment(given.experiment)
    dossier.require_in_channel(by)
    recording.require_typed(experiment)
    if not given.is_correction:
        recording.require_undecided(dossier, experiment)
    recording.require_while_it_ran(experiment, given.as_of, now)
    file_jobs.put(tx, dossier.hypothesis.workspace, by.user, given)


def planned(tx: Transaction, job: FileJob, given: GivenTotals) -> tuple[Experiment, PlannedMetric]:
    """Return the experiment that a file is for, and the metric that was chosen."""
    dossier = _dossier(tx, job.workspace, given.experiment)
    experiment = dossier.get_experiment(given.experiment)
    return experiment, experiment.plan.metric(given.metric)


def record(tx: Transaction, job: FileJob, given: GivenTotals, read: FileTotals, *, now: datetime) -> None:
    """Store the totals of a file, and tell the person. Raises Refusal; nothing is stored if another process did it."""
    if not file_jobs.finish(tx, job):
        return
    dossier = _dossier(tx, job.workspace, given.experiment)
    by = finding.get_member(tx, job.workspace, job.person, now=now, channel=given.channel, of=dossier)
    taken = recording.take(
        tx,
        dossier,
        given.experiment,
        by=by,
        totals=read.totals,
        as_of=given.as_of,
        is_correction=given.is_correction,
        wrong_since=given.wrong_since,
        now=now,
        file=given.name,
        taken=read.taken,
    )
    units = sum(moments.count for moments in next(iter(read.totals.values())).values())
    stored = FileStored(
        hypothesis=dossier.hypothesis.number,
        experiment=given.experiment,
        file=given.name,
        size=given.size,
        metrics=taken.metrics,
        units=units,
        taken=read.taken,
    )
    _tell(tx, job, stored)


def refuse(tx: Transaction, job: FileJob, given: GivenTotals, refusal: Refusal, *, totals: Totals | None) -> None:
    """Settle a file whose totals are not stored, and tell the person why. totals: kept for a correction, if read."""
    is_asked = correcting.asks_to_correct(refusal) and totals is not None
    if file_jobs.finish(tx, job, is_refused=True, totals=totals if is_asked else None):
        refused = FileRefused(
            hypothesis=_dossier(tx, job.workspace, given.experiment).hypothesis.number,
            experiment=given.experiment,
            file=given.name,
            size=given.size,
            reason=refusal.reason,
            facts=tuple(refusal.facts.items()),
            job=job.id if is_asked else None,
        )
        _tell(tx, job, refused)


def give_up(tx: Transaction, job: FileJob, *, problem: str) -> None:
    """Settle a job that cannot be done, and tell the person. problem: Slack's own word, or what went wrong."""
    if isinstance(job.task, GivenTotals):
        refuse(tx, job, job.task, Refusal(Reason.FILE_UNREADABLE, "file"), totals=None)
    elif file_jobs.finish(tx, job, is_refused=True):
        _tell(tx, job, ExportFailed(problem=problem))


def correct(tx: Transaction, dossier: Dossier, job_id: int, *, by: Member, now: datetime) -> ExperimentNumber:
    """Store what a file said after all, in place of earlier totals; return the experiment. Raises Refusal."""
    job = file_jobs.find(tx, dossier.hypothesis.workspace, job_id)
    if job is None or not isinstance(job.task, GivenTotals) or job.totals is None or not file_jobs.take_totals(tx, job):
        raise Refusal(Reason.FILE_DONE)
    recording.record_all(
        tx,
        dossier,
        job.task.experiment,
        by=by,
        totals=job.totals,
        as_of=job.task.as_of,
        is_correction=True,
        wrong_since=job.task.wrong_since,
        now=now,
        file=job.task.name,
    )
    return job.task.experiment


def record_from_disk(
    tx: Transaction,
    dossier: Dossier,
    number: ExperimentNumber,
    *,
    totals: Totals,
    by: str | None,
    as_of: datetime,
    is_correction: bool,
    wrong_since: datetime | None,
    file: str,
    now: datetime,
    taken: str = "",
) -> Taken:
    """Store the totals of a file that the operator has. by: a person's id; None for the owner."""
    planned_by = dossier.get_experiment(number).planned_by
    member = Member(user=UserId(by) if by else dossier.hypothesis.owner or planned_by)
    return recording.take(
        tx,
        dossier,
        number,
        by=member,
        totals=totals,
        as_of=as_of,
        is_correction=is_correction,
        wrong_since=wrong_since,
        now=now,
        file=file,
        taken=taken,
    )


def ask_export(
    tx: Transaction,
    workspace: WorkspaceId,
    *,
    by: Member,
    format: ExportFormat,  # noqa: A002
) -> bool:
    """Note that somebody wants everything as files; return False while their last ones are still being made."""
    return file_jobs.put(tx, workspace, by.user, AskedExport(format=format))


def _dossier(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> Dossier:
    return finding.get_dossier(tx, workspace, Subject(experiment=number))


def _tell(tx: Transaction, job: FileJob, fact: FileStored | FileRefused | ExportFailed) -> None:
    outbox.put(tx, Notice(kind=NoticeKind.FILE, workspace=job.workspace, person=job.person, fact=fact))
