"""Work on files that a click cannot wait for: claims one job, does it, settles it; another process may take over.

Nothing is stored but in the transaction that settles the job, so a crash at any line leaves it to be done again.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from labcoat.db import file_jobs
from labcoat.db.clock import lease_now
from labcoat.db.database import Database
from labcoat.domain.file_job import LARGEST_MEGABYTES, AskedExport, FileJob, GivenTotals
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.incoming.downloads import Download, TryDownloadLaterError
from labcoat.slack.outgoing import uploads as uploading
from labcoat.slack.retry_after import RateLimitedError, minding
from labcoat.usecases.experiments import files, uploads
from labcoat.usecases.experiments.uploads import FileTotals
from labcoat.usecases.hypotheses import exports
from labcoat.warehouse.errors import SourceError
from labcoat.words import files as words

_log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""How long another process waits before it takes over what this one began; longer than any of its steps may take."""
DOWNLOAD_SECONDS = 120.0
MOST_ATTEMPTS = 5
FIRST_WAIT_SECONDS = 5.0

_Trouble = (TryDownloadLaterError, SlackApiError, SlackClientError, httpx.HTTPError, HTTPException, OSError)
"""What may be over at the next try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWork:
    """zone: for dates in names and words."""

    database: Database
    client: WebClient
    download: Download
    zone: str

    def do_next(self, *, now: datetime) -> bool:
        """Do one job; return False if none is due. now: business time."""
        with self.database.writing() as tx:
            at = lease_now(tx)
            job = file_jobs.claim(tx, at=at, until=at + LEASE)
        if job is None:
            return False
        task = job.task
        try:
            if job.attempts > MOST_ATTEMPTS:
                self._give_up(job, problem="")
            elif isinstance(task, GivenTotals):
                self._read(job, task, now)
            else:
                self._export(job, task, now)
        except RateLimitedError as held:
            with self.database.writing() as tx:
                file_jobs.retry(tx, job, at=held.until, is_attempt=False)
        except _Trouble as error:
            self._later(job, error)
        return True

    def _read(self, job: FileJob, given: GivenTotals, now: datetime) -> None:
        read: FileTotals | None = None
        try:
            read = self._totals(job, given)
            with self.database.writing() as tx:
                files.record(tx, job, given, read, now=now)
        except Refusal as refusal:
            with self.database.writing() as tx:
                files.refuse(tx, job, given, refusal, totals=read.totals if read else None)

    def _totals(self, job: FileJob, given: GivenTotals) -> FileTotals:
        with self.database.reading() as tx:
            experiment, metric = files.planned(tx, job, given)
        with TemporaryDirectory(prefix="labcoat-file-") as folder:
            path = Path(folder) / "given"
            self.download.into(path, given.url, most_bytes=LARGEST_MEGABYTES * 1_000_000, seconds=DOWNLOAD_SECONDS)
            try:
                return uploads.read_file(
                    path,
                    experiment.plan,
                    metric,
                    name=given.name,
                    field="file",
                    may_lack=experiment.dropped_treatments,
                )
            except SourceError as error:  # it took too long, and would again
                raise Refusal(Reason.FILE_FAULT, "file", text=words.TOO_MUCH) from error

    def _export(self, job: FileJob, asked: AskedExport, now: datetime) -> None:
        if not asked.uploaded:
            with TemporaryDirectory(prefix="labcoat-export-") as folder:
                try:
                    with self.database.reading() as tx:
                        written = exports.write(tx, job.workspace, Path(folder), asked.format, for_spreadsheet=True)
                except SourceError as error:  # and would be again
                    _log.error("export %s cannot be written: %s", job.id, error.message)
                    self._give_up(job, problem=words.NOT_WRITTEN)
                    return
                names = [words.export_name(one, now, self.zone) for one in written]
                pairs = zip(written, names, strict=True)
                with minding(self.database, job.workspace, "files"):
                    ids = tuple(uploading.upload_file(self.client, one.path, name=name) for one, name in pairs)
            job = replace(job, task=replace(asked, uploaded=ids, said=words.exported(written, now, self.zone)))
            with self.database.writing() as tx:
                if not file_jobs.keep(tx, job, until=lease_now(tx) + LEASE):
                    return
        assert isinstance(job.task, AskedExport)
        with minding(self.database, job.workspace, "conversations.open"):
            channel = str(self.client.conversations_open(users=job.person)["channel"]["id"])
        # A crash between Slack's sharing and our settling: the files know where they are, so nothing is sent twice.
        with minding(self.database, job.workspace, "files"):
            if not uploading.is_shared(self.client, job.task.uploaded[0], channel):
                uploading.share(self.client, job.task.uploaded, channel, comment=job.task.said)
        with self.database.writing() as tx:
            file_jobs.finish(tx, job)

    def _later(self, job: FileJob, error: Exception) -> None:
        problem = str(error.response["error"]) if isinstance(error, SlackApiError) else type(error).__name__
        _log.warning("file job %s: %s", job.id, problem)
        if problem in uploading.PERMANENT or job.attempts >= MOST_ATTEMPTS:
            self._give_up(job, problem=problem)
            return
        wait = timedelta(seconds=FIRST_WAIT_SECONDS * 2 ** (job.attempts - 1))
        with self.database.writing() as tx:
            file_jobs.retry(tx, job, at=lease_now(tx) + wait, is_upload_gone=problem == uploading.GONE)

    def _give_up(self, job: FileJob, *, problem: str) -> None:
        with self.database.writing() as tx:
            files.give_up(tx, job, problem=problem)
