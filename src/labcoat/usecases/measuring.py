"""Reading the numbers of a due look from the warehouse; slow, and never inside a transaction."""

from labcoat.stats.results import Sample
from labcoat.usecases.looks import DueLook
from labcoat.warehouse import reading
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile


def measure(look: DueLook, metrics: MetricsFile | None) -> Sample:
    """Return the sample of a look; raise SourceError if the warehouse cannot give it."""
    if metrics is None:
        message = "There is no metrics file any more (LABCOAT_METRICS), so its numbers can't be read."
        raise SourceError(message, permanent=False)
    experiment = look.experiment
    plan = experiment.plan
    return reading.read_sample(
        metrics,
        metrics=tuple(metric.name for metric in plan.metrics),
        variants=plan.variant_names,
        experiment_key=plan.experiment_key or f"E-{experiment.number}",
        since=experiment.since,
        until=look.until,
    )
