"""Work on a file that takes longer than a click may: reading one that somebody gave, or making one for somebody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from labcoat.domain.ids import ChannelId, ExperimentNumber, UserId, WorkspaceId
from labcoat.stats.rule import Moments

LARGEST_MEGABYTES = 50


class FileJobState(StrEnum):
    """Where it stands."""

    WAITING = "waiting"
    WORKING = "working"  # leased
    DONE = "done"
    REFUSED = "refused"  # the person was told what to do


class ExportFormat(StrEnum):
    """How an export is written."""

    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenTotals:
    """A file of totals for an experiment.

    size: bytes, as Slack says. url: where Slack keeps it. metric: the one that the person chose in the form.
    channel: where the form was opened from. is_correction: they replace earlier totals, of those that reach to
    wrong_since or later; None for the newest only.
    """

    kind: Literal["totals"] = "totals"
    experiment: ExperimentNumber
    name: str
    size: int
    url: str
    metric: str
    channel: ChannelId
    as_of: datetime
    is_correction: bool
    wrong_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedExport:
    """The workspace's hypotheses, experiments and readouts, to send to whoever asked.

    uploaded: ids of the files once Slack has their content, so that a second try shares them and makes no others.
    said: with them.
    """

    kind: Literal["export"] = "export"
    format: ExportFormat
    uploaded: tuple[str, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileJob:
    """One job. attempts: how often it was begun. totals: what was read, kept while the person is asked about it."""

    id: int
    workspace: WorkspaceId
    person: UserId
    task: GivenTotals | AskedExport
    state: FileJobState
    attempts: int
    totals: Mapping[str, Mapping[str, Moments]] | None = None
