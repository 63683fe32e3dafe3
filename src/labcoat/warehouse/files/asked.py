"""A file read for columns that somebody named, without a plan: rows of units, or a row of totals for each variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labcoat.stats.rule import MetricKind, Moments
from labcoat.warehouse.files import read as reader
from labcoat.warehouse.files import totals, units
from labcoat.warehouse.files.columns import NAMES, Chosen, Columns, key
from labcoat.warehouse.files.decode import refuse
from labcoat.warehouse.files.read import GivenTable
from labcoat.warehouse.files.taken import Taken
from labcoat.warehouse.files.totals import MOST_VARIANTS
from labcoat.warehouse.files.units import Asked

SECONDS = 600.0
"""For each step of reading; whoever waits can stop it."""
THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricColumns:
    """Which columns make a metric, by name.

    value: of a unit, or of a variant's total. denominator, covariate, covariate_denominator: None where it has none.
    deviation: of totals, what says how a mean scatters; None for a count of successes or a rate.
    """

    value: str
    denominator: str | None = None
    covariate: str | None = None
    covariate_denominator: str | None = None
    deviation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMoments:
    """What a file holds. units: by variant. metrics: as asked for, each a kind and moments by variant.

    taken: which rows and columns that is, and what was left out.
    """

    units: Mapping[str, int]
    metrics: tuple[tuple[MetricKind, Mapping[str, Moments]], ...]
    taken: Taken


def read_asked(
    path: Path,
    *,
    metrics: Sequence[MetricColumns],
    variant: str | None = None,
    unit: str | None = None,
    count: str | None = None,
    flags: Mapping[str, str] | None = None,
) -> FileMoments:
    """Return the file's moments by variant.

    variant, unit, count: columns; None to match them by name. flags: how the command line names them. A count means
    one row per variant; without one the rows tell. Raises SourceError or Refusal with what to change.
    """
    if not path.is_file():
        refuse(f"There is no file {path.name}. Check its path")
    named = {
        role: column for role, column in (("variant", variant), ("unit", unit), ("n", count)) if column is not None
    }
    chosen = Chosen(by_role=named, flags=flags or {})
    with reader.opened(path, name=path.name, seconds=SECONDS, threads=THREADS) as table:
        return _Question(table, metrics, chosen).read()


@dataclass(frozen=True, slots=True)
class _Question:
    """A table and what is asked of it."""

    table: GivenTable
    metrics: Sequence[MetricColumns]
    chosen: Chosen

    def read(self) -> FileMoments:
        columns = self._columns
        variant = columns.find("variant")
        if variant is None:
            refuse(f"It has no column variant{columns.nearest('variant')}. Name it: --variant COL")
        for name in self.chosen.by_role.values():
            columns.get(name)
        if "n" in self.chosen.by_role or self._has_a_row_a_variant(variant):
            n = columns.find("n")
            if n is not None:
                return self._rows_of_variants(variant, n)
        return self._rows_of_units(variant)

    @property
    def _columns(self) -> Columns:
        """The columns; those of metrics have no other role."""
        plain = Columns(names=self.table.columns, chosen=self.chosen)
        taken = [
            plain.get(name)
            for one in self.metrics
            for name in (one.value, one.denominator, one.covariate, one.covariate_denominator, one.deviation)
            if name is not None
        ]
        return Columns(names=self.table.columns, chosen=self.chosen, taken=taken)

    def _has_a_row_a_variant(self, variant: int) -> bool:
        rows = self.table.first_rows(MOST_VARIANTS + 2)
        names = [row[variant].casefold() for _, row in rows]
        return len(rows) <= MOST_VARIANTS + 1 and len(set(names)) == len(names) and "unit" not in self.chosen.by_role

    def _rows_of_units(self, variant: int) -> FileMoments:
        columns = self._columns
        unit = columns.find("unit")
        if unit is None:
            units.require_no_counts(self.table, variant=variant, counts=columns.fitting("n"))
        asked = []
        for one in self.metrics:
            if one.deviation is not None:
                refuse(
                    f"{one.value},{one.deviation} is a mean with its deviation, and needs a row per variant (--count)"
                )
            extra = (one.denominator, one.covariate, one.covariate_denominator)
            under, covariate, covariate_under = (None if name is None else columns.get(name) for name in extra)
            asked.append(
                Asked(
                    column=columns.get(one.value),
                    denominator=under,
                    covariate=covariate,
                    covariate_denominator=covariate_under,
                )
            )
        found = units.read_units(self.table, variant=variant, unit=unit, metrics=asked)
        self._require_two(variant, found.units)
        summed = [f"{one.value} = sum of `{one.value}`" for one in self.metrics] if found.is_summed else []
        return FileMoments(
            units=found.units,
            metrics=tuple(zip(found.kinds, found.moments, strict=True)),
            taken=Taken(
                rows=found.rows,
                units=sum(found.units.values()),
                unit=None if unit is None else self.table.columns[unit],
                is_by_variant=False,
                columns=(*self._found("variant", variant), *summed),
                left_out=tuple(self.table.left_out),
                notes=tuple(self.table.notes),
            ),
        )

    def _rows_of_variants(self, variant: int, n: int) -> FileMoments:
        roles = [self._roles(one) for one in self.metrics]
        found = totals.read_totals(self.table, variant=variant, n=n, metrics=roles, field="metric")
        self._require_two(variant, found.units)
        return FileMoments(
            units=found.units,
            metrics=tuple((totals.kind_of(one), moments) for one, moments in zip(roles, found.moments, strict=True)),
            taken=Taken(
                rows=len(found.units),
                units=sum(found.units.values()),
                unit=None,
                is_by_variant=True,
                columns=(
                    *self._found("variant", variant),
                    f"units in `{self.table.columns[n][:40]}`",
                    *(part for one in roles for part in totals.shown_spread(self.table, one)),
                ),
                left_out=tuple(self.table.left_out),
                notes=tuple(self.table.notes),
            ),
        )

    def _roles(self, one: MetricColumns) -> totals.Roles:
        """Return the columns of a metric of totals, by role: the name of a column says what it is."""
        if one.denominator or one.covariate:
            refuse("A ratio or a covariate needs one row per unit: totals do not say how the columns go together")
        columns = self._columns
        value = columns.get(one.value)
        if one.deviation is not None:
            place = columns.get(one.deviation)
            spread = {_spread_named(one.deviation): place}
        else:
            is_mean = any(key(one.value) in NAMES[role] for role in ("mean", "sum"))
            spread = totals.spread_of(columns.find) if is_mean else {}
        if spread:
            is_sum = key(one.value) in NAMES["sum"] or key(one.value).endswith(" sum")
            return {"sum" if is_sum else "mean": value, **spread}
        is_rate = key(one.value) in NAMES["rate"] or totals.is_rate(self.table, value)
        return {"rate" if is_rate else "successes": value}

    def _found(self, role: str, place: int) -> tuple[str, ...]:
        name = self.table.columns[place]
        return () if role in self.chosen.by_role or key(name) == role else (f"{role} = `{name[:40]}`",)

    def _require_two(self, variant: int, variants: Mapping[str, int]) -> None:
        if len(variants) < 2:
            name = next(iter(variants))[:60]
            refuse(f"{self.table.columns[variant]} has one value only, {name}. Two variants are needed to compare")


def _spread_named(name: str) -> str:
    """Return what a column says of a mean, by its name.

    >>> [_spread_named(name) for name in ("spent_sd", "standard error", "spent_var", "basket_sum_squares")]
    ['sd', 'se', 'variance', 'sum_squares']
    """
    for role in ("sum_squares", "se", "variance"):
        if any(key(name) == known or key(name).endswith(f" {known}") for known in NAMES[role]):
            return role
    return "sd"
