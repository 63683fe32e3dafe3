"""A row of totals for each variant into moments: counts, or means with whatever says how they scatter."""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from labcoat.domain import submitted_totals
from labcoat.domain.amounts import read_count, read_number
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.rule import MetricKind, Moments
from labcoat.warehouse.files import numbers as styles
from labcoat.warehouse.files.columns import is_percent
from labcoat.warehouse.files.decode import refuse
from labcoat.warehouse.files.read import GivenTable

MOST_VARIANTS = 20
TOTALS = frozenset(
    ("total", "totals", "grand total", "sum", "all", "overall", "gesamt", "summe", "gesamtergebnis", "totaal", "somme")
)
"""What a row that sums up the others is called."""
SPREADS = ("sd", "variance", "se", "sum_squares")
"""Roles of columns that say how a mean scatters; the first that is there is taken."""
_GROUPED = re.compile(r"[0-9]{1,3}([., \u00a0\u202f'’][0-9]{3})+")
_TWO_WAYS = (
    "Some numbers of {name} can be read as thousands or as decimals. Write them without signs between thousands."
)

Roles = Mapping[str, int]
"""A metric's columns by role: successes or rate; or mean or sum, with one of SPREADS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantTotals:
    """What rows of variants hold. first_seen: each variant with its line. moments: of each metric, by variant."""

    first_seen: Mapping[str, str]
    units: Mapping[str, int]
    moments: tuple[Mapping[str, Moments], ...]


def read_totals(
    table: GivenTable, *, variant: int, n: int, metrics: Sequence[Roles], known: Collection[str] = (), field: str
) -> VariantTotals:
    """Return the moments of a file with a row for each variant.

    variant, n: columns, by place. known: variants in lower case, so that one of them called "total" is no sum.
    field: of the form, for the refusal. Raises SourceError or Refusal for what cannot be counted.
    """
    rows = table.first_rows(MOST_VARIANTS + 2)
    if not rows:
        refuse("There are no rows below the names of the columns")
    return _Totals(table, variant, n, metrics, field).read(rows, known)


@dataclass(frozen=True, slots=True)
class _Totals:
    """Columns of totals."""

    table: GivenTable
    variant: int
    n: int
    metrics: Sequence[Roles]
    field: str

    def read(self, rows: Sequence[tuple[str, Sequence[str]]], known: Collection[str]) -> VariantTotals:
        for column in sorted({self.n, *(column for roles in self.metrics for column in roles.values())}):
            wrong = styles.refuse_mixed_marks([row[column] for _, row in rows if row[column]])
            if wrong is not None:
                refuse(f"In {self.table.columns[column]} {wrong}. Write them in one way")
        count = self._reader_of_counts(rows, [self.n, *self._of("successes")])
        rows = self._without_total(rows, count, known)
        if len(rows) > MOST_VARIANTS:
            refuse(
                f"{self.table.columns[self.variant]} has more than {MOST_VARIANTS} different values, so it can't be "
                "the variant"
            )
        self._require_filled(rows)
        reals = {column: self._reals(rows, column) for column in self._of("rate", "mean", "sum", *SPREADS)}
        units = {row[self.variant]: count(row, self.n) for _, row in rows}
        return VariantTotals(
            first_seen={row[self.variant]: line for line, row in rows},
            units=units,
            moments=tuple(
                {
                    row[self.variant]: self._moments(
                        roles,
                        row,
                        count,
                        {role: reals[column][place] for role, column in roles.items() if column in reals},
                    )
                    for place, (_, row) in enumerate(rows)
                }
                for roles in self.metrics
            ),
        )

    def _of(self, *wanted: str) -> list[int]:
        return [column for roles in self.metrics for role, column in roles.items() if role in wanted]

    def _without_total(
        self,
        rows: Sequence[tuple[str, Sequence[str]]],
        count: Callable[[Sequence[str], int], int],
        known: Collection[str],
    ) -> Sequence[tuple[str, Sequence[str]]]:
        """Return the rows without the one that sums up the others."""
        names = [row[self.variant].casefold() for _, row in rows]
        places = [place for place, name in enumerate(names) if (not name or name in TOTALS) and name not in known]
        if len(places) != 1 or len(rows) < 3 or not rows[places[0]][1][self.n]:
            return rows
        line, total = rows[places[0]]
        others = [one for place, one in enumerate(rows) if place != places[0]]
        if not all(row[self.n] for _, row in others):
            return rows
        for column in dict.fromkeys((self.n, *self._of("successes"))):
            if not all(row[column] for _, row in rows):
                continue
            summed, said = sum(count(row, column) for _, row in others), count(total, column)
            if summed != said:
                if not total[self.variant]:
                    return rows
                refuse(
                    f"“{total[self.variant][:40]}” on {line} says {said:,} {self.table.columns[column]}, and the other "
                    f"rows add up to {summed:,}. Add the row that is missing, or leave the totals out"
                )
        self.table.left_out.append(f"the row of totals on {line}")
        return others

    def _require_filled(self, rows: Sequence[tuple[str, Sequence[str]]]) -> None:
        needed = [self.variant, self.n, *(column for roles in self.metrics for column in roles.values())]
        seen: dict[str, str] = {}
        for line, row in rows:
            if not all(row[column] for column in needed):
                refuse(f"{line.capitalize()} has an empty cell. Fill it in, or leave the row out")
            name = row[self.variant]
            if name.casefold() in seen:
                refuse(
                    f"“{name[:60]}” is there twice, on {seen[name.casefold()]} and {line}. Write one row per variant: "
                    "add up its days or segments, and leave other metrics out"
                )
            seen[name.casefold()] = line

    def _moments(
        self, roles: Roles, row: Sequence[str], count: Callable[[Sequence[str], int], int], reals: Mapping[str, float]
    ) -> Moments:
        name, units = row[self.variant], count(row, self.n)
        if "successes" in roles:
            return submitted_totals.share(name, events=count(row, roles["successes"]), units=units, field=self.field)
        if "rate" in roles:
            return self._share(name, self._as_share(reals["rate"], row, roles["rate"]), units)
        total = reals["sum"] if "sum" in roles else reals["mean"] * units
        mean = reals["mean"] if "mean" in roles else total / units if units else 0.0
        spread = next(role for role in SPREADS if role in roles)
        deviation = self._deviation(spread, reals[spread], row[roles[spread]], units=units, total=total)
        return submitted_totals.mean(units=units, mean=mean, deviation=deviation)

    def _share(self, name: str, share: float, units: int) -> Moments:
        if not 0 <= share <= 1:
            refuse(f"The rate of “{name[:40]}” is {share:g}. Write it as 5 % or 0.05, of all units")
        return Moments(count=units, mean=share, variance=share * (1 - share))

    def _as_share(self, rate: float, row: Sequence[str], column: int) -> float:
        is_signed = re.search(styles.PERCENT_PATTERN, row[column]) is not None
        return rate / 100 if is_percent(self.table.columns[column]) and not is_signed else rate

    def _deviation(self, role: str, value: float, cell: str, *, units: int, total: float) -> float:
        if value < 0:
            raise Refusal(Reason.NEGATIVE, self.field, text=cell[:60])
        if role == "se":
            return value * math.sqrt(units)
        if role == "variance":
            return math.sqrt(value)
        if role == "sum_squares":
            variance = (value - total * total / units) / (units - 1) if units > 1 else 0.0
            if variance < -1e-9 * value:
                refuse(f"A sum of squares of {cell[:40]} is too small for its sum. Check both columns")
            return math.sqrt(max(variance, 0.0))
        return value

    def _reals(self, rows: Sequence[tuple[str, Sequence[str]]], column: int) -> list[float]:
        cells = [row[column] for _, row in rows]
        if self.table.is_number(column):
            return [read_number(cell, field=self.field) for cell in cells]
        seen, proved = styles.seen(cells), self._proved(rows)
        if seen.is_mixed or seen.unclear(separator=self.table.separator, proved=proved) is not None:
            refuse(_TWO_WAYS.format(name=self.table.columns[column]))
        style, scale = seen.told(proved), 0.01 if re.search(styles.PERCENT_PATTERN, cells[0]) else 1.0
        for cell in cells:
            if not re.fullmatch(styles.pattern(style), styles.bare(cell)):
                raise Refusal(Reason.NOT_A_NUMBER, self.field, text=cell[:60])
        return [read_number(styles.plain(styles.bare(cell), style), field=self.field) * scale for cell in cells]

    def _proved(self, rows: Sequence[tuple[str, Sequence[str]]]) -> set[styles.Style]:
        """Return the styles that the columns prove, each for itself."""
        columns = {self.n, *(column for roles in self.metrics for column in roles.values())}
        texts = [[row[column] for _, row in rows] for column in columns if not self.table.is_number(column)]
        return {one.style for cells in texts if (one := styles.seen(cells)).is_proved}

    def _reader_of_counts(
        self, rows: Sequence[tuple[str, Sequence[str]]], counts: Sequence[int]
    ) -> Callable[[Sequence[str], int], int]:
        """Return what reads the count of a row's column. counts: the columns of counts."""
        texts = [styles.bare(row[column]) for _, row in rows for column in counts if not self.table.is_number(column)]
        proved = self._proved(rows)

        def groups(sign: str, column: int) -> bool:
            seen = styles.seen([row[column] for _, row in rows])
            if not (seen.is_proved or seen.is_mixed) and len(proved) == 1:
                return next(iter(proved)).value != sign
            return styles.groups_thousands(sign, texts, seen, separator=self.table.separator)

        grouping = {column: {sign for sign in ".," if groups(sign, column)} for column in counts}

        def read(row: Sequence[str], column: int) -> int:
            text = styles.bare(row[column])
            if _GROUPED.fullmatch(text) and not self.table.is_number(column):
                if set(text) & set(".,") - grouping[column]:
                    refuse(_TWO_WAYS.format(name=self.table.columns[column]))
                text = re.sub(r"[^0-9]", "", text)
            return read_count(text, field=self.field)

        return read


def kind_of(roles: Roles) -> MetricKind:
    """Return what a metric with these columns is."""
    return MetricKind.PROPORTION if {"successes", "rate"} & set(roles) else MetricKind.MEAN


def is_rate(table: GivenTable, column: int) -> bool:
    """Whether a column of a proportion has shares of the units in place of counts: percent, or all from 0 to 1."""
    cells = [row[column] for _, row in table.first_rows(MOST_VARIANTS + 2) if row[column]]
    if not cells:
        return False
    if all(re.search(styles.PERCENT_PATTERN, cell) for cell in cells) or is_percent(table.columns[column]):
        return True
    shares = [cell for cell in cells if re.fullmatch(r"[01]?[.,][0-9]+|[01]", cell)]
    return len(shares) == len(cells) and any(len(cell) > 1 for cell in cells)


def spread_of(find: Callable[[str], int | None]) -> dict[str, int]:
    """Return the column that says how a mean scatters, by its role; empty if there is none. find: a role's column."""
    for role in SPREADS:
        if (place := find(role)) is not None:
            return {role: place}
    return {}


_SPREADS: Mapping[str, str] = {
    "sd": "deviation = {}",
    "se": "deviation = {} × √n",
    "variance": "deviation = √{}",
    "sum_squares": "deviation from the sum of squares in {}",
}


def shown_spread(table: GivenTable, roles: Roles) -> list[str]:
    """Return how the deviation of a mean was taken, as people read it; nothing for a share."""
    return [_SPREADS[role].format(f"`{table.columns[roles[role]][:40]}`") for role in SPREADS if role in roles]
