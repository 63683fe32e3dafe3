"""Rows of units, or of what units did, into moments by variant: the engine aggregates, a row stays where it is."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TypeVar

from labcoat.stats.rule import Joint, MetricKind, Moments
from labcoat.warehouse import sql
from labcoat.warehouse.engines.engine import whole
from labcoat.warehouse.files.complete import complete_rows
from labcoat.warehouse.files.decode import refuse
from labcoat.warehouse.files.read import PLACE, GivenTable
from labcoat.warehouse.files.totals import MOST_VARIANTS, TOTALS

_COUNT = re.compile(r"[0-9][0-9.,'’ \u00a0\u202f]*")
_Present = TypeVar("_Present")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A column to read as a metric, by its place. denominator, covariate: further ones; None where it has none.

    is_yes_or_no: whether every unit has 0 or 1; None to find out.
    """

    column: int
    denominator: int | None = None
    covariate: int | None = None
    covariate_denominator: int | None = None
    is_yes_or_no: bool | None = None

    @property
    def given(self) -> tuple[int | None, ...]:
        """Its columns, in the order of `stats.moments`: value, denominator, covariate, covariate's denominator."""
        return self.column, self.denominator, self.covariate, self.covariate_denominator

    @property
    def present(self) -> list[int]:
        """Which of the four it has."""
        return [place for place, column in enumerate(self.given) if column is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What rows of units hold.

    first_seen: each variant with the line where it first is. units: by variant. kinds, moments: of each metric asked
    for. rows: that were counted. is_summed: units had several rows, which were summed up.
    """

    first_seen: Mapping[str, str]
    units: Mapping[str, int]
    kinds: tuple[MetricKind, ...]
    moments: tuple[Mapping[str, Moments], ...]
    rows: int
    is_summed: bool


def read_units(
    table: GivenTable,
    *,
    variant: int,
    unit: int | None,
    metrics: Sequence[Asked],
    planned: Collection[str] | None = None,
) -> Units:
    """Return the moments of a file with rows of units.

    variant, unit: columns, by place; without a unit every row is one. Several rows of a unit are summed up, where that
    has one meaning. planned: variants, None for any. Raises SourceError for what cannot be counted: no number, or more
    without a variant, or in two, than can be left out.
    """
    return _Rows(table, variant, unit, metrics, planned).read()


class _Rows:
    """Rows that are read for metrics."""

    def __init__(
        self,
        table: GivenTable,
        variant: int,
        unit: int | None,
        metrics: Sequence[Asked],
        planned: Collection[str] | None,
    ) -> None:
        self._table, self._variant, self._unit, self._metrics = table, variant, unit, metrics
        complete = complete_rows(table, self._without_total(), variant=variant, unit=unit, planned=planned)
        self._rows, self._repeated = complete.rows, complete.repeated

    def read(self) -> Units:
        table = self._table
        columns = [column for one in self._metrics for column in one.given if column is not None]
        numbers = dict(zip(columns, table.numbers(columns, rows=self._rows), strict=True))
        unit = f"{table.text(self._unit)} AS u, " if self._unit is not None else ""
        cells = ", ".join(
            f"{numbers[column]} AS m{n}_{place}"
            for n, one in enumerate(self._metrics)
            for place, column in enumerate(one.given)
            if column is not None
        )
        rows = f"(SELECT {PLACE}, {unit}{table.text(self._variant)} AS v, {cells} FROM {self._rows})"
        groups = self._groups(rows)
        self._require_variants(groups)
        are_flags = [self._require_numbers(n, one, groups) for n, one in enumerate(self._metrics)]
        is_summed = self._repeated.count > 0
        if is_summed:
            self._require_sums(are_flags)
        counted = whole_sum(groups, 2)
        if is_summed:
            groups = self._groups(self._summed(rows))
            are_flags = [False] * len(are_flags)
        return self._units(groups, are_flags, counted, is_summed=is_summed)

    def _groups(self, rows: str) -> list[tuple[object, ...]]:
        """Return a row for each variant: its name, first place, rows, spellings; then what each metric has."""
        wanted = ", ".join(self._aggregates(n, one) for n, one in enumerate(self._metrics))
        return self._table.rows(
            f"SELECT ARG_MIN(v, {PLACE}), MIN({PLACE}), COUNT(*), COUNT(DISTINCT v), {wanted} FROM {rows} "
            f"GROUP BY LOWER(v) ORDER BY 2 LIMIT {MOST_VARIANTS + 1}"
        )

    def _aggregates(self, n: int, one: Asked) -> str:
        present = [f"m{n}_{place}" for place in one.present]
        bad = " OR ".join(f"{name} IS NULL OR NOT ISFINITE({name})" for name in present)
        finite = " AND ".join(f"ISFINITE({name})" for name in present)
        return ", ".join(
            [
                f"MIN({PLACE}) FILTER (WHERE {bad})",
                f"MIN({PLACE}) FILTER (WHERE {present[0]} NOT IN (0, 1))",
                *(f"FAVG({name}) FILTER (WHERE {finite})" for name in present),
                *(f"COVAR_SAMP({one}, {two}) FILTER (WHERE {finite})" for one, two in _pairs(present)),
            ]
        )

    def _summed(self, rows: str) -> str:
        cells = ", ".join(
            f"FSUM(m{n}_{place}) AS m{n}_{place}" for n, one in enumerate(self._metrics) for place in one.present
        )
        return f"(SELECT MIN({PLACE}) AS {PLACE}, ARG_MIN(v, {PLACE}) AS v, {cells} FROM {rows} GROUP BY u)"

    def _without_total(self) -> str:
        """The rows without a last one that sums up the others."""
        filled, last = self._table.filled, self._table.last_row()
        if last is None:
            return filled
        place, cells = last
        arm = cells[self._variant].casefold()
        named = {arm, *([cells[self._unit].casefold()] if self._unit is not None else []), cells[0].casefold()}
        if (not arm or arm in TOTALS) and named & TOTALS and place and not self._is_variant(arm, place):
            self._table.left_out.append(f"the row of totals on {self._table.line(place)}")
            return f"(SELECT * FROM {filled} WHERE {PLACE} <> {place})"
        return filled

    def _is_variant(self, arm: str, place: int) -> bool:
        """Whether other rows have this variant too, so that it is none that sums them up."""
        same = f"LOWER({self._table.text(self._variant)}) = {sql.quoted_text(arm)}"
        rows = self._table.rows(f"SELECT 1 FROM {self._table.filled} WHERE {PLACE} <> {place} AND {same} LIMIT 1")
        return bool(arm and rows)

    def _units(
        self, groups: Sequence[Sequence[object]], are_flags: Sequence[bool], counted: int, *, is_summed: bool
    ) -> Units:
        names = [str(row[0]) for row in groups]
        for row in groups:
            if whole(row[3]) > 1:
                self._table.notes.append(f"“{str(row[0])[:40]}” is one variant however it is capitalised")
        found = [
            (_kind(one, is_flag=is_flag), dict(zip(names, parts, strict=True)))
            for n, (one, is_flag) in enumerate(zip(self._metrics, are_flags, strict=True))
            if (parts := [_moments(one, whole(row[2]), self._part(n, row), is_flag=is_flag) for row in groups])
        ]
        return Units(
            first_seen={name: self._table.line(whole(row[1])) for name, row in zip(names, groups, strict=True)},
            units={name: whole(row[2]) for name, row in zip(names, groups, strict=True)},
            kinds=tuple(kind for kind, _ in found),
            moments=tuple(moments for _, moments in found),
            rows=counted,
            is_summed=is_summed,
        )

    def _part(self, n: int, row: Sequence[object]) -> Sequence[object]:
        """Return what one metric has in a variant's row."""
        start = 4
        for one in self._metrics[:n]:
            start += 2 + len(one.present) + len(_pairs(one.present))
        one = self._metrics[n]
        return row[start : start + 2 + len(one.present) + len(_pairs(one.present))]

    def _require_variants(self, rows: Sequence[Sequence[object]]) -> None:
        if not rows:
            refuse(f"{self._table.name} has no rows below its line of column names")
        if len(rows) > MOST_VARIANTS:
            name = self._table.columns[self._variant]
            refuse(f"{name} has more than {MOST_VARIANTS} different values, so it can't be the variant")

    def _require_numbers(self, n: int, one: Asked, groups: Sequence[Sequence[object]]) -> bool:
        """Return whether every unit has 0 or 1; raise SourceError for what is no number."""
        parts = [self._part(n, row) for row in groups]
        bad = [whole(part[0]) for part in parts if part[0] is not None]
        if bad:
            self._refuse_number(one, min(bad))
        other = [whole(part[1]) for part in parts if part[1] is not None]
        if one.is_yes_or_no and other:
            name, cell = self._table.columns[one.column], self._table.cell(one.column, min(other))
            refuse(
                f"{name} is yes or no for each unit in the plan, and {self._table.line(min(other))} has “{cell}”. "
                "Write 1 or 0, one row a unit"
            )
        return one.is_yes_or_no if one.is_yes_or_no is not None else not other and one.denominator is None

    def _refuse_number(self, one: Asked, place: int) -> None:
        columns = [column for column in one.given if column is not None]
        numbers = self._table.numbers(columns, rows=self._rows)
        wanted = ", ".join(f"COALESCE(ISFINITE({number}), false)" for number in numbers)
        (are_fine,) = self._table.rows(f"SELECT {wanted} FROM {self._rows} WHERE {PLACE} = {place}")
        column = next(column for column, is_fine in zip(columns, are_fine, strict=True) if not is_fine)
        cell, line = self._table.cell(column, place), self._table.line(place)
        found_there = f"“{cell}”, which is no number that can be counted with" if cell else "nothing"
        refuse(
            f"In {self._table.columns[column]}, {line} has {found_there}. Write a number there (0 if it means 0), or "
            "leave the unit out if it does not count"
        )

    def _require_sums(self, are_flags: Sequence[bool]) -> None:
        """Raise SourceError where several rows of a unit can't be summed up."""
        assert self._unit is not None
        if any(are_flags) or any(one.covariate is not None for one in self._metrics):
            lines = " and ".join(self._table.line(place) for place in self._repeated.at)
            more = f", and {self._repeated.count - 1:,} more" if self._repeated.count > 1 else ""
            refuse(f"A {self._table.columns[self._unit]} is there twice, on {lines}{more}. Sum up: one row a unit")


def require_no_counts(table: GivenTable, *, variant: int, counts: Sequence[int]) -> None:
    """Refuse rows without a column of units that count units themselves: totals of days, segments or several metrics.

    counts: columns whose names say that they do.
    """
    rows = table.first_rows(MOST_VARIANTS + 2)
    for column in counts:
        cells = [row[column] for _, row in rows if row[column]]
        if all(_COUNT.fullmatch(cell) for cell in cells) and set(cells) - {"0", "1"}:
            name = table.columns[column][:40]
            refuse(
                f"`{name}` counts units, and “{rows[0][1][variant][:40]}” has more rows than one. Write one row per "
                f"variant: add up its days or segments, and leave other metrics out. If each row is one unit, leave "
                f"`{name}` out"
            )


def whole_sum(rows: Sequence[Sequence[object]], place: int) -> int:
    """Return the sum of the counts in one column of rows."""
    return sum(whole(row[place]) for row in rows)


def _pairs(present: Sequence[_Present]) -> list[tuple[_Present, _Present]]:
    return list(combinations_with_replacement(present, 2))


def _kind(one: Asked, *, is_flag: bool) -> MetricKind:
    if one.denominator is not None:
        return MetricKind.RATIO
    return MetricKind.PROPORTION if is_flag else MetricKind.MEAN


def _moments(one: Asked, count: int, part: Sequence[object], *, is_flag: bool) -> Moments:
    present = one.present
    means = dict(zip(present, map(_real, part[2:]), strict=False))
    matrix = [[0.0] * 4 for _ in range(4)]
    for (row, column), covariance in zip(_pairs(present), map(_real, part[2 + len(present) :]), strict=True):
        matrix[row][column] = matrix[column][row] = covariance
    mean = means[0]
    return Moments(
        count=count,
        mean=mean,
        variance=mean * (1 - mean) if is_flag else matrix[0][0],
        joint=None if len(present) == 1 else _joint(means, matrix),
    )


def _joint(means: Mapping[int, float], matrix: Sequence[Sequence[float]]) -> Joint:
    one, two, three, four = ((row[0], row[1], row[2], row[3]) for row in matrix)
    return Joint(means=(means.get(1, 1.0), means.get(2, 0.0), means.get(3, 1.0)), covariances=(one, two, three, four))


def _real(number: object) -> float:
    return float(str(number)) if number is not None else float("nan")
