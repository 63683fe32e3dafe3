"""What the one query is told: experiments, the columns of their exposures, and what each metric measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

from labcoat.domain.findings import FoundColumn
from labcoat.domain.plan import SameDay
from labcoat.stats.rule import MetricKind
from labcoat.warehouse.bounding import DayColumn

LARGEST = "CAST('1e100' AS DOUBLE)"
"""A unit's value beyond this is taken for a mistake; its square would leave what a double holds."""
ONE, ZERO = "CAST(1 AS DOUBLE)", "CAST(0 AS DOUBLE)"
"""Of a plain 1.0 some engines make a decimal, whose mean they round to a few digits."""

DAY_SECONDS = 86_400
COLUMNS = "yxcd"
"""Of a unit, as in `stats.moments`: value, denominator, covariate, covariate's denominator."""
COUNTS = ("units", "row_count", "repeated", "respelled", "timed")
"""Of one variant, or of units in two: units, their rows, units with several rows, those whose variant is respelled,
those exposed at a time of day.
"""
CLOCK = ("timed", "days")
"""Of a metric's own rows near the exposures: those with a time of day, and those at midnight UTC."""
FAULTS = ("bad", "odd", "untimed", "repeated", *CLOCK)
"""Of one metric: values that are no numbers, or not 0 or 1; rows without a time; units with several rows; CLOCK."""

FEWEST_AT_MIDNIGHT = 10
"""As many, and more than half of all, are no chance among rows with times, not even where these are whole hours."""


def scans(measures: Sequence["Measure"]) -> dict[str, list[tuple[int, "Measure"]]]:
    """Return the metrics that have rows of their own, with their places, by the name that stands for these rows."""
    found: dict[str, list[tuple[int, Measure]]] = {}
    for place, measure in enumerate(measures):
        if measure.rows is not None:
            found.setdefault(measure.rows, []).append((place, measure))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One experiment of the query. key: of its rows. since, until: of the first exposure, the end excluded.

    variants: as the plan spells them. read_since: exposures before it are not read; None reads all.
    """

    key: str
    since: datetime
    until: datetime
    variants: tuple[str, ...]
    read_since: datetime | None = None

    @property
    def exposed_since(self) -> datetime:
        """Before this no unit's exposure is."""
        return max(self.since, self.read_since or self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureColumns:
    """Expressions over the exposures' rows, which are called e; None where the data has no such column.

    is_unit_text: whether a unit may be empty text, or its type is not known. only: which rows are read, None for all.
    untimed: as of a measure, of `exposed_at`.
    time_days, partition: what the engine can skip rows by.
    """

    unit: str
    variant: str
    exposed_at: str | None
    experiment: str | None
    is_unit_text: bool
    only: str | None = None
    untimed: str | None = None
    time_days: DayColumn | None = None
    partition: DayColumn | None = None

    @property
    def known_at(self) -> str:
        """When a row's unit was exposed, NULL where that is not known."""
        if self.exposed_at is None or self.untimed is None:
            return self.exposed_at or "CAST(NULL AS TIMESTAMPTZ)"
        return f"CASE WHEN NOT {self.untimed} THEN {self.exposed_at} END"

    @property
    def is_not_known(self) -> str:
        """Whether that is so, for a column of times: a function around it would hide the engine's partitions."""
        plain = self.time_days.column if self.time_days else self.exposed_at
        return f"{plain} IS NULL" + (f" OR {self.untimed}" if self.untimed is not None else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One metric of the query.

    rows: the name that stands for its own rows, None for those of the exposures. unit, time: expressions over them.
    is_unit_text: as of the exposures.
    untimed: whether a row says a time that can't be compared with the exposure; None where that can't be.
    value: None counts rows. covariate, covariate_denominator: known before the exposure.
    window_seconds: 0 for none. pre_seconds: before the exposure, summed up as the covariate.
    same_day: of rows that have days only: the exposure's day counts whole, or not at all. is_day: `time` is a day by
    its type. time_days, partition: what the engine can skip rows by. taken: fields that the file leaves out, and that a
    column of the table has the name of. found: what its columns are, by field.
    """

    kind: MetricKind
    rows: str | None
    unit: str = ""
    is_unit_text: bool = True
    time: str | None = None
    untimed: str | None = None
    value: str | None = None
    denominator: str | None = None
    covariate: str | None = None
    covariate_denominator: str | None = None
    window_seconds: int = 0
    pre_seconds: int = 0
    cap: float | None = None
    same_day: SameDay | None = None
    is_day: bool = False
    time_days: DayColumn | None = None
    partition: DayColumn | None = None
    taken: tuple[str, ...] = ()
    floor: float | None = None
    found: Mapping[str, FoundColumn | None] = field(default_factory=dict)

    @property
    def columns(self) -> str:
        """Which of COLUMNS it has."""
        is_ratio = self.kind is MetricKind.RATIO
        has_covariate = bool(self.covariate or self.pre_seconds)
        return "y" + "x" * is_ratio + "c" * has_covariate + "d" * (is_ratio and has_covariate)

    @property
    def nothing(self) -> dict[str, float]:
        """What a unit without rows has in each of its columns."""
        least, most = self.floor if self.floor is not None else -inf, self.cap if self.cap is not None else inf
        return {name: min(max(0.0, least), most) if name in "yc" else 0.0 for name in self.columns}

    @property
    def needs_one_row(self) -> bool:
        """Whether a unit may have one of its own rows only: how many came after the exposure must not decide a past."""
        return self.rows is not None and self.covariate is not None

    @property
    def given(self) -> dict[str, str | None]:
        """Its columns in the rows, as expressions; None for a row that counts 1."""
        given = {"y": self.value, "x": self.denominator, "c": self.covariate, "d": self.covariate_denominator}
        return {name: given[name] for name in self.columns if name in "yx" or not self.pre_seconds}
