"""What comes back of a query: per experiment one group per variant, checked before anybody trusts it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan

from labcoat.domain.findings import Findings
from labcoat.stats.rule import Joint, MetricKind, Moments
from labcoat.warehouse import aggregate, incomplete
from labcoat.warehouse.engines.engine import whole
from labcoat.warehouse.errors import NoRowsYetError, SourceError, some
from labcoat.warehouse.exposed_units import Lack
from labcoat.warehouse.incomplete import ArmUnits, Found, Incomplete
from labcoat.warehouse.measures import COLUMNS, FAULTS, FEWEST_AT_MIDNIGHT, Measure
from labcoat.warehouse.resolving import AskedMetric

ASKS_SAME_DAY = "rows without a time of day"
"""How the refusal begins that asks what becomes of the exposure's own day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One metric of one group.

    faults: how many units or rows are wrong, by FAULTS. is_day: its rows have days only, by their type.
    means: by column of COLUMNS. covariances: by the pair of columns. taken: as of the measure. with_rows: of the units
    that are measured, those of which a row counts.
    """

    measured: int
    is_day: bool
    faults: Mapping[str, int]
    means: Mapping[str, float]
    covariances: Mapping[str, float]
    taken: tuple[str, ...] = ()
    with_rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One variant of one experiment.

    exposed, repeated, timed: units, those with several rows, those exposed at a time of day.
    """

    variant: str
    exposed: int
    repeated: int
    timed: int
    metrics: Mapping[AskedMetric, Measured]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back of one experiment.

    nameless: rows of a metric's own that have no unit. findings: what its data are, and were at the first look.
    """

    groups: Sequence[Group]
    arms: Sequence[ArmUnits]
    incomplete: Sequence[Incomplete]
    nameless: Mapping[AskedMetric, int] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)

    def found(self, variants: Sequence[str], *, dropped: Sequence[str] = ()) -> Found:
        """Return its exposures beside the variants of a plan."""
        is_cut = len(self.arms) >= aggregate.MOST_GROUPS
        return Found(arms=self.arms, incomplete=self.incomplete, variants=variants, dropped=dropped, is_cut=is_cut)


def parse(
    rows: Sequence[tuple[object, ...]],
    measures: Sequence[Measure],
    *,
    asked: Sequence[AskedMetric],
    subjects: int = 1,
    nameless: Sequence[Mapping[int, int]] = (),
) -> list[Answer]:
    """Return the rows of `aggregate.query` by experiment. asked: the measures' metrics, of one name perhaps several.

    nameless: by experiment, of `own_rows.nameless`; empty where nobody asked.
    """
    columns = aggregate.names(measures)
    by_experiment: list[list[Mapping[str, object]]] = [[] for _ in range(subjects)]
    for row in rows:
        named = dict(zip(columns, row, strict=True))
        by_experiment[whole(named["experiment"])].append(named)
    nobody = nameless or [{} for _ in range(subjects)]
    return [_answer(mine, measures, asked, counts) for mine, counts in zip(by_experiment, nobody, strict=True)]


def refuse_wrong(answer: Answer, found: Found, metrics: Sequence[AskedMetric], *, key: str) -> None:
    """Refuse what would make the numbers wrong; the first reason explains the ones after it."""
    if wrong := incomplete.refusal(found):
        message = f"The exposures of {key} have {wrong}"
        raise SourceError(message, permanent=True)
    if not answer.arms:
        message = f"There are no exposures of {key} yet."
        raise NoRowsYetError(message)
    for one in metrics:
        for wrong in reasons_of_metric(answer.groups, one):
            whom = f" Whom to ask: {one.metric.owner}." if one.metric.owner else ""
            message = f"Metric {one.name} has {wrong}{whom}"
            raise SourceError(message, permanent=True)


def moments(group: Group | None, asked: AskedMetric) -> Moments:
    """Return a variant's moments; one without units counts 0."""
    measured = group.metrics[asked] if group is not None else None
    if measured is None or measured.measured == 0:
        return Moments(count=0, mean=0.0, variance=0.0)
    mean = measured.means["y"]
    is_proportion = asked.metric.kind is MetricKind.PROPORTION
    variance = mean * (1 - mean) if is_proportion else measured.covariances["yy"]
    has_more = len(measured.means) > 1
    return Moments(count=measured.measured, mean=mean, variance=variance, joint=_joint(measured) if has_more else None)


def _joint(measured: Measured) -> Joint:
    one, two, three, four = (
        tuple(measured.covariances.get("".join(sorted((row, column), key=COLUMNS.index)), 0.0) for column in COLUMNS)
        for row in COLUMNS
    )
    means = measured.means
    return Joint(
        means=(means.get("x", 1.0), means.get("c", 0.0), means.get("d", 1.0)),
        covariances=(_four(one), _four(two), _four(three), _four(four)),
    )


def _four(row: tuple[float, ...]) -> tuple[float, float, float, float]:
    value, denominator, covariate, under = row
    return value, denominator, covariate, under


def _answer(
    rows: Sequence[Mapping[str, object]],
    measures: Sequence[Measure],
    asked: Sequence[AskedMetric],
    nameless: Mapping[int, int],
) -> Answer:
    complete = [row for row in rows if not whole(row["lack"])]
    return Answer(
        groups=[_group(row, measures, asked) for row in complete if row["variant"] == row["last_variant"]],
        arms=[_arm(row) for row in complete],
        incomplete=[_incomplete(row) for row in rows if whole(row["lack"])],
        nameless={asked[place]: count for place, count in nameless.items()},
    )


def _group(row: Mapping[str, object], measures: Sequence[Measure], asked: Sequence[AskedMetric]) -> Group:
    return Group(
        variant=str(row["variant"]),
        exposed=whole(row["units"]),
        repeated=whole(row["repeated"]),
        timed=whole(row["timed"]),
        metrics={
            one: _measured(row, f"m{place}", measure)
            for place, (one, measure) in enumerate(zip(asked, measures, strict=True))
        },
    )


def _arm(row: Mapping[str, object]) -> ArmUnits:
    return ArmUnits(
        variant=str(row["variant"]),
        last_variant=str(row["last_variant"]),
        units=whole(row["units"]),
        row_count=whole(row["row_count"]),
        respelled=whole(row["respelled"]),
        spelling=None if row["spelling"] is None else str(row["spelling"]),
    )


def _incomplete(row: Mapping[str, object]) -> Incomplete:
    return Incomplete(
        lack=Lack(min(whole(row["lack"]), Lack.UNIT)),
        variant=None if row["variant"] is None else str(row["variant"]),
        units=whole(row["units"]),
        row_count=whole(row["row_count"]),
    )


def _measured(row: Mapping[str, object], key: str, measure: Measure) -> Measured:
    pairs = [one + two for place, one in enumerate(measure.columns) for two in measure.columns[place:]]
    measured, some = whole(row[f"{key}_measured"]), whole(row[f"{key}_some"])
    means = {column: _real(row[f"{key}_{column}"]) if some else 0.0 for column in measure.columns}
    covariances = {pair: _real(row[f"{key}_{pair}"]) if some > 1 else 0.0 for pair in pairs}  # one unit has none
    if some < measured:
        means, covariances = _with_others(means, covariances, measure.nothing, some=some, of=measured)
    return Measured(
        measured=measured,
        is_day=measure.is_day,
        faults={name: whole(row[f"{key}_{name}"]) for name in FAULTS},
        means=means,
        covariances=covariances,
        taken=measure.taken,
        with_rows=some,
    )


def _with_others(
    means: Mapping[str, float], covariances: Mapping[str, float], nothing: Mapping[str, float], *, some: int, of: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the moments of some units together with others that have no rows; nothing cancels in it.

    nothing: what these have in each column, 0 but for a floor above it.

    >>> _with_others({"y": 3.0}, {"yy": 2.0}, {"y": 0.0}, some=2, of=4)  # 2, 4, 0, 0
    ({'y': 1.5}, {'yy': 3.6666666666666665})
    """
    rest, both = of - some, some * (of - some) / of
    apart = {name: mean - nothing[name] for name, mean in means.items()}
    return (
        {name: mean * some / of + nothing[name] * rest / of for name, mean in means.items()},
        {
            pair: (max(some - 1, 0) * value + both * apart[pair[0]] * apart[pair[1]]) / max(of - 1, 1)
            for pair, value in covariances.items()
        },
    )


def _real(value: object) -> float:
    """Return a driver's number as a float, NaN for none."""
    return nan if value is None else float(str(value))


def reasons_of_metric(groups: Sequence[Group], asked: AskedMetric) -> Iterator[str]:
    """Yield what is wrong with a metric's rows, each with what to do; "Metric ... has" goes before it."""
    if not asked.metric.has_own_rows and (count := sum(group.repeated for group in groups)):
        yield (
            f"{some(count, 'unit')} with several rows among its exposures. Give it `table` or `sql` of its own, "
            "one row per unit or event."
        )
    faults = {name: sum(group.metrics[asked].faults[name] for group in groups) for name in FAULTS}
    if count := faults["untimed"]:
        declared = f", or numbers count something else than `{one}`" if (one := asked.metric.time_format) else ""
        yield (
            f"{some(count, 'row')} with a time that can't be read, or with a day only. Write it as "
            "2026-03-01 09:30:00, or cast it in `sql`. A time before 1971 or after 2199 is none: where it says 1900 or "
            f"9999 for that, leave it empty{declared}."
        )
    if any(group.timed for group in groups):
        is_day = any(group.metrics[asked].is_day for group in groups) or bool(faults["days"] and not faults["timed"])
        yield from _reasons_of_days(asked, is_day=is_day, days=faults["days"], timed=faults["timed"])
    if count := faults["repeated"]:
        yield (
            f"{some(count, 'unit')} with several rows, and a covariate is known once a unit. Sum up in `sql`: one row "
            "a unit, its covariate from before the exposure."
        )
    if count := faults["bad"]:
        are = "that is not a number" if count == 1 else "that are not numbers"
        which = "empty, text, NaN, infinite or beyond 1e100"
        yield f"{some(count, 'value')} {are} ({which}). If empty means 0, say so: COALESCE(value, 0) in `sql`."
    if count := faults["odd"]:
        yield f"{some(count, 'value')} other than 0 and 1. A proportion needs 0 or 1; else set `kind: mean`."


def _reasons_of_days(asked: AskedMetric, *, is_day: bool, days: int, timed: int) -> Iterator[str]:
    """Yield what is wrong with rows that have days only, beside exposures that have times of day."""
    same_day = asked.measuring.same_day or asked.metric.same_day
    if same_day is None and is_day:
        yield (
            f"{ASKS_SAME_DAY}, so nobody can tell whether a row of the exposure's own day came after it. "
            "Write `same_day: include` to count that day, or `same_day: exclude` to begin with the next."
        )
    if same_day is not None and timed:
        yield (
            f"{some(timed, 'row')} with a time of day, and `same_day: {same_day}` is for rows that have days only. "
            "Leave it out, or cast the time to a day in `sql`; a running plan keeps it, so run that again."
        )
    elif timed and days >= FEWEST_AT_MIDNIGHT and days > timed:
        yield (
            f"{some(days, 'row')} at midnight among {some(timed, 'row')} with a time of day: some were written as "
            "days. Give each its time, or cast all to days in `sql` and write `same_day`."
        )
