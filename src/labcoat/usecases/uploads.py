"""Totals from a table that somebody pasted or gave as a file: a row a variant, or a row a unit."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from labcoat.domain import entering
from labcoat.domain.amounts import read_count, read_number
from labcoat.domain.plan import Plan, PlannedMetric
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.rule import MetricKind, Moments
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files import numbers as styles
from labcoat.warehouse.files import read as reader
from labcoat.warehouse.files.read import MOST_VARIANTS, Asked, GivenTable

SECONDS = 60.0
"""For each step of reading, where nobody waits in a form."""

Totals = Mapping[str, Mapping[str, Moments]]
"""By metric, as the plan spells it, and by variant, as the file does."""

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "variant": ("variant", "arm", "group", "variant name", "experiment group", "version", "name"),
    "n": ("n", "units", "users", "count", "total", "visitors"),
    "successes": ("successes", "success", "events", "conversions", "converted", "orders"),
    "mean": ("mean", "average", "avg"),
    "sd": ("sd", "std", "stddev", "standard deviation", "deviation"),
    "unit": ("unit", "unit id", "user", "user id", "userid", "id", "session", "session id", "visitor", "customer"),
}
_TWO_WAYS = "Some numbers can be read as thousands or as decimals. Write them without signs between thousands."
_GROUPED = re.compile(r"[0-9]{1,3}([., \u00a0\u202f'’][0-9]{3})+")


def read_table(text: str, plan: Plan, chosen: PlannedMetric, *, field: str, may_lack: Collection[str] = ()) -> Totals:
    """Return the totals of a pasted table, as `read_file` does."""
    with TemporaryDirectory(prefix="labcoat-pasted-") as folder:
        path = Path(folder) / "pasted.csv"
        path.write_text(text, encoding="utf-8")
        return read_file(path, plan, chosen, name="the table", field=field, may_lack=may_lack)


def read_file(
    path: Path,
    plan: Plan,
    chosen: PlannedMetric,
    *,
    name: str,
    field: str,
    may_lack: Collection[str] = (),
    seconds: float = SECONDS,
) -> Totals:
    """Return the totals of every metric of the plan that the file has; `chosen` must be among them.

    name: as people know it. field: of the form, for the refusal. may_lack: variants that need not be there.
    seconds: for each step of reading.
    Raises Refusal naming the line and what to change; SourceError, not permanent, if it takes longer.
    """
    try:
        with reader.opened(path, name=name, seconds=seconds) as table:
            return _Given(table, plan, chosen, field, may_lack).totals()
    except SourceError as error:
        if not error.permanent:
            raise
        raise Refusal(Reason.FILE_FAULT, field, text=error.message[:500]) from error


@dataclass(frozen=True, slots=True)
class _Given:
    """A table and the plan that it is read for."""

    table: GivenTable
    plan: Plan
    chosen: PlannedMetric
    field: str
    may_lack: Collection[str]

    def totals(self) -> Totals:
        variant = self._find("variant")
        if variant is None:
            self._refuse(f"It has no column variant{self._nearest('variant')}")
        count = self._find("n")
        is_long = len(self.table.first_rows(MOST_VARIANTS + 1)) > MOST_VARIANTS
        if count is None or (is_long and self._metric_column(self.chosen) is not None):
            return self._a_row_a_unit(variant)
        return self._a_row_a_variant(variant, count)

    def _own(self, name: str) -> list[int]:
        """Return the columns of this name, however it is capitalised and joined."""
        return [place for place, column in enumerate(self.table.columns) if _key(column) == _key(name)]

    def _one(self, names: Sequence[str]) -> int | None:
        """Return the column of the first of these names that is there; raise Refusal if it is there twice."""
        found = next((places for name in names if (places := self._own(name))), [])
        if len(found) > 1:
            text = f"The column {self.table.columns[found[0]][:60]} is there twice. Leave one out."
            raise Refusal(Reason.FILE_FAULT, self.field, text=text)
        return found[0] if found else None

    def _find(self, what: str) -> int | None:
        """Return the column of something that a table of totals has, the likeliest of its names first."""
        return self._one((*_COLUMNS[what], *([self.plan.unit, f"{self.plan.unit} id"] if what == "unit" else [])))

    def _metric_column(self, metric: PlannedMetric) -> int | None:
        return self._one((metric.name, "value") if metric is self.chosen else (metric.name,))

    def _a_row_a_unit(self, variant: int) -> Totals:
        columns = {
            metric.name: (metric, column)
            for metric in self.plan.metrics
            if (column := self._metric_column(metric)) is not None
        }
        if self.chosen.name not in columns:
            name = self.chosen.name
            self._refuse(f"It has neither a column n nor one named {name}{self._nearest(name)}")
        asked = [
            Asked(column=column, is_yes_or_no=metric.kind is MetricKind.PROPORTION)
            for metric, column in columns.values()
        ]
        found = self.table.units(variant=variant, unit=self._find("unit"), metrics=asked)
        for name, line in found.first_seen.items():
            self._require_planned(name, line)
        self._require_all(found.first_seen, self.chosen.name)
        return dict(zip(columns, found.moments, strict=True))

    def _a_row_a_variant(self, variant: int, count: int) -> Totals:
        rows = self.table.first_rows(MOST_VARIANTS + 1)
        if not rows:
            raise Refusal(Reason.FILE_FAULT, self.field, text="There are no rows below the names of the columns.")
        generic = ("successes",) if self.chosen.kind is MetricKind.PROPORTION else ("mean", "sd")
        places = {self.chosen.name: [self._find(what) for what in generic]}
        for metric in self.plan.metrics:
            own = self._columns_of_totals(metric)
            if all(place is not None for place in own):
                places[metric.name] = own
        missing = [what for what, place in zip(generic, places[self.chosen.name], strict=True) if place is None]
        if missing:
            self._refuse(f"It has no column {missing[0]}{self._nearest(missing[0])}")
        return {
            name: self._totals_of(self.plan.metric(name), rows, variant, count, [one for one in own if one is not None])
            for name, own in places.items()
        }

    def _columns_of_totals(self, metric: PlannedMetric) -> list[int | None]:
        names = [metric.name] if metric.kind is MetricKind.PROPORTION else [metric.name, f"{metric.name} sd"]
        return [self._one([name]) for name in names]

    def _totals_of(
        self,
        metric: PlannedMetric,
        rows: Sequence[tuple[str, Sequence[str]]],
        variant: int,
        count: int,
        numbers: Sequence[int],
    ) -> dict[str, Moments]:
        seen = styles.seen([row[place] for _, row in rows for place in numbers])
        is_unclear = seen.is_mixed or seen.unclear(separator=self.table.separator) is not None
        if metric.kind is not MetricKind.PROPORTION and is_unclear:
            raise Refusal(Reason.FILE_FAULT, self.field, text=_TWO_WAYS)
        counts = [count, *numbers] if metric.kind is MetricKind.PROPORTION else [count]
        read = self._reader_of_counts(counts, [count, *numbers], rows)
        totals: dict[str, Moments] = {}
        for line, row in rows:
            name, cells = row[variant], [row[count], *(row[place] for place in numbers)]
            if not name or not all(cells):
                text = f"{line.capitalize()} has an empty cell. Fill it in, or leave the row out."
                raise Refusal(Reason.FILE_FAULT, self.field, text=text)
            self._require_planned(name, line)
            if name.casefold() in {known.casefold() for known in totals}:
                raise Refusal(Reason.VARIANT_TWICE, self.field, name=name[:60])
            if metric.kind is MetricKind.PROPORTION:
                units, events = (read(row, column) for column in counts)
                totals[name] = entering.share(name, events=events, units=units, field=self.field)
            else:
                totals[name] = self._mean(read(row, count), cells[1:], seen.style)
        self._require_all(totals, metric.name)
        return totals

    def _mean(self, units: int, cells: Sequence[str], style: styles.Style) -> Moments:
        mean, deviation = (read_number(styles.plain(cell, style), field=self.field) for cell in cells)
        if deviation < 0:
            raise Refusal(Reason.NEGATIVE, self.field, text=cells[1][:60])
        return entering.mean(units=units, mean=mean, deviation=deviation)

    def _reader_of_counts(
        self, counts: Sequence[int], numbers: Sequence[int], rows: Sequence[tuple[str, Sequence[str]]]
    ) -> Callable[[Sequence[str], int], int]:
        """Return what reads the count of a row's column. counts: columns of counts. numbers: these and all others."""
        texts = [row[column] for _, row in rows for column in counts if not self.table.is_number(column)]
        seen = styles.seen([row[column] for _, row in rows for column in numbers])
        separator = self.table.separator
        grouping = {sign for sign in ".," if styles.groups_thousands(sign, texts, seen, separator=separator)}

        def read(row: Sequence[str], column: int) -> int:
            text = row[column]
            if _GROUPED.fullmatch(text) and not self.table.is_number(column):
                if set(text) & set(".,") - grouping:
                    raise Refusal(Reason.FILE_FAULT, self.field, text=_TWO_WAYS)
                text = re.sub(r"[^0-9]", "", text)
            return read_count(text, field=self.field)

        return read

    def _require_planned(self, name: str, line: str) -> None:
        known = {variant.casefold(): variant for variant in self.plan.variant_names}
        if name.casefold() not in known:
            near = get_close_matches(name.casefold(), known, n=1)
            hint = f" Did you mean {known[near[0]]}?" if near else ""
            names = ", ".join(self.plan.variant_names)
            text = f"“{name[:60]}” on {line} is no variant of the plan.{hint} Its variants are: {names}."
            raise Refusal(Reason.FILE_FAULT, self.field, text=text)

    def _require_all(self, names: Iterable[str], metric: str) -> None:
        there, known = {name.casefold() for name in names}, self.plan.variant_names
        for name in known:
            if name.casefold() not in there and name not in self.may_lack:
                raise Refusal(Reason.VARIANT_MISSING, self.field, name=name, metric=metric, known=", ".join(known))

    def _nearest(self, wanted: str) -> str:
        by_key = {_key(column): column for column in self.table.columns if column}
        near = get_close_matches(_key(wanted), by_key, n=1)
        if near:
            return f"; the nearest is {by_key[near[0]][:60]}"
        names = ", ".join(column[:40] for column in self.table.columns[:8])
        return f"; its columns are {names}" if names else ""

    def _refuse(self, what: str) -> NoReturn:
        known = "variant, n, successes" if self.chosen.kind is MetricKind.PROPORTION else "variant, n, mean, sd"
        raise Refusal(Reason.NOT_TOTALS, self.field, text=what[:400], known=known, metric=self.chosen.name)


def _key(name: str) -> str:
    return " ".join(re.split(r"[\s_-]+", name.strip().casefold()))
