"""Reading the numbers of due looks from the warehouse; slow, and never inside a transaction."""

from collections.abc import Sequence

from labcoat.domain.plan import Plan
from labcoat.usecases.looks import DueLook
from labcoat.warehouse import reading
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import MetricQuestion, Question, Reading


def measure(looks: Sequence[DueLook], metrics: MetricsFile | None) -> list[Reading | SourceError]:
    """Return the numbers of each look, or why the warehouse cannot give them; looks over one source share its scans."""
    if metrics is None:
        message = "There is no metrics file any more (LABCOAT_METRICS), so its numbers can't be read."
        return [SourceError(message, permanent=False) for _ in looks]
    return reading.read_many(metrics, [_question(look) for look in looks])


def _question(look: DueLook) -> Question:
    experiment = look.experiment
    plan: Plan = experiment.plan
    return Question(
        key=plan.experiment_key or f"E-{experiment.number}",
        goal=plan.goal.name,
        metrics=tuple(MetricQuestion(name=one.name, measuring=one.measuring) for one in plan.metrics),
        variants=plan.variant_names,
        since=experiment.since,
        until=look.until,
    )
