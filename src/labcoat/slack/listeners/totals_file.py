"""A file of totals that somebody gave in the form: read at once where that is quick, else taken to be read soon."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from labcoat.domain.experiment import Experiment
from labcoat.domain.file_job import LARGEST_MEGABYTES, GivenTotals
from labcoat.domain.plan import PlannedMetric
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.blocks import notice_view
from labcoat.slack.form_values import ChosenFile
from labcoat.slack.incoming.downloads import SECONDS, SMALL_BYTES, TooSlowError, TryDownloadLaterError, too_large
from labcoat.slack.listeners.call import RenewFormError, Submission
from labcoat.slack.views.files import reading_message
from labcoat.usecases.experiments import files, uploads
from labcoat.usecases.experiments.uploads import FileTotals
from labcoat.warehouse.errors import SourceError

READING_SECONDS = 1.2
"""For a step of reading, of which the first that takes long ends it; with the download less than Slack's three."""


def totals_of(
    form: Submission,
    experiment: Experiment,
    metric: PlannedMetric,
    file: ChosenFile,
    *,
    is_correction: bool,
    wrong_since: datetime | None,
) -> FileTotals:
    """Return what a small file holds; raise RenewFormError, with what the form says instead, if it is read later."""
    if file.size > LARGEST_MEGABYTES * 1_000_000:
        raise too_large(LARGEST_MEGABYTES * 1_000_000)
    if file.size <= SMALL_BYTES:
        try:
            return _read(form, experiment, metric, file)
        except (TooSlowError, SourceError):
            pass  # it takes longer than a form may
        except TryDownloadLaterError as error:
            raise Refusal(Reason.FILE_UNREADABLE, "file") from error
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        given = GivenTotals(
            experiment=experiment.number,
            name=file.name,
            size=file.size,
            url=file.url,
            metric=metric.name,
            channel=form.channel,
            as_of=form.answers.moment("as_of") or now,
            is_correction=is_correction,
            wrong_since=wrong_since,
        )
        files.take(tx, dossier, given, by=form.member(tx, dossier), now=now)
    raise RenewFormError(notice_view("Reading", reading_message(file.name, file.size)))


def _read(form: Submission, experiment: Experiment, metric: PlannedMetric, file: ChosenFile) -> FileTotals:
    with TemporaryDirectory(prefix="labcoat-file-") as folder:
        path = Path(folder) / "given"
        form.app_context.download.into(path, file.url, most_bytes=SMALL_BYTES, seconds=SECONDS)
        return uploads.read_file(
            path,
            experiment.plan,
            metric,
            name=file.name,
            field="file",
            may_lack=experiment.dropped_treatments,
            seconds=READING_SECONDS,
        )
