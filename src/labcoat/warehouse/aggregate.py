"""The one query for all metrics of experiments that share their exposures: units, then one row per variant.

Written in DuckDB's dialect with stand-ins for the user's rows; `sql.write` turns it into the engine's. Steps: one row
per unit (`exposed_units`); each metric's own rows summed up per unit, before and after its exposure; counts, means and
covariances per variant. Only these leave the engine, with counts of what was left out. Hashing every unit is what
costs: that is done once with few columns, and units without rows of a metric are never written down for it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import combinations

from labcoat.stats.rule import MetricKind
from labcoat.warehouse import exposed_units, sql, windows
from labcoat.warehouse.measures import (
    CLOCK,
    COUNTS,
    FAULTS,
    LARGEST,
    ONE,
    ZERO,
    ExposureColumns,
    Measure,
    Subject,
    scans,
)

MOST_GROUPS = 100
"""Variants of one experiment that come back: a `variant` column that holds something else must not return millions."""

VALUES = "labcoat_values"
_VARIANTS = "labcoat_variants"


def names(measures: Sequence[Measure]) -> tuple[str, ...]:
    """Return what the query's columns are called."""
    found = ["experiment", "lack", "variant", "last_variant", "spelling", *COUNTS]
    for place, measure in enumerate(measures):
        found += [f"m{place}_{name}" for name in ("measured", *_numbers(measure))]
    return tuple(found)


def query(
    subjects: Sequence[Subject], exposures: ExposureColumns, measures: Sequence[Measure], *, scans_again: bool = False
) -> str:
    """Return the query in our dialect; its columns are `names`, of the experiment its place among the subjects.

    scans_again: the exposures' rows are so cheap to scan that they are rather read twice than hashed with all values.
    """
    keyed = list(enumerate(measures))
    own_rows, inline = scans(measures), [pair for pair in keyed if pair[1].rows is None]
    has_time = exposures.exposed_at is not None
    reads_twice = scans_again and bool(inline) and not own_rows
    units = exposed_units.steps(subjects, exposures, inline, reads_twice=reads_twice)
    # One end is a constant, which is cheaper than a column of every unit.
    until = subjects[0].until if len(subjects) == 1 else None
    steps = {**units, _VARIANTS: _variants(keyed, inline, has_time=has_time, until=until)}
    for number, (name, mine) in enumerate(own_rows.items()):
        steps[f"labcoat_sums_{number}"] = _sums(name, mine, subjects, has_time=has_time)
        steps[f"labcoat_moments_{number}"] = _moments_of_sums(mine, number, has_time=has_time, until=until)
    with_steps = ",\n".join(f"{name} AS {_kept(name, units)}(\n{step}\n)" for name, step in steps.items())
    answer = _answer(keyed, list(own_rows.values()), most=MOST_GROUPS * len(subjects))
    return f"WITH {with_steps}\n{answer}"


def steps_of_units(measure: Measure, subject: Subject) -> dict[str, str]:
    """Return the steps from SEEN to VALUES, one row per unit: unit, exposed_at, its columns with the cap, its faults.

    For whoever groups units otherwise than by variant; the units of SEEN have times. Without rows a unit has 0.
    """
    rows: Mapping[str, str] = {}
    numbers, faults = {name: f"u.m0_{name}" for name in measure.columns}, dict.fromkeys(FAULTS, "0")
    units = f"{exposed_units.SEEN} AS u"
    if measure.rows is not None:
        rows = {"labcoat_sums_0": _sums(measure.rows, [(0, measure)], [subject], has_time=True)}
        raw = {name: ONE if value is None else value for name, value in measure.given.items()}
        found = [*_faults(measure, raw, "1 = 1", "1 = 1")]
        found += ["untimed"] * (measure.untimed is not None) + ["repeated"] * measure.needs_one_row
        faults |= {name: f"COALESCE(s.m0_{name}, 0)" for name in found}
        if measure.time is not None:
            faults |= {name: f"COALESCE(s.{name}, 0)" for name in CLOCK}
        numbers = {name: f"COALESCE(s.m0_{name}, {ZERO})" for name in measure.columns}
        units += " LEFT JOIN labcoat_sums_0 AS s ON s.unit = u.unit"
    else:
        all_numbers = " AND ".join(_is_number(number) for number in numbers.values())
        faults["bad"] = f"CASE WHEN {all_numbers} THEN 0 ELSE 1 END"
        faults["odd"] = _odd(measure, numbers["y"])
        faults["repeated"] = "CASE WHEN u.row_count > 1 THEN 1 ELSE 0 END"
    values = [f"{_capped(measure, name, number)} AS {name}" for name, number in numbers.items()]
    values += [f"{fault} AS {name}" for name, fault in faults.items()]
    listed = ", ".join(("u.unit AS unit", "u.exposed_at AS exposed_at", *values))
    return {**rows, VALUES: f"SELECT {listed}\nFROM {units}\nWHERE u.is_in = 1"}


def _capped(measure: Measure, name: str, number: str) -> str:
    """Return a unit's number with the cap and the floor of its metric."""
    given = ((">", measure.cap), ("<", measure.floor)) if name in "yc" else ()
    limits = [(sign, f"CAST({limit!r} AS DOUBLE)") for sign, limit in given if limit is not None]
    cases = [f"WHEN {number} {sign} {limit} THEN {limit}" for sign, limit in limits]
    return f"CASE {' '.join(cases)} ELSE {number} END" if cases else number


def _kept(name: str, units: Mapping[str, str]) -> str:
    """Return that DuckDB must not write down what is read several times, where it would."""
    return "NOT MATERIALIZED " if exposed_units.is_read_again(name, units) else ""


def _variants(
    measures: Sequence[tuple[int, Measure]],
    inline: Sequence[tuple[int, Measure]],
    *,
    has_time: bool,
    until: datetime | None,
) -> str:
    """One row per variant, and per pair of them that units were in: how many, and the moments of what is inline."""
    values = [
        "u.last_variant AS last_variant",
        "MIN(u.spelling) AS spelling",
        "COUNT(*) AS units",
        "SUM(u.row_count) AS row_count",
        "SUM(CASE WHEN u.row_count > 1 THEN 1 ELSE 0 END) AS repeated",
        "COUNT(u.spelling) AS respelled",
        f"{_timed(measures, has_time=has_time)} AS timed",
    ]
    values += [
        f"SUM(CASE WHEN {_counts(measure, has_time=has_time, until=until)} THEN 1 ELSE 0 END) AS m{place}_measured"
        for place, measure in measures
    ]
    for place, measure in inline:
        counts, key = _counts(measure, has_time=has_time, until=until), f"m{place}"
        all_numbers = " AND ".join(_is_number(f"u.{key}_{name}") for name in measure.given)
        faults = {
            "bad": f"SUM(CASE WHEN {counts} THEN CASE WHEN {all_numbers} THEN 0 ELSE 1 END ELSE 0 END)",
            "odd": f"SUM(CASE WHEN {counts} THEN {_odd(measure, f'u.{key}_y')} ELSE 0 END)",
        }
        number = {name: f"u.{key}_{name}" for name in measure.columns}
        values += _moments(measure, key, counts=counts, numbers=number, faults=faults)
    return _by_variant(values, f"{exposed_units.SEEN} AS u\nWHERE u.is_in = 1", also=", u.last_variant")


def _timed(measures: Sequence[tuple[int, Measure]], *, has_time: bool) -> str:
    """Return how many units were exposed at a time of day; 0 where no metric's rows are compared with it."""
    is_asked = has_time and any(measure.time is not None for _, measure in measures)
    return f"SUM({windows.has_clock('u.exposed_at')})" if is_asked else "0"


def _sums(rows: str, measures: Sequence[tuple[int, Measure]], subjects: Sequence[Subject], *, has_time: bool) -> str:
    """One row per unit that has any of a metric's own rows; metrics over the same rows share the scan."""
    first, is_one = measures[0][1], len(subjects) == 1
    raw = [
        f"{expression} AS m{place}_{name}"
        for place, measure in measures
        for name, expression in measure.given.items()
        if expression is not None
    ]
    time = "" if first.time is None else f", {first.time} AS happened_at"
    if first.untimed is not None:
        if is_one:
            late = sql.instant(exposed_units.LATEST)
            time = f", CASE WHEN {first.untimed} THEN {late} ELSE {first.time} END AS happened_at"
        time += f", CASE WHEN {first.untimed} THEN 1 ELSE 0 END AS is_untimed"
    values = [value for place, measure in measures for value in _summed(f"m{place}", measure)]
    on = "r.unit = u.unit AND u.is_in = 1 AND u.variant = u.last_variant"
    if first.time is not None:
        happened_at = "r.happened_at"
        values += [f"SUM({windows.has_clock(happened_at)}) AS timed", f"SUM({windows.is_day(happened_at)}) AS days"]
        earliest = windows.seconds_before(measures)
        on += f" AND {_near(first, earliest, is_one=is_one)}"
    times = ", MIN(u.exposed_at) AS exposed_at" if has_time else ""
    times += "" if is_one or not has_time else ", MIN(u.until) AS until"
    experiment, keys = ("0", "u.unit") if is_one else ("u.experiment", "u.experiment, u.unit")
    inner = f"SELECT {first.unit} AS unit{time}{''.join(f', {one}' for one in raw)} FROM {rows} AS e"
    if wanted := windows.bounds(measures, subjects):
        inner += f" WHERE {' AND '.join(wanted)}"
    return f"""SELECT {experiment} AS experiment, u.unit AS unit, MIN(u.variant) AS variant{times}, {", ".join(values)}
FROM {exposed_units.SEEN} AS u INNER JOIN ({inner}) AS r ON {on}
GROUP BY {keys}"""


def _near(measure: Measure, seconds: int, *, is_one: bool) -> str:
    """Return whether a row is near its unit's exposure, or can't be told to be. seconds: before it."""
    since = f"r.happened_at >= u.exposed_at - INTERVAL '{seconds}' SECOND"
    if is_one:  # whose end cuts the rows already; what can't be told comes late, since an OR here takes a fifth more
        return since
    near = f"r.happened_at < u.until AND {since}"
    return near if measure.untimed is None else f"(({near}) OR r.is_untimed = 1)"


def _summed(key: str, measure: Measure) -> list[str]:
    after, before = windows.counts(measure)
    is_yes_no = measure.kind is MetricKind.PROPORTION
    numbers = {name: f"r.{key}_{name}" if raw is not None else ONE for name, raw in measure.given.items()}

    def total(when: str, number: str) -> str:
        if is_yes_no:
            return f"MAX(CASE WHEN {when} AND {_is_number(number)} AND {number} <> 0 THEN {ONE} ELSE {ZERO} END)"
        return f"SUM(CASE WHEN {when} AND {_is_number(number)} THEN {number} ELSE {ZERO} END)"

    sums = {name: total(after, number) for name, number in numbers.items()}
    if measure.pre_seconds:
        sums |= {early: total(before, numbers[name]) for early, name in (("c", "y"), ("d", "x")) if name in numbers}
    return [
        *(f"{total_} AS {key}_{name}" for name, total_ in sums.items()),
        *(f"SUM({fault}) AS {key}_{name}" for name, fault in _faults(measure, numbers, after, before).items()),
        *([f"SUM(r.is_untimed) AS {key}_untimed"] if measure.untimed is not None else []),
        *([f"CASE WHEN COUNT(*) > 1 THEN 1 ELSE 0 END AS {key}_repeated"] if measure.needs_one_row else []),
    ]


def _faults(measure: Measure, numbers: Mapping[str, str], after: str, before: str) -> dict[str, str]:
    """Return what is 1 for a row that is wrong; a metric that counts rows has none."""
    checked = [number for number in numbers.values() if number != ONE]
    relevant = f"({after} OR {before})" if measure.pre_seconds else after
    faults = {}
    if checked:
        all_numbers = " AND ".join(_is_number(number) for number in checked)
        faults["bad"] = f"CASE WHEN {relevant} THEN CASE WHEN {all_numbers} THEN 0 ELSE 1 END ELSE 0 END"
        if (odd := _odd(measure, numbers["y"])) != "0":
            faults["odd"] = f"CASE WHEN {relevant} THEN {odd} ELSE 0 END"
    return faults


def _moments_of_sums(
    measures: Sequence[tuple[int, Measure]], number: int, *, has_time: bool, until: datetime | None
) -> str:
    """One row per variant: the moments of the units that have rows; all others have 0, and `groups` adds them."""
    values = []
    for place, measure in measures:
        key = f"m{place}"
        counts = windows.is_closed(measure, until) if has_time else "1 = 1"
        raw = {name: ONE if value is None else value for name, value in measure.given.items()}
        faults = {
            name: f"SUM(CASE WHEN {counts} THEN u.{key}_{name} ELSE 0 END)"
            for name in _faults(measure, raw, "1 = 1", "1 = 1")
        }
        if measure.untimed is not None:
            faults["untimed"] = f"SUM(u.{key}_untimed)"
        if measure.needs_one_row:
            faults["repeated"] = f"SUM(u.{key}_repeated)"
        if measure.time is not None:
            faults |= {name: f"SUM(u.{name})" for name in CLOCK}
        totals = {name: f"u.{key}_{name}" for name in measure.columns}
        values += _moments(measure, key, counts=counts, numbers=totals, faults=faults)
    return _by_variant(values, f"labcoat_sums_{number} AS u")


def _by_variant(values: Sequence[str], units: str, *, also: str = "") -> str:
    listed = ",\n  ".join(["u.experiment AS experiment", "u.variant AS variant", *values])
    return f"SELECT {listed}\nFROM {units}\nGROUP BY u.experiment, u.variant{also}"


def _moments(
    measure: Measure, key: str, *, counts: str, numbers: Mapping[str, str], faults: Mapping[str, str]
) -> list[str]:
    """Return the columns of one metric: units that count with rows, faults, means, variances and covariances."""
    given = {name: f"CASE WHEN {counts} THEN {_capped(measure, name, number)} END" for name, number in numbers.items()}
    return [
        f"SUM(CASE WHEN {counts} THEN 1 ELSE 0 END) AS {key}_some",
        *(f"{faults.get(name, '0')} AS {key}_{name}" for name in FAULTS),
        *(f"AVG({number}) AS {key}_{name}" for name, number in given.items()),
        *(
            f"VAR_SAMP({given[one]}) AS {key}_{one}{two}"
            if one == two
            else f"COVAR_SAMP({given[one]}, {given[two]}) AS {key}_{one}{two}"
            for one, two in _pairs(measure)
        ),
    ]


def _answer(
    measures: Sequence[tuple[int, Measure]], groups: Sequence[Sequence[tuple[int, Measure]]], *, most: int
) -> str:
    """Return the largest variants with their metrics, and what was left out in the same columns."""
    table = {place: f"g{number}" for number, mine in enumerate(groups) for place, _ in mine}
    keys = ("experiment", "variant", "last_variant", "spelling", *COUNTS)
    values = [f"v.{name} AS {name}" for name in keys]
    nothing = ["l.experiment AS experiment", "l.lack AS lack", "l.variant AS variant"]
    nothing += ["CAST(NULL AS TEXT) AS last_variant", "CAST(NULL AS TEXT) AS spelling"]
    nothing += ["l.units AS units", "l.row_count AS row_count", "0 AS repeated", "0 AS respelled", "0 AS timed"]
    for place, measure in measures:
        whole = [f"m{place}_{name}" for name in ("some", *FAULTS)]
        real = [f"m{place}_{name}" for name in _numbers(measure)[len(whole) :]]
        values += [f"v.m{place}_measured AS m{place}_measured"]
        values += [f"{table.get(place, 'v')}.{name} AS {name}" for name in (*whole, *real)]
        nothing += [f"0 AS {name}" for name in (f"m{place}_measured", *whole)]
        nothing += [f"CAST(NULL AS DOUBLE) AS {name}" for name in real]
    values.insert(1, "0 AS lack")
    joins = "".join(
        f"\nLEFT JOIN labcoat_moments_{number} AS g{number} ON g{number}.experiment = v.experiment "
        f"AND g{number}.variant = v.variant AND v.variant = v.last_variant"
        for number in range(len(groups))
    )
    largest = f"SELECT {', '.join(values)}\nFROM {_VARIANTS} AS v{joins}\nORDER BY units DESC\nLIMIT {most}"
    return f"""SELECT * FROM (
{largest}
) AS labcoat_largest
UNION ALL
SELECT {", ".join(nothing)}
FROM {exposed_units.LEFT_OUT} AS l"""


def _numbers(measure: Measure) -> list[str]:
    return ["some", *FAULTS, *measure.columns, *(one + two for one, two in _pairs(measure))]


def _counts(measure: Measure, *, has_time: bool, until: datetime | None) -> str:
    """Return whether a unit is measured: in one variant, and its window has closed."""
    is_open_ended = not measure.window_seconds or not has_time
    return "u.variant = u.last_variant" + ("" if is_open_ended else f" AND {windows.is_closed(measure, until)}")


def _pairs(measure: Measure) -> list[tuple[str, str]]:
    return [*((one, one) for one in measure.columns), *combinations(measure.columns, 2)]


def _is_number(expression: str) -> str:
    """Neither empty nor NaN nor infinite; some engines call NaN the largest number, others equal to nothing."""
    return "1 = 1" if expression == ONE else f"ABS({expression}) <= {LARGEST}"


def _odd(measure: Measure, number: str) -> str:
    if measure.kind is not MetricKind.PROPORTION or number == ONE:
        return "0"
    return f"CASE WHEN {_is_number(number)} AND NOT {number} IN (0, 1) THEN 1 ELSE 0 END"
