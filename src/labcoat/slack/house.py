"""What every listener needs of the house, made once in wiring."""

from dataclasses import dataclass, field

from labcoat.db.database import Database
from labcoat.domain.ids import ChannelId
from labcoat.slack.downloading import Download
from labcoat.usecases.similar import Memory
from labcoat.warehouse.metrics_file import MetricsFile


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """zone: IANA name for plans, digests and dates. home_channel: where hypotheses filed in a DM live.

    download: reads a file that somebody gave in a form. memory: of the words of all hypotheses, for search.
    """

    database: Database
    metrics: MetricsFile | None
    zone: str
    home_channel: ChannelId | None
    download: Download
    memory: Memory = field(default_factory=Memory)
