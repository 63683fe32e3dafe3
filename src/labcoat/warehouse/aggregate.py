"""The one query for all metrics of experiments that share their exposures: units, then one row per variant.

Written in DuckDB's dialect with stand-ins for the user's rows; `sql.write` turns it into the engine's. Steps: rows of
the exposures; one row per unit, its first exposure; each metric's own rows summed up per unit, before and after that
moment; counts, means and covariances per variant. Only these leave the engine. Hashing every unit is what costs: that
is done once with few columns, and units without rows of a metric are never written down for it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from labcoat.stats.rule import MetricKind
from labcoat.warehouse import sql
from labcoat.warehouse.measures import COUNTS, FAULTS, LARGEST, ONE, ZERO, ExposureColumns, Measure, Subject

MOST_GROUPS = 100
"""Variants of one experiment that come back: a `variant` column that holds something else must not return millions."""

EXPOSURES = "labcoat_exposures"


def names(measures: Sequence[Measure]) -> tuple[str, ...]:
    """Return what the query's columns are called."""
    found = ["experiment", "variant", *COUNTS]
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
    own_rows = {measure.rows: [pair for pair in keyed if pair[1].rows == measure.rows] for measure in measures}
    inline = own_rows.pop(None, [])
    has_time = exposures.exposed_at is not None
    rows = {"labcoat_rows": _rows(subjects, exposures, inline), "labcoat_units": _units(inline)}
    if scans_again and inline and not own_rows:
        rows = _rows_apart(rows["labcoat_rows"], inline)
    steps = {
        **({"labcoat_plan": _plan(subjects)} if len(subjects) > 1 else {}),
        **rows,
        "labcoat_seen": _seen(subjects, inline, has_time=has_time),
        "labcoat_variants": _variants(subjects, keyed, inline, has_time=has_time),
    }
    for number, (name, mine) in enumerate(own_rows.items()):
        assert name is not None
        steps[f"labcoat_sums_{number}"] = _sums(name, mine, has_time=has_time)
        steps[f"labcoat_moments_{number}"] = _moments_of_sums(mine, number, has_time=has_time)
    with_steps = ",\n".join(f"{name} AS {_kept(name, rows)}(\n{step}\n)" for name, step in steps.items())
    limit = MOST_GROUPS * len(subjects)
    return f"WITH {with_steps}\n{_answer(keyed, list(own_rows.values()))}\nORDER BY exposed DESC\nLIMIT {limit}"


def _plan(subjects: Sequence[Subject]) -> str:
    # Units are grouped by the experiment's number here: its name would be hashed for each of them.
    return "\nUNION ALL ".join(
        f"SELECT {number} AS experiment, {sql.quoted_text(one.key)} AS name, {sql.instant(one.since)} AS since, "
        f"{sql.instant(one.until)} AS until"
        for number, one in enumerate(subjects)
    )


def _rows(subjects: Sequence[Subject], exposures: ExposureColumns, inline: Iterable[tuple[int, Measure]]) -> str:
    exposed_at = exposures.exposed_at or "CAST(NULL AS TIMESTAMPTZ)"
    values = [
        f"{expression} AS m{place}_{name}" for place, measure in inline for name, expression in measure.given.items()
    ]
    is_one = len(subjects) == 1
    columns = [
        "0 AS experiment" if is_one else "p.experiment AS experiment",
        f"{exposures.unit} AS unit",
        f"{exposures.variant} AS variant",
        f"{exposed_at} AS exposed_at",
        *values,
    ]
    plan = "" if is_one else " CROSS JOIN labcoat_plan AS p"
    wanted = "1 = 1"
    if exposures.experiment is not None:
        # The list is for the engine's index or partitions; the join alone would read them all.
        keys = ", ".join(sql.quoted_text(one.key) for one in subjects)
        plan = "" if is_one else f" INNER JOIN labcoat_plan AS p ON {exposures.experiment} = p.name"
        wanted = f"{exposures.experiment} IN ({keys})"
    if exposures.exposed_at is not None:
        ends = {sql.instant(one.until) for one in subjects}
        end = ends.pop() if len(ends) == 1 else "p.until"
        wanted += f" AND ({exposed_at} IS NULL OR {exposed_at} < {end})"
    return f"SELECT {', '.join(columns)}\nFROM {EXPOSURES} AS e{plan}\nWHERE {wanted}"


def _units(inline: Iterable[tuple[int, Measure]]) -> str:
    """One row per unit: its first exposure, and what its row says beside it.

    Of a unit with several rows the largest value comes back, which is not used: such units are refused or crossed.
    """
    values = [f"MAX(m{place}_{name}) AS m{place}_{name}" for place, measure in inline for name in measure.given]
    extra = "".join(f", {value}" for value in values)
    return f"""SELECT experiment, unit, MIN(exposed_at) AS exposed_at, MIN(variant) AS variant,
  MAX(variant) AS last_variant, COUNT(*) AS row_count, COUNT(exposed_at) AS timed_count{extra}
FROM labcoat_rows
GROUP BY experiment, unit"""


def _rows_apart(rows: str, inline: Sequence[tuple[int, Measure]]) -> dict[str, str]:
    """Find the units with several rows by their keys alone; all others are units as they are, and never hashed wide."""
    given = [f"m{place}_{name}" for place, measure in inline for name in measure.given]
    columns = ", ".join(f"r.{name} AS {name}" for name in ("experiment", "unit", "exposed_at", "variant"))
    several = "labcoat_several AS s ON s.experiment = r.experiment AND s.unit = r.unit"
    single = f"""SELECT {columns}, r.variant AS last_variant, 1 AS row_count,
  CASE WHEN r.exposed_at IS NULL THEN 0 ELSE 1 END AS timed_count{"".join(f", r.{name} AS {name}" for name in given)}
FROM labcoat_rows AS r LEFT JOIN {several}
WHERE s.unit IS NULL"""
    grouped = _units(inline).replace("FROM labcoat_rows", "FROM labcoat_rows_of_several")
    return {
        "labcoat_rows": rows,
        "labcoat_several": "SELECT experiment, unit FROM labcoat_rows GROUP BY experiment, unit HAVING COUNT(*) > 1",
        "labcoat_rows_of_several": f"SELECT r.* FROM labcoat_rows AS r INNER JOIN {several}",
        "labcoat_units": f"{single}\nUNION ALL\n{grouped}",
    }


def _kept(name: str, rows: Mapping[str, str]) -> str:
    """Return that DuckDB must not write down what is read several times, where it would."""
    return "NOT MATERIALIZED " if "labcoat_several" in rows and name in ("labcoat_rows", "labcoat_units") else ""


def _seen(subjects: Sequence[Subject], inline: Iterable[tuple[int, Measure]], *, has_time: bool) -> str:
    """The units first exposed since the start, each with its experiment's end."""
    values = "".join(f", u.m{place}_{name} AS m{place}_{name}" for place, measure in inline for name in measure.given)
    since, until, plan = "p.since", "p.until", " INNER JOIN labcoat_plan AS p ON u.experiment = p.experiment"
    if len(subjects) == 1:
        since, until, plan = sql.instant(subjects[0].since), sql.instant(subjects[0].until), ""
    bounded = f"\nWHERE u.exposed_at IS NULL OR u.exposed_at >= {since}" if has_time else ""
    return f"""SELECT u.experiment AS experiment, u.unit AS unit, u.exposed_at AS exposed_at, u.variant AS variant,
  u.last_variant AS last_variant, u.row_count AS row_count, u.timed_count AS timed_count, {until} AS until{values}
FROM labcoat_units AS u{plan}{bounded}"""


def _variants(
    subjects: Sequence[Subject],
    measures: Sequence[tuple[int, Measure]],
    inline: Sequence[tuple[int, Measure]],
    *,
    has_time: bool,
) -> str:
    """One row per variant: its units, how many each metric measures, and the moments of what is beside exposures."""
    moved_on = "".join(f" OR {one}" for one in _moved_on(subjects))
    untimed = "CASE WHEN u.timed_count < u.row_count THEN 1 ELSE 0 END" if has_time else "0"
    values = [
        "SUM(CASE WHEN u.variant = u.last_variant OR u.variant IS NULL THEN 1 ELSE 0 END) AS exposed",
        f"SUM(CASE WHEN u.variant = u.last_variant OR u.variant IS NULL{moved_on} THEN 0 ELSE 1 END) AS crossed",
        "SUM(CASE WHEN u.unit IS NULL THEN u.row_count ELSE 0 END) AS unnamed",
        f"SUM({untimed}) AS untimed",
        "SUM(CASE WHEN u.row_count > 1 AND u.variant = u.last_variant THEN 1 ELSE 0 END) AS repeated",
    ]
    values += [
        f"SUM(CASE WHEN {_counts(measure, has_time=has_time)} THEN 1 ELSE 0 END) AS m{place}_measured"
        for place, measure in measures
    ]
    for place, measure in inline:
        counts, key = _counts(measure, has_time=has_time), f"m{place}"
        all_numbers = " AND ".join(_is_number(f"u.{key}_{name}") for name in measure.given)
        faults = {
            "bad": f"SUM(CASE WHEN {counts} THEN CASE WHEN {all_numbers} THEN 0 ELSE 1 END ELSE 0 END)",
            "odd": f"SUM(CASE WHEN {counts} THEN {_odd(measure, f'u.{key}_y')} ELSE 0 END)",
        }
        number = {name: f"u.{key}_{name}" for name in measure.columns}
        values += _moments(measure, key, counts=counts, numbers=number, faults=faults)
    return _by_variant(values, "labcoat_seen")


def _moved_on(subjects: Sequence[Subject]) -> Iterator[str]:
    """Yield when a unit was given another variant because its own was dropped: it counts in none, and is no fault."""
    for number, one in enumerate(subjects):
        if one.dropped:
            names = ", ".join(sql.quoted_text(name) for name in one.dropped)
            yield f"(u.experiment = {number} AND (u.variant IN ({names}) OR u.last_variant IN ({names})))"


def _sums(rows: str, measures: Sequence[tuple[int, Measure]], *, has_time: bool) -> str:
    """One row per unit that has any of a metric's own rows; metrics over the same rows share the scan."""
    first = measures[0][1]
    raw = [
        f"{expression} AS m{place}_{name}"
        for place, measure in measures
        for name, expression in measure.given.items()
        if expression is not None
    ]
    time = "" if first.time is None else f", {first.time} AS happened_at"
    if first.untimed is not None:
        time += f", CASE WHEN {first.untimed} THEN 1 ELSE 0 END AS is_untimed"
    values = [value for place, measure in measures for value in _summed(f"m{place}", measure)]
    on = "r.unit = u.unit AND u.variant = u.last_variant"
    if first.time is not None:
        earliest = max(measure.pre_seconds for _, measure in measures)
        near = f"r.happened_at < u.until AND r.happened_at >= u.exposed_at - INTERVAL '{earliest}' SECOND"
        on += f" AND {near}" if first.untimed is None else f" AND (({near}) OR r.is_untimed = 1)"
    times = ", MIN(u.exposed_at) AS exposed_at, MIN(u.until) AS until" if has_time else ""
    inner = f"SELECT {first.unit} AS unit{time}{''.join(f', {one}' for one in raw)} FROM {rows} AS e"
    return f"""SELECT u.experiment AS experiment, MIN(u.variant) AS variant{times}, {", ".join(values)}
FROM labcoat_seen AS u INNER JOIN ({inner}) AS r ON {on}
GROUP BY u.experiment, u.unit"""


def _summed(key: str, measure: Measure) -> list[str]:
    after, before = _when(measure)
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


def _moments_of_sums(measures: Sequence[tuple[int, Measure]], number: int, *, has_time: bool) -> str:
    """One row per variant: the moments of the units that have rows; all others have 0, and `groups` adds them."""
    values = []
    for place, measure in measures:
        key = f"m{place}"
        counts = _closed(measure) if has_time else "1 = 1"
        raw = {name: ONE if value is None else value for name, value in measure.given.items()}
        faults = {
            name: f"SUM(CASE WHEN {counts} THEN u.{key}_{name} ELSE 0 END)"
            for name in _faults(measure, raw, "1 = 1", "1 = 1")
        }
        if measure.untimed is not None:
            faults["untimed"] = f"SUM(u.{key}_untimed)"
        if measure.needs_one_row:
            faults["repeated"] = f"SUM(u.{key}_repeated)"
        totals = {name: f"u.{key}_{name}" for name in measure.columns}
        values += _moments(measure, key, counts=counts, numbers=totals, faults=faults)
    return _by_variant(values, f"labcoat_sums_{number}")


def _by_variant(values: Sequence[str], units: str) -> str:
    listed = ",\n  ".join(["u.experiment AS experiment", "u.variant AS variant", *values])
    return f"SELECT {listed}\nFROM {units} AS u\nGROUP BY u.experiment, u.variant"


def _moments(
    measure: Measure, key: str, *, counts: str, numbers: Mapping[str, str], faults: Mapping[str, str]
) -> list[str]:
    """Return the columns of one metric: units that count with rows, faults, means, variances and covariances."""
    given = {}
    for name, number in numbers.items():
        if measure.cap is not None and name in "yc":
            cap = f"CAST({measure.cap!r} AS DOUBLE)"
            number = f"CASE WHEN {number} > {cap} THEN {cap} ELSE {number} END"
        given[name] = f"CASE WHEN {counts} THEN {number} END"
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


def _answer(measures: Sequence[tuple[int, Measure]], groups: Sequence[Sequence[tuple[int, Measure]]]) -> str:
    table = {place: f"g{number}" for number, mine in enumerate(groups) for place, _ in mine}
    values = ["v.experiment AS experiment", "v.variant AS variant", *(f"v.{name} AS {name}" for name in COUNTS)]
    for place, measure in measures:
        values.append(f"v.m{place}_measured AS m{place}_measured")
        values += [f"{table.get(place, 'v')}.m{place}_{name} AS m{place}_{name}" for name in _numbers(measure)]
    joins = "".join(
        f"\nLEFT JOIN labcoat_moments_{number} AS g{number} ON g{number}.experiment = v.experiment "
        f"AND g{number}.variant = v.variant"
        for number in range(len(groups))
    )
    return f"SELECT {', '.join(values)}\nFROM labcoat_variants AS v{joins}"


def _numbers(measure: Measure) -> list[str]:
    return ["some", *FAULTS, *measure.columns, *(one + two for one, two in _pairs(measure))]


def _when(measure: Measure) -> tuple[str, str]:
    """Return when a row counts, and when it counts as the past; a row without a time always counts."""
    if measure.time is None:
        return "1 = 1", "1 = 0"
    after = "r.happened_at >= u.exposed_at"
    if measure.window_seconds:
        after += f" AND r.happened_at < u.exposed_at + INTERVAL '{measure.window_seconds}' SECOND"
    return (
        after,
        f"r.happened_at < u.exposed_at AND r.happened_at >= u.exposed_at - INTERVAL '{measure.pre_seconds}' SECOND",
    )


def _counts(measure: Measure, *, has_time: bool) -> str:
    """Return whether a unit is measured: in one variant, and its window has closed."""
    is_open_ended = not measure.window_seconds or not has_time
    return "u.variant = u.last_variant" + ("" if is_open_ended else f" AND {_closed(measure)}")


def _closed(measure: Measure) -> str:
    return f"u.exposed_at + INTERVAL '{measure.window_seconds}' SECOND < u.until" if measure.window_seconds else "1 = 1"


def _pairs(measure: Measure) -> list[tuple[str, str]]:
    return [*((one, one) for one in measure.columns), *combinations(measure.columns, 2)]


def _is_number(expression: str) -> str:
    """Neither empty nor NaN nor infinite; some engines call NaN the largest number, others equal to nothing."""
    return "1 = 1" if expression == ONE else f"ABS({expression}) <= {LARGEST}"


def _odd(measure: Measure, number: str) -> str:
    if measure.kind is not MetricKind.PROPORTION or number == ONE:
        return "0"
    return f"CASE WHEN {_is_number(number)} AND NOT {number} IN (0, 1) THEN 1 ELSE 0 END"
