"""Read experiments' moments from where the user's data is: the one entry to the warehouse.

Only counts, means and covariances come back. What would make them wrong is refused, never repaired; of exposures that
lack something a little is left out, and told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches

from labcoat.domain.findings import Findings
from labcoat.domain.left_out import LeftOut
from labcoat.domain.plan import Measuring
from labcoat.stats.rule import Direction, MetricKind, Moments, Sample
from labcoat.warehouse import aggregate, connections, contradictions, definitions, groups, sql
from labcoat.warehouse.bounding import LOOK_BACK
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.exposed_units import EARLIEST, LATEST
from labcoat.warehouse.groups import Answer
from labcoat.warehouse.incomplete import Found
from labcoat.warehouse.measures import Subject
from labcoat.warehouse.metrics_file import Metric, MetricsFile
from labcoat.warehouse.resolving import AskedMetric, Resolved
from labcoat.warehouse.source_columns import rows_of
from labcoat.warehouse.sql import Bounds

MOST_TOGETHER = 200
"""Experiments in one query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDescription:
    """What a person needs to choose a metric, and to know whom to ask about it.

    is_growing: a unit's value may still change once it is counted. can_have_window: a plan can give it one.
    """

    name: str
    kind: MetricKind
    direction: Direction
    description: str
    owner: str
    format: str | None
    window_days: float
    source: str
    is_growing: bool = False
    can_have_window: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricQuestion:
    """A metric of a plan. measuring: as the plan froze it; None: as the metrics file says now."""

    name: str
    measuring: Measuring | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to read of one experiment.

    metrics: the goal first, whose exposures count; none to count units only, `goal` then says whose exposures.
    variants: all of the plan, control first. key: what its rows are called in the data.
    since, until: aware, of the first exposure, the end excluded; None for no bound.
    dropped: variants that get no traffic any more. needs_times: exposures without a time are refused, not all counted.
    select_since: what `:since` stands for in a SELECT, so that a unit's first exposure is seen; None: as `since`.
    findings: what its data were at the first look; those that contradict it are refused.
    """

    key: str
    goal: str
    metrics: tuple[MetricQuestion, ...]
    variants: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    dropped: tuple[str, ...] = ()
    needs_times: bool = False
    select_since: datetime | None = None
    findings: Findings = field(default_factory=Findings)

    @property
    def bounds(self) -> Bounds:
        """What `:since` and `:until` stand for in a SELECT."""
        return Bounds(since=self.select_since or self.since or EARLIEST, until=self.until or LATEST)

    @property
    def read_since(self) -> datetime | None:
        """From when on exposures are read, so that a unit that was exposed before the start is known; None: all."""
        start = self.select_since or self.since
        return None if start is None else start - LOOK_BACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the data says.

    crossed: units that were in two variants and count in none. left_out: what else does not count.
    definitions: a short hash of each metric's definition, to see later whether it changed. findings: what the data are,
    and were at the first look.
    """

    sample: Sample
    crossed: int
    definitions: Mapping[str, str]
    left_out: LeftOut = field(default_factory=LeftOut)
    findings: Findings = field(default_factory=Findings)


def describe(metrics_file: MetricsFile) -> tuple[MetricDescription, ...]:
    """Return the file's metrics, in its order."""
    return tuple(
        MetricDescription(
            name=name,
            kind=metric.kind,
            direction=metric.direction,
            description=metric.description,
            owner=metric.owner,
            format=metric.format,
            window_days=metric.window_days,
            source=metrics_file.exposures[metrics_file.exposures_of(metric)].source,
            is_growing=metric.is_growing,
            can_have_window=metrics_file.can_have_window(metric),
        )
        for name, metric in metrics_file.metrics.items()
    )


def read(metrics_file: MetricsFile, question: Question) -> Reading:
    """Return what the data says about one experiment; raise NoRowsYetError or SourceError."""
    (answer,) = read_many(metrics_file, [question])
    if isinstance(answer, SourceError):
        raise answer
    return answer


def read_many(metrics_file: MetricsFile, questions: Sequence[Question]) -> list[Reading | SourceError]:
    """Return what the data says about each experiment, in order, or why it can't.

    Experiments over the same exposures share one query, so that the exposures and each metric's rows are scanned once;
    where a SELECT asks for `:since` or `:until`, only those with the same bounds do.
    """
    parts: dict[int, dict[str, tuple[AskedMetric, ...]]] = {}
    wrong: dict[int, SourceError] = {}
    for place, question in enumerate(questions):
        try:
            parts[place] = _by_exposures(metrics_file, question)
        except SourceError as error:
            wrong[place] = error
    found: dict[int, dict[str, Answer]] = {place: {} for place in parts}
    for name in dict.fromkeys(name for mine in parts.values() for name in mine):
        mine = {place: (questions[place], asked[name]) for place, asked in parts.items() if name in asked}
        for batch in _batches(metrics_file, name, {place: one for place, one in mine.items() if place not in wrong}):
            for place, answer in _read_batch(metrics_file, name, batch).items():
                if isinstance(answer, SourceError):
                    wrong[place] = answer
                else:
                    found[place][name] = answer
    return [
        wrong[place] if place in wrong else _reading(metrics_file, question, parts[place], found[place])
        for place, question in enumerate(questions)
    ]


def written(metrics_file: MetricsFile, question: Question) -> dict[str, str]:
    """Return the SQL that a read would run, by the name of the exposures; asks the sources for columns only."""
    texts = {}
    for name, asked in _by_exposures(metrics_file, question).items():
        exposures = metrics_file.exposures[name]
        with connections.opened(metrics_file, exposures, asked) as source:
            subjects = _subjects([question])
            texts[name] = connections.query(source, metrics_file, exposures, subjects, asked, bounds=question.bounds)[0]
    return texts


def may_have_times(metrics_file: MetricsFile, goal: str) -> bool:
    """Whether the exposures that a goal counts may have a time; only where the file rules it out, they have none."""
    if goal not in metrics_file.metrics:
        return True
    exposures = metrics_file.exposures[metrics_file.exposures_of(metrics_file.metrics[goal])]
    if exposures.exposed_at is not None or "exposed_at" in exposures.model_fields_set:
        return exposures.exposed_at is not None
    if exposures.sql is None:
        return True
    dialect = connections.dialect_of(metrics_file, exposures)
    return bool({"*", "exposed_at"} & sql.selected(rows_of(exposures), dialect=dialect))


def metric_of(metrics_file: MetricsFile, name: str) -> Metric:
    """Return the metric of that name; raise SourceError with the nearest one."""
    if name in metrics_file.metrics:
        return metrics_file.metrics[name]
    near = get_close_matches(name, metrics_file.metrics, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"It has: {', '.join(metrics_file.metrics)}."
    message = f"The metrics file has no metric {name}. {hint}"
    raise SourceError(message, permanent=True)


def measuring_of(metric: Metric) -> Measuring:
    """Return what a plan freezes of a metric."""
    return Measuring(
        window_days=metric.window_days,
        pre_period_days=metric.pre_period_days,
        cap=metric.cap,
        same_day=metric.same_day,
        floor=metric.floor,
    )


def _by_exposures(metrics_file: MetricsFile, question: Question) -> dict[str, tuple[AskedMetric, ...]]:
    goal = metrics_file.exposures_of(metric_of(metrics_file, question.goal))
    parts: dict[str, list[AskedMetric]] = {goal: []}
    for one in question.metrics:
        metric = metric_of(metrics_file, one.name)
        parts.setdefault(metrics_file.exposures_of(metric), []).append(_asked(one, metric))
    return {name: tuple(asked) for name, asked in parts.items()}


def _asked(one: MetricQuestion, metric: Metric) -> AskedMetric:
    return AskedMetric(name=one.name, metric=metric, measuring=one.measuring or measuring_of(metric))


_Batch = Mapping[int, tuple[Question, tuple[AskedMetric, ...]]]


def _batches(metrics_file: MetricsFile, name: str, wanted: _Batch) -> Iterator[_Batch]:
    """Yield what one query can read: a SELECT's `:since` and `:until` have one value in it."""
    by_bounds: dict[Bounds | None, list[int]] = {}
    for place, (question, asked) in wanted.items():
        has_bounds = connections.has_bounds(metrics_file, metrics_file.exposures[name], asked)
        by_bounds.setdefault(question.bounds if has_bounds else None, []).append(place)
    for together in by_bounds.values():
        for start in range(0, len(together), MOST_TOGETHER):
            yield {place: wanted[place] for place in together[start : start + MOST_TOGETHER]}


def _read_batch(metrics_file: MetricsFile, name: str, batch: _Batch) -> dict[int, Answer | SourceError]:
    """Return each experiment's groups; if the batch fails, ask for each alone, so that one spoils no other."""
    asked = tuple(dict.fromkeys(one for _, metrics in batch.values() for one in metrics))
    exposures = metrics_file.exposures[name]
    try:
        with connections.opened(metrics_file, exposures, asked) as source:
            questions = [question for question, _ in batch.values()]
            subjects, bounds = _subjects(questions), _bounds(questions)
            text, resolved = connections.query(source, metrics_file, exposures, subjects, asked, bounds=bounds)
            rows = source.rows(text)
            nobody = connections.nameless(source, metrics_file, exposures, subjects, resolved, bounds=bounds)
    except SourceError as error:
        if len(batch) == 1 or not error.permanent:
            return dict.fromkeys(batch, error)
        return {
            place: answer
            for place, alone in batch.items()
            for answer in _read_batch(metrics_file, name, {place: alone}).values()
        }
    found = groups.parse(rows, resolved.measures, asked=asked, subjects=len(batch), nameless=nobody)
    if len(batch) > 1 and sum(len(one.arms) for one in found) >= aggregate.MOST_GROUPS * len(batch):
        return {place: _read_batch(metrics_file, name, {place: alone})[place] for place, alone in batch.items()}
    answers: dict[int, Answer | SourceError] = {}
    for answer, (place, (question, metrics)) in zip(found, batch.items(), strict=True):
        try:
            now = contradictions.found(metrics_file, name, resolved, answer, asked=asked, metrics=metrics)
            findings = contradictions.kept(question.findings, now) if answer.arms else question.findings
            _require_times(question, resolved)
            since_when = " since the cause was fixed" if question.needs_times else ""
            groups.refuse_wrong(answer, _found(answer, question), metrics, key=f"{question.key}{since_when}")
        except SourceError as error:
            answers[place] = error
        else:
            answers[place] = replace(answer, findings=findings)
    return answers


def _found(answer: Answer, question: Question) -> Found:
    return answer.found(question.variants, dropped=question.dropped)


def _subjects(questions: Sequence[Question]) -> list[Subject]:
    return [
        Subject(
            key=one.key,
            since=one.since or EARLIEST,
            until=one.until or LATEST,
            variants=one.variants,
            read_since=one.read_since,
        )
        for one in questions
    ]


def _bounds(questions: Sequence[Question]) -> Bounds:
    every = [one.bounds for one in questions]
    return Bounds(since=min(one.since for one in every), until=max(one.until for one in every))


def _require_times(question: Question, resolved: Resolved) -> None:
    if question.needs_times and resolved.exposures.exposed_at is None:
        message = (
            f"The exposures of {question.key} have no column exposed_at, so the units since the cause was fixed can't "
            "be told apart. Name the column, or stop the experiment and run it again."
        )
        raise SourceError(message, permanent=True)


def _reading(
    metrics_file: MetricsFile,
    question: Question,
    parts: Mapping[str, tuple[AskedMetric, ...]],
    found: Mapping[str, Answer],
) -> Reading:
    by_variant = {name: {group.variant: group for group in answer.groups} for name, answer in found.items()}
    first = next(iter(parts))
    goal, seen = by_variant[first], _found(found[first], question)
    findings = question.findings
    for answer in found.values():
        findings = findings.updated(answer.findings)
    moments: dict[str, tuple[Moments, ...]] = {}
    for name, metrics in parts.items():
        for one in metrics:
            here = [by_variant[name].get(variant) for variant in question.variants]
            moments[one.name] = tuple(groups.moments(group, one) for group in here)
    return Reading(
        sample=Sample(
            exposed=tuple(goal[variant].exposed if variant in goal else 0 for variant in question.variants),
            moments={one.name: moments[one.name] for one in question.metrics},
        ),
        crossed=seen.crossed,
        left_out=replace(seen.left_out(), nameless=_nameless(parts, found)),
        definitions={
            one.name: definitions.hash_of(metrics_file, one.name, one.measuring, taken=_taken(found[name], one))
            for name, metrics in parts.items()
            for one in metrics
        },
        findings=findings,
    )


def _nameless(parts: Mapping[str, tuple[AskedMetric, ...]], found: Mapping[str, Answer]) -> dict[str, int]:
    return {
        one.name: found[name].nameless[one]
        for name, metrics in parts.items()
        for one in metrics
        if one in found[name].nameless
    }


def _taken(answer: Answer, one: AskedMetric) -> tuple[str, ...]:
    return next((group.metrics[one].taken for group in answer.groups), ())
