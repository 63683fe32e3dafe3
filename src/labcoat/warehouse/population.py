"""The units that an entry of `exposures` had lately, whatever experiment and variant: what a plan can expect.

They are what one experiment would have had that began then and took everybody: one arm, a unit's first complete row in
that time as its exposure. So the one query (`aggregate`) measures them like any other experiment.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from labcoat.warehouse import aggregate, connections, resolving, sql
from labcoat.warehouse.engines.engine import Engine
from labcoat.warehouse.exposed_units import EARLIEST, EXPOSURES, is_missing
from labcoat.warehouse.measures import ExposureColumns, Subject
from labcoat.warehouse.metrics_file import Exposures, MetricsFile
from labcoat.warehouse.resolving import AskedMetric, Resolved
from labcoat.warehouse.source_columns import Asking
from labcoat.warehouse.sql import Bounds

EVERYBODY = "everybody"
"""The one variant of a population."""
EXPOSED_FOR = timedelta(days=28)
"""Four whole weeks: each day of the week counts as often, and a plan is about as long."""
LOADED_AFTER = timedelta(days=1)
"""Before this many hours of the newest whole day are over, its rows may still be on their way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """When a population was exposed, and how long its rows count; aware.

    since, until: of the exposures, the end excluded. rows_until: of a metric's own rows; a unit's window ends there at
    the latest.
    """

    since: datetime
    until: datetime
    rows_until: datetime

    @property
    def bounds(self) -> Bounds:
        """What `:since` and `:until` stand for in a SELECT."""
        return Bounds(since=self.since, until=self.rows_until)

    @property
    def subject(self) -> Subject:
        """The experiment that the query is told."""
        return Subject(key="", since=self.since, until=self.rows_until, variants=(EVERYBODY,))


def recent(now: datetime, *, window_days: float = 0.0) -> Period:
    """Return the last four weeks of exposures whose window has closed; days begin at midnight UTC.

    window_days: of the metric, 0 for none: what its rows gathered until the end counts, as in a plan of four weeks.

    >>> from datetime import UTC
    >>> found = recent(datetime(2026, 12, 10, 3, tzinfo=UTC), window_days=7)
    >>> [f"{one:%d %b}" for one in (found.since, found.until, found.rows_until)]
    ['04 Nov', '02 Dec', '09 Dec']
    """
    rows_until = (now - LOADED_AFTER).replace(hour=0, minute=0, second=0, microsecond=0)
    until = rows_until - timedelta(days=window_days)
    return Period(since=until - EXPOSED_FOR, until=until, rows_until=rows_until)


def everybody(found: ExposureColumns, *, since: datetime, is_inline: bool) -> ExposureColumns:
    """Return the columns of the exposures as of one experiment with one variant, which has rows since then only.

    A row that lacks its variant lacks it here too; one without an experiment is of none. is_inline: the metrics are
    columns of these rows, which a unit has once per experiment: each of its experiments is a unit then.
    """
    is_unnamed = is_missing(found.variant, is_text=True)
    only, unit, is_unit_text = [], found.unit, found.is_unit_text
    if found.exposed_at is not None:
        only.append(f"({found.exposed_at} IS NULL OR {found.exposed_at} >= {sql.instant(since)})")
    if found.experiment is not None:
        only.append(f"NOT {is_missing(found.experiment, is_text=True)}")
        if is_inline:
            both = f"CONCAT({found.experiment}, '/', CAST({found.unit} AS TEXT))"
            unit = f"CASE WHEN {is_missing(found.unit, is_text=found.is_unit_text)} THEN NULL ELSE {both} END"
            is_unit_text = False
    return replace(
        found,
        unit=unit,
        variant=f"CASE WHEN {is_unnamed} THEN NULL ELSE {sql.quoted_text(EVERYBODY)} END",
        experiment=None,
        is_unit_text=is_unit_text,
        only=" AND ".join(only) or None,
    )


def query(
    source: Engine, metrics_file: MetricsFile, exposures: Exposures, asked: Sequence[AskedMetric], *, period: Period
) -> tuple[str, Resolved]:
    """Return the one query for these metrics of a population, and what its columns were found to be.

    Metrics that are columns of the exposures' rows come without others.
    """
    dialect = connections.dialect_of(metrics_file, exposures)
    found = resolving.resolve(Asking(source, dialect, period.bounds), exposures, asked)
    is_inline = not any(one.metric.has_own_rows for one in asked)
    columns = everybody(found.exposures, since=period.since, is_inline=is_inline)
    resolved = replace(found, exposures=columns)
    subject = period.subject if columns.exposed_at is not None else replace(period.subject, since=EARLIEST)
    scans_again = dialect == "duckdb" and exposures.table is not None
    ours = aggregate.query([subject], columns, resolved.measures, scans_again=scans_again)
    return sql.write(ours, resolved.rows, dialect=dialect, bounds=period.bounds), resolved


def days_query(source: Engine, metrics_file: MetricsFile, exposures: Exposures, *, period: Period) -> str | None:
    """Return SQL for on how many days of a period anybody was exposed; None where exposures have no time."""
    dialect = connections.dialect_of(metrics_file, exposures)
    found = resolving.resolve(Asking(source, dialect, period.bounds), exposures, ())
    columns = everybody(found.exposures, since=period.since, is_inline=False)
    if columns.exposed_at is None:
        return None
    day = f"CAST({columns.exposed_at} AS DATE)"
    wanted = f"{columns.only} AND {columns.exposed_at} < {sql.instant(period.until)}"
    ours = f"SELECT COUNT(DISTINCT {day}) AS days FROM {EXPOSURES} AS e WHERE {wanted}"
    return sql.write(ours, found.rows, dialect=dialect, bounds=period.bounds)
