"""Totals from a table that somebody pasted or gave as a file: one row per variant or per unit."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from labcoat.domain.plan import Plan, PlannedMetric
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.rule import MetricKind, Moments
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files import read as reader
from labcoat.warehouse.files import totals, units
from labcoat.warehouse.files.columns import NAMES, Chosen, Columns, key
from labcoat.warehouse.files.read import GivenTable
from labcoat.warehouse.files.taken import Taken
from labcoat.warehouse.files.totals import MOST_VARIANTS
from labcoat.warehouse.files.units import Asked

SECONDS = 60.0
"""For each step of reading, where nobody waits in a form."""

THREADS = 2
"""Of the engine, where nothing else runs in the process."""

Totals = Mapping[str, Mapping[str, Moments]]
"""By metric, as the plan spells it, and by variant, as the file does."""

IMPORT_FLAGS: Mapping[str, str] = {role: f"--column {NAMES[role][0]}=" for role in NAMES}
"""How `labcoat import` is told which column has a role."""
_FORM = Chosen()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTotals:
    """What a file says of a plan. taken: which rows and columns that is, and what was left out, as people read it."""

    totals: Totals
    taken: str


def read_table(
    text: str, plan: Plan, chosen: PlannedMetric, *, field: str, may_lack: Collection[str] = ()
) -> FileTotals:
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
    columns: Chosen = _FORM,
    threads: int = 1,
) -> FileTotals:
    """Return the totals of every metric of the plan that the file has; `chosen` must be among them.

    name: as people know it. field: of the form, for the refusal. may_lack: variants that need not be there.
    seconds, threads: for each step of reading. columns: what was said about them.
    Raises Refusal naming the line and what to change; SourceError, not permanent, if it takes longer.
    """
    try:
        with reader.opened(path, name=name, seconds=seconds, threads=threads) as table:
            return _Given(table, plan, chosen, field, may_lack, columns).read()
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
    said: Chosen

    def read(self) -> FileTotals:
        variant = self._columns.find("variant")
        if variant is None:
            self._refuse(f"It has no column variant{self._columns.nearest('variant')}")
        if self._has_rows_of_units(variant) and self._metric_column(self.chosen) is not None:
            return self._rows_of_units(variant)
        count = self._columns.find("n")
        return self._rows_of_units(variant) if count is None else self._rows_of_variants(variant, count)

    def _has_rows_of_units(self, variant: int) -> bool:
        """Whether there are more rows than variants, or units that are named and variants that are there again."""
        rows = self.table.first_rows(MOST_VARIANTS + 2)
        names = {row[variant].casefold() for _, row in rows}
        # Not any name that ends in id: campaign_id may have totals.
        units = {*NAMES["unit"], key(self.plan.unit), key(f"{self.plan.unit} id")}
        is_named = bool(units & set(map(key, self.table.columns))) or "unit" in self.said.by_role
        return len(rows) > MOST_VARIANTS + 1 or (is_named and len(names) < len(rows))

    @property
    def _columns(self) -> Columns:
        """The columns; those that have a metric's own name have no other role."""
        plain = Columns(names=self.table.columns, chosen=self.said)
        own = (plain.named(metric.name) for metric in self.plan.metrics)
        taken = [place for place in own if place is not None]
        return Columns(names=self.table.columns, chosen=self.said, taken=taken, unit=self.plan.unit)

    def _metric_column(self, metric: PlannedMetric) -> int | None:
        own = self._columns.named(metric.name)
        return self._columns.named("value") if own is None and metric is self.chosen else own

    def _rows_of_units(self, variant: int) -> FileTotals:
        columns = {
            metric.name: (metric, column)
            for metric in self.plan.metrics
            if (column := self._metric_column(metric)) is not None
        }
        if self.chosen.name not in columns:
            name = self.chosen.name
            self._refuse(f"It has neither a column n nor one named {name}{self._columns.nearest(name)}")
        asked = [
            Asked(column=column, is_yes_or_no=metric.kind is MetricKind.PROPORTION)
            for metric, column in columns.values()
        ]
        unit = self._columns.find("unit")
        if unit is None:
            units.require_no_counts(self.table, variant=variant, counts=self._columns.fitting("n"))
        found = units.read_units(self.table, variant=variant, unit=unit, metrics=asked, planned=self.plan.variant_names)
        for name, line in found.first_seen.items():
            self._require_planned(name, line)
        self._require_all(found.first_seen, self.chosen.name)
        how = "sum of " if found.is_summed else ""
        taken = Taken(
            rows=found.rows,
            units=sum(found.units.values()),
            unit=None if unit is None else self.table.columns[unit],
            is_by_variant=False,
            columns=(
                *self._unless_same("variant", variant),
                *(part for name, (_, column) in columns.items() for part in self._unless_same(name, column, how=how)),
            ),
            left_out=tuple(self.table.left_out),
            notes=tuple(self.table.notes),
        )
        return FileTotals(totals=dict(zip(columns, found.moments, strict=True)), taken=taken.text)

    def _rows_of_variants(self, variant: int, count: int) -> FileTotals:
        metrics = {metric.name: roles for metric in self.plan.metrics if (roles := self._roles_by_name(metric))}
        generic = self._generic_roles()
        has_own_count = (
            "successes" in metrics.get(self.chosen.name, {}) and "rate" in generic.keys() - self.said.by_role
        )
        if generic and not has_own_count:  # a count is exact, and a rate beside it rounded
            metrics = {self.chosen.name: generic} | {
                name: roles for name, roles in metrics.items() if name != self.chosen.name
            }
        elif self.chosen.name not in metrics:
            missing = "successes" if self.chosen.kind is MetricKind.PROPORTION else self._missing_of_mean()
            self._refuse(f"It has no column {missing}{self._columns.nearest(missing)}")
        known = {name.casefold() for name in self.plan.variant_names}
        found = totals.read_totals(
            self.table, variant=variant, n=count, metrics=list(metrics.values()), known=known, field=self.field
        )
        for name, line in found.first_seen.items():
            self._require_planned(name, line)
        for metric in metrics:
            self._require_all(found.first_seen, metric)
        taken = Taken(
            rows=len(found.units),
            units=sum(found.units.values()),
            unit=None,
            is_by_variant=True,
            columns=(
                *self._unless_same("variant", variant),
                *self._unless_same("n", count),
                *(part for name, roles in metrics.items() for part in self._shown_roles(name, roles)),
            ),
            left_out=tuple(self.table.left_out),
            notes=tuple(self.table.notes),
        )
        return FileTotals(totals=dict(zip(metrics, found.moments, strict=True)), taken=taken.text)

    def _shown_roles(self, name: str, roles: totals.Roles) -> list[str]:
        role, place = next(iter(roles.items()))
        parts = self._unless_same(name, place, how=_VALUES[role])
        return parts + totals.shown_spread(self.table, roles)

    def _unless_same(self, what: str, place: int, *, how: str = "") -> list[str]:
        """Return what was taken as something, unless its name and how it is read say so."""
        name = self.table.columns[place]
        return [] if key(name) == key(what) and not how else [f"{what} = {how}`{name[:40]}`"]

    def _generic_roles(self) -> totals.Roles:
        """Return the columns of the chosen metric that have a role's name."""
        if self.chosen.kind is MetricKind.PROPORTION:
            for role in ("successes", "rate"):
                if (place := self._columns.find(role)) is not None:
                    return {role: place}
            return {}
        spread = totals.spread_of(self._columns.find)
        needed = ("mean", "sum") if "sum_squares" not in spread else ("sum", "mean")
        for role in needed:
            if spread and (place := self._columns.find(role)) is not None:
                return {role: place, **spread}
        return {}

    def _missing_of_mean(self) -> str:
        has_mean = self._columns.find("mean") is not None or self._columns.find("sum") is not None
        return "sd" if has_mean else "mean"

    def _roles_by_name(self, metric: PlannedMetric) -> totals.Roles:
        """Return the columns that have a metric's own name."""
        own = self._columns.named(metric.name)
        if metric.kind is MetricKind.PROPORTION:
            rate = self._columns.named(f"{metric.name} rate") if own is None else None
            if own is None:
                return {} if rate is None else {"rate": rate}
            return {"rate" if self._is_rate(own) else "successes": own}
        spread = totals.spread_of(lambda role: self._columns.named(f"{metric.name} {role}"))
        summed = self._columns.named(f"{metric.name} sum")
        if spread and own is not None:
            return {"mean": own, **spread}
        return {"sum": summed, **spread} if spread and summed is not None else {}

    def _is_rate(self, column: int) -> bool:
        return totals.is_rate(self.table, column)

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

    def _refuse(self, what: str) -> NoReturn:
        known = "variant, n, successes" if self.chosen.kind is MetricKind.PROPORTION else "variant, n, mean, sd"
        raise Refusal(Reason.NOT_TOTALS, self.field, text=what[:400], known=known, metric=self.chosen.name)


_VALUES: Mapping[str, str] = {"successes": "", "rate": "rate in ", "mean": "", "sum": "sum in "}
