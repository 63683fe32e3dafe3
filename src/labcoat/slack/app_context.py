"""What every listener needs of the house, made once in wiring."""

import time
from dataclasses import dataclass, field

from labcoat.db.database import Database
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.slack.incoming.downloads import Download
from labcoat.usecases.hypotheses.similar import Memory
from labcoat.warehouse import reading
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import MetricDescription


class Members:
    """Who was found to be a member less than a minute ago, so that not every click asks the database first."""

    SECONDS = 60.0
    MOST = 10_000

    def __init__(self) -> None:
        self._until: dict[tuple[WorkspaceId, UserId], float] = {}

    def knows(self, workspace: WorkspaceId, user: UserId) -> bool:
        """Whether this person was a member a moment ago."""
        return self._until.get((workspace, user), 0.0) > time.monotonic()

    def add(self, workspace: WorkspaceId, user: UserId) -> None:
        """Remember a member."""
        if len(self._until) >= self.MOST:
            self._until.clear()
        self._until[workspace, user] = time.monotonic() + self.SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class AppContext:
    """zone: IANA name for plans, digests and dates. home_channel: where hypotheses filed in a DM live.

    download: reads files that somebody gave in a form. memory: of the words of all hypotheses, for search.
    members: who was found to be one a moment ago.
    """

    database: Database
    metrics: MetricsFile | None
    zone: str
    home_channel: ChannelId | None
    download: Download
    memory: Memory = field(default_factory=Memory)
    members: Members = field(default_factory=Members)

    @property
    def described_metrics(self) -> tuple[MetricDescription, ...]:
        """What the metrics file offers; nothing without one."""
        return reading.describe(self.metrics) if self.metrics else ()
