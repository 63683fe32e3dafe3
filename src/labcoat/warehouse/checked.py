"""What trying a metrics file on its data shows: nothing of an effect, and what has to be fixed."""

from dataclasses import dataclass, field
from datetime import datetime

from labcoat.domain.left_out import LeftOut
from labcoat.warehouse.exposure_scan import Arm
from labcoat.warehouse.own_rows import OwnRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What has to be fixed or looked at. place: in the metrics file, from the outside in."""

    place: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposuresSeen:
    """What exposures have, or why they can't be read. key: the experiment that metrics are tried on, the newest.

    by_name, warnings: as of a metric.
    """

    name: str
    source: str
    arms: tuple[Arm, ...]
    key: str | None
    seconds: float
    trouble: Trouble | None
    by_name: tuple[str, ...] = ()
    warnings: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSeen:
    """What a metric gives over one experiment, all variants together, or why it can't be read.

    units: of the experiment. measured: those whose window has closed. mean, deviation: of these; None without any.
    crossed, left_out: units of its exposures in two variants, and what else does not count.
    rows: of its own, None without. by_name: fields that the file leaves out and the table decides. same_day: the mean
    with the exposure's own day and without it, where its rows have days only. days: that are read, "" for all.
    warnings: of columns that look like a field and are unused.
    """

    name: str
    exposures: str
    units: int = 0
    measured: int = 0
    crossed: int = 0
    left_out: LeftOut = field(default_factory=LeftOut)
    mean: float | None = None
    deviation: float | None = None
    rows: OwnRows | None = None
    by_name: tuple[str, ...] = ()
    same_day: tuple[float, float] | None = None
    days: str = ""
    trouble: Trouble | None = None
    warnings: tuple[Trouble, ...] = ()

    @property
    def newest(self) -> datetime | None:
        """The time of the newest of its own rows."""
        return None if self.rows is None else self.rows.newest


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySeen:
    """One query that answered. metrics: that it measured. cost: of all of them, as the engine tells, "" if not."""

    exposures: str
    metrics: tuple[str, ...]
    seconds: float
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSeen:
    """A source. complete_to: as its `freshness` says, None without one or where trouble says why that can't be told.

    left_out: parts of its files. warnings: of a role that can do more than read.
    """

    name: str
    complete_to: datetime | None
    left_out: tuple[str, ...] = ()
    trouble: Trouble | None = None
    warnings: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A metrics file as its data answer."""

    sources: tuple[SourceSeen, ...] = ()
    exposures: tuple[ExposuresSeen, ...]
    metrics: tuple[MetricSeen, ...]
    queries: tuple[QuerySeen, ...] = ()

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """All that has to be fixed."""
        seen: tuple[SourceSeen | ExposuresSeen | MetricSeen, ...] = (*self.sources, *self.exposures, *self.metrics)
        return tuple(one.trouble for one in seen if one.trouble is not None)

    @property
    def warnings(self) -> tuple[Trouble, ...]:
        """All that can be right and seldom is, each with its place."""
        seen: tuple[SourceSeen | ExposuresSeen | MetricSeen, ...] = (*self.sources, *self.exposures, *self.metrics)
        return tuple(warning for one in seen for warning in one.warnings)
