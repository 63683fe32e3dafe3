"""Try every part of a metrics file against the live data, each by itself, so that one fault hides no other.

What comes back tells nothing of an effect: units per variant, and values of all variants together.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from labcoat.domain.plan import SameDay
from labcoat.warehouse import (
    bounding,
    connections,
    exposure_scan,
    freshness,
    groups,
    own_rows,
    reading,
    roles,
    sql,
    unused_columns,
    windows,
)
from labcoat.warehouse.checked import Checked, ExposuresSeen, MetricSeen, QuerySeen, SourceSeen, Trouble
from labcoat.warehouse.engines.engine import Engine
from labcoat.warehouse.errors import NoRowsYetError, SourceError
from labcoat.warehouse.exposed_units import EARLIEST
from labcoat.warehouse.exposure_scan import NOT_NAMED, Arm
from labcoat.warehouse.groups import Group
from labcoat.warehouse.measures import Measure, Subject
from labcoat.warehouse.metrics_file import Exposures, Metric, MetricsFile
from labcoat.warehouse.naming import Named
from labcoat.warehouse.open_sources import OpenSources
from labcoat.warehouse.own_rows import OwnRows
from labcoat.warehouse.resolving import AskedMetric, Resolved
from labcoat.warehouse.source_columns import Asking
from labcoat.warehouse.sql import Bounds


def check(metrics_file: MetricsFile, *, names: Collection[str], key: str | None, now: datetime) -> Checked:
    """Try the metrics of these names and their exposures.

    key: of the experiment to try them on; None, or one that the data have not, for the newest.
    """
    metrics = {name: metric for name, metric in metrics_file.metrics.items() if name in names}
    used = {metrics_file.exposures_of(metric) for metric in metrics.values()}
    is_all = len(metrics) == len(metrics_file.metrics)
    exposures = [name for name in metrics_file.exposures if is_all or name in used]
    with OpenSources(metrics_file, exposures=exposures, metrics=metrics) as sources:
        seen = {name: _exposures(sources, name, key=key, now=now) for name in exposures}
        trial = {name: Trial(sources, one, now=now) for name, one in seen.items()}
        tried = [trial[metrics_file.exposures_of(metric)].of(name, metric) for name, metric in metrics.items()]
    return Checked(
        sources=(*_sources(sources, {one.source for one in seen.values()}, now=now), *_changed(sources)),
        exposures=tuple(seen.values()),
        metrics=tuple(tried),
        queries=tuple(query for one in trial.values() for query in one.queries),
    )


def _sources(sources: OpenSources, used: Collection[str], *, now: datetime) -> Iterator[SourceSeen]:
    metrics_file = sources.metrics_file
    names = [name for name in metrics_file.sources if name in used]
    fresh = freshness.ask(metrics_file, names, now=now)
    for name in names:
        answer = fresh.get(name)
        more = roles.ask(metrics_file.sources[name], name=name)
        yield SourceSeen(
            name=name,
            complete_to=None if isinstance(answer, SourceError) else answer,
            trouble=Trouble(place=_place("sources", name, answer), message=answer.message)
            if isinstance(answer, SourceError)
            else None,
            left_out=sources.left_out.get(name, ()),
            warnings=() if more is None else (Trouble(place=("sources", name), message=more),),
        )


def _changed(sources: OpenSources) -> Iterator[SourceSeen]:
    """Yield the sources of which a file changed meanwhile: what was read may be of two."""
    for name, error in sources.changed.items():
        yield SourceSeen(name=name, complete_to=None, trouble=Trouble(place=("sources", name), message=error.message))


def _exposures(sources: OpenSources, name: str, *, key: str | None, now: datetime) -> ExposuresSeen:
    begun = time.perf_counter()
    metrics_file, exposures = sources.metrics_file, sources.metrics_file.exposures[name]
    arms: tuple[Arm, ...] = ()
    trouble = None
    by_name: tuple[str, ...] = ()
    warnings: tuple[Trouble, ...] = ()

    def look(source: Engine) -> tuple[tuple[Arm, ...], tuple[str, ...], tuple[Trouble, ...]]:
        bounds = Bounds(since=now - bounding.RECENT, until=now)
        columns = Asking(source, connections.dialect_of(metrics_file, exposures), bounds)
        arms = exposure_scan.arms_of(source, metrics_file, exposures, until=now, columns=columns)
        taken = Named(name, exposures, columns).taken
        return arms, taken, _warnings(columns, exposures, kind="exposures", name=name)

    try:
        arms, by_name, warnings = sources.ask(name, (), look)
    except SourceError as error:
        trouble = Trouble(place=_place("exposures", name, error), message=_said(f"Exposures {name}", exposures, error))
    named = [arm for arm in arms if arm.key is not None] or arms
    newest = max(named, key=lambda arm: (arm.newest or EARLIEST, arm.units), default=None)
    chosen = key if any(arm.key == key for arm in arms) else newest.key if newest is not None else None
    return ExposuresSeen(
        name=name,
        source=exposures.source,
        arms=arms,
        key=chosen,
        seconds=time.perf_counter() - begun,
        trouble=trouble,
        by_name=by_name,
        warnings=warnings,
    )


def _warnings(columns: Asking, part: Exposures | Metric, *, kind: str, name: str) -> tuple[Trouble, ...]:
    """Return what to say of columns that look like a field and lie unused."""
    if isinstance(part, Metric) and not part.has_own_rows:
        return ()
    found = unused_columns.unused(part, Named(name, part, columns).all_taken, name=name)
    return tuple(Trouble(place=(kind, name, one.field), message=one.message) for one in found)


class Trial:
    """Tries the metrics of one exposures on their newest experiment: all together, and alone what fails so."""

    def __init__(self, sources: OpenSources, over: ExposuresSeen, *, now: datetime) -> None:
        self._sources = sources
        self._over = over
        self._now = now
        self._rows: dict[tuple[object, ...], OwnRows] = {}
        self._together: dict[AskedMetric, MetricSeen] | None = None
        self.queries: list[QuerySeen] = []

    def of(self, name: str, metric: Metric) -> MetricSeen:
        """Return what a metric gives, or why it could not be tried."""
        seen = MetricSeen(name=name, exposures=self._over.name)
        if why := self._why_not():
            return replace(
                seen, trouble=Trouble(place=("metrics", name), message=f"Metric {name} was not tried: {why}")
            )
        asked = _asked(name, metric)
        try:
            return self._tried(asked)
        except NoRowsYetError:
            of = f" of {self._over.key}" if self._over.key else ""
            why = f"exposures {self._over.name} have no complete row{of} yet."
            trouble = Trouble(place=("metrics", name), message=f"Metric {name} was not tried: {why}")
            return replace(seen, trouble=trouble)
        except SourceError as error:
            trouble = Trouble(place=_place("metrics", name, error), message=_said(f"Metric {name}", metric, error))
            return replace(seen, trouble=trouble, same_day=self._both_ways(asked, error))

    def _why_not(self) -> str:
        if self._over.trouble is not None:
            return f"exposures {self._over.name} can't be read."
        if not self._over.arms:
            return (
                f"exposures {self._over.name} have no rows from the last {bounding.RECENT.days} days. Run the check "
                "again once the experiment is live, or insert a few test rows."
            )
        return ""

    def _tried(self, asked: AskedMetric) -> MetricSeen:
        if self._together is None:
            self._together = self._all()
        found = self._together.get(asked)
        return self._timed((asked,))[asked] if found is None else found

    def _all(self) -> dict[AskedMetric, MetricSeen]:
        """Return what all metrics give, as one query answers; nothing where one of them spoils it."""
        every = tuple(
            _asked(name, metric)
            for name, metric in self._sources.metrics.items()
            if self._sources.metrics_file.exposures_of(metric) == self._over.name
        )
        try:
            return self._timed(every)
        except SourceError:
            return {}

    def _timed(self, every: tuple[AskedMetric, ...]) -> dict[AskedMetric, MetricSeen]:
        begun = time.perf_counter()
        found, cost = self._ask(every)
        names = tuple(asked.name for asked in every)
        seconds = time.perf_counter() - begun
        self.queries.append(QuerySeen(exposures=self._over.name, metrics=names, seconds=seconds, cost=cost))
        return found

    def _ask(self, every: tuple[AskedMetric, ...]) -> tuple[dict[AskedMetric, MetricSeen], str]:
        """Return what one query gives for each of these, and what the engine says that it costs."""
        return self._sources.ask(self._over.name, every, lambda source: self._read(source, every))

    def _read(self, source: Engine, every: tuple[AskedMetric, ...]) -> tuple[dict[AskedMetric, MetricSeen], str]:
        metrics_file, since = self._sources.metrics_file, _first_day(self._over, now=self._now)
        exposures = metrics_file.exposures[self._over.name]
        variants = tuple(
            arm.variant for arm in self._over.arms if arm.key == self._over.key and arm.variant != NOT_NAMED
        )
        subject = Subject(
            key=self._over.key or "", since=EARLIEST, until=self._now, variants=variants, read_since=since
        )
        bounds = Bounds(since=since, until=self._now)
        columns = Asking(source, connections.dialect_of(metrics_file, exposures), bounds)
        text, resolved = connections.query(
            source, metrics_file, exposures, (subject,), every, bounds=bounds, columns=columns
        )
        cost = source.cost(text)
        (answer,) = groups.parse(source.rows(text), resolved.measures, asked=every)
        found = answer.found(variants)
        groups.refuse_wrong(answer, found, every, key=self._over.key or "this experiment")
        seen = {}
        for asked, measure in zip(every, resolved.measures, strict=True):
            measured, mean, deviation = _together(answer.groups, asked)
            seen[asked] = MetricSeen(
                name=asked.name,
                exposures=self._over.name,
                units=sum(group.exposed for group in answer.groups),
                crossed=found.crossed,
                left_out=found.left_out(),
                measured=measured,
                mean=mean,
                deviation=deviation,
                rows=self._own_rows(source, resolved, measure, exposures, since=since),
                by_name=tuple(field for field in measure.taken if not field.startswith("exposures.")),
                warnings=_warnings(columns, asked.metric, kind="metrics", name=asked.name),
                days=self._days(asked, measure, resolved, since=since),
            )
        return seen, cost

    def _own_rows(
        self, source: Engine, resolved: Resolved, measure: Measure, exposures: Exposures, *, since: datetime
    ) -> OwnRows | None:
        """Return what a metric's own rows have; rows that several metrics read alike are asked about once."""
        if measure.rows is None:
            return None
        scan = (resolved.rows[measure.rows], measure.unit, measure.time, windows.seconds_before([(0, measure)]))
        if scan not in self._rows:
            dialect = connections.dialect_of(self._sources.metrics_file, exposures)
            bounds = Bounds(since=since, until=self._now)

            def ask(ours: str) -> list[tuple[object, ...]]:
                return source.rows(sql.write(ours, resolved.rows, dialect=dialect, bounds=bounds))

            (row,) = ask(own_rows.query(resolved, measure, key=self._over.key, since=since, now=self._now))
            of_days = own_rows.days_query(measure, since=since, now=self._now)
            self._rows[scan] = own_rows.seen(row, [] if of_days is None else ask(of_days))
        return self._rows[scan]

    def _days(self, asked: AskedMetric, measure: Measure, resolved: Resolved, *, since: datetime) -> str:
        if resolved.exposures.exposed_at is None or (measure.rows is not None and measure.time is None):
            return ""
        return bounding.told(since - timedelta(days=asked.measuring.pre_period_days), self._now)

    def _both_ways(self, asked: AskedMetric, error: SourceError) -> tuple[float, float] | None:
        """Return the mean with the exposure's own day and without it, where that is what has to be decided."""
        if groups.ASKS_SAME_DAY not in error.message:
            return None
        means = []
        for same_day in (SameDay.INCLUDE, SameDay.EXCLUDE):
            one = replace(asked, measuring=replace(asked.measuring, same_day=same_day))
            try:
                means.append(self._ask((one,))[0][one].mean)
            except SourceError:
                return None
        first, second = means
        return None if first is None or second is None else (first, second)


def _asked(name: str, metric: Metric) -> AskedMetric:
    return AskedMetric(name=name, metric=metric, measuring=reading.measuring_of(metric))


def _first_day(over: ExposuresSeen, *, now: datetime) -> datetime:
    """Return the day from which on there are exposures of the experiment that metrics are tried on."""
    seen = [arm.first for arm in over.arms if arm.key in (over.key, None) and arm.first is not None]
    first = min(seen, default=now - bounding.RECENT)
    return first.replace(hour=0, minute=0, second=0, microsecond=0)


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


def _said(who: str, part: Exposures | Metric, error: SourceError) -> str:
    """Return what is wrong, and of what only the engine knows how to find out more."""
    message = error.message
    if not message.startswith("Metric "):
        message = f"{who}: {message.removeprefix('Exposures: ')}"
    if "The database says: " not in message:
        return message
    what = "its `sql`" if part.sql is not None else f"`SELECT * FROM {part.table}`"
    return f"{message.rstrip('.')}. To see more, run {what} yourself."
