"""What metrics mean and whom to ask about them, where people choose one and where a plan names them."""

from collections.abc import Sequence

from labcoat.domain.plan import PlannedMetric
from labcoat.slack.blocks import Block, context, escape
from labcoat.warehouse.reading import MetricDescription
from labcoat.words import metrics as words

MOST_METRICS = 8


def meanings(metrics: Sequence[MetricDescription] | Sequence[PlannedMetric]) -> list[Block]:
    """Return a line for each of the first metrics that the metrics file describes; no block where it describes none."""
    lines = [f"*{escape(one.name)}*: {escape(said)}" for one in metrics[:MOST_METRICS] if (said := words.meaning(one))]
    return [context("\n".join(lines))] if lines else []
