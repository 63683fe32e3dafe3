"""Try every part of a metrics file against the live data, each by itself, so that one fault hides no other.

What comes back tells nothing of an effect: units per variant, and values of all variants together.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from labcoat.domain.left_out import LeftOut
from labcoat.warehouse import asking, groups, reading, sql, survey
from labcoat.warehouse.asking import EARLIEST
from labcoat.warehouse.engine import Engine
from labcoat.warehouse.errors import NoRowsYet, SourceError
from labcoat.warehouse.groups import Group
from labcoat.warehouse.measures import Subject
from labcoat.warehouse.metrics_file import Metric, MetricsFile
from labcoat.warehouse.resolving import AskedMetric, Resolved
from labcoat.warehouse.sql import Bounds
from labcoat.warehouse.survey import NOT_NAMED, Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What has to be mended. place: in the metrics file, from the outside in."""

    place: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposuresSeen:
    """What exposures have, or why they can't be read. key: the experiment that metrics are tried on, the newest."""

    name: str
    source: str
    arms: tuple[Arm, ...]
    key: str | None
    seconds: float
    trouble: Trouble | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSeen:
    """What a metric gives over one experiment, all variants together, or why it can't be read.

    units: of the experiment. measured: those whose window has closed. mean, deviation: of these; None without any.
    crossed, left_out: units of its exposures in two variants, and what else does not count.
    newest: of its own rows' times; None without. cost: as the engine tells, "" if it does not.
    """

    name: str
    exposures: str
    units: int = 0
    measured: int = 0
    crossed: int = 0
    left_out: LeftOut = field(default_factory=LeftOut)
    mean: float | None = None
    deviation: float | None = None
    newest: datetime | None = None
    cost: str = ""
    seconds: float = 0.0
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A metrics file as its data answer."""

    exposures: tuple[ExposuresSeen, ...]
    metrics: tuple[MetricSeen, ...]

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """All that has to be mended."""
        seen: tuple[ExposuresSeen | MetricSeen, ...] = (*self.exposures, *self.metrics)
        return tuple(one.trouble for one in seen if one.trouble is not None)


def check(metrics_file: MetricsFile, *, names: Collection[str], key: str | None, now: datetime) -> Checked:
    """Try the metrics of these names and their exposures.

    key: of the experiment to try them on; None, or one that the data have not, for the newest.
    """
    metrics = {name: metric for name, metric in metrics_file.metrics.items() if name in names}
    used = {metrics_file.exposures_of(metric) for metric in metrics.values()}
    is_all = len(metrics) == len(metrics_file.metrics)
    seen = {
        name: _exposures(metrics_file, name, key=key, now=now)
        for name in metrics_file.exposures
        if is_all or name in used
    }
    return Checked(
        exposures=tuple(seen.values()),
        metrics=tuple(
            _metric(metrics_file, name, metric, over=seen[metrics_file.exposures_of(metric)], now=now)
            for name, metric in metrics.items()
        ),
    )


def _exposures(metrics_file: MetricsFile, name: str, *, key: str | None, now: datetime) -> ExposuresSeen:
    begun = time.perf_counter()
    arms: tuple[Arm, ...] = ()
    trouble = None
    try:
        arms = survey.arms(metrics_file, name, until=now)
    except SourceError as error:
        trouble = Trouble(place=_place("exposures", name, error), message=_said(f"Exposures {name}", error))
    named = [arm for arm in arms if arm.key is not None] or arms
    newest = max(named, key=lambda arm: (arm.newest or EARLIEST, arm.units), default=None)
    chosen = key if any(arm.key == key for arm in arms) else newest.key if newest is not None else None
    return ExposuresSeen(
        name=name,
        source=metrics_file.exposures[name].source,
        arms=arms,
        key=chosen,
        seconds=time.perf_counter() - begun,
        trouble=trouble,
    )


def _metric(metrics_file: MetricsFile, name: str, metric: Metric, *, over: ExposuresSeen, now: datetime) -> MetricSeen:
    seen = MetricSeen(name=name, exposures=over.name)
    if over.trouble is not None:
        return seen
    begun = time.perf_counter()
    asked = AskedMetric(name=name, metric=metric, measuring=reading.measuring_of(metric))
    try:
        return _tried(metrics_file, asked, over=over, now=now, begun=begun)
    except NoRowsYet:
        return seen
    except SourceError as error:
        trouble = Trouble(place=_place("metrics", name, error), message=_said(f"Metric {name}", error))
        return MetricSeen(name=name, exposures=over.name, seconds=time.perf_counter() - begun, trouble=trouble)


def _tried(
    metrics_file: MetricsFile, asked: AskedMetric, *, over: ExposuresSeen, now: datetime, begun: float
) -> MetricSeen:
    exposures = metrics_file.exposures[over.name]
    variants = tuple(arm.variant for arm in over.arms if arm.key == over.key and arm.variant != NOT_NAMED)
    subject = Subject(key=over.key or "", since=EARLIEST, until=now, variants=variants)
    with asking.opened(metrics_file, exposures, (asked,)) as source:
        bounds = Bounds(since=EARLIEST, until=now)
        text, resolved = asking.query(source, metrics_file, exposures, (subject,), (asked,), bounds=bounds)
        cost = source.cost(text)
        (answer,) = groups.parse(source.rows(text), resolved.measures, asked=(asked,))
        newest = _newest(source, resolved, dialect=asking.dialect_of(metrics_file, exposures), now=now)
    found = answer.found(variants)
    groups.refuse_wrong(answer, found, (asked,), key=over.key or "this experiment")
    measured, mean, deviation = _together(answer.groups, asked)
    return MetricSeen(
        name=asked.name,
        exposures=over.name,
        units=sum(group.exposed for group in answer.groups),
        crossed=found.crossed,
        left_out=found.left_out(),
        measured=measured,
        mean=mean,
        deviation=deviation,
        newest=newest,
        cost=cost,
        seconds=time.perf_counter() - begun,
    )


def _newest(source: Engine, resolved: Resolved, *, dialect: str, now: datetime) -> datetime | None:
    (measure,) = resolved.measures
    if measure.rows is None or measure.time is None:
        return None
    ours = f"SELECT CAST(MAX({measure.time}) AS TEXT) AS newest_at FROM {measure.rows} AS e"
    text = sql.write(ours, resolved.rows, dialect=dialect, bounds=Bounds(since=EARLIEST, until=now))
    ((newest,),) = source.rows(text)
    return survey.moment(newest)


def _together(found: Sequence[Group], asked: AskedMetric) -> tuple[int, float | None, float | None]:
    """Return count, mean and standard deviation over all variants; a ratio's mean is that of the sums."""
    mine = [group.metrics[asked] for group in found if group.metrics[asked].measured]
    count = sum(one.measured for one in mine)
    if not count:
        return 0, None, None
    mean = sum(one.measured * one.means["y"] for one in mine) / count
    if "x" in mine[0].means:
        below = sum(one.measured * one.means["x"] for one in mine) / count
        return count, (mean / below if below else None), None
    within = sum(
        (one.measured - 1) * one.covariances["yy"] + one.measured * (one.means["y"] - mean) ** 2 for one in mine
    )
    return count, mean, (within / (count - 1)) ** 0.5 if count > 1 else None


def _place(kind: str, name: str, error: SourceError) -> tuple[str, ...]:
    return (kind, name, error.field) if error.field else (kind, name)


def _said(who: str, error: SourceError) -> str:
    if error.message.startswith("Metric "):
        return error.message
    return f"{who}: {error.message.removeprefix('Exposures: ')}"
