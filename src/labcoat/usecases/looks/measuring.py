"""Reading the numbers of due looks and counts from the warehouse; slow, and never inside a transaction."""

from collections.abc import Sequence

from labcoat.domain.experiment import Experiment
from labcoat.usecases.looks.counting import DueCount
from labcoat.usecases.looks.live_drafts import DueDraft, reads_exposures
from labcoat.usecases.looks.looks import DueLook
from labcoat.warehouse import exposure_scan, reading
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.exposure_scan import Arm
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import MetricQuestion, Question, Reading


def source_of(experiment: Experiment, metrics: MetricsFile | None) -> str | None:
    """Return the source that an experiment reads; None if it reads several, or is not in the metrics file."""
    sources = sources_of(experiment, metrics)
    return next(iter(sources)) if len(sources) == 1 else None


def sources_of(experiment: Experiment, metrics: MetricsFile | None) -> frozenset[str]:
    """Return the sources that an experiment reads; none if a metric is not in the metrics file."""
    names = {one.name for one in experiment.plan.metrics}
    if metrics is None or not names <= metrics.metrics.keys():
        return frozenset()
    return frozenset(metrics.exposures[metrics.exposures_of(metrics.metrics[name])].source for name in names)


def may_have_times(experiment: Experiment, metrics: MetricsFile | None) -> bool:
    """Whether units can be told apart by when they were exposed; without the file nobody knows, and none are read."""
    return metrics is None or reading.may_have_times(metrics, experiment.plan.goal.name)


def measure(looks: Sequence[DueLook], metrics: MetricsFile | None) -> list[Reading | SourceError]:
    """Return the numbers of each look, or why the warehouse cannot give them; looks over one source share its scans."""
    return _ask(metrics, [_question(look, is_count=False) for look in looks])


def count(due: Sequence[DueCount], metrics: MetricsFile | None) -> list[Reading | SourceError]:
    """Return the units of each experiment and nothing else, or why the warehouse cannot give them."""
    return _ask(metrics, [_question(one, is_count=True) for one in due])


def arrivals(due: Sequence[DueDraft], metrics: MetricsFile | None) -> list[tuple[Arm, ...]]:
    """Return the variants in the data of each draft; none where its exposures name no experiment, or can't be read."""
    if metrics is None:
        return [() for _ in due]
    names = [_exposures_of(one, metrics) for one in due]
    seen: dict[str, tuple[Arm, ...]] = {}
    for name in {name for name in names if name is not None}:
        mine = [one for one, exposures in zip(due, names, strict=True) if exposures == name]
        try:
            seen[name] = exposure_scan.arms(metrics, name, until=mine[0].until, keys={one.key for one in mine})
        except SourceError:
            seen[name] = ()  # a draft needs no numbers yet; whatever is wrong is told once it runs
    return [
        tuple(arm for arm in seen.get(name or "", ()) if arm.key == one.key)
        for one, name in zip(due, names, strict=True)
    ]


def _exposures_of(draft: DueDraft, metrics: MetricsFile) -> str | None:
    metric = metrics.metrics.get(draft.experiment.plan.goal.name)
    return metrics.exposures_of(metric) if metric is not None and reads_exposures(draft) else None


def _ask(metrics: MetricsFile | None, questions: Sequence[Question]) -> list[Reading | SourceError]:
    if metrics is None:
        message = "There is no metrics file any more (LABCOAT_METRICS), so its numbers can't be read."
        return [SourceError(message, permanent=False) for _ in questions]
    return reading.read_many(metrics, questions)


def _question(due: DueLook | DueCount, *, is_count: bool) -> Question:
    experiment, plan = due.experiment, due.experiment.plan
    metrics = () if is_count else plan.metrics
    return Question(
        key=plan.experiment_key or f"E-{experiment.number}",
        goal=plan.goal.name,
        metrics=tuple(MetricQuestion(name=one.name, measuring=one.measuring) for one in metrics),
        variants=plan.variant_names,
        dropped=experiment.dropped_treatments,
        since=experiment.exposed_since,
        until=due.until,
        select_since=experiment.since,
        needs_times=experiment.fixed_cause is not None,
        findings=due.findings,
    )
