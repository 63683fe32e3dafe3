"""Open what a question to the warehouse needs, and write its SQL in the engine's dialect."""

from collections.abc import Collection, Sequence

from labcoat.warehouse import aggregate, own_rows, resolving, sql
from labcoat.warehouse.engines import engine
from labcoat.warehouse.engines.engine import Engine
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.measures import Subject
from labcoat.warehouse.metrics_file import Exposures, Metric, MetricsFile
from labcoat.warehouse.resolving import AskedMetric, Resolved
from labcoat.warehouse.source_columns import Asking, rows_of
from labcoat.warehouse.sql import Bounds, Rows


def opened(
    metrics_file: MetricsFile, exposures: Exposures, asked: Sequence[AskedMetric], *, beside: Collection[Exposures] = ()
) -> "engine.Opened":
    """Return the source of exposures, opened when it is entered, with the tables that these metrics read.

    beside: other exposures of that source, read too.
    """
    source = metrics_file.sources[exposures.source]
    dialect = sql.dialect_of(source.engine)
    every = [*_rows(exposures, asked), *(rows_of(one) for one in beside)]
    try:
        tables: Collection[str] = frozenset().union(*(sql.table_names(rows, dialect=dialect) for rows in every))
    except sql.SqlError as error:
        raise SourceError(str(error), permanent=True) from error
    return engine.opened(source, name=exposures.source, tables=tables)


def has_bounds(metrics_file: MetricsFile, exposures: Exposures, asked: Sequence[AskedMetric]) -> bool:
    """Whether any SELECT in play asks for `:since` or `:until`."""
    dialect = dialect_of(metrics_file, exposures)
    try:
        return any(sql.has_bounds(rows, dialect=dialect) for rows in _rows(exposures, asked))
    except sql.SqlError:
        return False  # whoever opens the source is told


def _rows(exposures: Exposures, asked: Sequence[AskedMetric]) -> list[Rows]:
    parts: list[Exposures | Metric] = [exposures, *(one.metric for one in asked if one.metric.has_own_rows)]
    return [rows_of(part) for part in parts]


def query(
    source: Engine,
    metrics_file: MetricsFile,
    exposures: Exposures,
    subjects: Sequence[Subject],
    asked: Sequence[AskedMetric],
    *,
    bounds: Bounds,
    columns: Asking | None = None,
) -> tuple[str, Resolved]:
    """Return the one query for all these metrics of all these experiments, and what its columns were found to be.

    bounds: of all subjects, where `has_bounds`. columns: of the same source, where they were asked already.
    """
    dialect = dialect_of(metrics_file, exposures)
    resolved = resolving.resolve(columns or Asking(source, dialect, bounds), exposures, asked)
    scans_again = dialect == "duckdb" and exposures.table is not None
    ours = aggregate.query(subjects, resolved.exposures, resolved.measures, scans_again=scans_again)
    return sql.write(ours, resolved.rows, dialect=dialect, bounds=bounds), resolved


def nameless(
    source: Engine,
    metrics_file: MetricsFile,
    exposures: Exposures,
    subjects: Sequence[Subject],
    resolved: Resolved,
    *,
    bounds: Bounds,
) -> list[dict[int, int]]:
    """Return, by experiment, how many rows of nobody each metric has, by its place among the measures."""
    ours = own_rows.nameless_query(resolved, subjects)
    if ours is None:
        return [{} for _ in subjects]
    text = sql.write(ours, resolved.rows, dialect=dialect_of(metrics_file, exposures), bounds=bounds)
    return own_rows.nameless(source.rows(text), resolved, subjects=len(subjects))


def dialect_of(metrics_file: MetricsFile, exposures: Exposures) -> str:
    """Return the dialect of the engine that exposures are in."""
    return sql.dialect_of(metrics_file.sources[exposures.source].engine)
