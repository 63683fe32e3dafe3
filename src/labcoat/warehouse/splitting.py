"""The queries of a replay: past units by the day they count, and the sums of many random splits of them.

A unit is in the treatment of split s if bit s of MD5(unit/seed/word) is 1, counted from the left; each word has 128.
MD5 is the same everywhere, so one seed gives the same splits on every engine. Units are summed by pairs of its hex
digits, which is 256 groups for eight splits, and the groups added up to splits: 16 passes over the units for 128
splits instead of 128. The sums are of differences from the mean, so that nothing cancels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations_with_replacement

from labcoat.warehouse import aggregate, exposed_units, population, sql, windows
from labcoat.warehouse.exposed_units import EXPOSURES, ROWS, Lack
from labcoat.warehouse.measures import FAULTS, Measure, Subject
from labcoat.warehouse.resolving import Resolved

SPLITS_OF_A_WORD, SPLITS_OF_A_PAIR = 128, 8
_PLACED = "labcoat_placed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A period. edges: when its days end, the first day's first; a unit of none of them is not read."""

    since: datetime
    edges: Sequence[datetime]

    @property
    def until(self) -> datetime:
        """When it ends."""
        return self.edges[-1]


def rows_query(resolved: Resolved, past: Past) -> str:
    """Return, in our dialect, the query for how many rows the exposures have, and how many of them lack something."""
    steps = {ROWS: _units(resolved, past)[ROWS]}
    lacks = f"SUM(CASE WHEN r.lack > {Lack.NOTHING:d} THEN 1 ELSE 0 END)"
    return _with_steps(steps, f"SELECT COUNT(*) AS seen, {lacks} AS incomplete FROM {ROWS} AS r")


def newest_query(resolved: Resolved) -> str:
    """Return, in our dialect, the query for the time of the newest exposure, as text."""
    return f"SELECT CAST(MAX({resolved.exposures.known_at}) AS TEXT) AS newest_at FROM {EXPOSURES} AS e"


def profile_query(resolved: Resolved, past: Past) -> str:
    """Return, in our dialect, the query for units, faults and moments by the day they came and the day they count."""
    columns = resolved.measures[0].columns
    values = [
        "COUNT(*) AS units",
        "SUM(p.repeated) AS repeated_units",
        "SUM(p.has_clock) AS timed_units",
        *(f"SUM(CASE WHEN p.counted_day > 0 THEN p.{name} ELSE 0 END) AS {name}" for name in FAULTS),
        *(f"AVG(p.{name}) AS {name}" for name in columns),
        *(
            f"VAR_SAMP(p.{one}) AS {one}{two}" if one == two else f"COVAR_SAMP(p.{one}, p.{two}) AS {one}{two}"
            for one, two in combinations_with_replacement(columns, 2)
        ),
    ]
    ours = f"""SELECT p.exposed_day AS exposed_day, p.counted_day AS counted_day, {", ".join(values)}
FROM {_PLACED} AS p
GROUP BY p.exposed_day, p.counted_day"""
    return _with_steps(_steps(resolved, past), ours)


def splits_query(resolved: Resolved, past: Past, centres: Sequence[float], *, seed: int, word: int, splits: int) -> str:
    """Return, in our dialect, the query for the sums of each split's treatment. centres: of the columns."""
    columns = resolved.measures[0].columns
    pairs = list(combinations_with_replacement(columns, 2))
    apart = [
        f"p.{name} - CAST('{centre!r}' AS DOUBLE) AS {name}" for name, centre in zip(columns, centres, strict=True)
    ]
    keys = ("exposed_day", "counted_day")
    plain = ", ".join(f"p.{name} AS {name}" for name in keys)
    hashed = f"MD5(CAST(p.unit AS TEXT) || '/{seed}/{word}') AS digest"
    places = " UNION ALL ".join(f"SELECT {1 + 2 * pair} AS pair" for pair in range(-(-splits // SPLITS_OF_A_PAIR)))
    listed = ", ".join(f"h.{name} AS {name}" for name in (*keys, *columns))
    sums = {f"sum_{name}": f"d.{name}" for name in columns}
    sums |= {f"sum_{one}{two}": f"d.{one} * d.{two}" for one, two in pairs}
    by_digits = ("d.exposed_day", "d.counted_day", "d.pair", "d.digits")
    steps = {
        **_steps(resolved, past),
        "labcoat_hashed": f"SELECT {plain}, {hashed}, {', '.join(apart)} FROM {_PLACED} AS p",
        "labcoat_digits": f"SELECT {listed}, s.pair AS pair, SUBSTRING(h.digest, s.pair, 2) AS digits "
        f"FROM labcoat_hashed AS h CROSS JOIN ({places}) AS s",
        "labcoat_by_digits": f"SELECT {', '.join(f'{one} AS {one[2:]}' for one in by_digits)}, COUNT(*) AS units, "
        f"{', '.join(f'SUM({value}) AS {name}' for name, value in sums.items())}\n"
        f"FROM labcoat_digits AS d\nGROUP BY {', '.join(by_digits)}",
        "labcoat_turns": " UNION ALL ".join(
            f"SELECT {1 + half} AS half, '{digit:x}' AS digit, {4 * half + turn} AS turn"
            for half in range(2)
            for digit in range(16)
            for turn in range(4)
            if digit >> (3 - turn) & 1
        ),
    }
    ours = f"""SELECT g.pair AS pair, t.turn AS turn, g.exposed_day AS exposed_day, g.counted_day AS counted_day,
  SUM(g.units) AS units, {", ".join(f"SUM(g.{name}) AS {name}" for name in sums)}
FROM labcoat_by_digits AS g INNER JOIN labcoat_turns AS t ON t.digit = SUBSTRING(g.digits, t.half, 1)
GROUP BY g.pair, t.turn, g.exposed_day, g.counted_day"""
    return _with_steps(steps, ours)


def _steps(resolved: Resolved, past: Past) -> dict[str, str]:
    """Return the steps to one row per unit with its values, the day it came and the day from which it counts."""
    (measure,) = resolved.measures
    names = ("unit", *measure.columns, *FAULTS)
    placed = f"""SELECT {", ".join(f"v.{name} AS {name}" for name in names)},
  {_day("v.exposed_at", past.edges)} AS exposed_day, {_counted_day(measure, past.edges)} AS counted_day,
  {windows.has_clock("v.exposed_at")} AS has_clock
FROM {aggregate.VALUES} AS v"""
    return {
        **_units(resolved, past),
        **aggregate.steps_of_units(measure, _subject(past)),
        _PLACED: placed,
    }


def _units(resolved: Resolved, past: Past) -> dict[str, str]:
    """Return the steps to one row per unit, as readouts and plans have them."""
    (measure,) = resolved.measures
    inline = [(0, measure)] if measure.rows is None else []
    columns = population.everybody(resolved.exposures, since=past.since, is_inline=bool(inline))
    steps = exposed_units.steps([_subject(past)], columns, inline, reads_twice=False)
    return {name: steps[name] for name in (ROWS, exposed_units.UNITS, exposed_units.SEEN)}


def _subject(past: Past) -> Subject:
    return Subject(key="", since=past.since, until=past.until, variants=(population.EVERYBODY,), read_since=past.since)


def _counted_day(measure: Measure, edges: Sequence[datetime]) -> str:
    if not measure.window_seconds:
        return _day("v.exposed_at", edges)
    return _day(f"{windows.begin(measure, 'v.exposed_at')} + INTERVAL '{measure.window_seconds}' SECOND", edges)


def _day(moment: str, edges: Sequence[datetime]) -> str:
    """Return the number of the day that a moment is in, 0 for none: no two engines count days alike."""
    cases = (f"WHEN {moment} < {sql.instant(edge)} THEN {number}" for number, edge in enumerate(edges, start=1))
    return f"CASE {' '.join(cases)} ELSE 0 END"


def _with_steps(steps: Mapping[str, str], ours: str) -> str:
    """Return a query with the steps before it."""
    return "WITH " + ",\n".join(f"{name} AS (\n{step}\n)" for name, step in steps.items()) + f"\n{ours}"
