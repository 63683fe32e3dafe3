"""Read past units, split at random many times, from where the user's data is; only sums per day come back.

What would make a readout's numbers wrong is refused here too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations_with_replacement

from labcoat.stats.rule import DaySums, Splits
from labcoat.warehouse import connections, exposure_scan, groups, resolving, splitting, sql
from labcoat.warehouse.engines.engine import Engine
from labcoat.warehouse.errors import SourceError, some
from labcoat.warehouse.exposed_units import EARLIEST
from labcoat.warehouse.groups import Group, Measured
from labcoat.warehouse.measures import FAULTS
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.resolving import AskedMetric, Resolved
from labcoat.warehouse.source_columns import Asking, rows_of
from labcoat.warehouse.splitting import SPLITS_OF_A_PAIR, SPLITS_OF_A_WORD, Past
from labcoat.warehouse.sql import Bounds

LEAST_UNITS = 200
"""Counted by the end: 100 a side, as the verdicts want."""

Told = Callable[[int, int], object]
"""Hears how many queries of how many are answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to replay. exposures: a name of the metrics file. until: whose day before is the last; days: before it.

    look_days: where values keep growing, the looks; else units are summed by day.
    """

    metric: AskedMetric
    exposures: str
    until: datetime
    days: int
    look_days: Sequence[int]
    splits: int
    seed: int

    @property
    def since(self) -> datetime:
        """The first moment."""
        return self.until - timedelta(days=self.days)

    @property
    def is_growing(self) -> bool:
        """Whether a unit's value may still change once it counts."""
        return self.metric.metric.is_growing

    def pasts(self) -> list[Past]:
        """Return what to read: all days at once, or, where values grow, the units as of each look."""
        if not self.is_growing:
            return [self._past(range(1, self.days + 1))]
        return [self._past([day]) for day in self.look_days]

    def _past(self, days: Iterable[int]) -> Past:
        return Past(since=self.since, edges=[self.since + timedelta(days=day) for day in days])


@dataclass(frozen=True, slots=True, kw_only=True)
class PastUnits:
    """The units of the period. rows: of the exposures in it. incomplete: those that lack something, and count nowhere.

    exposed: units. counted: those whose window has closed by the end.
    """

    rows: int
    incomplete: int
    exposed: int
    counted: int
    splits: Splits


def read(metrics_file: MetricsFile, asked: Asked, *, told: Told) -> PastUnits:
    """Return the splits' sums; raise SourceError with what to do where they can't be had."""
    exposures = metrics_file.exposures[asked.exposures]
    with connections.opened(metrics_file, exposures, (asked.metric,)) as source:
        dialect = connections.dialect_of(metrics_file, exposures)
        bounds = Bounds(since=asked.since, until=asked.until)
        resolved = resolving.resolve(Asking(source, dialect, bounds), exposures, (asked.metric,))
        _refuse_unknown_past(metrics_file, asked, resolved)
        pasts = asked.pasts()
        words = -(-asked.splits // SPLITS_OF_A_WORD)
        queries = 1 + len(pasts) * (1 + words)
        answer = _Answers(source, asked, resolved, dialect=dialect, told=lambda done: told(done, queries))
        rows, incomplete = answer.rows_seen()
        profiles = [answer.profile(past) for past in pasts]
        last = profiles[-1]
        counted = sum(one.units for one in last if one.counted_day)
        exposed = sum(one.units for one in last)
        _refuse_wrong(profiles, asked, resolved)
        if counted < LEAST_UNITS:
            raise SourceError(_too_few(answer, asked, exposed=exposed, counted=counted), permanent=True)
        centres = _centres(last)
        sums = [
            one
            for look, (past, profile) in enumerate(zip(pasts, profiles, strict=True), start=1)
            for one in answer.sums(past, profile, centres, words=words, look=look if asked.is_growing else None)
        ]
    return PastUnits(
        rows=rows,
        incomplete=incomplete,
        exposed=exposed,
        counted=counted,
        splits=Splits(
            columns=resolved.measures[0].columns,
            centres=centres,
            splits=asked.splits,
            days=asked.days,
            looks=tuple(asked.look_days) if asked.is_growing else None,
            sums=tuple(sums),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Profile:
    """Units that came on one day and count from one day on. means, covariances: by column and pair of columns."""

    exposed_day: int
    counted_day: int
    units: int
    repeated: int
    timed: int
    faults: Mapping[str, int]
    means: tuple[float, ...]
    covariances: tuple[float, ...]

    def sums(self, centres: Sequence[float]) -> tuple[float, ...]:
        """Return the sums of the differences from the centres, and of their products."""
        apart = [mean - centre for mean, centre in zip(self.means, centres, strict=True)]
        pairs = combinations_with_replacement(apart, 2)
        return (
            *(self.units * one for one in apart),
            *(
                max(self.units - 1, 0) * covariance + self.units * one * two
                for covariance, (one, two) in zip(self.covariances, pairs, strict=True)
            ),
        )


class _Answers:
    """One open source, asked one query after the other."""

    def __init__(
        self, source: Engine, asked: Asked, resolved: Resolved, *, dialect: str, told: Callable[[int], object]
    ) -> None:
        self._source = source
        self._asked = asked
        self._resolved = resolved
        self._dialect = dialect
        self._told = told
        self._done = 0

    def rows_seen(self) -> tuple[int, int]:
        """Return how many rows the period has, and how many of them lack something."""
        past = Past(since=self._asked.since, edges=[self._asked.until])
        ((seen, incomplete),) = self._rows(splitting.rows_query(self._resolved, past))
        return int(_real(seen)), int(_real(incomplete))

    def newest(self) -> datetime | None:
        """Return when the newest exposure was."""
        ((newest,),) = self._rows(splitting.newest_query(self._resolved), since=EARLIEST)
        return exposure_scan.moment(newest)

    def profile(self, past: Past) -> list[_Profile]:
        """Return the units by the day they came and the day they count."""
        columns = self._resolved.measures[0].columns
        rows = self._rows(splitting.profile_query(self._resolved, past), until=past.until)
        return [_profile(row, columns) for row in rows]

    def sums(
        self, past: Past, profile: Sequence[_Profile], centres: Sequence[float], *, words: int, look: int | None
    ) -> Iterator[DaySums]:
        """Yield the sums of all units, then those of each split. look: whose numbers these are, where values grow."""

        def placed(split: int | None, exposed: int, counted: int, units: int, sums: tuple[float, ...]) -> DaySums:
            return DaySums(
                split=split, exposed_day=look or exposed, counted_day=look or counted, units=units, sums=sums
            )

        for one in profile:
            yield placed(None, one.exposed_day, one.counted_day, one.units, one.sums(centres))
        for word in range(words):
            splits = min(SPLITS_OF_A_WORD, self._asked.splits - word * SPLITS_OF_A_WORD)
            ours = splitting.splits_query(
                self._resolved, past, centres, seed=self._asked.seed, word=word, splits=splits
            )
            for row in self._rows(ours, until=past.until):
                pair, turn, exposed, counted, units = (int(_real(number)) for number in row[:5])
                split = pair // 2 * SPLITS_OF_A_PAIR + turn
                if split < splits:
                    sums = tuple(map(_real, row[5:]))
                    yield placed(word * SPLITS_OF_A_WORD + split, exposed, counted, units, sums)

    def _rows(
        self, ours: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[tuple[object, ...]]:
        bounds = Bounds(since=since or self._asked.since, until=until or self._asked.until)
        rows = self._source.rows(sql.write(ours, self._resolved.rows, dialect=self._dialect, bounds=bounds))
        self._done += 1
        self._told(self._done)
        return rows


def _profile(row: Sequence[object], columns: str) -> _Profile:
    exposed_day, counted_day, units, repeated, timed, *others = row
    faults, numbers = others[: len(FAULTS)], [_real(number) for number in others[len(FAULTS) :]]
    return _Profile(
        exposed_day=int(_real(exposed_day)),
        counted_day=int(_real(counted_day)),
        units=int(_real(units)),
        repeated=int(_real(repeated)),
        timed=int(_real(timed)),
        faults={name: int(_real(count)) for name, count in zip(FAULTS, faults, strict=True)},
        means=tuple(numbers[: len(columns)]),
        # One unit has no variance; some engines say NaN.
        covariances=tuple(number if _real(units) > 1 else 0.0 for number in numbers[len(columns) :]),
    )


def _centres(profile: Sequence[_Profile]) -> tuple[float, ...]:
    """Return the mean of each column over the units that count."""
    counted = [one for one in profile if one.counted_day]
    units = sum(one.units for one in counted)
    columns = zip(*(one.means for one in counted), strict=True)
    return tuple(sum(one.units * mean for one, mean in zip(counted, means, strict=True)) / units for means in columns)


def _refuse_wrong(profiles: Sequence[Sequence[_Profile]], asked: Asked, resolved: Resolved) -> None:
    is_inline = resolved.measures[0].rows is None
    for profile in profiles:
        faults = {name: sum(one.faults[name] for one in profile) for name in FAULTS}
        repeated = sum(one.repeated for one in profile) if is_inline else 0
        if is_inline:
            faults["repeated"] = 0
        units = sum(one.units for one in profile)
        measured = Measured(measured=units, is_day=resolved.measures[0].is_day, faults=faults, means={}, covariances={})
        timed = sum(one.timed for one in profile)
        group = Group(variant="all", exposed=units, repeated=repeated, timed=timed, metrics={asked.metric: measured})
        for wrong in groups.reasons_of_metric([group], asked.metric):
            message = f"Metric {asked.metric.name} has {wrong}"
            raise SourceError(message, permanent=True)


def _refuse_unknown_past(metrics_file: MetricsFile, asked: Asked, resolved: Resolved) -> None:
    """Refuse where the data don't tell what was known by which day."""
    metric, (measure,) = asked.metric, resolved.measures
    if resolved.exposures.exposed_at is None:
        message = (
            f"Exposures {asked.exposures} have no times, so nobody can tell which units came first. Name the column as "
            "`exposed_at`."
        )
        raise SourceError(message, permanent=True, field="exposed_at")
    exposures = metrics_file.exposures[asked.exposures]
    rows = rows_of(metric.metric if metric.metric.has_own_rows else exposures)
    dialect = connections.dialect_of(metrics_file, exposures)
    is_cut = rows.select is not None and ":until" in rows.select and sql.has_bounds(rows, dialect=dialect)
    if asked.is_growing and measure.time is None and not is_cut:
        message = (
            f"Metric {metric.name} keeps growing, and its rows have no time, so nobody knows what a unit had by an "
            "earlier day. Name the column as `time`, or set `complete_at_exposure: true` if values never change."
        )
        raise SourceError(message, permanent=True, field="time")


def _too_few(answer: _Answers, asked: Asked, *, exposed: int, counted: int) -> str:
    """Return what to do about too few units."""
    period = f"from {asked.since:%Y-%m-%d} to {asked.until - timedelta(days=1):%Y-%m-%d}"
    if not exposed:
        newest = answer.newest()
        when = "" if newest is None else f" The newest exposure is of {newest:%Y-%m-%d}: end there with `--until`."
        return f"Exposures {asked.exposures} have no units {period}.{when}"
    closed = ": the window of the others has not closed" if counted < exposed else ""
    return (
        f"Of {some(exposed, 'unit')} {period}, {counted:,} can be counted{closed}. A replay takes {LEAST_UNITS}: "
        "take in more days with `--days`."
    )


def _real(value: object) -> float:
    return 0.0 if value is None else float(str(value))
