"""Read one CSV file of anyone's experiment into moments: rows of units, or one row of totals per variant.

The engine aggregates; only counts, means and covariances come back, whatever the file's size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations_with_replacement
from math import isfinite
from pathlib import Path

from pydantic import ValidationError

from labcoat.stats.rule import Joint, MetricKind, Moments
from labcoat.warehouse import duckdb_source, sql
from labcoat.warehouse.duckdb_source import OpenSource
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import DuckDbSource

MOST_VARIANTS = 20
_TABLE = "file_rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns make a metric.

    value: of a unit, or of a variant's total. denominator, covariate, covariate_denominator: None where it has none.
    deviation: of totals, the standard deviation of a mean; None for a count of events.
    """

    value: str
    denominator: str | None = None
    covariate: str | None = None
    covariate_denominator: str | None = None
    deviation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMoments:
    """What a file holds. units: by variant. metrics: as asked for, each a kind and moments by variant."""

    units: dict[str, int]
    metrics: tuple[tuple[MetricKind, dict[str, Moments]], ...]


def read(
    path: Path, *, variant: str, metrics: Sequence[Columns], unit: str | None = None, count: str | None = None
) -> FileMoments:
    """Return the file's moments by variant, variants in the order of their names.

    unit: a column that must name each unit once; None if every row is a unit. count: the column of units, for a file
    of one row of totals per variant. Raises SourceError with what to change.
    """
    if path.is_file() and path.stat().st_size == 0:
        message = f"{path.name} is empty."
        raise _wrong(message)
    if not path.exists():
        message = f"There is no file {path.name}. Check its path."
        raise _wrong(message)
    try:
        source = DuckDbSource(engine="duckdb", tables={_TABLE: path})
    except ValidationError as error:
        message = f"{error.errors()[0]['ctx']['error']}."
        raise _wrong(message) from error
    with duckdb_source.opened(source, name="analysed", tables={_TABLE}) as opened:
        known = _Known(opened, path)
        known.require(variant, *(column for one in metrics for column in _named(one)), *filter(None, (unit, count)))
        units = _units(opened, variant)
        if unit is not None:
            _require_one_row_per_unit(opened, unit, variant)
        if count is not None:
            return _totals(opened, variant=variant, count=count, metrics=metrics, variants=list(units))
        return FileMoments(units=units, metrics=tuple(_rows(opened, variant, one) for one in metrics))


def _named(columns: Columns) -> Iterable[str]:
    return filter(
        None,
        (
            columns.value,
            columns.denominator,
            columns.covariate,
            columns.covariate_denominator,
            columns.deviation,
        ),
    )


class _Known:
    """The file's columns."""

    def __init__(self, source: OpenSource, path: Path) -> None:
        self._names = list(source.columns(f"SELECT * FROM {_TABLE}"))  # noqa: S608 - our own name
        self._file = path.name

    def require(self, *columns: str) -> None:
        """Refuse a name that is not a column, with the nearest one that is."""
        for column in columns:
            if column.casefold() not in self._names:
                near = get_close_matches(column.casefold(), self._names, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"It has: {', '.join(self._names[:30])}."
                if len(self._names) == 1 and ";" in self._names[0]:
                    hint = "Its columns are separated by semicolons; save it with commas."
                message = f"{self._file} has no column {column}. {hint}"
                raise _wrong(message)


def _units(source: OpenSource, variant: str) -> dict[str, int]:
    name = sql.quoted_name(variant)
    rows = source.rows(
        f"SELECT CAST({name} AS TEXT), COUNT(*) FROM {_TABLE} GROUP BY 1 ORDER BY 1 LIMIT {MOST_VARIANTS + 1}"  # noqa: S608
    )
    if not rows:
        raise _wrong("The file has no rows below its line of column names.")
    units = {str(row[0]): int(str(row[1])) for row in rows if row[0] is not None and str(row[0]).strip()}
    if len(units) < len(rows):
        empty = sum(int(str(row[1])) for row in rows if row[0] is None or not str(row[0]).strip())
        message = f"{empty:,} rows have no variant in {variant}. Leave out units that were never assigned."
        raise _wrong(message)
    if len(units) > MOST_VARIANTS:
        message = f"{variant} has more than {MOST_VARIANTS} different values. Name the column of the variant."
        raise _wrong(message)
    if len(units) < 2:
        message = f"{variant} has one value only, {next(iter(units))[:60]}. Two variants are needed to compare."
        raise _wrong(message)
    return units


def _require_one_row_per_unit(source: OpenSource, unit: str, variant: str) -> None:
    name, arm = sql.quoted_name(unit), sql.quoted_name(variant)
    ((crossed, repeated, unnamed),) = source.rows(
        "SELECT COUNT(*) FILTER (WHERE arms > 1), COUNT(*) FILTER (WHERE lines > 1), COUNT(*) FILTER (WHERE u IS NULL) "  # noqa: S608
        f"FROM (SELECT {name} AS u, COUNT(*) AS lines, COUNT(DISTINCT {arm}) AS arms FROM {_TABLE} GROUP BY {name})"
    )
    if unnamed:
        message = f"There are rows without a value in {unit}. Leave them out."
        raise _wrong(message)
    if crossed:
        message = f"{int(str(crossed)):,} units of {unit} are in two variants. Leave them out, or say why they are."
        raise _wrong(message)
    if repeated:
        message = f"{int(str(repeated)):,} units of {unit} have several rows. Sum them up: one row per unit."
        raise _wrong(message)


def _rows(source: OpenSource, variant: str, columns: Columns) -> tuple[MetricKind, dict[str, Moments]]:
    given = (columns.value, columns.denominator, columns.covariate, columns.covariate_denominator)
    present = [place for place, column in enumerate(given) if column is not None]
    numbers = [f"TRY_CAST({sql.quoted_name(column)} AS DOUBLE)" for column in given if column is not None]
    pairs = list(combinations_with_replacement(range(len(present)), 2))
    bad = " OR ".join(f"c{place} IS NULL OR NOT ISFINITE(c{place})" for place in range(len(present)))
    rows = source.rows(
        f"SELECT v, COUNT(*), COUNT(*) FILTER (WHERE {bad}), COUNT(*) FILTER (WHERE NOT c0 IN (0, 1)), "  # noqa: S608
        + ", ".join(f"FAVG(c{place}) FILTER (WHERE ISFINITE(c{place}))" for place in range(len(present)))
        + ", "
        + ", ".join(f"COVAR_SAMP(c{one}, c{two}) FILTER (WHERE NOT ({bad}))" for one, two in pairs)
        + f" FROM (SELECT CAST({sql.quoted_name(variant)} AS TEXT) AS v, "
        + ", ".join(f"{number} AS c{place}" for place, number in enumerate(numbers))
        + f" FROM {_TABLE}) GROUP BY v ORDER BY v"
    )
    wrong = sum(_whole(row[2]) for row in rows)
    if wrong:
        these = "/".join(column for column in given if column is not None)
        message = (
            f"{wrong:,} rows have no number in {these} (empty, text, NaN or infinite). If empty means 0, write 0; "
            "leave out rows of units that do not count."
        )
        raise _wrong(message)
    is_binary = columns.denominator is None and not any(_whole(row[3]) for row in rows)
    kind = MetricKind.RATIO if columns.denominator else MetricKind.PROPORTION if is_binary else MetricKind.MEAN
    moments = {}
    for row in rows:
        means = dict(zip(present, map(_real, row[4:]), strict=False))
        matrix = [[0.0] * 4 for _ in range(4)]
        for (one, two), covariance in zip(pairs, map(_real, row[4 + len(present) :]), strict=True):
            matrix[present[one]][present[two]] = matrix[present[two]][present[one]] = covariance
        mean = means[0]
        moments[str(row[0])] = Moments(
            count=_whole(row[1]),
            mean=mean,
            variance=mean * (1 - mean) if kind is MetricKind.PROPORTION else matrix[0][0],
            joint=None if len(present) == 1 else _joint(means, matrix),
        )
    return kind, moments


def _joint(means: dict[int, float], matrix: list[list[float]]) -> Joint:
    one, two, three, four = ((row[0], row[1], row[2], row[3]) for row in matrix)
    return Joint(means=(means.get(1, 1.0), means.get(2, 0.0), means.get(3, 1.0)), covariances=(one, two, three, four))


def _totals(
    source: OpenSource, *, variant: str, count: str, metrics: Sequence[Columns], variants: list[str]
) -> FileMoments:
    columns = [count, *(column for one in metrics for column in _named(one))]
    rows = source.rows(
        f"SELECT CAST({sql.quoted_name(variant)} AS TEXT), "  # noqa: S608
        + ", ".join(f"TRY_CAST({sql.quoted_name(column)} AS DOUBLE)" for column in columns)
        + f" FROM {_TABLE} ORDER BY 1"
    )
    if len(rows) != len(variants):
        message = f"A file of totals has one row per variant; here are {len(rows):,} of {len(variants)} variants."
        raise _wrong(message)
    found: list[dict[str, float]] = []
    for row in rows:
        numbers = {column: _real(number) for column, number in zip(columns, row[1:], strict=True)}
        for column, number in numbers.items():
            if not isfinite(number) or (number < 0 and column in (count, *(one.deviation for one in metrics))):
                message = (
                    f"{column} of {row[0]} is no number that can be counted with. Write a plain number, 0 or more."
                )
                raise _wrong(message)
        if numbers[count] != int(numbers[count]):
            message = f"{count} of {row[0]} is {numbers[count]:g}; units are whole."
            raise _wrong(message)
        found.append(numbers)
    metric_moments = []
    for one in metrics:
        if one.denominator or one.covariate:
            raise _wrong(
                "A ratio or a covariate needs one row per unit: totals do not say how the columns go together."
            )
        kind = MetricKind.MEAN if one.deviation else MetricKind.PROPORTION
        metric_moments.append(
            (kind, {name: _total(one, count, row) for name, row in zip(variants, found, strict=True)})
        )
    return FileMoments(
        units={name: int(row[count]) for name, row in zip(variants, found, strict=True)}, metrics=tuple(metric_moments)
    )


def _total(columns: Columns, count: str, row: dict[str, float]) -> Moments:
    units, value = int(row[count]), row[columns.value]
    if columns.deviation is not None:
        return Moments(count=units, mean=value, variance=row[columns.deviation] ** 2)
    if not 0 <= value <= units:
        message = (
            f"{columns.value} has {value:g} events of {units:,} units. If it is a mean, name its standard deviation "
            f"too: {columns.value},COLUMN."
        )
        raise _wrong(message)
    share = value / units if units else 0.0
    return Moments(count=units, mean=share, variance=share * (1 - share))


def _whole(number: object) -> int:
    return int(str(number))


def _real(number: object) -> float:
    return float(str(number)) if number is not None else float("nan")


def _wrong(message: str) -> SourceError:
    return SourceError(message, permanent=True)
