"""Read text and numbers as times: by a format that is declared, or that the whole column proves; never by a guess.

2026-11-05 09:30:00 and its kin (ISO 8601) are always themselves. In 05/11/2026 a field above 12 anywhere in the column
is the day; where no row has one, or two ways of writing meet, somebody has to say the format.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from labcoat.warehouse import sql
from labcoat.warehouse.engines.engine import whole
from labcoat.warehouse.errors import some
from labcoat.warehouse.exposed_units import EARLIEST, LATEST

ISO = "iso"
EPOCHS: Mapping[str, int] = {"epoch seconds": 1_000_000, "epoch milliseconds": 1000, "epoch microseconds": 1}
"""Numbers since 1970-01-01 00:00 UTC, and the microseconds of one."""
SMALLEST_EPOCH = 1e8
"""Seconds since 1970 until 1973; smaller numbers are something else, 20,261,105 among them."""
MOST_SHAPES = 50
"""Ways of writing that are looked at; a column of free text has more, and is no column of times."""
_SAY = "`%m/%d/%Y`, `%d.%m.%Y %H:%M`, `iso`, or `epoch seconds` or `epoch milliseconds` for numbers"

_ZONE = r"(?P<zone> ?(?:[az](?:/a)?|[+-](?:9(?::?9)?|Y)))"
_CLOCK = rf"(?P<gap>, |a| )9:9(?P<second>:9(?P<fraction>\.[9Y])?)?(?P<half> ?~)?{_ZONE}?"
_NAMES_ZONES = "names time zones. Write times in UTC or with an offset as +01:00, or read them in `sql`"
_ISO_DATE = re.compile(rf"Y([-/])9\1(?P<third>9)(?:{_CLOCK})?")
_NUMBERS = re.compile(rf"9(?P<sep>[-/.])9(?P=sep)(?P<year>Y|9)(?:{_CLOCK})?")
_NAMED = re.compile(rf"(?P<date>9[ -]a[ -]Y|9\.? a,? Y|a 9,? Y)(?:{_CLOCK})?")


def checked_format(text: str) -> str:
    """Return a format of the metrics file; raise ValueError, saying what to write, for one that names no moment.

    >>> checked_format("%m/%d/%Y")
    '%m/%d/%Y'
    """
    found = re.findall(r"%(.)", text)
    known = set(found)
    is_date = len({"m", "b", "B"} & known) == 1 and "d" in known and len({"Y", "y"} & known) == 1
    is_clock = not {"H", "I", "M", "S", "f", "p"} & known or (
        "M" in known and len({"H", "I"} & known) == 1 and ("I" in known) == ("p" in known)
    )
    is_plain = text.isprintable() and len(text) <= 40 and known <= set("YymdbBHIMSfpz") and len(found) == len(known)
    if text == ISO or text in EPOCHS or (is_plain and is_date and is_clock and text.count("%") == len(found)):
        return text
    message = f"`{text[:40]}` is no `time_format`. Write it as {_SAY}"
    raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Texts that are written alike, and the largest of their first and second numbers.

    text: four digits as Y, other digits as 9, AM and PM as ~, the names of UTC after digits as z, other words as a.
    """

    text: str
    count: int
    first: int
    second: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How a column's texts are read.

    formats: of strptime; none for ISO. has_clock: some of them have a time of day. has_zone: their times have a zone;
    None where nobody can tell.
    """

    formats: tuple[str, ...]
    has_clock: bool
    has_zone: bool | None = None


class UnclearError(Exception):
    """A column could be read in several ways, or in none; the message begins after its name."""


def shapes_query(column: str, rows: str) -> str:
    """Return SQL, in DuckDB's dialect, for how a column's texts are written. rows: where they are, called e."""
    text = f"TRIM({column})"
    shape = f"REGEXP_REPLACE({text}, '([0-9] ?)[AaPp][Mm]$', '\\1~')"
    for pattern, sign in (
        ("([0-9] ?)(Z|[Uu][Tt][Cc]|[Gg][Mm][Tt])$", r"\1!"),
        ("[A-Za-z]+", "a"),
        ("!$", "z"),
        (r"\b[0-9]{4}\b", "Y"),
        (r"(^|[^0-9])[0-9]{4}a", r"\1Ya"),
        ("[0-9]+", "9"),
    ):
        shape = f"REGEXP_REPLACE({shape}, '{pattern}', '{sign}', 'g')"

    def largest(place: int) -> str:
        return f"MAX(TRY_CAST(REGEXP_EXTRACT({text}, '^([0-9]+)[^0-9]+([0-9]+)', {place}) AS BIGINT))"

    columns = f"{shape} AS shape, COUNT(*) AS texts, {largest(1)} AS first_number, {largest(2)} AS second_number"
    where = f"FROM {rows} AS e WHERE {text} <> ''"
    return f"SELECT {columns} {where} GROUP BY shape ORDER BY texts DESC, shape LIMIT {MOST_SHAPES}"


def shapes(rows: Iterable[tuple[object, ...]]) -> list[Shape]:
    """Return the rows of `shapes_query`."""
    return [
        Shape(text=str(text), count=whole(count), first=whole(first), second=whole(second))
        for text, count, first, second in rows
    ]


def declared(one: str) -> Written:
    """Return how texts of a declared format are read; not for `iso` and epochs."""
    return Written(formats=(one,), has_clock="%H" in one or "%I" in one, has_zone="%z" in one)


def declared_iso(found: Sequence[Shape]) -> Written:
    """Return how texts that are declared to be ISO are read: with and without a time of day and a zone, as each is."""
    matches = [match for shape in found if (match := _ISO_DATE.fullmatch(shape.text)) is not None]
    _require_no_names(matches)
    return Written(formats=(), has_clock=any(match["gap"] for match in matches))


def written(found: Sequence[Shape]) -> Written:
    """Return how a column's texts are read, as the whole column proves it; raise UnclearError where it does not.

    Texts in no known way are left to whoever reads them: they are counted as rows whose time can't be read.
    """
    families: dict[str, list[tuple[Shape, re.Match[str]]]] = {}
    for shape in found:
        family, match = _family(shape.text)
        if match is not None:
            families.setdefault(family, []).append((shape, match))
    if not families:
        if any(shape.text in ("9", "Y") for shape in found):
            message = f"has numbers. Say what they count: `time_format: epoch seconds` or {_SAY}"
            raise UnclearError(message)
        # A column without any text doesn't say that it has days only.
        return Written(formats=(), has_clock=not found or any(":" in shape.text for shape in found))
    if len(families) > 1:
        counts = sorted((sum(one.count for one, _ in mine) for mine in families.values()), reverse=True)
        listed = " and ".join(some(count, "row") for count in counts)
        message = f"writes times in {len(families)} ways ({listed}). Write one way, or read each in `sql`"
        raise UnclearError(message)
    ((family, mine),) = families.items()
    clocks = [match.groupdict() for _, match in mine]
    zones = {clock["zone"] for clock in clocks if clock["gap"]}
    if None in zones and len(zones) > 1:
        message = "has times with a zone and times without one. Write all with a zone, or all in UTC"
        raise UnclearError(message)
    if family == "iso":
        _require_no_names(match for _, match in mine)
    formats = () if family == "iso" else tuple(dict.fromkeys(_formats(family, mine)))
    is_named = any("z" in zone for zone in zones if zone)  # as Z and UTC, of which engines make either type
    has_zone = None if not zones or is_named else None not in zones
    return Written(formats=formats, has_clock=bool(zones), has_zone=has_zone)


def _require_no_names(matches: Iterable[re.Match[str]]) -> None:
    """Raise UnclearError for names of zones other than UTC: engines differ in what they make of EST."""
    if any("a" in (match["zone"] or "") for match in matches):
        raise UnclearError(_NAMES_ZONES)


def _family(shape: str) -> tuple[str, re.Match[str] | None]:
    if match := _ISO_DATE.fullmatch(shape):
        return "iso", match
    if match := _NUMBERS.fullmatch(shape):
        return f"numbers {match['sep']}", match
    if match := _NAMED.fullmatch(shape):
        return f"named {match['date']}", match
    return "", None


def _formats(family: str, mine: Sequence[tuple[Shape, re.Match[str]]]) -> Iterable[str]:
    for date in _dates(family, mine):
        for _, match in mine:
            clock = match.groupdict()
            if clock["zone"] is not None and {"a", "z"} & set(clock["zone"]):
                raise UnclearError(_NAMES_ZONES)
            yield f"{date}{_clock_of(match)}"


def _dates(family: str, mine: Sequence[tuple[Shape, re.Match[str]]]) -> tuple[str, ...]:
    """Return how the dates of one family are read, by strptime."""
    if family.startswith("named"):
        date = family.removeprefix("named ")
        order = ("%d", "{}", "%Y") if date.startswith("9") else ("{}", "%d", "%Y")
        signs = iter(order)
        layout = re.sub("[9aY]", lambda _: next(signs), date)
        return tuple(layout.format(month) for month in ("%b", "%B"))
    sep = family[-1]
    first, second = max(shape.first for shape, _ in mine), max(shape.second for shape, _ in mine)
    if any(match["year"] == "9" for _, match in mine):
        message = f'has years of two digits. Say the order: `time_format: "%m{sep}%d{sep}%y"` or `"%d{sep}%m{sep}%y"`'
        raise UnclearError(message)
    day_first, month_first = f"%d{sep}%m{sep}%Y", f"%m{sep}%d{sep}%Y"
    clock = max((_clock_of(match) for _, match in mine), key=len)
    if first > 12 and second > 12:
        message = "has days first and months first. Write one order, or read each in `sql`"
        raise UnclearError(message)
    if first <= 12 and second <= 12:
        message = (
            "could be months first or days first: no number above 12 tells. Write "
            f'`time_format: "{month_first}{clock}"` or `time_format: "{day_first}{clock}"`'
        )
        raise UnclearError(message)
    return (day_first,) if first > 12 else (month_first,)


def _clock_of(match: re.Match[str]) -> str:
    clock = match.groupdict()
    if not clock["gap"]:
        return ""
    hours = "%I:%M" if clock["half"] else "%H:%M"
    seconds = "" if clock["second"] is None else ":%S" if clock["fraction"] is None else ":%S.%f"
    half = (clock["half"] or "").replace("~", "%p")
    zone = "" if clock["zone"] is None else " %z" if clock["zone"].startswith(" ") else "%z"
    return f"{clock['gap'].replace('a', 'T')}{hours}{seconds}{half}{zone}"


def as_instant(column: str, formats: Sequence[str]) -> str:
    """Return text as an instant, NULL where it is none, in DuckDB's dialect. formats: of strptime; none for ISO.

    What stands for nothing in other programs is none: 1900-01-01, 1970-01-01, 9999-12-31.
    """
    instant = f"TRY_CAST({column} AS TIMESTAMPTZ)"
    if formats:
        listed = ", ".join(sql.quoted_text(one) for one in formats)
        instant = f"CAST(TRY_STRPTIME(TRIM({column}), [{listed}]) AS TIMESTAMPTZ)"
    return f"CASE WHEN {instant} >= {sql.instant(EARLIEST)} AND {instant} < {sql.instant(LATEST)} THEN {instant} END"


def suggested_epoch(largest: float) -> str | None:
    """Return what numbers of that size most likely count, None for none; only ever suggested, never assumed.

    >>> suggested_epoch(1_793_000_000), suggested_epoch(1_793_000_000_000), suggested_epoch(45_000)
    ('epoch seconds', 'epoch milliseconds', None)
    """
    if largest < SMALLEST_EPOCH:
        return None
    if largest > 1e14:
        return "epoch microseconds"
    return "epoch milliseconds" if largest > 1e11 else "epoch seconds"
