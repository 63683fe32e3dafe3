"""The rows of a file that count: those that have a unit and a variant, of units that are in one variant.

Few others are left out and told, by the rule of `incomplete`; with more of them the file is refused.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from labcoat.warehouse import incomplete, sql
from labcoat.warehouse.engines.engine import whole
from labcoat.warehouse.errors import some
from labcoat.warehouse.exposed_units import Lack
from labcoat.warehouse.files.decode import refuse
from labcoat.warehouse.files.read import PLACE, GivenTable
from labcoat.warehouse.files.totals import MOST_VARIANTS
from labcoat.warehouse.incomplete import ArmUnits, Found, Incomplete

_IS_WHOLE = "u IS NOT NULL AND v IS NOT NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteRows:
    """What counts. rows: the table of it. repeated: units that have several rows, with two places of the first."""

    rows: str
    repeated: "Places"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """How many rows or units something is true of, and where the first is; several places where it takes several."""

    count: int = 0
    at: tuple[int, ...] = ()


def complete_rows(
    table: GivenTable, rows: str, *, variant: int, unit: int | None, planned: Collection[str] | None
) -> CompleteRows:
    """Return the rows that count, and tell the table what was left out.

    rows: the table to look at. variant, unit: columns, by place; without a unit every row is one. planned: variants,
    None for any. Raises SourceError where too much lacks something, but for variants that are not planned: those rows
    are then kept.
    """
    return _Looking(table, rows, variant, unit, planned).complete()


class _Looking:
    """Rows that are looked at for what they lack."""

    def __init__(
        self, table: GivenTable, rows: str, variant: int, unit: int | None, planned: Collection[str] | None
    ) -> None:
        self._table, self._rows, self._planned = table, rows, planned
        self._variant_name = table.columns[variant]
        self._unit_name = None if unit is None else table.columns[unit]
        self._arm = f"LOWER({table.text(variant)})"
        self._unit = f"CAST({PLACE} AS TEXT)" if unit is None else table.text(unit)
        self._seen = f"(SELECT {PLACE} AS place, {self._unit} AS u, {self._arm} AS v FROM {rows})"
        self._by_unit = (
            "(SELECT u, COUNT(*) AS lines, MIN(place) AS first, MAX(place) AS last, MIN(v) AS arm, MAX(v) AS last_arm, "
            f"GREATEST(MIN_BY(place, v), MAX_BY(place, v)) AS other FROM {self._seen} WHERE {_IS_WHOLE} GROUP BY u)"
        )

    def complete(self) -> CompleteRows:
        """Return the rows that count; raise SourceError."""
        distinct = "COUNT(v)" if self._unit_name is None else "COUNT(DISTINCT u) FILTER (WHERE v IS NOT NULL)"
        ((unnamed, unnamed_at, nobodys, nobodys_at, rows, units),) = self._table.rows(
            "SELECT COUNT(*) FILTER (WHERE v IS NULL), MIN(place) FILTER (WHERE v IS NULL), "
            "COUNT(*) FILTER (WHERE u IS NULL AND v IS NOT NULL), "
            "MIN(place) FILTER (WHERE u IS NULL AND v IS NOT NULL), "
            f"COUNT(*) FILTER (WHERE {_IS_WHOLE}), {distinct} FROM {self._seen}"
        )
        no_variant, no_unit = _places(unnamed, unnamed_at), _places(nobodys, nobodys_at)
        crossed, repeated = self._several() if whole(rows) > whole(units) else (Places(), Places())
        others = self._unplanned()
        if not (no_variant.count or no_unit.count or crossed.count or others):
            return CompleteRows(rows=self._rows, repeated=repeated)
        if incomplete.is_too_much(self._found()):
            if not others:
                self._refuse(no_variant, no_unit, crossed)
            return CompleteRows(rows=self._rows, repeated=repeated)
        self._tell(no_variant, no_unit, crossed, others)
        kept = [f"{self._arm} IS NOT NULL", f"{self._unit} IS NOT NULL"]
        kept += [f"{self._arm} <> {sql.quoted_text(name)}" for name in others]
        if crossed.count:
            kept.append(f"{self._unit} NOT IN (SELECT u FROM {self._by_unit} WHERE arm <> last_arm)")
        return CompleteRows(rows=f"(SELECT * FROM {self._rows} WHERE {' AND '.join(kept)})", repeated=repeated)

    def _several(self) -> tuple[Places, Places]:
        """Return the units that are in two variants, and the others that have several rows."""
        in_two, in_one = "FILTER (WHERE arm <> last_arm)", "FILTER (WHERE arm = last_arm AND lines > 1)"
        ((crossed, *crossed_at, repeated, first, last),) = self._table.rows(
            f"SELECT COUNT(*) {in_two}, MIN(first) {in_two}, ARG_MIN(other, first) {in_two}, "
            f"COUNT(*) {in_one}, MIN(first) {in_one}, ARG_MIN(last, first) {in_one} FROM {self._by_unit}"
        )
        return _places(crossed, *crossed_at), _places(repeated, first, last)

    def _unplanned(self) -> dict[str, int]:
        """Return the variants that are not planned, in lower case, with their units."""
        if self._planned is None:
            return {}
        known = {name.casefold() for name in self._planned}
        rows = self._table.rows(
            f"SELECT DISTINCT v FROM {self._seen} WHERE v IS NOT NULL ORDER BY v LIMIT {MOST_VARIANTS + 1}"
        )
        others = [str(name) for (name,) in rows if str(name).casefold() not in known]
        if not others:
            return {}
        listed = ", ".join(sql.quoted_text(name) for name in others)
        counts = self._table.rows(
            f"SELECT v, COUNT(DISTINCT u) FROM {self._seen} WHERE v IN ({listed}) GROUP BY v ORDER BY v"
        )
        return {str(name): whole(units) for name, units in counts}

    def _found(self) -> Found:
        """Return the units by variant, and the rows that lack something, as the exposures of a warehouse have them."""
        arms = self._table.rows(
            f"SELECT arm, last_arm, COUNT(*), SUM(lines) FROM {self._by_unit} GROUP BY arm, last_arm"
        )
        lacking = self._table.rows(
            f"SELECT v, u IS NULL, COUNT(DISTINCT u), COUNT(*) FROM {self._seen} WHERE u IS NULL "
            f"OR v IS NULL AND u NOT IN (SELECT u FROM {self._by_unit}) GROUP BY ALL"
        )
        known = None if self._planned is None else {name.casefold() for name in self._planned}
        seen = [str(arm) for arm, *_ in arms]
        return Found(
            arms=[
                ArmUnits(variant=str(arm), last_variant=str(last), units=whole(units), row_count=whole(rows))
                for arm, last, units, rows in arms
            ],
            incomplete=[
                Incomplete(
                    lack=Lack.UNIT if has_no_unit else Lack.VARIANT,
                    variant=None if arm is None else str(arm),
                    units=whole(units),
                    row_count=whole(rows),
                )
                for arm, has_no_unit, units, rows in lacking
            ],
            variants=[name for name in dict.fromkeys(seen) if known is None or name.casefold() in known],
        )

    def _refuse(self, no_variant: Places, no_unit: Places, crossed: Places) -> None:
        share = f"more than {incomplete.MOST_PERCENT} % of a variant"
        if no_variant.count >= max(no_unit.count, crossed.count):
            refuse(
                f"There is no {self._variant_name} on {self._lines(no_variant)}{_and_more(no_variant)}, {share}. Leave "
                "out units that were never assigned"
            )
        if no_unit.count >= crossed.count:
            refuse(
                f"There is no {self._unit_name} on {self._lines(no_unit)}{_and_more(no_unit)}, {share}. Name each "
                "unit, or leave the rows out"
            )
        refuse(
            f"A {self._unit_name} is in two variants, on {self._lines(crossed)}{_and_more(crossed)}, {share}. Leave "
            "such units out: nobody can say what changed them"
        )

    def _tell(self, no_variant: Places, no_unit: Places, crossed: Places, others: Mapping[str, int]) -> None:
        told = self._table.left_out
        if no_variant.count:
            told.append(f"{some(no_variant.count, 'row')} without {self._variant_name} ({self._lines(no_variant)})")
        if no_unit.count:
            told.append(f"{some(no_unit.count, 'row')} without {self._unit_name} ({self._lines(no_unit)})")
        if crossed.count:
            told.append(f"{some(crossed.count, 'unit')} in two variants ({self._lines(crossed)})")
        if others:
            names = ", ".join(name[:40] for name in others)
            told.append(f"{some(sum(others.values()), 'unit')} of variants that the plan does not have ({names})")

    def _lines(self, places: Places) -> str:
        return " and ".join(self._table.line(place) for place in places.at)


def _places(count: object, *at: object) -> Places:
    return Places(count=whole(count), at=tuple(whole(place) for place in at if place is not None))


def _and_more(places: Places) -> str:
    return f", and {places.count - 1:,} more" if places.count > 1 else ""
