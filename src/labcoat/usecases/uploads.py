"""Totals from a table that somebody pasted or gave as a file: a row a variant, or a row a unit."""

import csv
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from labcoat.domain import entering
from labcoat.domain.amounts import read_count, read_number
from labcoat.domain.importing import decoded
from labcoat.domain.plan import PlannedMetric
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.results import MetricKind, Moments
from labcoat.warehouse import file_moments
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.file_moments import Columns

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "variant": ("variant", "arm", "group", "name"),
    "n": ("n", "units", "users", "count", "total", "visitors"),
    "successes": ("successes", "success", "events", "conversions", "converted", "orders"),
    "mean": ("mean", "average", "avg"),
    "sd": ("sd", "std", "stddev", "standard deviation", "deviation"),
}


def read_totals(content: bytes, planned: PlannedMetric, *, field: str) -> dict[str, Moments]:
    """Return the totals of one metric by variant; raise Refusal naming the field, the line and what to change."""
    text = decoded(content).lstrip("\ufeff")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise Refusal(Reason.MISSING, field)
    separator = max(",;\t", key=lines[0].count)
    rows = list(csv.reader(lines, delimiter=separator))
    header = [_column(cell) for cell in rows[0]]
    if "n" in header and "variant" in header:
        return _a_row_a_variant(rows[1:], header, planned, field=field)
    if "variant" in header:
        return _a_row_a_unit(rows, header, planned, field=field)
    raise _not_totals("It has no column variant", planned, field)


def _column(cell: str) -> str:
    name = cell.strip().casefold()
    return next((column for column, names in _COLUMNS.items() if name in names), name)


def _a_row_a_variant(
    rows: Sequence[Sequence[str]], header: Sequence[str], planned: PlannedMetric, *, field: str
) -> dict[str, Moments]:
    needed = ("successes",) if planned.kind is MetricKind.PROPORTION else ("mean", "sd")
    missing = [column for column in needed if column not in header]
    if missing:
        message = f"It has no column {missing[0]}"
        raise _not_totals(message, planned, field)
    totals: dict[str, Moments] = {}
    for number, row in enumerate(rows, start=2):
        values = dict(zip(header, (cell.strip() for cell in row), strict=False))
        name = values.get("variant", "")
        if not name or any(not values.get(column) for column in ("n", *needed)):
            message = f"Line {number} has an empty cell"
            raise _not_totals(message, planned, field)
        if name.casefold() in {known.casefold() for known in totals}:
            raise Refusal(Reason.VARIANT_TWICE, field, name=name[:60])
        totals[name] = _moments(name, values, planned, field=field)
    return totals


def _moments(name: str, values: Mapping[str, str], planned: PlannedMetric, *, field: str) -> Moments:
    units = read_count(values["n"], field=field)
    if planned.kind is not MetricKind.PROPORTION:
        mean, deviation = (read_number(values[column], field=field) for column in ("mean", "sd"))
        if deviation < 0:
            raise Refusal(Reason.NEGATIVE, field, text=values["sd"][:60])
        return entering.mean(units=units, mean=mean, deviation=deviation)
    events = read_count(values["successes"], field=field)
    return entering.share(name, events=events, units=units, field=field)


def _a_row_a_unit(
    rows: Sequence[Sequence[str]], header: Sequence[str], planned: PlannedMetric, *, field: str
) -> dict[str, Moments]:
    names = [cell.strip().casefold() for cell in rows[0]]
    value = next((name for name in (planned.name.casefold(), "value") if name in names), "")
    if not value:
        message = f"It has neither a column n nor one named {planned.name}"
        raise _not_totals(message, planned, field)
    with tempfile.TemporaryDirectory(prefix="labcoat-upload-") as folder:
        path = Path(folder) / "upload.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)  # as one that the engine reads without guessing
            writer.writerow(
                ["variant" if column == "variant" else name for column, name in zip(header, names, strict=True)]
            )
            writer.writerows(rows[1:])
        try:
            found = file_moments.read(path, variant="variant", metrics=[Columns(value=value)])
        except SourceError as error:
            raise _not_totals(str(error).rstrip("."), planned, field) from error
    ((kind, by_variant),) = found.metrics
    if planned.kind is MetricKind.PROPORTION and kind is not MetricKind.PROPORTION:
        message = f"{planned.name} is yes or no per unit, and the file has other numbers"
        raise _not_totals(message, planned, field)
    return by_variant


def _not_totals(what: str, planned: PlannedMetric, field: str) -> Refusal:
    known = "variant, n, successes" if planned.kind is MetricKind.PROPORTION else "variant, n, mean, sd"
    return Refusal(Reason.NOT_TOTALS, field, text=what[:300], known=known, metric=planned.name)
