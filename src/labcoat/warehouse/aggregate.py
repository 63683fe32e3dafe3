"""The one query for all metrics of experiments that share their exposures: units, then one row per variant.

Written in DuckDB's dialect with stand-ins for the user's rows; `sql.write` turns it into the engine's. Steps: rows of
the exposures; one row per unit, its first exposure; each metric's own rows summed up per unit, before and after that
moment; one wide row per unit; counts, means and covariances per variant. Only these leave the engine.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from labcoat.stats.results import MetricKind
from labcoat.warehouse import sql

LARGEST = "1e100"
"""A unit's value beyond this is taken for a mistake; its square would leave what a double holds."""
MOST_GROUPS = 100
"""Variants of one experiment that come back: a `variant` column that holds something else must not return millions."""

ONE, ZERO = "CAST(1 AS DOUBLE)", "CAST(0 AS DOUBLE)"
"""Of a plain 1.0 some engines make a decimal, whose mean they round to a few digits."""

EXPOSURES = "labcoat_exposures"
COLUMNS = "yxcd"
"""Of a unit, as in `stats.moments`: value, denominator, covariate, covariate's denominator."""
COUNTS = ("exposed", "crossed", "unnamed", "untimed", "repeated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One experiment of the query. key: of its rows. since, until: of the first exposure, the end excluded."""

    key: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureColumns:
    """Expressions over the exposures' rows, which are called e; None where the data has no such column."""

    unit: str
    variant: str
    exposed_at: str | None
    experiment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One metric of the query.

    rows: the name that stands for its own rows, None for those of the exposures. unit, time: expressions over them.
    value: None counts rows. covariate, covariate_denominator: known before the exposure.
    window_seconds: 0 for none. pre_seconds: before the exposure, summed up as the covariate.
    """

    kind: MetricKind
    rows: str | None
    unit: str = ""
    time: str | None = None
    value: str | None = None
    denominator: str | None = None
    covariate: str | None = None
    covariate_denominator: str | None = None
    window_seconds: int = 0
    pre_seconds: int = 0
    cap: float | None = None

    @property
    def columns(self) -> str:
        """Which of COLUMNS it has."""
        is_ratio = self.kind is MetricKind.RATIO
        has_covariate = bool(self.covariate or self.pre_seconds)
        return "y" + "x" * is_ratio + "c" * has_covariate + "d" * (is_ratio and has_covariate)

    @property
    def given(self) -> dict[str, str | None]:
        """Its columns in the rows, as expressions; None for a row that counts 1."""
        given = {"y": self.value, "x": self.denominator, "c": self.covariate, "d": self.covariate_denominator}
        return {name: given[name] for name in self.columns if name in "yx" or not self.pre_seconds}


def names(measures: Sequence[Measure]) -> tuple[str, ...]:
    """Return what the query's columns are called."""
    found = ["experiment", "variant", *COUNTS]
    for place, measure in enumerate(measures):
        found += [f"m{place}_{name}" for name in ("measured", "bad", "odd")]
        found += [f"m{place}_{column}" for column in measure.columns]
        found += [f"m{place}_{one}{two}" for one, two in _pairs(measure)]
    return tuple(found)


def query(subjects: Sequence[Subject], exposures: ExposureColumns, measures: Sequence[Measure]) -> str:
    """Return the query in our dialect; its columns are `names`."""
    keyed = list(enumerate(measures))
    own_rows = {measure.rows: [pair for pair in keyed if pair[1].rows == measure.rows] for measure in measures}
    inline = own_rows.pop(None, [])
    steps = {
        "labcoat_plan": _plan(subjects),
        "labcoat_rows": _rows(subjects, exposures, inline),
        "labcoat_units": _units(inline),
        **{
            f"labcoat_sums_{number}": _sums(rows, mine)
            for number, (rows, mine) in enumerate(own_rows.items())
            if rows is not None
        },
        "labcoat_wide": _wide(keyed, list(own_rows.values()), has_time=exposures.exposed_at is not None),
    }
    with_steps = ",\n".join(f"{name} AS (\n{step}\n)" for name, step in steps.items())
    limit = MOST_GROUPS * len(subjects)
    return f"WITH {with_steps}\n{_moments(keyed)}\nGROUP BY experiment, variant\nORDER BY exposed DESC\nLIMIT {limit}"


def _plan(subjects: Sequence[Subject]) -> str:
    return "\nUNION ALL ".join(
        f"SELECT {sql.quoted_text(one.key)} AS experiment, {sql.instant(one.since)} AS since, "
        f"{sql.instant(one.until)} AS until"
        for one in subjects
    )


def _rows(subjects: Sequence[Subject], exposures: ExposureColumns, inline: Iterable[tuple[int, Measure]]) -> str:
    exposed_at = exposures.exposed_at or "CAST(NULL AS TIMESTAMPTZ)"
    values = [
        f"{expression} AS m{place}_{name}" for place, measure in inline for name, expression in measure.given.items()
    ]
    columns = [
        "p.experiment AS experiment",
        "p.since AS since",
        "p.until AS until",
        f"{exposures.unit} AS unit",
        f"{exposures.variant} AS variant",
        f"{exposed_at} AS exposed_at",
        *values,
    ]
    if exposures.experiment is None:
        rows = f"FROM {EXPOSURES} AS e CROSS JOIN labcoat_plan AS p\nWHERE 1 = 1"
    else:
        # The list is for the engine's index or partitions; the join alone would read them all.
        keys = ", ".join(sql.quoted_text(one.key) for one in subjects)
        rows = (
            f"FROM {EXPOSURES} AS e INNER JOIN labcoat_plan AS p ON {exposures.experiment} = p.experiment\n"
            f"WHERE {exposures.experiment} IN ({keys})"
        )
    if exposures.exposed_at is not None:
        rows += f" AND ({exposed_at} IS NULL OR {exposed_at} < p.until)"
    return f"SELECT {', '.join(columns)}\n{rows}"


def _units(inline: Iterable[tuple[int, Measure]]) -> str:
    """One row per unit: its first exposure, and what its rows say beside it."""
    values = []
    for place, measure in inline:
        key, given = f"m{place}", list(measure.given)
        values += [
            f"MAX(CASE WHEN {_is_number(f'{key}_{name}')} THEN {key}_{name} END) AS {key}_{name}" for name in given
        ]
        all_numbers = " AND ".join(_is_number(f"{key}_{name}") for name in given)
        values.append(f"SUM(CASE WHEN {all_numbers} THEN 0 ELSE 1 END) AS {key}_bad")
        values.append(f"SUM({_odd(measure, f'{key}_y')}) AS {key}_odd")
    extra = "".join(f", {value}" for value in values)
    return f"""SELECT experiment, unit, MIN(since) AS since, MIN(until) AS until, MIN(exposed_at) AS exposed_at,
  MIN(variant) AS variant, MAX(variant) AS last_variant, COUNT(*) AS row_count,
  COUNT(*) - COUNT(exposed_at) AS untimed_count{extra}
FROM labcoat_rows
GROUP BY experiment, unit"""


def _sums(rows: str, measures: Sequence[tuple[int, Measure]]) -> str:
    """One row per unit of what a metric's own rows add up to; metrics over the same rows share the scan."""
    first = measures[0][1]
    raw = [
        f"{expression} AS m{place}_{name}"
        for place, measure in measures
        for name, expression in measure.given.items()
        if expression is not None
    ]
    time = "" if first.time is None else f", {first.time} AS at"
    values = [value for place, measure in measures for value in _summed(f"m{place}", measure)]
    on = "r.unit = u.unit"
    if first.time is not None:
        earliest = max(measure.pre_seconds for _, measure in measures)
        on += f" AND r.at < u.until AND r.at >= u.exposed_at - INTERVAL '{earliest}' SECOND"
    inner = f"SELECT {first.unit} AS unit{time}{''.join(f', {one}' for one in raw)} FROM {rows} AS e"
    return f"""SELECT u.experiment AS experiment, u.unit AS unit, {", ".join(values)}
FROM labcoat_units AS u INNER JOIN ({inner}) AS r ON {on}
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
    all_numbers = " AND ".join(_is_number(number) for number in numbers.values())
    relevant = f"({after} OR {before})" if measure.pre_seconds else after
    return [
        *(f"{total_} AS {key}_{name}" for name, total_ in sums.items()),
        f"SUM(CASE WHEN {relevant} THEN CASE WHEN {all_numbers} THEN 0 ELSE 1 END ELSE 0 END) AS {key}_bad",
        f"SUM(CASE WHEN {relevant} THEN {_odd(measure, numbers['y'])} ELSE 0 END) AS {key}_odd",
    ]


def _when(measure: Measure) -> tuple[str, str]:
    """Return when a row counts, and when it counts as the past; a row without a time always counts."""
    if measure.time is None:
        return "1 = 1", "1 = 0"
    after = "r.at >= u.exposed_at"
    if measure.window_seconds:
        after += f" AND r.at < u.exposed_at + INTERVAL '{measure.window_seconds}' SECOND"
    return after, f"r.at < u.exposed_at AND r.at >= u.exposed_at - INTERVAL '{measure.pre_seconds}' SECOND"


def _wide(
    measures: Sequence[tuple[int, Measure]], groups: Sequence[Sequence[tuple[int, Measure]]], *, has_time: bool
) -> str:
    """One row per unit with the numbers that count; those of units whose window is open, or who crossed, are NULL."""
    table = {place: f"s{number}" for number, mine in enumerate(groups) for place, _ in mine}
    columns = []
    for place, measure in measures:
        key, source = f"m{place}", table.get(place, "u")
        counts = _counts(measure) if has_time else "u.variant = u.last_variant"
        for name in measure.columns:
            number = f"u.{key}_{name}" if source == "u" else f"COALESCE({source}.{key}_{name}, {ZERO})"
            if measure.cap is not None and name in "yc":
                cap = f"CAST({measure.cap!r} AS DOUBLE)"
                number = f"CASE WHEN {number} > {cap} THEN {cap} ELSE {number} END"
            columns.append(f"CASE WHEN {counts} THEN {number} END AS {key}_{name}")
        columns.append(f"CASE WHEN {counts} THEN 1 ELSE 0 END AS {key}_counts")
        columns += [
            f"CASE WHEN {counts} THEN COALESCE({source}.{key}_{name}, 0) ELSE 0 END AS {key}_{name}"
            for name in ("bad", "odd")
        ]
    joins = "".join(
        f"\nLEFT JOIN labcoat_sums_{number} AS s{number} ON s{number}.experiment = u.experiment "
        f"AND s{number}.unit = u.unit"
        for number in range(len(groups))
    )
    extra = "".join(f",\n  {column}" for column in columns)
    bounded = "\nWHERE u.exposed_at IS NULL OR u.exposed_at >= u.since" if has_time else ""
    return f"""SELECT u.experiment AS experiment, u.variant AS variant,
  CASE WHEN u.variant = u.last_variant OR u.variant IS NULL THEN 1 ELSE 0 END AS is_one,
  CASE WHEN u.unit IS NULL THEN u.row_count ELSE 0 END AS unnamed,
  CASE WHEN {"u.untimed_count > 0" if has_time else "1 = 0"} THEN 1 ELSE 0 END AS is_untimed,
  CASE WHEN u.row_count > 1 AND u.variant = u.last_variant THEN 1 ELSE 0 END AS is_repeated{extra}
FROM labcoat_units AS u{joins}{bounded}"""


def _counts(measure: Measure) -> str:
    closed = f"u.exposed_at + INTERVAL '{measure.window_seconds}' SECOND < u.until"
    return "u.variant = u.last_variant" + (f" AND {closed}" if measure.window_seconds else "")


def _moments(measures: Sequence[tuple[int, Measure]]) -> str:
    values = [
        "experiment",
        "variant",
        "SUM(is_one) AS exposed",
        "SUM(1 - is_one) AS crossed",
        "SUM(unnamed) AS unnamed",
        "SUM(is_untimed) AS untimed",
        "SUM(is_repeated) AS repeated",
    ]
    for place, measure in measures:
        key = f"m{place}"
        values += [f"SUM({key}_{name}) AS {key}_{called}" for name, called in _TOTALS]
        values += [f"AVG({key}_{column}) AS {key}_{column}" for column in measure.columns]
        values += [
            f"VAR_SAMP({key}_{one}) AS {key}_{one}{two}"
            if one == two
            else f"COVAR_SAMP({key}_{one}, {key}_{two}) AS {key}_{one}{two}"
            for one, two in _pairs(measure)
        ]
    return f"SELECT {', '.join(values)}\nFROM labcoat_wide"


_TOTALS = (("counts", "measured"), ("bad", "bad"), ("odd", "odd"))


def _pairs(measure: Measure) -> list[tuple[str, str]]:
    return [*((one, one) for one in measure.columns), *combinations(measure.columns, 2)]


def _is_number(expression: str) -> str:
    """Neither empty nor NaN nor infinite; some engines call NaN the largest number, others equal to nothing."""
    return "1 = 1" if expression == ONE else f"ABS({expression}) <= {LARGEST}"


def _odd(measure: Measure, number: str) -> str:
    if measure.kind is not MetricKind.PROPORTION or number == ONE:
        return "0"
    return f"CASE WHEN {_is_number(number)} AND NOT {number} IN (0, 1) THEN 1 ELSE 0 END"
