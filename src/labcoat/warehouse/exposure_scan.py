"""See which experiments and variants are in the exposures, with their units and times; no metric is read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from labcoat.warehouse import bounding, connections, resolving, sql
from labcoat.warehouse.engines.engine import Engine
from labcoat.warehouse.exposed_units import EXPOSURES, is_missing
from labcoat.warehouse.measures import ExposureColumns
from labcoat.warehouse.metrics_file import Exposures, MetricsFile
from labcoat.warehouse.source_columns import Asking
from labcoat.warehouse.sql import Bounds

MOST_ARMS = 500
"""Variants that come back, the newest first: a wrong column must not return millions."""

NOT_NAMED = "(empty)"
"""Where the data have no variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One variant of one experiment in the data.

    key: None where the exposures name no experiment. variant: NOT_NAMED where the data name none.
    first, newest: of its exposures; None where they have no time.
    """

    key: str | None
    variant: str
    units: int
    first: datetime | None
    newest: datetime | None


def arms(
    metrics_file: MetricsFile, name: str, *, until: datetime, keys: Collection[str] | None = None
) -> tuple[Arm, ...]:
    """Return the variants that the exposures of that name have had lately, those with the newest first.

    keys: only of these experiments, where the exposures name any. Raises SourceError.
    """
    exposures = metrics_file.exposures[name]
    with connections.opened(metrics_file, exposures, ()) as source:
        return arms_of(source, metrics_file, exposures, until=until, keys=keys)


def arms_of(
    source: Engine,
    metrics_file: MetricsFile,
    exposures: Exposures,
    *,
    until: datetime,
    keys: Collection[str] | None = None,
    columns: Asking | None = None,
) -> tuple[Arm, ...]:
    """Return the same from a source that is open. columns: of the same source, where they were asked already."""
    dialect = connections.dialect_of(metrics_file, exposures)
    bounds = Bounds(since=until - bounding.RECENT, until=until)
    resolved = resolving.resolve(columns or Asking(source, dialect, bounds), exposures, ())
    text = sql.write(
        _query(resolved.exposures, keys, since=bounds.since), resolved.rows, dialect=dialect, bounds=bounds
    )
    return tuple(
        Arm(
            key=None if key is None else str(key),
            variant=NOT_NAMED if variant is None else str(variant),
            units=int(str(units)),
            first=moment(first),
            newest=moment(newest),
        )
        for key, variant, units, first, newest in source.rows(text)
    )


def _query(columns: ExposureColumns, keys: Collection[str] | None, *, since: datetime) -> str:
    experiment = columns.experiment or "CAST(NULL AS TEXT)"
    wanted = []
    if keys is not None and columns.experiment is not None:
        wanted.append(f"{columns.experiment} IN ({', '.join(sql.quoted_text(key) for key in sorted(keys))})")
    if columns.exposed_at is not None:
        near = [f"{columns.exposed_at} >= {sql.instant(since)}"]
        near += bounding.where(columns.time_days, None, since=since, until=None)
        wanted.append(f"({columns.is_not_known} OR ({' AND '.join(near)}))")
        wanted += bounding.where(None, columns.partition, since=since, until=None)
    only = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    unit = f"CASE WHEN {is_missing(columns.unit, is_text=columns.is_unit_text)} THEN NULL ELSE {columns.unit} END"
    rows = (
        f"SELECT NULLIF({experiment}, '') AS experiment, NULLIF(TRIM({columns.variant}), '') AS variant, "
        f"{unit} AS unit, {columns.known_at} AS exposed_at "
        f"FROM {EXPOSURES} AS e{only}"
    )
    # Times come as text: drivers make too many different things of them.
    return (
        "SELECT experiment, variant, COUNT(DISTINCT unit) AS units, CAST(MIN(exposed_at) AS TEXT) AS first_at, "
        f"CAST(MAX(exposed_at) AS TEXT) AS newest_at FROM ({rows}) AS r GROUP BY experiment, variant "
        f"ORDER BY MAX(exposed_at) DESC, units DESC LIMIT {MOST_ARMS}"
    )


def moment(text: object) -> datetime | None:
    """Return an engine's text of an instant; None for none, or where the engine writes it in a way of its own.

    >>> moment("2026-03-01 09:00:00.5+00"), moment("2026-03-01 09:00:00 UTC"), moment("soon")
    (datetime.datetime(2026, 3, 1, 9, 0, 0, 500000, tzinfo=datetime.timezone.utc), \
datetime.datetime(2026, 3, 1, 9, 0, tzinfo=datetime.timezone.utc), None)
    """
    plain = str(text).removesuffix(" UTC").removesuffix(" Z").strip()
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
