"""The steps of the one query from rows of exposures to units, and what becomes of rows that lack something.

A row counts if it has unit, variant, time (where the exposures have times) and experiment; a unit's first such row is
its exposure. A row that lacks one of them is a unit of its own kind (`lack`), so that it never meets the others.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum

from labcoat.warehouse import bounding, sql
from labcoat.warehouse.measures import ExposureColumns, Measure, Subject

EXPOSURES = "labcoat_exposures"
ROWS, UNITS, SEEN, LEFT_OUT = "labcoat_rows", "labcoat_units", "labcoat_seen", "labcoat_left_out"
_PLAN, _SEVERAL, _SHORT, _KNOWN = "labcoat_plan", "labcoat_several", "labcoat_short", "labcoat_known"

EARLIEST, LATEST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Where no bound is given; every engine's timestamps reach so far."""

_Inline = Sequence[tuple[int, Measure]]


class Lack(IntEnum):
    """What a row lacks. From UNIT on the number also tells the variant, since nothing else keeps such rows apart."""

    NOTHING = 0
    VARIANT = 1
    TIME = 2
    EXPERIMENT = 3
    UNIT = 4


def steps(
    subjects: Sequence[Subject], exposures: ExposureColumns, inline: _Inline, *, reads_twice: bool
) -> dict[str, str]:
    """Return the steps by name: SEEN has one row per unit, LEFT_OUT counts what lacks something.

    inline: metrics that are columns of the exposures' rows. reads_twice: rows are cheaper read again than kept.
    """
    has_time = exposures.exposed_at is not None
    rows = {ROWS: _rows(subjects, exposures, inline)}
    rows |= _units_apart(inline) if reads_twice else {UNITS: _units(ROWS, inline, is_one=len(subjects) == 1)}
    return {
        **({_PLAN: _plan(subjects)} if len(subjects) > 1 else {}),
        **rows,
        SEEN: _seen(subjects, inline, has_time=has_time),
        **_left_out(subjects, of=ROWS if reads_twice else SEEN, has_time=has_time),
    }


def is_read_again(name: str, steps: Mapping[str, str]) -> bool:
    """Return whether DuckDB must not write a step down, where it would."""
    return _SEVERAL in steps and name in (ROWS, UNITS, SEEN)


def is_missing(column: str, *, is_text: bool) -> str:
    """Return whether a column has nothing in it; text that is empty, or blanks only, is nothing."""
    return f"({column} IS NULL OR TRIM(CAST({column} AS TEXT)) = '')" if is_text else f"{column} IS NULL"


def _plan(subjects: Sequence[Subject]) -> str:
    # Units are grouped by the experiment's number here: its name would be hashed for each of them.
    return "\nUNION ALL ".join(
        f"SELECT {number} AS experiment, {sql.quoted_text(name)} AS name, {is_unnamed} AS is_unnamed, "
        f"{sql.instant(one.since)} AS since, {sql.instant(one.until)} AS until, "
        f"{sql.instant(one.read_since or EARLIEST)} AS read_since"
        for number, one in enumerate(subjects)
        for is_unnamed, name in enumerate((one.key, ""))
    )


def _rows(subjects: Sequence[Subject], exposures: ExposureColumns, inline: _Inline) -> str:
    """One row per row of the exposures: what it lacks, and its variant as the plan spells it."""
    kept = "".join(f", r.m{place}_{name} AS m{place}_{name}" for place, measure in inline for name in measure.given)
    passed = "".join(f", s.m{place}_{name} AS m{place}_{name}" for place, measure in inline for name in measure.given)
    columns = ", ".join(
        f"s.{name} AS {name}" for name in ("experiment", "is_unnamed", "unit", "spelling", "exposed_at")
    )
    return f"""SELECT r.experiment AS experiment, {_lack(subjects, exposures)} AS lack, r.unit AS unit,
  r.variant AS variant, CASE WHEN r.spelling <> r.variant THEN r.spelling END AS spelling,
  r.exposed_at AS exposed_at{kept}
FROM (SELECT {columns}, {_by_plan(subjects, "s", _spelled)} AS variant{passed}
FROM ({_given(subjects, exposures, inline)}) AS s) AS r"""


def _given(subjects: Sequence[Subject], exposures: ExposureColumns, inline: _Inline) -> str:
    is_one, experiment = len(subjects) == 1, exposures.experiment
    is_unnamed = "0"
    plan = "" if is_one else f" CROSS JOIN (SELECT * FROM {_PLAN} WHERE is_unnamed = 0) AS p"
    wanted = "1 = 1"
    if experiment is not None:
        # The list is for the engine's index or partitions; the join alone would read them all.
        keys = ", ".join(sql.quoted_text(one.key) for one in subjects)
        is_unnamed = f"CASE WHEN {experiment} = {keys} THEN 0 ELSE 1 END" if is_one else "p.is_unnamed"
        plan = "" if is_one else f" INNER JOIN {_PLAN} AS p ON COALESCE({experiment}, '') = p.name"
        wanted = f"({experiment} IN ({keys}) OR {experiment} IS NULL OR {experiment} = '')"
    if exposures.exposed_at is not None:
        wanted += _bounded(subjects, exposures)
    if exposures.only is not None:
        wanted += f" AND {exposures.only}"
    columns = [
        "0 AS experiment" if is_one else "p.experiment AS experiment",
        f"{is_unnamed} AS is_unnamed",
        f"{exposures.unit} AS unit",
        f"{exposures.variant} AS spelling",
        f"{exposures.known_at} AS exposed_at",
        *(
            f"{expression} AS m{place}_{name}"
            for place, measure in inline
            for name, expression in measure.given.items()
        ),
    ]
    return f"SELECT {', '.join(columns)}\nFROM {EXPOSURES} AS e{plan}\nWHERE {wanted}"


def _bounded(subjects: Sequence[Subject], exposures: ExposureColumns) -> str:
    """Return which times are read: of each experiment its own, and constants for all, by which the engine skips rows.

    A row without a time, or with one that stands for none, counts as lacking it, wherever the engine keeps it.
    """
    exposed_at = exposures.exposed_at
    starts = {one.read_since for one in subjects}
    first = None if None in starts else min(start for start in starts if start is not None)
    last = max(one.until for one in subjects)
    days = exposures.time_days if exposures.time_days and exposures.time_days.column != exposed_at else None
    exact = []
    if first is not None:
        exact.append(f"{exposed_at} >= {sql.instant(first)}")
    exact.append(f"{exposed_at} < {sql.instant(last)}")
    if len(starts) > 1:
        exact.append(f"{exposed_at} >= p.read_since")
    if len({one.until for one in subjects}) > 1:
        exact.append(f"{exposed_at} < p.until")
    near = " AND ".join([*bounding.where(days, None, since=first, until=last), *exact])
    by_partition = bounding.where(None, exposures.partition, since=first, until=None)
    return f" AND ({exposures.is_not_known} OR ({near}))" + "".join(f" AND {one}" for one in by_partition)


def _lack(subjects: Sequence[Subject], exposures: ExposureColumns) -> str:
    whose = _by_plan(subjects, "r", _unit_of)
    cases = [f"WHEN {is_missing('r.unit', is_text=exposures.is_unit_text)} THEN {whose}"]
    if exposures.experiment is not None:
        # It may be of any experiment; without a variant of this plan it says nothing at all.
        planned = _by_plan(subjects, "r", _is_planned)
        cases.insert(0, f"WHEN r.is_unnamed = 1 AND {planned} = 0 THEN {Lack.EXPERIMENT:d}")
        cases.append(f"WHEN r.is_unnamed = 1 THEN {Lack.EXPERIMENT:d}")
    cases.append(f"WHEN r.variant IS NULL THEN {Lack.VARIANT:d}")
    if exposures.exposed_at is not None:
        cases.append(f"WHEN r.exposed_at IS NULL THEN {Lack.TIME:d}")
    return f"CASE {' '.join(cases)} ELSE {Lack.NOTHING:d} END"


def _by_plan(subjects: Sequence[Subject], alias: str, write: Callable[[str, Sequence[str]], str]) -> str:
    """Return an expression that depends on the names of the variants of a row's experiment."""
    plans: dict[tuple[str, ...], list[int]] = {}
    for number, one in enumerate(subjects):
        plans.setdefault(one.variants, []).append(number)
    written = {names: write(alias, names) for names in plans}
    if len(plans) == 1:
        return next(iter(written.values()))
    cases = (
        f"WHEN {alias}.experiment IN ({', '.join(map(str, numbers))}) THEN {written[names]}"
        for names, numbers in plans.items()
    )
    return f"CASE {' '.join(cases)} END"


def _unit_of(alias: str, names: Sequence[str]) -> str:
    cases = [
        f"WHEN {alias}.variant = {sql.quoted_text(name)} THEN {number}"
        for number, name in enumerate(names, start=Lack.UNIT + 1)
    ]
    return f"CASE {' '.join(cases)} ELSE {Lack.UNIT:d} END" if names else f"{Lack.UNIT:d}"


def _is_planned(alias: str, names: Sequence[str]) -> str:
    listed = ", ".join(sql.quoted_text(name) for name in names)
    return f"CASE WHEN {alias}.variant IN ({listed}) THEN 1 ELSE 0 END" if names else "0"


def _spelled(alias: str, names: Sequence[str]) -> str:
    """Return a row's variant as its plan spells it, where case and outer blanks leave no doubt which it is."""
    given = f"{alias}.spelling"
    trimmed = f"NULLIF(TRIM({given}), '')"
    if not names:
        return trimmed
    alike = Counter(name.strip().casefold() for name in names)
    cases = [f"WHEN {given} IN ({', '.join(sql.quoted_text(name) for name in names)}) THEN {given}"]
    for name in names:
        text = sql.quoted_text(name)
        is_same = f"TRIM({given}) = TRIM({text})"
        if alike[name.strip().casefold()] == 1:
            is_same = f"LOWER(TRIM({given})) = LOWER(TRIM({text}))"
        cases.append(f"WHEN {is_same} THEN {text}")
    return f"CASE {' '.join(cases)} ELSE {trimmed} END"


def _units(rows: str, inline: _Inline, *, is_one: bool = False) -> str:
    """One row per unit: its first exposure, and what its row says beside it.

    Of a unit with several rows the largest value comes back, which is not used: such units are refused or crossed.
    """
    values = [f"MAX(m{place}_{name}) AS m{place}_{name}" for place, measure in inline for name in measure.given]
    extra = "".join(f", {value}" for value in values)
    # A constant among the keys is hashed for every row all the same.
    experiment, keys = ("0 AS experiment", "lack, unit") if is_one else ("experiment", "experiment, lack, unit")
    return f"""SELECT {experiment}, lack, unit, MIN(exposed_at) AS exposed_at, MIN(variant) AS variant,
  MAX(variant) AS last_variant, MIN(spelling) AS spelling, COUNT(*) AS row_count{extra}
FROM {rows}
GROUP BY {keys}"""


def _units_apart(inline: _Inline) -> dict[str, str]:
    """Find the units with several rows by their keys alone; all others are units as they are, and never hashed wide."""
    given = "".join(f", r.m{place}_{name} AS m{place}_{name}" for place, measure in inline for name in measure.given)
    keys = ("experiment", "lack", "unit")
    several = f"{_SEVERAL} AS s ON {' AND '.join(f's.{key} = r.{key}' for key in keys)}"
    columns = ", ".join(f"r.{name} AS {name}" for name in (*keys, "exposed_at", "variant"))
    single = f"""SELECT {columns}, r.variant AS last_variant, r.spelling AS spelling, 1 AS row_count{given}
FROM {ROWS} AS r LEFT JOIN {several}
WHERE s.unit IS NULL"""
    grouped = _units("labcoat_rows_of_several", inline)
    return {
        _SEVERAL: f"SELECT {', '.join(keys)} FROM {ROWS} GROUP BY {', '.join(keys)} HAVING COUNT(*) > 1",
        "labcoat_rows_of_several": f"SELECT r.* FROM {ROWS} AS r INNER JOIN {several}",
        UNITS: f"{single}\nUNION ALL\n{grouped}",
    }


def _seen(subjects: Sequence[Subject], inline: _Inline, *, has_time: bool) -> str:
    """The units, each with its experiment's end and whether it is one: complete, and not exposed before the start."""
    values = "".join(f", u.m{place}_{name} AS m{place}_{name}" for place, measure in inline for name in measure.given)
    since, until, plan = _times(subjects, "u")
    is_in = f"u.lack = {Lack.NOTHING:d}" + (f" AND u.exposed_at >= {since}" if has_time else "")
    names = ("experiment", "lack", "unit", "exposed_at", "variant", "last_variant", "spelling", "row_count")
    columns = ", ".join(f"u.{name} AS {name}" for name in names)
    return f"""SELECT {columns}, CASE WHEN {is_in} THEN 1 ELSE 0 END AS is_in, {until} AS until{values}
FROM {UNITS} AS u{plan}"""


def _times(subjects: Sequence[Subject], alias: str) -> tuple[str, str, str]:
    """Return the start and end of a row's experiment, and the join that they need."""
    if len(subjects) == 1:
        return sql.instant(subjects[0].since), sql.instant(subjects[0].until), ""
    join = f" INNER JOIN {_PLAN} AS p ON {alias}.experiment = p.experiment AND p.is_unnamed = 0"
    return "p.since", "p.until", join


def _left_out(subjects: Sequence[Subject], *, of: str, has_time: bool) -> dict[str, str]:
    """Count rows that lack something, and their units that no complete row names; `variant` only where planned.

    What came before the start is no loss of this experiment, unless its unit came again.
    """
    row_count = "COUNT(*)" if of == ROWS else "SUM(s.row_count)"
    variant = f"CASE WHEN {_by_plan(subjects, 'l', _is_planned)} = 1 THEN l.variant END"
    since, _, plan = _times(subjects, "l")
    first = "CASE WHEN k.is_known = 1 THEN k.exposed_at ELSE l.exposed_at END"
    wanted = f"\nWHERE COALESCE({first}, {since}) >= {since}" if has_time else ""
    return {
        _SHORT: f"""SELECT s.experiment AS experiment, s.lack AS lack, s.unit AS unit, MIN(s.variant) AS variant,
  MIN(s.exposed_at) AS exposed_at, {row_count} AS row_count
FROM {of} AS s
WHERE s.lack > {Lack.NOTHING:d}
GROUP BY s.experiment, s.lack, s.unit""",
        _KNOWN: f"""SELECT s.experiment AS experiment, s.unit AS unit, MIN(s.exposed_at) AS exposed_at, 1 AS is_known
FROM {of} AS s
WHERE s.lack = {Lack.NOTHING:d} AND s.unit IN (SELECT unit FROM {_SHORT} WHERE lack < {Lack.UNIT:d})
GROUP BY s.experiment, s.unit""",
        LEFT_OUT: f"""SELECT l.experiment AS experiment, l.lack AS lack, {variant} AS variant,
  SUM(l.row_count) AS row_count, SUM(CASE WHEN k.is_known = 1 THEN 0 ELSE 1 END) AS units
FROM {_SHORT} AS l LEFT JOIN {_KNOWN} AS k ON k.experiment = l.experiment AND k.unit = l.unit{plan}{wanted}
GROUP BY l.experiment, l.lack, {variant}""",
    }
