"""Columns that look like a field and are unused: seldom meant so, so `labcoat metrics check` warns of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from labcoat.stats.rule import MetricKind
from labcoat.warehouse.engines.engine import Column, ColumnType
from labcoat.warehouse.files.columns import NAMES, key
from labcoat.warehouse.metrics_file import Exposures, Metric
from labcoat.warehouse.naming import Taken

_EXPERIMENT = frozenset(
    {"experiment id", "experiment key", "experiment name", "experiment", "exp", "exp id", "exp key", "exp name", "test"}
    | {"test id", "test key", "test name", "ab test", "flag", "flag key", "feature flag", "feature key", "campaign id"}
)
_TIME = frozenset(
    {"time", "timestamp", "ts", "at", "date", "day", "datetime", "event time", "event timestamp", "event date", "ds"}
    | {"created", "exposed at", "first exposure", "first seen", "occurred", "happened", "dt"}
)
_TIME_ENDS = (" at", " time", " timestamp", " ts", " date", " day")
_VALUE = frozenset(
    {"amount", "revenue", "price", "sales", "spend", "spent", "turnover", "gmv", "cost", "profit", "total", "value"}
)
_NO_VALUE_ENDS = (" id", " key", " code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """What to say of a field that has no column although one fits. field: of the metrics file, where its line is."""

    field: str
    message: str


def unused(part: Exposures | Metric, taken: Taken, *, name: str) -> tuple[Unused, ...]:
    """Return the fields that the file leaves out although columns look like them; `field: null` silences each."""
    place = "sql" if part.sql is not None else "table"
    return tuple(Unused(field=place, message=message) for message in _messages(part, taken, name))


def _messages(part: Exposures | Metric, taken: Taken, name: str) -> Iterator[str]:
    used = {column.name for column in taken.columns.values() if column is not None}
    free = [column for column in taken.known if column.name not in used]

    def is_open(field: str) -> bool:
        is_left_out = field in taken.columns and field not in part.model_fields_set
        return is_left_out and taken.columns[field] is None

    if is_open("experiment") and (found := [one for one in free if _is_experiment(one)]):
        yield _said(
            f"Exposures {name} have no `experiment`, so every row counts for every experiment",
            "experiment", found, otherwise="if all rows belong to one experiment",
        )  # fmt: skip
    if is_open("exposed_at") and (found := [one for one in free if _is_time(one)]):
        yield _said(
            f"Exposures {name} have no `exposed_at`, so rows from before an exposure count too",
            "exposed_at", found, otherwise="if there is no time of exposure",
        )  # fmt: skip
    if is_open("time") and (found := [one for one in free if _is_time(one)]):
        yield _said(
            f"Metric {name} has no `time`, so rows from before the exposure count too",
            "time", found, otherwise="if every row should count",
        )  # fmt: skip
    is_count = isinstance(part, Metric) and part.kind is MetricKind.MEAN
    if is_count and is_open("value") and (found := [one for one in free if _is_value(one)]):
        yield _said(f"Metric {name} has no `value`, so its rows are counted", "value", found, otherwise="to count rows")


def _said(what: str, field: str, found: list[Column], *, otherwise: str) -> str:
    names = [f"`{column.name[:40]}`" for column in found[:4]]
    if len(found) == 1:
        are, right = f"Column {names[0]} is", f"`{field}: {found[0].name[:40]}`"
    else:
        are, right = f"Columns {', '.join(names[:-1])} and {names[-1]} are", f"`{field}:` with the right one"
    return f"{what}. {are} unused: write {right}, or `{field}: null` {otherwise}."


def _is_experiment(column: Column) -> bool:
    return key(column.name) in _EXPERIMENT


def _is_time(column: Column) -> bool:
    name = key(column.name)
    is_named = name in _TIME or name.endswith(_TIME_ENDS)
    return is_named and column.type not in (ColumnType.BOOLEAN, ColumnType.OTHER)


def _is_value(column: Column) -> bool:
    name = key(column.name)
    is_named = name in NAMES["sum"] or bool(_VALUE & set(name.split()))
    is_number = column.type in (ColumnType.NUMBER, ColumnType.UNKNOWN)
    return is_named and is_number and not name.endswith(_NO_VALUE_ENDS)
